#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# surroundings.sh: what a test finds is the same, whatever the machine has set, mounted or ignores. Arguments: the
# program.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${BASH_SOURCE%/*}/lib.sh"
begin "$1"
surroundings=$(realpath "${BASH_SOURCE%/*}")/surroundings.sh
cd "$scratch" || exit 99

# --- A caller with odd habits.
cat >look <<'END'
echo "umask $(umask)"
echo "ignored $(sed -n 's/^SigIgn:.0*//p' /proc/self/status)"
echo "input $(readlink /proc/self/fd/0)"
echo "locale ${LANG-none} ${LC_MESSAGES-none} $LC_ALL"
echo "python ${PYTHONPATH-none}"
echo "home $(mkdir -p "$HOME/x" 2>/dev/null && echo "can be made")"
END
# shellcheck disable=SC2016 # expanded there
check 'odd habits' 0 '' env -i PATH="$PATH" HOME="$scratch/home" LANG=xx_XX LC_MESSAGES=xx PYTHONPATH=/x bash -c '
	umask 077
	trap "" HUP INT TERM CHLD
	exec "$1" sh "$2" <&-' - "$surroundings" "$scratch/look"
that 'files can be read by others' grep -qx 'umask 0022' "$out"
that 'no signal is ignored' grep -qx 'ignored ' "$out"
that 'there is an input' grep -qx 'input /dev/null' "$out"
that 'no locale' grep -qx 'locale none none C.UTF-8' "$out"
that 'nothing for Python' grep -qx 'python none' "$out"
that 'no home' grep -qx 'home ' "$out"

# --- Patience. A slow build has more of it, and a busy machine does not have less.
for slowness in 1 3; do
	# shellcheck disable=SC2016 # expanded there
	SLOWNESS=$slowness run "$surroundings" sh -c 'echo "$PATIENCE"'
	that "slowness $slowness: patience" [ "$(cat "$out")" -ge $((4 * slowness)) ]
done

# shellcheck disable=SC2016 # expanded there
SLOWNESS=1 run nice -n 5 "$surroundings" sh -c 'echo "$PATIENCE"'
that 'a test that gives way to others has more of it' [ "$(cat "$out")" -ge 8 ]

# --- Mounts. On a machine without tracefs, which is made of this one.
cat >without <<'END'
#!/bin/sh
exec unshare --mount sh -c 'umount -l /sys/kernel/tracing 2>/dev/null
	[ ! -e /sys/kernel/tracing/events ] && exec "$@"' - "$@"
END
chmod +x without
if ! grep -q tracefs /proc/filesystems || ! ./without true 2>/dev/null; then
	echo 'ok - tracefs # SKIP needs: root, tracefs in the kernel'
	finish
fi
mounts=$(cat /proc/self/mounts)
run ./without "$surroundings" sh -c 'ls -d /sys/kernel/tracing/events && mount -t tmpfs none /mnt'
that 'tracefs, where it is not mounted' grep -qx /sys/kernel/tracing/events "$out"
that 'what a test mounts ends with it' [ "$(cat /proc/self/mounts)" = "$mounts" ]
finish
