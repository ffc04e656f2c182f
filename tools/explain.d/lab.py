# SPDX-License-Identifier: GPL-2.0-only
"""One boot of a lab: some repetitions traced, then the same operation measured with nobody watching."""
import json
import os
import subprocess

from account import Repetitions
from gdb import Tracer
from symbols import Symbols, Unusable
from trace import READERS

STATUS_USAGE, STATUS_SKIPPED, STATUS_ERROR, STATUS_TIMEOUT = 2, 77, 99, 124
TIMEOUT = 3000  # seconds
GRACE = 30  # seconds for a lab to end whose computer has ended
# Repetitions in a sample of the firmware (guestfw/guest.h), if it is to do an odd number of them, and little.
SAMPLE = 11
# In a sample the first repetition is not one from one end to the next.
WHOLE = SAMPLE - 1
# The first sample is not traced; an odd number of samples, so that the firmware makes none more or less.
SURROUND = 3
SCRIPT = """\
sidestep bench --engine "$1" --timeout 0 --count "$3" -o /dev/null "$2" || exit
sidestep bench --engine "$1" --timeout 0 --format json -o bench.json "$2"
"""


class Failed(Exception):
    """A lab did not do what it was to do; it has said why."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Side:
    """A kernel and what the operation takes there."""

    def __init__(self, kernel, directory):
        self.kernel, self.directory = kernel, directory
        self.release, self.median, self.exits, self.symbols, self.repetitions = "", 0, None, None, None

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, options, loops):
        with open(self.path("bench.json"), encoding="utf-8") as file:
            bench = json.load(file)
        row, self.release = bench["operations"][0], bench["kernel"]
        self.median, self.exits = row["ticks_median"], row["l0"]
        if not isinstance(self.median, (int, float)):
            raise Failed(STATUS_SKIPPED, f"{self.kernel}: {options.operation} was not measured: {row['note']}")
        with open(self.path("kallsyms"), encoding="utf-8") as file:
            self.symbols = Symbols(file)
        self.repetitions = Repetitions(self.symbols)
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            self.repetitions.read(READERS[options.lab](file), loops.ends, loops.leaves)
        if not self.repetitions.all:
            raise Failed(STATUS_ERROR, f"{self.kernel}: the trace has no whole repetition of {options.operation}")


def bochs_commands(ends, samples):
    """A sample stops once, at the end of its first repetition; from there on in the second one it is traced."""
    breaks = "".join(f'lb 0x{end:x} if "(rbp == 0) & (r14 == {SAMPLE})"\n' for end in ends)
    forget = "".join(f"del {number}\n" for number in range(1, len(ends) + 1))
    return breaks + "c\nc\ntrace on\n" + "c\n" * samples + "trace off\n" + forget + "c\n"


def lab_command(side, options, count):
    here = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    # Should we be killed outright, the lab ends too.
    return ["setpriv", "--pdeathsig", "TERM", os.path.join(here, "lab"), options.lab, "--build", options.build,
            "--kernel", side.kernel, "--timeout", str(TIMEOUT), "--split", "--debug", side.directory,
            "--get", f"/proc/kallsyms={side.path('kallsyms')}", "--get", f"bench.json={side.path('bench.json')}", "--",
            "sh", "-c", SCRIPT, "explain", options.engine, options.operation, str(count)]


def end(process):
    """The lab ends its emulator."""
    process.terminate()
    process.wait()


def run(side, options, loops):
    os.makedirs(side.directory, exist_ok=True)
    for name in ("log", "kallsyms", "bench.json", "gdb"):
        if os.path.lexists(side.path(name)):
            os.unlink(side.path(name))
    samples = -(-options.count // WHOLE)
    whole = samples + SURROUND
    count = SAMPLE * (whole | 1)
    tracer = None
    if options.lab == "amd":
        tracer = Tracer(side.path("gdb"), loops.leaves, SAMPLE, samples)
        tracer.start()
    else:
        with open(side.path("commands"), "w", encoding="ascii") as file:
            file.write(bochs_commands(loops.ends, samples))
    process = subprocess.Popen(lab_command(side, options, count), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        status = wait(process, tracer, side)
    except BaseException:
        end(process)
        raise
    finally:
        if tracer:
            tracer.over.set()
    if status:
        kept = status if status in (STATUS_USAGE, STATUS_SKIPPED, STATUS_TIMEOUT) else STATUS_ERROR
        raise Failed(kept, f"{side.kernel}: the run in the lab ended with status {status}")
    try:
        side.read(options, loops)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise Unusable(f"{side.kernel}: what the lab brought back cannot be read: {error}") from error


def wait(process, tracer, side):
    """A computer that its debugger has left stopped would stand still for ever."""
    while True:
        try:
            return process.wait(0.5)
        except subprocess.TimeoutExpired:
            if not tracer or not tracer.failure:
                continue
        # A computer that has ended ends its debugger, too; what the lab says then is the reason.
        try:
            return process.wait(GRACE)
        except subprocess.TimeoutExpired:
            raise Failed(STATUS_ERROR, f"{side.kernel}: QEMU's debugger: {tracer.failure!r}") from tracer.failure
