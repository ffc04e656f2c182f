#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""terminal.py SIDESTEP: `sidestep profile` on a terminal of its own: refreshed in place, ended by a key or
a signal, and whatever ends it, the terminal is as it was."""
import os
import select
import signal
import struct
import sys
import termios
import time
from fcntl import ioctl

PATIENCE = 30
CLEAR = b"\x1b[H\x1b[J"


class Run:
    """The program in a session of its own whose terminal we hold the other end of."""

    def __init__(self, sidestep, *extra):
        self.master, slave = os.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 120, 0, 0))
        self.slave = slave  # kept open: settings outlive the program
        self.before = termios.tcgetattr(self.master)
        self.output = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(slave, fd)
            os.close(self.master)
            os.execv(sidestep, [sidestep, "profile", "--workload", "ref.port.out@50,ref.cpuid@20",
                                "--interval", "0.1", *extra])

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.output += os.read(self.master, 65536)

    def until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            self.read(0.05)

    def mode(self):
        return termios.tcgetattr(self.master)[3]

    def restored(self):
        return self.left == self.before

    def started(self):
        self.until(lambda: self.output.count(CLEAR) >= 3, "three tables")
        assert not self.mode() & (termios.ICANON | termios.ECHO), "keys are not taken one by one"
        assert self.mode() & termios.ISIG, "Ctrl-C would not be a signal"

    def end(self):
        status = None

        def ended():
            nonlocal status
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return pid == self.pid

        self.until(ended, "its end")
        self.read(0.1)
        self.left = termios.tcgetattr(self.master)
        os.close(self.master)
        os.close(self.slave)
        return os.waitstatus_to_exitcode(status)


def quits_with(sidestep, keys):
    run = Run(sidestep)
    run.started()
    os.write(run.master, b"x")
    os.write(run.master, keys)
    assert run.end() == 0, f"{keys}: status"
    assert run.restored(), f"{keys}: terminal"
    text = run.output.decode().replace("\r\n", "\n")
    # In place: no screen has more lines than the terminal, and the rest is counted.
    screens = text.split(CLEAR.decode())[1:]
    assert all(screen.count("\n") <= 12 for screen in screens[:-1]), "a screen is too long"
    assert screens[-1].startswith("summary of "), "the summary is the last"


def ended_by(sidestep, number, status):
    run = Run(sidestep)
    run.started()
    os.kill(run.pid, number)
    assert run.end() == status, f"signal {number}: status"
    assert run.restored(), f"signal {number}: terminal"


def stopped(sidestep):
    run = Run(sidestep)
    run.started()
    os.kill(run.pid, signal.SIGTSTP)

    def state():
        with open(f"/proc/{run.pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    # A session without a shell in it has nobody who could continue it: then it does not stop.
    deadline = time.monotonic() + 2
    while state() != "T" and time.monotonic() < deadline:
        run.read(0.05)
    if state() == "T":
        assert termios.tcgetattr(run.master) == run.before, "stopped: terminal"
        os.kill(run.pid, signal.SIGCONT)
    run.until(lambda: not run.mode() & termios.ECHO, "keys after SIGCONT")
    os.write(run.master, b"q")
    assert run.end() == 0, "stopped: status"
    assert run.restored(), "stopped: terminal at the end"


def main():
    sidestep = sys.argv[1]
    quits_with(sidestep, b"q")
    quits_with(sidestep, b"\x03")
    ended_by(sidestep, signal.SIGTERM, 128 + signal.SIGTERM)
    ended_by(sidestep, signal.SIGQUIT, -signal.SIGQUIT)
    ended_by(sidestep, signal.SIGSEGV, -signal.SIGSEGV)
    stopped(sidestep)
    print("all is well")


main()
