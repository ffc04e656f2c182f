#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Interrupts, pinned buffers and disks on the host's KVM. Arguments: the program, the directory of the
# guests, what the program is sanitized for.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
needs_kvm
guests=$(realpath "$2")
cd "$scratch" || exit 99
hostile=0

guest() { # name, status, regex, guest, options
	local name=$1 wanted=$2 regex=$3 file=$guests/hostile_$4.elf
	shift 4
	hostile=$((hostile + 1))
	check "$name" "$wanted" "$regex" "$sidestep" run -q --timeout "$(patient 10)" "$@" "$file"
}
refused() { # name, regex, options
	local name=$1 regex=$2
	shift 2
	guest "disk: $name" 2 "^sidestep: $regex" disk --ledger ledger "$@"
	that "disk: $name: no ledger" [ ! -e ledger ]
}

# --- Interrupts.
guest 'interrupts that are raised' 0 '' raise
guest 'HLT finds nothing that is delivered' 1 'every vCPU has halted for good' halt_held
guest 'interrupts by disposition' 0 '' dispositions --ledger ledger
check 'interrupts by disposition: report' 0 '' "$sidestep" report ledger
that 'interrupts by disposition: counted' \
	grep -q '^interrupts of vector 0x60: 4 delivered, 3 held, 1 coalesced, 2 dropped$' "$out"
rm ledger

# --- A disk. The guest moves its first half, inverted, to its second.
half() { head -c 4096 "$1"; }
head -c 4096 /dev/urandom >half
{ cat half && head -c 4096 /dev/zero; } >original
cp original disk
guest 'no disk' 9 'guest exit status 9' disk
guest 'disk' 0 '' disk --disk disk --ledger ledger
that 'disk: its first half is as it was' cmp half <(half disk)
half disk | tr '\000-\377' "$(printf '\\%o' {255..0})" >inverted
that 'disk: its second half is what the guest wrote' cmp inverted <(tail -c 4096 disk)
check 'disk: report' 0 '' "$sidestep" report ledger
that 'disk: interrupts are in the ledger' \
	grep -q '^interrupts of vector 0x60: 2 delivered, 1 held, 1 coalesced$' "$out"
that 'disk: buffers are in the ledger' \
	grep -Eq '^pinned: 8 KiB at most in a VM; buffers: 3, refused: [1-9]' "$out"
check 'disk: report as JSON' 0 '' "$sidestep" report --format json ledger
that 'disk: what was pinned is given back' grep -q '"released": 2' "$out"
rm ledger

cp original disk
guest 'disk to be read only' 8 'guest exit status 8' disk --disk disk:ro
guest 'disk to be read only, in two VMs' 8 'guest exit status 8' disk --disk disk:ro --vms 2
check 'disk of the built-in guest' 0 '' "$sidestep" run --disk disk
that 'disk of the built-in guest: operations are left out' \
	grep -q '^skipped, needs: disk; host: --disk names a file' "$out"
that 'disk of the built-in guest: the file is as it was' cmp original disk

# Every sector of a disk can be written, however large it is, and it gets no longer: less than one piece, as much
# as the jail lets a write be, more than a ledger may have, more than fits in 32 bits.
for size in 512 131072 200192 3G 5G; do
	rm -f sparse
	truncate -s $size sparse
	before=$(stat -c %s sparse)
	guest "disk of $size" 0 '' disk_ends --trace off --disk sparse
	guest "disk of $size, with a ledger" 0 '' disk_ends --trace off --disk sparse --ledger ledger
	that "disk of $size: stays so" [ "$(stat -c %s sparse)" -eq "$before" ]
	rm ledger
done
# Wherever a limit of the user's cuts a write short: told to the guest. Messages are files too.
truncate -s 8192 sparse
for room in 0 1 511 512 1000 4096 7680 7681 8000 8191; do
	run env GCOV_ERROR_FILE=/dev/null prlimit --fsize=$room "$sidestep" run -q --timeout 20 --disk sparse "$guests/hostile_disk_ends.elf"
	that "disk, files of $room bytes at most" [ $status -eq 10 ]
done
rm sparse

truncate -s 1000 odd
: >empty
mkfifo fifo
refused 'missing' 'missing: No such file.*:ro' --disk missing
refused 'missing, to be read' 'missing: No such file' --disk missing:ro
refused 'parts of sectors' 'odd: 1000 bytes are no disk' --disk odd
refused 'empty' 'empty: 0 bytes are no disk' --disk empty
refused 'a FIFO' 'fifo: not a regular file' --disk fifo:ro
refused 'a directory' '.: Is a directory' --disk .
refused 'a device' '/dev/zero: not a regular file' --disk /dev/zero
refused 'several writers' '--disk: 2 VMs would write one file' --disk disk --vms 2
check 'disk: in use' 2 '^sidestep: disk: in use as a disk by another process' \
	flock disk "$sidestep" run -q --disk disk "$guests/hostile_disk.elf"

# --- A host that does not let us lock memory.
limited=(prlimit)
[ "$(id -u)" -eq 0 ] && limited=(setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock prlimit)
if [[ $3 == *address* ]]; then
	echo 'ok - limits # SKIP needs: mlock; host: the address sanitizer makes it do nothing'
elif "${limited[@]}" --memlock=4096 true 2>"$err"; then
	run "${limited[@]}" --memlock=4096 "$sidestep" run "$guests/hostile_pin_limit.elf"
	judge 'limit of a page' 0 ''
	that 'limit of a page: told' grep -q \
		'^  2 by the host: Cannot allocate memory; RLIMIT_MEMLOCK is 4 KiB, ulimit -l sets it$' "$out"
	run "${limited[@]}" --memlock=0 "$sidestep" test service.pin.page
	judge 'nothing may be locked' 77 ''
	that 'nothing may be locked: told' grep -q 'needs: pin; host: no memory may be locked' "$out"
else
	echo "ok - limits # SKIP needs: setpriv, prlimit; host: $(head -n 1 "$err")"
fi

echo "figure: hostile guests $hostile"
finish
