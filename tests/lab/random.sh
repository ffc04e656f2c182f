#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# random.sh SOURCE BUILD LAB ENGINE COUNT: in a lab, random programs of which none may differ from the
# model, two VMs with opposite owners of TS and MP that toggle them, on Intel a million times in all, with a row of
# each, and
# guests that misbehave, as L2: named ones, and random bytes as code.
set -euo pipefail
source=$1 build=$2 lab=$3 engine=$4 count=$5
puts=(--put "$build/tests/hostile/random_code=/usr/bin/random_code"
	--put "$build/guestfw/example/example.elf=/tmp/example.elf")
# Not db_loop: the emulated processor itself loops in it.
for guest in relay_overwrite ac_loop context_scribble self_modifying self_page_tables stack_zero; do
	puts+=(--put "$build/tests/hostile/hostile_$guest.elf=/tmp/$guest.elf")
done
# shellcheck disable=SC2016 # expanded in the lab
"$source/tools/lab" "$lab" --build "$build" --timeout 3000 "${puts[@]}" -- sh -c '
	set -e
	sidestep test --engine "$0" --random "$1" --timeout 300
	sidestep run --engine "$0" --vms 2 --own ts --shadow mp --own mp --shadow ts -q /usr/bin/toggle
	echo "two VMs: no flag of the other was seen"
	# Each has rows of its own, of which none mixes them: TS is owned in one VM and in the shadow in the other.
	sidestep run --engine "$0" --vms 2 --own ts --shadow mp --own mp --shadow ts /tmp/example.elf >/tmp/owners
	grep -Eq "^example\.ts +1 .* 200 +[0-9]+ +1 +0 monitor " /tmp/owners
	# On AMD either mask has every write of CR0 exit.
	[ "$0" = svm ] || grep -Eq "^example\.ts +0 .* 200 +[0-9]+ +0 +0 (cpu|l0) " /tmp/owners
	[ "$(grep -Ec "^example\.[a-z]+ +[01] " /tmp/owners)" -eq 6 ]
	echo "two VMs: a row of each"
	ends() { # GUEST STATUS...: ends in one of these ways
		guest=$1
		shift
		status=0
		sidestep run --engine "$engine" -q --timeout 5 /tmp/$guest.elf || status=$?
		hostile=$((hostile + 1))
		case " $* " in
		*" $status "*) echo "$guest: status $status" ;;
		*) echo "$guest: status $status, expected $*"; exit 1 ;;
		esac
	}
	engine=$0 hostile=0
	for guest in relay_overwrite context_scribble; do ends $guest 0; done
	# The emulated AMD processor goes on with the old bytes.
	[ "$0" = svm ] || ends self_modifying 0
	for guest in ac_loop self_page_tables stack_zero; do ends $guest 1 124; done
	# The emulated AMD processor does not survive random code itself.
	[ "$0" = svm ] || random_code -e "$0" -n 40 -t 500 /usr/bin/sidestep
	echo "figure: hostile guests $hostile"' "$engine" "$count" | sed -u -n -f "$source/tests/figures.sed"
