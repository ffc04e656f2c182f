#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sidestep profile --pid and --all on the host's KVM: a VMM that is not ours is looked at, and ends as if nobody did. What
# the labs hold exit for exit against the kernel's own counts is tests/lab/attach.sh. Arguments: the program, the VMM.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
vmm=$(realpath "$2")
validate=$(realpath "${BASH_SOURCE%/*}/../docs/validate.py")
cd "$scratch" || exit 99

# --- What needs no KVM.
check 'pid: no number' 2 "--pid: 'qemu' is not a whole number above 0" "$sidestep" profile --pid qemu
check 'pid: no process' 2 '^sidestep: --pid 2147483647: there is no such process$' "$sidestep" profile --pid 2147483647
check 'pid: no VMM' 2 "^sidestep: --pid $$: [^ ]+ has no vCPU; name the process of a VMM" "$sidestep" profile --pid $$
check 'pid: no abbreviation' 2 '^sidestep: --pi is no option of this command' "$sidestep" profile --pi $$
check 'pid: with a guest' 2 'profile takes --pid or a GUEST, not both' "$sidestep" profile --pid $$ guest
check 'pid: with all' 2 'profile takes --pid or --all, not both' "$sidestep" profile --pid $$ --all
check 'pid: with what a run has' 2 "--memory is for a guest of sidestep's own" "$sidestep" profile --pid $$ -m 16M
check 'pid: by operation' 2 "--by operation: of somebody else's VM exits are counted by reason, rip" \
	"$sidestep" profile --pid $$ --by operation
check 'pid: by instruction' 2 'vcpu; nobody can read its memory from outside, take rip' \
	"$sidestep" profile --pid $$ --by instruction
check 'vcpu: no number' 2 "--vcpu: 'x' is not the number of a vCPU" "$sidestep" profile --pid $$ --vcpu x
check 'vcpu: of nobody' 2 '--vcpu goes with --pid or --all' "$sidestep" profile --vcpu 0
check 'by: not of a profile' 2 '--by service: profile counts by operation, reason' "$sidestep" profile --by service

needs_kvm
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	# As in usage.sh: the program where others find it, and room for the counters of a build with coverage.
	chmod 755 "$scratch"
	cp "$sidestep" program
	mkdir -m 777 counters
	check 'pid: of somebody else' 77 '^sidestep: --pid 1: not permitted to look at this process; run as root' \
		env GCOV_PREFIX="$scratch/counters" setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all \
		"$scratch/program" profile --pid 1
else
	echo 'ok - pid: of somebody else # SKIP needs: root and setpriv'
fi
info=$("$sidestep" info)
if ! grep -q 'kvm tracepoints, recorded one by one$' <<<"$info"; then
	echo "ok - attached # SKIP needs: tracepoints; host:$(grep 'not recorded' <<<"$info")"
	finish
fi

# Starts the VMM with a guest of so many CPUIDs and OUTs on each of so many vCPUs. It waits until go().
vmm_begin() { # vCPUs, loops, OPTION...
	rm -f go
	mkfifo go
	"$vmm" -c "$1" -l "$2" "${@:3}" <go >guest.out 2>guest.err &
	pid=$!
	exec 3>go
	await grep -q waiting guest.err
}

if python3 -c 'import jsonschema' 2>/dev/null; then
	valid() { # name, file with what has to be as docs/schemas says
		check "$1: valid JSON" 0 '' "$validate" "$2"
	}
else
	valid() {
		echo "ok - $1: valid JSON # SKIP needs: python3-jsonschema"
	}
fi

go() {
	echo >&3
	exec 3>&-
}

attach() { # OPTION...
	# What a shell starts in the background would ignore Ctrl-C.
	env --default-signal=INT "$sidestep" profile "$@" </dev/null >profile.out 2>profile.err &
	profile=$!
	await grep -q "attached to $pid (small_vmm)" profile.err
}

# name, wanted status: of sidestep; the VMM always ends well.
ends() {
	wait "$profile"
	status=$? err=profile.err
	that "$1: status $2" [ "$status" -eq "$2" ]
	wait "$pid"
	that "$1: the VMM ends as ever" [ $? -eq 0 ]
	err=$scratch/.err
}

# What KVM_RUN has returned, by the VMM's own count, of all vCPUs.
runs_of_vmm() {
	awk '$2 == "runs" { n += $3 } END { print n }' guest.err
}

vmm_begin 2 200,300
attach --pid "$pid" --format csv --interval 60
go
ends 'to the end of the VM' 0
# Times that end with an entry are not to be had where KVM interprets; numbers are.
that 'every return to the VMM is counted' [ "$(awk -F, '$3 == "summary" && $5 == "vmm" { n += $(NF - 2) } END { print n }' profile.out)" = "$(runs_of_vmm)" ]
that 'by the reason' grep -q '^[0-9.]*,[0-9.]*,summary,l1,vmm,io,' profile.out

vmm_begin 2 200,300
attach --pid "$pid" --ledger ledger --by vcpu
go
ends 'with a ledger' 0
that 'a summary for people' grep -q '^summary of ' profile.out
for vcpu in 0 1; do
	that "vCPU $vcpu: which thread it is, and what was lost" \
		[ "$(grep -c "^process $pid (small_vmm), vcpu $vcpu, thread [0-9]*: [0-9]* [a-z]* recorded, 0 lost$" profile.out)" -eq 1 ]
	that "vCPU $vcpu has a row" [ "$(grep -c "^$vcpu  *l1 *vmm " profile.out)" -ge 1 ]
done
"$sidestep" report --by rip ledger >by-rip
that 'the ledger by RIP: no column of instructions that nobody could read' grep -q '^rip  *at  *level ' by-rip
check 'the ledger by reason' 0 '' "$sidestep" report --by reason --format csv ledger
that 'the ledger has every return' [ "$(awk -F, '$2 == "vmm" { n += $3 } END { print n }' "$out")" = "$(runs_of_vmm)" ]
for format in text json html trace folded; do
	check "the ledger as $format" 0 '' "$sidestep" report --format "$format" ledger
	cp "$out" "ledger.$format"
done
valid 'the ledger' ledger.json
valid 'the ledger as a time line' ledger.trace

vmm_begin 1 200,300
attach --pid "$pid" --vcpu 99 --interval 60
go
ends 'a vCPU that it has not' 0
that 'a vCPU that it has not: the summary says so' grep -q '^no vCPU with the number 99 was seen to run$' profile.out
that 'a vCPU that it has not: no row of another' [ "$(grep -c '^l1 *vmm ' profile.out)" -eq 0 ]

vmm_begin 1 200,300
attach --all --timeout 600 --format json --interval 60
go
wait "$pid"
kill -INT "$profile"
ends 'all VMs, until Ctrl-C' 0
monitor=0.0
grep -q kvm_pvm <<<"$info" && monitor='"not observed"'
that 'all VMs: exits of nested guests, if this KVM shows them' grep -q "\"monitor\":$monitor," profile.out
that 'all VMs: its own is among them' grep -q "\"pid\":$pid,\"name\":\"small_vmm\"" profile.out
valid 'all VMs' profile.out

# A file of where a kernel would lie, had it not been moved, has names for none of its exits; one of where it lies has.
hint="hardly any exit of the guest's kernel is in a function of --symbols"
for at in ffffffff91000000 ffffffff80001000; do
	printf '%s T %s\n' $at _text $at startup_64 >System.map
	vmm_begin 1 3000,3000 -k
	attach --pid "$pid" --by symbol --symbols System.map --interval 60
	go
	ends "symbols from $at" 0
	if [ $at = ffffffff80001000 ]; then
		that 'symbols of where the kernel lies: a row by name' grep -q '^startup_64 *l1 *l0 ' profile.out
		that 'symbols of where the kernel lies: no hint' [ "$(grep -c "$hint" profile.out)" -eq 0 ]
	else
		that 'symbols of a kernel that was moved: a hint' grep -q "^$hint: is it moved (KASLR)?" profile.out
	fi
done

# One that comes later.
"$sidestep" profile --all --timeout 600 --format json --interval 60 --ledger all.ledger </dev/null >profile.out 2>profile.err &
profile=$!
await grep -qs 'Seccomp:.*2' "/proc/$profile/status"
vmm_begin 1 200,300
sleep 1
go
wait "$pid"
kill -TERM "$profile"
ends 'all VMs, until SIGTERM' 143
that 'all VMs: one that came later' grep -q "\"pid\":$pid,\"name\":\"small_vmm\"" profile.out
that 'all VMs: the ledger names it too' grep -aq "process $pid (small_vmm)" all.ledger

# --- What the profiler has given up, in every thread.
vmm_begin 1 200,300
attach --pid "$pid" --interval 60
await grep -qs 'Seccomp:.*2' "/proc/$profile/status"
that 'sealed: every thread has a filter' [ "$(cat "/proc/$profile"/task/*/status | grep -c '^Seccomp:.*2')" -eq 2 ]
that 'sealed: no new privileges' [ "$(cat "/proc/$profile"/task/*/status | grep -c '^NoNewPrivs:.*1')" -eq 2 ]
# CAP_IPC_LOCK, CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_PERFMON: those at most, and of the thread that shows numbers none.
caps=$((1 << 14 | 1 << 19 | 1 << 21 | 1 << 38))
for task in "/proc/$profile"/task/*; do
	effective=$((16#$(sed -n 's/^CapEff:[[:space:]]*//p' "$task/status")))
	if [ "${task##*/}" = "$profile" ]; then
		that 'sealed: the main thread has no capability' [ "$effective" -eq 0 ]
	else
		that 'sealed: the reader has few capabilities' [ $((effective & ~caps)) -eq 0 ]
	fi
done
go
ends 'sealed' 0
finish
