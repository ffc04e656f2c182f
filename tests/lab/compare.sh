#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# compare.sh SOURCE BUILD LAB A B PATTERN...: two kernels compared, which need the same exits. Documents show
# what differs in ticks; UPDATE_DOCS and ANY_TICKS as for catalogue.sh.
set -euo pipefail
source=$1 build=$2 lab=$3
shift 3
ledgers=$(mktemp -d)
trap 'rm -rf "$ledgers"' EXIT
output=$("$source/tools/compare-kernels" --build "$build" --lab "$lab" --exits-only --keep "$ledgers" "$@")
printf '%s\n' "$output"
grep -Eq '^A: engine svm on kvm_amd \(Linux 6\.1\.' <<<"$output"
grep -Eq '^B: engine svm on kvm_amd \(Linux 6\.12\.' <<<"$output"
grep -Eq '^[1-9][0-9]* operations in both: 0 with other exits, ticks not compared$' <<<"$output"
"$source/tests/docs/outputs.py" compare ${UPDATE_DOCS:+--update} ${ANY_TICKS:+--any-ticks} kernels "$source" "$build" "$ledgers"
