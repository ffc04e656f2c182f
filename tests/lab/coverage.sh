#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# coverage.sh SOURCE BUILD LAB ENGINE: what only a lab can run, for a build with coverage: the nested
# engine with its answers, services and devices. Leaves the counters in BUILD/lab-coverage/LAB, as a tree
# like BUILD, for tools/figures.
set -euo pipefail
source=$1 build=$(realpath "$2") lab=$3 engine=$4
counters=$build/lab-coverage/$lab
rm -rf "$counters"
mkdir -p "$counters"
puts=()
for guest in encodings retires raise dispositions disk violations violations_odd cr8 modes undefined; do
	puts+=(--put "$build/tests/hostile/hostile_$guest.elf")
done
# shellcheck disable=SC2016 # expanded in the lab
"$source/tools/lab" "$lab" --build "$build" --timeout $((500 * ${PATIENCE:-12})) "${puts[@]}" \
	--put "$build/tests/services/services_parameters.elf" \
	--put "$build/guestfw/modules/modules.elf" --put "$source/examples/kernel-drivers.views" \
	--get counters.tar="$counters/counters.tar" -- sh -c '
	export GCOV_PREFIX=/tmp/counters
	status=0
	try() {
		"$@" >out 2>&1 && return
		echo "failed: $*"
		cat out
		status=1
	}
	guest() { # FILE OPTION...
		file=$1
		shift
		try sidestep run -q --engine "$engine" --timeout 30 "$@" "$file"
	}
	engine=$0
	try sidestep info
	# Counters need no thousand repetitions; what the catalogue says is judged in the release build.
	try sidestep bench --engine "$engine" --count 20 --ledger ledger
	try sidestep test --engine "$engine" --trace sample "cr0.ts.*" "ref.*"
	guest hostile_encodings.elf --own ts --shadow mp
	guest hostile_modes.elf --own ts --shadow mp
	for name in cr8 undefined; do
		guest "hostile_$name.elf"
	done
	guest hostile_retires.elf --own none --shadow ts,mp
	head -c 8192 /dev/zero >disk
	for name in raise dispositions disk; do
		guest "hostile_$name.elf" --disk disk
	done
	guest hostile_violations.elf --on-violation inject
	for answer in inject report; do
		guest hostile_violations_odd.elf --on-violation "$answer"
	done
	guest /usr/bin/violation_nested.elf --on-violation report
	try sidestep test --engine "$engine" --random 300
	guest services_parameters.elf --vms 2
	guest modules.elf --on-violation report --views kernel-drivers.views
	tar -C /tmp/counters -cf counters.tar .
	exit $status' "$engine"
# The names in it are those of the objects, from the root on.
tar -C "$counters" --strip-components="$(tr -cd / <<<"/.$build" | wc -c)" -xf "$counters/counters.tar"
rm "$counters/counters.tar"
[[ -e $counters/sidestep.p/vmm_main.c.gcda ]] || {
	echo 'no counters came back'
	exit 1
}
