#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# violations.sh ENGINE: run inside a lab, by catalogue.sh. What views forbid, answered in each way, on the
# nested engine (the host's tests have the flat one); and the modules demonstration, whose report is left in
# modules.json.
nested=$1 status=0

try() {
	"$@" >out.txt 2>&1 && return
	echo "failed: $*"
	cat out.txt
	status=1
}

guest() { # engine, answer, guest, other options
	engine=$1 answer=$2 file=$3
	shift 3
	try sidestep run -q --engine "$engine" --timeout 60 --on-violation "$answer" "$@" "$file"
}

try sidestep test --engine "$nested" --on-violation inject 'view.read.*' 'view.write.*' 'view.call.*' \
	'service.map.*'
guest "$nested" inject hostile_violations.elf
guest "$nested" inject hostile_violations_odd.elf
guest "$nested" report hostile_violations_odd.elf
guest "$nested" report /usr/bin/violation_nested.elf
guest "$nested" report /usr/bin/violation_double.elf
guest "$nested" report modules.elf --views kernel-drivers.views
guest "$nested" inject modules.elf --ledger modules.ledger --views kernel-drivers.views
try sidestep report --format json -o modules.json modules.ledger
exit $status
