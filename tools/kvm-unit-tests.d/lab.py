# SPDX-License-Identifier: GPL-2.0-only
"""Runs tests in one boot of a lab (docs/labs.md).

The lab has busybox and sidestep, so what runs the tests there is a script for its shell. It says of each what became of
it as soon as it has ended, on the lab's output: a line of words, and the bytes whose numbers the line has. So rows
appear while the lab runs, and those there are stay if it ends early.
"""
import contextlib
import math
import os
import re
import select
import shlex
import shutil
import subprocess
import tempfile

from cfg import Unusable, ledger_names
from host import end_process
from results import KEPT, STATUS_USAGE, Result, Tail, Verdict, count_exits, evaluate, printable, report_command
from writers import NAME

GRACE = 2  # seconds of the lab's clock beyond the timeout, which sidestep keeps itself
# Seconds that one of the lab's clock may take on a busy computer, that what surrounds a test may, and the whole.
REAL, AROUND, BOOT = {"amd": 100, "intel": 20}, 120, 300
TIMEOUT_MOST = 9999999
MEMORY, MEMORY_MOST = 1024, {"amd": 9999, "intel": 2048}  # MiB; Bochs refuses more
BESIDES = 512  # MiB for the lab's system and files, beside the memory of a guest
TERM_GRACE = 30  # seconds from SIGTERM to SIGKILL, while which a lab ends its emulator
SCRIPT = """\
# SPDX-License-Identifier: GPL-2.0-only
# check NUMBER WORD PATH CONTENT: whether the file has it.
check() {
	if found=$(head -c 4096 "$3" 2>errors); then
		[ "$found" != "$4" ] || return 0
		found="it is $found"
	else
		found=$(tail -n 1 errors)
		found=${found##*: }
	fi
	printf 'needs: %s; host: %s' "$2" "$found" >errors
	ledger=$1.ledger
	echo "skip $1 $(wc -c <errors)"
	cat errors
	KEEP
	return 1
}

# run NUMBER SECONDS LEDGER COMMAND...: 0 seconds are without end. Nothing of a test is left but the ledger.
run() {
	number=$1 seconds=$2 ledger=$3
	shift 3
	echo "begin $number"
	read -r begun _ </proc/uptime
	if [ "$seconds" = 0 ]; then
		"$@" >out 2>errors </dev/null
	else
		timeout -s KILL "$seconds" "$@" >out 2>errors </dev/null
	fi
	status=$?
	read -r ended _ </proc/uptime
	: >report
	: >report.errors
	[ ! -e "$ledger" ] || REPORT "$ledger" >report 2>report.errors </dev/null
	size=$(wc -c <out)
	for file in out errors report report.errors; do
		tail -c KEPT "$file" >"$file.tail"
	done
	echo "end $number $status $begun $ended $size" \\
		"$(wc -c <out.tail) $(wc -c <errors.tail) $(wc -c <report.tail) $(wc -c <report.errors.tail)"
	cat out.tail errors.tail report.tail report.errors.tail
	rm -f out errors report report.errors ./*.tail
	KEEP
}

"""


class LabEnded(Exception):
    """The lab has ended, or failed, before all was said."""


def write_script(tests, names, guests, options):
    """What the lab's shell runs. A test whose checks fail says so instead."""
    report = " ".join(shlex.quote(word) for word in report_command("sidestep", "")[:-1])
    # What --get names has to be there.
    keep = '[ -e "$ledger" ] || : >"$ledger"' if options.ledger else 'rm -f "$ledger"'
    lines = [SCRIPT.replace("REPORT", report).replace("KEPT", str(KEPT)).replace("KEEP", keep)]
    for number, (test, name) in enumerate(zip(tests, names)):
        if test.skip:
            continue
        ledger = f"{number}.ledger"
        command = test.command("sidestep", options.engine, guests[test.flat], ledger)
        seconds = str(math.ceil(test.seconds + GRACE)) if test.seconds else "0"  # busybox takes whole ones
        steps = [["check", str(number), word, path, wanted] for word, path, wanted in test.checks()]
        steps.append(["run", str(number), seconds, ledger, *command])
        lines.append(f"# {printable(name)}\n" + " &&\n\t".join(shlex.join(step) for step in steps))
    return "\n".join(lines) + "\n"


def mebibytes(memory):
    return math.ceil(int(memory[:-1]) * {"K": 1 / 1024, "M": 1, "G": 1024}[memory[-1]])


def lab_command(tests, options, guests):
    """tools/lab, to be run in the directory that has the files it names."""
    program = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "lab")
    needed = max(mebibytes(test.memory) for test in tests) + BESIDES
    seconds = sum(test.seconds * REAL[options.lab] + AROUND for test in tests) + BOOT
    endless = any(test.seconds == 0 for test in tests)
    words = [program, options.lab, "--split", "--build", os.path.dirname(options.sidestep),
             "--memory", str(min(max(MEMORY, needed), MEMORY_MOST[options.lab])),
             "--timeout", str(TIMEOUT_MOST if endless else min(math.ceil(seconds), TIMEOUT_MOST))]
    words += ["--kernel", options.kernel] if options.kernel else []
    for flat, path in guests.items():
        words += ["--put", f"{path.replace('/', '-')}={path}"]
    return words


class Lab:
    """A lab that runs, and what it says."""

    def __init__(self, kind, command, directory):
        self.errors, self.begun, self.heard, self.patience = tempfile.TemporaryFile(), False, b"", None
        self.kind = kind
        # Should we be killed outright, it ends too.
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], cwd=directory, stderr=self.errors,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def hear(self):
        """More of what it says. If it says nothing for longer than a test can take, its processor is lost to a guest."""
        if not select.select([self.process.stdout], [], [], self.patience)[0]:
            raise LabEnded(f"the lab stands still: it has said nothing for {self.patience:g} s")
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            raise LabEnded(self.said())
        self.heard += data

    def line(self):
        """The words of the next line."""
        while b"\n" not in self.heard:
            self.hear()
        line, _, self.heard = self.heard.partition(b"\n")
        self.begun = True
        return line.decode(errors="replace").split() or [""]

    def bytes(self, size):
        while len(self.heard) < int(size):
            self.hear()
        data, self.heard = self.heard[:int(size)], self.heard[int(size):]
        return data

    def said(self):
        """Why it has ended."""
        status = self.process.wait()
        self.errors.seek(0)
        lines = [line for line in self.errors.read().decode(errors="replace").split("\n") if line.strip()]
        said = lines[-1].removeprefix("lab: ") if lines else f"it ended with status {status}"
        if status == STATUS_USAGE and not self.begun:
            raise Unusable(f"lab: {said}")
        return f"the lab: {printable(said)}"

    def result_of(self, number, test, show):
        said = self.line()
        while said == ["begin", str(number)]:
            show()
            self.patience = (test.seconds + GRACE) * REAL[self.kind] + AROUND if test.seconds else None
            said = self.line()
        self.patience = AROUND + BOOT
        kind, of, *words = [*said, "", ""]
        if of != str(number) or len(said) != {"skip": 3, "end": 10}.get(kind):
            raise LabEnded(f"the lab said {printable(' '.join(said))}")
        if kind == "skip":
            test.skip = self.bytes(words[0]).decode(errors="replace")
            return Result(test, Verdict.SKIP, test.skip)
        status, begun, ended, size, *sizes = words[:8]
        kept, errors, report, report_errors = (self.bytes(part) for part in sizes)
        out, seconds = Tail(), float(ended) - float(begun)
        out.add(kept)
        out.left_out = int(size) - len(kept)
        killed = status == "137" and test.seconds and seconds >= test.seconds + GRACE
        result = evaluate(test, None if killed else int(status), out, errors.decode(errors="replace").split("\n"), seconds,
                          GRACE)
        if report or report_errors:
            count_exits(result, report, report_errors)
        return result

    def finish(self):
        """After the last test: files are on their way."""
        if self.heard or self.process.stdout.read(1) or self.process.wait() != 0:
            raise LabEnded(self.said())

    def end(self):
        end_process(self.process, TERM_GRACE)
        self.process.stdout.close()
        self.errors.close()


def stage(tests, names, options, directory):
    """Puts into the directory what the lab is to have; the command that boots it."""
    guests = {}
    for test in tests:
        if not test.skip and test.flat not in guests:
            guests[test.flat] = f"{len(guests)}/{re.sub(r'[^A-Za-z0-9._-]', '_', os.path.basename(test.flat))}"
            os.symlink(test.flat, os.path.join(directory, guests[test.flat].replace("/", "-")))
    with open(os.path.join(directory, "script"), "w", encoding="utf-8") as file:
        file.write(write_script(tests, names, guests, options))
    words = lab_command([test for test in tests if not test.skip], options, guests) + ["--put", "script"]
    if options.ledger:
        for number, test in enumerate(tests):
            words += [] if test.skip else ["--get", f"{number}.ledger"]
    return [*words, "--", "sh", "script"]


def run_all(tests, options, writer, results, progress):
    """Adds the results; returns what went wrong with the lab itself, or nothing."""
    names, why = ledger_names(tests), ""
    left = sum(not test.skip for test in tests)
    with tempfile.TemporaryDirectory(prefix=NAME + ".") as directory, contextlib.ExitStack() as stack:
        lab = None
        if left:
            progress.show(f"{NAME}: booting the lab")
            lab = Lab(options.lab, stage(tests, names, options, directory), directory)
            stack.callback(lab.end)
        for number, test in enumerate(tests):
            show = lambda: progress.show(f"{NAME}: {number + 1}/{len(tests)} {printable(test.name, 48)}")
            try:
                result = (Result(test, Verdict.SKIP, test.skip) if test.skip else Result(test, Verdict.ERROR, why) if why
                          else lab.result_of(number, test, show))
            except LabEnded as ended:
                why = str(ended)
                result = Result(test, Verdict.ERROR, why)
            progress.show("")
            results.append(result)
            writer.add(result)
        if lab and not why:
            try:
                lab.finish()
            except LabEnded as ended:
                why = str(ended)
        if options.ledger:
            for number, name in enumerate(names):
                keep(os.path.join(directory, f"{number}.ledger"), os.path.join(options.ledger, name))
    return why


def keep(found, path):
    """A ledger that came back; one of before is none of this run."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    if os.path.exists(found) and os.path.getsize(found):
        shutil.move(found, path)
