# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables and functions shared with tools/lab
#
# The state of a lab: a host that has booted, saved once where lab.d/init stops and restored for each command. It is
# named after all that it was made of, so that nothing of a state can be older than what it stands for.

# How many are kept, of those that nobody has started from for an hour: each takes some 150 MB.
readonly STATES_KEPT=8

state=

state_name() {
	{
		cat -- "$work/initrd" "$image" "$parts/$recipe.sh" "$parts/state.sh"
		recipe_files | xargs -d '\n' cat --
		recipe_settings
	} | sha256sum | cut -c 1-16
}

list_made_of() {
	recipe_files
	type -P busybox
	printf '%s\n' "$build"/sidestep "$build"/tools/lab.d/lab-stop
	libraries_of "$build/sidestep"
	find "$here/lab" "$parts" -maxdepth 1 -type f | LC_ALL=C sort
}

# Whoever keeps what was counted in a lab asks for this, as tools/shared.d/conditions.py does. All or nothing.
show_made_of() {
	local list
	list=$(list_made_of) || exit
	printf '%s\n' "$list" 2>/dev/null || die 'cannot write to standard output'
	exit 0
}

# The oldest, by when somebody last started from one.
remove_old_states() {
	local old
	find "$cache/states" -mindepth 1 -maxdepth 1 -type d -mmin +60 -printf '%T@ %p\n' | sort -rn |
		tail -n "+$((STATES_KEPT + 1))" | cut -d ' ' -f 2- | while read -r old; do
		# At once for whoever looks for it; what is left of it goes with the next one.
		rm -rf -- "$cache/new.old"
		mv -T -- "$old" "$cache/new.old" && rm -rf -- "$cache/new.old"
	done
}

die_saving() {
	! disk_is_full || die "$phase: disk full: free some space in ${TMPDIR:-/tmp} and $cache, or set TMPDIR"
	die "$phase: $emulator_name could not: use --boot"
}

# Returns the status of an emulator that ends by itself.
await_end_of_emulator() {
	local last_sizes='' last_growth=$SECONDS last_computed=0 last_checks='' status=0
	while kill -0 "$emulator_pid" 2>/dev/null; do
		! checks_are_due || check_silence
		progress
		pause 0.1
	done
	wait "$emulator_pid" || status=$?
	emulator_pid=
	return "$status"
}

# await_in_log TEXT OTHERWISE: or dies, with OTHERWISE in its log.
await_in_log() {
	local last_sizes='' last_growth=$SECONDS last_computed=0 last_checks=
	until grep -q -F -e "$1" "$work/emulator.log"; do
		check_emulator
		! grep -q -F -e "$2" "$work/emulator.log" || die_saving
		! checks_are_due || check_silence
		progress
		pause 0.1
	done
}

# A state that is there is complete: it gets its name at the end.
make_state() {
	local emulator=("${emulator[@]}") emulator_input=/dev/null
	enter_phase 'booting, which the next command will not need'
	recipe_boot_to_save
	start_emulator
	follow_until ready
	enter_phase 'saving the state'
	recipe_save || die_saving
	rm -f -- "$work/monitor"
	mkdir -p -- "$cache/states"
	rm -rf -- "$cache/new.state"
	step 'keeping the state' mv -T -- "$work/state" "$cache/new.state"
	step 'keeping the state' mv -T -- "$cache/new.state" "$state"
	remove_old_states
}

# Has what comes next start from the state.
provide_state() {
	state=$cache/states/$(state_name)
	if [[ ! -d $state ]]; then
		enter_phase 'waiting for another lab that is booting'
		exec 8>"$cache/lock"
		flock 8
		[[ -d $state ]] || make_state
		exec 8>&-
	fi
	enter_phase 'starting from the saved state'
	touch -c -- "$state"
	recipe_restore
}
