#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# piped.sh FILE COMMAND...: the command, with a pipe as its standard input that has the bytes of the file.
file=$1
shift
# shellcheck disable=SC2002 # a pipe is what it is for
cat "$file" | "$@"
