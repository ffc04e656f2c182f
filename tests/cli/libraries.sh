#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Libraries that only some commands need: which are loaded when, what is said without one, and that the package depends
# on all of them. Arguments: the program, the source.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
source=$(realpath "$2")
cd "$scratch" || exit 99

mapfile -t later < <(grep -aohE '"soname":\["[^"]+' "$sidestep" | cut -d '"' -f 4)
that 'the program says which they are' [ "${#later[@]}" -eq "$(grep -c '^LIBRARY(' "$source/vmm/base/libraries.def")" ]

# loads NAMES COMMAND...: of those libraries it loads these, "smartcols elf".
loads() {
	local wanted=$1 loaded='' name
	shift
	run env LD_DEBUG=files "$sidestep" "$@"
	that "$*: the loader was asked" grep -q 'calling init: .*/libc\.so' "$err"
	for name in "${later[@]}"; do
		if grep -q "calling init: .*/$name\$" "$err"; then
			name=${name%%.so.*}
			loaded+="${loaded:+ }${name#lib}"
		fi
	done
	that "$*: loads ${wanted:-none of them}" [ "$loaded" = "$wanted" ]
}

ledger=$source/tests/fuzz/corpus/ledger/flat
printf 'views = { boot = { default = "rwx"; }; };' >views
loads '' --version
loads '' --help
loads '' run --help
loads '' test --no-such-option
loads 'smartcols elf' test --list
loads 'jansson elf' test --list --format json
loads '' report --format csv "$ledger"
loads 'smartcols elf config' views views
loads 'jansson elf config' views --format json views

# A file that is no library, found before the real one.
mkdir broken
there=$(ls)
export LD_LIBRARY_PATH=$scratch/broken
for name in "${later[@]}"; do
	: >"broken/$name"
	check "without $name: nothing that does not need it" 0 '' "$sidestep" --version
	case $name in
	libsmartcols.*) words=(test --list) ;;
	libjansson.*) words=(test --list --format json) ;;
	libelf.* | libconfig.*) words=(views views) ;;
	*) words=() ;;
	esac
	if ((${#words[@]})); then
		check "without $name: what is missing" 77 \
			"^sidestep: .*/${name//./\\.}: .*; install the package that has this library\$" "$sidestep" "${words[@]}"
		check "without $name, -o" 77 "${name//./\\.}: " "$sidestep" "${words[@]}" -o left
		that "without $name: no file is left" [ "$(ls)" = "$there" ]
	fi
	rm "broken/$name"
done
unset LD_LIBRARY_PATH

# Whoever makes a package does not find them by itself. By the rule of Debian's names: libdw.so.1 is in libdw1.
needed=$(sed -n '/^Package: sidestep$/,/^Recommends:/p' "$source/debian/control")
for name in "${later[@]}"; do
	package=${name/.so./}
	that "debian/control: ${package,,}" grep -qE "^ +${package,,}( \(.*\))?,?\$" <<<"$needed"
done
finish
