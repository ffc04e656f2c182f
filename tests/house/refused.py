#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sees layers.py refuse what it is there to refuse, in a house of two wings.

usage: refused.py CC...
"""
import json
import pathlib
import subprocess
import sys
import tempfile

LAYERS = "top: what is above\n\tbottom\nbottom: what is below\n"
TABLE = """<!-- layers -->
| Room | Holds | May use |
|---|---|---|
| `vmm/top` | what is above | `bottom` |
| `vmm/bottom` | what is below | nothing of ours |

"""
GOOD = {
    "vmm/layers": LAYERS,
    "docs/architecture.md": TABLE,
    "vmm/top/high.c": '#include "vmm/bottom/low.h"\nvoid high(void) { low(); }\n',
    "vmm/bottom/low.h": "void low(void);\n",
    "vmm/bottom/low.c": '#include "vmm/bottom/low.h"\nvoid low(void) {}\n',
}

# What is changed, and what has to be said of it.
CASES = {
    "nothing": ({}, None),
    "an include that goes up": (
        {"vmm/bottom/low.h": '#include "vmm/top/high.h"\nvoid low(void);\n', "vmm/top/high.h": "\n"},
        "does not let bottom use top"),
    "a call that goes up": (
        {"vmm/bottom/low.c": "void high(void);\nvoid low(void) { high(); }\n"},
        "vmm/bottom/low calls high: the order of vmm/layers does not let bottom use top"),
    "an include of nothing": (
        {"vmm/bottom/low.h": '#ifdef NEVER\n#include "other.h"\n#endif\nvoid low(void);\n'},
        "vmm/bottom/low.h includes other.h, which is nowhere"),
    "an order that goes up": (
        {"vmm/layers": LAYERS + "\ttop\n"}, "bottom uses top, which is not below it"),
    "a file without a wing": ({"vmm/stray.c": "\n"}, "vmm/stray.c: lies in no room"),
    "a wing that is too large": (
        {f"vmm/bottom/many{i}.h": "\n" for i in range(29)}, "vmm/bottom: 31 files, more than 30"),
    "a wing that is large enough": ({f"vmm/bottom/many{i}.h": "\n" for i in range(28)}, None),
    "a circle of includes": (
        {"vmm/bottom/a.h": '#include "b.h"\n', "vmm/bottom/b.h": '#include "a.h"\n'},
        "a circle of 2 files: vmm/bottom/a vmm/bottom/b"),
    "a circle of calls": (
        {"vmm/bottom/a.c": "void b(void);\nvoid a(void) { b(); }\n",
         "vmm/bottom/b.c": "void a(void);\nvoid b(void) { a(); }\n"},
        "a circle of 2 files: vmm/bottom/a vmm/bottom/b"),
    "a room that is not used": (
        {"vmm/top/high.c": "void high(void) {}\n"}, "top does not use bottom; strike it out"),
    "a table that is old": (
        {"docs/architecture.md": TABLE.replace("what is above", "what was above")},
        "the table of rooms is not that of vmm/layers"),
}


def judge(compiler, changes):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        rows = []
        for path, text in {**GOOD, **changes}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
            if path.endswith(".c"):
                made = "vmm/" + path.replace("/", "_") + ".o"
                rows.append({"directory": str(root / "build"), "file": f"../{path}", "output": made})
        (root / "build/vmm").mkdir(parents=True)
        (root / "build/compile_commands.json").write_text(json.dumps(rows))
        for row in rows:
            subprocess.run([*compiler, "-I", root, "-c", row["file"], "-o", row["output"]],
                           cwd=root / "build", check=True)
        script = pathlib.Path(__file__).with_name("layers.py")
        return subprocess.run([sys.executable, script, root, root / "build"],
                              capture_output=True, text=True)


def main():
    failed = 0
    for name, (changes, wanted) in CASES.items():
        ran = judge(sys.argv[1:], changes)
        good = ran.returncode == 0 and not ran.stdout if wanted is None \
            else ran.returncode == 1 and wanted in ran.stdout
        if not good:
            failed += 1
            print(f"not ok - {name}: status {ran.returncode}, wanted {wanted!r}:\n{ran.stdout}{ran.stderr}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
