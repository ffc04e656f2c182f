# SPDX-License-Identifier: GPL-2.0-only
# sed -n -f figures.sed: passes on what the program prints, and adds what there was to count.
p
s/^engine .*: \([0-9]*\) programs of up to .*/figure: random programs \1/p
# What is not TAP has to look like a comment there.
s/^1\.\.\([1-9][0-9]*\)$/# figure: operations \1/p
