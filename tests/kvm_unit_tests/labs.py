#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tools/kvm-unit-tests --lab, with a lab that stands in for ours.

Usage: labs.py TOOL [PART...]. A line per check, "ok" or "not ok".
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import runner
from patience import patient
from runner import ALL, FAKE, GUESTS, HERE, TOOL, Ran, await_file, check, equal, make_tree, told

# On the host Python reads the file of a check, in a lab the shell has another do so.
SAME = [name for name in ALL if name != "checked"] + ["hostile", "endless", "../name/../of a path", "counted"]


class InLab(Ran):
    """The tool beside a lab that stands in for ours; `boots` are the arguments of each."""

    def __init__(self, *words, kind="amd", fails="", **others):
        os.environ["FAKE_LAB"] = fails
        super().__init__("--lab", kind, *words, tool=pathlib.Path("tools/kvm-unit-tests").resolve(),
                         sidestep=pathlib.Path("build/sidestep").resolve(), **others)
        self.boots = [call[1:] for call in self.calls if call[0] == "lab"]

    def boot(self, option):
        """The values of an option of tools/lab, in the only boot."""
        words = self.boots[0]
        return [words[i + 1] for i, word in enumerate(words) if word == option]


def untimed(text):
    """Without what takes another time in each run."""
    return re.sub(r'time="[\d.]+"|\b\d+\.\d+ s; exits|(?<= )\d+\.\d(?= )', "TIME", re.sub(r" +", " ", text))


def same():
    """In all formats what it says of a run here, and of one there."""
    for form, report, names in (("text", "l0", SAME), ("tap", "lost", SAME[:8]), ("junit", "none", SAME)):
        words = ["--timeout", "60", "--format", form, "tree", *names]
        here, there = Ran(*words, report=report), InLab(*words, report=report)
        equal(f"{form}: status", (there.status, there.err), (here.status, ""))
        differ = [pair for pair in zip(untimed(here.out).splitlines(), untimed(there.out).splitlines()) if pair[0] != pair[1]]
        check(f"{form}: as on the host", not differ and len(here.out) > 1000 and untimed(here.out) == untimed(there.out),
              differ[:3])
        equal(f"{form}: one boot", len(there.boots), 1)
    equal("a report that is none", InLab("tree", "64-bit", report="broken").lines[-2],
          "# the ledger tells nothing: sidestep: the ledger is damaged")


def commands():
    ran = InLab("--kernel", "linux-image-6.12", "tree", "fail", "pass", "words", "lines", "timeout", "time")
    equal("each test has its command",
          [call[:-3] + call[-2:] for call in ran.calls if call[0] == "run"][1],
          ["run", "--platform", "pc", "-m", "128M", "-c", "2", "--timeout", "2", "--ledger", "-q", "1/fail.flat"])
    equal("arguments as they are", [call[call.index("--append") + 1] for call in ran.calls if "--append" in call],
          ['a "b"', "x y\nz", "a"])
    equal("a guest goes there once", sorted(ran.boot("--put")),
          ["0-pass.flat=0/pass.flat", "1-fail.flat=1/fail.flat", "2-timeout.flat=2/timeout.flat", "script"])
    equal("--kernel", ran.boot("--kernel"), ["linux-image-6.12"])
    equal("--build", ran.boot("--build"), [os.path.realpath("build")])
    equal("memory for the largest", ran.boot("--memory"), [str(2048 + 512)])
    equal("no files but those asked for", ran.boot("--get"), [])
    seven = 7 * (2 * 100 + 120) + 300
    equal("time for all", ran.boot("--timeout"), [str(seven)])
    small = InLab("--timeout", "0.5", "tree", "fail", kind="intel")
    equal("memory that a lab has", small.boot("--memory"), ["1024"])
    equal("--timeout of each", (small.calls[1][small.calls[1].index("--timeout") + 1], small.boot("--timeout")),
          ("0.5", [str(10 + 120 + 300)]))
    equal("--timeout 0", InLab("--timeout", "0", "tree", "fail").boot("--timeout"), ["9999999"])
    equal("no more than Bochs has", InLab("tree", "most", kind="intel").boot("--memory"), ["2048"])
    listed = InLab("--list", "tree", kind="intel")
    check("--list: the lab's timeouts", re.search(r"^fail .*, 60 s ", listed.out, re.M) and not listed.boots, listed.out)
    short = pathlib.Path("short").resolve()
    make_tree(short, "[short]\nfile = pass.flat\ntimeout = 1\nsmp = $MAX_SMP\n[endless]\nfile = pass.flat\ntimeout = 0\n")
    check("a section may want less", re.search(r"^short +pass.flat, 1 vCPU, 128M, 1 s$", InLab("--list", "short").out, re.M))
    check("but not more", re.search(r"^endless .* 2 s$", InLab("--list", "short").out, re.M))
    equal("nothing to run, nothing to boot", (InLab("tree", "tcg").status, InLab("tree", "tcg").boots), (77, []))


def checks():
    ran = InLab("tree", "checked", "unchecked", "no-such-check", "pass")
    equal("a check is the lab's", ran.row("checked")[1], ["needs: /proc/self/comm=python3; host: it is head"])
    equal("what failed is not run", [call[-1] for call in ran.calls if call[0] == "run"], ["0/pass.flat"] * 2)
    equal("the others are", ran.status, 0)


def hangs():
    make_tree(pathlib.Path("hangs").resolve(), "[stubborn]\nfile = stubborn.flat\ntimeout = 0.3\n[last]\nfile = pass.flat\n")
    ran = InLab("hangs")
    equal("one that does not end is killed", ran.row("stubborn"),
          (["error", "stubborn", "-", "-", "-", ran.row("stubborn")[0][5], "-", "1247", "vmm:", "io", "1203,", "mmio", "44"],
           ["sidestep did not end 2 s after its timeout, and was killed"]))
    equal("and the next begins", ran.row("last")[0][0], "pass")
    pid = pathlib.Path("log.started").read_text()
    check("it is gone", not os.path.exists(f"/proc/{pid}"), pid)


def ledgers():
    kept = pathlib.Path("kept")
    kept.mkdir()
    (kept / "unable.ledger").write_text("of another day")
    ran = InLab("--ledger", "kept", "tree", "pass", "unable", "../*", "fail", "unchecked")
    equal("--ledger", sorted((path.name, path.read_text()) for path in kept.iterdir()),
          sorted([("pass.ledger", "ledger of pass"), ("pass-2.ledger", "ledger of pass"), ("fail.ledger", "ledger of fail"),
                  ("_._name_.._of_a_path.ledger", "ledger of pass")]))
    equal("--ledger: status", (ran.status, ran.err), (1, ""))
    ran = InLab("--ledger", "kept", "tree", "64-bit", fails="files")
    equal("ledgers that do not come back", (ran.status, ran.lines[-2:]),
          (99, ["# the lab: --get 0.ledger: does not exist in the lab after the command", "1 passed, 0 failed, 0 skipped"]))


def failing():
    for name, words, regex in (
            ("an unknown lab", ["--lab", "arm"], "--lab: invalid choice: 'arm'"),
            ("a kernel here", ["--kernel", "linux-image-6.12"], "--kernel goes with --lab")):
        told(name, Ran(*words, "tree"), 2, regex)
    told("a sidestep of no build", Ran("--lab", "amd", "tree"), 2, "a lab takes the sidestep of a build directory")
    ran = InLab("--kernel", "?", "-o", "kernel.txt", "tree", fails="usage")
    told("what the lab does not take", ran, 2, "lab: --kernel \\?: neither a package name nor a directory")
    check("no file of it", not os.path.exists("kernel.txt"))
    names = ["pass", "fail", "skip", "unable"]
    ran = InLab("tree", *names, fails="boot")
    equal("a lab that does not boot", (ran.status, [line.split()[0] for line in ran.lines if line[0] not in " #"]),
          (99, ["VERDICT", *["error"] * 5, "0"]))
    for fails, regex in (("dies", "the lab: the command was ended after 600 s: use --timeout"),
                         ("noise", r"the lab said \?\[31m and so on")):
        ran = InLab("tree", *names, fails=fails)
        equal(f"{fails}: what has ended stays", [line.split()[0] for line in ran.lines if line[0] not in " #"],
              ["VERDICT", "pass", "fail", *["error"] * 3, "1"])
        check(f"{fails}: why", ran.status == 99 and re.match(regex, ran.row("skip")[1][0]), ran.out)
    ran = InLab("--format", "tap", "tree", *names, fails="dies")
    check("TAP: bails out", ran.lines[-1].startswith("Bail out! the lab: the command was ended"), ran.out)


def freezes():
    """A guest that keeps the only processor of the lab."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("kvm_unit_tests", os.path.realpath("tools/kvm-unit-tests"))
    tool = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(tool)
    lab = sys.modules["lab"]
    lab.REAL, lab.AROUND, lab.BOOT = {"amd": 0}, patient(2), 0
    os.environ.update(FAKE_LAB="freezes", FAKE_LOG=os.path.realpath("log"))
    sys.argv = [tool.__file__, "--lab", "amd", "--sidestep", "build/sidestep", "tree", "pass", "fail", "skip", "unable"]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = tool.work()
    lines = out.getvalue().splitlines()
    equal("a lab that stands still is ended", (status, [line.split()[0] for line in lines if line[0] not in " #"]),
          (99, ["VERDICT", "pass", "fail", *["error"] * 3, "1"]))
    check("it says so", "# the lab stands still: it has said nothing for " in lines[-2], lines)
    check("it is gone", os.path.exists("log.lab"))


def signals():
    guests = {"a": "pass", "b": "fail", "c": "wait", "d": "pass"}
    make_tree(pathlib.Path("waits").resolve(), "".join(f"[{name}]\nfile = {guest}.flat\n" for name, guest in guests.items()))
    os.environ["FAKE_LAB"] = ""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for name in ("log.started", "log.lab"):
            pathlib.Path(name).unlink(missing_ok=True)
        process = subprocess.Popen([pathlib.Path("tools/kvm-unit-tests").resolve(), "--lab", "amd", "--timeout", "600",
                                    "--sidestep", "build/sidestep", "waits"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "FAKE_LOG": str(pathlib.Path("log").resolve())})
        pid = await_file(pathlib.Path("log.started"))
        process.send_signal(number)
        out, err = process.communicate(timeout=patient(20))
        lines = out.splitlines()
        if number != signal.SIGKILL:
            equal(f"{number.name}: status", (process.returncode, err), (128 + number, ""))
            equal(f"{number.name}: what there is", lines[-2:],
                  [f"# ended by {number.name} after 2 of 4", "1 passed, 1 failed, 0 skipped"])
        rows = [line.split()[:2] for line in lines if line.startswith(("pass", "fail"))]
        equal(f"{number.name}: rows", rows, [["pass", "a"], ["fail", "b"]])
        runner.await_gone(pid)
        check(f"{number.name}: ends the lab", os.path.exists("log.lab") and not os.path.exists(f"/proc/{pid}"), pid)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        make_tree(pathlib.Path("tree").resolve(), (HERE / "unittests.cfg").read_text(), GUESTS)
        for directory in ("tools", "build", "scratch"):
            os.mkdir(directory)
        os.environ["TMPDIR"] = os.path.realpath("scratch")
        shutil.copy(TOOL, "tools/kvm-unit-tests")
        for name in ("kvm-unit-tests.d", "shared.d"):
            shutil.copytree(os.path.join(os.path.dirname(TOOL), name), f"tools/{name}")
        shutil.copy(HERE / "fake_lab.py", "tools/lab")
        shutil.copy(FAKE, "build/sidestep")
        try:
            for part in (same, commands, checks, hangs, ledgers, failing, freezes, signals):
                if not sys.argv[2:] or part.__name__ in sys.argv[2:]:
                    part()
        finally:
            runner.end_orphans()
            os.chdir("/")
    return runner.total()


sys.exit(main())
