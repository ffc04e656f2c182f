# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The lab's kernel as a guest of whatever is in the lab, with an initial file system of busybox and linux/init. Source with:
# . linux/guest.sh, and source, build, vendor and work, a directory, set.
# shellcheck disable=SC2154 # these

kernel=linux-image-cloud-amd64

# Prints the path of its bzImage. The lab fetches it if it is not there.
kernel_image() {
	local images=("$build/lab-cache/$kernel"/boot/vmlinuz-*)
	if [[ ! -e ${images[-1]} ]]; then
		"$source/tools/lab" "$vendor" --build "$build" --kernel "$kernel" -- true >&2 || return
		images=("$build/lab-cache/$kernel"/boot/vmlinuz-*)
	fi
	echo "${images[-1]}"
}

# Makes $work/root, to which more may be added.
begin_initrd() {
	mkdir -p "$work/root/bin"
	install -m 755 "$(type -P busybox)" "$work/root/bin/busybox"
	install -m 755 "$source/tests/lab/linux/init" "$work/root/init"
}

# Packs $work/root as $work/initrd.
pack_initrd() {
	(cd "$work/root" && find . -mindepth 1 -exec touch --date=@0 {} + && find . -mindepth 1 | sort |
		cpio --quiet --create --format=newc --owner=0:0 --reproducible) >"$work/initrd"
}
