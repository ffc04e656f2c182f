#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Everything that writes, into everything that does not take it. Whatever the sink: a documented status, one
# line that names it, no death by SIGXFSZ, and no file that is not complete. Where nobody reads, the status of
# SIGPIPE and no line; when that is, is readers.sh's.
# Arguments: the program, the sources' root, the guest of the trampoline example, a directory of guests.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
root=$(realpath "$2") trampoline=$(realpath "$3") guests=$(realpath "$4")
cd "$scratch" || exit 99
mkdir work sink && cd work || exit 99
cp "$root/tests/fuzz/corpus/ledger/flat" ledger
cp "$root/examples/trampoline.views" policy
ln -s "$trampoline" guest
ln -s "$guests/hostile_print_debug.elf" prints
ln -s "$guests/hostile_hello.elf" hello
runs=0

# Commands that write to standard output, one a line: what they need of the host (kvm or -), whether they know
# -o (o or -), what a failed write is called, arguments.
commands='
- - standard output: --help
- - standard output: --version
- - standard output: report --help
- o standard output: test --list
- o standard output: test --list --format json
- o standard output: report ledger
- o standard output: report --format json ledger
- o standard output: report --format csv ledger
- o standard output: report --format html ledger
- o standard output: report --format trace ledger
- o standard output: report --format folded ledger
- o standard output: report --format folded --weight ticks ledger
- o standard output: report --by reason ledger
- o standard output: report --by rip --format json ledger
- o standard output: report --by level --format csv ledger
- o standard output: report --by violation ledger
- o standard output: report --diff ledger ledger
- o standard output: report --diff --format json ledger ledger
- o standard output: report --diff --format csv ledger ledger
- o standard output: views policy guest
- o standard output: views --format json policy guest
- - standard output: profile --perf-command
kvm o standard output: info
kvm o standard output: info --format json
kvm o standard output: test --trace off ref.nothing
kvm o standard output: test --trace off --format json ref.nothing
kvm o standard output: test --trace off --format tap ref.nothing
kvm o standard output: test --trace off --format junit ref.nothing
kvm o standard output: test --engine flat --random 3
kvm o standard output: bench ref.nothing
kvm o standard output: bench --format json ref.nothing
kvm o standard output: run --trace off hello
kvm o standard output: run --trace off --format json hello
kvm - guest output: run -q --trace off --timeout 2 prints
kvm - standard output: profile --trace off --workload ref.nothing@20 --timeout 2 --interval 0.1
kvm - standard output: profile --trace off --workload ref.nothing@20 --timeout 2 --interval 0.1 --format json
kvm - standard output: profile --trace off --workload ref.nothing@20 --timeout 2 --interval 0.1 --format csv
'

# Options that name a file, with what is written if all is well: the same columns, an option at the end.
options='
kvm run -q --trace off hello --ledger
kvm run -q --trace off hello --pid-file
kvm test --trace off ref.nothing --ledger
kvm bench ref.nothing --ledger
kvm profile --trace off --workload ref.nothing@20 --timeout 2 --ledger
kvm profile --trace off --workload ref.nothing@20 --timeout 2 --pid-file
'

kvm=true
"$sidestep" info >/dev/null 2>"$err" || kvm=false
$kvm || echo "ok - what needs KVM # SKIP needs: kvm; host: $(head -n 1 "$err")"

# A pipe whose reader has gone: descriptor 5 writes to it.
mkfifo ../pipe
exec 4<>../pipe
exec 5>../pipe
exec 4<&-

# try COMMAND...: as `run` does, with whatever standard output there is, and signals as a shell would give them.
try() {
	timeout -s KILL "$(patient 30)" env --default-signal "$sidestep" "$@" 2>"$err" </dev/null
	status=$?
	runs=$((runs + 1))
}

files_there() {
	find . ../sink -mindepth 1 | sort
}

# Nothing is there but what was put there.
clean() { # name
	that "$1: leaves nothing" [ "$(files_there)" = "$before" ]
}

sinks() { # what a failed write is called, arguments
	local what=$1 name=${*:2}
	shift
	try "$@" >/dev/full
	judge "$name > /dev/full" 99 "^sidestep: $what No space left on device\$"
	try "$@" >&-
	judge "$name >&-" 99 "^sidestep: $what Bad file descriptor\$"
	try "$@" >&5
	judge "$name > a pipe without a reader" 141 ''
	clean "$name"
}

# files STATUS-OF-/dev/full REASON ARGUMENTS...: the last argument takes a file.
files() {
	local full=$1 reason=$2 name=${*:3}
	shift 2
	try "$@" /dev/full >/dev/null
	judge "$name /dev/full" "$full" "^sidestep: /dev/full: $reason"
	try "$@" ../sink/none/file >/dev/null
	judge "$name in no directory" 2 '^sidestep: \.\./sink/none/file: No such file or directory;'
	try "$@" ../sink >/dev/null
	judge "$name a directory" 2 '^sidestep: \.\./sink: ([Ii]s a|not a regular)'
	try "$@" '' >/dev/null
	judge "$name without a name" 2 '^sidestep: (: No such file|.*name )'
	try "$@" hello/file >/dev/null
	judge "$name below a file" 2 '^sidestep: hello/file: Not a directory;'
	# Nobody can create files there, not even root.
	try "$@" /sys/sidestep-test >/dev/null
	judge "$name where nothing can be created" '2|99' \
		'^sidestep: /sys/sidestep-test: (Permission denied|Read-only file system|No such file or directory)'
	clean "$name"
}

# What is written to a file is complete or not there, also if no file may grow; a disk in memory counts as one.
limited() { # arguments
	local name=$*
	# The limit is for the file that takes messages too, and for counters of coverage.
	run bash -c '(ulimit -f 0; exec env --default-signal GCOV_ERROR_FILE=/dev/null "$@") 2>&1 >/dev/null | cat >&2; exit "${PIPESTATUS[0]}"' \
		- "$sidestep" "$@" ../sink/file
	runs=$((runs + 1))
	judge "$name FILE that may not grow" '2|99' '^sidestep: (\.\./sink/file|no memory for a disk): File too large'
	clean "$name FILE that may not grow"
}

# A FIFO is written to as it is; it does not become a file.
fifo() { # arguments
	local name=$*
	mkfifo ../sink/fifo
	cat ../sink/fifo >../taken &
	try "$@" ../sink/fifo >/dev/null
	judge "$name FIFO" 0 ''
	wait $!
	that "$name FIFO: something arrives" [ -s ../taken ]
	that "$name FIFO: stays one" [ -p ../sink/fifo ]
	rm ../sink/fifo
}

before=$(files_there)
while read -r needs knows what rest; do
	[ -n "$needs" ] || continue
	[ "$needs" = - ] || $kvm || continue
	what="$what ${rest%%:*}:"
	read -ra arguments <<<"${rest#*: }"
	run "$sidestep" "${arguments[@]}"
	case "$status|${arguments[*]}" in
	0\|* | 124\|*prints) pass "${arguments[*]}" ;;
	*) fail "${arguments[*]}" 'does not work even where it can be written' ;;
	esac
	that "${arguments[*]}: writes something" [ -s "$out" ]
	sinks "$what" "${arguments[@]}"
	if [ "$knows" = o ]; then
		files 99 'No space left on device$' "${arguments[@]}" -o
		limited "${arguments[@]}" -o
		fifo "${arguments[@]}" -o
	fi
done <<<"$commands"

while read -r needs rest; do
	[ -n "$needs" ] || continue
	$kvm || continue
	read -ra arguments <<<"$rest"
	files 2 'not a regular file; ' "${arguments[@]}"
	limited "${arguments[@]}"
	mkfifo ../sink/fifo
	try "${arguments[@]}" ../sink/fifo >/dev/null
	judge "$rest FIFO" 2 '^sidestep: \.\./sink/fifo: not a regular file; '
	rm ../sink/fifo
done <<<"$options"

# --- Messages that nobody takes change nothing about the status.
for to in /dev/full ../pipe-end closed; do
	for row in '2 frobnicate' '2 report missing' '99 --help'; do
		read -ra arguments <<<"${row#* }"
		case $to in
		/dev/full) "$sidestep" "${arguments[@]}" >/dev/full 2>/dev/full ;;
		closed) "$sidestep" "${arguments[@]}" >&- 2>&- ;;
		*) env --default-signal "$sidestep" "${arguments[@]}" >&5 2>&5 ;;
		esac
		status=$?
		wanted=${row%% *}
		# With nobody to read the help either.
		[ "$wanted $to" = '99 ../pipe-end' ] && wanted=141
		that "${arguments[*]}, messages to $to" [ $status -eq "$wanted" ]
		runs=$((runs + 1))
	done
done

echo "figure: outputs-refused $runs"
finish
