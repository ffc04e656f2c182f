#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Stands in for tools/lab, and, called `sidestep`, for ours in that lab.

A kernel is a directory with vmlinuz and `exits`: lines of ENGINE OPERATION L0 MONITOR VMM TICKS, where L0 is `needs:`
of what is not performed, and `?` an exit that nobody observed. What else goes wrong with it, a file of that name says:
`fails`, `drifts`, `fades`, `tires`, `hangs`, `no-svm`, `dies`, `rebuilt`. Packages are directories in FAKE_PACKAGES. The
arguments of each boot go as a line of JSON into the file that FAKE_LOG names.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile


def number(text):
    return {"-": None, "?": "not observed"}[text] if text in "-?" else int(text)


def sidestep(words):
    tree, boots = pathlib.Path(os.environ["FAKE_TREE"]), int(os.environ["FAKE_BOOTS"])
    engine, count = words[words.index("--engine") + 1], int(words[words.index("--count") + 1])
    if (tree / f"no-{engine}").exists():
        print(f"sidestep: engine {engine} cannot run here", file=sys.stderr)
        return 77
    rows = []
    for line in (tree / "exits").read_text().splitlines():
        of, name, l0, *rest = line.split()
        if of != engine:
            continue
        if l0 == "needs:":
            rows.append({"operation": name, "repetitions": None, "note": " ".join([l0, *rest])})
            continue
        monitor, vmm, ticks = rest
        ticks = float(ticks) + boots * (tree / "drifts").exists() + 200 * ((tree / "fades").exists() and boots == 1)
        rows.append({"operation": name, "repetitions": count, "note": None, "l0": number(l0),
                     "monitor": number(monitor), "vmm": number(vmm), "ticks_median": ticks})
    dies = engine != "flat" and (tree / "dies").exists()
    report = {"kernel": f"6.1.0-{(tree / 'vmlinuz').read_text().strip()}-cloud-amd64", "sidestep": "0.1.0",
              "evidence": {}, "command": "sidestep bench", "operations": rows,
              "status": 99 * dies, "end": "KVM stopped the guest" if dies else None}
    pathlib.Path(words[words.index("-o") + 1]).write_text(json.dumps(report))
    return 0


def list_made_of(lab_, build):
    sidestep_ = pathlib.Path(build, "sidestep")
    if not sidestep_.exists():
        print(f"lab: {sidestep_} is not built: run meson setup {build}", file=sys.stderr)
        return 99
    if pathlib.Path(sys.argv[0]).parent.joinpath("lab.d", f"no-{lab_}").exists():
        print("lab: its emulator is not installed: run apt-get", file=sys.stderr)
        return 99
    emulator = shutil.which({"intel": "bochs-bin", "amd": "qemu-system-x86_64"}[lab_])
    print(emulator, sidestep_.resolve(), *pathlib.Path(sys.argv[0]).parent.glob("lab.d/*"), sep="\n")
    return 0


def lab(words):
    if words[-1] == "--made-of":
        return list_made_of(words[0], words[words.index("--build") + 1])
    log, command = pathlib.Path(os.environ["FAKE_LOG"]), words[words.index("--") + 1:]
    with open(log, "a", encoding="utf-8") as file:
        print(json.dumps(words), file=file)
    value = lambda option: words[words.index(option) + 1]
    tree = pathlib.Path(value("--kernel"))
    if not tree.is_absolute():
        offered = pathlib.Path(os.environ["FAKE_PACKAGES"], tree)
        tree = pathlib.Path(value("--build"), "lab-cache", tree)
        if not tree.exists():
            if not offered.exists():
                print(f"lab: cannot fetch {offered.name}", file=sys.stderr)
                return 99
            shutil.copytree(offered, tree)
    if (tree / "fails").exists() or (tree / "tires").exists() and len(log.read_text().splitlines()) > 2:
        print("console\nlab: bochs ended during 'booting': \x1b[31mkernel panic", file=sys.stderr)
        return 99
    if (tree / "hangs").exists():
        signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path(f"{log}.ended").touch(), sys.exit(143)))
        pathlib.Path(f"{log}.hangs").touch()
        signal.pause()
    if (tree / "rebuilt").exists():
        (tree / "vmlinuz").write_text("rebuilt")
    with tempfile.TemporaryDirectory() as place:
        (pathlib.Path(place) / "bin").mkdir()
        (pathlib.Path(place) / "bin/sidestep").symlink_to(os.path.realpath(__file__))
        environment = {**os.environ, "PATH": f"{place}/bin:{os.environ['PATH']}", "FAKE_TREE": str(tree),
                       "FAKE_BOOTS": str(len(log.read_text().splitlines()))}
        status = subprocess.run(command, cwd=place, env=environment, check=False).returncode
        for option, name in zip(words, words[1:]):
            if option == "--get":
                shutil.copy(os.path.join(place, name), name)
    return status


sys.exit((sidestep if os.path.basename(sys.argv[0]) == "sidestep" else lab)(sys.argv[1:]))
