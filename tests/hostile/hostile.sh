#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Guests that misbehave, on the host's KVM: whatever they do, sidestep ends in time, says where the
# guest was, and does not crash. Arguments: the program, the directory of the guests.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
needs_kvm
guests=$(realpath "$2")
cd "$scratch" || exit 99
hostile=0

where='vcpu0 at rip 0x[0-9a-f]+( \([^ ]+\))?$'

# guest NAME STATUS REGEX [OPTIONS...]: one that may time out does so after one second, and within one second
# more; once more if it took longer, since the machine may have been busy. Others have their time.
guest() {
	local name=$1 wanted=$2 regex=$3 file=$guests/hostile_$1.elf timeout
	timeout=$(patient 10)
	shift 3
	hostile=$((hostile + 1))
	[ -e "$file" ] || file=$name
	[[ $wanted != *124* ]] || timeout=1
	for _ in 1 2 3; do
		run "$sidestep" run -q --timeout "$timeout" "$@" "$file"
		[ "$elapsed" -ge $((timeout * 1000 + 1000)) ] || break
	done
	judge "$name $*" "$wanted" "$regex"
	in_time "$name $*" $((timeout * 1000 + 1000))
}

guest status 7 'guest exit status 7'
# Of a guest of its own KVM keeps nothing on AMD's processors.
untold='KVM \(kvm_amd\) keeps nothing of the guest; with --engine svm it can be told'
guest triple_fault 1 "triple fault: (#UD \(vector 6\) at ud2 could not be delivered: no IDT is loaded|.*$untold); $where"
guest spin 124 "timeout after 1 s; $where"
guest spin 124 "timeout after 1 s; $where" -c 4
guest spin 124 "timeout after 1 s; $where" --vms 3 -c 2
guest jump_nowhere 1 "$where"
guest jump_device 1 "$where"
guest jump_unmapped 1 "triple fault: (#PF \(vector 14, .*\) for 0x700000000000 .*: no IDT is loaded|.*$untold); $where"
guest halt 1 "every vCPU has halted for good.*; $where"
guest halt 1 'every vCPU has halted for good' -c 4
guest halt_interrupts 1 "every vCPU has halted for good.*; $where"
guest request_outside 1 "control request at 0x7fffffc0, which is outside its memory; $where"
guest request_edge 1 "control request at 0xffffc1, which is outside its memory; $where"
guest request_fields 0 ''
guest batches 0 ''
guest hello 0 ''
guest views 0 ''
guest violations 0 '' --on-violation inject
guest violations_odd 0 ''
guest violations_odd 0 '' --on-violation inject
guest encodings 0 ''
guest modes 0 ''
guest modes 0 '' --on-violation inject
guest cr8 0 ''
guest undefined 0 ''
that 'undefined: every instruction had its turn' [ "$(wc -l <"$out")" -gt 120 ]
guest retires 0 ''
guest flag_place 11 'guest exit status 11'
guest gives_up 1 'the guest gave up: exception [0-9]+ at rip 0xffffffffffffffff'
guest interrupts 1 "$where"
guest overwrite 1 "$where"
guest no_paging 1 "$where"
guest nested 1 "$where"
guest devices_flood 124 "timeout.*; $where"
guest one_of_two 0 ''
guest one_of_two 124 'timeout' --vms 2
guest vcpus 9 'guest exit status 9' -c 4
that 'vcpus: the others printed' grep -q '^yyy' "$out"
guest vcpus_exiting 9 'guest exit status 9' -c 2
guest log 0 ''
that 'log: all of it arrived, and no more' [ "$(wc -c <"$out")" -eq $((1024 + 1024 + 3)) ]
that 'log: in order' [ "$(tail -c 3 "$out")" = end ]
guest string_io 0 ''
# 600 bytes to the debug console; 600 bytes, and the low bytes of 600 words and of 600 double words, to
# the serial port's data register.
that 'string_io: what the console got' [ "$(wc -c <"$out")" -eq $((4 * 600)) ]
guest string_pages 0 ''
guest string_backwards 1 "$where"
guest stack_zero 1 "$where"
guest self_page_tables 1 "$where"
guest string_io_max 124 "timeout after 1 s; $where"
# What a processor does without end, a KVM that interprets may not know at all.
guest db_loop '1|124' "$where"
guest ac_loop '1|124' "$where"
for name in self_modifying context_scribble relay_overwrite ports_sweep; do
	said=
	[ $name != ports_sweep ] || said='marks that the guest could not set: 1, the first for a number that no name has'
	check $name 0 "$said" "$sidestep" run -q --timeout "$(patient 20)" "$guests/hostile_$name.elf"
	hostile=$((hostile + 1))
done
for count in 2 4; do
	check "racing_requests -c $count" 0 '' \
		"$sidestep" run -q --timeout "$(patient 20)" -c $count "$guests/hostile_racing_requests.elf"
	hostile=$((hostile + 1))
	that "racing_requests -c $count: whole texts only" [ $(($(wc -c <"$out") % 4)) -eq 0 ]
done

# --- Endless output is bounded, and passed on as it is to a file.
guest print_debug 124 "timeout.*; $where"
that 'print_debug: it printed' grep -q '^xxx' "$out"
that 'print_debug: bounded' [ "$(wc -c <"$out")" -le 1048576 ]
guest print_serial 124 "timeout.*; $where"
that 'print_serial: it printed' grep -q 'line' "$out"
that 'print_serial: bounded' [ "$(wc -c <"$out")" -le 1048576 ]

# --- Output that nobody takes: a reader that does not read must not outlast the timeout.
mkfifo stuck
exec 3<>stuck
start=$(now_ms)
timeout -s KILL "$(patient 10)" "$sidestep" run -q --timeout 2 --vms 8 "$guests/hostile_print_debug.elf" \
	>&3 2>"$err"
status=$? elapsed=$(($(now_ms) - start))
judge 'output into a pipe that is full' 124 'timeout after 2 s'
in_time 'output into a pipe that is full' 3500
env --default-signal timeout -s KILL "$(patient 10)" "$sidestep" run -q --vms 8 "$guests/hostile_print_debug.elf" >&3 2>"$err" &
pid=$!
await runs $pid
sleep 0.2
start=$(now_ms)
kill -s INT $pid
wait $pid
status=$? elapsed=$(($(now_ms) - start))
judge 'SIGINT while output is stuck' 130 'ended by signal 2'
in_time 'SIGINT while output is stuck' 500
exec 3>&-
run bash -c '"$1" run -q --timeout 1 "$2" | head -c 10; exit "${PIPESTATUS[0]}"' - \
	"$sidestep" "$guests/hostile_print_debug.elf"
judge 'output into a pipe that is closed' 141 ''
run bash -c '"$1" run -q --timeout 1 "$2" >/dev/full' - "$sidestep" "$guests/hostile_print_debug.elf"
judge 'output into a full device' 99 '^sidestep: guest output: No space left'

# --- Flat binaries.
printf '\364' >halt.bin
printf '\353\376' >spin.bin
printf '\260\011\346\364\353\376' >status.bin
printf '\377\377' >invalid.bin
head -c 4096 /dev/zero >zeros.bin
guest halt.bin 1 'every vCPU has halted'
guest spin.bin 124 "$where"
guest status.bin 9 'guest exit status 9'
guest invalid.bin 1 "$where"
guest zeros.bin 1 "$where"
# Anything at all: pseudo-random bytes, the same in every run.
RANDOM=20250101
for n in {1..25}; do
	for _ in {1..200}; do
		printf '%b' "\\x$(printf %02x $((RANDOM % 256)))"
	done >random.bin
	run "$sidestep" run -q --timeout 0.3 random.bin
	case $status in
	1 | 124) judge "random bytes $n" "$status" "$where" ;;
	99) fail "random bytes $n" 'an internal error' ;;
	*) that "random bytes $n ended by a status of their own" [ "$status" -lt 128 ] ;;
	esac
	in_time "random bytes $n" 1300
done
echo "figure: random guests $n"

# --- Signals end a spinning guest at once. Started by env, because a shell makes a background job
# ignore SIGINT; timeout passes signals on.
for pair in INT:130 TERM:143 HUP:129; do
	signal=${pair%:*}
	env --default-signal timeout -s KILL "$(patient 20)" "$sidestep" run -q --ledger ledger \
		"$guests/hostile_spin.elf" >"$out" 2>"$err" &
	pid=$!
	await runs $pid
	sleep 0.2
	start=$(now_ms)
	kill -s "$signal" $pid
	wait $pid
	status=$? elapsed=$(($(now_ms) - start))
	judge "SIG$signal" "${pair#*:}" "ended by signal.*; $where"
	in_time "SIG$signal" 1000
	check "SIG$signal: the ledger is complete" 0 '' "$sidestep" report ledger
done

# Called through await: what the ledger says is used of it (docs/ledger-format.md), which begins some time after the run.
# shellcheck disable=SC2317
records() { [ "$(od -An -t d8 -j 24 -N 8 ledger)" -gt "$1" ]; }

# --- Killed in the middle, a run leaves a ledger of all exits until then.
for delay in 0.05 0.2 0.5; do
	rm -f ledger
	"$sidestep" run -q --ledger ledger "$guests/hostile_print_debug.elf" >"$out" 2>"$err" &
	pid=$!
	await runs $pid
	await records 20000
	sleep $delay
	kill -KILL $pid
	wait $pid 2>/dev/null
	check "killed after $delay s" 0 'ledger: the run was cut off; its last records are shown' \
		"$sidestep" report --by reason --format csv ledger
	exits=$(sed -n 's/^io,vmm,\([0-9]*\),.*/\1/p' "$out")
	that "killed after $delay s: ${exits:-no} exits" [ "${exits:-0}" -gt 100 ]
done

echo "figure: hostile guests $hostile"
finish
