#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# random.sh SOURCE BUILD LAB ENGINE COUNT: in a lab, random programs of which none may differ from the
# model, and two VMs with opposite owners of TS and MP that toggle them, on Intel a
# million times in all.
set -euo pipefail
source=$1 build=$2 lab=$3 engine=$4 count=$5
# shellcheck disable=SC2016 # expanded in the lab
"$source/tools/lab" "$lab" --build "$build" --timeout 350 -- sh -c '
	set -e
	sidestep test --engine "$0" --random "$1" --timeout 300
	sidestep run --engine "$0" --vms 2 --own ts --shadow mp --own mp --shadow ts -q /usr/bin/toggle
	echo "two VMs: no flag of the other was seen"' "$engine" "$count"
