#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `meson install` puts down what it should, the installed program works alone, and so do the sources of guests.
set -euo pipefail
build=$1
destination=$(mktemp -d)
trap 'rm -rf "$destination"' EXIT

DESTDIR=$destination meson install -C "$build" --no-rebuild >/dev/null
root=$destination/usr/local
for file in bin/sidestep include/sidestep/abi.h include/sidestep/guest.h include/sidestep/mark.h share/sidestep/guest.ld \
	share/sidestep/examples/trampoline.views share/sidestep/examples/trampoline/gate.S \
	share/sidestep/examples/kernel-drivers.views share/sidestep/examples/modules/gate.S \
	share/bash-completion/completions/sidestep share/fish/vendor_completions.d/sidestep.fish \
	share/zsh/site-functions/_sidestep \
	share/sidestep/schemas/common.schema.json share/sidestep/schemas/sidestep.ledger.schema.json; do
	[[ -f $root/$file ]] || {
		echo "not installed: $file"
		exit 1
	}
done
cd /
"$root/bin/sidestep" --version
# Not through a pipe: grep -q leaves at the first match, and the writer would rightly report a broken pipe.
operations=$("$root/bin/sidestep" test --list)
grep -q '^cr0.ts.mov ' <<<"$operations"
for source in "$root"/share/sidestep/examples/*/*.[cS]; do
	cc -ffreestanding -mgeneral-regs-only -I"$root/include/sidestep" -c -o /dev/null "$source"
done
