#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Part of boot.sh, whose functions it uses. Random programs of which none may differ from the model,
# two VMs with opposite owners of TS and MP that toggle them, on Intel 200,000 times in all, and guests that
# misbehave, as L2: named ones, and random bytes as code.
# shellcheck disable=SC2034,SC2154 # status and engine are those of boot.sh
hostile=0

# A guest that is still there after half a second of the emulated clock would be for ever.
hostile() { # STATUS[|STATUS] SECONDS GUEST
	ends "$1" sidestep run --engine "$engine" -q --timeout "$2" "hostile_$3.elf"
	hostile=$((hostile + 1))
}

sidestep test --engine "$engine" --random 5000 --timeout 300 >out.txt || status=1
sed -n -f figures.sed out.txt
try sidestep run --engine "$engine" --vms 2 --own ts --shadow mp --own mp --shadow ts -q /usr/bin/toggle
# Each VM has rows of its own, of which none mixes them: TS is owned in one VM and in the shadow in the other.
try sidestep run --engine "$engine" --vms 2 --own ts --shadow mp --own mp --shadow ts example.elf
mv out owners
try grep -Eq "^example\.ts +1 .* 200 +[0-9]+ +1 +0 monitor " owners
# On AMD either mask has every write of CR0 exit.
[ "$engine" = svm ] || try grep -Eq "^example\.ts +0 .* 200 +[0-9]+ +0 +0 (cpu|l0) " owners
try [ "$(grep -Ec "^example\.[a-z]+ +[01] " owners)" -eq 6 ]
for name in relay_overwrite context_scribble; do hostile 0 5 $name; done
# The emulated AMD processor goes on with the old bytes.
[ "$engine" = svm ] || hostile 0 5 self_modifying
for name in ac_loop self_page_tables stack_zero; do hostile '1|124' 0.5 $name; done
# What it was that could not be delivered, and why: by the relay. What KVM itself keeps of it differs.
told() { # TEXT: what sidestep has said of the guest that was last
	mv err told
	try grep -Fq "$1; vcpu0 at rip " told
}
undelivered='could not be delivered: no IDT is loaded'
unmapped="#PF (vector 14, error code 0x0) for 0x700000000000 at (no instruction) $undelivered"
hostile 1 5 triple_fault
told "#UD (vector 6) at ud2 $undelivered"
hostile 1 5 jump_unmapped
told "$unmapped"
ends 1 sidestep run --engine flat -q --timeout 5 hostile_jump_unmapped.elf
if [ "$engine" = svm ]; then told 'with --engine svm it can be told'; else told "$unmapped"; fi
# The emulated AMD processor does not survive random code itself.
[ "$engine" = svm ] || {
	try ./random_code -e "$engine" -n 20 -t 200 /usr/bin/sidestep
	cat out
}
echo "figure: hostile guests $hostile"
