#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""SIGTERM at random instants in the life of a run: from before the program has read its arguments
until after its end. Whenever it comes, the run ends soon, by a documented status, says at most one
line, and leaves no file that is not complete.

Usage: terminations.py PROGRAM DIRECTORY-OF-GUESTS [RUNS]
"""

import concurrent.futures
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from patience import patient

PATIENCE = patient(10)  # seconds, for a machine that is busy with something else
WORKERS = 4  # a run mostly waits for the kernel to create and destroy things
ENDED = re.compile(r"sidestep: ended by signal 15 \(Terminated\)(; vcpu0 at rip .*)?\n")
COMMON = ["--trace", "off", "--ledger", "ledger"]


def scenarios(guests):
    run = ["run", "-q", *COMMON, "--pid-file", "pid"]
    yield "ends", [*run, f"{guests}/hostile_hello.elf"]
    yield "ends, 2 VMs", [*run, "--vms", "2", f"{guests}/hostile_hello.elf"]
    yield "spins", [*run, "-c", "2", f"{guests}/hostile_spin.elf"]
    yield "reports", ["test", *COMMON, "--engine", "flat", "--format", "json", "-o", "output",
                      "ref.nothing"]


class Program:
    def __init__(self, path, name, arguments):
        self.path, self.name, self.arguments = path, name, arguments
        self.endless = name == "spins"

    def start(self, directory):
        return subprocess.Popen([self.path, *self.arguments], cwd=directory,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def life(self):
        """How long a run takes that nobody ends, or to the guest's beginning if it has no end."""
        with tempfile.TemporaryDirectory() as directory:
            start = time.monotonic()
            child = self.start(directory)
            if self.endless:
                while not os.path.exists(f"{directory}/pid") and child.poll() is None:
                    time.sleep(0.001)
                child.terminate()
            text = child.communicate(timeout=PATIENCE)[1]
            if child.returncode not in ((143,) if self.endless else (0,)):
                sys.exit(f"{self.name}: status {child.returncode} without a signal: {text}")
            return time.monotonic() - start

    def terminate(self, delay):
        """Returns how the run ended, and None or what was wrong."""
        with tempfile.TemporaryDirectory() as directory:
            child = self.start(directory)
            time.sleep(delay)
            child.send_signal(signal.SIGTERM)
            try:
                text = child.communicate(timeout=PATIENCE)[1]
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                return "hung", f"still there after {PATIENCE} s"
            return child.returncode, self.judge(child.returncode, text, directory)

    def judge(self, status, text, directory):
        if status == 143:
            if not ENDED.fullmatch(text):
                return f"status 143, and said: {text!r}"
        elif status == -signal.SIGTERM:
            # Before the program has begun to wait for signals, or when it has what it wanted.
            if text and not ENDED.fullmatch(text):
                return f"ended by the signal, and said: {text!r}"
        elif status != 0 or self.endless or text:
            return f"status {status}, and said: {text!r}"
        # One that the signal ended may just have created its ledger.
        if status != -signal.SIGTERM and not self.readable(directory):
            return f"status {status}, but the ledger is not complete"
        left = self.left_behind(directory)
        if left:
            return f"status {status}, left behind: {left}"
        if os.path.exists(f"{directory}/output"):
            with open(f"{directory}/output", encoding="utf-8") as file:
                json.load(file)
        return None

    def left_behind(self, directory):
        """Who cleans up may be another process, which is told by the end of the first."""
        end = time.monotonic() + PATIENCE
        while True:
            left = set(os.listdir(directory)) - {"ledger", "output"}
            if not left or time.monotonic() > end:
                return left
            time.sleep(0.01)

    def readable(self, directory):
        done = subprocess.run([self.path, "report", "ledger"], cwd=directory, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        return done.returncode == 0 and not done.stderr


def main():
    program, guests = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    info = subprocess.run([program, "info"], capture_output=True, text=True, check=False)
    if info.returncode != 0:
        print("skipped: needs: kvm; host:", (info.stderr.splitlines() or ["?"])[0])
        return 77
    seed = int(os.environ.get("SEED", time.time_ns()))
    print("seed:", seed)
    chance = random.Random(seed)
    failures, done, ends = 0, 0, {}
    programs = [Program(program, *row) for row in scenarios(guests)]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for subject in programs:
            life = statistics.median(pool.map(lambda _, p=subject: p.life(), range(2 * WORKERS)))
            delays = [chance.uniform(0, 1.2 * life) for _ in range(runs // len(programs))]
            for delay, (end, fault) in zip(delays, pool.map(subject.terminate, delays)):
                done += 1
                ends[end] = ends.get(end, 0) + 1
                if fault:
                    failures += 1
                    print(f"not ok - {subject.name}: SIGTERM after {delay * 1000:.1f} of "
                          f"{life * 1000:.1f} ms: {fault}")
    print("ended:", ", ".join(f"{end}: {count}" for end, count in sorted(ends.items(), key=str)))
    print("figure: terminations", done)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
