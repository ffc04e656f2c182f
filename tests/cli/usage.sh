#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command line without KVM: wrong usage, help, devices that are none. Arguments: the program.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"

commands=(test run bench report views info)

check 'unknown command' 2 "'frobnicate' is no command; see .sidestep --help" "$sidestep" frobnicate
run "$sidestep"
that 'no command: status 2' [ "$status" -eq 2 ]
that 'no command: the usage, on stderr' grep -q '^usage: sidestep' "$err"
that 'no command: nothing on stdout' [ ! -s "$out" ]
check 'help' 0 '' "$sidestep" --help
for command in "${commands[@]}"; do
	that "help names $command" grep -q "^  $command " "$out"
done
check 'version' 0 '' "$sidestep" --version
that 'version is a number' grep -Eq '^sidestep [0-9]+\.[0-9]+' "$out"
for command in "${commands[@]}"; do
	check "$command --help" 0 '' "$sidestep" "$command" --help
	that "$command --help says how to call it" grep -q "^usage: sidestep $command " "$out"
	check "$command -h" 0 '' "$sidestep" "$command" -h
	check "$command: unknown option" 2 "^sidestep: --frobnicate .*sidestep $command --help" \
		"$sidestep" "$command" --frobnicate
	check "$command: unknown letter" 2 '^sidestep: -Z ' "$sidestep" "$command" -Z
done
for command in test bench report views info; do
	operand=()
	[[ $command == report || $command == views ]] && operand=(file)
	check "$command: unknown format" 2 "--format: 'xml' is none of: " \
		"$sidestep" "$command" --format xml "${operand[@]}"
	check "$command: format without a name" 2 '--format needs an argument' \
		"$sidestep" "$command" --format
done
check 'unknown engine' 2 "--engine: 'kvm' is not auto" "$sidestep" run --engine kvm
check 'no memory' 2 "-m: '0' " "$sidestep" run -m 0
check 'memory with an unknown suffix' 2 "-m: '12X' " "$sidestep" run -m 12X
check 'info with an operand' 2 'info takes no operand' "$sidestep" info x
check 'report without a ledger' 2 'report takes one LEDGER' "$sidestep" report
check 'run with two guests' 2 'run takes one GUEST' "$sidestep" run a b

# The catalogue is listed without KVM.
export SIDESTEP_KVM=/nonexistent
check 'test --list' 0 '' "$sidestep" test --list
that 'test --list names operations' grep -q '^cr0.ts.clts ' "$out"
check 'test --list PATTERN' 0 '' "$sidestep" test --list 'wait.*' 'ref.cpuid'
that 'test --list PATTERN lists what matches' [ "$(grep -Ec '^(wait\.|ref\.cpuid )' "$out")" -eq 5 ]
that 'test --list PATTERN lists nothing else' [ "$(wc -l <"$out")" -eq 6 ]
check 'test --list with a pattern that matches nothing' 2 "no operation matches 'nothing\*'" \
	"$sidestep" test --list 'wait.*' 'nothing*'
check 'test --list to a file' 0 '' "$sidestep" test --list -o "$scratch/list"
that 'test --list to a file: it is there' grep -q '^cr0.ts.clts ' "$scratch/list"
if command -v python3 >/dev/null; then
	check 'test --list as JSON' 0 '' "$sidestep" test --list --format json
	that 'test --list as JSON parses' python3 -m json.tool "$out"
fi

# No KVM: everything that would run is skipped or refused, and the device is named.
check 'no device: run' 99 '^sidestep: /nonexistent: No such file' "$sidestep" run
check 'no device: info' 99 '^sidestep: /nonexistent: No such file' "$sidestep" info
check 'no device: bench' 99 '^sidestep: /nonexistent: No such file' "$sidestep" bench
check 'no device: test' 77 '^sidestep: /nonexistent: No such file' "$sidestep" test
check 'no device: test as TAP' 77 '^sidestep: /nonexistent: No such file' "$sidestep" test --format tap
that 'no device: TAP says that all is skipped' grep -q '^1\.\.0 # SKIP needs: kvm; host: /nonexistent' "$out"
export SIDESTEP_KVM=/dev/null
check 'another device: run' 99 '^sidestep: /dev/null .*is it the KVM device' "$sidestep" run
check 'another device: info' 99 '^sidestep: /dev/null ' "$sidestep" info
export SIDESTEP_KVM=/
check 'a directory as device' 99 '^sidestep: /: ' "$sidestep" info
touch "$scratch/device"
chmod 600 "$scratch/device"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$scratch"
	export SIDESTEP_KVM=$scratch/device
	# Where the program itself is may be out of reach for others.
	cp "$sidestep" "$scratch/program"
	# A build with coverage writes its counters, and complains if it may not.
	mkdir -m 777 "$scratch/counters"
	check 'a device of somebody else' 99 'device: Permission denied; add yourself to its group' \
		env GCOV_PREFIX="$scratch/counters" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$scratch/program" info
else
	echo 'ok - a device of somebody else # SKIP needs: root and setpriv'
fi
unset SIDESTEP_KVM

# Ledgers that are none.
printf 'hello\n' >"$scratch/text"
head -c 5000 /dev/zero >"$scratch/zeros"
: >"$scratch/empty"
mkfifo "$scratch/fifo"
check 'report of a missing file' 2 '/missing: No such file' "$sidestep" report "$scratch/missing"
check 'report of an empty file' 2 '/empty: too short for a ledger' "$sidestep" report "$scratch/empty"
check 'report of a text' 2 '/text: ' "$sidestep" report "$scratch/text"
check 'report of zeros' 2 '/zeros: not a ledger' "$sidestep" report "$scratch/zeros"
check 'report of a directory' 2 'not a regular file' "$sidestep" report "$scratch"
check 'report of a device' 2 '/dev/zero: not a regular file' "$sidestep" report /dev/zero
check 'report of a FIFO' 2 '/fifo: not a regular file' "$sidestep" report "$scratch/fifo"
check 'report by what it does not know' 2 "--by: 'time' is not" "$sidestep" report --by time x

finish
