#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernels.sh SOURCE BUILD LAB ENGINE A B: two kernels in the matrix of tools/kernels. That a run at another time has the
# same exits and ticks, to the last digit, is what the tool's changes are believed for; and nothing is measured a third time.
set -euo pipefail
source=$1 build=$2 lab=$3 engine=$4
shift 4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

kernels() { # STATUS KERNEL...
	local status=0 wanted=$1

	shift
	"$source/tools/kernels" --build "$build" --cache "$scratch/cache" --lab "$lab" --engine "$engine" \
		--operation ref.nothing --operation ref.cpuid --operation 'cr0.ts.mov*' --all "$@" \
		>"$scratch/out" 2>"$scratch/err" || status=$?
	cat "$scratch/out" "$scratch/err"
	echo "status $status"
	[[ $status = "$wanted" ]]
}

kernels 1 "$@"
grep -Eq '^ref\.nothing +0/0/0 3\.0 +=$' "$scratch/out"
grep -Eq '^ref\.cpuid +[1-9][0-9/]* [0-9]+ +[0-9]+ [+-][0-9.]+%$' "$scratch/out"
changes=$(sed -En 's/^([1-9][0-9]*) changes? from .*/\1/p' "$scratch/out")
grep -q "^$changes of them: measured again, both kernels had the same " "$scratch/out"
cp "$scratch/out" "$scratch/before"
kernels 1 "$@"
cmp "$scratch/out" "$scratch/before"
[[ ! -s $scratch/err ]]
# One kernel alone differs from nothing.
kernels 0 "$1"
[[ ! -s $scratch/err ]]
