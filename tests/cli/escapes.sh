#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# No text from outside speaks to a terminal: escape sequences in every argument, in names of files and in what is in
# them, with everything that is printed of them. Arguments: the program, the sources' root, a directory of guests, a
# compiler.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
root=$(realpath "$2") hello=$(realpath "$3")/hostile_hello.elf compiler=$4
cd "$scratch" || exit 99
# Sets the title, rings, and CSI as one byte and as UTF-8 has it.
evil=$'\e]0;x\a\x9b2J\xc2\x9b1m'
walked=0

# shellcheck disable=SC2317 # called through that
is_plain() { # file...
	! LC_ALL=C grep -qaE $'[^\t\n -~]' "$@"
}
# The page has characters of its own that are no ASCII.
# shellcheck disable=SC2317 # called through that
is_page() { # file
	! grep -qa $'[\x01-\x08\x0b-\x1f]' "$1" && [ "$(tr -cd '\200-\377' <"$1" | md5sum)" = "$beyond" ]
}

# quiet NAME COMMAND...: whatever the status, both streams are printable.
quiet() {
	local name=$1
	shift
	run "$@"
	walked=$((walked + 1))
	that "$name: both streams" is_plain "$out" "$err"
	that "$name: a status of its own" [ $status -lt 126 ]
}

# A line of ours that shows it: what is escaped can still be read.
shows() { # name, file
	that "$1: made visible" grep -qF '\x1b]0;x\x07' "$2"
}

# --- Arguments.
export SIDESTEP_KVM=/nonexistent
quiet 'a command' "$sidestep" "$evil"
shows 'a command' "$err"
for command in test run profile bench report views info; do
	quiet "$command: an operand" "$sidestep" $command "$evil"
	quiet "$command: two operands" "$sidestep" $command "$evil" "$evil"
	quiet "$command: an option" "$sidestep" $command "--$evil"
	shows "$command: an option" "$err"
	quiet "$command: an option with a value" "$sidestep" $command "--$evil=$evil"
	quiet "$command: a letter" "$sidestep" $command "-$evil"
	quiet "$command: an abbreviation" "$sidestep" $command "--he=$evil"
	while read -r option; do
		operands=()
		[[ $command == report || $command == views ]] && operands=(file)
		quiet "$command $option" "$sidestep" $command "$option" "$evil" "${operands[@]}"
		quiet "$command $option, in a list" "$sidestep" $command "$option" "ts,$evil@5:$evil/3" "${operands[@]}"
	done < <("$sidestep" $command --help | sed -n 's/^ *\(-.,\)\? *\(--[a-z-]*\) [A-Z].*/\2/p')
done
quiet 'profile --perf-command' "$sidestep" profile --perf-command --ledger "$evil'\\" --own ts "$evil"
line=$(grep -m 1 -o 'sidestep run .*' "$out")
that 'profile --perf-command: a shell reads the same' \
	[ "$(eval "printf '%s|' ${line#sidestep run -q }")" = "--ledger|$evil'\\|--own|ts|$evil|" ]
quiet 'the device' env SIDESTEP_KVM="$evil" "$sidestep" info
shows 'the device' "$err"

# --- Files by such names.
mkdir "$evil"
cp "$root/tests/fuzz/corpus/ledger/flat" ledger
for file in ledger policy; do
	cp "$root/tests/fuzz/corpus/$file/"trampoline "$evil/$evil" 2>/dev/null || cp ledger "$evil/$evil"
	for command in 'report' 'views' 'run --views' 'run' 'test --replay' 'run --disk'; do
		read -ra words <<<"$command"
		quiet "$command of a $file with such a name" "$sidestep" "${words[@]}" "$evil/$evil"
	done
done
head -c 20000 ledger >"$evil/cut"
quiet 'a ledger that is cut off' "$sidestep" report "$evil/cut"
shows 'a ledger that is cut off' "$err"
quiet 'an output' "$sidestep" report ledger -o "$evil/none/$evil"
shows 'an output' "$err"
quiet 'one file twice' "$sidestep" report "$evil/cut" -o "$evil/cut"
shows 'one file twice' "$err"
printf 'view = {}; %s; "%s": { x = "%s" };\n' "$evil" "$evil" "$evil" >"$evil/policy"
for format in text json; do
	quiet "a policy, $format" "$sidestep" views --format $format "$evil/policy"
	quiet "a policy that is read, $format" "$sidestep" views --format $format "$root/examples/trampoline.views" "$evil/policy"
done
printf '%s %s\nprogram %s\n' "$evil" "$evil" "$evil" >"$evil/program"
quiet 'a program' "$sidestep" test --replay "$evil/program"

# --- A ledger with such texts in it, each as long as what it replaces.
sed -e $'s/built-in/\e]0;x\a\x9b2/g' -e $'s/6\\.18\\.44/\e]0;x\a\x9b/g' -e $'s/view\\([0-9]\\)/\e]\x9b\a\\1/g' \
	-e $'s/driver/\e]0;x\a/g' -e $'s/op_/\e]\x9b/g' -e $'s/guest exit/\e]0;x\a\x9b234/g' -e $'s/abi /\e]0\a/g' \
	"$root/tests/fuzz/corpus/ledger/flat" >texts
that 'a ledger: as long as it was' [ "$(wc -c <texts)" = "$(wc -c <ledger)" ]
that 'a ledger: has such texts' grep -qa $'\e' texts
beyond=$("$sidestep" report --format html ledger 2>/dev/null | tr -cd '\200-\377' | md5sum)
for source in flat vmx svm one-of-each newer-and-damaged; do
	sed -e $'s/built-in/\e]0;x\a\x9b2/g' -e $'s/view\\([0-9]\\)/\e]\x9b\a\\1/g' -e $'s/driver/\e]0;x\a/g' \
		-e $'s/op_/\e]\x9b/g' -e $'s/tracefs/\e]0;x\a\x9b/g' -e $'s/not permitted/\e]0;x\a\x9b234567/g' \
		-e $'s/6\\.1/\e]0/g' "$root/tests/fuzz/corpus/ledger/$source" >"texts-$source"
	for format in text json csv trace folded; do
		quiet "$source as $format" "$sidestep" report --format $format "texts-$source"
	done
	run "$sidestep" report --format html "texts-$source"
	walked=$((walked + 1))
	that "$source as html" is_page "$out"
	for by in reason rip symbol level vcpu instruction service violation; do
		for format in text json csv; do
			quiet "$source by $by as $format" "$sidestep" report --by $by --format $format "texts-$source"
		done
	done
	for format in text json csv tap junit; do
		quiet "$source compared as $format" "$sidestep" report --diff --format $format "texts-$source" ledger
	done
done
run "$sidestep" report texts
shows 'the guest of a ledger' "$out"

# --- A guest with such names in it: symbols, sections.
cat >guest.s <<-'END'
	.globl _start
	_start: mov $0x55, %al
	out %al, $0xf4
	.section "marked", "aw"
	.globl symbol_of_mine
	.balign 4096
	symbol_of_mine: .fill 4096
END
"$compiler" -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-Ttext-segment=0x100000 -o guest guest.s || exit 99
sed -i -e $'s/symbol_of_mine/\e]0;x\a_of\x9b_mine/g' -e $'s/marked/\e]0;x\a/g' guest
cp guest "$evil/guest"
for policy in "$root/examples/trampoline.views" "$evil/policy" ledger; do
	quiet "a guest with such symbols, $(basename "$policy")" "$sidestep" views "$policy" "$evil/guest"
done

unset SIDESTEP_KVM
if ! "$sidestep" info >/dev/null 2>&1; then
	echo 'ok - runs # SKIP needs: kvm'
	finish
fi
cp "$hello" "$evil/hello"
for command in 'run --trace off' 'run -q' 'profile --trace off --timeout 2' 'run --trace off --ledger new' 'run --views policy'; do
	read -ra words <<<"$command"
	quiet "$command of such a guest" "$sidestep" "${words[@]}" "$evil/guest"
	quiet "$command of a guest with such a name" "$sidestep" "${words[@]}" "$evil/hello"
done
run "$sidestep" run --trace off "$evil/hello"
shows 'the guest of a run' "$out"
quiet 'its ledger' "$sidestep" report new

echo "figure: escapes-walked $walked"
finish
