#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bare_iso.sh SIDESTEP: the medium that `sidestep image` writes boots as people use it: from CD by BIOS and by UEFI, and
# from a USB stick by both. The emulated processor has SVM; what the catalogue did there is in the lines on the serial
# port, and nothing of it fails. With UEFI there is something on the screen, which has pixels only. A second medium that
# is all of 4 operations is for the sticks: what is under test there is the way in, and that each
# firmware leaves a second processor so that the monitor can start it.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
firmware=/usr/share/ovmf/OVMF.fd
emulator=
trap '[ -z "$emulator" ] || kill -KILL "$emulator" 2>/dev/null; rm -rf "$scratch"' EXIT

need() { # what is missing, package
	echo "skipped: needs: $1 (Debian: $2)"
	exit 77
}
while read -r program package; do
	command -v "$program" >/dev/null || need "$program" "$package"
done <<'PROGRAMS'
grub-mkrescue grub-common
xorriso xorriso
mformat mtools
qemu-system-x86_64 qemu-system-x86
PROGRAMS
[ -e "$firmware" ] || need "$firmware" ovmf
[ -d /usr/lib/grub/i386-pc ] || need 'GRUB for BIOS' grub-pc-bin
[ -d /usr/lib/grub/x86_64-efi ] || need 'GRUB for UEFI' grub-efi-amd64-bin

ended() {
	[ "$(tr -d '\r\0' <"$scratch/serial" | tail -n 1)" = 'sidestep: end of run' ]
}

# boot NAME OPTION...: leaves what came over the serial port, and says how long it took.
boot() {
	local name=$1 begun last
	shift
	: >"$scratch/serial"
	begun=$(now_ms) last=$((SECONDS + $(patient 60)))
	qemu-system-x86_64 -M q35 -m 512 -accel tcg -cpu max,+svm -nodefaults -vga std -display none -no-reboot \
		-serial "file:$scratch/serial" -qmp "unix:$scratch/qmp,server,nowait" "$@" >"$scratch/emulator" 2>&1 &
	emulator=$!
	until ended || ! kill -0 "$emulator" 2>/dev/null || [ $SECONDS -ge $last ]; do
		sleep 0.2
	done
	elapsed=$(($(now_ms) - begun))
	that "$name: comes to its end" ended
	echo "# $elapsed ms"
	! ended || return 0
	tail -n 5 "$scratch/emulator" "$scratch/serial" 2>/dev/null | tr -c '\n -~' ' ' | cut -c 1-200 | sed 's/^/# /'
}

shut() {
	kill "$emulator" 2>/dev/null
	wait "$emulator" 2>/dev/null
	emulator=
}

# judged NAME: each operation did as the model says, on that processor's engine.
judged() {
	run "$sidestep" report "$scratch/serial"
	judge "$1: the report" 0 ''
	that "$1: none failed" grep -Eq '^[1-9][0-9]* passed, 0 failed' "$out"
	that "$1: on the computer itself" grep -q '^engine svm on the computer itself' "$out"
}

# The picture in PPM, by QEMU's own words: white is what letters are made of.
pictured() { # name
	that "$1: there are letters on the screen" python3 - "$scratch/qmp" "$scratch/picture" <<'PICTURE'
import json, socket, sys
talk = socket.socket(socket.AF_UNIX)
talk.connect(sys.argv[1])
lines = talk.makefile("rw")
for command in {"execute": "qmp_capabilities"}, {"execute": "screendump", "arguments": {"filename": sys.argv[2]}}:
    lines.write(json.dumps(command) + "\n")
    lines.flush()
    while "return" not in (answer := json.loads(lines.readline())):
        assert "error" not in answer, answer
picture = open(sys.argv[2], "rb").read()
kind, size, most, pixels = picture.split(b"\n", 3)
dots = [pixels[at:at + 3] for at in range(0, len(pixels), 3)]
white, black = dots.count(b"\xff" * 3), dots.count(b"\0" * 3)
print(size, white, black)
sys.exit(not (100 < white < black and white + black == len(dots)))
PICTURE
}

check 'a medium with the catalogue' 0 '' "$sidestep" image -o "$scratch/all.iso" --count 21
check 'a medium with little' 0 '' "$sidestep" image -o "$scratch/few.iso" -c 2 \
	ref.nothing cr0.ts.mov view.switch.vmfunc service.port
cdrom=(-drive "file=$scratch/all.iso,format=raw,media=cdrom,readonly=on")
# shellcheck disable=SC2054 # commas of QEMU's
stick=(-device qemu-xhci -drive "if=none,id=stick,file=$scratch/few.iso,format=raw,readonly=on"
	-device usb-storage,drive=stick -smp 2)

boot 'BIOS, CD' "${cdrom[@]}"
judged 'BIOS, CD'
shut
boot 'BIOS, USB' "${stick[@]}"
judged 'BIOS, USB'
that 'BIOS, USB: by two processors' grep -q ' 1 VM x 2 vCPU,' "$out"
shut
boot 'UEFI, CD' -bios "$firmware" "${cdrom[@]}"
judged 'UEFI, CD'
# Without the font there are no letters: psf-unifont was not there when the program was built.
[ ! -s "${sidestep%/*}/guestfw/bare_font.psf" ] || pictured 'UEFI, CD'
shut
boot 'UEFI, USB' -bios "$firmware" "${stick[@]}"
judged 'UEFI, USB'
that 'UEFI, USB: by two processors' grep -q ' 1 VM x 2 vCPU,' "$out"
shut
finish
