# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A fresh Debian in a directory, for tools/package and tools/fresh-root. It is fetched once, and kept as an archive
# beside the directory. Needs root, and debootstrap.

FRESH_RELEASE=bookworm

# Where this machine gets its Debian from, whatever its sources look like: the release, and what Debian's installer adds.
fresh_sources() {
	# shellcheck disable=SC2016 # expanded by apt-get
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Origin: Debian' |
		grep -E " $FRESH_RELEASE(-security|-updates)? main\$" | sort -u
}

fresh_mirror() {
	fresh_sources | awk -v release="$FRESH_RELEASE" '$3 == release { print $2; exit }'
}

make_root() { # ROOT
	local root=$1 archive=${1%/*}/$FRESH_RELEASE.tar mirror

	((EUID == 0)) || {
		echo "$0: making a fresh root needs root" >&2
		return 1
	}
	command -v debootstrap >/dev/null || {
		echo "$0: debootstrap is not installed: run apt-get install debootstrap" >&2
		return 1
	}
	[[ -z $(find "${archive%/*}" "$archive" -maxdepth 0 \( ! -user root -o -perm /022 \) 2>/dev/null) ]] || {
		echo "$0: ${archive%/*}: root trusts what is in it; name a directory that only root can write to" >&2
		return 1
	}
	rm -rf --one-file-system -- "$root"
	mkdir -p -- "$root"
	if [[ ! -e $archive ]]; then
		mirror=$(fresh_mirror)
		[[ $mirror ]] || {
			echo "$0: apt knows no mirror with $FRESH_RELEASE: run apt-get update" >&2
			return 1
		}
		echo "fetching $FRESH_RELEASE" >&2
		debootstrap --variant=minbase "$FRESH_RELEASE" "$root" "$mirror" >"$root.log" 2>&1 || {
			tail -n 5 "$root.log" >&2
			return 1
		}
		tar -c -C "$root" --numeric-owner -f "$archive.part" . && mv -- "$archive.part" "$archive"
	else
		tar -x -C "$root" --numeric-owner -f "$archive"
	fi
}

# Makes it ready for packages to be installed.
prepare_root() { # ROOT
	local root=$1

	# A name server may be one of this machine.
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	fresh_sources >"$root/etc/apt/sources.list"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
	in_root "$root" apt-get update -q -o Acquire::Retries=3
}

# With nothing of the caller's environment, and with what programs expect around them; tracefs is left out. Mounts end with
# the command. It is no chroot, in which the kernel makes no namespaces for users, and whose / may be no mount.
in_root() { # ROOT COMMAND...
	# shellcheck disable=SC2016 # expanded there
	unshare --mount sh -euc '
		mount --bind -- "$1" "$1"
		cd -- "$1"
		for name in dev proc sys; do
			mount --rbind "/$name" "$name"
		done
		! mountpoint -q sys/kernel/tracing || umount -l sys/kernel/tracing
		pivot_root . .
		umount -l .
		cd /
		shift
		exec /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
			LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive "$@"' - "$@"
}
