#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Who reaches guest memory without asking a view: only those who do it for the VMM itself. All others have
# guest_access.h.
set -u
cd "$SOURCE_ROOT" || exit 99

# FILE and what it does there.
own='
vmm/guest/boot.c what the guest finds when it starts
vmm/engine/engine_flat.c memory slots
vmm/emulate/guest_access.c the one that asks
vmm/guest/guest_ram.c the copies themselves
vmm/guest/image_file.c the image, before the guest runs
vmm/pc/acpi.c tables, before the guest runs
vmm/pc/pc_boot_layout.c what a kernel finds when it starts
vmm/engine/monitor_create.c memory slots
vmm/service/pin.c locks and unlocks pages
vmm/vm/vcpu.c where the page of a vCPU is
vmm/bare/bare_plan.c what a guest of an image starts with
'
allowed=$(awk 'NF {print $1}' <<<"$own")
raw='guest_ram_(at|read|write)\(|ram(\.|->)host'
found=$(grep -lE "$raw" vmm/*/*.c vmm/*/*.h devices/*.c devices/*.h views/*.c views/*.h | grep -vx vmm/guest/guest_ram.h)
failed=0
for file in $found; do
	grep -qx "$file" <<<"$allowed" && continue
	echo "$file reaches guest memory without asking a view; see vmm/emulate/guest_access.h:"
	grep -nE "$raw" "$file"
	failed=1
done
for file in $allowed; do
	grep -qx "$file" <<<"$found" && continue
	echo "$file no longer reaches guest memory: strike it out here"
	failed=1
done
exit $failed
