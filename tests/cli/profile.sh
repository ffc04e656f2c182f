#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sidestep profile on the host's KVM. Arguments: the program, a directory with flat guests.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
hostile=$2
here=$(realpath "${BASH_SOURCE%/*}")

# --- What needs no KVM.
check 'workload: no operation' 2 "--workload: no operation matches 'nothing'" \
	"$sidestep" profile --workload nothing
check 'workload: no rate' 2 "--workload: 'x' is no rate" "$sidestep" profile --workload 'ref.*@x'
check 'workload: with a guest' 2 '--workload is for the built-in firmware; leave out GUEST' \
	"$sidestep" profile --workload 'ref.*' "$hostile/hostile_hello.elf"
check 'interval: too short' 2 "--interval: '0.01' is not a number of seconds from 0.05 to 3600" \
	"$sidestep" profile --interval 0.01
check 'interval: not a number' 2 "--interval: 'nan' is not" "$sidestep" profile --interval nan
check 'two guests' 2 'profile takes one GUEST, not 2' "$sidestep" profile a b
check 'format' 2 "--format: 'tap' is none of: text, json or csv" "$sidestep" profile --format tap
check 'trace: unknown' 2 "--trace: 'all' is not off, count or sample" "$sidestep" profile --trace all

check 'perf command' 0 '' "$sidestep" profile --perf-command --interval 5 -c 2 --workload 'ref.*@5' "a b'c"
that 'perf command: every tracepoint that is counted' grep -q \
	'^perf stat -e kvm:kvm_exit --filter .* -e kvm:kvm_nested_vmexit .* -e kvm:kvm_pio -- ' "$out"
that 'perf command: options and guest of the run' grep -Eq \
	"^perf stat .* -- sidestep run -q --vcpus 2 --workload 'ref\\.\\*@5' 'a b'\\\\''c'\$" "$out"
that 'perf command: is a shell script' bash -n "$out"

needs_kvm
cd "$scratch" || exit 99
work=ref.port.out@200,ref.cpuid@20,ref.mmio.read@50

# --- One record per interval, then the summary.
check 'json' 0 '' "$sidestep" profile --workload "$work" --timeout 2 --interval 0.2 --format json
in_time 'json' 20000
if command -v python3 >/dev/null; then
	that 'json: what it says' python3 "$here/profile_stream.py" "$out"
else
	echo 'ok - json: what it says # SKIP needs: python3'
fi
check 'csv' 0 '' "$sidestep" profile --workload "$work" --timeout 2 --interval 0.2 --format csv
that 'csv: header' [ "$(head -n 1 "$out")" = 'time,seconds,type,operation,level,reason,exits_per_second,share,mean_ns,median_ns,p99_ns,max_ns,total,time_ns,estimated' ]
that 'csv: as many cells in every line' [ "$(awk -F, '{ print NF }' "$out" | sort -u)" = 15 ]
that 'csv: an interval' grep -q ',interval,ref.port.out,vmm,io,' "$out"
that 'csv: the summary' grep -q ',summary,ref.port.out,vmm,io,' "$out"
check 'text' 0 '' "$sidestep" profile --workload "$work" --timeout 2 --interval 0.2
that 'text: a table for every interval' [ "$(grep -c '^OPERATION  *LEVEL  *REASON' "$out")" -ge 2 ]
that 'text: no escape sequences in a file' [ "$(tr -d -c '\033' <"$out" | wc -c)" -eq 0 ]
that 'text: a summary at the end' grep -q '^summary of ' "$out"
that 'text: the source of L0' grep -q '^l0: counters of the kernel; reasons and handling times' "$out"
# --- By instruction: what the report of the same run has, at the levels at which every exit is recorded.
check 'by instruction' 0 '' "$sidestep" profile --by instruction --workload "$work,ref.hlt.pending@20" --timeout 2 \
	--format csv --ledger ledger
awk -F, '$3 == "summary" && $5 != "l0" { print $4, $5, $(NF - 2) }' "$out" | sort >profiled
check 'by instruction: a report' 0 '' "$sidestep" report --by instruction --format csv ledger
awk -F, 'NR > 1 && $2 != "l0" { print $1, $2, $3 }' "$out" | sort >reported
that 'by instruction: as in the report' cmp profiled reported
that 'by instruction: names' [ "$(grep -Ec '^(hlt|mov|out) vmm [1-9]' profiled)" = 3 ]
check 'by instruction: json' 0 '' "$sidestep" profile --by instruction --workload "$work" --timeout 1 --format json
that 'by instruction: json: names' grep -q '"by":"instruction".*"instruction":"out"' "$out"
check 'by instruction: text' 0 '' "$sidestep" profile --by instruction --workload "$work" --timeout 1
that 'by instruction: text: names' grep -Eq '^out +vmm +[1-9]' "$out"
check 'every exit recorded' 0 '' "$sidestep" profile --workload 'ref.cpuid@20' --trace sample --timeout 2 \
	--ledger ledger
that 'every exit recorded: a ledger' "$sidestep" report ledger

# --- Every exit at L0, against the counters of the same tracepoints.
info=$("$sidestep" info)
if ! grep -q 'kvm tracepoints, recorded one by one$' <<<"$info"; then
	echo "ok - sampled # SKIP needs: tracepoints; host:$(grep 'not recorded' <<<"$info")"
elif ! command -v python3 >/dev/null; then
	echo 'ok - sampled # SKIP needs: python3'
else
	check 'sampled' 0 '' "$sidestep" test --trace sample --format json \
		ref.nothing ref.cpuid ref.port.out ref.mmio.read ref.hlt.pending service.port
	that 'sampled: agrees with the counters' python3 "$here/l0_exits.py" "$out"
	check 'sampled: text' 0 '' "$sidestep" test --trace sample ref.cpuid
	that 'sampled: text has both lines' grep -Eq \
		'^by rip, beside the marker: [1-9][0-9]* agrees, [0-9]+ elsewhere, [0-9]+ unmarked, 0 differs$' "$out"
fi

# --- Ends: with the guest, by a signal, by a reader that is gone.
check 'the guest ends' 0 '' "$sidestep" profile "$hostile/hostile_hello.elf"
check 'the guest fails' 1 'triple fault' "$sidestep" profile "$hostile/hostile_triple_fault.elf"
check 'several vCPUs and VMs' 0 '' "$sidestep" profile -c 2 --vms 2 --workload 'ref.cpuid@20' --timeout 2
signalled() { # name, signal, status, regex
	"$sidestep" profile --workload "$work" --interval 0.1 >"$out" 2>"$err" &
	local pid=$!
	await runs $pid
	sleep 0.2
	kill "-$2" $pid
	wait $pid
	status=$?
	judge "$1" "$3" "$4"
	that "$1: a summary" grep -q '^summary of ' "$out"
}
# Bash starts background jobs with SIGINT ignored, unless there is job control.
set -m
signalled 'Ctrl-C' INT 0 ''
set +m
signalled 'SIGTERM' TERM 143 'ended by signal 15'
"$sidestep" profile --workload "$work" --interval 0.1 --timeout 20 >/dev/full 2>"$err"
status=$?
judge 'to a full device' 99 '^sidestep: standard output: No space left'

# --- Without permission for tracepoints, the rest is there, and what would help is named.
if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -lt 0 ]; then
	echo 'ok - without permission # SKIP host: perf_event_paranoid permits everybody everything'
else
	check 'without permission' 0 '' setpriv --no-new-privs --bounding-set=-all --inh-caps=-all \
		"$sidestep" profile --workload "$work" --timeout 2
	that 'without permission: says what would help' grep -Eq \
		'^tracepoints: not observed: not permitted; run as root.*kernel\.perf_event_paranoid \(now [0-9]+\) to -1|^tracepoints: not observed: tracefs' \
		"$out"
	that 'without permission: still counts' grep -Eq '^ref\.port\.out +vmm +io ' "$out"
	check 'without permission: run' 0 '' setpriv --no-new-privs --bounding-set=-all --inh-caps=-all \
		"$sidestep" run --trace sample --ledger ledger "$hostile/hostile_hello.elf"
	check 'without permission: report' 0 '' "$sidestep" report ledger
fi

# --- On a terminal.
if command -v python3 >/dev/null; then
	LIMIT=60 check 'terminal' 0 '' python3 "$here/terminal.py" "$sidestep"
	that 'terminal: every check' [ "$(tail -n 1 "$out")" = 'all is well' ]
	[ "$status" -eq 0 ] || cat "$out"
else
	echo 'ok - terminal # SKIP needs: python3'
fi

finish
