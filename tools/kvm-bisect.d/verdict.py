# SPDX-License-Identifier: GPL-2.0-only
"""Which of two kernels a third is like, by what an operation costs under each. Pure: nothing here runs anything."""
import dataclasses

LEVELS = ("l0", "monitor", "vmm")
GOOD, BAD = "good", "bad"


class Same(Exception):
    """The kernels do not differ in what they are to be told apart by."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of an operation, for each repetition. A level at which exits are not observed is None."""
    ticks: float
    l0: float | None
    monitor: float | None
    vmm: float | None

    def exits(self):
        return tuple(getattr(self, level) for level in LEVELS)

    def __str__(self):
        exits = " ".join(f"{level} {number(value)}" for level, value in vars(self).items()
                         if level in LEVELS and value is not None)
        return f"{number(self.ticks)} ticks, exits: {exits or 'not observed'}"


def number(value):
    """As short as it is exact enough: 3, 0.25, 11476.8."""
    return "-" if value is None else f"{value:.{2 if abs(value) < 100 else 1}f}".rstrip("0").rstrip(".")


@dataclasses.dataclass(frozen=True)
class Criterion:
    """Tells bad from good: by exits, of which nearer is decided at all levels together, or by ticks."""
    by: str
    good: Cost
    bad: Cost
    threshold: float | None  # of ticks; exits have none

    def judge(self, cost):
        if self.by == "exits":
            return BAD if distance(cost, self.bad) <= distance(cost, self.good) else GOOD
        return BAD if (cost.ticks >= self.threshold) == (self.bad.ticks > self.good.ticks) else GOOD

    def __str__(self):
        if self.by == "exits":
            pairs = zip(LEVELS, self.good.exits(), self.bad.exits())
            return "exits: " + ", ".join(f"{level} {number(a)} or {number(b)}" for level, a, b in pairs if a != b)
        return f"ticks: {number(self.good.ticks)} or {number(self.bad.ticks)}, told apart at {number(self.threshold)}"


def distance(one, other):
    return sum(abs((a or 0) - (b or 0)) for a, b in zip(one.exits(), other.exits()))


def choose(good, bad, by=None, threshold=None):
    """The criterion for GOOD and BAD: exits if these differ, else ticks; `by` is one of them, whatever differs."""
    if by is None:
        by = "ticks" if threshold is not None or good.exits() == bad.exits() else "exits"
    if by == "exits":
        if good.exits() == bad.exits():
            raise Same(f"the same exits, {good}")
        return Criterion(by, good, bad, None)
    if good.ticks == bad.ticks:
        raise Same(f"the same cost, {good}")
    low, high = sorted((good.ticks, bad.ticks))
    if threshold is None:
        threshold = (low + high) / 2
    elif not low < threshold <= high:
        raise Same(f"{number(good.ticks)} and {number(bad.ticks)} ticks, both on one side of {number(threshold)}")
    return Criterion(by, good, bad, threshold)
