#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# surroundings.sh COMMAND [ARGUMENT]...: runs a test in surroundings that are the same on every machine. Meson
# runs every test so; a script that sources lib.sh sees to it itself. Where we may mount, the test has a mount
# namespace of its own with tracefs, and nothing it mounts outlives it. Where we may not, it finds out and says
# what it needs.
# PATIENCE, which tests multiply their limits against hanging by, comes from here: how slow the build is, from
# SLOWNESS, which Meson sets, how busy the machine, and whether others come first, as they do for the labs of a check. A
# limit that is generous costs nothing until a test hangs.
set -u

# No home, and none that a program run as root could make.
umask 022
unset BASH_ENV CDPATH COLUMNS DISPLAY ENV GLIBC_TUNABLES GREP_OPTIONS LANG LANGUAGE LINES MAKEFLAGS NO_COLOR \
	POSIXLY_CORRECT "${!CLICOLOR@}" "${!LC_@}" "${!PYTHON@}" "${!XDG_@}" 2>/dev/null # where a locale is not installed, also one that goes is complained of
# Meson compiles by ccache where there is one, which has nowhere to keep what it has compiled then.
export LC_ALL=C.UTF-8 TERM=dumb HOME=/dev/null CCACHE_DISABLE=1

read -r load _ </proc/loadavg
export PATIENCE=$((${SLOWNESS:-3} * (4 + ${load%.*} / $(nproc)) * ($(nice) > 0 ? 2 : 1))) SURROUNDED=1

# Also what a caller ignores or has closed. Started so, a shell could not even trap what is ignored.
set -- env --default-signal "$@"
tracing=/sys/kernel/tracing
if unshare --mount true 2>/dev/null; then
	# shellcheck disable=SC2016 # expanded in the namespace
	set -- unshare --mount sh -c '
		[ -e "$0/events" ] || mount -t tracefs tracefs "$0" 2>/dev/null
		exec "$@"' "$tracing" "$@"
fi
exec "$@" </dev/null
