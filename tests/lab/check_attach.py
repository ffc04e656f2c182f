#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_attach.py SOURCE SIDESTEP VENDOR DIRECTORY GUEST...: what `sidestep profile --pid` has counted of the VMM of each GUEST
is what the kernel's own histograms have counted of the same threads at the same time, exit for exit: in all, by reason, by
RIP, by function of the guest's kernel. DIRECTORY has what attach/watched.sh has left.
"""
import bisect
import collections
import json
import pathlib
import re
import subprocess
import sys

ENTRY = re.compile(r"^\{ (.*?) \} hitcount: +(\d+)", re.MULTILINE)
FIELD = re.compile(r"(\w+): +(\d+)")
REASON_FILE = {"amd": "svm_reason.def", "intel": "vmx_reason.def"}
# Text of Linux, without KASLR. What lies elsewhere is user space, or the kernel before it has page tables.
TEXT_MIN = 0xffffffff81000000
# Guests of which nothing is missed: KVM's own statistics, from the creation of the vCPU on, have the same number.
FROM_THE_START = ("loop", "linux", "qemu")
LINUX = ("linux", "qemu")
EXITS_MIN = {"loop": 2 * 3300, "linux": 10000, "qemu": 2000, "nested": 5000}
NESTED_MIN = 1000
SHOWN = 8
faults = []


def check(condition, text):
    print(f"{'' if condition else 'failed: '}{text}")
    if not condition:
        faults.append(text)


class Results:
    """Of one guest."""

    def __init__(self, sidestep, directory, guest):
        self.sidestep, self.directory, self.guest = sidestep, directory, guest

    def text(self, ending):
        return (self.directory / f"{self.guest}.{ending}").read_text(encoding="utf-8", errors="replace")

    def histogram(self, ending):
        """How often each combination of keys was seen."""
        text = self.text(ending)
        rows = [({name: int(value) for name, value in FIELD.findall(keys)}, int(count)) for keys, count in ENTRY.findall(text)]
        total = re.search(r"^ *Hits: (\d+)\n *Entries: \d+\n *Dropped: (\d+)$", text, re.MULTILINE)
        if not total:
            raise ValueError(f"no histogram `{ending}`")
        hits, dropped = map(int, total.groups())
        check(dropped == 0 and hits == sum(count for _, count in rows),
              f"{self.guest}: the kernel's histogram `{ending}` has all {hits} hits")
        return rows

    def statistics(self):
        """KVM's, added up over vCPUs."""
        total = collections.Counter()
        for name, value in re.findall(r"^vcpu\d+ (\w+) (\d+)$", self.text("vmm"), re.MULTILINE):
            total[name] += int(value)
        return total

    def ledger(self, key, level):
        """Exits of a level, by what the key tells apart."""
        done = subprocess.run([self.sidestep, "report", "--by", key, "--format", "json",
                               self.directory / f"{self.guest}.ledger"], check=True, text=True, stdout=subprocess.PIPE)
        return groups(json.loads(done.stdout), key, level)

    def last(self):
        """The summary that was printed when the VM had ended."""
        return json.loads(self.text("json").splitlines()[-1])

    def summary(self, key, level):
        return groups(self.last(), key, level)


def groups(document, key, level):
    counts = collections.Counter()
    # What is a list of rows in a report is a sum of each level in a profile.
    for row in document["rows"] if "rows" in document else document.get("exits", []):
        if row["level"] == level:
            counts[row[key]] += row["exits"]
    return counts


def summed(rows, name_of):
    counts = collections.Counter()
    for keys, count in rows:
        counts[name_of(keys)] += count
    return counts


def compare(what, kernel, ours):
    """Says where they differ, and shows the first differences."""
    differing = sorted(key for key in {*kernel, *ours} if kernel[key] != ours[key])
    check(not differing and kernel, f"{what}: {len(kernel)} of {sum(kernel.values())} exits, the same in kernel and sidestep"
          if not differing else f"{what}: {len(differing)} differ, {sum(kernel.values())} exits in all by the kernel, {sum(ours.values())} by sidestep")
    for key in differing[:SHOWN]:
        print(f"    {key}: {kernel[key]} by the kernel, {ours[key]} by sidestep")


def table_of(path, pattern):
    return {int(number, 0): name for number, name in re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)}


def hardware_reasons(source, vendor):
    names = table_of(source / "vmm/ledger" / REASON_FILE[vendor], r'^(?:SVM|VMX)_REASON\((?:\w+, )??(0x[0-9a-f]+|\d+), "(.*)"\)$')
    # Bits above 15 are flags of VMX.
    return lambda number: names.get(number & 0xffff if vendor == "intel" else number, "?")


def functions(path):
    """Which names the function at an address has: a list, since aliases are one."""
    names = collections.defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        address, kind, name = line.split()[:3]
        if kind in "tTwW" and int(address, 16) >= TEXT_MIN:
            names[int(address, 16)].append(name)
    starts = sorted(names)
    return lambda address: names[starts[bisect.bisect(starts, address) - 1]]


def compare_functions(results, rows, function_of):
    """By any name that the function has; what the guest's user space and first steps do has none."""
    kernel, ours = collections.Counter(), collections.Counter()
    # Of several functions with one name each has its address behind it.
    for name, count in results.ledger("symbol", "l0").items():
        ours[re.sub(r"@[0-9a-f]+$", "", name)] += count
    for keys, count in rows:
        if keys["guest_rip"] >= TEXT_MIN:
            names = function_of(keys["guest_rip"])
            kernel[next((name for name in names if name in ours), names[0])] += count
    compare(f"{results.guest}: by function", kernel, collections.Counter({name: ours[name] for name in kernel}))


def check_exits(results, rows, reason_of):
    guest, by_reason = results.guest, summed(rows, lambda keys: reason_of(keys["exit_reason"]))
    total = sum(by_reason.values())
    check(total >= EXITS_MIN[guest], f"{guest}: {total} exits, at least {EXITS_MIN[guest]}")
    if guest in FROM_THE_START:
        exits = results.statistics()["exits"]
        check(exits == total, f"{guest}: KVM's statistics have {exits} exits")
    compare(f"{guest}: by reason", by_reason, results.ledger("reason", "l0"))
    compare(f"{guest}: by reason, as printed", by_reason, results.summary("reason", "l0"))
    compare(f"{guest}: by rip", summed(rows, lambda keys: hex(keys["guest_rip"])), results.ledger("rip", "l0"))


def check_userspace(results, exit_names):
    """A return by a signal has no reason of its own."""
    rows = results.histogram("userspace")
    kernel = summed(rows, lambda keys: exit_names.get(keys["reason"], "?") if keys["errno"] == 0 else "intr")
    runs = results.statistics()["runs"] if results.guest in ("loop", "linux") else 0
    if runs:
        check(sum(kernel.values()) == runs, f"{results.guest}: KVM_RUN has returned {runs} times by the VMM's own count")
    compare(f"{results.guest}: at the VMM by reason", kernel, results.ledger("reason", "vmm"))


def check_nested(results, reason_of):
    nested, injected = results.histogram("nested"), results.histogram("inject")
    entered = sum(count for _, count in results.histogram("enter"))
    total = sum(count for _, count in nested)
    if results.guest != "nested":
        check(total == 0 and not injected and entered == 0, f"{results.guest}: no guest of the guest")
        return
    check(total >= NESTED_MIN, f"nested: {total} exits of the guest's guest, at least {NESTED_MIN}")
    check(entered >= len(injected), f"nested: {entered} entries of the guest's guest")
    compare("nested: exits of the guest's guest, as printed", collections.Counter(l2=total),
            collections.Counter(l2=int(sum(row["exits"] for row in results.last()["rows"]
                                           if row["guest"] == "l2" and row["level"] == "l0"))))
    compare("nested: to the monitor by reason", summed(injected, lambda keys: reason_of(keys["exit_code"])),
            results.ledger("reason", "monitor"))


def check_losses(results):
    vcpus = results.last()["vcpus"]
    check(vcpus and all(vcpu["lost"] == 0 for vcpu in vcpus), f"{results.guest}: nothing was lost of {len(vcpus)} vCPUs")


def main():
    source, sidestep, vendor, directory = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
    reason_of = hardware_reasons(source, vendor)
    exit_names = table_of(source / "vmm/ledger/exit.def", r"^EXIT\((\d+), .*, (\w+)\)$")
    function_of = functions(directory / "symbols")
    for guest in sys.argv[5:]:
        results = Results(sidestep, directory, guest)
        try:
            rows = results.histogram("exit")
            check_exits(results, rows, reason_of)
            check_userspace(results, exit_names)
            check_nested(results, reason_of)
            check_losses(results)
            if guest in LINUX:
                compare_functions(results, rows, function_of)
        except (OSError, ValueError, LookupError, subprocess.CalledProcessError) as error:
            check(False, f"{guest}: {error}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
