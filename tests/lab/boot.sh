#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot.sh ENGINE [full]: run inside a lab, by catalogue.sh, which says what is there and what becomes of the files
# that this leaves: nested.json, nested.ledger, flat.json, bench.json, profile.json, modules.json, docs.tar,
# counters.tar.
engine=$1 full=${2-} status=0
# A second is 1,000 million ticks in the AMD lab, and a tenth of that in the Intel lab.
slice=2 watched=0.3
[ "$engine" = svm ] || slice=20 watched=3
[ -z "${GCOV_PREFIX-}" ] || mkdir -p "$GCOV_PREFIX"

# ends STATUS[|STATUS] COMMAND...: says what it does and when, in seconds of the lab's clock; what a command printed is
# shown if it ended in another way.
ends() {
	wanted=$1
	shift
	read -r now _ </proc/uptime
	echo "# $now $*"
	ended=0
	"$@" >out 2>err || ended=$?
	case "|$wanted|" in
	*"|$ended|"*) return ;;
	esac
	echo "failed: $*: status $ended, not $wanted"
	cat out err
	status=1
}

try() {
	ends 0 "$@"
}

guest() { # FILE OPTION...
	file=$1
	shift
	try sidestep run -q --engine "$engine" --timeout 60 "$@" "$file"
}

try sidestep info
[ -z "$full" ] || sh docs.sh
try sidestep test --engine "$engine" --trace sample --format json -o nested.json --ledger nested.ledger
# A kernel that is wrong about the speed of its clock sets the timer again and again: here as often as there are ticks.
try [ "$(awk '$1 == "LOC:" { print $2 }' /proc/interrupts)" -le "$(awk '{ print int($1 * 500) }' /proc/uptime)" ]
: >flat.json
: >profile.json
if [ "$full" ]; then
	# Most of the time of the flat catalogue goes into long rotations of views, which one lab does for both.
	set --
	[ "$engine" = svm ] || set -- '[!v]*' 'view.[!bc]*' 'view.c[!y]*'
	try sidestep test --engine flat --format json -o flat.json "$@"
	try sidestep bench --engine "$engine" --format json -o bench.json
	sidestep profile --engine "$engine" --format json >profile.json || status=1
else # nobody looks at the costs
	try sidestep test --engine flat 'ref.*'
	try sidestep bench --engine "$engine" --count 20 --format json -o bench.json
fi

masked() { # OPTION...
	for name in encodings retires; do
		guest hostile_$name.elf "$@"
	done
	for answer in report inject; do
		guest hostile_modes.elf --on-violation $answer "$@"
	done
}

masked
masked --own ts --shadow mp
masked --shadow wp,am,em,cd,nw,tsd,smep,umip,osfxsr --ask de,pce,smap
if [ "$full" ]; then
	masked --own none
	masked --own ts
	masked --shadow mp
	masked --shadow ts,mp
fi
# A flag that is kept in the shadow is there and nowhere else: 10; one that is owned is in the register: 11. So is one
# that is neither, unless the VMM keeps it or refuses the write, which this guest does not survive: 1.
for place in '10 --own none --shadow ts' '11 --own ts' '10 --own mp --shadow ts' '11 --own ts --shadow mp' \
	'11 --own mp' '10 --own mp --on-ask shadow' '1 --own mp --on-ask refuse' '11 --own none --flag-path vmm' \
	'10 --own none --shadow ts --flag-path vmm' '10 --own mp --shadow ts --flag-path vmm --on-ask refuse' \
	'10 --own mp --shadow ts --embodiment one-word' '10 --own mp --shadow ts --embodiment single-mask' \
	'10 --own mp --shadow ts --embodiment owned-first' '10 --own mp --shadow ts --embodiment shadow-first'; do
	# shellcheck disable=SC2086 # several words
	ends "${place%% *}" sidestep run -q --engine "$engine" --timeout 5 ${place#* } hostile_flag_place.elf
done
# The model knows what becomes of every flag, whoever says so in whatever words. The long boots have no time for more
# than random programs.
for embodiment in two-words one-word single-mask owned-first shadow-first; do
	[ "$full" ] || try sidestep test --engine "$engine" --embodiment $embodiment 'cr0.ts.mov.*' 'cr0.read*.*'
	try sidestep test --engine "$engine" --embodiment $embodiment --random 100
done
for answer in shadow refuse; do
	[ "$full" ] || try sidestep test --engine "$engine" --on-ask $answer 'cr0.*.vmm'
	try sidestep test --engine "$engine" --on-ask "$answer" --random 100
done
head -c 8192 /dev/zero >disk
for name in raise dispositions disk; do
	guest hostile_$name.elf --disk disk
done
try sidestep views --engine "$engine" trampoline.views trampoline.elf
guest services_parameters.elf --vms 2
guest services_rights.elf -c 2
guest services_msw.elf --own none --shadow ts,mp
try sidestep test --engine "$engine" --services view:off:exit,map:exit:long:protected 'view.*' 'service.map.*'
[ "$engine" = vmx ] || try sidestep test --engine "$engine" --services view:cpl0:exit,map 'view.cpl3.*' view.switch.vmcall
guest services_mode.elf --services view,map:long:exit,interrupt:protected:exit,pin:long
guest services_neighbours.elf --vms 2 --services view,map --services interrupt --own mp --shadow ts --own ts --shadow mp
guest services_neighbours_swapped.elf --vms 2 --services interrupt --services view,map --own ts --shadow mp --own mp \
	--shadow ts
try rights_flush "$engine" services_stale.elf

# What the VMM does for a guest, a view has to let that guest do, also at CPL 3.
printf 'said\nsaid\nsaid\nsaid\n' >said
nested=$engine
for engine in "$nested" flat; do
	guest hostile_cr8.elf
	guest hostile_undefined.elf
	for name in hostile_modes.elf /usr/bin/legacy.elf; do
		guest "$name"
		guest "$name" --on-violation inject
	done
	lenient=
	[ "$engine" != flat ] || lenient=--lenient
	guest trampoline.elf --views trampoline.views $lenient
	guest isolated.elf --views isolated.views $lenient
	ends 1 sidestep run -q --engine "$engine" --timeout 60 --views one-view.views $lenient isolated.elf
	for name in deputy deputy_bitmap; do
		head -c 4096 /dev/zero >blank
		guest services_$name.elf --views deputy.views --disk blank \
			--services view,map:cpl3:views,pin:cpl3:views,unpin:cpl3:views
		mv out printed
		try cmp printed said
	done
done
engine=$nested

# What views forbid, answered in each way, nested (the host's tests have the flat engine).
try sidestep test --engine "$engine" --on-violation inject 'view.read.*' 'view.write.*' 'view.call.*' 'service.map.*'
guest hostile_violations.elf --on-violation inject
for answer in inject report; do
	guest hostile_violations_odd.elf --on-violation $answer
done
guest /usr/bin/violation_nested.elf
guest /usr/bin/violation_double.elf
guest modules.elf --views kernel-drivers.views
guest modules.elf --views kernel-drivers.views --on-violation inject --ledger modules.ledger
try sidestep report --format json -o modules.json modules.ledger

# Guests on one vCPU, which they yield, or lose to a timer: each does as the model says, and finds what it has left there.
[ -z "$full" ] || try sidestep test --engine "$engine" --vms 2 --share-vcpu 'world.*' 'hypercall.*' 'view.switch*' 'cr0.ts*' \
	'service.interrupt*' 'ref.hlt*'
try sidestep test --engine "$engine" --vms 3 --share-vcpu --slice 1 --random 100
for vms in 2 '3 --slice 1'; do
	# shellcheck disable=SC2086 # several words
	guest hostile_neighbour.elf --vms $vms --share-vcpu --own none --shadow ts --own ts --shadow mp
done
guest hostile_turns.elf --vms 3 --share-vcpu --slice $slice
guest services_neighbours.elf --vms 2 --share-vcpu --services view,map --services interrupt --own mp --shadow ts --own ts \
	--shadow mp

if [ "$engine" = vmx ]; then
	try vmcs_readback
else
	guest /usr/bin/svm_hidden.elf
fi

# The rules of the jail that only this engine uses, and those for tracepoints.
rules() {
	traced() { # COMMAND OPTION...
		command=$1
		shift
		try jail_used --record used -- sidestep "$command" --engine "$engine" "$@"
	}

	traced test ref.nothing
	traced run -q --timeout 20 --own none hostile_encodings.elf
	traced run -q --timeout 20 hostile_undefined.elf
	traced run -q --timeout 20 --vms 2 --share-vcpu --own none hostile_encodings.elf
	[ "$engine" = vmx ] || traced run -q --timeout 20 /usr/bin/svm_hidden.elf
	traced profile --workload 'ref.cpuid@50' --timeout "$watched"
	{ jail_used --list "$engine"; jail_used --list traced; } >wanted
	grep -vxFf used wanted >unused
	# 1: it has found none.
	[ $? -eq 1 ] || {
		echo 'no run uses these rules:'
		cat unused
		status=1
	}
}

if [ "$full" ]; then
	rules
	# shellcheck source=tests/lab/random.sh
	. ./random.sh
else
	try sidestep test --engine "$engine" --random 100
fi

# What a run takes beside the guest's memory, which is the mapping that is as large. Its own is what no file is behind, so
# that libraries have little part in it. Large pages are apart: the kernel gives one to the monitor's memory unasked, and one
# to blocks of the heap if there happen to be enough side by side.
beside() { # ENGINE MOST, in KiB
	sidestep run -q --engine "$1" -m 24M --timeout 60 hostile_spin.elf >out 2>err &
	sleep 2
	cat /proc/$!/smaps >smaps
	kill $!
	wait $!
	awk -v engine="$1" -v most="$2" '
	/^Size:/ { guests = $2 == 24 * 1024 }
	/^Rss:/ { if (guests) guest += $2; else all += $2 }
	/^Anonymous:/ { if (!guests) own += $2 }
	/^AnonHugePages:/ { if (!guests) large += $2 }
	END {
		all -= large; own -= large
		print "# " engine ": " all " KiB beside the " guest " of the guest, " own " of them its own, and " large " in large pages"
		exit !(guest > 0 && own > 0 && own <= 1024 && all <= most && large <= (engine == "flat" ? 0 : 4096))
	}' smaps || {
		echo "failed: a run of $1 takes more than $2 KiB, 1 MiB of its own or too many large pages beside the guest"
		status=1
	}
}
if [ "$full" ]; then
	beside flat 3072
	beside "$engine" 3584
fi

# Where the program has its memory is no matter for what an operation costs: a limit for the stack moves all of it.
for stack in 8192 262656 263168 263680; do
	# shellcheck disable=SC3045 # the shell of a lab has it
	ulimit -s "$stack"
	for each in flat "$nested"; do
		sidestep test --engine "$each" service.pin.page | awk -v engine="$each" \
			'$1 == "service.pin.page" { print engine, $2, $5, $6, $7 }'
	done
done | sort -u >places
try [ "$(wc -l <places)" -eq 2 ]
[ "$(wc -l <places)" -eq 2 ] || cat places
sh refusals.sh "$engine" || status=1
[ -z "$full" ] || {
	sh docs.sh late
	tar -cf docs.tar docs
}
[ -z "${GCOV_PREFIX-}" ] || tar -C "$GCOV_PREFIX" -cf counters.tar .
exit $status
