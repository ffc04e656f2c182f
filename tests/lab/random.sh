#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# random.sh SOURCE BUILD LAB ENGINE COUNT: random programs in a lab, none may differ from the model.
set -euo pipefail
source=$1 build=$2 lab=$3 engine=$4 count=$5
"$source/tools/lab" "$lab" --build "$build" --timeout 350 -- \
	sidestep test --engine "$engine" --random "$count" --timeout 300
