#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# states.sh SIDESTEP SOURCE: which of the saved states tools/lab removes, those here are empty; and what makes another state.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
source=$(realpath "$2")
cd "$scratch" || exit 99
# shellcheck disable=SC2034 # read by lab.d/state.sh
cache=$scratch/cache

make_states() { # FROM TO AGE: named after how many minutes they are older than AGE
	local number

	for number in $(seq "$1" "$2"); do
		mkdir -p "cache/states/$number"
		touch -d "$(($3 + number)) minutes ago" "cache/states/$number"
	done
}
# shellcheck source=../../tools/lab.d/state.sh
. "$source/tools/lab.d/state.sh"

run ls
make_states 1 12 61
remove_old_states
that 'the eight that were used last are kept' [ "$(find cache/states -mindepth 1 -printf '%f\n' | sort -n | paste -sd ' ')" = '1 2 3 4 5 6 7 8' ]
that 'nothing else is left' [ "$(ls cache)" = states ]
make_states 21 32 0
remove_old_states
that 'however many of the last hour' [ "$(find cache/states -mindepth 1 | wc -l)" -eq 20 ]
mkdir -p cache/new.old/file
make_states 41 41 200
remove_old_states
that 'what an end left behind goes, too' [ ! -e cache/new.old ] && that 'with the next' [ ! -e cache/states/41 ]

# With a recipe that is these files and settings.
work=$scratch image=$scratch/vmlinuz parts=$source/tools/lab.d recipe=amd settings=-m
touch initrd vmlinuz 'the BIOS' loader
recipe_files() { printf '%s\n' "$scratch/the BIOS" "$scratch/loader"; }
recipe_settings() { echo "$settings"; }
made=$(state_name)
that 'a name is 16 digits' [ "${#made}" -eq 16 ]
that 'the same of the same' [ "$(state_name)" = "$made" ]
for file in initrd vmlinuz 'the BIOS' loader; do
	echo another >"$file"
	that "another $file is another state" [ "$(state_name)" != "$made" ]
	: >"$file"
done
settings=-smp
that 'other settings are another state' [ "$(state_name)" != "$made" ]
finish
