#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_ledger.py LEDGER.json [BENCH.json BARS.json]: what a run in a lab must show.

Every operation agrees with the reference model (the program says so itself); the sources of evidence
agree with one another, operation by operation; and the costs in BENCH.json keep within BARS.json.
"""
import json
import sys

faults = []


def check(name, condition, text):
    if not condition:
        faults.append(f"{name}: {text}")


def sources_agree(row):
    stats, exits, name = row["kvm_stats"], row["exits_total"], row["operation"]
    bracket = 1  # the port write that ends a batch
    if "kvm:kvm_exit" in stats and "exits" in stats:
        own = stats["exits"] - stats["irq_exits"]
        check(name, stats["kvm:kvm_exit"] == own,
              f"tracepoint kvm_exit {stats['kvm:kvm_exit']}, KVM_GET_STATS_FD {own}")
    if "kvm:kvm_userspace_exit" in stats:
        check(name, stats["kvm:kvm_userspace_exit"] == exits["vmm"] + bracket,
              f"tracepoint kvm_userspace_exit {stats['kvm:kvm_userspace_exit']}, "
              f"run loop {exits['vmm']} + {bracket}")
    if row["monitor"] is not None:
        injected = stats.get("kvm:kvm_nested_vmexit_inject")
        if injected is not None:
            check(name, injected == exits["monitor"],
                  f"tracepoint kvm_nested_vmexit_inject {injected}, ring {exits['monitor']}")
        if "nested_run" in stats:
            check(name, stats["nested_run"] == exits["monitor"],
                  f"KVM_GET_STATS_FD nested_run {stats['nested_run']}, ring {exits['monitor']}")


def within(rows, bars):
    for name, bar in bars.items():
        row = rows.get(name)
        if row is None:
            check(name, False, "not measured")
            continue
        ticks = row["ticks_median"]
        if "ticks" in bar:
            low, high = bar["ticks"] * 0.85, bar["ticks"] * 1.15
            check(name, low <= ticks <= high, f"{ticks} ticks, not within 15 % of {bar['ticks']}")
        if "at_most" in bar:
            check(name, ticks <= bar["at_most"], f"{ticks} ticks, more than {bar['at_most']}")
        for level in ("l0", "monitor", "vmm"):
            if level in bar:
                check(name, row[level] == bar[level],
                      f"{row[level]} exits at {level}, not {bar[level]}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ledger = json.load(file)
    check("totals", ledger["totals"]["failed"] == 0, f"{ledger['totals']['failed']} failed")
    check("totals", ledger["totals"]["passed"] > 0, "nothing passed")
    for row in ledger["operations"]:
        if row["result"] != "skip":
            sources_agree(row)
    if len(sys.argv) > 3:
        with open(sys.argv[2], encoding="utf-8") as file:
            bench = json.load(file)
        with open(sys.argv[3], encoding="utf-8") as file:
            bars = json.load(file)
        within({row["operation"]: row for row in bench["operations"]}, bars)
    print(f"{len(ledger['operations'])} operations, {len(faults)} faults")
    for fault in faults:
        print("not ok -", fault)
    return 1 if faults else 0


sys.exit(main())
