#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# attach_cost.sh SOURCE BUILD VENDOR [CPUIDS OUTS]: what it costs a guest that somebody counts its exits, in one boot of a lab,
# attach/cost.sh: a table of ticks for each exit, of CPUIDs that KVM handles and of OUTs that the VMM does. With WATCHERS
# set, only of these. Fails if `sidestep profile` costs more than `perf kvm stat record` does, or more than a tenth of the
# time of a processor of 1,000 million ticks a second at 20,000 exits a second.
set -euo pipefail
source=$1 build=$2 vendor=$3 cpuids=${4:-20000} outs=${5:-2000}
read -ra watchers <<<"${WATCHERS-}"

# bpftrace brings a compiler along, so it is there only if it is asked for.
with=(--with perf)
[[ -n ${WATCHERS-} && $WATCHERS != *bpftrace* ]] || with+=(--with bpftrace --memory 2048)

"$source/tools/lab" "$vendor" --build "$build" --timeout $((250 * ${PATIENCE:-12})) "${with[@]}" --split \
	--put "$source/tests/lab/attach/cost.sh" -- sh cost.sh "$cpuids" "$outs" "${watchers[@]}" |
	awk -v cpuids="$cpuids" -v outs="$outs" -v most=$((1000000000 / 10 / 20000)) '
		BEGIN { print "WATCHED BY               CPUID    MORE      OUT    MORE" }
		{
			cpuid = $2 / cpuids; out = $3 / outs
			if (NR == 1) { base_cpuid = cpuid; base_out = out }
			if ($1 == "perf-kvm-stat-record") { perf_cpuid = cpuid; perf_out = out }
			if ($1 == "profile") { own_cpuid = cpuid; own_out = out }
			printf "%-21s %8.1f %7.1f %8.1f %7.1f\n", $1, cpuid, cpuid - base_cpuid, out, out - base_out
		}
		END {
			print "\nticks for each exit; MORE than untouched"
			if (!base_cpuid || !perf_cpuid || !own_cpuid) { print "failed: not all were measured"; exit 1 }
			if (own_cpuid >= perf_cpuid || own_out >= perf_out) { print "failed: profile costs more than perf"; exit 1 }
			if (own_cpuid - base_cpuid > most || own_out - base_out > most) {
				print "failed: profile costs more than " most; exit 1
			}
		}'
