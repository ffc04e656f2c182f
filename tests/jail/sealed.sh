#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The program in its jail, as the system shows it: what every thread has left, which descriptors are open, and
# what is said when the jail is not complete. Arguments: the program, the program that hides parts of the
# kernel, the directory of the hostile guests.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
needs_kvm
without=$(realpath "$2") hostile=$(realpath "$3")
cd "$scratch" || exit 99
spin=$hostile/hostile_spin.elf
echo secret >inherited
echo secret >inherited-too

# Starts a run of a guest that never ends, with descriptors that it should not have, and waits until its main
# thread is sealed.
start() { # ARGUMENT...
	"$sidestep" run -q "$@" "$spin" >"${sink:-$out}" 2>"${sink:-$err}" 7<inherited 9<inherited-too </dev/null &
	pid=$!
	await grep -q '^Seccomp:.2' /proc/$pid/status
}

stop() {
	kill -TERM $pid
	wait $pid
	status=$?
}

# Only with CAP_SETPCAP, number 8, can the bounding set be emptied.
setpcap=$((0x$(sed -n 's/^CapEff:\t//p' /proc/self/status) >> 8 & 1))

field() { sed -n "s/^$1:[[:space:]]*//p" "$2/status"; }

start -c 3 --ledger ledger
threads=0
for task in /proc/"$pid"/task/*; do
	name=$(field Name "$task")
	case $name in
	sidestep | vcpu*) threads=$((threads + 1)) ;;
	esac
	that "$name: no new privileges" [ "$(field NoNewPrivs "$task")" = 1 ]
	that "$name: a filter" [ "$(field Seccomp "$task")" = 2 ]
	for set in CapInh CapPrm CapEff CapAmb; do
		that "$name: $set is empty" [ "$(field $set "$task")" = 0000000000000000 ]
	done
	if [ $setpcap -eq 1 ]; then
		that "$name: CapBnd is empty" [ "$(field CapBnd "$task")" = 0000000000000000 ]
	fi
done
that 'the main thread and three of vCPUs' [ $threads -eq 4 ]
ls -l /proc/$pid/fd >open
that 'nothing that was inherited is open' [ "$(grep -c "$scratch/inherited" open)" -eq 0 ]
that 'the KVM device is not open' [ "$(grep -c '/dev/kvm' open)" -eq 0 ]
that 'standard input is not open' [ ! -e /proc/$pid/fd/0 ]
that 'the ledger is open' grep -q "$scratch/ledger" open
that 'no core file' grep -Eq '^Max core file size +0 +0 ' /proc/$pid/limits
stop
judge 'ended by a signal' 143 'ended by signal 15'
check 'the ledger is complete' 0 '' "$sidestep" report ledger

# --- No file gets longer than the longest that is to be written.
limit_is() { # NAME BYTES OPTION...
	local name=$1 bytes=$2
	shift 2
	sink=/dev/null start "$@"
	that "$name: files of $bytes bytes at most" \
		grep -Eq "^Max file size +$bytes +$bytes +bytes" /proc/$pid/limits
	stop
}
truncate -s 8192 disk
truncate -s 3G large
limit_is 'nothing to write' 0
limit_is 'a disk' 8192 --disk disk
limit_is 'a large disk' 3221225472 --disk large
limit_is 'a disk that is read' 0 --disk disk:ro
# Header, 1 GiB of records, and two blocks for a write that is cut short.
limit_is 'a ledger' $((4096 + (1 << 30) + 2 * 262144)) --disk disk --ledger ledger
limit_is 'a ledger and a large disk' 3221225472 --disk large --ledger ledger
rm large

# --- What is named by an inherited descriptor is used before it is closed.
mkfifo pipe
cat <pipe >named &
reader=$!
"$sidestep" test --engine flat ref.nothing -o /dev/fd/9 9>pipe >"$out" 2>"$err"
status=$?
wait $reader
judge 'output to an inherited pipe' 0 ''
that 'output to an inherited pipe: it is there' grep -q '^ref.nothing' named

# --- Weaker filters are told and recorded.
for mode in log off; do
	for command in test run bench; do
		what=(ref.nothing)
		[ $command = run ] && what=(--ledger ledger "$hostile/hostile_hello.elf")
		check "$command --seccomp $mode" 0 "^sidestep: --seccomp $mode: " \
			"$sidestep" $command --engine flat --seccomp $mode "${what[@]}"
		case $command in
		run) that "$command --seccomp $mode: in the ledger" grep -aq "seccomp.$mode" ledger ;;
		*) that "$command --seccomp $mode: in the report" grep -q "^jail: seccomp $mode" "$out" ;;
		esac
	done
	check "JSON with --seccomp $mode" 0 '--seccomp' \
		"$sidestep" test --engine flat --seccomp $mode --format json ref.nothing
	that "JSON with --seccomp $mode says so" grep -q "\"seccomp\": \"$mode\"" "$out"
done
check 'JSON with --seccomp on' 0 '' "$sidestep" test --engine flat --seccomp on --format json ref.nothing
that 'JSON with --seccomp on says so' grep -q '"seccomp": "on"' "$out"
check 'unknown mode' 2 "--seccomp: 'none' is not on, log or off" "$sidestep" run --seccomp none

# --- A kernel without.
check 'without Landlock' 0 '' \
	"$without" landlock "$sidestep" test --engine flat ref.nothing
that 'without Landlock: in the report' grep -q '^jail: seccomp on, Landlock missing: ' "$out"
check 'without Landlock: run with a ledger' 0 '' \
	"$without" landlock "$sidestep" run -q --ledger ledger "$hostile/hostile_hello.elf"
check 'without Landlock: report' 0 '' "$sidestep" report --format json ledger
that 'without Landlock: in the ledger' grep -q '"landlock": "missing: ' "$out"
for command in test run bench; do
	check "without seccomp: $command" 99 \
		'^sidestep: no seccomp filters in this kernel .*; --seccomp off runs a guest without them$' \
		"$without" seccomp "$sidestep" $command --engine flat
done
check 'without seccomp: a file' 99 'no seccomp filters' \
	"$without" seccomp "$sidestep" test --engine flat ref.nothing -o new
that 'without seccomp: a file: none' [ ! -e new ]
check 'without seccomp: off' 0 '^sidestep: --seccomp off' \
	"$without" seccomp "$sidestep" test --engine flat --seccomp off ref.nothing -o new
that 'without seccomp: off: a file' grep -q '^ref.nothing' new
check 'without seccomp: info' 0 '' "$without" seccomp "$sidestep" info
that 'without seccomp: info says so' grep -Eq 'seccomp +no +no seccomp filters' "$out"

# Threads that end give memory back to malloc, which must keep it: about one of ten runs would be ended here.
for ((i = 0; i < 80; i++)); do
	GLIBC_TUNABLES=glibc.malloc.trim_threshold=1:glibc.malloc.arena_max=1 \
		"$sidestep" run -q --vms 3 "$hostile/hostile_hello.elf" >"$out" 2>"$err"
	status=$?
	[ $status -eq 0 ] || break
done
that 'threads that end' [ $status -eq 0 ]

finish
