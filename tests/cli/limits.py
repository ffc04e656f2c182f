#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Files whose claims are large: what they cost, and that --timeout and signals hold while a file is read.

Usage: limits.py SIDESTEP SANITIZERS; SANITIZERS is meson's b_sanitize. A line per check, "ok" or "not ok".
"""
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from checks import check, total

MIB = 1 << 20
MEMORY_MIB = 64
# Seconds of processor time, beside what a small file of the kind takes on this machine, in this build. More where
# counters or sanitizers slow every loop down.
SLACK = 1.0 * int(os.environ.get("SLOWNESS", 3))
FACTOR = 20
PATIENCE = 120  # for what would hang otherwise
LOAD = 0x100000
CODE = bytes.fromhex("b000e6f4ebfe")  # mov al, 0; out 0xf4, al; jmp .
PAGE = 4096


class Ended:
    """A command that has ended: status (negative: by a signal), processor time, memory, standard error."""

    def __init__(self, words, out=subprocess.DEVNULL, **more):
        self.again = lambda: Ended(words, out, **more)
        with tempfile.TemporaryFile() as err:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, **more)
            alarm = time.monotonic() + PATIENCE
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > alarm:
                    process.kill()
                time.sleep(0.005)
            process.returncode = os.waitstatus_to_exitcode(status)
            err.seek(0)
            self.err = err.read().decode(errors="replace")
        self.status = process.returncode
        self.seconds = usage.ru_utime + usage.ru_stime
        self.mib = usage.ru_maxrss / 1024


# Images.

def header(program_headers, segments, sections_at=0, sections=0, names=0):
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, LOAD, program_headers, sections_at, 0, 64, 56,
                               segments, 64, sections, names)


def segment(offset=0, address=LOAD, size=0, memory=PAGE):
    return struct.pack("<IIQQQQQQ", 1, 7, offset, address, address, size, memory, PAGE)


def section(kind=0, flags=0, offset=0, size=0, link=0, info=0, entry=0, name=0, address=0):
    return struct.pack("<IIQQQQIIQQ", name, kind, flags, address, offset, size, link, info, 1, entry)


def write_segments(path, count):
    """So many program headers, of memory that does not overlap. The first section has a count past 0xfffe."""
    with open(path, "wb") as file:
        file.write(header(64 + 64, min(count, 0xFFFF), 64, 1))
        file.write(section(info=count if count >= 0xFFFF else 0))
        code_at = 128 + 56 * count
        file.write(segment(code_at, LOAD, len(CODE)))
        for i in range(1, count):
            file.write(segment(address=LOAD + i * PAGE, memory=16))
        file.write(CODE)


def deflated_zeros(size):
    """A zlib stream (RFC 1950) of zeros: a compressed MiB that depends on nothing before it, repeated."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = pack.compress(bytes(MIB)) + pack.flush(zlib.Z_FULL_FLUSH)
    adler = (size % 65521) << 16 | 1
    return b"\x78\xda" + one * (size // MIB) + b"\x03\0" + struct.pack(">I", adler)


def write_compressed(path, size):
    """A symbol whose name is in a compressed string table (SHF_COMPRESSED) that claims, and has, so many bytes."""
    table = struct.pack("<IIQQ", 1, 0, size, 1) + deflated_zeros(size)
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 2, 0, 1, LOAD, 6)
    at = 64 + 56 + 4 * 64
    with open(path, "wb") as file:
        file.write(header(64, 1, 120, 4, 0))
        file.write(segment(at, LOAD, len(CODE)))
        file.write(section() + section(1, 2, at, len(CODE), address=LOAD))
        file.write(section(2, 0, at + len(CODE), len(symbols), link=3, info=1, entry=24))
        file.write(section(3, 0x800, at + len(CODE) + len(symbols), len(table)))
        file.write(CODE + symbols + table)


def write_names(path, count):
    """So many symbols, all with the one name that has no end."""
    with open(path, "wb") as file:
        at = 64 + 56 + 3 * 64
        file.write(header(64, 1, 120, 3, 0))
        file.write(segment(at, LOAD, len(CODE)))
        file.write(section() + section(2, 0, at + len(CODE), count * 24, link=2, info=1, entry=24))
        file.write(section(3, 0, at + len(CODE) + count * 24, count * 24))
        file.write(CODE)
        file.write(struct.pack("<IBBHQQ", 1, 2, 0, 1, LOAD, 6) * count)
        file.write(b"n" * (count * 24))


# Policies.

def regions(count, name="r", gap=2):
    return "regions: {\n" + "".join(
        f"{name}{i} = {{ address = {0x200000 + i * gap * PAGE:#x}; size = {PAGE}; }};\n"
        for i in range(count)) + "};\n"


def write_policy(path, count, views, rules, name="r", gates=0):
    """Views half of which write what the others execute, each with rules of its own."""
    with open(path, "w", encoding="ascii") as file:
        file.write(regions(count, name) + "views: {\n")
        for v in range(views):
            file.write(f'v{v} = {{ default = "{("rw-", "r-x")[v % 2]}"; rights = {{')
            for j in range(rules):
                file.write(f'{name}{(j * 41 + v * 7) % count}="{("---", "r--", "r-x")[(v + j) % 3]}";')
            words = ", ".join(f'"{name}{(j * 3 + v) % count}"' for j in range(gates))
            file.write(f"}}; gates = [{words}]; }};\n")
        file.write("};\n")


def write_remaps(path, count, views, each):
    """Large regions that show the same memory, which has many small ones."""
    with open(path, "w", encoding="ascii") as file:
        file.write("regions: {\n")
        for i in range(count):
            file.write(f"s{i} = {{ address = {0x200000 + i * PAGE:#x}; size = {PAGE}; }};\n")
        for i in range(each):
            file.write(f"b{i} = {{ address = {0x8000000 + i * 0x800000:#x}; size = 0x800000; }};\n")
        file.write("};\nviews: {\n")
        for v in range(views):
            rights = "".join(f'b{j}="{("rw-", "r-x", "r--")[(v + j) % 3]}";' for j in range(each))
            remap = "".join(f"b{j}={0x200000 + (v + j) % 5 * PAGE:#x};" for j in range(each))
            file.write(f'v{v} = {{ default = "rw-"; rights = {{ {rights} }}; remap = {{ {remap} }}; }};\n')
        file.write("};\n")


def write_settings(path, groups, each):
    with open(path, "w", encoding="ascii") as file:
        for g in range(groups):
            file.write(f"g{g}: {{" + "".join(f"{'n' * 40}{i}=1;" for i in range(each)) + "};\n")


# Ledgers, see docs/ledger-format.md.

def write_ledger(path, used, size):
    with open(path, "wb") as file:
        file.write(struct.pack("<QIIQQQ", 0x4745444C45445353, 2, PAGE, 2000000, used, 0))
        file.truncate(size)


def in_child(function, *arguments):
    """A process inherits the peak of the memory of the one that starts it: what needs much is done elsewhere."""
    pid = os.fork()
    if pid == 0:
        try:
            function(*arguments)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0, f"{function.__name__}{arguments}"


def bounded(name, ended, small, sanitizers, statuses, words=""):
    """The command took a moment and little memory, and said one thing if it refused."""
    limit = FACTOR * small.seconds + SLACK
    # What else the machine does takes its caches from it, and time: the best of a few runs is the command's own.
    for _ in range(4):
        if ended.seconds > limit:
            ended = min(ended, ended.again(), key=lambda one: one.seconds)
    check(f"{name}: status {ended.status}", ended.status in statuses, ended.err[:300])
    check(f"{name}: {ended.seconds:.2f} s of the processor", ended.seconds <= limit, f"more than {limit:.2f}")
    if words:
        check(f"{name}: says '{words}'", words in ended.err, ended.err[:300])
    if sanitizers != "none":
        print(f"# {name}: {ended.mib:.0f} MiB, most of it the sanitizer's: not judged")
    else:
        check(f"{name}: {ended.mib:.0f} MiB", ended.mib < MEMORY_MIB, f"{MEMORY_MIB} are the limit")


def images(sidestep, sanitizers, policy):
    in_child(write_segments, "small.elf", 3)
    small = Ended([sidestep, "views", policy, "small.elf"])
    check("an image of three segments is read", small.status in (0, 1), small.err)
    kvm = Ended([sidestep, "info"]).status == 0
    for name, statuses, words, function, number in [
            ("250,000 program headers", {2}, "250000 program headers, and the limit is 256", write_segments, 250000),
            ("a string table of 2 GiB, compressed", {0, 1}, "", write_compressed, 2048 * MIB),
            ("names without end", {0, 1}, "", write_names, 200000)]:
        in_child(function, "large.elf", number)
        bounded(name, Ended([sidestep, "views", policy, "large.elf"]), small, sanitizers, statuses, words)
        if kvm:
            bounded(f"{name}, run", Ended([sidestep, "run", "-q", "large.elf"]), small, sanitizers,
                    {2} if 2 in statuses else {0}, words)
        os.unlink("large.elf")


def policies(sidestep, sanitizers, small_policy):
    def views(path, *more):
        return Ended([sidestep, "views", "-m", "2G", *more, path])

    small = views(small_policy)
    for name, statuses, words, function, arguments in [
            ("4,000 regions in 512 views", {1}, "", write_policy, (4000, 512, 60)),
            ("many gates in many views", {1}, "", write_policy, (2000, 512, 20, "r", 60)),
            ("4,096 regions with long names", {1}, "", write_policy, (4096, 2, 4000, "n" * 40)),
            ("regions that show the same memory", {1}, "", write_remaps, (1900, 300, 48)),
            ("large groups that mean nothing", {2}, "", write_settings, (4, 5000)),
            ("more settings than there may be", {2}, "no more than 65536 settings", write_settings, (20, 9000))]:
        in_child(function, "large.views", *arguments)
        if os.path.getsize("large.views") > MIB:
            words = "too long for a policy file"
        for form in ("text", "json") if "show" in name or "512" in name else ("text",):
            bounded(f"{name}, {form}", views("large.views", "--format", form), small, sanitizers, statuses, words)
    # Twice as much takes twice as long, and a little for what is sorted; a square would take four times.
    in_child(write_policy, "half.views", 1024, 256, 64)
    in_child(write_policy, "whole.views", 2048, 256, 64)
    half, whole = (min(views(path).seconds for _ in range(2)) for path in ("half.views", "whole.views"))
    check(f"twice the regions take {whole:.2f} s after {half:.2f} s", whole <= 3 * half + 0.2)


def ledgers(sidestep, sanitizers):
    write_ledger("small.ledger", 0, PAGE)
    small = Ended([sidestep, "report", "small.ledger"])
    for name, used, size, statuses, words in [
            ("a sparse ledger of 3 GiB", (3 << 30) - PAGE, 3 << 30, {2}, "too large for a ledger"),
            ("a sparse ledger of 1 GiB", 1 << 30, (1 << 30) + PAGE, {1}, "damaged"),
            ("a ledger that claims 3 GiB", 3 << 30, 2 * PAGE, {1}, "truncated"),
            ("a ledger that claims all", (1 << 64) - 1, MIB, {1}, "truncated")]:
        write_ledger("large.ledger", used, size)
        for words_of_command in (["report"], ["report", "--by", "rip"], ["report", "--format", "json"]):
            ended = Ended([sidestep, *words_of_command, "large.ledger"])
            bounded(f"{name}, {' '.join(words_of_command)}", ended, small, sanitizers, statuses, words)


def waiting(sidestep):
    """--timeout and signals, while a command waits for a file or its reader."""
    os.mkfifo("fifo")
    for words in (["test", "--replay", "fifo"], ["test", "--list", "-o", "fifo"], ["bench", "-o", "fifo"]):
        ended = Ended([sidestep, *words, "--timeout", "0.2"])
        check(f"{' '.join(words)} --timeout", ended.status == 124 and "timeout after 0.2 s" in ended.err,
              f"{ended.status} {ended.err}")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = subprocess.Popen([sidestep, *words], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            asleep(process.pid)
            process.send_signal(number)
            check(f"{' '.join(words)}, {number.name}", process.wait(PATIENCE) == -number, process.returncode)
    # Whoever started it may have blocked or ignored the signal that the clock is.
    def spoil():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
    ended = Ended([sidestep, "test", "--replay", "fifo", "--timeout", "0.2"], preexec_fn=spoil)
    check("--timeout, with its signal blocked and ignored", ended.status == 124, ended.status)
    for words in (["run", "fifo"], ["run", "--views", "fifo"], ["views", "fifo"], ["report", "fifo"],
                  ["report", "--diff", "fifo", "fifo"], ["run", "--disk", "fifo"]):
        ended = Ended([sidestep, *words])
        check(f"{' '.join(words)} does not wait", ended.status in (2, 77), f"{ended.status} {ended.err}")
    ended = Ended([sidestep, "test", "--replay", "/dev/zero"])
    check("a program without end", ended.status == 2 and "too many" in ended.err, ended.err)


def asleep(pid):
    """Waits until the process waits. Where, does not matter: signals hold from its first instruction on."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and state(pid) not in ("S", "Z", ""):
        time.sleep(0.005)


def state(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def gone(pid):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and state(pid) not in ("Z", ""):
        time.sleep(0.01)
    return state(pid) in ("Z", "")


def helpers(sidestep):
    """Stopped when it has started the process that makes the file, and gone on with when its time is over or it is to
    end: that process ends too, and no file is left but a complete one."""
    if Ended([sidestep, "info"]).status != 0:
        print("# needs: kvm; the processes that make files are not looked at")
        return
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        process = subprocess.Popen([sidestep, "bench", "-o", "out.txt", "--timeout", "0.5"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        while not children(process.pid) and process.poll() is None:
            pass
        process.send_signal(signal.SIGSTOP)
        started = children(process.pid)
        time.sleep(0.6)
        if number:
            process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        status = process.wait(PATIENCE)
        name = f"-o, {number.name if number else 'timeout'} while it loads"
        wanted = (124, 0) if not number else (-number, 128 + number, 124)
        check(name, status in wanted, status)
        check(f"{name}: {len(started)} helpers end", started and all(gone(pid) for pid in started))
        left = [entry for entry in os.listdir(".") if entry.startswith("out.txt.")]
        check(f"{name}: no part of a file is left", not left, left)


def main():
    sidestep, sanitizers = os.path.realpath(sys.argv[1]), sys.argv[2]
    # Has malloc() write to all that it hands out, used or not.
    os.environ.pop("MALLOC_PERTURB_", None)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        in_child(write_policy, "small.views", 4, 2, 2)
        images(sidestep, sanitizers, "small.views")
        policies(sidestep, sanitizers, "small.views")
        ledgers(sidestep, sanitizers)
        waiting(sidestep)
        helpers(sidestep)
        os.chdir("/")
    return total()


sys.exit(main())
