#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# refusals.sh SOURCE BUILD LAB ENGINE: a host without nested virtualization refuses the engine before a
# vCPU runs.
set -uo pipefail
source=$1 build=$2 lab=$3 engine=$4
# shellcheck disable=SC2016 # expanded in the lab
out=$("$source/tools/lab" "$lab" --build "$build" --kvm-option nested=0 --timeout 1000 -- sh -c '
	sidestep test --engine "$0"
	echo "status $?"
	sidestep info | grep "^  $0 "
	sidestep run --engine "$0" --ledger left
	echo "status $?"
	ls left 2>/dev/null' "$engine" 2>&1)
wanted="sidestep: engine $engine cannot run here: needs: $engine; host: no nested ${engine^^}"
echo "$out"
[[ $(grep -c "^$wanted" <<<"$out") == 2 ]] || exit 1
[[ $(grep -cx 'status 77' <<<"$out") == 2 ]] || exit 1
grep -q "^  $engine   no   no nested ${engine^^}" <<<"$out" || exit 1
! grep -qx left <<<"$out"
