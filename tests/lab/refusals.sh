#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# refusals.sh ENGINE [booted]: run inside a lab. A host without nested virtualization refuses the engine before a
# vCPU runs. The lab becomes such a host, unless it was booted as one.
engine=$1 status=0
case $engine in
vmx) module=kvm_intel NAME=VMX ;;
svm) module=kvm_amd NAME=SVM ;;
esac
wanted="sidestep: engine $engine cannot run here: needs: $engine; host: no nested $NAME"

refused() {
	"$@" >out.txt 2>&1
	ended=$?
	[ $ended -eq 77 ] && grep -q "^$wanted" out.txt && return
	echo "failed: $*: status $ended, expected 77 and: $wanted"
	cat out.txt
	status=1
}

if [ "${2-}" != booted ]; then
	rmmod "$module" && insmod "/lab/$module.ko" nested=0 || exit 1
fi
refused sidestep test --engine "$engine"
refused sidestep run --engine "$engine" --ledger left
[ ! -e left ] || {
	echo 'failed: there is a ledger'
	status=1
}
sidestep info >out.txt
grep -q "^  $engine   no   no nested $NAME" out.txt || {
	echo 'failed: info says'
	cat out.txt
	status=1
}
exit $status
