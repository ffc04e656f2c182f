#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# violations.sh ENGINE: run inside a lab, by catalogue.sh. What views forbid, answered in each way, on the
# nested engine and on the flat one; and the modules demonstration, whose report is left in modules.json.
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

for engine in "$nested" flat; do
	try sidestep test --engine "$engine" --on-violation inject 'view.read.*' 'view.write.*' \
		'view.call.*' 'service.map.*'
	guest "$engine" inject hostile_violations.elf
	guest "$engine" inject hostile_violations_odd.elf
	guest "$engine" report hostile_violations_odd.elf
done
guest "$nested" report /usr/bin/violation_nested.elf
guest "$nested" report /usr/bin/violation_double.elf
guest flat inject modules.elf --lenient --views kernel-drivers.views
guest "$nested" report modules.elf --views kernel-drivers.views
guest "$nested" inject modules.elf --ledger modules.ledger --views kernel-drivers.views
try sidestep report --format json -o modules.json modules.ledger
exit $status
