#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# catalogue.sh SOURCE BUILD LAB ENGINE KERNEL [exact|rough]: everything that one boot of a lab can do, boot.sh: the
# catalogue, its ledger in every format, guests that use CR0 in every encoding, services, interrupts and a disk,
# views of policy files and what they forbid. Nested, every exit at L0 is recorded. On Intel the vmcs12 is read back,
# on AMD a guest looks for SVM that must be hidden from it. In the end the host has no nested virtualization any more.
# With the sixth word costs are held against tests/lab/bars, exactly or roughly, and those of profiling against the
# costs without; the flat engine performs the catalogue too, the rules of the jail for the engine are all used, there
# are random programs and guests that misbehave, and what documents show is compared, without its ticks if ANY_TICKS
# is set. With UPDATE_DOCS set documents are written anew; what bars can be renewed from stays in BUILD/lab-ledgers.
# A build with counters leaves them in BUILD/lab-coverage/LAB, as a tree like BUILD, for tools/figures: what only a
# lab can run.
set -euo pipefail
source=$1 build=$(realpath "$2") lab=$3 engine=$4 kernel=$5 bars=${6:-}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

files=() prefix=()
# Not db_loop: the emulated processor itself loops in it.
for guest in encodings retires flag_place cr8 modes undefined raise dispositions disk violations \
	violations_odd neighbour turns relay_overwrite ac_loop context_scribble self_modifying self_page_tables \
	stack_zero triple_fault jump_unmapped spin; do
	files+=(--put "$build/tests/hostile/hostile_$guest.elf")
done
for guest in parameters msw rights stale deputy deputy_bitmap mode neighbours neighbours_swapped; do
	files+=(--put "$build/tests/services/services_$guest.elf")
done
for guest in trampoline example modules; do
	files+=(--put "$build/guestfw/$guest/$guest.elf")
done
files+=(--put "$build/examples/isolated/isolated.elf")
for policy in kernel-drivers trampoline isolated/isolated isolated/one-view; do
	files+=(--put "$source/examples/$policy.views")
done
for script in boot random refusals; do
	files+=(--put "$source/tests/lab/$script.sh")
done
files+=(--put "$source/tests/lab/reserved.program")
for result in nested.json nested.ledger flat.json bench.json profile.json modules.json; do
	files+=(--get "$result=$results/$result")
done
outputs=$source/tests/docs/outputs.py
if [[ $bars ]]; then
	"$outputs" script "$lab" "$source" >"$results/docs.sh"
	files+=(--put "$results/docs.sh" --get "docs.tar=$results/docs.tar")
fi
counters=
if compgen -G "$build/sidestep.p/*.gcno" >/dev/null; then
	counters=$build/lab-coverage/$lab
	rm -rf "$counters"
	mkdir -p "$counters"
	files+=(--get "counters.tar=$results/counters.tar")
	prefix=(env GCOV_PREFIX=/tmp/counters)
fi
"$source/tools/lab" "$lab" --build "$build" --kernel "$kernel" --timeout $((500 * ${PATIENCE:-12})) "${files[@]}" \
	--put "$build/tests/hostile/random_code" --put "$source/tests/figures.sed" \
	--put "$source/tools/embodiments" --put "$source/tests/services/deputy.views" \
	-- "${prefix[@]}" sh boot.sh "$engine" ${bars:+full}

check=$source/tests/lab/check_ledger.py
if [[ $bars ]]; then
	"$check" "$results/nested.json" "$results/bench.json" "$results/profile.json"
	"$check" "$results/flat.json"
	mkdir -p "$build/lab-ledgers"
	cp "$results/bench.json" "$build/lab-ledgers/$lab-$engine.json"
	cp "$results/flat.json" "$build/lab-ledgers/$lab-flat.json"
	held=true rough=()
	[[ $bars = exact ]] || rough=(--rough)
	for name in "$lab-$engine" "$lab-flat"; do
		"$source/tests/lab/bars.py" "${rough[@]}" "$source/tests/lab/bars/$name" \
			"$build/lab-ledgers/$name.json" || held=false
	done
	tar -C "$results" -xf "$results/docs.tar"
	"$outputs" compare ${UPDATE_DOCS:+--update} ${ANY_TICKS:+--any-ticks} "$lab" "$source" "$build" "$results" ||
		held=false
	$held
else
	"$check" "$results/nested.json"
fi
"$source/tests/lab/check_modules.py" "$results/modules.json"
"$source/tests/docs/validate.py" "$results"/{nested,flat,bench,profile,modules}.json

# The ledger of the nested run, in every format; and the instructions of the nested guest are found, and those of the
# relay, first of all its entries into the guest.
"$source/tests/report/check.py" "$build/sidestep" "$build/docs/gen-docs" "$results/nested.ledger"
if [[ $engine = svm ]]; then
	"$build/sidestep" report --format trace -o "$results/trace.json" "$results/nested.ledger"
	"$check" --relay "$results/trace.json"
fi
"$build/sidestep" report --by rip "$results/nested.ledger" >"$results/rip"
for instruction in 'op_mov_cr0+0x[0-9a-f]* *mov cr0, rbx *monitor' 'op_clts+0x[0-9a-f]* *clts *monitor' \
	'op_cpuid+0x[0-9a-f]* *cpuid *monitor' 'op_mmio_write+0x[0-9a-f]* *mov \[rdi\], rbx *vmm' \
	'^0x[0-9a-f]\+ \+relay+0x[0-9a-f]\+ \+vm\(resume\|run\)'; do
	grep -q "$instruction" "$results/rip" || {
		echo "no such line in report --by rip: $instruction"
		exit 1
	}
done
"$build/sidestep" report --by symbol "$results/nested.ledger" >"$results/symbol"
grep '^relay  *l0 ' "$results/symbol" || {
	echo 'report --by symbol has no row of the relay at l0'
	exit 1
}

[[ $counters ]] || exit 0
# The names in it are those of the objects, from the root on.
tar -C "$counters" --strip-components="$(tr -cd / <<<"/.$build" | wc -c)" -xf "$results/counters.tar"
[[ -e $counters/sidestep.p/vmm_command_main.c.gcda ]] || {
	echo 'no counters came back'
	exit 1
}
