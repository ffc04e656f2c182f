#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""asked_once.py TRACE: in a trace of raw_syscalls:sys_enter, nothing is asked twice that is the same each time: what KVM
offers, of one descriptor, and Landlock's version. Asked for at all is what every run of an engine with a monitor needs."""
import collections
import re
import sys

IOCTL, LANDLOCK_CREATE_RULESET = 16, 444
CHECK_EXTENSION = 0xae03
LANDLOCK_VERSION = 1
# By their numbers in linux/kvm.h.
QUESTIONS = {
    0xae00: "KVM_GET_API_VERSION",
    CHECK_EXTENSION: "KVM_CHECK_EXTENSION",
    0xae04: "KVM_GET_VCPU_MMAP_SIZE",
    0xaea3: "KVM_GET_TSC_KHZ",
    0xaece: "KVM_GET_STATS_FD",
    0xc004ae02: "KVM_GET_MSR_INDEX_LIST",
    0xc008ae05: "KVM_GET_SUPPORTED_CPUID",
    0xc008ae88: "KVM_GET_MSRS",
}
ALWAYS = {"KVM_GET_API_VERSION", "KVM_CHECK_EXTENSION", "KVM_GET_SUPPORTED_CPUID", "KVM_GET_TSC_KHZ", "Landlock"}

asked = collections.Counter()
for line in open(sys.argv[1], encoding="utf-8"):
    call = re.search(r"sys_enter: NR (\d+) \((\w+), (\w+), (\w+)", line)
    if not call:
        continue
    number, first, second, third = int(call[1]), *(int(word, 16) for word in call.groups()[1:])
    if number == LANDLOCK_CREATE_RULESET and third == LANDLOCK_VERSION:
        asked["Landlock", 0, 0] += 1
    elif number == IOCTL and second in QUESTIONS:
        asked[QUESTIONS[second], first, third if second == CHECK_EXTENSION else 0] += 1
missing = ALWAYS - {name for name, *_ in asked}
if missing:
    sys.exit(f"not asked at all: {', '.join(sorted(missing))}")
twice = [f"{name} of descriptor {descriptor} ({argument}): {count} times"
         for (name, descriptor, argument), count in asked.items() if count > 1]
if twice:
    sys.exit("\n".join(twice))
print(f"questions: {len(asked)}")
