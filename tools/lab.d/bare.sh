# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC1090,SC2034,SC2154,SC2317 # variables and functions shared with tools/lab
#
# The labs without Linux and KVM: an image of sidestep is what the emulated computer boots. All it says, the ledger
# included, is lines on its serial port, and the report on them is what the caller gets. How an image is booted is said
# by intel.sh and amd.sh.

readonly STATUS_SKIPPED=77
# What the image ends with, before it halts for ever, and what a line of the ledger begins with: guestfw/bare.
readonly LAST_LINE='sidestep: end of run'
readonly FRAME='@ss:'

image_arguments=()
report_options=()

# Only here: what an option means is otherwise up to the commands. The computer has a processor for each vCPU.
sort_arguments() {
	local value
	while (($#)); do
		case $1 in
		--format | --output | -o)
			take_value "$@"
			report_options+=("$1" "$value")
			shift
			;;
		--vcpus | -c)
			take_value "$@"
			cpus=$value
			image_arguments+=("$1" "$value")
			shift
			;;
		--vcpus=* | -c?*)
			cpus=${1#--vcpus=}
			cpus=${cpus#-c}
			image_arguments+=("$1")
			;;
		--format=* | --output=* | -o?*) report_options+=("$1") ;;
		--)
			image_arguments+=("$@")
			return
			;;
		*) image_arguments+=("$1") ;;
		esac
		shift
	done
}

check_bare_arguments() {
	[[ -z $kernel$share${puts[*]-}${withs[*]-}${gets[*]-}${kvm_options[*]-} && $split$shell$boot$made_of == 0000 ]] ||
		die_usage "--kernel, --put, --with, --get, --share, --shell, --boot, --made-of, --kvm-option and --split are about Linux," \
			'which no bare lab has'
	check_arguments
	[[ ${command[0]} == test || ${command[0]} == bench ]] ||
		die_usage "${command[0]}: a bare lab can test or bench"
}

# What it prints is for the caller only if it makes no image, as with --help.
make_image() {
	local status=0
	enter_phase 'making the image'
	[[ ${command[0]} != bench ]] || image_arguments=(--bench ${image_arguments[@]+"${image_arguments[@]}"})
	"$build/sidestep" image -o "$work/image.bin" ${image_arguments[@]+"${image_arguments[@]}"} \
		>"$work/image.out" || status=$?
	if [[ $status -ne 0 || ! -e $work/image.bin ]]; then
		clear_progress
		cat -- "$work/image.out"
		exit "$status"
	fi
}

# Whether the last line is among what has been written since the last time. `partial` is the caller's: an incomplete one.
run_has_ended() {
	local piece
	while IFS= read -r piece <&7; do
		partial+=$piece
		[[ ${partial%$'\r'} != "$LAST_LINE" ]] || return 0
		partial=
	done
	partial+=$piece
	return 1
}

follow_image() {
	local last_sizes='' last_growth=$SECONDS last_computed=0 last_checks='' command_start=$SECONDS partial=''
	enter_phase 'running'
	exec 7<"$work/console"
	until run_has_ended; do
		check_emulator
		! checks_are_due || check_silence
		check_timeout
		progress
		pause 0.1
	done
	exec 7<&-
}

# An image that cannot run says why instead of a ledger.
tell_reasons() {
	local reasons
	reasons=$(LC_ALL=C tr -d '\r\0' <"$work/console" | grep -a '^sidestep: ' | grep -a -v -x "$LAST_LINE") || true
	[[ -z $reasons ]] || printf '%s\n' "$reasons" >&2
	[[ $reasons != *'sidestep: needs: '* ]] || exit "$STATUS_SKIPPED"
	! LC_ALL=C grep -a -q "$FRAME" "$work/console" || return 0
	[[ -n $reasons ]] || die 'the image ended without saying anything: see its serial port with --console FILE'
	exit "$STATUS_FAILURE"
}

# Called by clean_up, once the emulator is gone. That there was no exit is no failure.
save_witness() {
	local status=0
	: 2>/dev/null >"$witness_copy" || return
	LC_ALL=C grep -a -o -e "$bare_witness" "$work/emulator.log" 2>/dev/null >"$witness_copy" || status=$?
	((status < 2))
}

bare_main() {
	local emulator=() emulator_name status=0
	timeout=120
	memory=256
	silence=60
	parse_arguments "$@"
	check_bare_arguments
	sort_arguments "${command[@]:1}"
	. "$parts/$recipe.sh"
	bare_programs
	begin_work
	make_image
	bare_prepare
	start_emulator
	follow_image
	stop_emulator
	clear_progress
	tell_reasons
	"$build/sidestep" report ${report_options[@]+"${report_options[@]}"} -- "$work/console" || status=$?
	exit "$status"
}
