#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bisect.sh BUILD DIR: tools/kvm-bisect finds two planted commits in a history of Debian's kernel source: a VMREAD
# more in each exit that KVM passes on to the monitor, and CR0.TS no longer left to the nested guest. On demand, since
# it compiles a kernel: DIR takes 5 GB and keeps what another time need not do again.
set -euo pipefail
readonly PACKAGE=linux-source-6.1
source=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
(($# == 2)) || {
	echo "usage: tests/lab/bisect.sh BUILD DIR" >&2
	exit 2
}
build=$(realpath -- "$1")
mkdir -p -- "$2"
cd -- "$2"
export GIT_AUTHOR_DATE='2024-01-01 00:00 +0000' GIT_COMMITTER_DATE='2024-01-01 00:00 +0000'
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null

in_tree() {
	git -C tree.new -c user.name=Test -c user.email=test@localhost -c gc.auto=0 -c core.compression=1 "$@"
}

# change SUBJECT FILE OLD NEW: the only line that is OLD, behind one tab, becomes NEW.
change() {
	local text

	text=$(cat -- "tree.new/$2")
	[[ $(grep -cxF $'\t'"$3" "tree.new/$2") == 1 ]] || {
		echo "bisect.sh: $2 of $PACKAGE is not as this test knows it: $3" >&2
		exit 99
	}
	printf '%s\n' "${text/$'\n\t'"$3"$'\n'/$'\n\t'"$4"$'\n'}" >"tree.new/$2"
	in_tree commit -q -a -m "$1"
}

# remark SUBJECT FILE: a change that changes nothing.
remark() {
	printf '\n/* %s */\n' "$1" >>"tree.new/$2"
	in_tree commit -q -a -m "$1"
}

# The commits in the middle do not build, so that a bisection comes across them.
make_history() {
	local nested=arch/x86/kvm/vmx/nested.c
	local quality='exit_qual = vmx_get_exit_quality(vcpu);' owned='vcpu->arch.cr0_guest_owned_bits'

	in_tree init -q -b main
	in_tree add -A -f .
	in_tree commit -q -m "$PACKAGE"
	in_tree tag good
	remark 'documentation: one word' Documentation/virt/kvm/index.rst
	remark 'x86: a remark' arch/x86/kvm/x86.c
	change 'nested: look at the activity state' $nested 'exit_intr_info = vmx_get_intr_info(vcpu);' \
		'(void)vmcs_read32(GUEST_ACTIVITY_STATE); exit_intr_info = vmx_get_intr_info(vcpu);'
	in_tree tag ticks
	remark 'vmx: a remark' arch/x86/kvm/vmx/vmx.c
	change 'nested: half a change' $nested 'exit_qual = vmx_get_exit_qual(vcpu);' "$quality"
	remark 'nested: a remark' $nested
	change 'nested: the other half' $nested "$quality" 'exit_qual = vmx_get_exit_qual(vcpu);'
	remark 'memory: a remark' arch/x86/kvm/mmu/mmu.c
	change 'nested: own all of CR0' $nested "$owned &= ~vmcs12->cr0_guest_host_mask;" "$owned = 0;"
	in_tree tag exits
	remark 'svm: a remark' arch/x86/kvm/svm/svm.c
	remark 'documentation: another word' Documentation/virt/kvm/index.rst
	in_tree tag bad
}

if [[ ! -d tree ]]; then
	rm -rf -- tree.new unpacked
	mkdir unpacked
	(cd unpacked && apt-get -q download $PACKAGE >&2 && dpkg-deb --extract ./*.deb . && rm -- ./*.deb)
	tar -xf unpacked/usr/src/$PACKAGE.tar.xz
	mv -T -- $PACKAGE tree.new
	rm -rf -- unpacked
	make_history
	mv -T -- tree.new tree
fi

# find_planted TAG OPERATION OPTION...
find_planted() {
	local tag=$1 operation=$2 output wanted
	shift 2
	wanted=$(git -C tree rev-parse "$tag")
	echo "$operation: looking for $wanted, $tag"
	output=$("$source/tools/kvm-bisect" --build "$build" --keep keep "$@" tree good bad "$operation")
	printf '%s\n\n' "$output"
	[[ $output == "$wanted is the first bad commit: "* ]] || {
		echo "bisect.sh: $operation: another commit was found" >&2
		exit 1
	}
	[[ $tag != ticks ]] || grep -q '^[0-9a-f]* skipped ' <<<"$output" || {
		echo "bisect.sh: no commit that does not build was come across" >&2
		exit 1
	}
}

find_planted ticks ref.cpuid --by ticks
find_planted exits cr0.ts.mov
# One kernel is for both labs; of another configuration there may be older ones.
kernel=$(find keep/kernels -maxdepth 1 -name "$(git -C tree rev-parse good)-*" -printf '%T@ %p\n' | sort -n | tail -n 1 |
	cut -d ' ' -f 2-)
"$source/tools/lab" amd --build "$build" --kernel "$kernel" --timeout 3000 -- sidestep bench --engine svm --timeout 0 ref.cpuid |
	grep -E 'engine svm on kvm_amd|^ref.cpuid '
[[ -z $(git -C tree status --porcelain) && $(git -C tree worktree list | wc -l) == 1 ]]
