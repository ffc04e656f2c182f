#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Kernels that are not sidestep's, on the platform `pc` and the host's KVM: each needs one thing of the platform, checks
# it and says so. Arguments: the program, the directory of the guests, gen-docs.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
needs_kvm
guests=$(realpath "$2") gen_docs=$(realpath "$3") reports=$(realpath "${BASH_SOURCE%/*}/../report")
cd "$scratch" || exit 99

# guest NAME STATUS REGEX LINES [OPTIONS...]: how it ends, what sidestep says of it, and all that the guest prints.
guest() {
	local name=$1 wanted=$2 regex=$3 lines=$4 file=$guests/pc_$1.elf
	shift 4
	[ -e "$file" ] || file=$guests/pc_$name.bin
	check "$name $*" "$wanted" "$regex" "$sidestep" run -q --timeout "$(patient 5)" "$@" "$file"
	[ "$lines" = - ] || that "$name $*: what it printed" [ "$(tr -d '\r' <"$out")" = "$lines" ]
}

# --- Loading, and what is told.
guest hello 0 '' hello
guest hello 0 '' hello --platform pc -m 4M
# As QEMU's isa-debug-exit has it.
guest hello 15 'guest exit status 15' '' --append 'six seven'
guest addresses 0 '' 'hello from 0x200000'
printf 'NR_CPUS=1\n' >'env'
printf 'second\n' >second
guest told 0 '' - --append 'first second=2' --initrd env --initrd second
that 'told: the command line, after the name of a program' grep -q '^command line: [^ ]* first second=2' "$out"
that 'told: memory up to its end' grep -q '^memory 100000 to 8000000 available' "$out"
that 'told: the modules' grep -qx 'module env: NR_CPUS=1' <(tr -d '\r' <"$out")
that 'told: as many as there are' [ "$(grep -c '^module ' "$out")" -eq 2 ]
guest told 0 '' - -m 16M
that 'told: less memory' grep -q '^memory 100000 to 1000000 available' "$out"
that 'told: no modules' [ "$(grep -c '^module ' "$out")" -eq 0 ]
guest told 0 '' - -m 4G
that 'told: memory below the hole' grep -q '^memory 100000 to c0000000 available' "$out"
that 'told: memory above 4 GiB' grep -q '^memory 100000000 to 140000000 available' "$out"
guest big_memory 0 '' 'words 2' -m 16M
guest big_memory 0 '' 'words 73' -m 4500M
guest firmware_config 0 '' 'processors 1 memory 128'
guest firmware_config 0 '' 'processors 3 memory 4500' -c 3 -m 4500M

# --- Processors and interrupts.
for count in 1 2 4; do
	guest processors 0 '' - -c $count
	that "processors -c $count: each said so once" \
		[ "$(tr -d '\r' <"$out" | sort)" = "$(seq -f 'hello from processor %.0f' 0 $((count - 1)))" ]
done
guest interrupts_pic 0 '' '10 ticks'
guest interrupts_ioapic 0 '' $'.\nempty twice\n10 ticks'
guest test_device 0 '' 'latch, memory, pages and lines'
guest x2apic 0 '' -
that 'x2apic: an interrupt to itself' grep -q '^self' "$out"
run bash -c 'printf "one two\nthree\nend\n" | "$@"' - "$sidestep" run -q --timeout "$(patient 5)" "$guests/pc_typed.elf"
judge 'typed' 0 ''
that 'typed: line by line' [ "$(tr -d '\r' <"$out")" = $'ready\ntyped: one two\ntyped: three\ntyped: end' ]
long=$(printf '%.0sa line of some length, of which there are many\\n' {1..100})
run bash -c 'printf "$0end\n" | "$@"' "$long" "$sidestep" run -q --timeout "$(patient 5)" "$guests/pc_typed.elf"
judge 'typed: more than fits at once' 0 ''
that 'typed: nothing is lost' [ "$(grep -c '^typed: a line of some length, of which there are many' "$out")" -eq 100 ]

: >nothing
run "$sidestep" run -q --timeout 1 "$guests/pc_typed.elf" <nothing
judge 'typed: nothing' 124 'timeout after 1 s; .*; standard input has ended'
check 'told: a module is no place for a ledger' 2 "^sidestep: .*env" \
	"$sidestep" run -q --initrd env --initrd second --ledger env "$guests/pc_told.elf"
that 'told: it is still there' [ "$(cat env)" = NR_CPUS=1 ]

# --- Clocks.
before=$(date -u +%s)
guest clock 0 '' -
after=$(date -u +%s)
told=$(date -u -d "$(sed -n 's/^time \([^ ]*Z\).*/\1/p' "$out")" +%s)
that "clock: $told is from $before to $after" [ "$told" -ge $((before - 1)) -a "$told" -le $((after + 1)) ]

# --- Marks: names for what a guest does, which its ledger and its report have. Rows are names, how often they were given,
# exits at the VMM each time and in all.
rows() { # json
	python3 -c 'import json, sys
for row in json.load(sys.stdin)["operations"]: print(row["operation"], row["repetitions"], row["vmm"], row["exits_total"]["vmm"])' <"$1"
}
# marked NAME ROWS: what the ledger of the last run says.
marked() {
	check "marks $1: the ledger is whole" 0 '' "$sidestep" report --format json marks.ledger
	that "marks $1: what it says" [ "$(rows "$out")" = "$2" ]
}
guest marks 0 '' '' --ledger marks.ledger
marked good $'ten 101 10 1010\nfour/<a>,"b\\;# 3 4 13\nnone 1 0 0\nlast 1 1 1'
check 'marks: every format' 0 '' "$reports/check.py" "$sidestep" "$gen_docs" marks.ledger
check 'marks: folded stacks have what was marked' 0 '' "$sidestep" report --format folded marks.ledger
that 'marks: exits of none are by function' grep -Eq ';guest;vmm;io [0-9]+$' "$out"
that 'marks: a semicolon is no frame' grep -qF ';four/<a>,"b\,#;vmm;io 13' "$out"
check 'marks: no test has judged them' 2 'nothing was expected' "$sidestep" report --format junit marks.ledger
run "$sidestep" run --timeout "$(patient 5)" --ledger marks.ledger "$guests/pc_marks.elf"
judge 'marks: a run with its report' 0 ''
sed '/^tracepoints: /d' "$out" >live
run "$sidestep" report marks.ledger
that 'marks: run and report say the same' diff live <(sed '/^tracepoints: /d' "$out")
that 'marks: as a table' grep -Eq '^ten +101 +[0-9]+ +- +10 vmm +[0-9]+ +[0-9]+ +[0-9]+$' live
that 'marks: what the ticks are' grep -q '^exits per repetition, ticks from one mark of the guest to the next$' live
run "$sidestep" profile --format csv "$guests/pc_marks.elf"
that 'marks: profile counts them' grep -Eq ',summary,ten,vmm,io,.*,1010,' "$out"
guest marks 0 'could not set: 6, the first for a name of more than 39 characters' '' --append bad --ledger marks.ledger
marked bad $'before 4 1 4\n123456789012345678901234567890123456789 1 4 4'
guest marks 0 '' '' --append odd --ledger marks.ledger
marked odd 'odd 1 22 22'
guest marks 0 'could not set: 1, the first for a name that would be one more than 256' '' --append many --ledger marks.ledger
check 'marks many: the ledger is whole' 0 '' "$sidestep" report --format json marks.ledger
that 'marks many: as many as there may be' [ "$(rows "$out" | wc -l)" -eq 256 ]
that 'marks many: every one was done' [ "$(rows "$out" | awk '$2 == 1' | wc -l)" -eq 255 ]
for _ in {1..5}; do
	guest marks 0 '' '' --append processors -c 2 --ledger marks.ledger
	check 'marks processors: the ledger is whole' 0 '' "$sidestep" report --format json marks.ledger
	that 'marks processors: names are not mixed' \
		[ "$(rows "$out" | sort)" = $'aaaaaaaa 50 2 100\nbbbbbbbb 50 3 150' ]
done
# Of two VMs a name has one number.
guest marks 0 '' '' --vms 2 --ledger marks.ledger
marked 'of two VMs' $'ten 202 10 2020\nfour/<a>,"b\\;# 6 4 26\nnone 2 0 0\nlast 2 1 2'
# What a run has said before it was killed is there. A name comes before what is done under it.
"$sidestep" run -q --append endless --ledger marks.ledger "$guests/pc_marks.elf" >/dev/null 2>&1 </dev/null &
await grep -q endless-2 marks.ledger
kill -KILL $!
wait $! 2>/dev/null
check 'marks: killed' 0 'the run was cut off' "$sidestep" report --format json marks.ledger
that 'marks: killed: the names are there' grep -q endless-1 <(rows "$out")

# --- Ends.
guest power_off 0 '' $'off\nnot yet'
guest reset 0 'reset by the keyboard controller' reset --append keyboard
guest reset 0 'reset by the reset control register' reset --append cf9
guest reset 0 'reset by system control port A' reset --append port92
guest reset 0 "reset by ACPI's reset register" reset --append acpi
guest reset 1 'triple fault' reset --append triple
guest panic 1 "panic of the guest's kernel" panic
guest halts 1 'every vCPU has halted for good' halt
guest halts 1 'every vCPU has halted for good' halt -c 4

# --- What means no good. Whatever comes of random code, it is the guest's end and not sidestep's: a status of its own, a
# time-out, never a system call that is not listed (159), a crash, or a failure of the host (99).
guest sweep 0 'could not set: 2, the first for a number that no name has' -
that 'sweep: to its end' grep -aq '^swept' "$out"
for seed in {1..12}; do
	run "$sidestep" run -q --timeout 2 -c $((seed % 2 + 1)) --append "$seed" "$guests/pc_random.elf"
	that "random $seed: ends as a guest ($status)" [ "$status" -le 1 -o "$status" -eq 124 ]
done
finish
