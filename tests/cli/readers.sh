#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The reader goes away. Whatever writes to it ends at once and says nothing, with the status that SIGPIPE stands for. And
# what a process inherits from the one that started it changes nothing. Arguments: the program, the helper that reads,
# the sources' root, a directory of guests.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
reader=$(realpath "$2") root=$(realpath "$3") guests=$(realpath "$4")
prints=$guests/hostile_print_debug.elf logs=$guests/hostile_log_endless.elf spins=$guests/hostile_spin.elf hello=$guests/hostile_hello.elf
cd "$scratch" || exit 99
cp "$root/tests/fuzz/corpus/ledger/flat" ledger

# took KIND BYTES MS COMMAND...: sets `status` and `elapsed`, from when the reader went away.
took() {
	read -r status elapsed < <("$reader" "$@" 2>"$err")
}

# --- Commands that only write: the first write that fails is the end. The reader is gone when they start.
for arguments in --help --version 'run --help' 'test --list' 'test --list --format json' 'report ledger' \
	'report --format html ledger' 'report --format trace ledger' 'report --by rip --format csv ledger' \
	'report --diff ledger ledger' 'profile --perf-command'; do
	read -ra words <<<"$arguments"
	("$sidestep" "${words[@]}" 2>"$err"; echo $? >was) | true
	# It may have written before the reader had gone.
	for _ in {1..50}; do
		[ "$(cat was)" = 141 ] && break
		(sleep 0.02; "$sidestep" "${words[@]}" 2>"$err"; echo $? >was) | true
	done
	status=$(cat was)
	judge "$arguments | true" 141 ''
done
# Where there is a loopback interface: a connection that is reset, since one byte was not read.
if "$reader" tcp 0 0 true >/dev/null 2>&1; then
	for arguments in 'report ledger' 'report --format html ledger'; do
		# shellcheck disable=SC2016 # expanded there
		took tcp 1 0 sh -c 'printf xx; sleep 0.5; exec "$0" $1' "$sidestep" "$arguments"
		judge "$arguments, tcp" 141 ''
	done
else
	echo 'ok - tcp # SKIP needs: a network; host: no connection to 127.0.0.1'
fi
# Without KVM `test` is skipped, and says so where nobody listens.
(sleep 0.1; SIDESTEP_KVM=/nonexistent "$sidestep" test --format tap 2>"$err"; echo $? >was) | true
status=$(cat was)
judge 'test --format tap without KVM | true' 141 ''
SIDESTEP_KVM=/nonexistent "$sidestep" test --format tap 2>"$err" >/dev/full
status=$?
judge 'test --format tap without KVM >/dev/full' 99 '^sidestep: standard output: No space left on device$'

# --- What is written is complete, or the reason why not is the right one: more than is buffered goes to a device
# that is full, so that other calls come between the failure and its message.
for format in html trace json; do
	check "report --format $format -o /dev/full" 99 '^sidestep: /dev/full: No space left on device$' \
		"$sidestep" report --format $format -o /dev/full ledger
	"$sidestep" report --format $format ledger 2>"$err" >/dev/full
	status=$?
	judge "report --format $format >/dev/full" 99 '^sidestep: standard output: No space left on device$'
done

# --- What was inherited. Each line: how it was started, as env(1) and others have it.
inherited=(
	'env --ignore-signal=CHLD' 'env --block-signal=CHLD' 'env --ignore-signal=PIPE' 'env --block-signal=PIPE'
	'env --block-signal=ALRM,TERM,USR1' 'env --ignore-signal=USR1,ALRM,XFSZ' 'env --ignore-signal' 'env --block-signal'
)
for how in "${inherited[@]}"; do
	read -ra words <<<"$how"
	rm -f file
	check "$how: report -o FILE" 0 '' "${words[@]}" "$sidestep" report ledger -o file
	that "$how: report -o FILE: made" grep -q '^engine ' file
	check "$how: report -o /dev/full" 99 '^sidestep: /dev/full: No space left on device$' \
		"${words[@]}" "$sidestep" report ledger -o /dev/full
	(sleep 0.1; "${words[@]}" "$sidestep" report ledger 2>"$err"; echo $? >was) | true
	status=$(cat was)
	judge "$how: report | true" 141 ''
done
for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '<&- >&- 2>&-'; do
	rm -f file
	bash -c "\"\$1\" report ledger -o file $closed" - "$sidestep"
	that "report -o FILE $closed" [ $? -eq 0 -a -s file ]
done

if ! "$sidestep" info >/dev/null 2>&1; then
	echo 'ok - runs # SKIP needs: kvm'
	finish
fi

# What a run needs to end when it is told to, on this machine now: the best of some.
best=60000
for _ in 1 2 3 4 5; do
	took end 0 200 "$sidestep" run -q "$spins"
	[ "$elapsed" -lt "$best" ] && best=$elapsed
done
[ "$status" -eq 143 ] || fail 'the reference' 'did not end by the signal'
: >"$err"

# gone NAME KIND BYTES MS COMMAND...: ends as it should, and within 100 ms more than a run that a signal ends. The
# best of some counts: the machine may be busy.
gone() {
	local name=$1 least=60000
	shift
	for _ in 1 2 3 4 5; do
		rm -f fifo
		took "$@"
		[ "$elapsed" -lt "$least" ] && least=$elapsed
		{ [ "$least" -le $((best + 100)) ] || [ "$status" -ne 141 ]; } && break
	done
	judge "$name" 141 ''
	that "$name: at once, after $least ms" [ "$least" -le $((best + 100)) ]
}

for kind in pipe socket deaf; do
	gone "output without end, $kind" $kind 10 0 "$sidestep" run -q "$prints"
	gone "requests without end, $kind" $kind 2000 0 "$sidestep" run -q --vms 2 "$logs"
done
for kind in pipe socket; do
	gone "output past its bound, $kind" $kind 1040000 100 "$sidestep" run -q "$logs"
	gone "no output, $kind" $kind 0 300 "$sidestep" run -q "$spins"
	gone "a report to come, $kind" $kind 0 300 "$sidestep" run --trace off "$spins"
	gone "bench, $kind" $kind 0 300 "$sidestep" bench --count 100000000 ref.nothing
	gone "profile, $kind" $kind 10 0 "$sidestep" profile --trace off --workload ref.nothing@20 --interval 0.1
	gone "profile between two intervals, $kind" $kind 0 300 \
		"$sidestep" profile --trace off --workload ref.nothing@20 --interval 600
done
# A guest that ends by itself, whoever is first to see that nobody reads what it prints:
# mov al, 'x'; out 0xe9, al; mov al, '\n'; out 0xe9, al; xor al, al; out 0xf4, al.
printf '\260\170\346\351\260\012\346\351\060\300\346\364' >says
for attempt in {1..20}; do
	(sleep 0.01; "$sidestep" run -q says 2>"$err"; echo $? >was) | true
	status=$(cat was)
	{ [ "$status" -eq 141 ] && [ ! -s "$err" ]; } || break
done
judge "output of a guest that ends, $attempt times" 141 ''
gone 'a FIFO' fifo:fifo 0 300 "$sidestep" bench --count 100000000 ref.nothing -o fifo
gone 'a ledger' pipe 10 0 "$sidestep" run -q --trace off --ledger run.ledger --pid-file pid "$prints"
check 'a ledger: complete' 0 '' "$sidestep" report run.ledger
that 'a ledger: says why it ended' grep -aq 'nobody reads what it writes any more' run.ledger
that 'a pid file: removed' [ ! -e pid ]
gone 'SIGPIPE ignored' pipe 10 0 env --ignore-signal=PIPE "$sidestep" run -q "$prints"

# What is only told, nobody has to read; and where nothing is written, nobody has to be.
took pipe 0 300 "$sidestep" test --trace off -o file ref.nothing
that 'nothing is written to standard output' [ "$status" -eq 0 ]
"$sidestep" profile --trace off --workload ref.nothing@20 --timeout 0.5 2> >(true) >/dev/null
that 'messages without a reader' [ $? -eq 0 ]
rm -f fifo
mkfifo fifo
(exec 3<fifo) &
"$sidestep" run -q "$hello" 2>fifo >/dev/null
that 'messages into a FIFO without a reader' [ $? -eq 0 ]

# --- Inherited, with a run.
for how in "${inherited[@]}"; do
	read -ra words <<<"$how"
	rm -f file
	check "$how: bench -o FILE" 0 '' "${words[@]}" "$sidestep" bench --count 20 -o file ref.nothing
	that "$how: bench -o FILE: made" grep -q '^ref.nothing' file
	check "$how: run --pid-file" 0 '' "${words[@]}" "$sidestep" run -q --pid-file pid "$hello"
	check "$how: --timeout" 124 'timeout after' "${words[@]}" "$sidestep" run -q --timeout 0.2 -c 2 "$spins"
done
# What a parent may have a child ignore stays ignored: a run goes on after its terminal.
for signal in HUP INT TERM; do
	env --ignore-signal=$signal "$sidestep" run -q --timeout 1 --pid-file pid "$spins" 2>"$err" &
	await test -s pid
	kill -s $signal $!
	wait $!
	status=$?
	judge "SIG$signal ignored" 124 'timeout after'
done

finish
