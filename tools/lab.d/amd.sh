# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables shared with tools/lab
#
# The AMD lab: QEMU's instruction-counting translator, which has SVM with nested paging.

recipe_kernel=linux-image-cloud-amd64

recipe_programs() {
	need qemu-system-x86_64 qemu-system-x86
}

# ccp exists in the full kernels only, whose kvm-amd depends on it.
recipe_modules() {
	add_module modules kvm
	add_module modules kvm_amd nested=1 dump_invalid_vmcb=1 ${kvm_options[@]+"${kvm_options[@]}"}
}

# A fixed date, a fixed seed and no sleeping while idle: every run is the same run.
choose_machine() {
	emulator_name=qemu-system-x86_64
	emulator=(qemu-system-x86_64 -accel tcg -icount "shift=0,sleep=off" -cpu "max,+svm" -smp "${cpus:-1}" -m "$memory"
		-nodefaults -no-user-config -display none -no-reboot
		-rtc "base=$(date --utc --date=@"$LAB_DATE" +%Y-%m-%dT%H:%M:%S),clock=vm" -seed 1)
}

recipe_prepare() {
	choose_machine
	emulator+=(-kernel "$image" -initrd "$work/initrd" -append "$(kernel_arguments)"
		-serial "file:$work/console" -serial "file:$work/output"
		-serial "file:$work/control" -serial "file:$work/stderr")
	if [[ -e $work/disk ]]; then
		emulator+=(-drive "file=${work//,/,,}/disk,format=raw,if=ide,cache=unsafe")
	fi
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
