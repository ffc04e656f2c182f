#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# checked.sh SIDESTEP SOURCE: tools/check with builds and tests that stand in for ours: what it counts, what it shows of a
# build that fails, and that a signal ends it with all it has begun.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${BASH_SOURCE%/*}/lib.sh"
begin "$1"
source=$(realpath "$2")
cd "$scratch" || exit 99

stand_in() { # FILE, its lines on standard input
	{ echo '#!/bin/sh' && cat; } >"$1"
	chmod +x "$1"
}

mkdir -p bin tools tests .ci
cp "$source"/tools/{check,packages.sh} tools
stand_in bin/dpkg-query <<'END'
shift 3
printf 'installed %s\n' "$@"
END
for name in bin/shellcheck bin/dpkg-buildflags tools/{figures,package} tests/install.sh; do
	stand_in "$name" </dev/null
done
# Two tests pass and one is skipped, wherever tests are.
stand_in bin/meson <<'END'
command=$1
case $command in
setup)
	for word; do case $word in build-*) mkdir -p "$word" ;; esac; done
	;;
test)
	while [ "$1" != --logbase ]; do [ "$1" != -C ] || dir=$2; shift; done
	mkdir -p "$dir/meson-logs"
	for result in OK OK SKIP; do echo "{\"result\": \"$result\"}"; done >"$dir/meson-logs/$2.json"
	;;
esac
END
# What compiles is a child.
stand_in bin/ninja <<'END'
[ "$2" != "$(cat broken)" ] || { echo 'it does not compile'; exit 1; }
[ "$2" != "$(cat slow)" ] || { sleep 1000 & echo "$$ $!" >building; wait; }
END
export PATH=$scratch/bin:$PATH

: >broken
: >slow
run tools/check
that 'all is well: status' [ "$status" -eq 0 ]
# Eight steps, five suites, and what no host without KVM can judge.
that 'all is well: counts' [ "$(tail -n 1 "$out")" = '18 passed, 0 failed, 6 skipped' ]

for name in build-coverage build-clang; do
	echo "$name" >broken
	run tools/check
	that "$name does not build: status" [ "$status" -eq 1 ]
	that "$name does not build: its output is shown" grep -qx 'it does not compile' "$out"
done
that 'all else is done' [ "$(tail -n 1 "$out")" = '17 passed, 1 failed, 6 skipped' ]
: >broken

for name in build-release build-minsize; do
	echo "$name" >slow
	for signal in TERM:143 INT:130 HUP:129; do
		rm -f building
		env --default-signal=INT tools/check >checked 2>&1 &
		for ((wait = 0; wait < $(patient 10) * 10; wait++)); do
			[ ! -s building ] || break
			sleep 0.1
		done
		from=$(now_ms)
		kill "-${signal%:*}" $!
		wait $!
		status=$? elapsed=$(($(now_ms) - from))
		that "${signal%:*} during $name: status" [ "$status" -eq "${signal#*:}" ]
		that "${signal%:*} during $name: at once" [ "$elapsed" -lt "$(($(patient 5) * 1000))" ]
		read -ra pids <building
		for pid in "${pids[@]}"; do
			that "${signal%:*} during $name: nothing of it runs" await gone "$pid"
		done
	done
done

# While the shell makes a process, which it has to know of by then. What it calls last in front of that sends the signal.
# shellcheck disable=SC2317 # called through await
nobody_in() { # DIRECTORY
	! readlink /proc/[0-9]*/cwd | grep -qx "$1"
}
echo build-release >slow
mkdir begins
cp -r broken slow tools tests begins
stand_in bin/mktemp <<'END'
{ sleep "$(cat delay)" && kill "$PPID"; } >/dev/null 2>&1 &
exec /usr/bin/mktemp "$@"
END
for delay in 0.00{2..9}{0,5}; do
	echo "$delay" >begins/delay
	begins/tools/check >checked 2>&1
	that "TERM $delay s ahead of a build: status" [ $? -eq 143 ]
	that "TERM $delay s ahead of a build: nothing of it runs" await nobody_in "$(realpath begins)"
done
finish
