# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The Debian packages that sidestep needs, by purpose, and how to get those that are missing.
# Sourced by tools/quickstart and tools/check.

packages_build=(gcc libc6-dev meson ninja-build pkg-config
	libconfig-dev libsmartcols-dev libjansson-dev libelf-dev libdw-dev libtraceevent-dev libzydis-dev libcmocka-dev
	scdoc systemtap-sdt-dev libseccomp-dev psf-unifont acpica-tools)
packages_lab=(bochs bochsbios vgabios xorriso isolinux syslinux-common qemu-system-x86 busybox-static cpio xz-utils
	grub-common grub-pc-bin grub-efi-amd64-bin mtools ovmf)
# shellcheck disable=SC2034 # used by tools/check
packages_check=(clang-14 build-essential debhelper libclang-rt-14-dev lintian gcovr shellcheck libxml2-utils
	util-linux python3 python3-jsonschema chromium linux-perf bpftrace git parallel zsh fish python3-pexpect)

# What builds kernels for the labs: tools/build-kernel, and tools/kvm-bisect with it.
# shellcheck disable=SC2034 # named in docs/labs.md
packages_kernel=(gcc make bc bison flex perl libelf-dev libssl-dev git ccache)

# Prints those of the named packages that are not installed.
packages_missing() {
	local package installed

	# Its status says only that one of them is not.
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null) || :
	for package in "$@"; do
		[[ $'\n'$installed$'\n' == *$'\n'"installed $package"$'\n'* ]] || printf '%s\n' "$package"
	done
}

# Installs what is missing of the named packages; says what it is doing and what to do if it cannot.
packages_install() {
	local missing sudo=()

	mapfile -t missing < <(packages_missing "$@")
	((${#missing[@]})) || return 0
	if ! command -v apt-get >/dev/null; then
		echo "$0: not a Debian system; install the equivalents of: ${missing[*]}" >&2
		return 1
	fi
	if ((EUID != 0)); then
		if ! command -v sudo >/dev/null; then
			echo "$0: as root, run: apt-get install ${missing[*]}" >&2
			return 1
		fi
		sudo=(sudo)
	fi
	echo "installing: ${missing[*]}" >&2
	"${sudo[@]}" apt-get update -qq >&2 &&
		DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq \
			--no-install-recommends "${missing[@]}" >&2 && return 0
	echo "$0: apt-get could not install: ${missing[*]}" >&2
	return 1
}
