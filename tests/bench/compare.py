#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a release is held to, measured on a machine that does nothing else.

usage: compare.py SIDESTEP UNJAILED             status 1 if something is more than it may be; 77 without KVM
       compare.py --lab LAB SOURCE BUILD        the same of launches and exits, in a lab, held to nothing

What sidestep adds to a bare KVM program is what `sidestep bench --launch` and `--exit` print; what the jail adds is
measured here, by UNJAILED, which is `sidestep bench` without it, and so is what is resident beside the guest's memory.
A lab counts instructions: no number of nanoseconds can be too many there.
"""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

LAUNCHES, LOOPS, REQUESTS = 41, 3, 100000
SKIPPED = 77
# What each may be at most.
BARS = {"launch, ratio to the bare program": 1.4,
        "exit without a ledger, ns more than bare": 60,
        "exit with a ledger, ns more than bare": 150,
        "memory beside the guest's, without a ledger, KiB": 3072,
        "launch in the jail, us more than without": 1000}
# out %al, $0x80; jmp to that.
GUEST = bytes([0xe6, 0x80, 0xeb, 0xfc])
# Of its memory: the one mapping of that size.
GUEST_MIB = 24
# In a lab an exit is a few thousand instructions, of an emulated processor.
LAB_EXITS = 20000


def printed(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode:
        sys.exit(SKIPPED if done.returncode == SKIPPED else f"{' '.join(command)}: status {done.returncode}")
    return done.stdout


def rows(text):
    """Those of a document, by the program; printed as they come."""
    document = json.loads(text)
    for row in document["programs"]:
        print(document["schema"], *(f"{key} {value if isinstance(value, str) else round(value, 2)}"
                                    for key, value in row.items()))
    return {row["program"]: row for row in document["programs"]}


def took_us(command):
    start = time.monotonic_ns()
    status = os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(command[0], command, os.environ), 0)[1])
    if status:
        sys.exit(f"{' '.join(command)}: status {status}")
    return (time.monotonic_ns() - start) / 1000


def medians(commands, rounds):
    """In turn, so that whatever else there is disturbs all of them."""
    took = [[took_us(command) for command in commands] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*took)]


def jail(sidestep, unjailed):
    def commands(count):
        rest = ["--count", str(count), "-o", "/dev/null", "service.port"]
        return [sidestep, "bench", *rest], [unjailed, *rest]

    once, many = medians(commands(1), LAUNCHES), medians(commands(REQUESTS), LOOPS)
    inside, outside = ((a - b) * 1000 / REQUESTS for a, b in zip(many, once))
    print(f"launch to the end of one operation, us: in the jail {once[0]:.0f}, without {once[1]:.0f}")
    print(f"one request through a port, ns: in the jail {inside:.0f}, without {outside:.0f}, "
          f"ratio {inside / outside:.3f}")
    return once[0] - once[1]


def beside_kib(sidestep):
    with tempfile.TemporaryDirectory() as directory:
        guest = pathlib.Path(directory, "guest")
        guest.write_bytes(GUEST)
        command = [sidestep, "run", "-q", "--engine", "flat", "-m", f"{GUEST_MIB}M", "--timeout", "2", str(guest)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            time.sleep(1)
            maps = pathlib.Path(f"/proc/{process.pid}/smaps").read_text()
    mappings = re.findall(r"^Size: +(\d+) kB\n(?:.*\n)*?Rss: +(\d+) kB", maps, re.MULTILINE)
    return sum(int(rss) for size, rss in mappings if int(size) != GUEST_MIB * 1024)


def main():
    if sys.argv[1] == "--lab":
        lab, source, build = sys.argv[2:]
        text = printed(f"{source}/tools/lab", lab, "--build", build, "--", "sh", "-c",
                       "sidestep bench --launch --count 5 --format json && "
                       f"sidestep bench --exit --count {LAB_EXITS} --format json")
        for part in text.replace("}\n{", "}\0{").split("\0"):
            rows(part)
        return 0
    sidestep, unjailed = sys.argv[1:]
    launch = rows(printed(sidestep, "bench", "--launch", "--format", "json"))
    each = rows(printed(sidestep, "bench", "--exit", "--format", "json"))
    figures = zip(BARS.items(), (launch["run"]["ratio"], each["run"]["more_ns"], each["ledger"]["more_ns"],
                                 beside_kib(sidestep), jail(sidestep, unjailed)))
    failed = 0
    for (what, most), figure in figures:
        failed += figure > most
        print(f"{'not ok' if figure > most else 'ok'} - {what}: {figure:.2f} (at most {most})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
