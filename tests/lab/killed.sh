#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tools/lab that is ended while its emulator runs leaves neither that nor its folder. Arguments: the program, the
# sources' root, the build directory; a kernel package, or the emulator is one that does nothing and will not end.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
source=$(realpath "$2") build=$(realpath "$3") kernel=${4-}
for program in busybox cpio xz; do
	command -v $program >/dev/null && continue
	echo "skipped: needs: $program; host: not installed"
	exit 77
done
cd "$scratch" || exit 99
mkdir temporary
if [ -z "$kernel" ]; then
	kernel=$scratch/kernel
	mkdir kernel bin
	echo 'no kernel' >kernel/vmlinuz
	printf '#!/bin/sh\nexec env --ignore-signal=TERM,INT,HUP sleep 1000\n' >bin/qemu-system-x86_64
	chmod +x bin/qemu-system-x86_64
	PATH=$scratch/bin:$PATH
fi

# Called through await and that.
# shellcheck disable=SC2317
started() { emulator=$(cat temporary/lab.*/emulator.pid) && [ -n "$emulator" ]; }
# shellcheck disable=SC2317
nothing_left() { [ -z "$(ls temporary)" ]; }

# ended NAME SIGNAL...: as they are sent, one at once after the other; to the whole process group if the name is so.
ended() {
	local name=$1 signal to
	shift
	# In a session, and so a process group, of its own. A shell makes what it starts here ignore SIGINT.
	TMPDIR=$scratch/temporary setsid env --default-signal "$source/tools/lab" amd --build "$build" \
		--kernel "$kernel" -- sleep 1000 >"$out" 2>"$err" &
	to=$!
	that "$name: an emulator" await started
	that "$name: it runs" kill -0 "$emulator"
	[[ $name != *group* ]] || to=-$to
	for signal; do
		kill -s "$signal" -- "$to"
	done
	wait "${to#-}" 2>/dev/null
	status=$?
	that "$name: no emulator" await gone "$emulator"
	that "$name: no folder" await nothing_left
}

ended SIGTERM TERM
that 'SIGTERM: the status' [ $status -eq 143 ]
ended SIGINT INT
that 'SIGINT: the status' [ $status -eq 130 ]
ended SIGHUP HUP
that 'SIGHUP: the status' [ $status -eq 129 ]
ended SIGKILL KILL
# As a runner of tests does that has lost its patience.
ended 'the process group' TERM KILL
finish
