# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared with tools/lab
#
# The AMD lab: QEMU's instruction-counting translator, which has SVM with nested paging.

recipe_kernel=linux-image-cloud-amd64
cpu=max,+svm

# What files come and go with. A disk of QEMU answers when this computer has read it, whatever instruction that is; so it
# is memory of the emulated computer, a part that its kernel does not use, below 32 MiB which BIOS and boot loader do.
transfer=ram
transfer_device=/dev/mem
recipe_stop=slowly

recipe_programs() {
	need qemu-system-x86_64 qemu-system-x86
}

# Where it begins. From 3 GiB on an address is not what it is in the file: QEMU's hw/i386/pc_piix.c.
transfer_mib() {
	echo $(((memory < 1024 ? memory : 1024) - 32))
}

# ccp exists in the full kernels only, whose kvm-amd depends on it.
recipe_modules() {
	transfer_base=$(($(transfer_mib) * (1048576 / TRANSFER_BLOCK)))
	add_module kvm
	add_module kvm_amd nested=1 dump_invalid_vmcb=1 ${kvm_options[@]+"${kvm_options[@]}"}
}

# A fixed date, a fixed seed and no sleeping while idle: every run is the same run.
choose_machine() {
	emulator_name=qemu-system-x86_64
	emulator=(qemu-system-x86_64 -accel tcg -icount "shift=0,sleep=off" -cpu "$cpu" -smp "${cpus:-1}" -m "$memory"
		-nodefaults -no-user-config -display none -no-reboot
		-rtc "base=$(date --utc --date=@"$LAB_DATE" +%Y-%m-%dT%H:%M:%S),clock=vm" -seed 1)
}

recipe_prepare() {
	local all=$((memory + TRANSFER_SIZE))
	# What is random comes from QEMU itself, and is not part of its state.
	cpu+=,-rdrand,-rdseed
	choose_machine
	emulator+=(-m "$all" -object "memory-backend-file,id=ram,size=${all}M,mem-path=ram,share=on"
		-machine memory-backend=ram -device ib700
		-serial file:console -serial file:output -serial file:control -serial file:stderr)
}

# Those of other packages are part of its state.
recipe_files() {
	type -P qemu-system-x86_64
	find /usr/lib/*/qemu/accel-tcg-x86_64.so /usr/share/seabios/bios-256k.bin \
		/usr/share/qemu/{linuxboot_dma,kvmvapic}.bin 2>/dev/null || true
}

recipe_settings() {
	printf '%s\n' "${emulator[@]}"
	recipe_arguments
}

recipe_arguments() {
	echo "$(kernel_arguments) memmap=${TRANSFER_SIZE}M\$$(transfer_mib)M"
}

# recipe_boot [ACTION]: what follows where the state is saved.
recipe_boot() {
	step 'making the memory' truncate -s $((memory + TRANSFER_SIZE))M "$work/ram"
	emulator+=(-kernel "$image" -initrd initrd -append "$(recipe_arguments)" -action "watchdog=${1-none}")
	[[ -z $debug ]] || emulator+=(-gdb "unix:${debug//,/,,}/gdb,server=on,wait=off" -D "$debug/log")
}

recipe_boot_to_save() {
	recipe_boot pause
	open_monitor
}

# The commands of QEMU's monitor, and its answers among what it logs: docs/interop/qmp-spec.txt.
open_monitor() {
	mkfifo -- "$work/monitor"
	exec 6<>"$work/monitor"
	emulator_input=$work/monitor
	emulator+=(-qmp stdio)
	ask qmp_capabilities
	ask migrate-set-capabilities '"capabilities": [{"capability": "events", "state": true},
		{"capability": "x-ignore-shared", "state": true}]'
}

# ask COMMAND [ARGUMENTS]
ask() {
	printf '{"execute": "%s", "arguments": {%s}}\n' "$1" "${2-}" >&6
}

recipe_save() {
	await_in_log '"event": "STOP"' '"event": "SHUTDOWN"'
	# As said in stop.S, it is in a loop that ends.
	! grep -q resumed "$work/control" || die "$emulator_name stopped too late: try again when less runs here, or --boot"
	mkdir -- "$work/state"
	ask migrate '"uri": "exec:cat >state/vm"'
	await_in_log '"status": "completed"' '"status": "failed"'
	ask quit
	await_end_of_emulator
	mv -- "$work/ram" "$work/state/ram"
}

recipe_restore() {
	emulator+=(-incoming defer)
	open_monitor
	ln -s -- "$state" "$work/state"
	step 'copying the memory' cp --sparse=always -- "$state/ram" "$work/ram"
	ask migrate-incoming '"uri": "exec:cat state/vm"'
}

recipe_terminal() {
	emulator+=(-chardev "serial,id=terminal,path=terminal")
	emulator=("${emulator[@]/#file:output/chardev:terminal}")
}

# As saved, the computer has stopped.
recipe_resume() {
	await_in_log '"status": "completed"' '"status": "failed"'
	ask cont
}

# How a bare lab boots the image and finds the exits in what the emulator logs.
# Injecting an exception begins a line there that the next exit ends.
bare_witness='vmexit([^)]*)'

bare_programs() {
	recipe_programs
}

# The log with the exits is that of translated code, which has nothing else when it is about address 0 only.
bare_prepare() {
	choose_machine
	emulator+=(-kernel "$work/image.bin" -serial "file:$work/console")
	[[ -z $witness_copy ]] || emulator+=(-d in_asm -dfilter 0..0)
}
