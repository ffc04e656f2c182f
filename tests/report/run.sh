#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh SIDESTEP GEN_DOCS GUEST: every format of a ledger that this host's KVM gives.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
gen_docs=$(realpath "$2")
guest=$(realpath "$3")
source=$(realpath "${BASH_SOURCE%/*}")
needs_kvm
cd "$scratch" || exit 99

check 'bench keeps a ledger' 0 '' "$sidestep" bench --engine flat --count 20 --ledger bench.ledger
check 'test keeps a ledger' 0 '' \
	"$sidestep" test --engine flat --ledger test.ledger ref.cpuid 'view.switch.*'
before=$(date -u +%FT%TZ)
check 'a name with a blank, and bytes that are no text' 0 '' \
	"$sidestep" test --engine flat --ledger $'a b\'\e\xff' --output out.txt ref.cpuid
after=$(date -u +%FT%TZ)
check 'which command and when' 0 '' "$sidestep" report --format json $'a b\'\e\xff'
python3 - "$out" >origin <<'END'
import json, sys
with open(sys.argv[1]) as file:
    document = json.load(file)
print(document["date"], document["command"], sep="\n")
END
{ read -r date; read -r command; } <origin
# Bash takes it as it was given.
eval "words=(${command#sidestep })"
that 'which command: its words' [ "${words[*]@Q}" = "$(words=(test --engine flat --ledger $'a b\'\e\xff' --output out.txt ref.cpuid); echo "${words[*]@Q}")" ]
that 'when: in between' [ "$before" '<' "$date" -o "$before" = "$date" ]
that 'when: not later' [ "$date" '<' "$after" -o "$date" = "$after" ]
check 'three VMs keep one ledger' 0 '' \
	"$sidestep" run -q --engine flat --vms 3 --ledger run.ledger "$guest"
for ledger in bench test run; do
	check "$ledger.ledger in every format" 0 '' \
		"$source/check.py" "$sidestep" "$gen_docs" "$ledger.ledger"
done
# VMs whose flags have different owners have rows of their own; what is in the ledger says the same.
check 'VMs with different owners' 0 '' "$sidestep" run --engine flat --flag-path enlightened --vms 2 \
	--own ts --shadow mp --own mp --shadow ts --ledger owners.ledger "$guest"
that 'VMs with different owners: said in words' [ "$(grep -Ec '^VM [01]: own=(mp shadow=ts|ts shadow=mp) ' "$out")" -eq 2 ]
that 'VMs with different owners: rows of each' [ "$(grep -Ec '^[a-z.]+ +0 ' "$out")" -ge 1 ]
check 'VMs with different owners: the ledger' 0 '' "$sidestep" report --format json owners.ledger
cp "$out" owners.json
that 'VMs with different owners: every row is of one VM' "$source/vms.py" owners.json
check 'VMs with different owners: every format' 0 '' "$source/check.py" "$sidestep" "$gen_docs" owners.ledger
check 'VMs with the same owner' 0 '' "$sidestep" run --engine flat --vms 2 "$guest"
that 'VMs with the same owner: one row for both' [ "$(grep -Ec '^VM [01]:|^[a-z.]+ +[01] ' "$out")" -eq 0 ]

# A guest without a catalogue: a run says how to see what took its exits, and its ledger shows that.
printf '\346\200\346\200\260\0\346\364' >two.bin # OUT 0x80, AL twice; MOV AL, 0; OUT 0xf4, AL
check 'without a catalogue: a run' 0 '' "$sidestep" run -q --engine flat --ledger two.ledger two.bin
check 'without a catalogue: a run, with its report and a ledger' 0 '' "$sidestep" run --engine flat --ledger two.ledger two.bin
that 'without a catalogue: where its exits are shown' grep -q '^sidestep report two.ledger shows them' "$out"
check 'without a catalogue: a run, with its report' 0 '' "$sidestep" run --engine flat two.bin
that 'without a catalogue: the hint' grep -q '^--ledger FILE keeps them, and sidestep report FILE shows them' "$out"
check 'without a catalogue: the ledger' 0 '' "$sidestep" report two.ledger
that 'without a catalogue: by reason' grep -Eq '^io +vmm +3 100\.0 +[0-9]' "$out"
that 'without a catalogue: by instruction' [ "$(grep -Ec ' out 0x(80|f4), al +vmm +1 +33\.3 ' "$out")" -eq 3 ]
check 'without a catalogue: every format' 0 '' "$source/check.py" "$sidestep" "$gen_docs" two.ledger

# The same kind of guest, where tracefs shows nothing: what cannot be seen is said, and kept.
printf '\260\0\346\364' >exits.bin # MOV AL, 0; OUT 0xf4, AL
# shellcheck disable=SC2016 # expanded by that shell
blind=(unshare -m sh -c 'mount -t tmpfs none /sys/kernel/tracing && exec "$@"' sh)
if "${blind[@]}" true 2>/dev/null; then
	run "${blind[@]}" "$sidestep" run --engine flat --trace sample --ledger blind.ledger exits.bin
	cp "$out" blind.txt
	run "$sidestep" report blind.ledger
	cat "$out" >>blind.txt
	that 'without tracefs: run and report say so' \
		[ "$(grep -c '^tracepoints: not observed: tracefs' blind.txt)" -eq 2 ]
	that 'without tracefs: no exit is known one by one' \
		[ "$(grep -c '^l0: not observed one by one: tracefs' blind.txt)" -eq 2 ]
	check 'without tracefs: by level' 0 '' "$sidestep" report --by level --format csv blind.ledger
	that 'without tracefs: l0 is no zero' grep -q '^l0,not observed,not observed,not observed' "$out"
else
	echo 'ok - without tracefs # SKIP needs: unshare -m; host: no mounts permitted'
fi

# Enough repetitions that the host's own doings do not amount to an exit for each of them.
for run in one two; do
	check "run $run" 0 '' \
		"$sidestep" bench --engine flat --ledger "$run.ledger" 'ref.*' 'cr0.*.mov' service.port
done
check 'two runs have the same exits' 0 '' "$sidestep" report --diff --exits-only one.ledger two.ledger
check 'the catalogue and a part of it' 1 '' "$sidestep" report --diff --exits-only bench.ledger one.ledger
that 'the catalogue and a part of it: the rest is named' grep -Eq '^view\.switch\.vmfunc \(only in A\)' "$out"
finish
