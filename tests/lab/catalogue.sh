#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# catalogue.sh SOURCE BUILD LAB ENGINE KERNEL [BARS]: the catalogue in a lab, on both engines that run
# there, and a guest that uses CR0 in every encoding. Nested, every exit at L0 is recorded. With BARS
# costs are held against that file, and those of profiling against the costs without. On Intel the vmcs12
# is read back, on AMD a guest looks for SVM that must be hidden from it.
set -euo pipefail
source=$1 build=$2 lab=$3 engine=$4 kernel=$5 bars=${6:-}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# shellcheck disable=SC2016 # expanded in the lab
"$source/tools/lab" "$lab" --build "$build" --kernel "$kernel" --timeout 400 \
	--put "$build/tests/hostile/hostile_encodings.elf" \
	--get nested.json="$results/nested.json" --get flat.json="$results/flat.json" \
	--get bench.json="$results/bench.json" --get profile.json="$results/profile.json" -- sh -c '
	status=0
	sidestep test --engine "$0" --trace sample --format json -o nested.json || status=1
	sidestep test --engine flat --format json -o flat.json || status=1
	sidestep bench --engine "$0" --format json -o bench.json || status=1
	: >profile.json
	[ -z "$1" ] || sidestep profile --engine "$0" --format json >profile.json || status=1
	for masks in "" "--shadow ts,mp" "--own none" "--own ts" "--shadow mp"; do
		sidestep run -q --engine "$0" --timeout 5 $masks hostile_encodings.elf || status=1
	done
	if [ "$0" = vmx ]; then
		vmcs_readback || status=1
	else
		sidestep run -q --engine "$0" --timeout 5 /usr/bin/svm_hidden.elf || status=1
	fi
	exit $status' "$engine" "$bars"
check=$source/tests/lab/check_ledger.py
if [[ $bars ]]; then
	"$check" "$results/nested.json" "$results/bench.json" "$bars" "$results/profile.json"
else
	"$check" "$results/nested.json"
fi
"$check" "$results/flat.json"
