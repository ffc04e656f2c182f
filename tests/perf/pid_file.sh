#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --pid-file: what is in it, from when until when it is there. Arguments: the program, the
# directory of hostile guests, a compiler.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
needs_kvm
prints=$(realpath "$2/hostile_log.elf") spins=$(realpath "$2/hostile_spin.elf") compiler=$3
cd "$scratch" || exit 99

# --- While a guest runs: the process, then each vCPU thread by its name.
"$sidestep" run -q --vms 2 -c 2 --timeout "$(patient 30)" --pid-file run.pid "$spins" 2>messages &
that 'the file appears' await test -e run.pid
mapfile -t lines <run.pid
pid=${lines[0]}
that 'first line: the process alone' [ "$pid" = $! ]
that 'a line for each vCPU' [ ${#lines[@]} -eq 5 ]
for line in "${lines[@]:1}"; do
	read -r tid name <<<"$line"
	that "thread $name has this name" [ "$(cat "/proc/$pid/task/$tid/comm")" = "$name" ]
done
that 'names of several VMs' [ "$(cut -d ' ' -f 2 run.pid | tr '\n' ' ')" = \
	"$pid vm0-vcpu0 vm0-vcpu1 vm1-vcpu0 vm1-vcpu1 " ]
kill -TERM "$pid"
wait "$pid"
that 'ended by the signal' [ $? -eq 143 ]
that 'no file after a signal' [ ! -e run.pid ]
that 'and nothing beside it' [ -z "$(ls run.pid* 2>/dev/null)" ]

# --- The ends.
setsid "$sidestep" run -q --pid-file run.pid "$spins" >"$out" 2>"$err" &
pid=$!
that 'killed: a file' await test -e run.pid
kill -KILL -- "-$pid" # with all of its process group
wait "$pid" 2>/dev/null
# The process that removes it is nobody's child any more.
that 'killed: no file' await test ! -e run.pid
check 'a guest that ends' 0 '' "$sidestep" run -q --pid-file run.pid "$prints"
that 'a guest that ends: no file' [ ! -e run.pid ]
check 'timeout' 124 'timeout after' "$sidestep" run -q --timeout 0.2 --pid-file run.pid "$spins"
that 'timeout: no file' [ ! -e run.pid ]
echo 'left behind by a process that was killed' >run.pid
check 'one is there' 0 '' "$sidestep" run -q --pid-file run.pid "$prints"
that 'one is there: replaced, removed' [ ! -e run.pid ]

# --- It is complete before the first instruction of the guest. The shim makes its appearance take a
# while, and then says what the guest had printed by that time.
cat >shim.c <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <sys/stat.h>
	#include <unistd.h>
	int rename(const char *from, const char *to)
	{
		int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
		struct stat status;
		usleep(500000);
		FILE *said = fopen("said", "w");
		fprintf(said, "printed %d\n", stat(getenv("OUT"), &status) == 0 ? (int)status.st_size : -1);
		fclose(said);
		return real(from, to);
	}
END
"$compiler" -shared -fPIC -o shim.so shim.c || exit 99
check 'before the guest starts' 0 '' env LD_PRELOAD="$PWD/shim.so" OUT="$out" \
	ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 \
	"$sidestep" run -q --pid-file run.pid "$prints"
that 'before the guest starts: nothing printed' grep -qx 'printed 0' said
that 'before the guest starts: it did print later' [ -s "$out" ]

# --- What cannot be. No guest runs then.
refused() { # name, file, regex
	check "$1" 2 "$3" "$sidestep" run -q --pid-file "$2" "$prints"
	that "$1: no guest has run" [ ! -s "$out" ]
}
mkfifo fifo
mkdir directory
refused 'no such directory' missing/run.pid '^sidestep: missing/run.pid: No such file or directory; name a file'
refused 'a directory' directory '^sidestep: directory: not a regular file; '
refused 'a pipe' fifo '^sidestep: fifo: not a regular file; '
refused 'a device' /dev/null '^sidestep: /dev/null: not a regular file; '
refused 'standard output' - "^sidestep: --pid-file: '-' is not the name of a file"
refused 'an empty name' '' '^sidestep: : No such file or directory; name a file'
cp "$prints" guest
check 'the guest itself' 2 '^sidestep: --pid-file guest is the same file as GUEST guest; ' \
	"$sidestep" run -q --pid-file guest guest
that 'the guest itself: untouched' cmp "$prints" guest
check 'the ledger' 2 '^sidestep: --pid-file l is the same file as --ledger l; ' \
	"$sidestep" run -q --pid-file l --ledger l "$prints"
that 'the ledger: none' [ ! -e l ]
finish
