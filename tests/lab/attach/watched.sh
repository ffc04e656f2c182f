#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# watched.sh VENDOR GUEST...: run inside a lab, by attach.sh, beside vmlinuz and initrd. Every GUEST runs under a VMM to
# which `sidestep profile --pid` attaches while the kernel's own histograms count the same exits: GUEST.exit,
# GUEST.userspace and so on in results.tar, for check_attach.py, which also finds there what the VMM and sidestep have said.
vendor=$1 status=0
shift
events=/sys/kernel/tracing/events/kvm
append='console=ttyS0 quiet cryptomgr.notests pci=off nokaslr panic=-1'
# See docs/labs.md: with KVM's paravirtual end of interrupt a kernel stands still in the AMD lab now and then. QEMU can
# do without that alone; a microvm has no other clock than KVM's.
nopv=nopv
[ "$vendor" = amd ] || nopv=
sizes=16384 # of a histogram, in entries; what finds no place is counted in it as dropped, and then nothing can be told

say_when() {
	read -r now _ </proc/uptime
	echo "# $now $*"
}

complain() {
	echo "failed: $guest: $*"
	status=1
}

# --- what the kernel counts ---------------------------------------------------

# The keys of each tracepoint; the name is also that of the file.
histograms() {
	echo exit kvm_exit exit_reason,guest_rip
	echo userspace kvm_userspace_exit reason,errno
	echo entry kvm_entry vcpu_id
	echo nested kvm_nested_vmexit exit_reason,guest_rip
	echo inject kvm_nested_vmexit_inject exit_code
	echo enter kvm_nested_vmenter isa
}

# A trigger is removed by the words that it was set by.
trigger() { # SIGN EVENT KEYS
	echo "$1hist:keys=$3:size=$sizes if $filter" >"$events/$2/trigger" || complain "trigger of $2"
}

count_begin() { # TID...
	filter=
	for tid; do filter="${filter:+$filter||}common_pid==$tid"; done
	histograms >../events
	while read -r _ event keys; do trigger '' "$event" "$keys"; done <../events
}

count_end() {
	while read -r name event keys; do
		cat "$events/$event/hist" >"$guest.$name"
		trigger '!' "$event" "$keys"
	done <../events
}

# --- what sidestep counts -----------------------------------------------------

# In vain after 20 seconds of the lab's clock, which takes few real seconds if nothing happens.
until_done() { # COMMAND...
	tries=0
	until "$@" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 2000 ] || return 1
		usleep 10000
	done
}

# shellcheck disable=SC2317 # called by until_done
ended() { # PID
	! kill -0 "$1"
}

until_says() { # FILE TEXT
	until_done grep -q "$2" "$1" || complain "does not say '$2': $(cat "$1")"
}

attach() { # PID
	sidestep profile --pid "$1" --by reason --format json -o "$guest.json" --ledger "$guest.ledger" --symbols symbols \
		>"$guest.attached" 2>&1 </dev/null &
	profile=$!
	until_says "$guest.attached" "attached to $1"
}

# When the VM has ended, sidestep does.
attach_end() {
	code=0
	until_done ended "$profile" || kill "$profile"
	wait "$profile" || code=$?
	[ "$code" -eq 0 ] || complain "profile: status $code: $(cat "$guest.attached")"
}

# --- guests -------------------------------------------------------------------

# The other end of a pipe to the VMM is ours from before it starts until it has been told to go on.
small_vmm_watched() { # OPTION...
	mkfifo ../go
	small_vmm "$@" <../go >"$guest.out" 2>"$guest.vmm" &
	vmm=$!
	exec 3>../go
	until_says "$guest.vmm" waiting
	# shellcheck disable=SC2046 # a word for each vCPU
	count_begin $(sed -n 's/^waiting://; t more; d; : more; s/ vcpu[0-9]*//gp' "$guest.vmm")
	attach "$vmm"
	echo >&3
	exec 3>&-
	code=0
	until_done ended "$vmm" || kill "$vmm"
	wait "$vmm" || code=$?
	[ "$code" -eq 0 ] || complain "small_vmm: status $code: $(cat "$guest.vmm")"
	attach_end
	count_end
	rm ../go
}

loop() {
	small_vmm_watched -c 2 -l 3000,300
}

linux() {
	small_vmm_watched -i ../initrd -a "$append $nopv reboot=k \"do=reboot -f\"" ../vmlinuz
	grep -q GUEST-USERSPACE "$guest.out" || complain 'no user space'
}

# As the VMM names them.
# Nothing to compare: what somebody sees who looks, for the documents.
live() {
	mkfifo ../go
	small_vmm -i ../initrd -a "$append reboot=k \"do=reboot -f\"" ../vmlinuz <../go >"$guest.out" 2>"$guest.vmm" &
	vmm=$!
	exec 3>../go
	until_says "$guest.vmm" waiting
	sidestep profile --pid "$vmm" --by symbol --symbols symbols --interval 0.2 >"$guest.txt" 2>"$guest.attached" </dev/null &
	profile=$!
	until_says "$guest.attached" "attached to $vmm"
	echo >&3
	exec 3>&-
	wait "$vmm" "$profile"
	rm ../go
}

vcpu_threads() { # PID
	grep -lE '^(CPU .*/KVM|vcpu[0-9]+)$' "/proc/$1/task"/*/comm | cut -d / -f 5
}

# shellcheck disable=SC2317 # called by until_done
vcpu_there() { # PID
	for file in "/proc/$1/fd"/*; do
		case $(readlink "$file") in *kvm-vcpu*)
			[ -n "$(vcpu_threads "$1")" ] && return
			;;
		esac
	done
	return 1
}

# Its vCPUs wait for `cont`. After the guest's end they are still there, and so are KVM's statistics.
qemu() {
	mkfifo ../go
	qemu-system-x86_64 -L /tmp -M microvm,rtc=on -accel kvm -cpu host,kvm-pv-eoi=off -m 128 -nodefaults -no-user-config -display none -S \
		-name guest,debug-threads=on -action reboot=shutdown,shutdown=pause -serial "file:$guest.out" -monitor stdio \
		-initrd ../initrd -append "$append reboot=t \"do=reboot -f\"" -kernel ../vmlinuz <../go >"$guest.monitor" 2>&1 &
	vmm=$!
	exec 3>../go
	until_done vcpu_there "$vmm" || complain "QEMU has no vCPU: $(cat "$guest.monitor")"
	# shellcheck disable=SC2046 # a word for each vCPU
	count_begin $(vcpu_threads "$vmm")
	attach "$vmm"
	echo cont >&3
	until_says "$guest.out" 'Restarting system'
	sleep 1
	echo "vcpu0 exits $(cat "/sys/kernel/debug/kvm/$vmm-"*/exits)" >"$guest.vmm"
	echo quit >&3
	exec 3>&-
	until_done ended "$vmm" || kill -KILL "$vmm"
	wait "$vmm" || complain "QEMU: status $?"
	attach_end
	count_end
	rm ../go
}

# sidestep is a VMM too, of a guest that has a guest. It stands still until it is watched: what was before, nobody counts.
nested() {
	engine=svm
	[ "$vendor" = amd ] || engine=vmx
	sidestep test --engine "$engine" --trace off 'ref.*' 'cr0.ts.*' 'view.switch.*' >"$guest.out" 2>&1 &
	vmm=$!
	until_done vcpu_there "$vmm" || complain "no vCPU: $(cat "$guest.out")"
	kill -STOP "$vmm"
	# shellcheck disable=SC2046 # a word for each vCPU
	count_begin $(vcpu_threads "$vmm")
	attach "$vmm"
	kill -CONT "$vmm"
	until_done ended "$vmm" || kill "$vmm"
	wait "$vmm" || complain "sidestep test: status $?: $(cat "$guest.out")"
	attach_end
	count_end
}

mkdir results
cd results || exit 99
cat /proc/kallsyms >symbols
for guest; do
	say_when "$guest"
	case $guest in
	loop) loop ;;
	linux) linux ;;
	qemu) qemu ;;
	nested) nested ;;
	live) live ;;
	esac
done
say_when end
tar -cf ../results.tar .
exit $status
