#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# state.sh SOURCE BUILD LAB ENGINE PATTERN...: a lab that starts from a saved state is the lab that has booted: of operations
# that take exits at every level both have the same ticks, in every column, and of their hosts the clock and the
# interrupts taken are the same. Prints how long each takes until the command runs.
set -euo pipefail
source=$1 build=$2 lab=$3 engine=$4
shift 4
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# take NAME [OPTION]...
take() {
	local name=$1 from=${EPOCHREALTIME/./}
	shift
	# shellcheck disable=SC2016 # for the shell in the lab
	"$source/tools/lab" "$lab" --build "$build" "$@" --timeout 3000 --put "$results/fresh" \
		--get "bench.json=$results/$name.json" --get "host=$results/$name.host" -- \
		sh -c 'cat fresh; sidestep bench --engine "$0" --format json -o bench.json "$@"; cat /proc/interrupts /proc/uptime >host' \
		"$engine" "${patterns[@]}" >"$results/$name.out"
	echo "figure: $name: $((${EPOCHREALTIME/./} / 1000 - from / 1000)) ms"
	# Nothing of an earlier command is in a state, and nothing of this one.
	[[ $(cat "$results/$name.out") == "$(cat "$results/fresh")" ]] || {
		echo "$name: the file that was put into the lab is not what came out"
		exit 1
	}
}

patterns=("$@")
# There is a state after this, whatever there was before.
"$source/tools/lab" "$lab" --build "$build" --timeout 3000 -- true
od -An -N16 -tx8 /dev/urandom >"$results/fresh"
take restored
take booted --boot
grep -q '"ticks_median": [1-9]' "$results/booted.json" || {
	echo 'no operation has been measured'
	exit 1
}
for file in json host; do
	diff "$results/booted.$file" "$results/restored.$file" || {
		echo "a lab from its state differs from one that has booted in what $file has"
		exit 1
	}
done
# What the state is named after, a lab tells whole, its emulator first.
declare -A parts=(
	[intel]='bochs-bin libbx_pci.so BIOS-bochs-latest VGABIOS-lgpl-latest isolinux.bin ldlinux.c32 bochs-state.so'
	[amd]='qemu-system-x86_64 accel-tcg-x86_64.so bios-256k.bin linuxboot_dma.bin kvmvapic.bin'
)
"$source/tools/lab" "$lab" --build "$build" --made-of >"$results/parts"
xargs -d '\n' cat -- <"$results/parts" >/dev/null
for part in ${parts[$lab]} busybox sidestep lab-stop libc.so.6 lab init run "$lab.sh"; do
	grep -q "/$part\$" "$results/parts" || {
		echo "--made-of does not list $part"
		exit 1
	}
done
[[ $(head -n 1 "$results/parts") == */"${parts[$lab]%% *}" ]] || {
	echo "--made-of begins with another than the emulator"
	exit 1
}
echo "figure: operations $(grep -c '"ticks_median"' "$results/booted.json")"
