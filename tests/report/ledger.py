# SPDX-License-Identifier: GPL-2.0-only
"""Reads and writes ledgers by docs/ledger-format.md alone, for tests to compare sidestep with.

The numbers and sizes of records come from the table that `gen-docs records` prints into that page.
"""
import re
import struct
import subprocess

MAGIC = 0x4745444C45445353
VERSION = 2
PAGE = 4096
LEVELS = ["l0", "monitor", "vmm"]
HEADER = struct.Struct("<QIIQQQ")
RECORD = struct.Struct("<HHBBH")
EXIT = struct.Struct("<QQQIIHHI")
L0_EXIT = struct.Struct("<QQQQIIIIBBHI")
BATCH = struct.Struct("<IIIIQQQ")
OPERATION = struct.Struct("<II40s")
RESULT = struct.Struct("<IIIIQQIIII")
VIOLATION = struct.Struct("<IIQQIIQHHI48s48s")
INSTRUCTION = struct.Struct("<QQQIIIBBH16s")
CODE = struct.Struct("<QIBBH32s64s")
END = struct.Struct("<Ii240s")
EXPECTATION = struct.Struct("<IIIIQQQII6I6I")
SAMPLES = 128


class Format:
    """What the page says of the types of records."""

    def __init__(self, gen_docs):
        table = subprocess.run([gen_docs, "records"], check=True, capture_output=True, text=True).stdout
        rows = re.findall(r"\| `RECORD_(\w+)` \| (\d+) \| (\d+)", table)
        self.types = {name: int(number) for name, number, _ in rows}
        self.sizes = {name: int(size) for name, _, size in rows}
        self.names = {number: name for name, number in self.types.items()}

    def record(self, name, body, level=0, vm=0, vcpu=0, size=None):
        """A record with that body, padded to its size."""
        size = size or max(self.sizes[name], RECORD.size + len(body) + 7 & ~7)
        head = RECORD.pack(self.types[name], size, vm, vcpu, level)
        return (head + body).ljust(size, b"\0")

    def meta(self, key, value):
        value = value if isinstance(value, bytes) else value.encode()
        return self.record("META", key.encode() + b"\0" + value + b"\0")

    def operation(self, number, name, kind=2):
        return self.record("OPERATION", OPERATION.pack(number, kind, name if isinstance(name, bytes)
                                                       else name.encode()))

    def exit(self, level, time, operation=0, reason=2, rip=0x100000, cost=10, detail=0, view=0,
             qualification=0, **place):
        body = EXIT.pack(time, rip, qualification, operation, cost, reason, detail, view)
        return self.record("EXIT", body, LEVELS.index(level), **place)

    def l0_exit(self, time, operation=0, reason=28, rip=0x100000, cost=10, isa=1, agreement=0, flags=0,
                info1=0, routine=0, **place):
        body = L0_EXIT.pack(time, rip, info1, 0, operation, routine, cost, reason, isa, agreement, flags, 0)
        return self.record("L0_EXIT", body, LEVELS.index("l0"), **place)

    def batch(self, operation, count, begin, end, exits=None, view=0xFFFFFFFF, **place):
        """`exits`: what the counter `exits`, bit 0, says; None: not observed."""
        body = BATCH.pack(operation, count, view, 0, begin, end, int(exits is not None))
        return self.record("BATCH", body + struct.pack("<Q", exits or 0), **place)

    def result(self, operation, count, ticks, value=0, **place):
        """`ticks` of samples of one repetition each."""
        body = RESULT.pack(operation, count, 0, 0xFF, 0, value, 1, len(ticks), 0, 0)
        return self.record("RESULT", body + struct.pack(f"<{len(ticks)}I", *ticks), **place)

    def expectation(self, operation, count, view):
        """That it is performed so often, comes to 0 and leaves that view, with any exits."""
        return self.record("EXPECTATION", EXPECTATION.pack(operation, count, 0xFF, view, 0, 0, 0, 1, *[0] * 13))

    def code(self, rip, before, after, symbol=b"", offset=0):
        body = CODE.pack(rip, offset, len(before), len(before) + len(after), 0, before + after, symbol)
        return self.record("CODE", body)

    def violation(self, operation, view, gpa, rip, region=b"", symbol=b"", **place):
        """A write that was refused."""
        body = VIOLATION.pack(operation, view, gpa, rip, 2, 8, gpa, 0, 0, 0, region, symbol)
        return self.record("VIOLATION", body, **place)

    def instruction(self, operation, view, gpa, rip, value, code, **place):
        """What has made such a write, of 8 bytes, in code of 64 bits."""
        body = INSTRUCTION.pack(gpa, rip, value, operation, view, 2, 8, len(code), 64, code)
        return self.record("INSTRUCTION", body, **place)

    def source(self, rip, text, **place):
        return self.record("SOURCE", struct.pack("<Q64s", rip, text), **place)

    def end(self, vm=0):
        return self.record("END", END.pack(1, 0, b""), vm=vm)

    def read(self, data):
        """The records of an intact ledger: (name, vm, vcpu, level, body)."""
        magic, version, start, _, used, _ = HEADER.unpack_from(data)
        assert (magic, version) == (MAGIC, VERSION)
        offset = start
        while offset < start + used:
            number, size, vm, vcpu, level = RECORD.unpack_from(data, offset)
            yield self.names[number], vm, vcpu, level, data[offset + RECORD.size:offset + size]
            offset += size


def ledger(records, tsc_khz=1000000, version=VERSION, magic=MAGIC, lost=0, used=None):
    body = b"".join(records)
    header = HEADER.pack(magic, version, PAGE, tsc_khz, len(body) if used is None else used, lost)
    return header.ljust(PAGE, b"\0") + body
