#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""shell.py SOURCE BUILD LAB...: a prompt in a lab, typed at through a terminal: it knows the size of that, answers, leaves by
Ctrl-A x or with the status of the shell, and brings back what was changed in the folder that it shares. Without a terminal,
and with a command besides, it is refused, and so is a build that is not whole. Without LAB only that, and what is typed for the terminal itself."""

import fcntl
import os
import pathlib
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

SOURCE, BUILD, LABS = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
LAB = SOURCE / "tools" / "lab"
PATIENCE = 10 * int(os.environ.get("PATIENCE", "12"))

sys.dont_write_bytecode = True
sys.path[:0] = [str(SOURCE / "tools" / "lab.d"), str(SOURCE / "tests")]
import terminal  # noqa: E402
from checks import check, total  # noqa: E402


class Prompt:
    """A lab that somebody sits at."""

    def __init__(self, *words):
        self.seen = b""
        self.process, self.port = pty.fork()
        if self.process == 0:
            os.execv(LAB, [str(LAB), *words])
        fcntl.ioctl(self.port, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))

    def type(self, text):
        self.seen = b""
        os.write(self.port, text.encode())

    def sees(self, text):
        end = time.monotonic() + PATIENCE
        while text.encode() not in self.seen:
            if time.monotonic() > end or not self.read():
                print(f"seen: {self.seen!r}")
                return False
        return True

    def read(self):
        if not select.select([self.port], [], [], 1)[0]:
            return True
        try:
            data = os.read(self.port, 65536)
        except OSError:
            return False
        self.seen += data
        return bool(data)

    def status(self):
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def sit_at(lab, folder):
    (folder / "given").write_text("from here\n", encoding="ascii")
    words = (lab, "--build", BUILD, "--shell", "--share", str(folder))
    prompt = Prompt(*words)
    check(f"{lab}: a prompt", prompt.sees(f"lab {lab}:/"))
    prompt.type("stty size; tty\n")
    check(f"{lab}: the size of the terminal", prompt.sees("33 77") and prompt.sees("/dev/ttyS1"))
    prompt.type("cat /share/given; echo changed >/share/given; mkdir /share/new; echo there >/share/new/file; echo d''one\n")
    check(f"{lab}: the folder", prompt.sees("from here") and prompt.sees("done"))
    prompt.type("exit 7\n")
    check(f"{lab}: the status of the shell", prompt.status() == 7)
    check(f"{lab}: what was changed", (folder / "given").read_text(encoding="ascii") == "changed\n")
    check(f"{lab}: what was made", (folder / "new" / "file").read_text(encoding="ascii") == "there\n")
    prompt = Prompt(*words)
    check(f"{lab}: a prompt again", prompt.sees(f"lab {lab}:/"))
    prompt.type("echo still''here\n")
    check(f"{lab}: it answers", prompt.sees("stillhere"))
    prompt.type("\x01x")
    check(f"{lab}: Ctrl-A x", prompt.status() == 0)


def refused(text, *words, status=2, build=BUILD, name=None, lab=("amd",)):
    done = subprocess.run([LAB, *lab, "--build", build, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    check(f"refused: {name or text}", done.returncode == status and text in done.stderr and done.stderr.count("\n") == 1)


def not_built():
    """What is named is the first file that is missing, with what makes it."""
    with tempfile.TemporaryDirectory() as build:
        os.mkdir(f"{build}/tools")
        os.mkdir(f"{build}/tools/lab.d")
        for name in ("sidestep", "tools/lab.d/lab-stop", "tools/lab.d/bochs-state.so"):
            refused(f"lab: {build}/{name} is not built: run meson setup {build} && ", "--", "true", status=99, build=build,
                    name=f"a build without {name}")
            os.symlink("/bin/true", f"{build}/{name}")


def typed():
    """The word for the lab, that for the terminal, and whether to leave; a key may come in two pieces."""
    keys = terminal.Typed()
    check("typed: all is the lab's", keys.split(b"ls\r\x03") == (b"ls\r\x03", b"", False))
    check("typed: Ctrl-A twice", keys.split(b"a\x01\x01b") == (b"a\x01b", b"", False))
    check("typed: Ctrl-A h", keys.split(b"\x01h") == (b"", terminal.HELP, False))
    check("typed: the first piece", keys.split(b"q\x01") == (b"q", b"", False))
    check("typed: Ctrl-A x in two pieces", keys.split(b"xyz") == (b"", b"", True))


typed()
not_built()
refused("--shell needs a terminal", "--shell")
refused("--shell stands for a command", "--shell", "--", "true")
for words in (("--", "true"), ("--shell",)):
    refused("--made-of runs nothing: name no command, and leave out --shell", "--made-of", *words)
refused("--made-of, --kvm-option and --split are about Linux", "--made-of", lab=("bare", "amd"))
refused("--share /nowhere: no such directory", "--share", "/nowhere", "--", "true")
for name in LABS:
    with tempfile.TemporaryDirectory() as directory:
        sit_at(name, pathlib.Path(directory))
sys.exit(total())
