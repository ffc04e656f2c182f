#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: own_guest.sh SOURCE SIDESTEP: does what docs/guest-abi.md says under "Write your own guest".
# A block after `<!-- file: NAME -->` is written to NAME, one after `<!-- commands -->` is run.
set -eu
source=$(realpath "$1") sidestep=$(realpath "$2")

for tool in gcc objcopy; do
	if ! command -v "$tool" >/dev/null; then
		echo "needs: $tool; host: not installed"
		exit 77
	fi
done

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
ln -s "$source/guestfw" guestfw

awk '
	/^<!-- file: / { target = $3; next }
	/^<!-- commands -->/ { target = "commands"; next }
	/^```/ && target { if (inside) { inside = 0; target = "" } else inside = 1; next }
	inside { print > target }
' "$source/docs/guest-abi.md"

# The commands that run something need KVM; those that build do not.
grep -v '^sidestep ' commands >build.sh
echo "$ sh build.sh"
cat build.sh
sh -eu build.sh

kvm=${SIDESTEP_KVM:-/dev/kvm}
if ! [ -r "$kvm" ] || ! [ -w "$kvm" ]; then
	echo "needs: kvm; host: no access to $kvm (the guests were built)"
	exit 77
fi
grep '^sidestep ' commands | while read -r _ arguments; do
	echo "$ sidestep $arguments"
	# shellcheck disable=SC2086 # words of a command line
	timeout -k 5 $((30 * ${PATIENCE:-12})) "$sidestep" $arguments
done
