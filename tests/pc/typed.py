#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""typed.py SIDESTEP GUEST [TEST...]: standard input is the serial line of a guest on the platform pc. Of a terminal the
guest gets every key and says what is printed, and whatever ends it, the terminal is as it was; of a pipe it gets every
byte."""
import ctypes
import os
import random
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from fcntl import ioctl

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from patience import patient

PATIENCE = patient(15)
SOON = patient(1)
HELP = b"sidestep: the terminal is the guest's serial line; Ctrl-A x ends the guest\r\n"
PR_SET_CHILD_SUBREAPER = 36
SHOWN_OF_RED = b"\x1b[31mred\x1b[0m\n"
ESCAPED_RED = b"\\x1b[31mred\\x1b[0m\r\n"


class Terminal:
    """A guest in a session of its own, whose terminal we hold the other end of."""

    # What runs sidestep there: itself, a shell that stays, or somebody who can be killed.
    ALONE, SHELL, MIDDLE, BACKGROUND = range(4)

    def __init__(self, words="keys", by=ALONE, stdin=None):
        self.master, self.slave = os.openpty()  # kept open: settings outlive the program
        ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        # Not what raw keys have anyway.
        attributes = termios.tcgetattr(self.slave)
        attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 3, 7
        termios.tcsetattr(self.slave, termios.TCSANOW, attributes)
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        told, tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self.be_child(words, by, stdin, tell)
        os.close(tell)
        # The process that runs sidestep, and who started it.
        self.sidestep, self.parent = struct.unpack("ii", self.read_all(told, 8)) if by else (self.pid, 0)
        os.close(told)

    @staticmethod
    def read_all(fd, size):
        data = b""
        while len(data) < size:
            data += os.read(fd, size - len(data)) or sys.exit("a child has ended")
        return data

    def be_child(self, words, by, stdin, tell):
        os.setsid()
        ioctl(self.slave, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(self.slave, fd)
        if stdin is not None:
            os.dup2(stdin, 0)
        os.close(self.master)
        if by:
            self.be_shell(by, tell)
        self.execute(words)

    @staticmethod
    def execute(words):
        os.execv(SIDESTEP, [SIDESTEP, "run", "-q", "--append", words, GUEST])

    def be_shell(self, by, tell):
        """Goes on as a child, in the foreground unless it is to be in the background; the parent stays."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        ready, go = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(ready, 1)
            if by == self.MIDDLE:
                # One more: whoever is killed is neither the session's first process nor sidestep itself.
                grandchild = os.fork()
                if grandchild:
                    os.write(tell, struct.pack("ii", grandchild, os.getpid()))
                    signal.pause()
            else:
                os.write(tell, struct.pack("ii", os.getpid(), os.getppid()))
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            return
        os.setpgid(child, child)
        os.tcsetpgrp(1, os.getpgrp() if by == self.BACKGROUND else child)
        os.close(go)
        if by == self.MIDDLE:
            os.waitpid(child, 0)
            signal.pause()
        while os.WIFSTOPPED(status := os.waitpid(child, os.WUNTRACED)[1]):
            stopped_at = termios.tcgetattr(1)[3]
            os.write(1, b"stopped, echo %d\n" % bool(stopped_at & termios.ECHO))
            time.sleep(0.2)
            os.kill(child, signal.SIGCONT)
        os._exit(os.waitstatus_to_exitcode(status) & 0xff)

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.output += os.read(self.master, 65536)

    def until(self, condition, what, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain: {what}; there was {self.output}"
            self.read(0.05)

    def await_text(self, text, seconds=PATIENCE):
        self.until(lambda: text in self.output, text, seconds)

    def mode(self):
        return termios.tcgetattr(self.slave)

    def is_raw(self):
        mode = self.mode()
        return not (mode[0] & (termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON | termios.ISTRIP) or
                    mode[1] & termios.OPOST or
                    mode[3] & (termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN))

    def start(self, text=b"ready\n"):
        self.await_text(text)
        assert self.is_raw(), "keys are not the guest's"
        return self

    def type(self, keys):
        os.write(self.master, keys)

    def end(self, status, what, seconds=PATIENCE):
        got = None

        def ended():
            nonlocal got
            pid, got = os.waitpid(self.pid, os.WNOHANG)
            return pid == self.pid

        self.until(ended, f"{what}: its end", seconds)
        self.read(0.1)
        assert os.waitstatus_to_exitcode(got) == status, f"{what}: status {os.waitstatus_to_exitcode(got)}"
        self.leave(what)

    def end_of_orphan(self, orphan):
        """The status of a process that becomes ours when its parent ends."""
        got = None

        def ended():
            nonlocal got
            try:
                pid, got = os.waitpid(orphan, os.WNOHANG)
            except ChildProcessError:  # not ours yet
                return False
            return pid == orphan

        self.until(ended, "the end of an orphan")
        return os.waitstatus_to_exitcode(got)

    def leave(self, what):
        assert self.mode() == self.before, f"{what}: the terminal is not as it was"
        os.close(self.master)
        os.close(self.slave)


def every_key():
    """As it is, Ctrl-C and all, and the terminal says nothing by itself."""
    terminal = Terminal().start()
    assert terminal.output == HELP + b"ready\n", f"at the start: {terminal.output}"
    keys = bytes(byte for byte in range(2, 256))
    shown = b"".join(b"<%x>" % byte for byte in keys)
    for i in range(0, len(keys), 16):
        terminal.type(keys[i:i + 16])
    terminal.await_text(b"<ff>")
    assert terminal.output == HELP + b"ready\n" + shown, f"keys: {terminal.output}"
    # Ctrl-A is for us, whether what follows comes with it or later; twice it is one.
    terminal.output = b""
    terminal.type(b"a\x01\x01b")
    terminal.await_text(b"<62>")
    terminal.type(b"\x01")
    time.sleep(0.3)
    terminal.type(b"\x01c\x01\x01\x01\x01d\x01qe")
    terminal.await_text(b"<65>")
    assert terminal.output == b"<61><1><62><1><63><1><1><64><65>", f"Ctrl-A: {terminal.output}"
    terminal.type(b"\x00")
    terminal.end(0, "the guest's own end")


def ends_by_keys():
    for words, ready in (("keys", b"ready\n"), ("lines", b"ready\n"), ("deaf", b"deaf\n")):
        for keys in ([b"\x01x"], [b"\x01X"], [b"\x01", b"x"], [b"abc\x01\x01\x01xyz"]):
            terminal = Terminal(words).start(ready)
            for key in keys:
                terminal.type(key)
                time.sleep(0.1)
            terminal.end(0, f"{words}: {keys}", SOON)


def ends_when_nobody_listens():
    """More than a line, and its guest, have room for. What a guest does not take must not keep it alive."""
    terminal = Terminal("deaf").start(b"deaf\n")
    for _ in range(20):
        terminal.type(b"not taken " * 50)
        time.sleep(0.02)
    time.sleep(1.5)
    terminal.type(b"\x01x")
    terminal.end(0, "Ctrl-A x after a lot that was not taken")


def pasted():
    """A lot at once, through a line that has no room for it."""
    keys = bytes(random.randrange(2, 256) for _ in range(20000))
    terminal = Terminal("sum").start()
    for i in range(0, len(keys), 500):
        terminal.type(keys[i:i + 500])
    terminal.type(b"\x00")
    terminal.end(0, "a lot pasted")
    assert terminal.output.endswith(b"ready\n%d bytes, %x\n" % (len(keys), checksum(keys))), terminal.output


def lines():
    terminal = Terminal("lines").start()
    terminal.type(b"one\rtwo\nend\r")
    terminal.end(0, "lines")
    assert terminal.output == HELP + b"ready\ntyped: one\ntyped: two\ntyped: end\n", terminal.output


def ends_by_signals():
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)):
        terminal = Terminal().start()
        os.kill(terminal.sidestep, number)
        terminal.end(status, f"signal {number}", SOON)


def killed():
    """By what nobody can catch: the terminal is the shell's again."""
    terminal = Terminal(by=Terminal.SHELL).start()
    os.kill(terminal.sidestep, signal.SIGKILL)
    terminal.until(lambda: terminal.mode() == terminal.before, "killed: the terminal as it was")
    os.waitpid(terminal.pid, 0)
    terminal.leave("killed")


def killed_behind_a_shell():
    """Whoever has changed the terminal meanwhile keeps what is set."""
    terminal = Terminal(by=Terminal.SHELL).start()
    with open(f"/proc/{terminal.sidestep}/task/{terminal.sidestep}/children", encoding="ascii") as file:
        guards = [int(pid) for pid in file.read().split()]
    assert len(guards) == 1, f"killed behind a shell: {len(guards)} processes see to the terminal"
    changed = terminal.mode()
    changed[3] |= termios.ISIG
    termios.tcsetattr(terminal.slave, termios.TCSANOW, changed)
    os.kill(terminal.sidestep, signal.SIGKILL)
    terminal.end_of_orphan(guards[0])
    assert terminal.mode() == changed, "killed behind a shell: the terminal was set back"
    os.waitpid(terminal.pid, 0)
    termios.tcsetattr(terminal.slave, termios.TCSANOW, terminal.before)
    terminal.leave("killed behind a shell")


def hangs_up():
    terminal = Terminal().start()
    os.close(terminal.slave)
    os.close(terminal.master)
    deadline = time.monotonic() + PATIENCE
    while os.waitpid(terminal.pid, os.WNOHANG)[0] == 0:
        assert time.monotonic() < deadline, "a terminal that is gone: no end"
        time.sleep(0.05)


def stops():
    """By somebody else, since no key stops it: the terminal is the shell's meanwhile."""
    terminal = Terminal(by=Terminal.SHELL).start()
    terminal.type(b"\x1a")
    terminal.await_text(b"<1a>")
    os.kill(terminal.sidestep, signal.SIGTSTP)
    terminal.await_text(b"stopped, echo 1")
    terminal.until(terminal.is_raw, "keys after it")
    terminal.type(b"b")
    terminal.await_text(b"<62>")
    terminal.type(b"\x01x")
    terminal.end(0, "after a stop")


def parent_killed():
    """Nobody is left who could end it; the session goes on."""
    terminal = Terminal(by=Terminal.MIDDLE).start()
    os.kill(terminal.parent, signal.SIGKILL)
    status = terminal.end_of_orphan(terminal.sidestep)
    assert status == 129, f"an orphan: {status}"
    assert os.waitpid(terminal.pid, os.WNOHANG) == (0, 0), "the session ended"
    assert terminal.mode() == terminal.before, "an orphan: the terminal is not as it was"
    os.kill(terminal.pid, signal.SIGKILL)
    os.waitpid(terminal.pid, 0)
    terminal.leave("an orphan")


def background():
    """The terminal is somebody else's: nothing is read or changed, and nothing is stopped by trying to."""
    terminal = Terminal("red keys", by=Terminal.BACKGROUND)
    terminal.await_text(b"ready\r\n")
    assert terminal.output == ESCAPED_RED + b"ready\r\n", f"in the background: {terminal.output}"
    assert terminal.mode() == terminal.before, "in the background: the terminal has been changed"
    terminal.output = b""
    terminal.type(b"a\x01x\n")
    time.sleep(1)
    terminal.read(0)
    assert terminal.output == b"a^Ax\r\n", f"in the background: {terminal.output}"
    # What was typed is there for those in the foreground.
    waiting = struct.unpack("i", ioctl(terminal.slave, termios.FIONREAD, b"\0" * 4))[0]
    assert waiting == 4, f"in the background: of 4 keys there are {waiting}"
    os.kill(terminal.sidestep, signal.SIGTERM)
    terminal.end(143, "in the background")


def escapes():
    """Only whoever types sees a guest's escape sequences as they are."""
    terminal = Terminal("red keys").start()
    assert terminal.output == HELP + SHOWN_OF_RED + b"ready\n", f"typed into: {terminal.output}"
    terminal.type(b"\x01x")
    terminal.end(0, "typed into")
    null = os.open("/dev/null", os.O_RDONLY)
    terminal = Terminal("red keys", stdin=null)
    terminal.await_text(b"ready\r\n")
    assert terminal.output == ESCAPED_RED + b"ready\r\n", f"not typed into: {terminal.output}"
    assert terminal.mode() == terminal.before, "not typed into: the terminal has been changed"
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.end(143, "not typed into")
    os.close(null)


def checksum(data):
    total = 2166136261
    for byte in data:
        total = (total ^ byte) * 16777619 & 0xffffffff
    return total


def run(words, **more):
    return subprocess.Popen([SIDESTEP, "run", "-q", "--append", words, GUEST], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **more)


def a_megabyte():
    """In order, though the line has room for 4 KiB; Ctrl-A is a byte as any other."""
    data = bytes(random.randrange(1, 256) for _ in range(1 << 20))
    assert b"\x01x" in data
    guest = run("sum", stdin=subprocess.PIPE)
    output, errors = guest.communicate(data + b"\x00more", timeout=patient(60))
    assert (guest.returncode, errors) == (0, b""), f"a megabyte: {guest.returncode}, {errors}"
    assert output == b"ready\n%d bytes, %x\n" % (len(data), checksum(data)), f"a megabyte: {output}"
    # The same from a file.
    with open("/proc/self/fd/%d" % os.memfd_create("typed"), "w+b") as file:
        file.write(data[:10000] + b"\x00")
        file.seek(0)
        output = run("sum", stdin=file).communicate(timeout=PATIENCE)[0]
        assert output == b"ready\n10000 bytes, %x\n" % checksum(data[:10000]), f"a file: {output}"


def in_pieces():
    guest = run("keys", stdin=subprocess.PIPE)
    for key in b"abc\x03\x01x":
        guest.stdin.write(b"%c" % key)
        guest.stdin.flush()
        time.sleep(0.05)
    output = guest.communicate(b"\x00", timeout=PATIENCE)[0]
    assert output == b"ready\n<61><62><63><3><1><78><0>\n", f"in pieces: {output}"


def input_ends():
    """The guest goes on, and nobody turns round for nothing; nor for what a guest does not take."""
    ended, writer = os.pipe()
    os.close(writer)
    inputs = {"a pipe": ended, "/dev/null": os.open("/dev/null", os.O_RDONLY), "a directory": os.open("/", os.O_RDONLY),
              "only for writing": os.open("/dev/null", os.O_WRONLY), "closed": None}
    for name, stdin in inputs.items():
        guest = run("keys", stdin=stdin, preexec_fn=(lambda: os.close(0)) if stdin is None else None)
        assert guest.stdout.read(6) == b"ready\n", f"{name}: nothing printed"
        is_idle(guest, name)
        guest.terminate()
        output, errors = guest.communicate(timeout=PATIENCE)
        assert (guest.returncode, output) == (143, b""), f"{name}: {guest.returncode}, {output}"
        if stdin is not None:
            os.close(stdin)
    full, writer = os.pipe()
    os.write(writer, bytes(65536))
    guest = run("deaf", stdin=full)
    assert guest.stdout.read(5) == b"deaf\n"
    is_idle(guest, "a deaf guest")
    guest.terminate()
    guest.communicate(timeout=PATIENCE)
    os.close(full)
    os.close(writer)


def is_idle(guest, name):
    """After its start, however long that takes here."""
    deadline = time.monotonic() + PATIENCE
    while True:
        before = cpu_time(guest.pid)
        time.sleep(1)
        assert guest.poll() is None, f"{name}: it ended with {guest.returncode}"
        spent = cpu_time(guest.pid) - before
        if spent < 0.1:
            break
        assert time.monotonic() < deadline, f"{name}: {spent} s in one for nothing"


def cpu_time(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    if subprocess.run([SIDESTEP, "info"], capture_output=True, check=False).returncode != 0:
        print("skipped: needs: kvm")
        sys.exit(77)
    random.seed(1)
    # Whoever loses its parent is ours to wait for.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    tests = (every_key, lines, ends_by_keys, ends_when_nobody_listens, pasted, ends_by_signals, killed, killed_behind_a_shell, hangs_up,
             stops, parent_killed, background, escapes, in_pieces, input_ends, a_megabyte)
    tests = [test for test in tests if not WANTED or test.__name__ in WANTED]
    failed = 0
    for test in tests:
        try:
            test()
            print(f"ok - {test.__name__}", flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            print(f"not ok - {test.__name__}\n#   {error}", flush=True)
            failed += 1
    print(f"figure: checks {len(tests)}")
    sys.exit(failed != 0)


SIDESTEP, GUEST = map(os.path.realpath, sys.argv[1:3])
WANTED = sys.argv[3:]
main()
