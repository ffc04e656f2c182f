#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# attach.sh SOURCE BUILD VENDOR GUEST...: `sidestep profile --pid` on VMMs of others: what it counts is what the kernel counts
# itself, exit for exit. One boot of a lab, attach/watched.sh, which knows the guests; what it brings back is for
# check_attach.py. With KEEP set, that stays in the directory of this name.
set -euo pipefail
source=$1 build=$2 vendor=$3
guests=("${@:4}")
kernel=linux-image-cloud-amd64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The lab fetches its kernel if it is not there.
shopt -s nullglob
images=("$build/lab-cache/$kernel"/boot/vmlinuz-*)
if ((${#images[@]} == 0)); then
	"$source/tools/lab" "$vendor" --build "$build" --kernel "$kernel" -- true
	images=("$build/lab-cache/$kernel"/boot/vmlinuz-*)
fi

mkdir -p "$work/root/bin" "$work/results"
install -m 755 "$(type -P busybox)" "$work/root/bin/busybox"
install -m 755 "$source/tests/lab/linux/init" "$work/root/init"
(cd "$work/root" && find . -mindepth 1 -exec touch --date=@0 {} + && find . -mindepth 1 | sort |
	cpio --quiet --create --format=newc --owner=0:0 --reproducible) >"$work/initrd"

options=(--put "${images[-1]}=vmlinuz" --put "$work/initrd" --put "$source/tests/lab/attach/watched.sh")
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
exit "$status"
