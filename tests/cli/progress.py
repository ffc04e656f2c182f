#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""progress.py SIDESTEP GEN_DOCS: what commands show of themselves on a terminal while they take longer than a second.

They are made to by a standard input that comes slowly.
"""
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from fcntl import ioctl

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(TESTS), str(TESTS / "report")]
from checks import check, equal, total  # noqa: E402
from ledger import MAGIC, PAGE, HEADER, VERSION, Format  # noqa: E402

SECONDS = 2.5  # that an input takes
PIECES = 25
ERASE = b"\r\x1b[K"
LINE = re.compile(rb"report: [a-z ]+-?(?:, \d+ (?:%|MiB))?")


def ledger(form, exits):
    records = form.meta("engine", "flat") + form.meta("guest", "some")
    records += form.exit("vmm", 1000) * exits + form.end()
    return HEADER.pack(MAGIC, VERSION, PAGE, 2000000, len(records), 0).ljust(PAGE, b"\0") + records


class Run:
    """A command whose standard error is a terminal, if `term` says of what kind, and whose input takes its time."""

    def __init__(self, command, data, term="xterm", columns=100, out=subprocess.PIPE, path=os.environ["PATH"]):
        self.drawn, self.first = b"", None
        self.master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        if term is None:
            slave_or_pipe, environment = subprocess.PIPE, os.environ | {"TERM": "xterm"}
        else:
            slave_or_pipe, environment = slave, os.environ | {"TERM": term, "PATH": path}
        self.begun = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=slave if out is None else out,
                                 stderr=slave_or_pipe, env=environment)
        os.close(slave)
        readers = [threading.Thread(target=self.read)]
        self.taken = {}
        for name in ("stdout", "stderr"):
            stream = getattr(child, name)
            if stream:
                readers.append(threading.Thread(target=lambda n=name, s=stream: self.taken.update({n: s.read()})))
        for reader in readers:
            reader.start()
        size = len(data) // PIECES + 1
        try:
            for at in range(0, len(data), size):
                child.stdin.write(data[at:at + size])
                child.stdin.flush()
                time.sleep(SECONDS / PIECES)
            child.stdin.close()
        except BrokenPipeError:
            pass
        self.status = child.wait()
        for reader in readers:
            reader.join()
        self.took = time.monotonic() - self.begun
        os.close(self.master)

    def read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:  # the other end is gone
                return
            if not data:
                return
            self.first = self.first or time.monotonic() - self.begun
            self.drawn += data

    def lines(self):
        """What stood on the screen and was erased."""
        return [part for part in self.drawn.split(ERASE) if part]

    def left(self):
        """What is on the screen in the end."""
        kept = b""
        for part in self.drawn.split(ERASE):
            kept = kept[:kept.rfind(b"\n") + 1] + part
        return kept.replace(b"\r\n", b"\n")


def shown(sidestep, data, plain):
    run = Run([sidestep, "report", "-"], data)
    equal("a screen: status", run.status, 0)
    equal("a screen: what is printed is the same", run.taken["stdout"], plain)
    lines = run.lines()
    check("a screen: how far it has come", any(re.fullmatch(rb"report: reading standard input, \d+ MiB", line)
                                               for line in lines), lines)
    check("a screen: of each step", all(LINE.fullmatch(line) for line in lines), lines)
    check("a screen: not in the first second", run.first and run.first >= 1, run.first)
    check("a screen: a few times a second", len(lines) <= 4 * run.took + 2, f"{len(lines)} in {run.took} s")
    equal("a screen: nothing is left", run.left(), b"")


def with_output(sidestep, data, plain, by_rip):
    for options, wanted in (([], plain), (["--by", "rip"], by_rip)):
        run = Run([sidestep, "report", *options, "-"], data, out=None)
        check("with output: something is shown", ERASE in run.drawn, run.drawn)
        # A table is as wide as the screen, so only its words are the same.
        equal(f"with output {options}: erased before it", run.left().split(), wanted.split())


def with_message(sidestep, data):
    run = Run([sidestep, "report", "-"], data[:-1])
    check("with a message: it stands in a line of its own",
          re.fullmatch(rb"sidestep: -: .*truncated.*\n(sidestep: .*\n)*", run.left()), run.left())
    run = Run([sidestep, "report", "-"], b"no ledger" * 2000000)
    check("with a failure: it stands in a line of its own",
          re.fullmatch(rb"sidestep: -: not a ledger.*\n", run.left()), run.left())


def narrow(sidestep, data):
    run = Run([sidestep, "report", "-"], data, columns=24)
    lines = run.lines()
    check("a narrow screen: one line", lines and all(len(line) < 24 for line in lines), lines)
    check("a narrow screen: it ends as it did",
          any(re.fullmatch(rb"report: rea\S*\.\.\.\S*.* MiB", line) for line in lines), lines)


def not_shown(sidestep, data, plain):
    for name, term in (("a dumb terminal", "dumb"), ("no kind of terminal", ""), ("no terminal", None)):
        run = Run([sidestep, "report", "-"], data, term=term)
        equal(f"{name}: what is printed", run.taken["stdout"], plain)
        equal(f"{name}: nothing is shown", run.drawn + run.taken.get("stderr", b""), b"")


def typed(sidestep):
    keyboard, terminal = pty.openpty()
    child = subprocess.Popen([sidestep, "report", "-"], stdin=terminal, stdout=subprocess.PIPE, stderr=terminal,
                             env=os.environ | {"TERM": "xterm"})
    for text in (b"one\n", b"two\n", b"\4"):
        os.write(keyboard, text)
        time.sleep(1.2)
    child.communicate()
    drawn = os.read(keyboard, 65536)
    check("what is typed: nothing is drawn over it",
          drawn.startswith(b"one\r\ntwo\r\n") and b"reading standard input" not in drawn, drawn)
    os.close(terminal)
    os.close(keyboard)


def image(sidestep, name):
    run = Run([sidestep, "image", "--engine", "vmx", "--guest", "-", "-o", name], b"\xf4" * 8000000)
    lines = run.lines()
    check("an image: its guest is read", any(re.fullmatch(rb"image: reading standard input, \d+ MiB", line)
                                             for line in lines), lines)
    equal("an image: nothing is left", (run.status, run.left()), (0, b""))


def medium(sidestep, folder):
    program = pathlib.Path(folder, "grub-mkrescue")
    program.write_text("#!/bin/sh\nsleep 2\necho no room\nexit 1\n")
    program.chmod(0o755)
    run = Run([sidestep, "image", "-o", os.path.join(folder, "medium.iso"), "ref.nothing"], b"",
              path=folder + ":" + os.environ["PATH"])
    equal("a medium: it is being made", set(run.lines()[:-1]), {b"image: having grub-mkrescue make a medium"})
    check("a medium: a few times a second", 1 < len(run.lines()) <= 4 * run.took + 2, run.lines())
    check("a medium: its failure stands in a line of its own",
          re.fullmatch(rb"sidestep: no room; [^\n]*\n", run.left()), run.left())


def main():
    sidestep, gen_docs = sys.argv[1:]
    data = ledger(Format(gen_docs), 500000)
    reports = [subprocess.run([sidestep, "report", *options, "-"], input=data, capture_output=True, check=True).stdout
               for options in ([], ["--by", "rip"])]
    shown(sidestep, data, reports[0])
    with_output(sidestep, data, *reports)
    with_message(sidestep, data)
    narrow(sidestep, data)
    not_shown(sidestep, data, reports[0])
    typed(sidestep)
    with tempfile.TemporaryDirectory(prefix="progress.") as folder:
        image(sidestep, os.path.join(folder, "image"))
        medium(sidestep, folder)
    return total()


if __name__ == "__main__":
    sys.exit(main())
