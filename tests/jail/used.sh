#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# No rule of the jail is there for nothing: runs of the program, traced, use every one that this host can
# make it use; the labs see to the rest (tests/lab/catalogue.sh). And a thread that makes any other call ends
# the process. Arguments: the program, the tracer, the directories of these guests, of the
# hostile ones, and of those for the platform pc.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
needs_kvm
tracer=$(realpath "$2") guests=$(realpath "$3") hostile=$(realpath "$4") pc=$(realpath "$5")
cd "$scratch" || exit 99
if ! "$tracer" -- true 2>/dev/null; then
	echo 'skipped: needs: ptrace; host: not permitted to trace a child'
	exit 77
fi

# traced NAME STATUS REGEX [TRACER OPTION...] -- COMMAND...
traced() {
	local name=$1 wanted=$2 regex=$3
	shift 3
	check "$name" "$wanted" "$regex" "$tracer" --record used "$@"
}

: >file
traced 'the catalogue, into a file' 0 '' -- \
	"$sidestep" bench --engine flat --count 20 -o file
that 'the catalogue, into a file: it is there' grep -q '^ref.nothing' file
traced 'a test' 0 '' -- "$sidestep" test --engine flat ref.nothing
traced 'disturbed while it waits' 124 'timeout after 1 s' --disturb -- \
	"$sidestep" run -q --timeout 1 "$hostile/hostile_spin.elf"
traced 'interrupted' 130 'ended by signal 2' --interrupt -- \
	"$sidestep" run -q -c 4 "$hostile/hostile_spin.elf"
traced 'a ledger of several blocks' 0 '' -- "$sidestep" run -q --ledger ledger "$guests/jail_loop.bin"
traced 'a great deal of samples' 0 '' -- "$sidestep" run --vms 64 "$guests/jail_reports.elf"
traced 'a profile' 0 '' -- "$sidestep" profile --engine flat --workload 'ref.port.out@100' --interval 0.1 --timeout 1
traced 'a file that tells the threads' 0 '' -- "$sidestep" run -q --pid-file pids "$hostile/hostile_log.elf"
head -c 8192 /dev/zero >disk
traced 'buffers that stay pinned' 0 '' -- "$sidestep" run -q --disk disk "$hostile/hostile_disk.elf"
traced 'a disk that takes a part of its last sector' 4 'guest exit status 4' -- \
	prlimit --fsize=8000 "$sidestep" run -q --disk disk "$hostile/hostile_disk.elf"
truncate -s 1M disk
traced 'a disk, from its beginning to its end' 0 '' -- "$sidestep" run -q --disk disk "$hostile/hostile_disk_ends.elf"
traced 'output' 0 '' -- "$sidestep" run -q "$hostile/hostile_log.elf"
traced 'a guest that steps itself' 0 '' -- "$sidestep" run -q "$hostile/hostile_retires.elf"
mkfifo keys
{ sleep 1; echo end; } >keys &
traced 'a serial line with interrupts, typed into' 0 '' -- sh -c 'exec "$@" <keys' sh "$sidestep" run -q "$pc/pc_typed.elf"
traced 'lines of a test device' 0 '' -- "$sidestep" run -q "$pc/pc_test_device.elf"
traced 'a vCPU that KVM keeps' 1 'halted for good' -- "$sidestep" run -q "$pc/pc_halts.elf"
mkdir left
traced 'killed while it writes a file' 159 '' --inject main/write/VERDICT 110 -- \
	"$sidestep" test --engine flat --format json -o left/file ref.nothing
that 'killed while it writes a file: nothing is left' [ -z "$(ls left)" ]

# A call that is not listed, in the middle of a run.
calls=(59:execve 322:execveat 56:clone 435:clone3 57:fork 41:socket 42:connect 437:openat2
	101:ptrace 321:bpf 298:perf_event_open 425:io_uring_setup 62:kill 310:process_vm_readv
	317:seccomp 157:prctl 110:getppid)
build=$("$tracer" --build)
[ "$build" = nothing ] && calls+=(2:open 257:openat)
for call in "${calls[@]}"; do
	check "vcpu: ${call#*:} ends the process" 159 '' "$tracer" \
		--inject vcpu/ioctl/VCPU/1=0xae80 "${call%:*}" -- "$sidestep" run -q "$hostile/hostile_hello.elf"
	check "main: ${call#*:} ends the process" 159 '' "$tracer" \
		--inject main/close/ANY "${call%:*}" -- "$sidestep" run -q "$hostile/hostile_hello.elf"
done

if [ "$build" != nothing ]; then
	echo "ok - every rule is used # SKIP needs: an ordinary build; host: $build"
	finish
fi
"$tracer" --list flat >wanted
"$tracer" --list pc >>wanted
if missing=$("$sidestep" info | grep -m 1 'kvm tracepoints not '); then
	echo "ok - rules for tracepoints # SKIP needs: tracepoints; host: ${missing#*: }"
else
	"$tracer" --list traced >>wanted
fi
while read -r rule; do
	that "used: $rule" grep -qx -- "$rule" used
done <wanted

finish
