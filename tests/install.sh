#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `meson install` puts down what it should, the installed program works alone, and so do the sources of guests, the labs
# and the campaigns.
set -euo pipefail
build=$1
destination=$(mktemp -d)
trap 'rm -rf "$destination"' EXIT

DESTDIR=$destination meson install -C "$build" --no-rebuild >/dev/null
root=$destination/usr/local
for file in bin/sidestep include/sidestep/abi.h include/sidestep/guest.h include/sidestep/mark.h \
	include/sidestep/pages.ld share/sidestep/guest.ld \
	share/sidestep/examples/trampoline.views share/sidestep/examples/trampoline/gate.S \
	share/sidestep/examples/kernel-drivers.views share/sidestep/examples/modules/gate.S \
	share/sidestep/examples/isolated/isolated.ld share/sidestep/examples/isolated/isolated.views \
	share/bash-completion/completions/sidestep share/fish/vendor_completions.d/sidestep.fish \
	share/zsh/site-functions/_sidestep \
	share/sidestep/schemas/common.schema.json share/sidestep/schemas/sidestep.ledger.schema.json \
	share/sidestep/build/installed share/sidestep/build/tools/lab.d/lab-stop \
	share/sidestep/build/tools/lab.d/bochs-state.so share/sidestep/build/tools/sidestep-bare \
	share/sidestep/build/tests/hostile/random_code share/sidestep/tools/campaign.d/plans/small.ini; do
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

# What labs and campaigns come with is found from where they were installed, and they call themselves by their names.
for tool in lab campaign; do
	usage=$("$root/bin/sidestep-$tool" --help)
	grep -q "^usage: sidestep-$tool " <<<"$usage"
done
cat >"$destination/plan.ini" <<'END'
[programs]
run = random
engine = bare
lab = intel
programs = 100
END
jobs=$(XDG_STATE_HOME=$destination "$root/bin/sidestep-campaign" --write "$destination/plan.ini")
[[ $jobs == "$destination/sidestep/campaigns/plan/jobs.txt" ]]
made_of=$("$root/bin/sidestep-lab" intel --made-of)
grep -qx "$root/share/sidestep/build/tools/lab.d/bochs-state.so" <<<"$made_of"
# With a command line of its own, as a job has it.
read -ra words <"$jobs"
while [[ ${words[0]} != -- ]]; do words=("${words[@]:1}"); done
performed=$("${words[@]:1}" 2>&1)
grep -q 'programs performed: 100, no difference' <<<"$performed"

for source in "$root"/share/sidestep/examples/*/*.[cS]; do
	cc -ffreestanding -mgeneral-regs-only -I"$root/include/sidestep" -c -o /dev/null "$source"
done

# By the flags of pkg-config alone, as from anywhere else.
export PKG_CONFIG_PATH=$root/share/pkgconfig
guest() { pkg-config --define-variable=prefix="$root" "$@" sidestep-guest; }
read -ra flags <<<"$(guest --cflags) $(guest --variable=guest_cflags)"
cc "${flags[@]}" -nostdlib -static -Wl,--build-id=none -T "$(guest --variable=linker_script)" \
	-o "$destination/first.elf" "$root/share/sidestep/example/example.c"
make -s -C "$root/share/sidestep/example" PKG_CONFIG="pkg-config --define-variable=prefix=$root" OUT="$destination/"
for name in first example; do
	header=$(readelf -h "$destination/$name.elf")
	grep -qE 'Entry point address: +0x100000$' <<<"$header"
done
# Modules on pages of their own, as in docs/views.md.
cd "$destination"
cc -O2 -ffreestanding -fno-pic -mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -I"$root/include/sidestep" -c "$root"/share/sidestep/examples/isolated/*.c
cc -E -P -x c -I"$root/include/sidestep" "$root/share/sidestep/examples/isolated/isolated.ld" -o isolated.ld
cc -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack -T isolated.ld -o isolated.elf \
	main.o gate.o parser.o vault.o
"$root/bin/sidestep" views -o /dev/null "$root/share/sidestep/examples/isolated/isolated.views" isolated.elf
