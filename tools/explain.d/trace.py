# SPDX-License-Identifier: GPL-2.0-only
"""What an emulator has logged of instructions, as (address, whether a program of the host, ticks)."""
import re

from symbols import Unusable

# Debian's Bochs, after `trace on`: number of the processor, ticks before the instruction, its physical address, CS:RIP.
# Of an instruction whose page is not mapped it tells the ticks alone.
BOCHS = re.compile(r"^\(0\)\.\[(\d+)\] (?:\[0x[0-9a-f]+\] ([0-9a-f]{4}):([0-9a-f]{8,16}) |\?\?\? )")
BOCHS_TRACE = "(0).["
USER_CS = "0033"  # of Linux, for 64-bit programs
# QEMU with `-d exec,nochain` and `-singlestep`: a block of one instruction: CS base, RIP, flags.
QEMU = re.compile(r"^Trace \d+: 0x[0-9a-f]+ \[[0-9a-f]+/([0-9a-f]+)/([0-9a-f]+)/[0-9a-f]+\]")
QEMU_TRACE = "Trace "
QEMU_REWOUND = "cpu_io_recompile: rewound execution"
CPL, GUEST_MODE = 3, 1 << 21  # of these flags (QEMU's target/i386/cpu.h: HF_CPL_MASK, HF_GUEST_MASK)


def malformed(line):
    return Unusable(f"the emulator has logged an instruction that cannot be read: {line.strip()[:100]!r}")


def read_bochs(lines):
    """An instruction takes what passes until the next one: REP counts each of its turns. Of the last it is unknown."""
    before = None
    for line in lines:
        if not line.startswith(BOCHS_TRACE):
            continue
        found = BOCHS.match(line)
        if not found:
            raise malformed(line)
        ticks, selector, address = int(found[1]), found[2], found[3]
        if before:
            yield (*before[:2], ticks - before[2])
        before = (int(address, 16) if address else None, selector == USER_CS, ticks)


def read_qemu(lines):
    """Each line is an instruction, or a turn of REP, and so a tick, unless QEMU says that it took it back."""
    before = None
    for line in lines:
        if line.startswith(QEMU_TRACE):
            found = QEMU.match(line)
            if not found:
                raise malformed(line)
            if before:
                yield before
            flags = int(found[2], 16)
            before = (int(found[1], 16), flags & CPL == 3 and not flags & GUEST_MODE, 1)
        elif line.startswith(QEMU_REWOUND):
            before = None
    if before:
        yield before


READERS = {"intel": read_bochs, "amd": read_qemu}
