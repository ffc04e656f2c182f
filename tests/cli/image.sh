#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sidestep image -o FILE: what goes into an image and what is refused, without KVM. That images boot is
# tests/lab/bare.sh's. Arguments: the program, the examples, the guest of the trampoline example.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
examples=$(realpath "$2") trampoline=$(realpath "$3")
cd "$scratch" || exit 99
export SIDESTEP_KVM=/nonexistent

# shellcheck disable=SC2317 # reached through `that`
nothing() {
	[ ! -e image ]
}

# Its first line on standard error, and nothing but more of those.
says() { # NAME STATUS REGEX ARGUMENTS...
	local name=$1 wanted=$2 regex=$3
	shift 3
	run "$sidestep" image -o image "$@"
	that "$name: status $wanted" [ "$status" -eq "$wanted" ]
	that "$name: $regex" grep -Eq "$regex" <(head -n 1 "$err")
	[ "$wanted" -eq 0 ] || that "$name: leaves nothing" nothing
	rm -f image
}

check 'no name' 2 'name the file to write with -o FILE' "$sidestep" image ref.nothing
says 'an engine without a monitor' 2 'an image has a monitor: auto, vmx or svm' --engine flat

# A guest with views of its own, for both vendors.
check 'a guest with views' 0 '' "$sidestep" image -o guest --guest "$trampoline" --views "$examples/trampoline.views"
that 'a guest with views: its policy is in it' grep -aq 'service-data' guest
says 'no such policy' 2 '^sidestep: none.views: No such file' --views none.views
echo 'views: { a = { default = "rwq"; }; };' >wrong.views
says 'a policy with an error' 2 '^wrong.views:1:26: error: rights are r, w and x .* \[rights\]' --views wrong.views
that 'a policy with an error: how many' grep -q '^sidestep: wrong.views: 1 error in this policy$' "$err"
echo 'views: { a = { default = "--x"; }; };' >execute.views
says 'what no engine can give' 2 '^execute.views:1:.*: error: engine vmx cannot give "--x"' --views execute.views
says 'what no engine can give, leniently' 0 '^execute.views:1:.* warning: engine [sv][vm][mx] cannot give "--x"' \
	--lenient --views execute.views
that 'what no engine can give, leniently: of each' [ "$(wc -l <"$err")" -eq 2 ]

# Violations as exceptions of the processor's.
echo 'views: { a = { default = "rwx"; ve = true; }; };' >ve.views
check '#VE' 0 '' "$sidestep" image -o ve --engine vmx --views ve.views
says '#VE on a processor that has none' 2 '^ve.views:1:.*: error: engine svm cannot.*\[ve-unknown\]' --engine svm --views ve.views
says '#VE on one of both' 2 '^ve.views:1:.*: error: engine svm cannot.*\[ve-unknown\]' --views ve.views
says '#VE on both, leniently' 0 "^ve.views:1:.* warning: .* exit instead \[ve-withheld\]\$" --lenient --views ve.views
that '#VE on both, leniently: on one of them' [ "$(wc -l <"$err")" -eq 1 ]
finish
