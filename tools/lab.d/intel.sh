# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared with tools/lab
#
# The Intel lab: Bochs, the only emulator that has VMX with VMFUNC.
# One emulated instruction is one tick of its time stamp counter.

recipe_kernel=linux-image-cloud-amd64

recipe_programs() {
	need bochs-bin bochs
	need xorriso xorriso
	bios=/usr/share/bochs/BIOS-bochs-latest
	vga=/usr/share/bochs/VGABIOS-lgpl-latest
	isolinux=/usr/lib/ISOLINUX/isolinux.bin
	ldlinux=/usr/lib/syslinux/modules/bios/ldlinux.c32
	[[ -r $bios && -r $vga ]] || die "$bios is missing: run apt-get install bochsbios"
	[[ -r $isolinux ]] || die "$isolinux is missing: run apt-get install isolinux"
	[[ -r $ldlinux ]] || die "$ldlinux is missing: run apt-get install syslinux-common"
}

recipe_modules() {
	add_module modules kvm
	add_module modules kvm_intel nested=1 dump_invalid_vmcs=1 ${kvm_options[@]+"${kvm_options[@]}"}
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
		  append initrd=/initrd $(kernel_arguments)
	TEXT
	SOURCE_DATE_EPOCH=$LAB_DATE xorriso -as mkisofs -quiet --norock --set_all_file_dates "=$LAB_DATE" -o "$work/boot.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat \
		-no-emul-boot -boot-load-size 4 -boot-info-table "$medium"
}

write_bochs_configuration() {
	cat <<-TEXT
		config_interface: textconfig
		display_library: rfb, options="timeout=0"
		plugin_ctrl: speaker=0, unmapped=1, biosdev=1, extfpuirq=1
		cpu: model=corei7_skylake_x, count=1, ips=100000000, ignore_bad_msrs=1, reset_on_triple_fault=0
		clock: sync=none, time0=$LAB_DATE
		memory: guest=$memory, host=$memory
		romimage: file="$bios"
		vgaromimage: file="$vga"
		ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
		ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
		ata1-master: type=cdrom, path="$work/boot.iso", status=inserted
		boot: cdrom
		com1: enabled=1, mode=file, dev="$work/console"
		com2: enabled=1, mode=file, dev="$work/output"
		com3: enabled=1, mode=file, dev="$work/control"
		com4: enabled=1, mode=file, dev="$work/stderr"
		panic: action=fatal
		error: action=report
		info: action=ignore
		debug: action=ignore
	TEXT
	if [[ -e $work/disk ]]; then
		echo "ata0-master: type=disk, mode=flat, path=\"$work/disk\", cylinders=0"
	fi
}

# Bochs seeds the random numbers behind RDRAND with the time, and the kernel's allocators
# use them. With this seed fixed every run executes exactly the same instructions;
# without a compiler, tick counts differ by a few hundredths of a percent.
fix_seed() {
	echo 'void srand(unsigned seed); void srand(unsigned seed) { (void)seed; }' |
		cc -x c -shared -fPIC -o "$work/fixed-seed.so" - 2>/dev/null
}

recipe_prepare() {
	step 'making the boot medium' write_boot_medium
	write_bochs_configuration >"$work/bochsrc"
	# Debian's Bochs contains its debugger, which waits for this command.
	echo c >"$work/debugger"
	emulator_name=bochs
	emulator=(bochs-bin -q -f "$work/bochsrc" -rc "$work/debugger")
	# A path without a directory of its own: LD_PRELOAD is split at spaces and colons.
	! fix_seed || emulator=(env LD_PRELOAD=./fixed-seed.so "${emulator[@]}")
}
