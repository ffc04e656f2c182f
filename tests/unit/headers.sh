#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every header compiles alone, and twice. Arguments: the compiler.
set -u
cd "$SOURCE_ROOT" || exit 99
failed=0 count=0
flags=(-std=gnu17 -Wall -Wextra -Werror -D_GNU_SOURCE '-DSIDESTEP_VERSION=""' -fsyntax-only -I.)

compile() { # language, header, compiler and flags
	local language=$1 header=$2
	shift 2
	count=$((count + 1))
	if ! printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
		"$@" -x "$language" -; then
		echo "not ok - $header as $language"
		failed=1
	fi
}

for header in devices/*.h vmm/*/*.h views/*.h; do
	compile c "$header" "$@" "${flags[@]}"
done
# What guests include: also where the compiler has neither an operating system nor GNU extensions.
for header in guestfw/abi.h guestfw/mark.h; do
	compile c "$header" "$@" "${flags[@]}"
	compile c "$header" "$@" -std=c11 -pedantic-errors -Wall -Wextra -Werror -ffreestanding \
		-fsyntax-only -I.
done
compile assembler-with-cpp guestfw/abi.h "$@" -I. -c -o /dev/null
echo "$count compilations"
exit $failed
