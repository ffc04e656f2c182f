#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the program if the host has a KVM. Arguments: `tap`, `exitcode`, or how often the program has to
# say that it performed ref.nothing; the program, its arguments.
# Meson takes a status other than 0 for an error of a TAP program, so one that has said in TAP that
# all was skipped ends with 0.
protocol=$1
shift
if ! "$1" info >/dev/null 2>&1 && [ "$protocol" != tap ]; then
	"$1" info
	exit 77
fi
if [[ $protocol =~ ^[0-9]+$ ]]; then
	output=$("$@")
	status=$?
	printf '%s\n' "$output"
	grep -q "^ref\.nothing .* $protocol " <<<"$output" || {
		echo "not performed $protocol times"
		exit 1
	}
	exit "$status"
fi
"$@" | sed -u -n -f "${BASH_SOURCE%/*}/../figures.sed"
status=${PIPESTATUS[0]}
[ "$protocol" = tap ] && [ "$status" -eq 77 ] && exit 0
exit "$status"
