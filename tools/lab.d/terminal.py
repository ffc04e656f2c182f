#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""terminal.py LINK PIDFILE: joins the terminal that it is started on with a serial port of a lab, which the emulator opens
as LINK, until the emulator is gone whose process PIDFILE names. Status 3: Ctrl-A x was typed before."""

import os
import pty
import select
import signal
import sys
import termios
import tty

STATUS_LEFT = 3
ESCAPE = 0x01  # Ctrl-A, as in QEMU's own
CLEAR = b"\r\x1b[K"  # what tools/lab has written last is a line about its progress
HELP = b"\r\nCtrl-A x ends the lab, Ctrl-A Ctrl-A is a Ctrl-A for it; what is left by `exit` brings files back\r\n"


class Typed:
    """What is typed, without what is for us."""

    def __init__(self):
        self.escaped = False

    def split(self, data):
        """For the lab, for the terminal, and whether to leave."""
        lab, terminal = bytearray(), b""
        for byte in data:
            if not self.escaped:
                self.escaped = byte == ESCAPE
                if not self.escaped:
                    lab.append(byte)
                continue
            self.escaped = False
            if byte in b"xX":
                return bytes(lab), terminal, True
            if byte == ESCAPE:
                lab.append(byte)
            else:
                terminal += HELP
        return bytes(lab), terminal, False


def gone(pidfile):
    try:
        with open(pidfile, encoding="ascii") as file:
            os.kill(int(file.read()), 0)
    except (FileNotFoundError, ValueError):
        return False
    except ProcessLookupError:
        return True
    return False


def relay(port, pidfile):
    typed, before = Typed(), CLEAR
    inputs = [0, port]
    while True:
        ready = select.select(inputs, [], [], 0.2)[0]
        if port in ready:
            os.write(1, before + os.read(port, 65536))
            before = b""
        if 0 in ready:
            data = os.read(0, 4096)
            lab, terminal, leave = typed.split(data)
            os.write(1, terminal)
            os.write(port, lab)
            if leave or not data:
                return STATUS_LEFT
        if not ready and gone(pidfile):
            return 0


def main(link, pidfile):
    port, other = pty.openpty()
    tty.setraw(other)
    os.symlink(os.ttyname(other), link)
    before = termios.tcgetattr(0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(STATUS_LEFT))
    try:
        tty.setraw(0)
        return relay(port, pidfile)
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
