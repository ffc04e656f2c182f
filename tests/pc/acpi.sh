#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The ACPI tables before the reference: iasl reads each without a complaint, what it makes of the DSDT compiles to the
# same bytes again, and there are as many processors as were asked for. Arguments: the program, acpi_tables.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
tables=$(realpath "$2")
cd "$scratch" || exit 99
command -v iasl >/dev/null || {
	echo 'skipped: needs: iasl, of the package acpica-tools'
	exit 77
}

# iasl says what is wrong with a table in its listing or on either stream; its exit status may be 0 all the same.
complaints() { # table
	cat "$out" "$err" "$1.dsl" | grep -Ei 'error|warning|incorrect|invalid|unknown|\*\*\*'
}

for asked in 1 2 16 64 '1 no-timer'; do
	vcpus=${asked% *}
	# shellcheck disable=SC2086 # words
	check "tables for $asked" 0 '' "$tables" $asked
	mapfile -t names <"$out"
	that "tables for $vcpus: all are there" [ "${names[*]}" = 'RSDT XSDT FACP FACS DSDT APIC' ]
	for name in "${names[@]}"; do
		rm -f "$name.dsl"
		run iasl -d "$name"
		that "$name for $vcpus: iasl reads it" test "$status" -eq 0 -a -s "$name.dsl"
		that "$name for $vcpus: without a complaint" [ -z "$(complaints "$name")" ]
	done
	that "processors of $vcpus" [ "$(grep -c 'Local Apic ID' APIC.dsl)" -eq "$vcpus" ]
	run iasl -we -p again DSDT.dsl
	that "the DSDT for $vcpus compiles again" [ "$status" -eq 0 ]
	that "the DSDT for $vcpus is the same then" cmp DSDT again.aml
done

# What is wrong is found.
printf '\1' | dd of=FACP bs=1 seek=45 conv=notrunc status=none
run iasl -d FACP
that 'a wrong checksum is complained of' [ -n "$(complaints FACP)" ]
finish
