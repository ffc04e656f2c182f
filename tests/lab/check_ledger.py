#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_ledger.py LEDGER.json [BENCH.json PROFILE.json]: what a run in a lab must show.
   check_ledger.py --relay TRACE.json: what the relay's part of a VMFUNC that it carries out may cost.

Every operation agrees with the reference model (the program says so itself); the sources of evidence
agree with one another, operation by operation; and profiling as in PROFILE.json costs little more than not
profiling, as in BENCH.json.
"""
import json
import statistics
import sys

NOT_OBSERVED = "not observed"
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


def l0_agrees(row, ring):
    """Exits at L0 that were recorded one by one, beside all others who have seen some of them."""
    stats, exits, name = row["kvm_stats"], row["exits_total"], row["operation"]
    l0 = row["l0_exits"]
    bracket = 1  # the exit that ends a batch belongs to no operation; at L0 it is one of the guest's own

    def equal(what, recorded, other, source):
        check(name, recorded == other, f"{what} recorded {recorded}, {source} {other}")

    equal("exits", l0["exits"], stats["kvm:kvm_exit"] - bracket, "tracepoint kvm_exit")
    equal("exits", l0["exits"], stats["exits"] - stats["irq_exits"] - bracket, "KVM_GET_STATS_FD")
    equal("exits to user space", l0["userspace"] + l0["unprompted"], exits["vmm"], "run loop")
    if ring:
        equal("injected", l0["injected"], exits["monitor"], "ring")
        equal("resumed", l0["resumed"], stats["nested_run"], "KVM_GET_STATS_FD nested_run")
        equal("nested", l0["nested"], stats["kvm:kvm_nested_vmexit"] - bracket,
              "tracepoint kvm_nested_vmexit")
        # Every exit was one of the guest, which went to the relay or was handled at L0, or the relay's.
        handled = stats["kvm:kvm_nested_vmexit"] - stats["kvm:kvm_nested_vmexit_inject"] - bracket
        equal("nested, handled at L0", l0["nested"] - l0["injected"], handled, "tracepoints")
    check(name, l0["by_rip"]["differs"] == 0, "marker and RIP differ")


def profiling_is_cheap(bench, path, limit):
    with open(path, encoding="utf-8") as file:
        summary = json.loads(file.readlines()[-1])
    without = {row["operation"]: row["ticks_total"] for row in bench if row["repetitions"]}
    with_it = {row["operation"]: row["ticks_total"] for row in summary["operations"]}
    check("profile", with_it.keys() == without.keys(), "another set of operations than bench")
    more = sum(with_it.values()) / sum(without.values()) - 1
    recorded = 0 if summary["l0_exits"] == NOT_OBSERVED else summary["l0_exits"]["exits"]
    print(f"profiling: {recorded} of {summary['exits']['l0']:.0f} exits recorded, {100 * more:.1f} % more ticks")
    check("profile", more <= limit, f"{100 * more:.1f} % more ticks, at most {100 * limit:.0f} % allowed")
    check("profile", recorded > 0, "nothing was recorded")


def tell():
    for fault in faults:
        print("not ok -", fault)
    return 1 if faults else 0


def relay_is_quick(path, most):
    """From #UD to the switch it takes little longer than the hypercall does, though it has to look for VMFUNC."""
    costs = {}
    with open(path, encoding="utf-8") as file:
        for event in json.load(file)["traceEvents"]:
            if event.get("cat") == "monitor" and event["ph"] == "X":
                took = event["dur"]
            elif event.get("cat") == "monitor": # the arguments of the slice before
                costs.setdefault(event["args"]["operation"], []).append(took)
    vmfunc, vmmcall = (statistics.median(costs[f"view.switch.{name}"]) for name in ("vmfunc", "vmcall"))
    print(f"relay: VMFUNC {vmfunc:.3f} us, VMMCALL {vmmcall:.3f} us, {vmfunc / vmmcall:.2f} of it")
    check("relay", vmfunc <= most * vmmcall, f"VMFUNC takes more than {most} times what the hypercall takes")


def main():
    if sys.argv[1] == "--relay":
        relay_is_quick(sys.argv[2], 1.25)
        return tell()
    with open(sys.argv[1], encoding="utf-8") as file:
        ledger = json.load(file)
    check("totals", ledger["totals"]["failed"] == 0, f"{ledger['totals']['failed']} failed")
    check("totals", ledger["totals"]["passed"] > 0, "nothing passed")
    sampled = ledger["l0_exits"] != NOT_OBSERVED
    if sampled:
        check("totals", ledger["l0_exits"]["lost"] == 0, f"{ledger['l0_exits']['lost']} samples lost")
    for row in ledger["operations"]:
        if row["result"] != "skip":
            sources_agree(row)
            if sampled:
                l0_agrees(row, row["monitor"] is not None)
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as file:
            bench = json.load(file)
        profiling_is_cheap(bench["operations"], sys.argv[3], 0.10)
    print(f"{len(ledger['operations'])} operations, {len(faults)} faults")
    return tell()


sys.exit(main())
