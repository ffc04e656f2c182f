#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command line on the host's KVM: guest files, formats, output files, statuses. Arguments: the
# program, a compiler.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
needs_kvm
compiler=$2
piped=$(realpath "${BASH_SOURCE%/*}/piped.sh")
cd "$scratch" || exit 99

# --- Guest files. Every one is refused with its name, and no ledger is left behind.
printf '\177ELF' >magic
printf '\360\377' >flat
: >empty
truncate -s 257M large
mkfifo fifo
printf '.globl _start\n_start: hlt\n' >guest.s
assemble() { # output, linker options
	local name=$1
	shift
	"$compiler" -nostdlib -static -no-pie -Wl,--build-id=none "$@" -o "$name" guest.s
}
assemble good -Wl,-Ttext-segment=0x100000
assemble low -Wl,-Ttext-segment=0x10000
assemble high -Wl,-Ttext-segment=0x40000000
"$compiler" -nostdlib -shared -o shared guest.s
"$compiler" -c -o object guest.s
head -c 100 good >short
cp good segment
# e_phoff is 64: the program header's file size grows beyond the file.
printf '\377\377\377\177' | dd of=segment bs=1 seek=$((64 + 32)) conv=notrunc status=none
printf '\377\377\377\177' | dd of=segment bs=1 seek=$((64 + 40)) conv=notrunc status=none
cp good arm
printf '\267' | dd of=arm bs=1 seek=18 conv=notrunc status=none
cp good thirty-two
printf '\1' | dd of=thirty-two bs=1 seek=4 conv=notrunc status=none
cat >overlap.ld <<-'END'
	ENTRY(_start)
	PHDRS { a PT_LOAD; b PT_LOAD; }
	SECTIONS {
		.text 0x100000 : { *(.text) } :a
		.more 0x100800 : AT(0x100000) { QUAD(1) } :b
		/DISCARD/ : { *(.note*) *(.eh_frame) }
	}
END
assemble overlap -Wl,-T,overlap.ld -Wl,--no-check-sections

refused() { # name, file, regex
	check "$1" 2 "^sidestep: $2: $3" "$sidestep" run -q --timeout 5 --ledger ledger "$2"
	that "$1: no ledger" [ ! -e ledger ]
}
refused 'guest: missing' missing 'No such file'
refused 'guest: empty' empty 'empty file'
refused 'guest: nothing but the magic number' magic 'truncated'
refused 'guest: header cut off' short 'truncated'
refused 'guest: segment cut off' segment 'truncated'
refused 'guest: too large' large '.*too large for a guest image; the limit is 256 MiB'
refused 'guest: for another processor' arm 'not an x86-64 image'
refused 'guest: 32-bit' thirty-two 'not an x86-64 image'
refused 'guest: shared object' shared 'not a static executable'
refused 'guest: object file' object 'not a static executable'
refused 'guest: overlapping segments' overlap 'segments at .* overlap'
refused 'guest: below the start' low 'a segment at 0x10000 lies below 0x100000'
refused 'guest: a FIFO' fifo 'not a regular file'
refused 'guest: a directory' . 'not a regular file'
check 'guest: outside its memory' 2 "segment at 0x40000000 .*is outside its memory of 16 MiB" \
	"$sidestep" run -q --ledger ledger high
truncate -s 5M big
check 'guest: flat and larger than memory' 2 'is outside its memory of 4 MiB' \
	"$sidestep" run -q -m 4M --ledger ledger big
that 'guest: outside its memory: no ledger' [ ! -e ledger ]

# --- Sizes and numbers that only this host can judge.
check 'more memory than the host has' 2 "^sidestep: -m: .*more than the host's memory" \
	"$sidestep" run -m 1T
check 'more memory than the host has, by many VMs' 2 "^sidestep: -m: 64 x .*more than the host's" \
	"$sidestep" run --vms 64 -m 1023G
check 'a slice of a vCPU that nobody shares' 2 '^sidestep: --slice: .*add --share-vcpu' "$sidestep" run --vms 2 --slice 5
check 'a slice that is none' 2 '^sidestep: --slice: ' "$sidestep" run --vms 2 --share-vcpu --slice 0
check 'a slice of an hour' 2 '^sidestep: --slice: .*more than 60000' "$sidestep" run --vms 2 --share-vcpu --slice 3600000
check 'one of several vCPUs shared' 2 '^sidestep: --share-vcpu: .*leave out -c' "$sidestep" run --vms 2 -c 2 --share-vcpu
check 'a vCPU shared without a monitor' 77 '^sidestep: --share-vcpu: needs the engine vmx or svm' \
	"$sidestep" run --engine flat --vms 2 --share-vcpu
check 'memory in odd bytes' 2 '^sidestep: -m: ' "$sidestep" run -m 4194305
check 'too little memory' 2 '^sidestep: -m: .*at least 4M' "$sidestep" run -m 2M
check 'unknown pattern' 2 "no operation matches 'nothing'" "$sidestep" test nothing
check 'one unknown pattern of two' 2 "no operation matches 'nothing'" "$sidestep" bench ref.nothing nothing
check 'ledger on a device' 2 '^sidestep: /dev/full: not a regular file' "$sidestep" run --ledger /dev/full
check 'ledger in no directory' 2 '^sidestep: /nonexistent/x: No such' \
	"$sidestep" run --ledger /nonexistent/x

# --- A guest that ends in the middle of a line: the ledger begins in one of its own, and nothing else is added.
cat >guest.s <<-'END'
	.globl _start
	_start:
		mov $'x', %al
		out %al, $0xe9
		mov $0, %al
		out %al, $0xf4
END
assemble unfinished -Wl,-Ttext-segment=0x100000
check 'a line without an end' 0 '' "$sidestep" run unfinished
that 'a line without an end: then the ledger' [ "$(head -n 2 "$out" | cut -c -7 | tr '\n' '|')" = 'x|engine |' ]
check 'a line without an end: the ledger elsewhere' 0 '' "$sidestep" run -o ledger.txt unfinished
that 'a line without an end: the ledger elsewhere: as it was printed' [ "$(od -An -c "$out" | tr -d ' ')" = x ]
check 'a line without an end: quiet' 0 '' "$sidestep" run -q unfinished
that 'a line without an end: quiet: as it was printed' [ "$(od -An -c "$out" | tr -d ' ')" = x ]

# --- A guest from standard input.
check 'a guest from a pipe' 0 '' "$piped" unfinished "$sidestep" run -q -
that 'a guest from a pipe: it has run' [ "$(cat "$out")" = x ]
check 'no guest from a pipe' 2 '^sidestep: -: empty file' "$piped" /dev/null "$sidestep" run -q -

# --- Engines that this host cannot run say what they need and what it has.
for engine in vmx svm; do
	if "$sidestep" info | grep -Eq "^  $engine +yes"; then
		echo "ok - engine $engine is refused # SKIP this host can run it"
		continue
	fi
	for command in test run bench; do
		check "$command --engine $engine" 77 "engine $engine cannot run here: needs: .*; host: .+" \
			"$sidestep" "$command" --engine "$engine"
	done
	check "test --engine $engine as TAP" 77 'needs: ' "$sidestep" test --engine "$engine" --format tap
	that "test --engine $engine: TAP says so" grep -q '^1\.\.0 # SKIP .*needs: ' "$out"
done

# --- Nobody sees the counts of a quiet run, so it opens no tracepoints. The shim tells of each.
cat >shim.c <<-'END'
	#include <errno.h>
	#include <stdarg.h>
	#include <stdio.h>
	#include <sys/syscall.h>
	long syscall(long number, ...)
	{
		long given[5], result;
		va_list list;
		va_start(list, number);
		for (int i = 0; i < 5; i++)
			given[i] = va_arg(list, long);
		va_end(list);
		if (number == SYS_perf_event_open)
			fputs("perf event\n", stderr);
		register long r10 __asm__("r10") = given[3];
		register long r8 __asm__("r8") = given[4];
		__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(given[0]), "S"(given[1]),
				 "d"(given[2]), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
		if (result < 0)
			errno = (int)-result;
		return result < 0 ? -1 : result;
	}
END
"$compiler" -w -shared -fPIC -o shim.so shim.c || exit 99
printf '\060\300\346\364\353\376' >exits # xor %al, %al; out %al, $0xf4; jmp .
shimmed=(env LD_PRELOAD="$PWD/shim.so" ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0)
run "${shimmed[@]}" "$sidestep" run exits
if grep -q '^perf event$' "$err"; then
	check 'quiet: no tracepoints' 0 '' "${shimmed[@]}" "$sidestep" run -q exits
	run "${shimmed[@]}" "$sidestep" run -q --trace count exits
	that 'quiet: tracepoints, if asked for' grep -q '^perf event$' "$err"
	run "${shimmed[@]}" "$sidestep" run -q --ledger ledger exits
	that 'quiet: tracepoints for a ledger' grep -q '^perf event$' "$err"
else
	echo 'ok - quiet: no tracepoints # SKIP needs: tracepoints; host: not permitted'
fi

# --- A signal that comes as the ledger does, before there is a run that it could end.
cat >early.c <<-'END'
	#include <signal.h>
	#include <sys/syscall.h>
	#include <unistd.h>
	int flock(int fd, int operation)
	{
		long result = syscall(SYS_flock, fd, operation);
		kill(getpid(), SIGTERM);
		return (int)result;
	}
END
"$compiler" -w -shared -fPIC -o early.so early.c || exit 99
printf '\353\376' >spins # jmp .
check 'signal as the ledger is made' 143 'ended by signal 15' env LD_PRELOAD="$PWD/early.so" \
	ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 "$sidestep" run -q --ledger early spins
check 'signal as the ledger is made: it is complete' 0 '' "$sidestep" report early

# --- The same signal once more, when the run has ended but is not reported: as the first thread is waited for.
cat >again.c <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <pthread.h>
	#include <signal.h>
	#include <unistd.h>
	int pthread_join(pthread_t thread, void **value)
	{
		kill(getpid(), SIGTERM);
		return ((int (*)(pthread_t, void **))dlsym(RTLD_NEXT, "pthread_join"))(thread, value);
	}
END
"$compiler" -w -shared -fPIC -o again.so again.c || exit 99
LD_PRELOAD="$PWD/again.so" ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 \
	"$sidestep" run --seccomp off spins >"$out" 2>"$err" &
pid=$!
await runs $pid
kill -s TERM $pid
wait $pid
status=$?
that 'signal twice: the status' [ $status -eq 143 ]
that 'signal twice: the message' grep -q 'ended by signal 15' "$err"
that 'signal twice: the report' grep -q '^engine ' "$out"

# --- What the guest prints and the ledger do not get into each other's way.
printf '\260h\346\351\260\012\346\351\260\0\346\364' >prints.bin # MOV AL, 'h'; OUT 0xe9, AL; the same of a newline; OUT 0xf4
check 'run, as text' 0 '' "$sidestep" run --trace off prints.bin
that 'run, as text: both' grep -Pzq '^h\nengine ' "$out"
run "$sidestep" run --trace off --format json prints.bin
that 'run, as json: status' [ "$status" -eq 0 ]
that 'run, as json: the document alone' grep -Pzq '^{\n *"schema": "sidestep\.run",(.|\n)*\n}\n$' "$out"
that 'run, as json: the guest' [ "$(cat "$err")" = h ]
for format in text json; do
	check "run, as $format into a file" 0 '' "$sidestep" run --trace off --format $format -o summary prints.bin
	that "run, as $format into a file: the guest" [ "$(cat "$out")" = h ]
	that "run, as $format into a file: the ledger" grep -Eq '^engine |"schema": "sidestep\.run"' summary
done
check 'run, into standard output by name' 0 '' "$sidestep" run --trace off -o - prints.bin
that 'run, into standard output by name: both' grep -Pzq '^h\nengine ' "$out"
for options in '--format json' '-o summary'; do
	# shellcheck disable=SC2086 # words
	check "run -q $options" 2 'prints no ledger' "$sidestep" run -q $options prints.bin
done
check 'run, as csv' 2 "--format: 'csv' is none of: text or json" "$sidestep" run --format csv prints.bin

# --- A ledger to report on, from a run that prints its own.
check 'run with a ledger' 0 '' "$sidestep" run --ledger ledger
that 'run prints a ledger' grep -Eq '^cr0\.ts\.clts ' "$out"
that 'run: no escape sequences in a file' [ "$(tr -d -c '\033' <"$out" | wc -c)" -eq 0 ]
for by in operation reason rip symbol level vcpu instruction violation; do
	for format in text json csv; do
		check "report --by $by --format $format" 0 '' \
			"$sidestep" report --by "$by" --format "$format" ledger
		that "report --by $by --format $format says something" [ "$(wc -l <"$out")" -ge 2 ]
		check "report --by $by --format $format to a file" 0 '' \
			"$sidestep" report --by "$by" --format "$format" -o file ledger
		that "report --by $by --format $format: the file" [ -s file ]
		if [ "$format" = json ] && command -v python3 >/dev/null; then
			that "report --by $by as JSON parses" python3 -m json.tool file
		fi
	done
done
# Wherever KVM has left the RIP, the instruction is the one that the routine is there for.
check 'report --by rip' 0 '' "$sidestep" report --by rip ledger
for instruction in 'op_hlt+0x[0-9a-f]+ +hlt' 'op_port_in+0x[0-9a-f]+ +in al, 0x80' \
	'op_port_out+0x[0-9a-f]+ +out 0x80, al' 'op_mmio_read+0x[0-9a-f]+ +mov rax, \[rdi\]' \
	'op_mmio_write+0x[0-9a-f]+ +mov \[rdi\], rbx'; do
	that "report --by rip: $instruction" grep -Eq "^0x[0-9a-f]+ +${instruction/+/\\+} +vmm " "$out"
done
head -c 100000 ledger >"$scratch/cut"
check 'report of a truncated ledger' 1 '^sidestep: cut: truncated; what could be read is shown' \
	"$sidestep" report cut
that 'report of a truncated ledger shows a table' grep -q '^OPERATION' "$out"

# --- Every format of every command: what it says, and to a file. Where it cannot be written: outputs.sh.
outputs=(
	'test --format text ref.nothing ref.cpuid' 'test --format tap ref.nothing ref.cpuid'
	'test --format junit ref.nothing ref.cpuid' 'test --format json ref.nothing ref.cpuid'
	'bench --format text ref.nothing' 'bench --format json ref.nothing'
	'info --format text' 'info --format json'
	'report --format text ledger' 'report --format json ledger' 'report --format csv ledger'
	'report --by rip --format text ledger' 'report --by rip --format json ledger'
	'report --by rip --format csv ledger'
)
for arguments in "${outputs[@]}"; do
	read -ra words <<<"$arguments"
	check "$arguments" 0 '' "$sidestep" "${words[@]}"
	that "$arguments: data on stdout" [ -s "$out" ]
	case $arguments in
	*json*)
		if command -v python3 >/dev/null; then
			that "$arguments parses" python3 -m json.tool "$out"
			that "$arguments names its schema or table" grep -Eq '"(schema|exits)"' "$out"
		else
			echo "ok - $arguments parses # SKIP needs: python3"
		fi
		;;
	*junit*)
		if command -v xmllint >/dev/null; then
			that "$arguments is well-formed" xmllint --noout "$out"
		else
			echo "ok - $arguments is well-formed # SKIP needs: xmllint"
		fi
		;;
	esac
	rm -f file
	check "$arguments -o FILE" 0 '' "$sidestep" "${words[@]}" -o file
	that "$arguments -o FILE: nothing on stdout" [ ! -s "$out" ]
	that "$arguments -o FILE: the file" [ -s file ]
done
# With all three descriptors closed nothing of ours may land in a file that took their place.
"$sidestep" run -q --ledger closed exits <&- >&- 2>&-
status=$?
that 'run with nothing open: status' [ "$status" -eq 0 ]
check 'run with nothing open: the ledger' 0 '' "$sidestep" report closed

# --- TAP: a plan and as many lines.
check 'some of the catalogue as TAP' 0 '' "$sidestep" test --format tap 'cr0.*' 'ref.*'
plan=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$out")
that 'TAP: the plan is the number of lines' [ "$plan" -eq "$(grep -Ec '^(not )?ok [0-9]+ - ' "$out")" ]
that 'TAP: the plan is the list' \
	[ "$plan" -eq $(($("$sidestep" test --list 'cr0.*' 'ref.*' | wc -l) - 1)) ]

# --- An output file appears only when it is complete.
mkdir dir
"$sidestep" bench --count 3000000 ref.cpuid -o dir/file >"$out" 2>"$err" &
pid=$!
await runs $pid
that 'interrupted: no file while it runs' [ -z "$(ls dir)" ]
kill -KILL $pid
wait $pid 2>/dev/null
that 'interrupted: no file afterwards' [ -z "$(ls dir)" ]
echo old >dir/file
check 'failed: bad usage' 2 "no operation matches" "$sidestep" bench nothing -o dir/file
that 'failed: the old file is untouched' [ "$(cat dir/file)" = old ]
check 'replaced' 0 '' "$sidestep" bench ref.nothing -o dir/file
that 'replaced: the new file is there' grep -q ref.nothing dir/file
that 'replaced: and no other' [ "$(ls dir)" = file ]

# --- Timeouts.
# The time counts from the start of the process: it has to do for loading, on a busy machine too.
check 'timeout' 124 'timeout after 3 s; vcpu0 at rip 0x[0-9a-f]+.* in operation ref.nothing' \
	"$sidestep" bench --count 100000000 --timeout 3 ref.nothing
that 'timeout: in time' [ "$elapsed" -lt 4000 ]
check 'timeout of a test as TAP' 124 'timeout after 0.01 s' "$sidestep" test --timeout 0.01 --format tap
that 'timeout of a test as TAP: bails out' grep -q '^Bail out! timeout' "$out"

# --- Control flags.
check 'flags: one flag in two places' 2 '--own and --shadow name the same flag for VM 0' \
	"$sidestep" run --own ts --shadow ts
check 'flags: of the second VM' 2 'the same flag for VM 1' \
	"$sidestep" run --vms 2 --flag-path enlightened --own ts --shadow mp --own mp --shadow mp
check 'flags: unknown' 2 "--own: 'cr3' is not a list of flags" "$sidestep" run --own cr3
for flag in CR0.PE CR0.PG CR0.ET CR4.PAE CR4.VMXE CR4.PCIDE CR4.LA57 CR4.CET; do
	check "flags: $flag is only the guest's" 2 "--shadow: $flag has no owner but the guest: " \
		"$sidestep" run --shadow "${flag#*.}"
done
check 'flags: others of both registers' 77 'needs: masks' \
	"$sidestep" run --engine flat --shadow em,ne,am,wp,cd,nw,tsd,de,pce,osfxsr,osxmmexcpt,umip,fsgsbase,smep,smap,pke
check 'flags: asked and owned' 2 '--ask names a flag of VM 0' "$sidestep" run --own wp --ask wp
check 'flags: words are of CR0' 2 'enlightened is for flags of CR0' \
	"$sidestep" run --flag-path enlightened --shadow smep
check 'flags: path cpu with a shadow' 2 'cpu serves owned flags only' \
	"$sidestep" run --flag-path cpu --shadow ts
check 'flags: path vmm with a shadow needs a monitor too' 77 'needs: masks; host: engine flat' \
	"$sidestep" run --engine flat --flag-path vmm --shadow ts
check 'flags: a single mask keeps what is not owned' 2 '--embodiment single-mask keeps every flag that is not owned' \
	"$sidestep" run --embodiment single-mask --own ts
check 'flags: unknown path' 2 "--flag-path: 'fast' is not" "$sidestep" run --flag-path fast
check 'flags: enlightened works on every engine' 0 '' "$sidestep" run -q --engine flat --flag-path enlightened
check 'flags: masks need a monitor' 77 'needs: masks; host: engine flat' "$sidestep" run --engine flat --own none

# --- Services.
check 'services: unknown' 2 "--services: 'viev' in 'viev,map' is none of" "$sidestep" run --services viev,map
check 'services: a view that cannot be left' 2 'view:view0: no other view could be left' \
	"$sidestep" run --services view:view0
check 'services: none' 0 '' "$sidestep" test --engine flat --services none 'service.map.*' view.same.vmfunc
that 'services: none, so each is #UD' [ "$(grep -c '^service\.map\..* pass *#UD' "$out")" -ge 2 ]
that 'services: no switch of views' grep -q 'needs: views; host: --services leaves out view' "$out"
check 'services: for everybody' 0 '' "$sidestep" test --engine flat --services map:cpl3 service.map.cpl3
that 'services: for everybody, so no exception' grep -q '^service\.map\.cpl3 *pass *0x' "$out"

# --- Several vCPUs and VMs. What they do is tests/catalogue's.
check 'two VMs of two vCPUs with a ledger' 0 '' "$sidestep" run -q --vms 2 -c 2 --ledger ledger exits
check 'two VMs of two vCPUs: report' 0 '' "$sidestep" report ledger
that 'two VMs of two vCPUs: said so' grep -q '2 VM x 2 vCPU' "$out"

finish
