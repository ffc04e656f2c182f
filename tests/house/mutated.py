#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Has tools/mutate break a project of three files, whose tests, sidestep and lab say what each mutant makes them say.

usage: mutated.py MUTATE CC...
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

FILES = {
    "meson.build": "project('small', 'c')\nexecutable('sidestep', 'sidestep.c')\n"
                   "test('small', executable('small', 'small.c'))\ntest('broken', find_program('false'))\n",
    "small.c": "int main(void)\n{\n\treturn 0;\n}\n",
    "sidestep.c": "#include <stdio.h>\n#include <stdlib.h>\n\n"
                  "static int say(const char *text, int status)\n{\n\tputs(text);\n\treturn status;\n}\n\n"
                  "int main(void)\n{\n\treturn say(\"2 passed, 0 failed, 1 skipped\", 0);\n}\n",
}
# Lists the files, which is all that the tool wants of it, and a lab that is as good as the host.
GIT = f"#!/bin/sh\nprintf '%s\\0' {' '.join(FILES)}\n"
LAB = "#!/bin/sh\nexec \"$3\"/sidestep\n"
PROGRAMS = "engine vmx on kvm_intel: 500 programs of up to 32 steps, "


def unit(status):
    return "small.c", "return 0;", f"return {status};", ("unit small",)


def says(text, status, by=("intel",)):
    return "sidestep.c", 'return say("2 passed, 0 failed, 1 skipped", 0);', f'return say("{text}", {status});', by


# Mutants, and what has to be said of each.
NOTICED = {
    "operation-fails": (says("1 passed, 1 failed, 1 skipped", 1), "intel"),
    "guest-hangs": (says("1 passed, 1 failed, 1 skipped", 124), "intel"),
    "guest-dies-at-the-end": (says("2 passed, 0 failed, 1 skipped", 1), "intel"),
    "host-fails": (says("1 passed, 1 failed, 1 skipped", 1, ("host",)), "host"),
    "programs-differ": (says(PROGRAMS + "a difference from the model", 1), "intel"),
    "guest-of-programs-dies": (says(PROGRAMS + "no difference from the model", 1), "intel"),
    "sidestep-crashes": (says("", "(abort(), 0)"), "intel"),
    "unit-test-fails": (unit(1), "unit small"),
    "second-notices": (unit(1)[:3] + (("host", "unit small"),), "unit small"),
}
NO_VERDICT = {
    "lab-does-not-boot": (says("lab: no output for 300 s while booting", 99), "NO VERDICT intel"),
    "lab-times-out": (says("lab: the command was ended after 600 s", 124), "NO VERDICT intel"),
    "lab-says-nothing": (says("", 0), "NO VERDICT intel"),
    "command-fails-before-its-work": (says("sidestep: no operation matches", 1), "NO VERDICT intel"),
    "lab-skips-all": (says("0 passed, 0 failed, 3 skipped", 77), "NO VERDICT intel"),
    "unit-test-cannot-work": (unit(99), "NO VERDICT unit small"),
    "unit-test-skips": (unit(77), "NO VERDICT unit small"),
    "others-pass": (says("", 99, ("unit small", "intel", "amd")), "NO VERDICT intel; amd"),
}
SURVIVES = {"same-in-other-words": (says("3 passed, 0 failed, 0 skipped", 0), "SURVIVES")}
ERROR = {"no-c": (says("", "wrong"), "ERROR it cannot be built")}
UNASKED = {"asks-a-test-that-is-not": (unit(1)[:3] + (("unit other",),), "'unit other' says nothing without any mutant")}
FAILING = {"asks-what-fails": (unit(1)[:3] + (("unit broken",),), "'unit broken' fails without any mutant")}


def few(mutants):
    return dict(list(mutants.items())[:2])


# Runs of the tool: of these mutants, with this status.
RUNS = ((NOTICED, 0), (NO_VERDICT, 3), ({**few(NO_VERDICT), **SURVIVES, **few(NOTICED)}, 1), ({**SURVIVES, **ERROR}, 2),
        (UNASKED, 3), (FAILING, 2))


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def mutate(root, compiler, mutants):
    blocks = [f"mutant: {name}\nfile: {path}\nold: {old}\nnew: {new}\n" + "".join(f"by: {who}\n" for who in by)
              for name, ((path, old, new, by), _) in mutants.items()]
    write(root / "tests/mutants", "\n".join(blocks))
    return subprocess.run([sys.executable, root / "tools/mutate"], capture_output=True, text=True,
                          env={**os.environ, "CC": " ".join(compiler), "PATH": f"{root}/bin:{os.environ['PATH']}"})


def wrong_of(ran, mutants, status):
    """What is missing of what the run has to say."""
    wrong = [] if ran.returncode == status else [f"status {ran.returncode}, not {status}"]
    for name, (_, said) in mutants.items():
        if said.startswith("'"):
            wrong += [] if said in ran.stdout else [f"not said: {said}"]
            continue
        line = next((line for line in ran.stdout.splitlines() if f" {name} " in line), "")
        told = line.split(f" {name} ")[-1].strip()
        if not (told == said or told.startswith(f"{said}  ") or told.startswith(f"{said}:")):
            wrong.append(f"of {name} is said '{told}', not '{said}'")
    return wrong


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in FILES.items():
            write(root / path, text)
        write(root / "bin/git", GIT, 0o755)
        write(root / "tools/lab", LAB, 0o755)
        shutil.copy(sys.argv[1], root / "tools/mutate")
        for mutants, status in RUNS:
            ran = mutate(root, sys.argv[2:], mutants)
            for text in wrong_of(ran, mutants, status):
                failed += 1
                print(f"not ok - {', '.join(mutants)}: {text}:\n{ran.stdout}{ran.stderr}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
