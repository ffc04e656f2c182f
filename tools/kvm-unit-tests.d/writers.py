# SPDX-License-Identifier: GPL-2.0-only
"""Rows of text, TAP and JUnit, and the files that they go to."""
import re
import sys
from xml.sax.saxutils import escape, quoteattr

from results import FAILURES, LEVELS, LINE, Verdict, printable, totals, unobserved_notes

NAME = "kvm-unit-tests"
SHOWN = 64 << 10  # bytes of a guest's output in a file of JUnit


class Text:
    """A row as each test ends."""

    def __init__(self, stream, tests):
        self.stream, self.width = stream, max([len(printable(test.name, 48)) for test in tests] + [len("SECTION")])
        self.row("VERDICT", "SECTION", "TESTS", "FAILED", "SKIPPED", "SECONDS", "L0", "VMM", "EXITS")

    def row(self, verdict, name, tests, failed, skipped, seconds, l0, vmm, kinds):
        counts = f"{tests:>5} {failed:>6} {skipped:>7} {seconds:>7} {l0:>10} {vmm:>10}"
        print(f"{verdict:7} {name:{self.width}} {counts} {kinds}".rstrip(), file=self.stream, flush=True)

    def add(self, result):
        seconds = f"{result.seconds:.1f}" if result.lines else "-"
        self.row(result.verdict.value, printable(result.test.name, 48), *(result.counts or "---"), seconds,
                 result.cell("l0"), result.cell("vmm"), result.kinds)
        for note in result.notes():
            print(f"  # {note}", file=self.stream, flush=True)

    def end(self, results, why):
        for note in unobserved_notes(results) + ([why] if why else []):
            print(f"# {printable(note)}", file=self.stream)
        print("{} passed, {} failed, {} skipped".format(*totals(results)), file=self.stream)


class Tap:
    """TAP 13, flat."""

    def __init__(self, stream, tests):
        self.stream, self.number = stream, 0
        print(f"TAP version 13\n1..{len(tests)}", file=stream, flush=True)

    def add(self, result):
        self.number += 1
        word = "not ok" if result.verdict in FAILURES else "ok"
        name, notes = printable(result.test.name).replace("#", "\\#"), result.notes()
        skip = " # SKIP " + printable(result.reason) if result.verdict is Verdict.SKIP else ""
        print(f"{word} {self.number} - {name}{skip}", file=self.stream)
        if result.lines:
            notes.append("{} tests, {} failed, {} skipped".format(*result.counts) if result.counts else "no summary")
            notes.append(f"{result.seconds:.1f} s; exits at l0 {result.cell('l0')}, vmm {result.cell('vmm')}; {result.kinds}")
        for note in notes[1:] if skip else notes:
            print(f"# {note.rstrip('; ')}", file=self.stream)
        self.stream.flush()

    def end(self, results, why):
        for note in unobserved_notes(results):
            print(f"# {printable(note)}", file=self.stream)
        if why:
            print(f"Bail out! {printable(why)}", file=self.stream)


class Junit:
    """One testsuite, written at the end."""

    def __init__(self, stream, tests):
        self.stream = stream

    def add(self, result):
        pass

    @staticmethod
    def legal(text):
        """What XML 1.0 has no way to write is replaced."""
        return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)

    def attributes(self, **values):
        return "".join(f" {name.rstrip('_')}={quoteattr(self.legal(str(value)))}" for name, value in values.items())

    def end(self, results, why):
        passed, failed, skipped = totals(results)
        errors = sum(result.verdict is Verdict.ERROR for result in results)
        print('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n<testsuite'
              + self.attributes(name=NAME, tests=passed + failed + skipped, failures=failed - errors, errors=errors,
                                skipped=skipped, time=f"{sum(result.seconds for result in results):.3f}") + ">",
              file=self.stream)
        for result in results:
            self.case(result)
        notes = "".join(f"{self.legal(note)}\n" for note in unobserved_notes(results) + ([why] if why else []))
        print((f"<system-err>{escape(notes)}</system-err>\n" if notes else "") + "</testsuite>\n</testsuites>",
              file=self.stream)

    def case(self, result):
        write = lambda text: print(text, file=self.stream)
        write("<testcase" + self.attributes(classname=NAME, name=result.test.name, time=f"{result.seconds:.3f}") + ">")
        values = {f"exits.{level}": result.exits[level] for level in LEVELS}
        values |= dict(zip(("tests", "failed", "skipped"), result.counts or ()))
        values |= {"exits": result.kinds or None, "ignored": result.ignored() or None}
        rows = [f"<property{self.attributes(name=name, value=value)}/>"
                for name, value in values.items() if value is not None]
        if rows:
            write("<properties>\n" + "\n".join(rows) + "\n</properties>")
        if result.verdict is Verdict.SKIP:
            write(f"<skipped{self.attributes(message=printable(result.reason))}/>")
        elif result.verdict in FAILURES:
            kind = "error" if result.verdict is Verdict.ERROR else "failure"
            message = self.attributes(message=printable(result.reason), type=result.verdict.value)
            write(f"<{kind}{message}>{escape(self.legal(chr(10).join(result.notes())))}</{kind}>")
        if result.lines:
            output = "\n".join(result.lines)
            shown = output[-SHOWN:]
            missing = result.left_out + len(output) - len(shown)
            head = f"[{missing} more before]\n" if missing else ""
            write(f"<system-out>{escape(self.legal(head + shown))}</system-out>")
        write("</testcase>")


FORMATS = {"text": Text, "tap": Tap, "junit": Junit}


class Progress:
    """A line on a terminal of standard error; rows of a text would be cut by it."""

    def __init__(self, shown):
        self.shown = shown and sys.stderr.isatty()

    def show(self, text):
        if self.shown:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def list_tests(tests, stream):
    width = max(len(printable(test.name, 48)) for test in tests)
    for test in tests:
        groups = f" [{' '.join(test.groups)}]" if test.groups else ""
        skip = f"; skipped: {test.skip}" if test.skip else ""
        print(printable(f"{printable(test.name, 48):{width}} {test.keys.get('file', '-')}, {test.vcpus} vCPU, {test.memory}, "
                        f"{test.seconds:g} s{groups}{skip}", 2 * LINE), file=stream)
