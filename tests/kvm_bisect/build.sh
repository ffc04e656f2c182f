#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tools/build-kernel with a source tree that stands in for Linux. Arguments: the program, the tool.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
tool=$(realpath "$2")
for program in git make gcc perl; do
	command -v $program >/dev/null && continue
	echo "skipped: needs: $program; host: not installed"
	exit 77
done
echo '#include <gelf.h>' | gcc -E - >/dev/null 2>&1 || {
	echo "skipped: needs: libelf-dev; host: not installed"
	exit 77
}
cd "$scratch" || exit 99
mkdir temporary bin stand-in
export TMPDIR=$scratch/temporary
# What no build here calls.
for program in bc bison flex; do
	command -v $program >/dev/null || ln -s "$(type -P true)" stand-in/$program
done
PATH=$PATH:$scratch/stand-in

# The code is in `code`: an error, or an endless build, or what ends up in the image.
mkdir -p tree/arch/x86
touch tree/Kconfig
cat >tree/Makefile <<'MAKE'
allnoconfig:
	@echo configured >>$(O)/configured
	@grep '^CONFIG' $$KCONFIG_ALLCONFIG >$(O)/.config
bzImage:
	@grep -v error code >$(O)/System.map || \
		{ printf 'code.c:3:1: error: no such thing\nmake[1]: *** later\n' >&2; exit 1; }
	@if grep -q endless code; then echo $$$$ >$(O)/pid; sleep 1000; fi
	@mkdir -p $(O)/arch/x86/boot
	@echo "$(ARCH) $$KBUILD_BUILD_TIMESTAMP $$(cat code)" >$(O)/arch/x86/boot/bzImage
MAKE
commit() { # CODE
	echo "$1" >tree/code
	git -C tree add -A
	git -C tree -c user.name=Test -c user.email=test@localhost commit -q -m "$1"
	git -C tree tag "$1"
}
git init -q tree
commit first
commit error
commit second

# Called through await and that.
# shellcheck disable=SC2317
nothing_left() {
	[ -z "$(ls temporary)" ] && [ "$(git -C tree worktree list | wc -l)" -eq 1 ] && ! ls -d kernel.* 2>/dev/null
}

check '--help' 0 '' "$tool" --help
check 'no arguments' 2 'name a source tree and the directory' "$tool"
check 'an unknown option' 2 'unknown option --no-such' "$tool" --no-such tree kernel
check 'no value' 2 '--work needs a value' "$tool" --work
check 'no tree' 2 'missing: no such directory' "$tool" missing kernel
check 'no Linux' 2 'temporary: no Linux source' "$tool" temporary kernel
check 'no fragment' 2 '--config missing: not a readable file' "$tool" --config missing tree kernel
check 'no compilers' 2 '--jobs 0: not a number' "$tool" --jobs 0 tree kernel
check 'no such commit' 2 '--rev third: .*tree has no such commit' "$tool" --rev third tree kernel
check 'no repository' 2 'temporary: not a git repository: leave --rev away' "$tool" --rev first temporary kernel
check 'something else where the kernel is to be' 2 'tree: exists and holds no kernel' "$tool" tree tree
mkdir kernel
touch kernel/vmlinuz kernel/notes
check 'more than a kernel where it is to be' 2 'kernel: exists and holds no kernel alone' "$tool" tree kernel
that 'more than a kernel: it stays' [ -e kernel/notes ]
rm -r kernel
check 'no directory of its own' 2 '\.: name a directory of its own' "$tool" tree .
check 'nowhere to write' 99 'none: cannot be written|none/kernel: cannot be written' "$tool" tree /proc/none/kernel
that 'nothing was built' [ ! -e kernel ]
touch tree/.config
check 'a tree that is built in' 2 'has been built in: run make mrproper' "$tool" tree kernel
rm tree/.config

check 'a tree' 0 '' "$tool" tree kernel
that 'a tree: the image' grep -qx 'x86_64 1 Jan 2024 second' kernel/vmlinuz
that 'a tree: symbols and configuration' [ -s kernel/System.map -a -s kernel/config ]
that 'a tree: the fragment counts' grep -qx CONFIG_KVM_INTEL=y kernel/config
that 'a tree: nothing is left' nothing_left
that 'a tree: it stays as it was' [ -z "$(git -C tree status --porcelain)" ]

check 'a slash behind' 0 '' "$tool" tree kernel/
that 'a slash behind: the image' grep -qx 'x86_64 1 Jan 2024 second' kernel/vmlinuz
that 'a slash behind: nothing is left' nothing_left

mkdir work
git -C tree worktree add -q ../work/source first
check 'a worktree of another' 99 'work/source: is there' "$tool" --work work --rev second tree never
that 'a worktree of another: it stays' [ -e work/source/code ]
git -C tree worktree remove --force ../work/source
rmdir work/objects work

echo CONFIG_MORE=y >fragment
check 'a commit, a fragment more' 0 '' "$tool" --rev first --config fragment tree kernel
that 'a commit: the image' grep -q first kernel/vmlinuz
that 'a commit: the fragment counts' grep -qx CONFIG_MORE=y kernel/config
that 'a commit: nothing is left' nothing_left
that 'a commit: the tree stays as it was' grep -qx second tree/code

check 'an error' 1 'error does not build: code.c:3:1: error: no such thing$' "$tool" --rev error tree broken
that 'an error: no kernel' [ ! -e broken ]
that 'an error: nothing is left' nothing_left
run "$tool" --work work --rev error tree broken
that 'an error, work kept: the log' grep -q 'error: no such thing' work/build.log
that 'an error, work kept: says where it is' grep -q 'all that make said: .*work/build.log' "$err"
that 'an error, work kept: status' [ $status -eq 1 ]

check 'work kept' 0 '' "$tool" --work work tree kernel
check 'work kept, again' 0 '' "$tool" --work work tree kernel
that 'work kept: configured once' [ "$(wc -l <work/objects/configured)" -eq 1 ]
check 'work kept, another configuration' 0 '' "$tool" --work work --config fragment tree kernel
that 'work kept: configured again' [ "$(wc -l <work/objects/configured)" -eq 2 ]
echo 'config X' >tree/Kconfig
check 'work kept, other Kconfig' 0 '' "$tool" --work work --config fragment tree kernel
that 'other Kconfig: configured again' [ "$(wc -l <work/objects/configured)" -eq 3 ]

for program in bash dirname mktemp nproc make git gcc perl mkdir cat grep rm; do
	ln -s "$(command -v $program)" bin
done
check 'programs that are missing' 99 'not installed: bc bison flex: run apt-get install bc bison flex' \
	env PATH="$scratch/bin" "$tool" tree kernel

commit endless
for signal in INT TERM; do
	rm -f work/objects/pid
	env --default-signal "$tool" --work work --rev endless tree never >"$out" 2>"$err" &
	to=$!
	that "SIG$signal: it builds" await test -s work/objects/pid
	kill -s $signal $to
	wait $to 2>/dev/null
	status=$?
	that "SIG$signal: the status" [ $status -eq $((128 + $(kill -l $signal))) ]
	that "SIG$signal: no compiler" await gone "$(cat work/objects/pid)"
	that "SIG$signal: nothing is left" nothing_left
	that "SIG$signal: no kernel" [ ! -e never ]
done
finish
