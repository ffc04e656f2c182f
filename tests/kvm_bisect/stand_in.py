#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Stands in for tools/build-kernel and tools/lab, by the name it is called by.

The file `kernel` of the source says what becomes of it: "broken" does not build, "full" finds the disk so, "panic",
"lost" and "unable" do not boot, each for another reason, "hang" never ends, "no-room" leaves none for what is measured,
and all else is what an operation costs:
ticks, exits at L0. A line of JSON goes into FAKE_LOG for each call.
"""
import json
import os
import pathlib
import shutil
import signal
import sys

NAME = pathlib.Path(sys.argv[0]).name


def say(text, status):
    sys.stderr.write(f"{NAME}: {text}\n")
    return status


def note(**what):
    with open(os.environ["FAKE_LOG"], "a", encoding="utf-8") as log:
        log.write(json.dumps({"name": NAME, "words": sys.argv[1:], **what}) + "\n")


def value(option):
    return sys.argv[sys.argv.index(option) + 1]


def build(source, result):
    files = {file.name: file.stat().st_mtime for file in source.iterdir() if file.is_file()}
    kernel = (source / "kernel").read_text().strip()
    note(times=files)
    if kernel == "broken":
        return say(f"{source} does not build: kernel/sched.c:1:1: error: that is not C", 1)
    if kernel == "full":
        return say("disk full: free some space", 99)
    result.mkdir(parents=True)
    (result / "vmlinuz").write_text(kernel)
    return 0


def list_made_of():
    build = pathlib.Path(value("--build"))
    if not (build / "sidestep").exists():
        return say(f"{build}/sidestep is not built: run meson setup {build}", 99)
    print(build.resolve() / "sidestep", pathlib.Path(sys.argv[0]).resolve(), sep="\n")
    return 0


def boot():
    if sys.argv[-1] == "--made-of":
        return list_made_of()
    kernel = pathlib.Path(value("--kernel"), "vmlinuz").read_text()
    note(pid=os.getpid())
    if kernel == "hang":
        while True:
            signal.pause()
    if kernel == "panic":
        return say("the lab's kernel panicked: no init found: see the console", 99)
    if kernel == "lost":
        return say("bochs is not installed: run apt-get install bochs", 99)
    if kernel == "unable":
        sys.stderr.write("sidestep: engine vmx cannot run here: needs: vmx; host: no nested VMX\n")
        return 77
    if kernel == "no-room":
        measured = pathlib.Path(value("--kernel")).parents[1] / "measured"
        shutil.rmtree(measured)
        measured.touch()
        kernel = "1 1"
    ticks, l0 = map(float, kernel.split()[:2])
    row = {"operation": sys.argv[-1], "ticks_median": ticks, "l0": l0, "monitor": 1, "vmm": None, "note": None}
    print(json.dumps({"operations": [row]}))
    return 0


sys.exit(boot() if NAME == "lab" else build(*map(pathlib.Path, sys.argv[-2:])))
