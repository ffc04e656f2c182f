# SPDX-License-Identifier: GPL-2.0-only
"""Functions of a kernel by address, and under the name that they have in its source."""
import bisect
import re

SUFFIXES = re.compile(r"((?:\.(?:isra|constprop|part|cold|llvm|lto_priv)(?:\.\d+)*)+)$")
# An alias may be better known: of several names of an address a global one counts, then one without underscores.
TEXT = "TtWw"
UNKNOWN = "[unknown]"
WHOLE, PART, COLD = "whole", "part", "cold"


class Unusable(Exception):
    """What we were given, or found, is not what it should be."""


def fold(name):
    """The name without what a compiler appended, and what the symbol is: a whole function, a part of it that the
    compiler made a function of its own, or the rarely executed rest that it put elsewhere."""
    found = SUFFIXES.search(name)
    if not found:
        return name, WHOLE
    suffix = found.group(1)
    kind = COLD if ".cold" in suffix else PART if ".part" in suffix else WHOLE
    return name[:found.start()], kind


class Symbols:
    """/proc/kallsyms. Data bounds code, so that what lies between is of no function."""

    def __init__(self, lines):
        best = {}
        for line in lines:
            address, kind, name, *module = line.split()
            address = int(address, 16)
            if not address or name.startswith("__pfx_"):
                continue
            module = module[0] if module else ""
            rank = (kind not in TEXT, kind not in "TW", name.startswith("_"), name)
            if address not in best or rank < best[address][0]:
                best[address] = (rank, name, module)
        if not best:
            raise Unusable("the kernel's symbols have no addresses: kallsyms is not readable there")
        self.starts = sorted(best)
        self.found = [best[start] for start in self.starts]
        self.names = {self.shown(number)[0] for number in range(len(self.starts))}

    def shown(self, number):
        (no_text, *_), name, module = self.found[number]
        if no_text:
            return UNKNOWN, WHOLE
        name, kind = fold(name)
        return (f"{name} {module}" if module else name), kind

    def locate(self, address):
        """Name of the function, what its symbol is, and whether the address is the first one of it."""
        number = bisect.bisect_right(self.starts, address) - 1
        if number < 0:
            return UNKNOWN, WHOLE, False
        name, kind = self.shown(number)
        return name, kind, self.starts[number] == address
