# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared with tools/lab
#
# The Intel lab: Bochs, the only emulator that has VMX with VMFUNC.
# One emulated instruction is one tick of its time stamp counter.

recipe_kernel=linux-image-cloud-amd64

# A second of the devices, in ticks. The processor's CPUID says 3,500,000,000: a kernel that believes it has timers end
# too early by that factor, and starts each a thousand times.
readonly ticks_per_second=100000000

# What files come and go with. Bochs has a disk answer at the same instruction each time.
transfer=disk
transfer_device=/dev/sda
transfer_base=0
recipe_stop=

recipe_programs() {
	need bochs-bin bochs
	need xorriso xorriso
	bios=/usr/share/bochs/BIOS-bochs-latest
	vga=/usr/share/bochs/VGABIOS-lgpl-latest
	isolinux=/usr/lib/ISOLINUX/isolinux.bin
	syslinux=/usr/lib/syslinux/modules/bios
	ldlinux=$syslinux/ldlinux.c32
	[[ -r $bios && -r $vga ]] || die "$bios is missing: run apt-get install bochsbios"
	[[ -r $isolinux ]] || die "$isolinux is missing: run apt-get install isolinux"
	[[ -r $ldlinux ]] || die "$ldlinux is missing: run apt-get install syslinux-common"
}

recipe_modules() {
	add_module ata_piix
	add_module sd_mod
	add_module kvm
	add_module kvm_intel nested=1 dump_invalid_vmcs=1 ${kvm_options[@]+"${kvm_options[@]}"}
}

# master_medium DIRECTORY: as boot.iso. On a busy machine xorriso may crash when all is written: a thread of libburn calls
# a drive idle, and looks at it again, which has been released by then (write_disc_worker_func() of its async.c, 1.5.4).
master_medium() {
	local tries
	for tries in 1 2 3; do
		SOURCE_DATE_EPOCH=$LAB_DATE xorriso -as mkisofs -quiet --norock --set_all_file_dates "=$LAB_DATE" -o "$work/boot.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat \
			-no-emul-boot -boot-load-size 4 -boot-info-table "$1" 2>"$work/xorriso.err" && return
		grep -q '^UNIX-SIGNAL: ' "$work/xorriso.err" || break
	done
	cat "$work/xorriso.err" >&2
	return 1
}

write_boot_medium() {
	local medium=$work/medium
	mkdir -p "$medium/isolinux"
	cp -- "$isolinux" "$ldlinux" "$medium/isolinux"
	cp -- "$image" "$medium/vmlinuz"
	mv -- "$work/initrd" "$medium/initrd"
	cat >"$medium/isolinux/isolinux.cfg" <<-TEXT
		serial 0 115200
		default lab
		prompt 0
		label lab
		  kernel /vmlinuz
		  append initrd=/initrd $(kernel_arguments) tsc_early_khz=$((ticks_per_second / 1000))
	TEXT
	master_medium "$medium"
}

# Each processor tells of its exits.
witnesses() {
	local number
	for ((number = 0; number < ${cpus:-1}; number++)); do echo "cpu$number=report"; done | paste -sd,
}

# write_bochs_configuration IPS FILE...: so many instructions are a second to the devices; where serial ports write to.
write_bochs_configuration() {
	local ips=$1 file port=1
	cat <<-TEXT
		config_interface: textconfig
		display_library: rfb, options="timeout=0"
		plugin_ctrl: speaker=0, unmapped=1, biosdev=1, extfpuirq=1
		cpu: model=corei7_skylake_x, count=${cpus:-1}, ips=$ips, ignore_bad_msrs=1, reset_on_triple_fault=0
		clock: sync=none, time0=$LAB_DATE
		memory: guest=$memory, host=$memory
		romimage: file="$bios"
		vgaromimage: file="$vga"
		ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
		ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
		ata1-master: type=cdrom, path="boot.iso", status=inserted
		boot: cdrom
	TEXT
	for file in "${@:2}"; do
		echo "com$((port++)): enabled=1, mode=file, dev=\"$file\""
	done
	cat <<-TEXT
		panic: action=fatal
		error: action=report
		info: action=ignore
		debug: action=ignore${witness_copy:+, $(witnesses)}
	TEXT
}

# choose_machine IPS FILE...
choose_machine() {
	write_bochs_configuration "$@" >"$work/bochsrc"
	# Debian's Bochs contains its debugger, which waits for this command.
	echo c >"$work/debugger"
	emulator_name=bochs
	emulator=(bochs-bin -q -f bochsrc -rc debugger)
}

recipe_prepare() {
	choose_machine $ticks_per_second console output control stderr
	echo 'ata0-master: type=disk, mode=flat, path="disk", cylinders=0' >>"$work/bochsrc"
}

recipe_files() {
	type -P bochs-bin xorriso
	# Its devices, among others.
	{ find -L /usr/lib/*/bochs/plugins -name '*.so' 2>/dev/null || true; } | LC_ALL=C sort
	printf '%s\n' "$build/tools/lab.d/bochs-state.so" "$bios" "$vga" "$isolinux" "$ldlinux"
}

recipe_settings() {
	cat -- "$work/bochsrc"
	kernel_arguments
}

recipe_boot() {
	step 'making the disk' truncate -s "${TRANSFER_SIZE}M" "$work/disk"
	step 'making the boot medium' write_boot_medium
	# Where the state would be saved, it goes on.
	if [[ $debug ]]; then
		cat -- "$debug/commands" >>"$work/debugger"
		ln -s -- "$debug/log" "$work/emulator.log"
	else
		echo c >>"$work/debugger"
	fi
}

# A path without a directory of its own: LD_PRELOAD is split at spaces and colons.
load_with_bochs() {
	step 'copying bochs-state.so' cp -- "$build/tools/lab.d/bochs-state.so" "$work"
	emulator=(env LD_PRELOAD=./bochs-state.so "${emulator[@]}")
}

recipe_boot_to_save() {
	recipe_boot
	load_with_bochs
	mkdir -- "$work/state"
	printf 'c\nwritemem "save-state" 0 1\n' >"$work/debugger"
}

# The disk is another for every command: without its copy, and told so, Bochs takes the one that it finds. Timers are
# saved by number, and get their numbers as devices are loaded: the USB controller where it is when nobody names it.
recipe_save() {
	await_end_of_emulator || return
	# Bochs does not look whether what it writes gets written; the copy of the disk takes the most.
	! disk_is_full || return
	[[ $(tail -n 1 "$work/state/hard_drive") == '}' && $(tail -n 1 "$work/state/pci_ide") == '}' ]] || return
	rm -f -- "$work"/state/hard_drive.*.image "$work"/disk{,.lock}
	sed -i 's/^\( *image = \)true$/\1false/' "$work/state/hard_drive"
	sed -i 's/ usb_uhci=true,//; /^usb_uhci:/d' "$work/state/config"
	mv -- "$work/boot.iso" "$work/state/boot.iso"
}

recipe_restore() {
	ln -s -- "$state/boot.iso" "$work/boot.iso"
	step 'making the disk' truncate -s "${TRANSFER_SIZE}M" "$work/disk"
	emulator=(bochs-bin -q -r "$state" -rc debugger)
	load_with_bochs
	echo c >"$work/debugger"
}

# A state has a configuration of its own, and its other files as links.
recipe_terminal() {
	local line='com2: enabled=1, mode=term, dev="terminal"'
	if ((boot)); then
		sed -i "s/^com2:.*/$line/" "$work/bochsrc"
		return
	fi
	mkdir -- "$work/restored"
	ln -s -t "$work/restored" -- "$state"/*
	sed "s/^com2:.*/$line/" "$state/config" >"$work/config"
	mv -f -- "$work/config" "$work/restored/config"
	emulator=("${emulator[@]/#"$state"/restored}")
}

recipe_resume() {
	:
}

# How a bare lab boots the image and finds the exits in what the emulator logs.
bare_witness='.*VMEXIT reason.*'

bare_programs() {
	recipe_programs
	[[ -r $syslinux/mboot.c32 && -r $syslinux/libcom32.c32 ]] ||
		die "$syslinux/mboot.c32 is missing: run apt-get install syslinux-common"
}

write_bare_medium() {
	local medium=$work/medium
	mkdir -p "$medium/isolinux"
	cp -- "$isolinux" "$ldlinux" "$syslinux/mboot.c32" "$syslinux/libcom32.c32" "$medium/isolinux"
	mv -- "$work/image.bin" "$medium/image.bin"
	cat >"$medium/isolinux/isolinux.cfg" <<-TEXT
		serial 0 115200
		default lab
		prompt 0
		label lab
		  kernel mboot.c32
		  append /image.bin
	TEXT
	master_medium "$medium"
}

# Devices as fast as Bochs has them, since all that happens while the BIOS and the serial port let a program wait is
# that it executes instructions. A tick of the time stamp counter is an instruction whatever a second is.
bare_prepare() {
	step 'making the boot medium' write_bare_medium
	choose_machine 1000000 console
}
