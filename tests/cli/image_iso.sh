#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sidestep image -o FILE.iso with programs that stand for GRUB's: there is none, it fails, it makes half of a medium,
# it makes one, it is in the middle of it when we are killed. Each time one line and a status, no FILE that is not
# complete, and nothing in TMPDIR. That real media boot is tests/lab/bare_iso.sh's. Arguments: the program.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
cd "$scratch" || exit 99
mkdir work temporary bin none
export TMPDIR=$scratch/temporary SIDESTEP_KVM=/nonexistent
packages='an \.iso needs the Debian packages grub-common, grub-pc-bin, grub-efi-amd64-bin, xorriso and mtools; a name without \.iso gets the kernel alone$'

# shellcheck disable=SC2317 # reached through `that`
nothing() {
	[ -z "$(find work temporary -mindepth 1)" ]
}

# stands WORDS...: what grub-mkrescue does from now on, in a directory of its own.
stands() {
	printf '#!/bin/sh\n%s\n' "$*" >bin/grub-mkrescue
	chmod +x bin/grub-mkrescue
}

image() { # NAME STATUS REGEX PATH
	check "$1" "$2" "$3" env PATH="$4" "$sidestep" image -o work/medium.iso ref.nothing
}

image 'no grub-mkrescue' 99 "^sidestep: grub-mkrescue: No such file or directory; $packages" "$scratch/none"
that 'no grub-mkrescue: leaves nothing' nothing
check 'no grub-mkrescue: a kernel needs none' 0 '' env PATH="$scratch/none" "$sidestep" image -o kernel ref.nothing

# shellcheck disable=SC2016 # expanded there
stands 'echo one; mkdir "$TMPDIR/left"; : >"$TMPDIR/left/file"; echo "xorriso not found." >&2; exit 1'
image 'it fails' 99 "^sidestep: xorriso not found\.; $packages" "$scratch/bin:$PATH"
that 'it fails: leaves nothing' nothing
stands 'exit 1'
image 'it fails without a word' 99 "^sidestep: grub-mkrescue failed; $packages" "$scratch/bin:$PATH"
stands 'kill -KILL $$'
image 'it is killed' 99 "^sidestep: grub-mkrescue failed; $packages" "$scratch/bin:$PATH"
stands 'exit 0'
image 'it makes nothing' 99 '^sidestep: .*/iso: No such file or directory$|^sidestep: .*No such file or directory; TMPDIR' \
	"$scratch/bin:$PATH"
stands 'echo efi.img >iso'
image 'nothing for BIOS' 99 "^sidestep: grub-mkrescue has no files for BIOS \(grub-pc-bin\); $packages" "$scratch/bin:$PATH"
stands 'echo eltorito.img >iso'
image 'nothing for UEFI' 99 "^sidestep: grub-mkrescue has no files for UEFI \(grub-efi-amd64-bin\); $packages" "$scratch/bin:$PATH"
that 'half a medium: leaves nothing' nothing

check 'no temporary directory' 99 '^sidestep: /nonexistent/sidestep\..*: No such file or directory; TMPDIR can name' \
	env TMPDIR=/nonexistent "$sidestep" image -o work/medium.iso ref.nothing

# shellcheck disable=SC2016 # expanded there
stands 'echo eltorito.img efi.img >iso; cat root/boot/grub/grub.cfg root/boot/sidestep.bin >>iso; echo "$*" >>iso'
image 'it makes one' 0 '' "$scratch/bin:$PATH"
that 'it makes one: the kernel is in it' python3 -c '
import sys
medium, kernel = (open(name, "rb").read() for name in sys.argv[1:])
sys.exit(kernel not in medium or b"multiboot2 /boot/sidestep.bin" not in medium)' work/medium.iso kernel
rm -f work/medium.iso
that 'it makes one: leaves nothing else' nothing

# xorriso's crash after it has written everything, in what it says then: once, and each time.
stands 'echo >>../../calls; echo "UNIX-SIGNAL:  SIGSEGV  errno= 0"; [ -s iso ] && exit 0; echo eltorito.img efi.img >iso; exit 1'
image 'xorriso crashes once' 0 '' "$scratch/bin:$PATH"
that 'xorriso crashes once: it is called again' [ "$(wc -l <calls)" -eq 2 ]
rm -f work/medium.iso calls
stands 'echo >>../../calls; echo "UNIX-SIGNAL:  SIGSEGV  errno= 0"; echo "xorriso invocation failed"; exit 1'
image 'xorriso crashes' 99 "^sidestep: xorriso invocation failed; $packages" "$scratch/bin:$PATH"
that 'xorriso crashes: it is called no more than three times' [ "$(wc -l <calls)" -eq 3 ]
that 'xorriso crashes: leaves nothing' nothing

# Killed, with all of its process group, while GRUB's program works.
stands ': >../working; exec sleep 1000'
PATH="$scratch/bin:$PATH" setsid "$sidestep" image -o work/medium.iso ref.nothing >/dev/null 2>&1 &
pid=$!
that 'killed: it works' await [ -e temporary/working ]
rm -f temporary/working
kill -KILL -- -$pid
wait $pid 2>/dev/null
that 'killed: leaves nothing' await nothing
finish
