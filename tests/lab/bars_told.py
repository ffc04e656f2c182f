#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Whether bars.py tells what a ledger has changed: of the bars, a ledger is made, then each change to it in turn."""
import copy
import re
import sys

import bars

REPETITIONS = 1000


def row_of(name, bar):
    if isinstance(bar, str):
        return {"operation": name, "repetitions": None, "note": bar}
    row = {"operation": name, "repetitions": REPETITIONS, "ticks_min": bar["ticks"], "note": None}
    totals = {}
    for level in bars.LEVELS:
        if bar[level] == "-":
            totals[level] = None
            continue
        each, rest = re.fullmatch(r"(\d+)([+-]\d+)?", bar[level]).groups()
        totals[level] = int(each) * REPETITIONS + int(rest or 0)
    row["kvm_stats"] = {"exits": totals.pop("l0") + 1 + 5, "irq_exits": 5}
    return row | {"exits_total": totals}


def change(ledger, name, apply):
    ledger = copy.deepcopy(ledger)
    rows = ledger["operations"]
    at = next(i for i, row in enumerate(rows) if row["operation"] == name)
    apply(rows, at)
    return ledger


def add_ticks(share):
    return lambda rows, at: rows[at].update(ticks_min=rows[at]["ticks_min"] * (1 + share))


def add_exit(level):
    def apply(rows, at):
        if level == "l0":
            rows[at]["kvm_stats"]["exits"] += 1
        else:
            rows[at]["exits_total"][level] += 1
    return apply


def skip(rows, at):
    rows[at] = {"operation": rows[at]["operation"], "repetitions": None, "note": "needs: vmx; host: no"}


CASES = [
    # name, what happens to it, whether this is told exactly, and roughly
    ("service.port", add_ticks(0.029), False, False),
    ("service.port", add_ticks(0.031), True, False),
    ("service.port", add_ticks(-0.031), True, False),
    ("cr0.ts.mov", add_ticks(0.2), True, True),
    ("cr0.ts.mov.kept", add_ticks(0.16), True, True),
    ("service.port", add_ticks(0.5), True, False),
    *(("cr0.ts.mov.kept", add_exit(level), True, True) for level in bars.LEVELS),
    *(("service.port", add_exit(level), True, level != "l0") for level in bars.LEVELS),
    ("ref.cpuid", lambda rows, at: rows.pop(at), True, True),
    ("ref.cpuid", lambda rows, at: rows.insert(at, rows[at] | {"operation": "ref.new"}), True, True),
    ("ref.cpuid", skip, True, True),
]


def faults_of(name):
    path = bars.FILES / name
    held, kernel = bars.read_bars(path)
    ledger = {"kernel": kernel, "operations": [row_of(name, bar) for name, bar in held.items() if bar != bars.NOT_RUN]}
    for rough in (False, True):
        yield from bars.hold(path, ledger, rough)
    for number, (operation, apply, *wanted) in enumerate(CASES):
        changed = change(ledger, operation, apply)
        told = [bool(bars.hold(path, changed, rough)) for rough in (False, True)]
        if told != wanted:
            yield f"{name}, case {number}, {operation}: told {told}, wanted {wanted}"


def main():
    faults = [fault for name in ("amd-svm", "intel-vmx") for fault in faults_of(name)]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
