#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# attach_cost.sh SOURCE BUILD VENDOR [CPUIDS OUTS]: what it costs a guest that somebody counts its exits, in one boot of a lab,
# attach/cost.sh: a table of ticks for each exit, of CPUIDs that KVM handles and of OUTs that the VMM does. No test: it
# shows what there is.
set -euo pipefail
source=$1 build=$2 vendor=$3 cpuids=${4:-20000} outs=${5:-2000}

"$source/tools/lab" "$vendor" --build "$build" --timeout $((250 * ${PATIENCE:-12})) --with perf --split \
	--put "$source/tests/lab/attach/cost.sh" -- sh cost.sh "$cpuids" "$outs" |
	awk -v cpuids="$cpuids" -v outs="$outs" '
		BEGIN { print "WATCHED BY               CPUID    MORE      OUT    MORE" }
		{
			cpuid = $2 / cpuids; out = $3 / outs
			if (NR == 1) { base_cpuid = cpuid; base_out = out }
			printf "%-21s %8.1f %7.1f %8.1f %7.1f\n", $1, cpuid, cpuid - base_cpuid, out, out - base_out
		}
		END { print "\nticks for each exit; MORE than untouched" }'
