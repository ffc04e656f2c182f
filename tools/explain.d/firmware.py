# SPDX-License-Identifier: GPL-2.0-only
"""The built-in firmware's catalogue: which code an operation repeats, and where."""
import re
import struct

from symbols import Unusable

ELF_HEADER, SECTION, SYMBOL = struct.Struct("<16s2HI3QI6H"), struct.Struct("<2I4Q2I2Q"), struct.Struct("<I2BH2Q")
SYMTAB = 2
# struct ss_operation of guestfw/abi.h: name, needs, meaning, entry, end and the rest.
OPERATION = struct.Struct("<40s24s96s2Q48x")
# END_LOOP of guestfw/routine.inc: add $1,%rbp; cmp %r14,%rbp; jne.
LOOP_END = re.compile(rb"\x48\x83\xc5\x01\x4c\x39\xf5(?:\x75.|\x0f\x85....)", re.DOTALL)


class Loops:
    """Addresses of the instructions that count a repetition, and of the first ones after the last repetition. A routine
    has a loop for each way of doing the same, and executes one."""

    def __init__(self, ends, leaves):
        self.ends, self.leaves = ends, leaves


class Firmware:
    def __init__(self, path):
        self.path = path
        try:
            with open(path, "rb") as file:
                self.image = file.read()
            header = ELF_HEADER.unpack_from(self.image)
            offset, count = header[6], header[12]
            self.sections = [SECTION.unpack_from(self.image, offset + SECTION.size * n) for n in range(count)]
            self.operations = self.read_catalogue()
        except OSError as error:
            raise Unusable(f"{path}: {error.strerror}: build sidestep, or name where it is with --build") from error
        except (struct.error, StopIteration, ValueError) as error:
            raise Unusable(f"{path}: not the firmware of this version of sidestep: build it again") from error

    def symbol(self, wanted):
        """Address and size."""
        table = next(section for section in self.sections if section[1] == SYMTAB)
        names = self.sections[table[6]]
        for at in range(table[4], table[4] + table[5], SYMBOL.size):
            name, _, _, _, address, size = SYMBOL.unpack_from(self.image, at)
            begin = names[4] + name
            if self.image[begin:self.image.index(b"\0", begin)] == wanted:
                return address, size
        raise StopIteration

    def at(self, address, size):
        """The bytes there; sections of no address are not loaded."""
        section = next(s for s in self.sections if s[3] and s[3] <= address and address + size <= s[3] + s[5])
        begin = section[4] + address - section[3]
        return self.image[begin:begin + size]

    def read_catalogue(self):
        address, size = self.symbol(b"catalogue")
        if size % OPERATION.size:
            raise ValueError
        rows = OPERATION.iter_unpack(self.at(address, size))
        return {name.rstrip(b"\0").decode(): (entry, end) for name, _, _, entry, end in rows}

    def loops(self, operation):
        entry, end = self.operations[operation]
        found = list(LOOP_END.finditer(self.at(entry, end - entry)))
        if not found:
            raise Unusable(f"{operation}: its routine has no loop whose repetitions could be told apart")
        return Loops([entry + match.start() for match in found], [entry + match.end() for match in found])
