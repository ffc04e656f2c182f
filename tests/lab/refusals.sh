#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# refusals.sh SOURCE BUILD: a host without nested VMX refuses the engine before a vCPU runs.
set -uo pipefail
source=$1 build=$2
out=$("$source/tools/lab" intel --build "$build" --kvm-option nested=0 --timeout 60 -- sh -c '
	sidestep test --engine vmx
	echo "status $?"
	sidestep info | grep "^  vmx "
	sidestep run --engine vmx --ledger left
	echo "status $?"
	ls left 2>/dev/null' 2>&1)
wanted='sidestep: engine vmx cannot run here: needs: vmx; host: no nested VMX'
echo "$out"
[[ $(grep -c "^$wanted" <<<"$out") == 2 ]] || exit 1
[[ $(grep -cx 'status 77' <<<"$out") == 2 ]] || exit 1
grep -q '^  vmx   no   no nested VMX' <<<"$out" || exit 1
! grep -qx left <<<"$out"
