#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# attach.sh SOURCE BUILD VENDOR GUEST...: `sidestep profile --pid` on VMMs of others: what it counts is what the kernel counts
# itself, exit for exit. One boot of a lab, attach/watched.sh, which knows the guests; what it brings back is for
# check_attach.py. With KEEP set, that stays in the directory of this name.
set -euo pipefail
source=$1 build=$2 vendor=$3
guests=("${@:4}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/results"

# shellcheck source-path=SCRIPTDIR source=linux/guest.sh
. "${BASH_SOURCE%/*}/linux/guest.sh"
image=$(kernel_image)
begin_initrd
pack_initrd

options=(--put "$image=vmlinuz" --put "$work/initrd" --put "$source/tests/lab/attach/watched.sh")
if [[ " ${guests[*]} " == *' qemu '* ]]; then
	options+=(--with qemu-system-x86_64)
	for file in bios-microvm.bin qboot.rom linuxboot_dma.bin kvmvapic.bin pvh.bin; do
		options+=(--put "/usr/share/qemu/$file")
	done
fi
status=0
"$source/tools/lab" "$vendor" --build "$build" --kernel "$kernel" --timeout $((250 * ${PATIENCE:-12})) "${options[@]}" \
	--get "results.tar=$work/results.tar" -- sh watched.sh "$vendor" "${guests[@]}" || status=$?
tar -xf "$work/results.tar" -C "$work/results"
[[ -z ${KEEP-} ]] || cp -aT "$work/results" "$KEEP"
# The guest `live` is for a picture in the documents.
[[ ${guests[*]} == live ]] ||
	"$source/tests/lab/check_attach.py" "$source" "$build/sidestep" "$vendor" "$work/results" "${guests[@]}" || status=$?
"$source/tests/docs/validate.py" "$work"/results/*.json || status=$?
exit "$status"
