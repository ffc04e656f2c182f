#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check.py VENDOR SIDESTEP LEDGER...: what the ledgers that boots.sh has left say of a kernel's boot. LEDGER is the path
of one, without its ending: `fixed` is of a kernel that lies where its symbols say, `moved` of one that has moved itself,
`other` of one that was run with symbols of another kernel, `marks` of one whose program names what it does (marks.c).
"""
import json
import pathlib
import subprocess
import sys

# Exits to the VMM from the first instruction to the first program: what the kernel looks for in vain, 8250s above all.
VMM_EXITS_MAX = {"amd": 300, "intel": 550}
# Of 128 MiB in pages of 4 KiB it would be 16,000. On AMD those of the IOAPIC, 890, are among them.
PAGE_FAULTS_MAX = {"amd": 1500, "intel": 500}
# Of all exits, and of those outside the monitor.
NAMED_MIN, KERNEL_MIN = 0.98, 0.75
# What stands for code without a function, and for none of the kernel's.
UNNAMED = ("", "-", "?")
PLACES = ("[user]", "[boot]", "relay")
# Where /init has read from when the guest is in user space.
USER_SPACE = "0xd0000000"
VAULT_SWITCHES = 4
CR0_WRITES = {"amd": ("CR0 write",), "intel": ("control-register access",)}
PAGE_FAULT = {"amd": "nested page fault", "intel": "EPT violation"}
# What marks.c names, so often, and the exits of each repetition at L0 and at the VMM: 20 characters take an exit each at
# least, and a timer some of L0's.
MARKED_TIMES = 20
MARKED = {
    "getppid-1000": (range(1), range(1)), "write-console": (range(20, 80), range(20, 80)),
    "nanosleep-1ms": (range(1, 10), range(1)), "fork": (range(10), range(1)), "port-10": (range(10, 11), range(10, 11)),
}
faults = []


def check(condition, text):
    print(text)
    if not condition:
        faults.append(text)


def report(sidestep, ledger, *words):
    done = subprocess.run([sidestep, "report", *words, ledger], check=True, text=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def groups(sidestep, ledger, key, level):
    """Exits of a level, by what the key tells apart."""
    rows = report(sidestep, ledger, "--by", key, "--format", "json")["exits"]
    return {row[key]: row["exits"] for row in rows if row["level"] == level}


def is_named(symbol):
    """Where no name is known a row tells where the code is: 0x..."""
    return symbol not in UNNAMED and not symbol.startswith("0x")


def kernel_functions(symbols):
    return sum(count for symbol, count in symbols.items() if is_named(symbol) and symbol not in PLACES)


def check_symbols(sidestep, name, ledger):
    symbols = groups(sidestep, ledger, "symbol", "l0")
    kernel = kernel_functions(symbols)
    if name == "other":
        check(kernel == 0, f"{name}: {kernel} of {sum(symbols.values())} exits at L0 are in a function, by another's names")
        return
    total = sum(symbols.values())
    named = sum(count for symbol, count in symbols.items() if is_named(symbol))
    check(named >= NAMED_MIN * total, f"{name}: {named} of {total} exits at L0 are in a function or a known place")
    total -= symbols.get("relay", 0)
    check(kernel >= KERNEL_MIN * total, f"{name}: {kernel} of them in a function of the kernel")
    # Leaves of CPUID and pins of the IOAPIC, which every boot goes through.
    for function in ("native_cpuid", "native_io_apic_read"):
        check(symbols.get(function, 0) > 100, f"{name}: {symbols.get(function, 0)} of them in {function}")


def check_vault(vendor, sidestep, ledger):
    violations = report(sidestep, ledger, "--by", "violation", "--format", "json")["violations"]
    made = [(row["view_name"], row["region"], row["access"], (row["symbol"] or "").split("+")[0], row["count"]) for row in violations]
    by_kernel = "copy_from_kernel_nofault"
    check(made == [("outside", "vault", "read", "[user]", 1), ("outside", "vault", "write", "[user]", 1),
                   ("outside", "vault", "read", by_kernel, 1)], f"vault: {made} break the policy")
    service = {row["level"]: row["exits"] for row in report(sidestep, ledger, "--by", "service", "--format", "json")["exits"]}
    # Where the processor has VMFUNC its exits are at L0 alone, and no record says of a service.
    check(service == ({"monitor": VAULT_SWITCHES} if vendor == "amd" else {}), f"vault: {service} exits ask for a service")
    monitors = groups(sidestep, ledger, "symbol", "l0").get("relay", 0)
    check(monitors > 0, f"vault: {monitors} exits at L0 are the monitor's own")
    for level in ("l0", "monitor"):
        count = sum(groups(sidestep, ledger, "reason", level).get(reason, 0) for reason in CR0_WRITES[vendor])
        check(count > 0, f"vault: {count} writes of CR0 under the masks at level {level}")


def check_way_to_user_space(vendor, sidestep, ledger):
    events = report(sidestep, ledger, "--format", "trace")["traceEvents"]
    exits = sorted((event for event in events if event.get("cat") == "vmm" and event["ph"] == "i"), key=lambda event: event["ts"])
    addresses = [event["args"].get("address") for event in exits]
    check(addresses.count(USER_SPACE) == 1, f"{addresses.count(USER_SPACE)} exits mark the beginning of user space")
    before = addresses.index(USER_SPACE) if USER_SPACE in addresses else len(addresses)
    check(before <= VMM_EXITS_MAX[vendor], f"{before} exits to the VMM until user space, of {len(exits)}")


def check_page_faults(vendor, sidestep, ledger):
    count = groups(sidestep, ledger, "reason", "l0").get(PAGE_FAULT[vendor], 0)
    check(0 < count <= PAGE_FAULTS_MAX[vendor], f"{count} page faults of guest memory at L0")


def check_marks(sidestep, ledger):
    rows = {row["operation"]: row for row in report(sidestep, ledger, "--format", "json")["operations"]}
    check(list(rows) == [*MARKED], f"marks: {', '.join(rows)}")
    for name, (l0, vmm) in MARKED.items():
        row = rows.get(name, {})
        check(row.get("repetitions") == MARKED_TIMES, f"marks: {name} was performed {row.get('repetitions')} times")
        check(row.get("l0") in l0 and row.get("vmm") in vmm, f"marks: {name} has exits {row.get('l0')} at L0, {row.get('vmm')} at the VMM")


def main():
    vendor, sidestep = sys.argv[1:3]
    for path in sys.argv[3:]:
        name, ledger = pathlib.Path(path).name, f"{path}.ledger"
        if not pathlib.Path(ledger).exists():
            check(False, f"{name}: no ledger")
            continue
        if name == "marks":
            check_marks(sidestep, ledger)
            continue
        check_symbols(sidestep, name, ledger)
        if name == "vault":
            check_vault(vendor, sidestep, ledger)
        if name == "fixed":
            check_way_to_user_space(vendor, sidestep, ledger)
            check_page_faults(vendor, sidestep, ledger)
    for text in faults:
        print(f"failed: {text}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
