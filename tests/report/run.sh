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
check 'three VMs keep one ledger' 0 '' \
	"$sidestep" run -q --engine flat --vms 3 --ledger run.ledger "$guest"
for ledger in bench test run; do
	check "$ledger.ledger in every format" 0 '' \
		"$source/check.py" "$sidestep" "$gen_docs" "$ledger.ledger"
done
# Enough repetitions that the host's own doings do not amount to an exit for each of them.
for run in one two; do
	check "run $run" 0 '' \
		"$sidestep" bench --engine flat --ledger "$run.ledger" 'ref.*' 'cr0.*.mov' service.port
done
check 'two runs have the same exits' 0 '' "$sidestep" report --diff --exits-only one.ledger two.ledger
check 'the catalogue and a part of it' 1 '' "$sidestep" report --diff --exits-only bench.ledger one.ledger
that 'the catalogue and a part of it: the rest is named' grep -Eq '^view\.switch\.vmfunc \(only in A\)' "$out"
finish
