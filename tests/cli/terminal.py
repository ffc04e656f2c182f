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

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from patience import patient

PATIENCE = patient(15)
CLEAR = b"\x1b[H\x1b[J"
CUT, WRAP = "\x1b[?7l", "\x1b[?7h"


class Run:
    """The program in a session of its own whose terminal we hold the other end of."""

    def __init__(self, sidestep, *extra, shell=False, term="xterm"):
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
            if shell:
                self.be_shell()
            os.execve(sidestep, [sidestep, "profile", "--workload", "ref.port.out@50,ref.cpuid@20",
                                 "--interval", "0.1", *extra], os.environ | {"TERM": term})

    @staticmethod
    def be_shell():
        """Goes on as a child in the foreground, whose parent stays, as a shell does, and ends like it."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        ready, go = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(ready, 1)
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            return
        os.setpgid(child, child)
        os.tcsetpgrp(0, child)
        os.close(go)
        # What stops it is told, and it goes on, not at once.
        while os.WIFSTOPPED(status := os.waitpid(child, os.WUNTRACED)[1]):
            stopped_at = termios.tcgetattr(0)[3]
            os.write(1, b"stopped, echo %d\n" % bool(stopped_at & termios.ECHO))
            time.sleep(0.2)
            os.kill(child, signal.SIGCONT)
        os._exit(os.waitstatus_to_exitcode(status) & 0xff)

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
    # Lines that would go on in the next one are cut, whatever the width, but for those of the summary. With Ctrl-C the
    # terminal drops some of what was written.
    if keys != b"\x03":
        assert all(screen.startswith(CUT) and screen.endswith(WRAP) for screen in screens[:-1]), "a line may wrap"
    assert screens[-2].endswith(WRAP) and CUT not in screens[-1], "the summary is cut"
    assert screens[-1].startswith("summary of "), "the summary is the last"


def ended_by(sidestep, number, status):
    run = Run(sidestep)
    run.started()
    os.kill(run.pid, number)
    assert run.end() == status, f"signal {number}: status"
    assert run.restored(), f"signal {number}: terminal"


def stopped(sidestep):
    run = Run(sidestep, shell=True)
    run.started()
    os.write(run.master, b"\x1a")
    run.until(lambda: b"stopped, echo" in run.output, "a stop")
    assert b"stopped, echo 1" in run.output, "stopped: terminal"
    run.until(lambda: not run.mode() & termios.ECHO, "keys after SIGCONT")
    os.write(run.master, b"q")
    assert run.end() == 0, "stopped: status"
    assert run.restored(), "stopped: terminal at the end"


def not_stopped(sidestep):
    run = Run(sidestep)  # no shell that could have it go on
    run.started()
    os.write(run.master, b"\x1a")
    before = run.output.count(CLEAR)
    run.until(lambda: run.output.count(CLEAR) >= before + 3, "three more tables")
    os.write(run.master, b"q")
    assert run.end() == 0, "not stopped: status"
    assert run.restored(), "not stopped: terminal"


def dumb(sidestep):
    run = Run(sidestep, term="dumb")
    run.until(lambda: run.output.count(b"\nOPERATION") >= 3, "three tables")
    os.kill(run.pid, signal.SIGTERM)
    assert run.end() == 128 + signal.SIGTERM, "dumb: status"
    assert run.restored(), "dumb: terminal"
    assert b"\x1b" not in run.output, "dumb: an escape sequence"


def main():
    sidestep = sys.argv[1]
    quits_with(sidestep, b"q")
    quits_with(sidestep, b"\x03")
    ended_by(sidestep, signal.SIGTERM, 128 + signal.SIGTERM)
    ended_by(sidestep, signal.SIGQUIT, 128 + signal.SIGQUIT)
    stopped(sidestep)
    not_stopped(sidestep)
    dumb(sidestep)
    print("all is well")


main()
