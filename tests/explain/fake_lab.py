#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Stands in for tools/lab: a kernel called STEPS-TICKS executes so many instructions of a function of its own in each
repetition, and is said to take so many ticks. One called status-N has the lab end so."""
import json
import pathlib
import re
import sys

words = sys.argv[1:sys.argv.index("--")]
of = lambda option: [words[at + 1] for at, word in enumerate(words) if word == option]
kernel, = of("--kernel")
if kernel.startswith("status-"):
    sys.exit(int(kernel[7:]))
steps, ticks = kernel.split("-")
debug = pathlib.Path(of("--debug")[0])
end = int(re.search("lb 0x([0-9a-f]+)", (debug / "commands").read_text())[1], 16)
addresses = ([end] + [0xffffffff81000000 + at for at in range(int(steps))]) * 5 + [end, end + 1]
(debug / "log").write_text("".join(f"(0).[{at}] [0x000000000000] 0010:{address:016x} (unk. ctxt): nop ; 90\n"
                                   for at, address in enumerate(addresses)))
files = {"/proc/kallsyms": "ffffffff81000000 T work\n", "bench.json": json.dumps({
    "kernel": kernel, "operations": [{"ticks_median": float(ticks), "l0": 1, "note": None}]})}
for name, path in (pair.split("=") for pair in of("--get")):
    pathlib.Path(path).write_text(files[name])
