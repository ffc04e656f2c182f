#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# launch.sh SIDESTEP SOURCE BUILD LAB: `sidestep bench --launch` and `--exit` in a lab, where what they print is
# instructions, and the same each time: all programs are there, and their order is what it must be.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
source=$(realpath "$2") build=$(realpath "$3") lab=$4
cd "$scratch" || exit 99
LIMIT=600 # seconds of a computer that is emulated beside others
# shellcheck disable=SC2016 # expanded there
run "$source/tools/lab" "$lab" --build "$build" --get text --get json --get exits --get exits.json --get loaded --get asked -- sh -c '
	LD_DEBUG=files sidestep run -q --seccomp off 2>loaded || exit
	tracing=/sys/kernel/tracing
	[ -d $tracing/events ] || mount -t tracefs none $tracing || exit
	echo "id == 16 || id == 444" >$tracing/events/raw_syscalls/sys_enter/filter
	echo 1 >$tracing/events/raw_syscalls/sys_enter/enable
	echo 0 >$tracing/options/overwrite
	sidestep run -q || exit
	echo 0 >$tracing/events/raw_syscalls/sys_enter/enable
	grep -v " ae80," $tracing/trace >asked
	sidestep bench --launch --count 9 -o text && sidestep bench --launch --count 5 --format json -o json &&
		sidestep bench --exit --count 4000 -o exits && sidestep bench --exit --count 16000 --format json -o exits.json'
that 'both formats: status' [ $status -eq 0 ]
for row in 'a program that ends at once' 'sidestep --version' 'a bare KVM program' 'sidestep run -q'; do
	that "text: $row" grep -Eq "^$row +[0-9]+ +[0-9]+ +[0-9]+\.[0-9]{2}\$" text
done
that 'text: the bare program is the measure' grep -Eq '^a bare KVM program .* 1\.00$' text
that 'JSON is as its schema says' python3 "$source/tests/docs/validate.py" json
that 'JSON: what does less takes less' python3 -c '
import json, sys
document = json.load(open("json"))
took = {row["program"]: row["median_us"] for row in document["programs"]}
sys.exit(not (document["launches"] == 5 and 0 < took["nothing"] < took["bare"] < took["run"]
              and took["nothing"] < took["version"] < took["run"]
              and all(row["minimum_us"] <= row["median_us"] for row in document["programs"])))'
that 'JSON: a run takes at most 1.4 of what the bare program does' python3 -c '
import json, sys
took = {row["program"]: row["median_us"] for row in json.load(open("json"))["programs"]}
sys.exit(took["run"] > 1.4 * took["bare"])'
# The guest is an ELF file, and any guest may do what takes a decoder of instructions. The loader writes to tell of it, which
# the list of calls has not.
loaded=$(sed -n 's|.*calling init: .*/\(lib[^/]*\)\.so.*|\1|p' loaded | sort | xargs)
that "a quiet run loads what it may need: $loaded" [ "$loaded" = 'libZydis libc libelf libz' ]
check 'a run asks the kernel nothing twice' 0 '' python3 "$source/tests/lab/asked_once.py" asked
for row in 'a bare KVM program' 'sidestep run -q' 'the same with a ledger'; do
	that "exits, text: $row" grep -Eq "^$row +[0-9]+ +-?[0-9]+ +-?[0-9]+ +[0-9]+\.[0-9]{2}\$" exits
done
that 'exits, text: the bare program is the measure' grep -Eq '^a bare KVM program .* 0  *1\.00$' exits
that 'exits, JSON is as its schema says' python3 "$source/tests/docs/validate.py" exits.json
# A thousand instructions are the least that an exit to user space takes, and what a ledger adds is less than that. The
# end of a program is rounded up to a tick of the clock, which is 250 of each exit.
that 'exits, JSON: what does less takes less' python3 -c '
import json, sys
document = json.load(open("exits.json"))
rows = {row["program"]: row for row in document["programs"]}
took = {name: row["exit_ns"] for name, row in rows.items()}
sys.exit(not (document["exits"] == 16000 and 1000 < took["bare"] < took["run"] < took["bare"] + 2000
              and took["bare"] < took["ledger"] < took["run"] + 1000
              and all(abs(row["more_ns"] - (row["exit_ns"] - took["bare"])) < 0.01 for row in rows.values())))'
for what in ref.nothing --launch '--ledger left'; do
	# shellcheck disable=SC2086 # an option and its argument
	check "exits, with $what" 2 '^sidestep: --(exit|launch) performs no operation; leave out ' \
		"$sidestep" bench --exit $what
done
for what in ref.nothing '--engine flat' '--ledger left'; do
	# shellcheck disable=SC2086 # an option and its argument
	check "with $what" 2 '^sidestep: --launch performs no operation; leave out ' "$sidestep" bench --launch $what
done
that 'no ledger is left' [ ! -e left ]
cat text exits
finish
