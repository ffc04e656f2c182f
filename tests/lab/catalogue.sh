#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# catalogue.sh SOURCE BUILD LAB ENGINE KERNEL [BARS]: the catalogue in a lab, on both engines that run
# there. With BARS costs are held against that file and, on Intel, the vmcs12 is read back.
set -euo pipefail
source=$1 build=$2 lab=$3 engine=$4 kernel=$5 bars=${6:-}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# shellcheck disable=SC2016 # expanded in the lab
"$source/tools/lab" "$lab" --build "$build" --kernel "$kernel" --timeout 300 \
	--get nested.json="$results/nested.json" --get flat.json="$results/flat.json" \
	--get bench.json="$results/bench.json" -- sh -c '
	status=0
	sidestep test --engine "$0" --format json -o nested.json || status=1
	sidestep test --engine flat --format json -o flat.json || status=1
	sidestep bench --engine "$0" --format json -o bench.json || status=1
	if [ "$0" = vmx ]; then
		vmcs_readback || status=1
	fi
	exit $status' "$engine"
check=$source/tests/lab/check_ledger.py
if [[ $bars ]]; then
	"$check" "$results/nested.json" "$results/bench.json" "$bars"
else
	"$check" "$results/nested.json"
fi
"$check" "$results/flat.json"
