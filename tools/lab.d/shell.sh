# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables and functions shared with tools/lab
#
# A prompt instead of a command: the second serial port of the lab is the terminal of the caller, through terminal.py.

readonly STATUS_LEFT=3

check_shell() {
	((${#command[@]} == 0)) || die_usage '--shell stands for a command: name none, or leave out --shell'
	[[ -t 0 && -t 1 ]] || die_usage '--shell needs a terminal: without one, give the command'
	((split == 0)) || die_usage '--split: a terminal has one output'
	need python3 python3
	command=(sh -l)
	[[ -n $timeout ]] || timeout=9999999
}

shell_settings() {
	local rows columns
	IFS=' ' read -r rows columns < <(stty size) && ((rows && columns)) || rows=24 columns=80
	printf "shell=1 rows=%d columns=%d terminal=%s PS1=%s\n" "$rows" "$columns" "$(quote "${TERM:-dumb}" | cut -c 2-)" \
		"'lab $recipe:\\w\\\$ '"
}

start_terminal() {
	rm -f -- "$work/emulator.pid"
	# Standard input of what the shell starts behind itself is empty otherwise.
	setpriv --pdeathsig TERM "$parts/terminal.py" "$work/terminal" "$work/emulator.pid" <&0 9>&- &
	output_tail=$!
	tail_pids+=("$output_tail")
	until [[ -e $work/terminal ]]; do
		kill -0 "$output_tail" 2>/dev/null || die 'the terminal cannot be used'
		pause 0.1
	done
}
