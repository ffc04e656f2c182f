#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# compare.sh SIDESTEP COMPARE LEDGERS: tools/compare-kernels with something in the lab's place that only
# hands out ledgers, which are the names of the kernels.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
compare=$(realpath "$2")
ledgers=$(realpath "$3")
mkdir "$scratch/tools" "$scratch/build" || exit 99
cp "$compare" "$scratch/tools/"
cp "$sidestep" "$scratch/build/"
cd "$scratch" || exit 99
cat >tools/lab <<'END'
#!/bin/bash
# The arguments are recorded; a kernel that is no ledger is one that fails with that status.
printf '%s\n' "$*" >>"$LAB_LOG"
while (($#)); do
	case $1 in
	--kernel) kernel=$2 ;;
	--get) target=${2#*=} ;;
	--) break ;;
	esac
	shift
done
[[ -f $kernel ]] || exit "$kernel"
cp "$kernel" "$target"
END
chmod +x tools/lab
export LAB_LOG=$scratch/log
vmx=$ledgers/vmx svm=$ledgers/svm

# The script's own lines are no complaint.
compare() { # name, status, regex, arguments...
	local name=$1 wanted=$2 regex=$3
	shift 3
	rm -f "$LAB_LOG"
	run tools/compare-kernels "$@"
	sed -i '/^running the catalogue under /d' "$err"
	judge "$name" "$wanted" "$regex"
}
in_log() {
	that "$1" grep -Eq -- "$2" "$LAB_LOG"
}

compare 'the same' 0 '' "$vmx" "$vmx" 'cr0.*' ref.nothing
that 'the same: nothing differs' grep -Eq '^[0-9]+ operations in both: 0 with other exits, 0 with' "$out"
in_log 'the lab, and the engine for it' '^intel .*--engine vmx .* cr0\.\* ref\.nothing$'
that 'two runs' [ "$(wc -l <"$LAB_LOG")" -eq 2 ]
compare 'another one' 1 '' --lab amd --exits-only --format json "$vmx" "$svm"
that 'another one: what differs' grep -q '"changed": true' "$out"
in_log 'the other lab, and the engine for it' '^amd .*--engine svm '
# What the comparison is asked for, and what it says: the same as without the script.
for format in text csv json tap junit; do
	options=(--threshold 5 --threshold 'cr0.*=7' --threshold-exits 3 --threshold-exits 'ref.*=4' --format "$format")
	compare "report as $format" 1 '' --keep kept "${options[@]}" "$vmx" "$svm"
	cp "$out" given
	run "$sidestep" report --diff "${options[@]}" kept/a.ledger kept/b.ledger
	that "report as $format: as it is" cmp "$out" given
done
compare 'engine' 0 '' --engine flat "$vmx" "$vmx"
in_log 'engine' '--engine flat '
compare 'ledgers are kept' 0 '' --keep kept "$vmx" "$vmx"
that 'ledgers are kept: both' cmp kept/a.ledger kept/b.ledger
compare 'the first one fails' 99 ' 13: the run in the lab ended with status 13' 13 "$vmx"
that 'the first one fails: no second run' [ "$(wc -l <"$LAB_LOG")" -eq 1 ]
compare 'the second one fails' 99 ' 124: the run in the lab ended with status 124' "$vmx" 124
compare 'skipped' 77 ' 77: the run in the lab ended with status 77' 77 "$vmx"
compare 'unknown kernel' 2 ' 2: the run in the lab ended with status 2' 2 "$vmx"

for arguments in "2 name_two_kernels one" "2 --lab_arm --lab arm a b" "2 --lab_needs --lab" \
	"2 unknown_option_--frob --frob a b" "2 --threshold:_'5%'_is_not_a_number_of_percent --threshold 5% a b" \
	"2 --threshold-exits:_'x=5%'_is_not_a_number_of_percent --threshold-exits x=5% a b" "2 --threshold-exits_needs --threshold-exits" \
	"2 --format_html --format html a b" "2 no_operation_matches a b nothing" \
	"99 is_not_built --build nowhere a b"; do
	read -ra words <<<"$arguments"
	compare "usage: $arguments" "${words[0]}" "${words[1]//_/ }" "${words[@]:2}"
	that "usage: $arguments: no run" [ ! -e "$LAB_LOG" ]
done
compare 'help' 0 '' --help
that 'help says how to call it' grep -q '^usage: tools/compare-kernels' "$out"
finish
