#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs that find no room. Wherever the end of a run comes in the file of its ledger, and however much room there is
for ledger, report and disk - on tmpfs, on ext4, under a limit on the size of files - a run ends as it should, what
could be recorded is read, and the rest is counted.

Usage: room.py SIDESTEP EXITS.bin DISK_ENDS.elf
"""
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from checks import check, total

PATIENCE = 120  # seconds, against hanging
HEADER, BLOCK = 4096, 256 << 10
PAD, EXIT, END, CODE = 1, 4, 8, 9
EXIT_SIZE, END_SIZE = 48, 256
IO_ERROR = 10  # status of the disk, which the guest passes on


class Ledger:
    """The records of a file, by docs/ledger-format.md."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        self.size = len(data)
        self.used, self.lost = struct.unpack_from("<QQ", data, 24)
        self.types, self.before_end = [], []
        at = previous = 0
        while at < self.used:
            kind, size = struct.unpack_from("<HH", data, HEADER + at)
            # Where the END record would have begun without padding in front of it.
            if kind == END:
                self.before_end.append(previous if self.types[-1] == PAD else at)
            previous = at
            self.types.append(kind)
            at += size

    def count(self, kind):
        return self.types.count(kind)


class Room:
    def __init__(self, sidestep, guest, disk_guest):
        self.sidestep, self.disk_guest = sidestep, disk_guest
        with open(guest, "rb") as file:
            self.image = file.read()
        self.guests = None

    def guest(self, path, exits):
        with open(path, "wb") as file:
            file.write(self.image[:-4] + struct.pack("<I", exits))
        return path

    def run(self, *arguments, before=None, **options):
        # A limit is for the counters of a build with coverage too.
        if before:
            options["env"] = {**os.environ, "GCOV_ERROR_FILE": "/dev/null"}
        done = subprocess.run([*(before or []), self.sidestep, *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False, **options)
        return done.returncode, done.stdout, done.stderr

    def record(self, ledger, guest, *options, **how):
        return self.run("run", "--trace", "off", *options, "--ledger", ledger, guest, **how)

    # --- The end of a run at every place around the edge of a block.

    def edges(self, directory, vms, distances):
        """`distances`: of END records from the edge, in bytes. The ledger's name, which is recorded once, in the command
        line, makes up for what is no multiple of a record; the clock, recorded too, may have a digit more or less, then
        it is tried again."""
        options = ["-q", "--vms", str(vms)]
        open_places = set(distances)
        for _ in range(10):
            start = self.begin(directory, options)
            for distance in sorted(open_places):
                missing = BLOCK + distance - start
                exits, rest = divmod(missing, EXIT_SIZE * vms)
                name = self.guest(directory + "/" + "g" * 8, 1 + exits)
                status, _, error = self.record(directory + "/" * (1 + rest) + "ledger", name, *options)
                os.unlink(name)
                if not check(f"END {distance} bytes from the edge, {vms} VMs", status == 0,
                             f"status {status}: {error}"):
                    open_places.discard(distance)
                    continue
                ledger = Ledger(directory + "/ledger")
                check("ends", ledger.count(END) == vms and ledger.lost == 0, f"{ledger.types[-5:]}")
                for place in ledger.before_end:
                    open_places.discard(place - BLOCK)
            if not open_places:
                break
        check(f"all places were met, {vms} VMs", not open_places, f"not {sorted(open_places)}")

    def begin(self, directory, options):
        """Where the first END is with one exit of each guest, besides that which ends it."""
        name = self.guest(directory + "/" + "g" * 8, 1)
        status, _, error = self.record(directory + "/ledger", name, *options)
        if status != 0:
            sys.exit(f"the guest cannot be run: status {status}: {error}")
        return Ledger(directory + "/ledger").before_end[0]

    # --- A ledger with any room.

    def ledger(self, name, directory, exits, **how):
        """Returns whether all of it found room."""
        path, guest = directory + "/ledger", self.guests + "/guest"
        self.guest(guest, exits)
        status, output, error = self.record(path, guest, **how)
        if status in (2, 99):
            check(f"{name}: refused in one line", re.fullmatch(r"sidestep: .*/ledger: .*; .*\n", error), error)
            check(f"{name}: leaves nothing", os.listdir(directory) in ([], ["lost+found"]), os.listdir(directory))
            return False
        if not check(f"{name}: ends", status == 0, f"status {status}: {error}"):
            return False
        ledger = Ledger(path)
        check(f"{name}: END is there", ledger.count(END) == 1, ledger.types[-3:])
        # The first exit at each of two addresses comes with its code.
        recorded = ledger.count(EXIT) + ledger.count(CODE)
        check(f"{name}: what is not recorded is counted", recorded + ledger.lost == exits + 1 + 2,
              f"{recorded} recorded, {ledger.lost} lost, of {exits + 1 + 2}")
        told = re.findall(r"(\d+) records found no room in the ledger", output + error)
        check(f"{name}: the report and a message tell it", told == ([str(ledger.lost)] * 2 if ledger.lost else []),
              output + error)
        status, output, error = self.run("report", "--format", "json", path)
        told = f"sidestep: {path}: {ledger.lost} records found no room; what was before is shown\n"
        check(f"{name}: the ledger is read", status == 0 and error == (told if ledger.lost else ""), error)
        check(f"{name}: JSON tells it", f'"lost": {ledger.lost},' in output, output)
        os.unlink(path)
        return ledger.lost == 0

    def ledgers(self, name, sizes, with_size):
        """With growing room: first it cannot begin, then some of it is lost, then all fits."""
        results = [with_size(size) for size in sizes]
        check(f"{name}: enough in the end", results[-1] and not results[0], results)

    def interference(self, directory):
        """Other processes: one that would record to the same file, one that cuts it."""
        path, guest = directory + "/ledger", self.guest(self.guests + "/guest", 0xFFFFFFFF)
        with subprocess.Popen([self.sidestep, "run", "-q", "--trace", "off", "--timeout", "3", "--ledger", path, guest],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as first:
            while first.poll() is None and (not os.path.exists(path) or os.path.getsize(path) < HEADER + 2 * BLOCK):
                time.sleep(0.01)
            status, _, error = self.record(path, guest, "--timeout", "3")
            check("a ledger in use", status == 2 and "in use as a ledger by another process" in error, error)
            check("a ledger in use is not touched", os.path.getsize(path) > HEADER + BLOCK)
            os.truncate(path, 0)
            error = first.communicate(timeout=PATIENCE)[1]
        check("a ledger that is cut: the run goes on", first.returncode == 124, f"{first.returncode}: {error}")
        check("a ledger that is cut: told", re.search(r"Input/output error; \d+ records found no room", error), error)
        os.unlink(path)

    def other_outputs(self, name, directory):
        """A report, guest output and a disk where there is no room at all."""
        report, disk = directory + "/report", directory + "/disk"
        hello = self.guest(self.guests + "/guest", 10)
        status, _, error = self.run("test", "--trace", "off", "--engine", "flat", "--format", "json", "-o", report,
                                    "ref.nothing")
        check(f"{name}: -o", status == 99 and re.fullmatch(r"sidestep: .*/report: .*\n", error), error)
        check(f"{name}: -o leaves nothing", not [n for n in os.listdir(directory) if n.startswith("report")])
        for stream in "stdout", "stderr":
            with open(report, "w", encoding="utf-8") as file:
                done = subprocess.run([self.sidestep, "run", "--trace", "off", hello], check=False, timeout=PATIENCE,
                                      **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: file})
            check(f"{name}: {stream}", done.returncode == (99 if stream == "stdout" else 0), done.returncode)
            os.unlink(report)
        status, _, error = self.run("run", "-q", "--pid-file", report, hello)
        check(f"{name}: --pid-file", status in (0, 2) and error.count("\n") == (status != 0), error)
        check(f"{name}: --pid-file leaves nothing", not os.path.exists(report))
        with open(disk, "wb") as file:
            file.truncate(16 << 20)
        status, _, error = self.run("run", "-q", "--disk", disk, self.disk_guest)
        check(f"{name}: a disk with holes", status == IO_ERROR, f"status {status}: {error}")
        os.unlink(disk)


def can_mount():
    """Whether this process, in a mount namespace of its own, may mount."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(["mount", "-t", "tmpfs", "none", directory], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            subprocess.run(["umount", directory], check=True)
        return done.returncode == 0


class Mounted:
    """A file system with so many KiB for files, in this process's own mount namespace."""

    def __init__(self, kind, kib, base):
        self.directory = tempfile.mkdtemp(dir=base)
        if kind == "tmpfs":
            command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", self.directory]
        else:
            image = self.directory + ".image"
            with open(image, "wb") as file:
                file.truncate((kib + 2048) << 10)
            subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", "-b", "1024", image], check=True)
            command = ["mount", "-o", "loop", image, self.directory]
        self.error = subprocess.run(command, capture_output=True, text=True, check=False).stderr
        if kind == "ext4" and not self.error:
            self.leave(kib)

    def free(self):
        status = os.statvfs(self.directory)
        return status.f_bavail * status.f_frsize >> 10

    def leave(self, kib):
        """Fills it but for so much."""
        with open(self.directory + "/filler", "wb") as file:
            while self.free() > kib:
                file.write(b"x" * min(65536, (self.free() - kib) << 10))
                file.flush()
                os.fsync(file.fileno())
        # Out of sight of what looks for files that are left.
        os.mkdir(self.directory + "/work")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.error:
            subprocess.run(["umount", self.directory], check=True)


def mounted(room, kind, base):
    def one(kib):
        with Mounted(kind, kib, base) as place:
            if place.error:
                raise OSError(place.error.strip())
            work = place.directory + "/work" if kind == "ext4" else place.directory
            return room.ledger(f"{kind} of {kib} KiB", work, 12000, before=None)

    try:
        room.ledgers(kind, [4, 200, 280, 400, 560, 1200], one)
        with Mounted(kind, 4, base) as place:
            work = place.directory + "/work" if kind == "ext4" else place.directory
            with open(place.directory + "/rest", "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 1024)
                except OSError:
                    pass
            room.other_outputs(f"full {kind}", work)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"ok - {kind} # SKIP needs: {kind} on a loop device; host: {error}")


def main():
    sidestep, guest, disk_guest = [os.path.abspath(name) for name in sys.argv[1:4]]
    if subprocess.run([sidestep, "info"], capture_output=True, check=False).returncode:
        print("skipped: needs: kvm; host: sidestep info fails")
        return 77
    if "--own-mounts" not in sys.argv:
        command = ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv, "--own-mounts"]
        if subprocess.run([*command[:4], "true"], capture_output=True, check=False).returncode == 0:
            os.execvp(command[0], command)
    room = Room(sidestep, guest, disk_guest)
    with tempfile.TemporaryDirectory() as base:
        room.guests = base
        edges = base + "/edges"
        os.mkdir(edges)
        room.edges(edges, 1, range(-END_SIZE - 24, 8, 8))
        room.edges(edges, 3, range(-3 * END_SIZE - 24, 24, 48))
        os.unlink(edges + "/ledger")
        for name in os.listdir(edges):
            os.unlink(edges + "/" + name)
        room.interference(edges)
        room.ledgers("limit", [0, 8, 260, 300, 516, 1100],
                     lambda kib: room.ledger(f"limit of {kib} KiB", edges, 12000,
                                             before=["prlimit", f"--fsize={kib << 10}"]))
        if can_mount():
            mounted(room, "tmpfs", base)
            mounted(room, "ext4", base)
        else:
            print("ok - tmpfs, ext4 # SKIP needs: mount; host: not permitted")
    return total()


if __name__ == "__main__":
    sys.exit(main())
