#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The files that a command line names: none that is written may be any other, whatever it is called. What becomes of
# the file that -o and --pid-file name: links, modes, owners, long names. Arguments: the program, the sources' root, a
# directory of guests.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
root=$(realpath "$2") hello=$(realpath "$3")/hostile_hello.elf
cd "$scratch" || exit 99
mkdir work other && cd work || exit 99
# It must never be opened, so no command gets far enough to need KVM.
export SIDESTEP_KVM=/nonexistent
umask 022

# --- Every pair of files that a command takes, from its help: an operand, or an option whose argument is FILE.
is_written() { # option
	case $1 in
	-o | --ledger | --pid-file | --disk) return 0 ;;
	--views | --replay | --initrd | --symbols | --guestkallsyms | --guestmodules | GUEST | LEDGER | FILE) return 1 ;;
	*) fail "$1" 'names a file that this test knows nothing about' ;;
	esac
}

# given WHAT NAME: adds to `words` those of the command line that name the file.
given() {
	case $1 in
	GUEST | LEDGER | FILE) words+=("$2") ;;
	*) words+=("$1" "$2") ;;
	esac
}

# How else the file `file` can be called.
fresh() {
	rm -rf ./* ../other/*
	head -c 4096 /dev/zero >file
	ln -s file link
	ln -s "$PWD/link" link-to-link
	ln file hard
	exec 8<file
}
spellings=(file ./file ../work/file "$PWD/file" link link-to-link hard /proc/self/fd/8 /dev/fd/8)

pair() { # command, what, what
	local command=$1 a=$2 b=$3 words=()
	given "$a" "$4"
	given "$b" "$5"
	run "$sidestep" "$command" "${words[@]}"
	if is_written "$a" || is_written "$b"; then
		judge "$command ${words[*]}" 2 "^sidestep: (-o|--[a-z-]+|[A-Z]+) .* is the same file as .*; give each a file of its own\$"
	else
		that "$command ${words[*]}: two readers" \
			[ "$(grep -c 'is the same file as' "$err")" -eq 0 ]
	fi
}

pairs=0
for command in test run profile bench report views info; do
	read -ra operands <<<"$("$sidestep" $command --help | sed -n "s/^usage: sidestep $command \[options\]//p" | tr -d '[]')"
	mapfile -t takes < <(
		"$sidestep" $command --help | sed -n 's/^ *\(-o\|--[a-z-]*\)\(, --[a-z-]*\)\? FILE .*/\1/p'
		for operand in "${operands[@]}"; do
			case $operand in
			PATTERN...) ;;
			*...) printf '%s\n' "${operand%...}" "${operand%...}" ;; # two stand for any number
			*) echo "$operand" ;;
			esac
		done
	)
	for ((i = 0; i < ${#takes[@]}; i++)); do
		for ((j = i + 1; j < ${#takes[@]}; j++)); do
			fresh
			before=$(md5sum file)
			for spelling in "${spellings[@]}"; do
				pair $command "${takes[i]}" "${takes[j]}" file "$spelling"
				pair $command "${takes[i]}" "${takes[j]}" "$spelling" file
				pairs=$((pairs + 2))
			done
			that "$command ${takes[i]} ${takes[j]}: the file is as it was" \
				[ "$(md5sum file) $(find . | wc -l)" = "$before 5" ]
			# One that is not there yet.
			rm -f ./* && ln -s new link && ln -s "$PWD" ../other/here
			for spelling in new ./new "$PWD/new" link ../other/here/new; do
				pair $command "${takes[i]}" "${takes[j]}" new "$spelling"
			done
			that "$command ${takes[i]} ${takes[j]}: none is made" [ "$(ls)" = link ]
		done
		# What the caller has opened counts too, and is neither emptied nor replaced.
		is_written "${takes[i]}" || continue
		fresh
		echo 'said before' >>file
		before=$(md5sum file)
		for spelling in file link hard; do
			words=()
			given "${takes[i]}" $spelling
			timeout 60 "$sidestep" $command "${words[@]}" >>file 2>"$err"
			status=$?
			judge "$command ${words[*]} >>file" 2 'is the same file as standard output; give'
		done
		that "$command ${takes[i]} >>file: as it was" [ "$(md5sum file)" = "$before" ]
		timeout 60 "$sidestep" $command "${words[@]}" >"$out" 2>>file
		status=$?
		that "$command ${takes[i]} 2>>file: status" [ $status -eq 2 ]
		that "$command ${takes[i]} 2>>file: says so" grep -q 'is the same file as standard error; give' file
	done
done
that 'there were pairs' [ $pairs -gt 100 ]
exec 8<&-

# --- Of one option that is given twice the last counts; a disk that is only read is read; nothing but files counts.
fresh
cp "$root/tests/fuzz/corpus/ledger/flat" ledger
check 'the last of two' 0 '' "$sidestep" report -o ledger -o new ledger
that 'the last of two: made' [ -s new ]
run "$sidestep" run --disk file:ro --views file file
that 'a disk that is only read' [ "$(grep -c 'is the same file as' "$err")" -eq 0 ]
check 'a disk that is written' 2 '^sidestep: --disk file is the same file as GUEST ' "$sidestep" run --disk file hard
check 'symbols with an address behind them' 2 '^sidestep: --symbols file@0x1000 is the same file as --ledger hard; give' \
	"$sidestep" run --symbols file@0x1000 --ledger hard
check 'modules with an address behind them' 2 '^sidestep: --guestmodules file@0x1000 is the same file as --pid-file hard; give' \
	"$sidestep" run --guestmodules file@0x1000 --pid-file hard
check 'the second of two files of symbols' 2 '^sidestep: --symbols file is the same file as --pid-file hard; give' \
	"$sidestep" run --symbols "$root/tests/fuzz/corpus/symbols/elf" --symbols file --symbols none --pid-file hard
check 'one ledger compared with itself' 0 '' "$sidestep" report --diff ledger ledger
check 'a device twice' 0 '' "$sidestep" report ledger -o /dev/null
"$sidestep" report ledger -o /dev/null >/dev/null 2>/dev/null
that 'a device three times' [ $? -eq 0 ]
# Not /dev/stdout itself, which root would lose to a program that replaces it.
ln -s /proc/self/fd/1 stdout
"$sidestep" report ledger -o stdout 2>"$err" | cat >piped
that '-o /dev/stdout into a pipe' grep -q '^engine ' piped
echo kept >appended
for name in stdout /dev/fd/1 /proc/self/fd/1 -; do
	"$sidestep" report ledger -o $name >>appended 2>"$err"
	status=$?
	judge "-o $name >>file" 0 ''
done
that '-o /dev/stdout >>file: appended' [ "$(head -n 1 appended)" = kept ]
that '-o /dev/stdout >>file: each time' [ "$(grep -c '^engine ' appended)" -eq 4 ]
that '-o /dev/stdout: still a link' [ "$(readlink stdout)" = /proc/self/fd/1 ]

# --- A link is followed, to the end, and stays; so do mode and owner of the file that is replaced.
fresh
cp "$root/tests/fuzz/corpus/ledger/flat" ledger
mode() { stat -L -c %a "$1"; }
echo old >../other/target
chmod 640 ../other/target
ln -s ../other/target a && ln -s "$PWD/a" b
check '-o through links' 0 '' "$sidestep" report ledger -o b
that '-o through links: they stay' [ -L a -a -L b ]
that '-o through links: the target is written' grep -q '^engine ' ../other/target
that '-o through links: its mode' [ "$(mode ../other/target)" = 640 ]
that '-o through links: nothing else' [ "$(ls ../other)" = target ]
chmod 606 ../other/target
check '-o onto a file' 0 '' "$sidestep" report ledger -o ../other/target
that '-o onto a file: its mode' [ "$(mode ../other/target)" = 606 ]
(umask 077 && "$sidestep" report ledger -o ../other/target)
that '-o onto a file: its mode, whatever the mask' [ "$(mode ../other/target)" = 606 ]
check '-o a new file' 0 '' "$sidestep" report ledger -o new-file
that '-o a new file: mode by the mask' [ "$(mode new-file)" = 644 ]
ln -s ../other/made dangling
check '-o through a link to nothing' 0 '' "$sidestep" report ledger -o dangling
that '-o through a link to nothing: made' grep -q '^engine ' ../other/made
that '-o through a link to nothing: stays a link' [ -L dangling ]
ln -s loop-a loop-b && ln -s loop-b loop-a
check '-o to a loop' 2 '^sidestep: loop-a: Too many levels of symbolic links; ' "$sidestep" report ledger -o loop-a
ln -s none/x nowhere
check '-o through a link into no directory' 2 '^sidestep: nowhere: No such file or directory; ' \
	"$sidestep" report ledger -o nowhere
check '-o to a directory that is not there' 2 '^sidestep: nothere/: Is a directory; ' \
	"$sidestep" report ledger -o nothere/
if [ "$(id -u)" -eq 0 ]; then
	chown 65534:65533 ../other/target
	check "-o onto somebody's file" 0 '' "$sidestep" report ledger -o b
	that "-o onto somebody's file: still his" [ "$(stat -c %u:%g:%a ../other/target)" = 65534:65533:606 ]
else
	echo "ok - -o onto somebody's file # SKIP needs: root"
fi
# A file that is open is written to as it is: whoever has opened it reads it.
exec 9<>held
rm held
check '-o to an open file without a name' 0 '' "$sidestep" report ledger -o /dev/fd/9
that '-o to an open file without a name: written' grep -q '^engine ' /dev/fd/9
exec 9>&-

# --- Names as long as there are, and longer.
long=$(printf 'x%.0s' {1..255})
check '-o with the longest name' 0 '' "$sidestep" report ledger -o "$long"
that '-o with the longest name: made' [ -s "$long" ]
that '-o with the longest name: nothing else' [ "$(find . -name 'xxx*' | wc -l)" -eq 1 ]
deep=$(printf './%.0s' {1..2045})
for name in "x$long" "${deep}file" "$long$long/file"; do
	check "-o with a name of ${#name} bytes" '2' '^sidestep: .*: File name too long; name a file' \
		"$sidestep" report ledger -o "$name"
done
unset SIDESTEP_KVM
if ! "$sidestep" info >/dev/null 2>&1; then
	echo 'ok - --pid-file # SKIP needs: kvm'
	finish
fi
check '--pid-file with the longest name' 0 '' "$sidestep" run -q --pid-file "${long/x/y}" "$hello"
that '--pid-file with the longest name: removed' [ ! -e "${long/x/y}" ]
for name in "x$long" "${deep}file" "${deep}${deep}file"; do
	check "--pid-file with a name of ${#name} bytes" 2 '^sidestep: .*: File name too long; name a file' \
		"$sidestep" run -q --pid-file "$name" "$hello"
done
for name in "x$long" "${deep}${deep}file"; do
	check "--ledger with a name of ${#name} bytes" 2 '^sidestep: .*: File name too long; name a file' \
		"$sidestep" run -q --ledger "$name" "$hello"
done
rm -f ../other/pid && ln -s ../other/pid pid
"$sidestep" run -q --timeout 20 --pid-file pid "${hello/hello/spin}" >"$out" 2>"$err" &
for _ in {1..500}; do
	[ -s ../other/pid ] && break
	sleep 0.02
done
that '--pid-file through a link' [ "$(head -n 1 ../other/pid)" = $! ]
that '--pid-file through a link: stays one' [ -L pid ]
kill $!
wait $! 2>/dev/null
that '--pid-file through a link: the file is removed' [ ! -e ../other/pid ]
that '--pid-file through a link: not the link' [ -L pid ]
check '--pid-file to a loop' 2 'Too many levels of symbolic links' "$sidestep" run -q --pid-file loop-a "$hello"

echo "figure: pairs-of-files $pairs"
finish
