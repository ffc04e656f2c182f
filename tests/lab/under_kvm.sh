#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Run inside a lab: a computer image as the guest of KVM. It is the same monitor, with the same exits, but there is a
# hypervisor below it, which it says. KVM starts the second processor, and passes its NMIs on.
sidestep image -o image.bin -c 2 --count 20 ref.nothing cr0.ts.mov cr0.mp.mov cr0.ts.mov.kept view.switch.vmfunc \
	hypercall.null.monitor service.port service.map.pair ref.cpuid || exit 1
qemu-system-x86_64 -L /tmp -accel kvm -cpu host -smp 2 -m 128 -nodefaults -display none -no-reboot -kernel image.bin \
	-serial file:/tmp/log >emulator 2>&1 &
tries=0
until tail -n 1 log 2>/dev/null | grep -q '^sidestep: end of run' || [ $tries -eq 100 ]; do
	sleep 0.2
	tries=$((tries + 1))
done
kill $!
sidestep report log >out
status=$?
for line in '^engine [sv][vm][mx] on a virtual computer of KVMKVMKVM, 1 VM x 2 vCPU' '^9 passed, 0 failed' \
	'^cr0.ts.mov .* not observed ' '^hypercall.null.monitor .* monitor ' \
	'^l0: not observed: KVMKVMKVM is below the monitor'; do
	grep -q "$line" out && continue
	echo "failed: no line $line"
	status=1
done
[ $status -eq 0 ] || cat out emulator
exit $status
