#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# catalogue.sh SOURCE BUILD LAB ENGINE KERNEL [BARS]: everything that one boot of a lab can do: the catalogue, on both engines that run
# there, its ledger in every format, guests that use CR0 in every encoding, services, interrupts and a
# disk, and one whose views are those of a policy file. Nested, every exit at L0 is recorded. With BARS
# costs are held against that file, and those of profiling against the costs without. On Intel the vmcs12
# is read back, on AMD a guest looks for SVM that must be hidden from it. The rules of the
# jail for the engine are all used. With BARS there are random programs and guests that misbehave as well. In the
# end the host has no nested virtualization any more.
set -euo pipefail
source=$1 build=$2 lab=$3 engine=$4 kernel=$5 bars=${6:-}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

puts=()
# Not db_loop: the emulated processor itself loops in it.
for guest in encodings retires flag_place cr8 modes undefined raise dispositions disk violations \
	violations_odd relay_overwrite ac_loop context_scribble self_modifying self_page_tables stack_zero; do
	puts+=(--put "$build/tests/hostile/hostile_$guest.elf")
done
for script in violations random refusals; do
	puts+=(--put "$source/tests/lab/$script.sh")
done
# shellcheck disable=SC2016 # expanded in the lab
"$source/tools/lab" "$lab" --build "$build" --kernel "$kernel" --timeout $((500 * ${PATIENCE:-12})) \
	"${puts[@]}" --put "$build/tests/hostile/random_code" --put "$source/tests/figures.sed" \
	--put "$build/guestfw/trampoline/trampoline.elf" --put "$source/examples/trampoline.views" \
	--put "$build/tests/services/services_parameters.elf" \
	--put "$build/tests/services/services_rights.elf" --put "$build/tests/services/services_stale.elf" \
	--put "$build/tests/services/services_deputy.elf" \
	--put "$build/tests/services/services_deputy_bitmap.elf" --put "$source/tests/services/deputy.views" \
	--put "$build/guestfw/example/example.elf" \
	--put "$build/guestfw/modules/modules.elf" --put "$source/examples/kernel-drivers.views" \
	--get nested.json="$results/nested.json" --get flat.json="$results/flat.json" \
	--get bench.json="$results/bench.json" --get nested.ledger="$results/nested.ledger" \
	--get modules.json="$results/modules.json" --get profile.json="$results/profile.json" -- sh -c '
	status=0
	sidestep test --engine "$0" --trace sample --format json -o nested.json --ledger nested.ledger || status=1
	sidestep test --engine flat --format json -o flat.json || status=1
	few=
	[ "$1" ] || few="--count 20" # nobody looks at the costs
	sidestep bench --engine "$0" $few --format json -o bench.json || status=1
	: >profile.json
	[ -z "$1" ] || sidestep profile --engine "$0" --format json >profile.json || status=1
	for masks in "" "--shadow ts,mp" "--own none" "--own ts" "--shadow mp"; do
		for guest in encodings retires; do
			sidestep run -q --engine "$0" --timeout 5 $masks "hostile_$guest.elf" || status=1
		done
		for answer in report inject; do
			sidestep run -q --engine "$0" --timeout 20 $masks --on-violation $answer hostile_modes.elf ||
				status=1
		done
	done
	for engine in "$0" flat; do
		sidestep run -q --engine $engine --timeout 20 hostile_cr8.elf || status=1
		for guest in hostile_modes.elf /usr/bin/legacy.elf; do
			sidestep run -q --engine $engine --timeout 20 $guest || status=1
			sidestep run -q --engine $engine --timeout 20 --on-violation inject $guest || status=1
		done
		sidestep run -q --engine $engine --timeout 20 hostile_undefined.elf >out || {
			cat out
			status=1
		}
	done
	# A flag that is kept in the shadow is there and nowhere else: 10; one that is owned is in the register: 11.
	for place in "10 --own none --shadow ts" "11 --own ts" "10 --own mp --shadow ts" "11 --own ts --shadow mp"; do
		sidestep run -q --engine "$0" --timeout 5 ${place#* } hostile_flag_place.elf
		[ $? = "${place%% *}" ] || { echo "flag_place ${place#* }: not ${place%% *}"; status=1; }
	done
	head -c 8192 /dev/zero >disk
	for guest in raise dispositions disk; do
		sidestep run -q --engine "$0" --timeout 10 --disk disk "hostile_$guest.elf" || status=1
	done
	sidestep views --engine "$0" trampoline.views trampoline.elf || status=1
	for engine in "$0" "flat --lenient"; do
		sidestep run -q --engine $engine --timeout 20 --views trampoline.views trampoline.elf ||
			status=1
	done
	sidestep run -q --engine "$0" --timeout 20 services_parameters.elf || status=1
	sidestep run -q --engine "$0" --timeout 20 -c 2 services_rights.elf || status=1
	rights_flush "$0" services_stale.elf || status=1
	# What the VMM does for a guest, a view has to let that guest do, also at CPL 3.
	for engine in "$0" flat; do
		for guest in deputy deputy_bitmap; do
			head -c 4096 /dev/zero >blank
			sidestep run -q --engine $engine --timeout 60 --views deputy.views --disk blank \
				--services view,map:cpl3:views,pin:cpl3:views,unpin:cpl3:views \
				services_$guest.elf >printed || status=1
			[ "$(cat printed)" = "$(printf "said\nsaid\nsaid\nsaid")" ] || {
				echo "$guest on $engine has printed:"
				cat printed
				status=1
			}
		done
	done
	sh violations.sh "$0" || status=1
	if [ "$0" = vmx ]; then
		vmcs_readback || status=1
	else
		sidestep run -q --engine "$0" --timeout 5 /usr/bin/svm_hidden.elf || status=1
	fi
	# The rules of the jail that only this engine uses, and those for tracepoints.
	traced="jail_used --record used -- sidestep"
	$traced test --engine "$0" ref.nothing >/dev/null || status=1
	$traced run -q --engine "$0" --timeout 20 --own none hostile_encodings.elf || status=1
	$traced run -q --engine "$0" --timeout 20 hostile_undefined.elf >/dev/null || status=1
	[ "$0" = vmx ] || $traced run -q --engine "$0" --timeout 20 /usr/bin/svm_hidden.elf || status=1
	$traced profile --engine "$0" --workload "ref.cpuid@50" --timeout 0.5 >/dev/null || status=1
	for rule in $(jail_used --list "$0"; jail_used --list traced); do
		grep -qx "$rule" used || { echo "no run uses the rule $rule"; status=1; }
	done
	[ -z "$1" ] || sh random.sh "$0" || status=1
	sh refusals.sh "$0" || status=1
	exit $status' "$engine" "$bars"
check=$source/tests/lab/check_ledger.py
if [[ $bars ]]; then
	"$check" "$results/nested.json" "$results/bench.json" "$bars" "$results/profile.json"
else
	"$check" "$results/nested.json"
fi
"$check" "$results/flat.json"
"$source/tests/lab/check_modules.py" "$results/modules.json"

# The ledger of the nested run, in every format; and the instructions of the nested guest are found.
"$source/tests/report/check.py" "$build/sidestep" "$build/docs/gen-docs" "$results/nested.ledger"
"$build/sidestep" report --by rip "$results/nested.ledger" >"$results/rip"
for instruction in 'op_mov_cr0+0x[0-9a-f]* *mov cr0, rbx *monitor' 'op_clts+0x[0-9a-f]* *clts *monitor' \
	'op_cpuid+0x[0-9a-f]* *cpuid *monitor' 'op_mmio_write+0x[0-9a-f]* *mov \[rdi\], rbx *vmm'; do
	grep -q "$instruction" "$results/rip" || {
		echo "no such line in report --by rip: $instruction"
		exit 1
	}
done
