#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# files.sh SIDESTEP SOURCE BUILD LAB [OPTION]...: what comes into a lab and what comes back from it, by --put, --get and
# --share, is all that it should be, and the same when one of the files to come back is not there.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
source=$(realpath "$2") build=$(realpath "$3") lab=$4
shift 4
cd "$scratch" || exit 99
mkdir -p folder/dir folder/closed
chmod 700 folder
echo one >folder/renamed
echo two >folder/copied
echo three >folder/dir/changed
echo four >folder/dir/kept
echo five >folder/closed/file
chmod 500 folder/closed
touch -d 2001-01-01 old
tar -cf folder/old.tar old
seq 400000 >put
touch -d 2002-02-02 folder/dir/kept
cat >changes <<'SCRIPT'
cd /share
mv renamed new
cp -p copied copy
tar -xf old.tar
echo changed >dir/changed
mkdir more
echo made >more/made
ln -s made more/link
cp /tmp/put /tmp/big
SCRIPT
run "$source/tools/lab" "$lab" --build "$build" "$@" --share folder --put put --put changes --get big \
	--get /proc/uptime --get /proc/no-such=never -- sh changes
that 'a file that is not there: the status' [ $status -eq 99 ]
that 'a file that is not there: says so' \
	grep -qx 'lab: --get /proc/no-such: does not exist in the lab after the command' "$err"
that 'a file that is not there: is none' [ ! -e never ]
that '--put and --get' cmp -s put big
that '--get of a file of the kernel' grep -Eq '^[0-9.]+ [0-9.]+$' uptime
that '--share: what has another name' grep -qx one folder/new
that '--share: what is gone in the lab is still here' grep -qx one folder/renamed
that '--share: a copy as old as what it is of' grep -qx two folder/copy
that '--share: a file that is older than all' [ -f folder/old ]
that '--share: what was changed' grep -qx changed folder/dir/changed
that '--share: in a new directory' grep -qx made folder/more/made
that '--share: a link' [ "$(readlink folder/more/link)" = made ]
that '--share: what was not changed' [ "$(stat -c %Y folder/dir/kept)" -eq "$(date -d 2002-02-02 +%s)" ]
that '--share: directories stay as they are' [ "$(stat -c %a folder folder/closed | paste -sd ' ')" = '700 500' ]
finish
