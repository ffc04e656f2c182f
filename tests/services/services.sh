#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# services.sh PROGRAM GUESTS: guests that invoke services. Each guest's exit status is the number
# of its check that failed.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
needs_kvm
guests=$(realpath "$2")
cd "$scratch" || exit 99

guest() { # NAME STATUS REGEX [OPTIONS...]
	local name=$1 status=$2 regex=$3
	shift 3
	check "$name $*" "$status" "$regex" \
		"$sidestep" run -q --engine flat --timeout "$(patient 10)" "$@" "$guests/services_$name.elf"
}

guest parameters 0 ''
guest parameters 0 '' -m 64M
# Not enabled: the first call finds #UD.
guest parameters 251 'guest exit status 251' --services view
for _ in 1 2 3 4 5 6 7 8 9 10; do
	guest rights 0 '' -c 2
done

# Each VM has its own table, and its own flags. The list that is given last is that of all further VMs.
opposite='--vms 2 --services view,map --services interrupt'
contrary='--vms 2 --services interrupt --services view,map'
# shellcheck disable=SC2086 # several words
{
	guest neighbours 0 '' $opposite --flag-path enlightened --shadow ts --shadow mp
	guest neighbours_swapped 0 '' $contrary --flag-path enlightened --shadow mp --shadow ts
}

# Conditions on the mode, and calls that they forbid: an exit to the VMM where the list says so, and a record of it.
guest mode 0 '' --ledger mode.ledger --services view,map:long:exit,interrupt:protected:exit,pin:long
check 'report of what exits' 0 '' "$sidestep" report --by service --format csv mode.ledger
for row in 'map forbidden,vmm,1,' 'pin #GP,vmm,1,'; do
	that "report of what exits: $row" grep -q "^$row" "$out"
done
guest mode 3 'guest exit status 3' --services view,map:exit,interrupt:protected:exit,pin:long
guest mode 1 'guest exit status 1' --services view,map:off:exit,interrupt:protected:exit,pin:long --ledger mode.ledger
check 'report of what is disabled' 0 '' "$sidestep" report --by service --format csv mode.ledger
that 'report of what is disabled' grep -q '^map disabled,vmm,1,' "$out"

# What the VMM does for a guest, a view has to let that guest do. The list lets anybody ask.
truncate -s 4K disk
asked='view,map:cpl3:views,pin:cpl3:views,unpin:cpl3:views'
for name in deputy deputy_bitmap; do
	guest $name 0 '' --views "${BASH_SOURCE%/*}/deputy.views" --disk disk --ledger deputy.ledger \
		--services $asked
	that "$name: the views that allow it had the text printed" [ "$(grep -c '^said$' "$out")" -eq 4 ]
	that "$name: no more than that" [ "$(grep -vc '^said$\|^no ports at CPL 3$' "$out")" -eq 0 ]
done
# Nobody gets a page fault for what is not done for him, and the first one can end the run.
guest deputy 0 '' --views "${BASH_SOURCE%/*}/deputy.views" --disk disk --services $asked --on-violation inject
guest deputy 1 'view 1 \(reader\) forbids a write at 0xe2000 \(window-private\); vcpu0 at rip 0x[0-9a-f]+ \(by_port' \
	--views "${BASH_SOURCE%/*}/deputy.views" --disk disk --services $asked --on-violation stop
check 'what was refused is in the ledger' 0 '' "$sidestep" report --by violation deputy.ledger
for row in 'reader window-private write .* refused' 'blind *window-private read .* refused' \
	'blind *context *read .* refused' 'reader context *write .* refused'; do
	that "what was refused: $row" grep -q "$row" "$out"
done

# By whom each service was done, and what became of the others: from the file of exits.
guest parameters 0 '' --ledger ledger
check 'report by service' 0 '' "$sidestep" report --by service --format csv ledger
for row in 'map,vmm,32,' 'map #GP,vmm,2,' 'view,vmm,18,' 'view refused,vmm,4,'; do
	that "report by service: $row" grep -q "^$row" "$out"
done
check 'report by service as JSON' 0 '' "$sidestep" report --by service --format json ledger
that 'report by service as JSON: by name' grep -q '"service": "map #GP"' "$out"
finish
