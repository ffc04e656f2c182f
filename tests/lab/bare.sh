#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bare.sh SOURCE BUILD VENDOR: the whole catalogue on an emulated computer that has neither Linux nor KVM. Everything agrees
# with the model, and the exits that the monitor has counted are those that the emulated processor itself tells of.
set -uo pipefail
source=$1 build=$2 vendor=$3
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
status=0

try() {
	"$@" >out 2>&1 && return
	echo "failed: $*"
	cat out
	status=1
}

try "$source/tools/lab" bare "$vendor" --build "$build" --timeout 1000 --console log --witness witness \
	-- test --format json -o report.json
try "$build/sidestep" report --by level --format json -o levels.json log
try python3 "$source/tests/lab/check_bare.py" "$vendor" report.json levels.json witness
grep '^figure: ' out
# A second run of a part, with other flags; its costs are shown as `bench` does.
try "$source/tools/lab" bare "$vendor" --build "$build" --timeout 1000 -- bench --count 20 'view.switch.*'
mv out shown
try grep -Eq '^view.switch.vmfunc .* 20 ' shown
try "$source/tools/lab" bare "$vendor" --build "$build" --timeout 1000 -- \
	test --embodiment one-word --on-ask refuse --services view 'cr0.*' 'view.switch.*'
# Random programs, every one as the model says.
try "$source/tools/lab" bare "$vendor" --build "$build" --timeout 1000 -- test --random 2000 --seed 2
mv out shown
try grep -q '^sidestep: programs performed: 2000, no difference from the model' shown
# Guests that misbehave end as their own failure, or as somebody who is too slow; the monitor says so in either case.
hostile() { # STATUS GUEST
	local ended=0
	"$source/tools/lab" bare "$vendor" --build "$build" --timeout 20 --console log2 -- \
		test --guest "$build/tests/hostile/hostile_$2.elf" >out 2>&1 || ended=$?
	[[ $ended -eq $1 ]] && ! grep -aq 'the monitor' log2 && return
	echo "failed: hostile guest $2: status $ended, not $1"
	cat out
	status=1
}
for guest in context_scribble dispositions; do hostile 0 $guest; done
hostile 11 flag_place
for guest in relay_overwrite triple_fault halt; do hostile 1 $guest; done
# A log that was cut off is shown, and told of; one that lost a line is damaged.
says() { # STATUS TEXT LOG
	"$build/sidestep" report "$3" >table 2>told
	local ended=$?
	[[ $ended -eq $1 ]] && grep -q "$2" told && grep -q '^cr0.ts.mov ' table && return
	echo "failed: report $3: status $ended, not $1 with: $2"
	cat told
	status=1
}
head -n "$(($(wc -l <log) / 2))" log >half
says 1 '^sidestep: half: the run was cut off' half
sed "$(grep -n '^@ss:' log | sed -n '3000{s/:.*//;p}')d" log >lost
says 1 '^sidestep: lost: damaged' lost
exit $status
