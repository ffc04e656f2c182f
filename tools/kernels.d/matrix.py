# SPDX-License-Identifier: GPL-2.0-only
"""What changed from one kernel to the next: pure, nothing is run or read here."""

LEVELS = ("l0", "monitor", "vmm")
NOT_PERFORMED, NOT_OBSERVED = "not performed", "not observed"
# Of a change, when both its sides have been measured again: to the last digit the same; other numbers, but exits or
# ticks changed in the same way; no such change.
IDENTICAL, HOLDS, GONE = "identical", "holds", "gone"


def cells_of(report):
    """Of a report of `sidestep bench`: for each operation its exits and ticks, or why there are none."""
    cells = {}
    for row in report["operations"]:
        if row["repetitions"] and row["ticks_median"] != NOT_OBSERVED:
            cells[row["operation"]] = {**{level: row[level] for level in LEVELS}, "ticks": row["ticks_median"]}
        else:
            cells[row["operation"]] = {"note": row["note"] or NOT_PERFORMED}
    return cells


def percent(before, after):
    return 100 * (after / before - 1) if before else (0.0 if after == before else float("inf"))


def change_of(before, after, threshold, exits_only=False):
    """What makes two cells differ: None, or a set of `exits`, `ticks`, `performed`."""
    if ("note" in before) != ("note" in after):
        return {"performed"}
    if "note" in before:
        return None
    found = set()
    if any(before[level] != after[level] for level in LEVELS):
        found.add("exits")
    if not exits_only and 100 * abs(after["ticks"] - before["ticks"]) > threshold * before["ticks"]:
        found.add("ticks")
    return found or None


def way_of(kind, before, after):
    """What changed from what to what: of ticks only in which direction."""
    if kind == "performed":
        return "note" in before
    if kind == "exits":
        return [(before[level], after[level]) for level in LEVELS]
    return after["ticks"] > before["ticks"]


def fitting(columns):
    """Names of operations that occur, in the order of the catalogue."""
    return list(dict.fromkeys(name for column in columns if column.cells for name in column.cells))


class Column:
    """A kernel in one lab and engine. `cells` are of the first run, `again` of the second; either may be None."""

    def __init__(self, label, cells=None, failed=None):
        self.label, self.cells, self.failed, self.again = label, cells, failed, None

    def cell(self, name):
        return self.cells.get(name, {"note": NOT_PERFORMED}) if self.cells else None

    def cell_again(self, name):
        return self.again.get(name, {"note": NOT_PERFORMED})


class Matrix:
    """All columns of one lab and engine, and what changed from each to the next."""

    def __init__(self, lab, engine, columns, threshold, exits_only=False):
        self.lab, self.engine, self.columns = lab, engine, columns
        self.threshold, self.exits_only = threshold, exits_only
        self.operations = fitting(columns)
        self.changes = {}  # (operation, number of the column): (number of the one before, kinds)
        before = None
        for number, column in enumerate(columns):
            if not column.cells:
                continue
            if before is not None:
                for name in self.operations:
                    kinds = change_of(columns[before].cell(name), column.cell(name), threshold, exits_only)
                    if kinds:
                        self.changes[name, number] = before, kinds
            before = number

    def changed_operations(self):
        return [name for name in self.operations if any(name == changed for changed, _ in self.changes)]

    def columns_to_repeat(self):
        """Both sides of each change."""
        return sorted({number for (_, after), (before, _) in self.changes.items() for number in (before, after)})

    def repeated(self, name, number):
        """What became of a change when both its sides were measured again. None: they were not."""
        at, kinds = self.changes[name, number]
        sides = [self.columns[side] for side in (at, number)]
        if any(side.again is None for side in sides):
            return None
        first, again = [side.cell(name) for side in sides], [side.cell_again(name) for side in sides]
        if first == again:
            return IDENTICAL
        still = kinds & (change_of(*again, self.threshold, self.exits_only) or set())
        return HOLDS if any(way_of(kind, *first) == way_of(kind, *again) for kind in still) else GONE

    def counted(self):
        """How many changes are to be believed: those that were not gone the second time."""
        return sum(self.repeated(*change) != GONE for change in self.changes)
