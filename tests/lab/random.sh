#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# random.sh ENGINE: run inside a lab, by catalogue.sh. Random programs of which none may differ from the model,
# two VMs with opposite owners of TS and MP that toggle them, on Intel 200,000 times in all, and guests that
# misbehave, as L2: named ones, and random bytes as code.
engine=$1 status=0 hostile=0

try() {
	"$@" && return
	echo "failed: $*"
	status=1
}

# A guest that is still there after half a second of the emulated clock would be for ever.
ends() { # GUEST SECONDS STATUS...: ends in one of these ways
	guest=$1 seconds=$2
	shift 2
	ended=0
	sidestep run --engine "$engine" -q --timeout "$seconds" "hostile_$guest.elf" || ended=$?
	hostile=$((hostile + 1))
	case " $* " in
	*" $ended "*) echo "$guest: status $ended" ;;
	*)
		echo "failed: $guest: status $ended, expected $*"
		status=1
		;;
	esac
}

sidestep test --engine "$engine" --random 5000 --timeout 300 >out.txt || status=1
sed -n -f figures.sed out.txt
try sidestep run --engine "$engine" --vms 2 --own ts --shadow mp --own mp --shadow ts -q /usr/bin/toggle
# Each VM has rows of its own, of which none mixes them: TS is owned in one VM and in the shadow in the other.
try sidestep run --engine "$engine" --vms 2 --own ts --shadow mp --own mp --shadow ts example.elf >owners
try grep -Eq "^example\.ts +1 .* 200 +[0-9]+ +1 +0 monitor " owners
# On AMD either mask has every write of CR0 exit.
[ "$engine" = svm ] || try grep -Eq "^example\.ts +0 .* 200 +[0-9]+ +0 +0 (cpu|l0) " owners
try [ "$(grep -Ec "^example\.[a-z]+ +[01] " owners)" -eq 6 ]
for guest in relay_overwrite context_scribble; do ends $guest 5 0; done
# The emulated AMD processor goes on with the old bytes.
[ "$engine" = svm ] || ends self_modifying 5 0
for guest in ac_loop self_page_tables stack_zero; do ends $guest 0.5 1 124; done
# The emulated AMD processor does not survive random code itself.
[ "$engine" = svm ] || try ./random_code -e "$engine" -n 20 -t 200 /usr/bin/sidestep
echo "figure: hostile guests $hostile"
exit $status
