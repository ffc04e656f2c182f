#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_modules.py LEDGER.json: the modules demonstration, as a report of its ledger shows it.

The hostile driver's three attempts are there, each answered by a fault, and nobody else's; and every
repetition was made. On an engine with a monitor a VMFUNC call costs what the engine's placement says.
"""
import json
import sys

# Operation, region, access, function that the instruction is in.
ATTEMPTS = {
    ("modules.hostile.write-kernel", "kernel-data", "write", "driver_a_serve"),
    ("modules.hostile.write-driver", "driver-b-data", "write", "driver_a_serve"),
    ("modules.hostile.jump-kernel", "kernel-text", "fetch", "kernel_middle"),
}
SWITCHES = {"modules.call": 2, "modules.chain": 6, "modules.after": 4}
KILLED = hex(2**64 - 14)

faults = []


def check(condition, text):
    if not condition:
        faults.append(text)


def violations(ledger, answer):
    seen = {(v["operation"], v["region"], v["access"], v["symbol"].split("+")[0])
            for v in ledger["violations"]}
    check(seen == ATTEMPTS, f"violations {sorted(seen)}")
    for violation in ledger["violations"]:
        check(violation["count"] == 1, f"{violation['operation']}: {violation['count']} times")
        check(violation["view_name"] == "driver-a", f"in view {violation['view_name']}")
        check(violation["gva"] == violation["gpa"], f"gva {violation['gva']}, memory is one to one")
        # `kernel_secret = 0;` and `driver_b_sum = 0;`, both of 8 bytes, and a jump to what is not to be fetched.
        is_write = violation["access"] == "write"
        check((violation["instruction"] or "").startswith("mov qword ptr ") == is_write,
              f"{violation['operation']}: {violation['instruction']}")
        check(violation["value"] == ("0x0" if is_write else None), f"{violation['operation']} of {violation['value']}")
        wanted = "faulted" if violation["access"] == "fetch" else answer
        check(violation["answer"] == wanted, f"{violation['operation']} {violation['answer']}")


def calls(ledger):
    rows = {row["operation"]: row for row in ledger["operations"]}
    monitor = ledger["engine"] != "flat"
    for base, switches in SWITCHES.items():
        row = rows[base + ".vmfunc"]
        check(row["repetitions"] >= 50, f"{base}: {row['repetitions']} repetitions")
        if ledger["engine"] == "vmx":
            # Nobody but the hypervisor in the host kernel has anything to do with it.
            exits = (row["l0"], row["exits_total"]["monitor"], row["exits_total"]["vmm"])
            check(exits == (switches, 0, 0), f"{base}: {exits} exits")
        elif ledger["engine"] == "svm":
            exits = (row["monitor"], row["exits_total"]["vmm"])
            check(exits == (switches, 0), f"{base}: {exits} exits")
        else:
            check(row["vmm"] == switches, f"{base}: {row['vmm']} exits")
        if monitor and base + ".vmcall" in rows:
            check(rows[base + ".vmcall"]["monitor"] == switches, f"{base}.vmcall")
    if ledger["engine"] == "vmx":
        ratio = rows["modules.call.vmcall"]["ticks_median"] / rows["modules.call.vmfunc"]["ticks_median"]
        check(ratio > 4, f"a VMCALL call costs {ratio:.1f} times a VMFUNC call")
    for attempt, *_ in ATTEMPTS:
        check(rows[attempt]["repetitions"] == 1, attempt)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ledger = json.load(file)
    answer = sys.argv[2] if len(sys.argv) > 2 else "faulted"
    violations(ledger, answer)
    calls(ledger)
    if answer == "faulted":
        for row in ledger["operations"]:
            if row["operation"].startswith("modules.hostile."):
                check(row["value"] == KILLED, f"{row['operation']} answered {row['value']}")
    for fault in faults:
        print(f"FAIL: {fault}")
    print(f"{len(ledger['operations'])} operations, {len(ledger['violations'])} violations, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
