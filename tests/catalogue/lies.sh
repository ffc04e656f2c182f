#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is not as the model says is found, named and a failure, and a random program is shrunk to its
# cause. Arguments: the program, and the program with a model that errs.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
needs_kvm
lies=$(realpath "$2")
cd "$scratch" || exit 99

# denied LIE OPERATION REGEX: the test of that operation fails, and says this.
denied() {
	check "$1: honest" 0 '' "$sidestep" test --engine flat "$2"
	check "$1: a failure" 1 '' "$lies" "$1" test --engine flat "$2"
	that "$1: what was expected" grep -Eq "$3" "$out"
	that "$1: counted" grep -qx '0 passed, 1 failed, 0 skipped' "$out"
}
denied value cr0.ts.clts 'expected value 0x80000032, saw 0x80000031'
denied fault ref.port.out 'expected #UD every time, saw 0 faults of vector 255 in 1001 repetitions'
denied 'no fault' ref.fault.ud 'expected no fault, saw 1001 of vector 6'
denied 'error code' ref.fault.pf 'expected #PF with error code 0x2, saw 0x0$'
denied view view.switch.vmfunc 'expected view [0-9] in the control structure, found [0-9]'
denied exits ref.port.out 'expected 2 exits at vmm each time, saw 1001 in 1001 repetitions'
denied 'many exits' ref.port.out 'expected at least 1000000 exits at l0 each time, saw [0-9]+ in 1001'

check 'in TAP' 1 '' "$lies" value test --engine flat --format tap cr0.ts.clts ref.nothing
that 'in TAP: not ok' grep -Eq '^not ok [12] - cr0.ts.clts' "$out"
that 'in TAP: why' grep -q '^# .*expected value 0x80000032' "$out"
check 'in JUnit' 1 '' "$lies" value test --engine flat --format junit cr0.ts.clts
that 'in JUnit: why' grep -q '<failure.*expected value 0x80000032' "$out"
check 'in JSON' 1 '' "$lies" value test --engine flat --format json cr0.ts.clts
that 'in JSON: why' grep -q '"expected value 0x80000032' "$out"

# --- Random programs. The shortest that the model is wrong about are known.
random=(test --engine flat --random 200 --seed 3)
check 'random: honest' 0 '' "$sidestep" "${random[@]}"
check 'random: a step' 1 '' "$lies" step "${random[@]}"
that 'random: a step: named' grep -Eqx '# step 2 read 0x[0-9a-f]+, the model says 0x[0-9a-f]+' "$out"
sed -n '/^#/,$p' "$out" >program
that 'random: a step: shrunk' [ "$(grep -Ev '^(#|start|masked|kept|shadow)' program)" = $'cr 0x0\nclts\nsmsw' ]
check 'replayed' 1 '' "$lies" step test --engine flat --replay program
that 'replayed: the same' grep -qx "$(grep '^# step 2 ' program)" "$out"
check 'replayed: honest' 0 '' "$sidestep" test --engine flat --replay program
that 'replayed: honest: performed' grep -q ': 1 programs .* no difference from the model$' "$out"
check 'random: exits' 1 '' "$lies" 'exits of a step' "${random[@]}"
that 'random: exits: named' grep -Eq '^# 0 exits to the monitor and 0 to the VMM, the model says 0 and 1$' "$out"
that 'random: exits: shrunk' [ "$(grep -Ec '^(mov|lmsw|clts|smsw|read)' "$out")" -eq 1 ]
check 'random in JSON' 1 '' "$lies" step "${random[@]}" --format json
that 'random in JSON: the program' grep -q '"program": ".*clts\\nsmsw\\n"' "$out"
check 'random in JSON: honest' 0 '' "$sidestep" "${random[@]}" --format json
that 'random in JSON: no difference' grep -q '"difference": null' "$out"
check 'replay of nothing' 2 'missing: No such file.*name a file with a program' "$sidestep" test --replay missing
printf 'masked 8\nkept 8\nread\n' >masked
check 'replay with masks' 77 'needs: masks; host: engine flat' "$sidestep" test --engine flat --replay masked
finish
