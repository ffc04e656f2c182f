#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bare.sh SOURCE BUILD VENDOR: the whole catalogue on an emulated computer that has neither Linux nor KVM. Everything agrees
# with the model, and the exits that the monitor has counted are those that the emulated processor itself tells of.
set -uo pipefail
source=$1 build=$2 vendor=$3
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
status=0

# A boot takes seconds, and many times as long on a machine that has other things to do: the limit is against hanging.
patience=$((250 * ${PATIENCE:-12}))
lab() {
	"$source/tools/lab" bare "$vendor" --build "$build" --timeout $patience "$@"
}

try() {
	"$@" >out 2>&1 && return
	echo "failed: $*"
	cat out
	status=1
}

try lab --console log --witness witness -- test --format json -o report.json
try "$build/sidestep" report --by level --format json -o levels.json log
read -ra names < <(python3 "$source/tests/lab/check_bare.py" --shown "$vendor")
try lab -- test --format json -o shown.json "${names[@]}"
try python3 "$source/tests/lab/check_bare.py" "$vendor" report.json levels.json witness shown.json
try python3 "$source/tests/docs/validate.py" report.json levels.json shown.json
grep '^figure: ' out
# A second run of a part, with other flags; its costs are shown as `bench` does. What makes the Intel lab's medium crashes
# once, as it can when the medium is complete, and then each time.
mkdir bin
cat >bin/xorriso <<-SCRIPT
	#!/bin/sh
	$(type -P xorriso) "\$@" || exit
	echo >>$work/crashes
	[ \$(wc -l <$work/crashes) -ne 2 ] || exit 0
	echo 'UNIX-SIGNAL:  SIGSEGV  errno= 0' >&2
	exit 1
SCRIPT
chmod +x bin/xorriso
PATH=$work/bin:$PATH try lab -- bench --count 20 'view.switch.*'
mv out shown
try grep -Eq '^view.switch.vmfunc .* 20 ' shown
[[ $vendor != intel ]] || {
	PATH=$work/bin:$PATH lab -- bench >out 2>&1
	ended=$?
	[[ $ended -eq 99 && $(wc -l <crashes) -eq 5 ]] || {
		echo "failed: xorriso crashes each time: status $ended, not 99 after 5 crashes: $(tail -n 1 out)"
		status=1
	}
}
try lab -- test --embodiment one-word --on-ask refuse --services view 'cr0.*' 'view.switch.*'
# A kernel and two drivers in views of their own call one another as the processor lets them, and what one of them tries
# with the others is a violation.
try lab -- test --guest "$build/guestfw/modules/modules.elf" --views "$source/examples/kernel-drivers.views"
mv out shown
declare -A switches=([intel]='0 +0 cpu' [amd]='6 +0 monitor')
for line in "modules.chain.vmfunc +0x2af8 +1000 +${switches[$vendor]} " ' 1 driver-a kernel-data +write ' \
	' 1 driver-a driver-b-data write ' ' 1 driver-a kernel-text +fetch ' \
	' 1 driver-a kernel-data +write .* mov qword ptr \[0x[0-9a-f]+\], 0x0 +0x0$' ' 1 driver-a kernel-text +fetch .* - +-$'; do
	try grep -Eq "$line" shown
done
# Its own secrets a service has from a kernel that gets all ones instead, and goes on.
try lab -- test --on-violation report \
	--guest "$build/guestfw/trampoline/trampoline.elf" --views "$source/examples/trampoline.views"
mv out shown
try grep -Eq ' 1 kernel +service-data read .* refused .* mov ' shown
# Which violations are #VE, and what the processor says of them: as the guest sees it.
[[ $vendor != intel ]] ||
	try lab -- test --engine vmx --guest "$build/tests/services/services_ve.elf" --views "$source/tests/services/ve.views"
few=(cr0.ts.mov cr0.ts.mov.vmm view.switch.vmfunc 'view.*.ve' 'service.map*' 'ref.hlt*')
# A processor for each vCPU: each does as the model says, and both witnesses agree about all of them. The first one waits
# until the others have begun, of which one may change rights while another has not: that takes three. Rights that one
# takes away the other one, which does not exit by itself, has no more.
try lab --console log2 --witness witness2 -- test -c 3 --count 50 "${few[@]}"
mv out shown
try grep -Eq '^[1-9][0-9]* passed, 0 failed' shown
try "$build/sidestep" report --by level --format json -o levels.json log2
try python3 "$source/tests/lab/check_bare.py" --counted levels.json witness2
try lab -- test -c 2 --on-violation report --guest "$build/tests/services/services_rights_quiet.elf"
# Guests that share a processor, which they yield, or lose to a timer: each finds what it has left there.
for slices in '' '--slice 1'; do
	# shellcheck disable=SC2086 # several words, or none
	try lab -- test --vms 2 --share-vcpu $slices --count 50 'world.*' "${few[@]}"
done
# What one of them is asked for does not become another's.
try lab -- test --vms 2 --share-vcpu --services none --services view --count 50 view.switch.vmfunc cr0.ts.mov.kept
opposite=(--vms 2 --share-vcpu --own none --shadow ts --own ts --shadow mp)
# Bochs keeps interrupts from a guest that has them off, though they shall exit.
declare -A turns=([intel]=turns_short [amd]=turns_masked)
for guest in hostile/hostile_neighbour "hostile/hostile_${turns[$vendor]}" services/services_neighbours; do
	[[ $guest != */services_neighbours ]] || opposite+=(--services "view,map" --services interrupt --own mp)
	try lab -- test "${opposite[@]}" --slice 1 --guest "$build/tests/$guest.elf"
done
# Operands in memory, also where an exit says nothing of them.
try lab -- test --guest "$build/tests/services/services_msw.elf" --own none --shadow ts,mp
# Random programs, every one as the model says.
try lab -- test --random 2000 --seed 2
mv out shown
try grep -q '^sidestep: programs performed: 2000, no difference from the model' shown
# Guests that misbehave end as their own failure, and not as the monitor's.
lab_options=()
hostile() { # STATUS GUEST OPTION...
	local ended=0
	lab --console log2 "${lab_options[@]}" -- test --guest "$build/tests/hostile/hostile_$2.elf" "${@:3}" >out 2>&1 || ended=$?
	[[ $ended -eq $1 ]] && ! grep -aq 'the monitor' log2 && return
	echo "failed: hostile guest $2: status $ended, not $1: $(tail -n 1 out)"
	cat out
	status=1
}
for guest in context_scribble dispositions relay_overwrite string_io string_pages; do hostile 0 $guest; done
hostile 11 flag_place
hostile 1 triple_fault
mv out told
try grep -q 'triple fault: .*: no IDT is loaded$' told
for guest in halt string_backwards; do hostile 1 $guest; done
hostile 1 halt -c 2
# The others exit all the time when the first vCPU ends the run: none of their exits is missing.
lab_options=(--witness witness2)
hostile 9 vcpus_exiting -c 2
lab_options=()
"$build/sidestep" report --by level --format json -o levels.json log2
try python3 "$source/tests/lab/check_bare.py" --counted levels.json witness2
hostile 0 racing_requests -c 2
# A computer with fewer processors than vCPUs says so, and performs nothing.
[[ $vendor != amd ]] || {
	try "$build/sidestep" image -o two.bin -c 2 cr0.ts.mov
	timeout $patience qemu-system-x86_64 -accel tcg -cpu max,+svm -m 256 -nodefaults -no-user-config -display none -no-reboot \
		-kernel two.bin -serial file:two.log 2>/dev/null &
	emulator=$!
	until grep -aqs '^sidestep: end of run' two.log || ! kill -0 $emulator 2>/dev/null; do
		sleep 0.1
	done
	kill "$emulator"
	try grep -aq '^sidestep: needs: a processor for each vCPU; host: ' two.log
}
# A log that was cut off is shown, and told of; one that lost a line is damaged.
says() { # STATUS TEXT LOG
	"$build/sidestep" report "$3" >table 2>told
	local ended=$?
	[[ $ended -eq $1 ]] && grep -q "$2" told && grep -q '^cr0.ts.mov ' table && return
	echo "failed: report $3: status $ended, not $1 with: $2"
	cat told
	status=1
}
head -n "$(($(wc -l <log) / 2))" log >half
says 1 '^sidestep: half: the run was cut off' half
sed "$(grep -n '^@ss:' log | sed -n '3000{s/:.*//;p}')d" log >lost
says 1 '^sidestep: lost: damaged' lost
exit $status
