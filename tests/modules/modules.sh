#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The modules demonstration on the host's KVM, engine flat: with each answer to violations. Arguments: the
# program, the guest, its policy file, the script that checks a ledger.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
needs_kvm
guest=$(realpath "$2") views=$(realpath "$3") judge=$(realpath "$4")
source=$(realpath "${BASH_SOURCE%/*}/../../guestfw/modules")
cd "$scratch" || exit 99
demo=("$sidestep" run -q --engine flat --timeout "$(patient 20)" --views "$views")

# says TEXT: the last command printed such a line.
says() {
	that "${status}: $1" grep -Eqx -- "modules: $1" "$out"
}

# line FILE TEXT: where that stands in the source, as a pattern.
line() {
	printf '%s\.c:%s' "$1" "$(grep -nF -- "$2" "$source/$1.c" | cut -d : -f 1)"
}
secret=$(line driver_a 'kernel_secret = 0;') sum=$(line driver_a 'driver_b_sum = 0;')

everything_works() {
	says '200 repetitions: every sum is right'
	says '50 more without driver A: every sum is right'
	that 'nothing else went wrong' [ "$(grep -c 'WRONG\|CHANGED' "$out")" -eq 0 ]
}

check 'without its views' 1 'guest exit status 1' "$sidestep" run -q --engine flat --timeout "$(patient 20)" "$guest"
says 'this guest needs its views: --views examples/kernel-drivers.views'
check 'the policy gives no cause for a warning' 0 '' "$sidestep" views "$views" "$guest"
run "${demo[@]}" "$guest"
that 'rights that the engine cannot withhold are refused' [ "$status" -eq 2 ]
that 'and named' grep -q 'error: engine flat cannot give "rw-"' "$err"

run "${demo[@]}" --lenient --on-violation inject --ledger ledger "$guest"
that 'inject: the guest is content' [ "$status" -eq 0 ]
everything_works
cut='cut off by exception 14, error code'
says "driver A writes the kernel's data: $cut 0x3, at 0x[0-9a-f]+, in view 1; nothing has changed"
says "driver A writes driver B's data: $cut 0x3, at 0x[0-9a-f]+, in view 1; nothing has changed"
says "driver A jumps into the kernel's middle: $cut 0x11, at 0x[0-9a-f]+, in view 1; nothing has changed"
says 'driver A answers driver B, which has not asked: cut off by exception 6, by its own account in view 2; nothing has changed'
run "$sidestep" report --format json ledger
that 'inject: three violations in the ledger' python3 "$judge" "$out"
run "$sidestep" report --by violation ledger
stores='mov qword ptr \[[^]]+\], 0x0 +0x0'
for row in "kernel-data +write .* driver_a_serve\\+0x[0-9a-f]+ +faulted +modules.hostile.write-kernel +$stores +$secret" \
	"driver-b-data +write .* driver_a_serve\\+0x[0-9a-f]+ +faulted +modules.hostile.write-driver +$stores +$sum" \
	"kernel-text +fetch .* kernel_middle\\+0x0 +faulted +modules.hostile.jump-kernel +- +- +kernel\.c:[1-9][0-9]*"; do
	that "inject: as text: $row" grep -Eq "^ +1 driver-a +$row\$" "$out"
done

run "${demo[@]}" --lenient --ledger ledger "$guest"
that 'report: the guest is content' [ "$status" -eq 0 ]
everything_works
says "driver A writes the kernel's data: not cut off; nothing has changed"
says "driver A writes driver B's data: not cut off; nothing has changed"
says "driver A jumps into the kernel's middle: $cut 0x11, at 0x[0-9a-f]+, in view 1; nothing has changed"
run "$sidestep" report --format json ledger
that 'report: three violations in the ledger' python3 "$judge" "$out" refused

run "${demo[@]}" --lenient --on-violation stop "$guest"
that 'stop: the guest has failed' [ "$status" -eq 1 ]
that 'stop: at the first attempt' [ "$(grep -c '^modules:' "$out")" -eq 1 ]
that 'stop: it says where' grep -Eq \
	'^sidestep: view 1 \(driver-a\) forbids a write at 0x[0-9a-f]+ \(kernel-data\); vcpu0 at rip .*\(driver_a_serve\+0x[0-9a-f]+\) in operation modules.hostile.write-kernel; mov qword ptr \[[^]]+\], 0x0; value 0x0; '"$secret"'$' "$err"
finish
