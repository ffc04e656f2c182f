# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the tests of the program as a whole share. A line per check, "ok" or "not ok"; the exit status
# says whether all were well, 77 that the test could not be run. Source with: . lib.sh; begin PROGRAM.

set -u
# By hand, without Meson: the same surroundings.
[ "${SURROUNDED-}" ] || exec "${BASH_SOURCE%/*}/surroundings.sh" "$0" "$@"
failures=0 checks=0 sidestep='' scratch=''
# Results of the last `run`.
status=0 elapsed=0 out='' err=''

begin() { # program
	sidestep=$(realpath "$1") || exit 99
	scratch=$(mktemp -d) || exit 99
	trap 'rm -rf "$scratch"' EXIT
	out=$scratch/.out err=$scratch/.err
	export LC_ALL=C
	# Ends with this shell. Without it the test takes longer, nothing else.
	"${sidestep%/*}/tests/keep_tracepoints" </dev/null >/dev/null 2>&1 &
	disown
}

finish() {
	echo "$checks checks, $failures failed"
	echo "figure: checks $checks"
	[ "$failures" -eq 0 ]
	exit
}

needs_kvm() {
	"$sidestep" info >/dev/null 2>&1 && return
	echo "skipped: needs: kvm; host: $("$sidestep" info 2>&1 | head -n 1)"
	exit 77
}

now_ms() {
	local us=${EPOCHREALTIME/./}
	echo $((us / 1000))
}

pass() {
	checks=$((checks + 1))
	echo "ok - $*"
}

fail() { # name, reason
	checks=$((checks + 1)) failures=$((failures + 1))
	echo "not ok - $1"
	echo "#   $2"
	echo "#   status $status, $elapsed ms, stderr:"
	head -n 20 "$err" | sed 's/^/#   | /'
}

# Seconds that nothing takes unless it hangs, of so many on a machine that has nothing else to do.
patient() {
	echo $(($1 * PATIENCE))
}

# Runs a command with standard output and error in files. Nothing here takes half a minute.
run() {
	local start=${EPOCHREALTIME/./}
	timeout -s KILL $((${LIMIT:-30} * PATIENCE)) "$@" >"$out" 2>"$err" </dev/null
	status=$?
	elapsed=$(((${EPOCHREALTIME/./} - start) / 1000))
}

# judge NAME STATUS REGEX: the last command had that status (or one of several, "1|124") and wrote exactly one line, matching the
# extended regular expression, to standard error; nothing if the expression is empty.
judge() {
	local judged=()
	mapfile judged <"$err" # no process for this: some tests judge thousands of commands
	if [[ "|$2|" != *"|$status|"* ]]; then
		fail "$1" "expected status $2"
	elif [ -z "$3" ] && [ -s "$err" ]; then
		fail "$1" "expected nothing on stderr"
	elif [ -n "$3" ] && [[ ${#judged[@]} -ne 1 || ${judged[0]} != *$'\n' ]]; then
		fail "$1" "expected one line on stderr"
	elif [ -n "$3" ] && [[ ! ${judged[0]%$'\n'} =~ $3 ]]; then
		fail "$1" "stderr does not match: $3"
	else
		pass "$1"
	fi
}

# check NAME STATUS REGEX COMMAND...
check() {
	local name=$1 wanted=$2 regex=$3
	shift 3
	run "$@"
	judge "$name" "$wanted" "$regex"
}

# in_time NAME MS: the last command took less. On a machine that is so busy that it did not, ten times what a run
# takes there that has next to nothing to do is added.
in_time() {
	local allowed=$2 took=$elapsed start
	if [ "$took" -ge "$allowed" ]; then
		start=$(now_ms)
		"$sidestep" test --engine flat --trace off ref.nothing >/dev/null 2>&1 </dev/null
		allowed=$((allowed + 10 * ($(now_ms) - start)))
	fi
	that "$1: in time, less than $allowed ms" [ "$took" -lt "$allowed" ]
}

# await COMMAND...: until it succeeds; fails if it never does.
await() {
	local last=$((SECONDS + $(patient 10)))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $last ] || return 1
		sleep 0.01
	done
}

# gone PID: called through await.
gone() {
	! kill -0 "$1"
}

# runs PID: the process, or a child of its, runs a guest, so that a signal ends a run and not what comes before it.
runs() {
	local pid
	for pid in "$1" $(cat "/proc/$1/task/$1/children"); do
		grep -qsxE '(vm0-)?vcpu0' "/proc/$pid"/task/*/comm && return
	done
	return 1
}

# that NAME COMMAND...: the command succeeds; it is about the results of the last `run`.
that() {
	local name=$1
	shift
	if "$@" >/dev/null; then
		pass "$name"
	else
		fail "$name" "failed: $*"
	fi
}
