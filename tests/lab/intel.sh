#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# intel.sh SOURCE BUILD KERNEL [bars]: the catalogue in the Intel lab, on both engines that run there.
# With `bars` costs are held against tests/lab/bars-intel.json, and the vmcs12 is read back.
set -euo pipefail
source=$1 build=$2 kernel=$3 bars=${4:-}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# shellcheck disable=SC2016 # expanded in the lab
"$source/tools/lab" intel --build "$build" --kernel "$kernel" --timeout 240 \
	--get vmx.json="$results/vmx.json" --get flat.json="$results/flat.json" \
	--get bench.json="$results/bench.json" -- sh -c '
	status=0
	sidestep test --engine vmx --format json -o vmx.json || status=1
	sidestep test --engine flat --format json -o flat.json || status=1
	sidestep bench --engine vmx --format json -o bench.json || status=1
	vmcs_readback || status=1
	exit $status'
if [[ $bars ]]; then
	"$source/tests/lab/check_ledger.py" "$results/vmx.json" "$results/bench.json" \
		"$source/tests/lab/bars-intel.json"
else
	"$source/tests/lab/check_ledger.py" "$results/vmx.json"
fi
"$source/tests/lab/check_ledger.py" "$results/flat.json"
