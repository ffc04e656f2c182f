# SPDX-License-Identifier: GPL-2.0-only
"""What became of a test: its verdict, its counts, its exits."""
import enum
import json
import re
import shlex
import signal

STATUS_FAILED, STATUS_USAGE, STATUS_ABORT, STATUS_SKIPPED, STATUS_ERROR, STATUS_TIMEOUT = 1, 2, 127, 77, 99, 124
KEPT = 256 << 10  # bytes of a guest's output, its last ones
LINE = 200  # characters
DETAILS = 8  # failures that are named in a row
REASONS = 3  # kinds of exits that are
LEVELS = ("l0", "vmm")
SUMMARY = re.compile(r"^SUMMARY: (\d{1,10}) tests((?:, \d{1,10} (?:unexpected|known|expected) failures|, \d{1,10} skipped)*)$")
# What a report says of a level whose exits it has not all, or none of.
PARTLY = re.compile(r"not observed|[1-9]\d* lost|no room")


def printable(text, limit=LINE):
    """One line that does nothing to a terminal."""
    text = "".join(char if char.isprintable() else "?" for char in text.strip().expandtabs(1))
    return text if len(text) <= limit else text[:limit - 3] + "..."


def signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Tail:
    """The last bytes of what may be endless."""

    def __init__(self):
        self.data, self.left_out = bytearray(), 0

    def add(self, data):
        self.data += data
        if len(self.data) > 2 * KEPT:
            self.cut()

    def cut(self):
        over = max(len(self.data) - KEPT, 0)
        self.left_out += over
        del self.data[:over]

    def lines(self):
        self.cut()
        return self.data.decode(errors="replace").replace("\r\n", "\n").split("\n")


class Verdict(enum.Enum):
    PASS, FAIL, SKIP, ABORT, TIMEOUT, ERROR = "pass", "fail", "skip", "abort", "timeout", "error"


FAILURES = (Verdict.FAIL, Verdict.ABORT, Verdict.TIMEOUT, Verdict.ERROR)


class Result:
    """What became of a test."""

    def __init__(self, test, verdict, reason="", seconds=0.0):
        self.test, self.verdict, self.reason, self.seconds = test, verdict, reason, seconds
        self.details, self.counts, self.lines, self.left_out = [], None, [], 0
        self.exits, self.kinds, self.unobserved, self.at_least = dict.fromkeys(LEVELS), "", [], set()

    def notes(self):
        """Lines below the row."""
        notes = [self.reason] if self.reason else []
        notes += self.details
        if self.ignored():
            notes.append(f"ignored: {self.ignored()}")
        return [printable(note) for note in notes]

    def ignored(self):
        """The parameters that the test ran without."""
        return "" if self.test.skip else " ".join(shlex.quote(word) for word in self.test.ignored)

    def cell(self, level):
        count = self.exits[level]
        return "-" if count is None else f"{'>' if level in self.at_least else ''}{count}"


def counts_of(lines):
    """Tests, unexpected failures and skips of the SUMMARY among the last lines, where their runner looks."""
    for line in reversed([line for line in lines if line][-5:]):
        found = SUMMARY.match(line)
        if found:
            rest = {words: int(number) for number, words in re.findall(r"(\d+) ([a-z]+)", found[2])}
            return int(found[1]), rest.get("unexpected", 0), rest.get("skipped", 0)
    return None


def judge(status, test, lines, errors, grace):
    """Verdict and reason, by the exit status of `sidestep run`; None if it had to be killed `grace` s after its timeout."""
    said = next((line for line in reversed(errors) if line.strip()), "").removeprefix("sidestep: ")
    last = next((line for line in reversed(lines) if line.strip() and not re.match(r"SUMMARY: |\s*STACK: ", line)), "")
    if status is None:
        return Verdict.ERROR, f"sidestep did not end {grace:g} s after its timeout, and was killed"
    if status == 0:
        return Verdict.PASS, ""
    if status == STATUS_SKIPPED:
        skips = [line for line in lines if line.startswith("SKIP: ")]
        own = said and "guest exit status" not in said
        return Verdict.SKIP, said if own else skips[0] if skips else last or "the guest skips"
    if status == STATUS_ABORT:
        cause = next((line for line in lines if re.match(r"Unhandled |.*: assert failed: ", line)), last)
        return Verdict.ABORT, "aborted: " + (cause or said)
    if status == STATUS_TIMEOUT:
        return Verdict.TIMEOUT, f"timeout after {test.seconds:g} s"
    if status in (STATUS_USAGE, STATUS_ERROR):
        return Verdict.ERROR, said or f"sidestep ended with status {status}"
    if status < 0 or status > 128 and "guest" not in said:
        number = abs(status) if status < 0 else status - 128
        return Verdict.ERROR, f"sidestep was ended by {signal_name(number)}"
    failed = next((line for line in lines if line.startswith("FAIL: ")), "")
    return Verdict.FAIL, failed if failed and "guest exit status" in said else said or f"status {status}"


def count_exits(result, report, errors):
    """From what the ledger recorded one by one. A level that nobody looked at has none, not zero."""
    try:
        report = json.loads(report)
        rows = [(str(row["level"]), printable(row["reason"], 40), int(row["exits"])) for row in report["exits"]]
        recorded = {level: str(report["recorded"][level]) for level in LEVELS}
    except (ValueError, KeyError, TypeError, AttributeError):
        said = errors.decode(errors="replace") or "no report"
        result.unobserved.append(f"the ledger tells nothing: {printable(said)}")
        return
    kinds = []
    for level in LEVELS:
        here = sorted((-count, reason) for where, reason, count in rows if where == level)
        if here or not recorded[level].startswith("not observed"):
            result.exits[level] = -sum(count for count, _ in here)
        if PARTLY.search(recorded[level]):
            result.unobserved.append(f"{level}: {recorded[level]}")
            result.at_least.add(level)
        if here:
            kinds.append(f"{level}: " + ", ".join(f"{reason} {-count}" for count, reason in here[:REASONS]))
    result.kinds = "; ".join(kinds)


def report_command(sidestep, ledger):
    return [sidestep, "report", "--format", "json", "--by", "reason", ledger]


def evaluate(test, status, out, errors, seconds, grace):
    """What became of a test whose sidestep ended so, with this output (a Tail) and these lines of errors."""
    lines = out.lines()
    result = Result(test, *judge(status, test, lines, errors, grace), seconds)
    result.counts, result.lines, result.left_out = counts_of(lines), lines, out.left_out
    if result.verdict in FAILURES:
        failed = [line for line in lines if line.startswith("FAIL: ") and line != result.reason]
        result.details = failed[:DETAILS]
        result.details += [f"and {len(failed) - DETAILS} more"] if len(failed) > DETAILS else []
    return result


def totals(results):
    kinds = [result.verdict for result in results]
    return kinds.count(Verdict.PASS), sum(kind in FAILURES for kind in kinds), kinds.count(Verdict.SKIP)


def unobserved_notes(results):
    return list(dict.fromkeys(note for result in results for note in result.unobserved))


def status_of(results):
    kinds = {result.verdict for result in results}
    worst = ((Verdict.ERROR, STATUS_ERROR), (Verdict.FAIL, STATUS_FAILED), (Verdict.ABORT, STATUS_FAILED),
             (Verdict.TIMEOUT, STATUS_TIMEOUT))
    for kind, status in worst:
        if kind in kinds:
            return status
    return STATUS_SKIPPED if kinds == {Verdict.SKIP} else 0
