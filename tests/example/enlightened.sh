#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: enlightened.sh SIDESTEP GUEST: with --flag-path enlightened GUEST goes by the words in its shared page, in
# every embodiment: TS that is kept reaches no register, TS that is owned does; and so does the built-in firmware, whose
# FPU operations then find no TS in the register.
set -u
sidestep=$1 guest=$2

kvm=${SIDESTEP_KVM:-/dev/kvm}
if ! [ -r "$kvm" ] || ! [ -w "$kvm" ]; then
	echo "needs: kvm; host: no access to $kvm"
	exit 77
fi

patience=${PATIENCE:-12}
status=0

run() { # OPTION...
	timeout -k 5 $((30 * patience)) "$sidestep" run --engine flat --timeout $((20 * patience)) "$@" || status=1
}

reads() { # VALUE OPTION...
	local wanted=$1
	shift
	run "$@" "$guest" | grep -q "^with TS set, CR0 reads as 0x00000000$wanted\$" && return
	echo "FAIL: $*: CR0 does not read as 0x$wanted"
	status=1
}

reads 80000039
for embodiment in two-words one-word single-mask owned-first shadow-first; do
	reads 80000031 --embodiment $embodiment --flag-path enlightened --own mp
	reads 80000039 --embodiment $embodiment --flag-path enlightened --own ts
done

# The first batch of an operation that starts from TS set, in a register or in the shadow. Where a run takes long to begin
# it is given longer.
first_batch() { # SECONDS
	timeout -k 5 $((30 * patience)) "$sidestep" run --engine flat --flag-path enlightened --own mp --workload fpu.ts@1 \
		--timeout "$1" 2>&1 | grep -Eq '^fpu\.ts +0x0 '
}
first_batch 3 || first_batch 12 || first_batch 48 || {
	echo 'FAIL: the firmware has TS in the register, though it is kept'
	status=1
}

exit $status
