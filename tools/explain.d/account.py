# SPDX-License-Identifier: GPL-2.0-only
"""From instructions to what each function had of a repetition, and from two kernels to what makes the difference."""
import collections
import re

from symbols import COLD, PART, UNKNOWN, WHOLE, Unusable

KERNEL = 1 << 63
# guestfw/abi.h and guestfw/relay/relay.h: where a guest's memory ends and the relay begins, and where that ends.
GUEST_END, RELAY_END = 0xc0000000, 0xc6000000
GUEST, RELAY, USER = "[guest]", "[relay]", "[sidestep]"
INTERRUPTS = re.compile(r"^asm_(sysvec_.*|common_interrupt|exc_nmi|spurious_interrupt)$")


class Repetitions:
    """Of one kernel, what an operation has executed each time."""

    def __init__(self, symbols):
        self.symbols, self.places, self.all = symbols, {}, []

    def place(self, address, user):
        """Whose code it is; see Symbols.locate()."""
        if user:
            return USER, WHOLE, False
        if address is None:
            return UNKNOWN, WHOLE, False
        if address >= KERNEL:
            return self.symbols.locate(address)
        return (GUEST if address < GUEST_END else RELAY if address < RELAY_END else UNKNOWN), WHOLE, False

    def read(self, steps, ends, leaves):
        """`ends` are instructions that end a repetition and begin the next one, `leaves` those after the last one."""
        rows, before, before_address = None, None, None
        for address, user, ticks in steps:
            if address in ends and not user:
                if rows is not None:
                    self.all.append(rows)
                rows, before = collections.defaultdict(lambda: [0, 0]), None
            if address in leaves and not user:
                rows = None
            if rows is None:
                continue
            place = self.places.get((address, user))
            if place is None:
                place = self.places[address, user] = self.place(address, user)
            name, kind, first = place
            row = rows[name]
            row[1] += ticks
            row[0] += is_call(name, kind, first, before) and address != before_address
            before, before_address = name, address

    def interrupts(self, rows):
        """Bochs does not print the first instruction of a handler that interrupts."""
        return sum(max(calls, 1) for name, (calls, _) in rows.items() if INTERRUPTS.match(name))

    def typical(self):
        """Those that were interrupted least often: as a rule not at all."""
        if not self.all:
            raise Unusable("no whole repetition was traced")
        least = min(map(self.interrupts, self.all))
        return [rows for rows in self.all if self.interrupts(rows) == least]

    def mean(self):
        """Function: (calls, instructions) of a repetition."""
        chosen, sums = self.typical(), collections.defaultdict(lambda: [0, 0])
        for rows in chosen:
            for name, (calls, ticks) in rows.items():
                sums[name][0] += calls
                sums[name][1] += ticks
        return {name: (calls / len(chosen), ticks / len(chosen)) for name, (calls, ticks) in sums.items()}


def is_call(name, kind, first, before):
    """Code that has no functions here is entered when it was not running before. A part that the compiler made is the
    function itself where that goes on with it, and stands for it where a caller that contains the rest calls it."""
    if name.startswith("["):
        return name != before
    if not first or kind == COLD:
        return False
    return kind != PART or name != before


class Row:
    """A function under both kernels. Calls are None where the kernel has no function of that name."""

    def __init__(self, name, calls, instructions):
        self.name, self.calls, self.instructions = name, calls, instructions
        self.difference = instructions[1] - instructions[0]


class Account:
    """Two kernels side by side; `medians` are the ticks that were measured without a trace."""

    def __init__(self, sides, symbols, medians):
        self.medians, self.rows = medians, []
        for name in set(sides[0]) | set(sides[1]):
            calls = tuple(side[name][0] if name in side else 0 if name in known.names or name.startswith("[") else None
                          for side, known in zip(sides, symbols))
            self.rows.append(Row(name, calls, tuple(side.get(name, (0, 0))[1] for side in sides)))
        self.rows.sort(key=lambda row: (-abs(row.difference), -max(row.instructions), row.name))
        self.totals = tuple(sum(row.instructions[side] for row in self.rows) for side in (0, 1))
        self.measured = medians[1] - medians[0]
        self.traced = self.totals[1] - self.totals[0]
        # What no name is known for is no account of anything.
        self.named = sum(row.difference for row in self.rows if row.name != UNKNOWN)

    def share(self):
        """Percent of the measured difference. Too much said is as wrong as too little."""
        missing = abs(self.measured - self.named)
        if missing < 0.5 and abs(self.measured) < 0.5:
            return 100.0
        return 100 * (1 - missing / abs(self.measured)) if self.measured else 0.0
