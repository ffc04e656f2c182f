#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# cost.sh CPUIDS OUTS [WATCHER...]: run inside a lab, by attach_cost.sh: what each exit of a loop costs the guest of small_vmm by its own time
# stamp counter, while nobody and while somebody counts. Prints "NAME TICKS TICKS", for all CPUIDs and all OUTs.
cpuids=$1 outs=$2
shift 2
kvm=/sys/kernel/tracing/events/kvm
all=kvm_exit,kvm_entry,kvm_userspace_exit,kvm_nested_vmexit,kvm_nested_vmexit_inject,kvm_nested_vmenter
events=$(echo "$all" | sed 's/kvm_/kvm:kvm_/g')
mkfifo go

# How long others take to attach is not told by all of them; a second that nothing happens in takes no time.
settle() {
	sleep 5
}

perf_stat() { perf stat -e "$events" -p "$1" -o watcher.out & }
perf_record() { perf record -q -e kvm:kvm_exit -p "$1" -o data & }
perf_kvm() { perf kvm stat record -p "$1" -o data & }
# As bcc's kvmexit counts, in the kernel; the second one also how long each exit takes.
bpf_count() {
	bpftrace -p "$1" -e "tracepoint:kvm:kvm_exit /pid == $1/ { @exits[args->exit_reason] = count(); }
		tracepoint:kvm:kvm_userspace_exit /pid == $1/ { @returns[args->reason] = count(); }" &
}
bpf_times() {
	bpftrace -p "$1" -e "tracepoint:kvm:kvm_exit /pid == $1/ { @reason[tid] = args->exit_reason; @since[tid] = nsecs; }
		tracepoint:kvm:kvm_entry /@since[tid]/ {
			@exits[@reason[tid]] = hist(nsecs - @since[tid]); delete(@since[tid]); }" &
}
profile() { sidestep profile --pid "$1" --format json -o profile.json & }
profile_ledger() { sidestep profile --pid "$1" --format json -o profile.json --ledger profile.ledger & }
profile_vcpu() { sidestep profile --pid "$1" --vcpu 0 --by rip --format json -o profile.json & }

# While somebody counts by a trigger of its own, and nobody has to attach.
histogram() { # SIGN TID
	for pair in kvm_exit/exit_reason,guest_rip kvm_userspace_exit/reason; do
		echo "$1hist:keys=${pair#*/}:size=16384 if common_pid==$2" >"$kvm/${pair%%/*}/trigger"
	done
}

measure() { # NAME WATCHER
	small_vmm -l "$cpuids,$outs" <go 2>vmm.err &
	vmm=$!
	exec 3>go
	until grep -q waiting vmm.err; do usleep 10000; done
	tid=$(sed -n 's/^waiting: vcpu0 //p' vmm.err)
	watcher=
	case $2 in
	nobody) ;;
	histogram) histogram '' "$tid" ;;
	*)
		"$2" "$vmm" >watcher.log 2>&1 </dev/null
		watcher=$!
		;;
	esac
	settle
	[ -z "$watcher" ] || kill -0 "$watcher" || {
		echo "$1: $(tail -n 1 watcher.log)" >&2
		watcher=
	}
	echo >&3
	exec 3>&-
	wait "$vmm"
	[ -z "$watcher" ] || wait "$watcher" || echo "$1: $(tail -n 1 watcher.log)" >&2
	[ "$2" != histogram ] || histogram '!' "$tid"
	# shellcheck disable=SC2046 # two numbers
	echo "$1" $(sed -n 's/^vcpu0 told //p' vmm.err)
	rm vmm.err
}

# What each of them is measured by.
[ $# -gt 0 ] || set -- untouched untouched-again histogram bpftrace-counts bpftrace-times perf-stat perf-record \
	perf-kvm-stat-record profile profile-vcpu-by-rip profile-ledger
for name; do
	case $name in
	untouched*) measure "$name" nobody ;;
	histogram) measure "$name" histogram ;;
	bpftrace-counts) measure "$name" bpf_count ;;
	bpftrace-times) measure "$name" bpf_times ;;
	perf-stat) measure "$name" perf_stat ;;
	perf-record) measure "$name" perf_record ;;
	perf-kvm-stat-record) measure "$name" perf_kvm ;;
	profile) measure "$name" profile ;;
	profile-vcpu-by-rip) measure "$name" profile_vcpu ;;
	profile-ledger) measure "$name" profile_ledger ;;
	esac
done
