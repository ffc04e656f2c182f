#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""l0_exits.py FILE: `sidestep test --trace sample --format json` on this host. What was recorded one by one
is, operation by operation, what the same tracepoints have counted, less the exit that ends a batch."""
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ledger = json.load(file)
    interpreted = ledger["backend"] == "pvm"
    counter = "kvm:kvm_emulate_insn" if interpreted else "kvm:kvm_exit"
    assert ledger["l0_exits"]["lost"] == 0, "samples lost"
    assert ledger["l0_exits"]["disagreements"] == [], ledger["l0_exits"]["disagreements"]
    for row in ledger["operations"]:
        name, stats, l0 = row["operation"], row["kvm_stats"], row["l0_exits"]
        counted = stats[counter] - 1
        assert l0["exits"] == counted, (name, l0, counted)
        if not l0["exits"]:
            continue
        assert l0["userspace"] == row["exits_total"]["vmm"], (name, l0, row["exits_total"])
        assert l0["by_rip"]["differs"] == 0, name
        assert sum(l0["by_rip"].values()) == l0["exits"], (name, l0)
        # Where every instruction is seen, the loop around the operation is, too.
        if interpreted:
            assert l0["by_rip"]["agrees"] >= 3 * row["repetitions"], (name, l0)


main()
