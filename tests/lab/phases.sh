#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# phases.sh SIDESTEP SOURCE BUILD LAB ENGINE KERNEL: a boot in which all happens a little later has the same ticks, so
# that a difference between two is one of what was measured. tools/kernels and `bench --compare` take that for granted.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
source=$(realpath "$2") build=$(realpath "$3") lab=$4 engine=$5 kernel=$6
cd "$scratch" || exit 99
LIMIT=600 # seconds of a computer that is emulated beside others
# The pauses are those of tools/kernels and some between. What differed was drawn once in a boot: one run shows it.
for pause in 0 0.001 0.005 0.0093 0.0137 0.02; do
	run "$source/tools/lab" "$lab" --build "$build" --kernel "$kernel" --get bench.json -- sh -c "
		sleep $pause && sidestep bench --engine $engine --timeout 0 --count 100 --format json -o bench.json 'cr0.ts.mov*'"
	that "after $pause s: status" [ $status -eq 0 ]
	python3 -c '
import json
rows = json.load(open("bench.json"))["operations"]
assert rows
for row in rows:
    print(row["operation"], row["ticks_min"], row["ticks_median"])' >"after.$pause"
	that "after $pause s: what it was after 0 s" cmp after.0 "after.$pause"
done
cat after.0
finish
