#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""flips.py FLIPS GEN_DOCS [FILE]: feeds the ledger's fuzz target with a ledger that has a record of
each type, once for each of its bits with that bit inverted, and cut at every byte. With FILE it only
writes it.
"""
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "report"))
import ledger  # noqa: E402


# Operation, view, gpa, rip, access, size, gva, answer, flags, reserved, region, symbol.
VIOLATION = struct.Struct("<IIQQIIQHHI48s48s")


def one_of_each(form):
    records = [form.meta("engine", "vmx"), form.meta("backend", "vmx"), form.meta("view.1", "driver"),
               form.meta("tsc_offset.0.0", "-4096"), form.operation(1, "ref.nothing", 1),
               form.operation(2, "cr0.ts.mov"),
               form.code(0x100338, b"\x90\x31\xed\xef", b"\x0f\x22\xc3", b"op_mov", 40),
               form.exit("vmm", 5000, 2, reason=2, rip=0x100338, detail=0x104, view=2,
                         qualification=0x5e0),
               form.exit("monitor", 904, 2, reason=28, rip=0x100338, cost=300),
               form.batch(1, 10, 4000, 4900, 1), form.batch(2, 10, 5000, 6000, 21, view=0),
               form.result(2, 10, [5000, 5100, 9000], 7),
               form.record("VIOLATION", VIOLATION.pack(2, 1, 0xe1000, 0x100338, 2, 8, 0xe1000, 1, 1, 0,
                                                       b"window.shared", b"op_mov+0x28")), form.end()]
    # Types that nothing above is an example of.
    had = {ledger.RECORD.unpack_from(record)[0] for record in records}
    records += [form.record(name, bytes(range(form.sizes[name] - ledger.RECORD.size)))
                for name, number in form.types.items() if number not in had]
    return ledger.ledger(records)


def main():
    flips, gen_docs, *file = sys.argv[1:]
    data = one_of_each(ledger.Format(gen_docs))
    if file:
        pathlib.Path(file[0]).write_bytes(data)
        return 0
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "ledger"
        path.write_bytes(data)
        return subprocess.run([flips, path]).returncode


if __name__ == "__main__":
    sys.exit(main())
