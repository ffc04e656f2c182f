#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: completion.sh COMPLETION SIDESTEP: completes some command lines.
set -u
# shellcheck source=/dev/null # made by the build
source "$1" || exit 1
sidestep=$2
failed=0

# expect "WORDS" LINE...: what the last word of the line completes to, in any order.
expect()
{
	local wanted=$1
	shift
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_sidestep "$sidestep"
	local got
	got=$(printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | sort | tr '\n' ' ' | sed 's/^ *//; s/ *$//')
	if [[ $got != "$wanted" ]]; then
		echo "FAIL: ${*@Q} completes to '$got', expected '$wanted'"
		failed=1
	fi
}

expect 'run' "$sidestep" ru
expect 'report run' "$sidestep" r
expect '--timeout' "$sidestep" test --ti
expect '--on-ask --on-violation' "$sidestep" run --on
expect 'inject report stop' "$sidestep" run --on-violation ''
expect 'auto flat svm vmx' "$sidestep" bench --engine ''
expect 'auto flat svm vmx' "$sidestep" run --engine =
expect 'flat' "$sidestep" run --engine = f
expect 'json junit tap text' "$sidestep" test --format ''
expect 'json text' "$sidestep" info --format ''
expect 'flat svm vmx' "$sidestep" views --engine ''
expect 'csv folded html json junit tap text trace' "$sidestep" report --format ''
expect 'exits ticks' "$sidestep" report --weight ''
expect 'instruction level operation reason rip service symbol vcpu violation vm' "$sidestep" report --by ''
expect '' "$sidestep" run --memory ''
expect '' "$sidestep" info ''
expect '' "$sidestep" nonsense --
expect 'cr0.read.smsw cr0.read.smsw.kept' "$sidestep" test cr0.read.s
exit $failed
