#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: run.sh SIDESTEP GUEST [OPERATION...]: GUEST greets, sees four views and ends with status 0;
# the ledger has a row for every OPERATION, and none without one.
set -u
sidestep=$1 guest=$2
shift 2

kvm=${SIDESTEP_KVM:-/dev/kvm}
if ! [ -r "$kvm" ] || ! [ -w "$kvm" ]; then
	echo "needs: kvm; host: no access to $kvm"
	exit 77
fi

patience=${PATIENCE:-12}
output=$(timeout -k 5 $((30 * patience)) "$sidestep" run --timeout $((20 * patience)) "$guest")
status=$?
printf '%s\n' "$output"

fail()
{
	echo "FAIL: $*"
	exit 1
}

[ "$status" -eq 0 ] || fail "exit status $status"
grep -q '^Hello from a guest of sidestep\.$' <<<"$output" || fail "no greeting"
for view in 0 1 2 3; do
	grep -q "this view shows 0x7a6700000000000$view\$" <<<"$output" ||
		fail "view $view did not show its tag page"
done
for operation; do
	grep -q "^$operation  *0x[0-9a-f]*  *200 " <<<"$output" ||
		fail "no row for $operation in the ledger"
done
rows=$(printf '%s\n' "$output" | grep -c '^example\.')
[ "$rows" -eq $# ] || fail "$rows rows in the ledger, expected $#"
