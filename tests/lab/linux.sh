#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# linux.sh SOURCE BUILD VENDOR: small kernels, and the kernel of Debian as a guest, that of the lab itself, with an initial file system of
# busybox and linux/init. One boot of a lab for all of them: linux/boots.sh. What the ledgers say is for linux/check.py.
set -euo pipefail
source=$1 build=$2 vendor=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck source-path=SCRIPTDIR source=linux/guest.sh
. "${BASH_SOURCE%/*}/linux/guest.sh"
image=$(kernel_image)
begin_initrd
# What the second one names has its rows in the report, with exits at L0 too.
"${CC:-cc}" -O2 -Wall -Wextra -Werror -static -o "$work/root/bin/linux-vault" "$source/examples/linux-vault.c"
"${CC:-cc}" -O2 -Wall -Wextra -Werror -static -I "$source" -o "$work/root/bin/marks" "$source/tests/lab/linux/marks.c"
pack_initrd

ledgers=(fixed moved vault)
[[ $vendor != amd ]] || ledgers+=(other marks)
gets=()
for ledger in "${ledgers[@]}"; do gets+=(--get "$ledger.ledger=$work/$ledger.ledger"); done
status=0
small=()
for file in "$build"/tests/pc/guests/pc_*.elf "$build/tests/pc/guests/pc_addresses.bin"; do
	small+=(--put "$file")
done
"$source/tools/lab" "$vendor" --build "$build" --kernel "$kernel" --timeout $((250 * ${PATIENCE:-12})) "${small[@]}" --put "$image=vmlinuz" \
	--put "$work/initrd" --put "$source/tests/lab/linux/boots.sh" --put "$source/examples/linux-vault.views" "${gets[@]}" -- sh boots.sh "$vendor" || status=$?
"$source/tests/lab/linux/check.py" "$vendor" "$build/sidestep" "${ledgers[@]/#/$work/}" || status=$?
exit "$status"
