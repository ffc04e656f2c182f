#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boots.sh VENDOR: run inside a lab, by linux.sh, beside vmlinuz, initrd, the guests of tests/pc and sidestep. Every guest is started with the
# fewest words that its kernel boots with; leaves the ledgers that check.py knows.
vendor=$1 status=0
quiet='console=ttyS0 quiet cryptomgr.notests pci=off'
# The emulator of the AMD lab delivers an interrupt that was injected at VMRUN once more, whatever the guest's IF, if one
# of its own timers ends before the guest's next exit (docs/labs.md). Without KVM's paravirtual end of interrupt that exit
# comes at once.
[ "$vendor" = intel ] || quiet="$quiet nopv"

say_when() {
	read -r now _ </proc/uptime
	echo "# $now $*"
}

complain() {
	echo "failed: $*"
	cat out err
	status=1
}

# shows NAME CPUS TEXT: of what the run NAME printed; TEXT is sidestep's own, none if empty.
shows() {
	grep -q "^GUEST-USERSPACE $2" out || complain "$1: no user space with $2 processors"
	! grep -q GUEST-LEFT-OVER out || complain "$1: the guest went on"
	if [ -n "$3" ]; then
		grep -q "^sidestep: .*$3" err || complain "$1: does not say: $3"
	elif [ -s err ]; then
		complain "$1: something on stderr"
	fi
}

# boot NAME STATUS TEXT CPUS APPEND OPTION...: APPEND is what else the kernel is told.
boot() {
	name=$1 wanted=$2 text=$3 cpus=$4 append=$5
	shift 5
	say_when "$name"
	ended=0
	sidestep run -q --timeout 10 -c "$cpus" --initrd initrd --append "$quiet $append" "$@" vmlinuz </dev/null \
		>out 2>err || ended=$?
	[ "$ended" -eq "$wanted" ] || complain "$name: status $ended, not $wanted"
	shows "$name" "$cpus" "$text"
}

# A shell whose prompt is a line of its own is told what to do when it asks.
typed() { # OPTION...
	say_when typed
	mkfifo keys screen
	sidestep run -q --timeout 10 -c 2 --initrd initrd \
		--append "$quiet panic=-1 \"do=PS1='ready\n' setsid cttyhack sh\"" "$@" vmlinuz <keys >screen 2>err &
	exec 3>keys 4<screen
	: >out
	while read -r line <&4; do
		echo "$line" >>out
		case $line in ready*)
			echo "echo typed \$((6 * 7)); poweroff -f" >&3
			break
			;;
		esac
	done
	cat <&4 >>out
	exec 3>&- 4<&-
	ended=0
	wait $! || ended=$?
	[ "$ended" -eq 0 ] || complain "typed: status $ended, not 0"
	tr -d '\r' <out | grep -qx 'typed 42' || complain 'typed: the shell did not do as it was told'
	shows typed 2 ''
}

# Small kernels that each need one thing of the platform, which KVM's interrupt controllers give here, and not a KVM that
# interprets. Those that compute until some time is over would take too long here.
small() { # STATUS TEXT FILE OPTION...
	wanted=$1 text=$2 file=$3
	shift 3
	ended=0
	sidestep run -q --timeout 5 "$@" "$file" </dev/null >out 2>err || ended=$?
	[ "$ended" -eq "$wanted" ] || complain "$file: status $ended, not $wanted"
	[ -z "$text" ] || grep -q "^sidestep: .*$text" err || complain "$file: does not say: $text"
}

say_when 'small kernels'
for name in hello told interrupts_pic interrupts_ioapic test_device power_off firmware_config; do
	small 0 '' pc_$name.elf
done
small 0 '' pc_addresses.bin
small 0 '' pc_marks.elf --trace sample --ledger small.ledger
# Exits of both levels, ten at each repetition.
sidestep report --format csv small.ledger | grep -q '^ten,,,,101,10,,10,vmm,' || complain 'pc_marks: not ten exits at l0 and vmm'
small 0 '' pc_processors.elf -c 4
small 1 'triple fault' pc_reset.elf --append triple
small 1 "panic of the guest's kernel" pc_panic.elf
# The emulator of the Intel lab stands still where several vCPUs have halted and nobody else has anything to do (docs/labs.md).
while sleep 1; do :; done &
small 1 'every vCPU has halted for good' pc_halts.elf -c 4
kill $!
for seed in 1 2 3 4; do
	ended=0
	sidestep run -q --timeout 0.05 --append $seed pc_random.elf </dev/null >out 2>err || ended=$?
	[ "$ended" -le 1 ] || [ "$ended" -eq 124 ] || complain "random code, seed $seed: status $ended"
done

off='do=poweroff -f'
say_when symbols
cat /proc/kallsyms >symbols
boot fixed 0 '' 1 "nokaslr panic=-1 \"$off\"" --ledger fixed.ledger --symbols symbols
[ "$vendor" = intel ] || boot marks 0 '' 1 'panic=-1 "do=marks; poweroff -f"' --ledger marks.ledger
typed --ledger moved.ledger --symbols symbols
# Nested, under masks and views: what the vault's program may see, and what it and the kernel may not.
# shellcheck disable=SC2016 # a word of the kernel's command line
vault='memmap=4K$0x6000000'
boot vault 0 '' 1 "panic=-1 $vault \"do=linux-vault; poweroff -f\"" --views linux-vault.views \
	--own none --shadow ts,mp --ledger vault.ledger --symbols symbols
all=0xffffffffffffffff
for line in 'inside: 0x5ec2e7' "outside: $all" "outside, by the kernel: $all"; do
	grep -q "^$line" out || complain "vault: does not print: $line"
done
[ "$(grep -c '^inside: 0x5ec2e7' out)" -eq 2 ] || complain 'vault: a write from outside has changed it'
boot stops 1 'view 0 (outside) forbids a read at 0x6000000 (vault); vcpu0 at rip 0x' 1 \
	"panic=-1 $vault do=linux-vault" --views linux-vault.views --on-violation stop
boot panic 1 'kernel panic: sysrq triggered crash; then ' 1 'panic=-1 "do=echo c >/proc/sysrq-trigger"'
if [ "$vendor" = amd ]; then
	# Names that are not this kernel's are no reason not to run it.
	printf '%s\n' 'ffffffff81000000 T _text' 'ffffffff81000100 T foreign' 'ffffffff81000200 T idt_table' >other
	boot keyboard 0 'reset by the keyboard controller' 1 'reboot=k "do=reboot -f"' --ledger other.ledger \
		--symbols other
	grep -q 'other: not of the kernel that the guest has run' err || complain 'other: does not say that it is foreign'
	boot acpi 0 "reset by ACPI's reset register" 1 'reboot=a "do=reboot -f"'
	boot fault 1 'triple fault' 1 'reboot=t "do=reboot -f"'
	boot stays 1 'kernel panic: Attempted to kill init!' 1 'do=exit'
	boot halt 1 'every vCPU has halted for good' 1 '"do=halt -f"'
fi
say_when end
exit $status
