#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tools/kvm-unit-tests, with a tree of empty guests and a sidestep that stands in for ours.

Usage: runner.py TOOL. A line per check, "ok" or "not ok".
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from xml.etree import ElementTree

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from checks import check, equal, total
from patience import patient

HERE = pathlib.Path(__file__).resolve().parent
FAKE = HERE / "fake_sidestep.py"
GUESTS = ("pass", "fail", "broken", "skip", "unable", "abort", "asserts", "timeout", "host", "usage", "crash", "refused",
          "orphan", "hostile", "endless", "wait", "stubborn")
TOOL = os.path.realpath(sys.argv[1])
CPUS = str(os.cpu_count())


def make_tree(path, config, guests=GUESTS, arch="x86_64"):
    (path / "x86").mkdir(parents=True)
    (path / "x86/unittests.cfg").write_text(config)
    (path / "config.mak").write_text(f"SRCDIR=/src\nARCH={arch}\n")
    for guest in guests:
        (path / f"x86/{guest}.flat").touch()


class Ran:
    """The tool, when it has ended; `runs` are the arguments of each `sidestep run`, by the section's ledger."""

    def __init__(self, *arguments, report="none", sidestep=FAKE, out=subprocess.PIPE, tool=TOOL):
        log = pathlib.Path("log").resolve()
        log.unlink(missing_ok=True)
        words = [tool, *(["--sidestep", str(sidestep)] if sidestep else []), *arguments]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, timeout=patient(30),
                              env={**os.environ, "FAKE_LOG": str(log), "FAKE_REPORT": report}, check=False)
        self.status, self.err = done.returncode, done.stderr.decode()
        self.raw = done.stdout or b""
        self.out = self.raw.decode()
        self.lines = self.out.splitlines()
        self.calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        self.runs = {pathlib.Path(words[words.index("--ledger") + 1]).stem: words for words in self.calls if words[0] == "run"}

    def row(self, name):
        """Words of the row of a section, and the lines below it."""
        at = next((i for i, line in enumerate(self.lines) if line.split()[1:2] == [name]), None)
        if at is None:
            return [], []
        below = []
        for line in self.lines[at + 1:]:
            if not line.startswith("  # "):
                break
            below.append(line[4:])
        return self.lines[at].split(), below

    def option(self, name, option):
        words = self.runs.get(name, [])
        return words[words.index(option) + 1] if option in words else None


def told(name, ran, status, regex):
    """One line on standard error."""
    check(name, ran.status == status and re.fullmatch(f"kvm-unit-tests: .*{regex}.*\n", ran.err),
          f"status {ran.status}, {ran.err!r}")


def usage(tree):
    shown = Ran("--help")
    check("--help", shown.status == 0 and "--group GROUP" in shown.out and not shown.err, shown.err)
    for name, words, regex in (
            ("no DIR", [], "DIR.*--help"),
            ("an unknown option", ["--no-such", "tree"], "--no-such.*--help"),
            ("an abbreviated option", ["--gro", "some", "tree"], "--gro"),
            ("an unknown format", ["--format", "xml", "tree"], "'xml'.*text"),
            ("a timeout that is none", ["--timeout", "-1", "tree"], "timeout"),
            ("a timeout without end", ["--timeout", "inf", "tree"], "'inf' is no number of seconds"),
            ("a directory that is missing", ["no-such-dir"], "no-such-dir: no such directory; name a built"),
            ("a directory of something else", ["."], "unittests.cfg: No such file or directory; name a built"),
            ("a tree that is not built", ["unbuilt"], r"no x86/\*.flat.*\./configure --arch=x86_64 && make"),
            ("a tree for other processors", ["arm"], r"built for arm64: run `\./configure --arch=x86_64 && make"),
            ("a pattern of nothing", ["tree", "pass", "no-section*"], r"no section matches 'no-section\*'; --list"),
            ("a group of nothing", ["--group", "no-such", "tree"], "no section is of the group 'no-such'"),
            ("nothing of both", ["--group", "some", "tree", "pass"], "no section is left"),
            ("a file that cannot be", ["-o", "no-such-dir/file", "tree"], "no-such-dir/file: No such file"),
            ("ledgers that cannot be", ["--ledger", "/proc/no-such", "tree"], "/proc/no-such: .*; name a directory"),
            ("an escape in a name", ["\x1b[31m"], r"\?\[31m: no such directory")):
        told(name, Ran(*words), 2, regex)
    told("no such sidestep", Ran("tree", sidestep="./no-such-program"), 2, "no such program; name one with --sidestep")
    alone = pathlib.Path("alone/tools/kvm-unit-tests")
    alone.parent.mkdir(parents=True)
    shutil.copy(TOOL, alone)
    shutil.copytree(TOOL + ".d", f"{alone}.d")
    shutil.copytree(os.path.join(os.path.dirname(TOOL), "shared.d"), alone.parent / "shared.d")
    done = subprocess.run([alone, "tree"], capture_output=True, text=True, check=False)
    check("sidestep is not built", done.returncode == 2 and "meson setup build" in done.stderr, done.stderr)
    (alone.parent.parent / "build").mkdir()
    (alone.parent.parent / "build/sidestep").symlink_to(FAKE)
    done = subprocess.run([alone, "tree", "64-bit"], capture_output=True, text=True, check=False,
                          env={**os.environ, "FAKE_LOG": "log"})
    check("sidestep is beside the tool", done.returncode == 0 and "1 passed" in done.stdout, done.stderr)
    with open("/dev/full", "wb") as full:
        told("a full disk", Ran("tree", "64-bit", out=full), 99, "No space left")
    reader, writer = os.pipe()
    os.close(reader)
    gone = Ran("tree", "64-bit", out=writer)
    check("nobody reads", gone.status == 141 and not gone.err, (gone.status, gone.err))
    os.close(writer)
    check("nothing has been executed", not pathlib.Path("executed").exists() and not (tree / "executed").exists())


SHELL = "needs: a shell, for {}; host: only $MAX_SMP, $((...)) and `date +%s` are known"
DEVICE = "needs: -device {}; host: sidestep has no such device"
ALL = {  # verdict, counts, and what stands below
    "pass": ("pass", "3 0 1", []),
    "skip": ("skip", "1 0 1", ["SKIP: no such feature"]),
    "unable": ("skip", "- - -", ["engine vmx cannot run here: needs: vmx; host: no nested VMX"]),
    "broken": ("fail", "1 1 0", ["triple fault at 0x41004f", "FAIL: one"]),
    "asserts": ("abort", "- - -", ["aborted: x86/vm.c:12: assert failed: a == b"]),
    "abort": ("abort", "- - -", ["aborted: Unhandled exception 6 #UD at ip 0000000000400123"]),
    "timeout": ("timeout", "- - -", ["timeout after 60 s"]),
    "host": ("skip", "- - -", ["/dev/kvm: Permission denied; be in the group kvm"]),
    "usage": ("error", "- - -", ["-c 9: no more than 8"]),
    "crash": ("error", "- - -", ["sidestep was ended by SIGSEGV"]),
    "refused": ("error", "- - -", ["sidestep was ended by SIGSYS"]),
    "leaves-a-child": ("pass", "3 0 1", []),
    "fail": ("fail", "14 10 2", [*(f"FAIL: number {i}" for i in range(9)), "and 1 more"]),
    "backquotes": ("skip", "- - -", [SHELL.format("`touch executed`")]),
    "dollars": ("skip", "- - -", [SHELL.format("$(touch executed)")]),
    "redirected": ("skip", "- - -", [SHELL.format("> executed")]),
    "unended": ("skip", "- - -", [SHELL.format('" without its end')]),
    "disabled": ("skip", "- - -", [SHELL.format("touch executed")]),
    "iommu": ("skip", "- - -", [DEVICE.format("intel-iommu,intremap=on")]),
    "vmport": ("skip", "- - -", ["needs: -machine vmport=on; host: sidestep has no such port"]),
    "hyperv": ("skip", "- - -", [DEVICE.format("hyperv-testdev")]),
    "32-bit": ("skip", "- - -", ["needs: i386; host: TREE is built for x86_64"]),
    "tcg": ("skip", "- - -", ["needs: accel=tcg; host: sidestep runs under KVM"]),
    "manual": ("skip", "- - -", ["needs: to be asked for; host: it is of the group nodefault: give its name, or --group"]),
    "migration": ("skip", "- - -", ["needs: migration; host: sidestep has none"]),
    "unchecked": ("skip", "- - -", ["needs: /proc/sys/kernel/ostype=Minix; host: it is Linux"]),
    "no-such-check": ("skip", "- - -", ["needs: /proc/no-such-file=1; host: No such file or directory"]),
    "missing": ("skip", "- - -", ["needs: x86/missing.flat; host: TREE has none (make builds it)"]),
    "no-file": ("skip", "- - -", ["needs: a line `file = NAME.flat`; host: its section has none"]),
    "checked": ("pass", "3 0 1", []),
    "words": ("pass", "3 0 1", ["ignored: ignored"]),
    "quotes": ("pass", "3 0 1", ["ignored: -cpu max,-pcid"]),
    "lines": ("pass", "3 0 1", [r"ignored: '\' -device edu"]),
    "given": ("pass", "3 0 1", []),
    "ignored": ("pass", "3 0 1",
                ["ignored: -cpu qemu64,+x2apic -M pit=off -overcommit cpu-pm=on -m 0 -nographic machine=q35"]),
    "time": ("pass", "3 0 1", ["ignored: timeout=soon"]),
    "last": ("pass", "3 0 1", []),
}
RUNS = {  # -m, -c, --append, --timeout
    "pass": ("128M", "1", None, "90"),
    "counted": ("128M", "1", "counted", "90"),
    "fail": ("128M", "2", None, "90"),
    "timeout": ("128M", "1", None, "60"),
    "words": ("2M", "1", 'a "b"', "90"),
    "quotes": ("128M", "1", "one 'two' \"three\" $four \\five*", "90"),
    "minus": ("128M", "1", "-pause_filter_test -other*", "90"),
    "most": ("1024G", CPUS, None, "90"),
    "lines": ("2G", "3", "x y\nz", "90"),
    "one-line": ("128M", "1", "one", "90"),
    "pass-2": ("128M", "1", "a", "90"),
}


def whole(tree):
    ran = Ran("tree")
    equal("status, with sidestep failing", ran.status, 99)
    equal("nothing on standard error", ran.err, "")
    for name, (verdict, counts, below) in ALL.items():
        row, found = ran.row(name)
        equal(f"{name}: verdict and counts", [row[:1], row[2:5]], [[verdict], counts.split()])
        equal(f"{name}: below", found, [line.replace("TREE", str(tree)) for line in below])
    row, _ = ran.row("pass")
    check("exits", row[6:8] == ["-", "1247"] and " ".join(row[8:]) == "vmm: io 1203, mmio 44", row)
    equal("no exits of what did not run", ran.row("unable")[0][6:], ["-", "-"])
    for name, wanted in RUNS.items():
        found = tuple(ran.option(name, option) for option in ("-m", "-c", "--append", "--timeout"))
        equal(f"{name}: arguments", found, wanted)
    equal("pass: all of them", [word for word in ran.runs["pass"] if not word.startswith("/tmp/") or word.endswith(".flat")],
          ["run", "--platform", "pc", "-m", "128M", "-c", "1", "--timeout", "90", "--ledger", "-q",
           str(tree / "x86/pass.flat")])
    equal("last of each wins", (ran.option("last-wins", "-m"), ran.option("last-wins", "-c")), ("3072M", "5"))
    equal("the later key takes the place of the one before", ran.option("last-wins", "--append"), "first")
    equal("an expression", ran.option("expressions", "-c"), "5")
    append = (ran.option("expressions", "--append") or "").split()
    check("date and variables", append[:1] == ["10000000"] and abs(int(append[1]) - time.time()) < patient(30)
          and append[2:] == [CPUS], append)
    equal("a row of each section", sum(not line.startswith("  #") for line in ran.lines[1:-2]),
          (HERE / "unittests.cfg").read_text().count("\n[") - 1)
    equal("why L0 is not counted", ran.lines[-2], "# l0: not observed one by one: no ?[1mtracefs")
    kinds = [line.split()[0] for line in ran.lines[1:-2] if not line.startswith("  #")]
    passed, skipped = kinds.count("pass"), kinds.count("skip")
    equal("the last line", ran.lines[-1], f"{passed} passed, {len(kinds) - passed - skipped} failed, {skipped} skipped")
    check("nothing has been executed", not pathlib.Path("executed").exists())
    check("of the hostile one nothing reaches a terminal", not re.search(r"[^\n\x20-\x7e]", ran.out),
          re.findall(r"[^\n\x20-\x7e]", ran.out))
    equal("hostile: no absurd counts", ran.row("hostile")[0][2:5], ["-"] * 3)
    check("hostile: its failure is named", "FAIL: ?]0;title? <b>" in ran.row("hostile")[1], ran.row("hostile")[1])
    equal("endless: the last of it counts", ran.row("endless")[0][:5], ["pass", "endless", "1", "0", "0"])


def chosen():
    for name, words, sections, status in (
            ("a name", ["tree", "fail"], ["fail"], 1),
            ("names and patterns", ["tree", "c?unted", "[64]*-bit"], ["counted", "64-bit"], 0),
            ("options among the others", ["tree", "--group", "some", "f*", "--timeout", "9", "man*"], ["fail", "manual"], 1),
            ("two groups", ["tree", "--group", "failing", "--group", "nodefault"], ["fail", "manual"], 1),
            ("nodefault by name", ["tree", "manual"], ["manual"], 0),
            ("two of a name", ["tree", "pass"], ["pass", "pass-2"], 0),
            ("a timeout", ["tree", "timeout", "pass"], ["pass", "timeout", "pass-2"], 124),
            ("a failure and a timeout", ["tree", "timeout", "fail"], ["fail", "timeout"], 1),
            ("an abort", ["tree", "abort", "timeout"], ["abort", "timeout"], 1),
            ("sidestep failing is worse", ["tree", "usage", "fail"], ["fail", "usage"], 99),
            ("skipped, and passed", ["tree", "skip", "64-bit"], ["skip", "64-bit"], 0)):
        ran = Ran(*words)
        equal(name, (list(ran.runs), ran.status), (sections, status))
    manual = Ran("tree", "man*")
    equal("nodefault by a pattern", (list(manual.runs), manual.status), ([], 77))
    equal("all skipped", Ran("tree", "skip", "tcg").status, 77)
    equal("--timeout", Ran("--timeout", "2.5", "tree", "timeout").option("timeout", "--timeout"), "2.5")
    equal("--timeout 0", Ran("--timeout", "0", "tree", "timeout").option("timeout", "--timeout"), "0")
    equal("--engine", Ran("--engine", "flat", "tree", "64-bit").option("64-bit", "--engine"), "flat")
    listed = Ran("--list", "tree")
    check("--list", listed.status == 0 and not listed.runs and re.search(
        r"^fail +fail\.flat, 2 vCPU, 128M, 90 s \[some failing\]$", listed.out, re.M), listed.out)
    check("--list says why not", re.search(r"^tcg .*; skipped: needs: accel=tcg;", listed.out, re.M), listed.out)
    other = Ran("i386", "32-bit", "64-bit")
    equal("a tree of 32 bits", (list(other.runs), other.status), (["32-bit"], 0))


def exits():
    seen = Ran("tree", "64-bit", report="l0")
    row, _ = seen.row("64-bit")
    equal("both levels", (row[6:8], " ".join(row[8:])), (["3247", "200"], "l0: cpuid 3000, io 200, hlt 40; vmm: io 200"))
    equal("nothing to explain", len(seen.lines), 3)
    equal("observed, and none", Ran("tree", "64-bit", report="quiet").row("64-bit")[0][6:], ["0", "0"])
    lost = Ran("tree", "64-bit", report="lost")
    equal("of some there is no record", lost.row("64-bit")[0][6:], [">20", ">0", "l0:", "cpuid", "20"])
    equal("and why", lost.lines[-3:-1], ["# l0: tracepoint kvm:kvm_exit, 20 one by one, 10 lost",
                                         "# vmm: run loop, but for records that found no room"])
    for report, regex in (("broken", "the ledger is damaged"), ("list", "no report"), ("odd", "no report")):
        ran = Ran("tree", "64-bit", report=report)
        unknown = ran.row("64-bit")[0][6:] == ["-", "-"]
        check(f"a report that is {report}", ran.status == 0 and unknown and regex in ran.lines[-2], ran.out)
    kept = pathlib.Path("deep/er")
    Ran("--ledger", str(kept), "tree", "pass", "unable", "../*", "fail")
    equal("--ledger", sorted((path.name, path.read_text()) for path in kept.iterdir()),
          sorted([("pass.ledger", "ledger of pass"), ("pass-2.ledger", "ledger of pass"), ("fail.ledger", "ledger of fail"),
                  ("_._name_.._of_a_path.ledger", "ledger of pass")]))
    (kept / "unable.ledger").write_text("of another day")
    equal("a ledger of before is not counted", Ran("--ledger", str(kept), "tree", "unable").row("unable")[0][6:], ["-", "-"])


def tap():
    ran = Ran("--format", "tap", "tree", "pass", "fail", "skip", "abort", "hostile", "ignored")
    lines = ran.lines
    equal("TAP: version and plan", lines[:2], ["TAP version 13", "1..7"])
    equal("TAP: lines of tests", [line for line in lines if re.match(r"(not )?ok", line)],
          ["ok 1 - pass", "not ok 2 - fail", "ok 3 - skip # SKIP SKIP: no such feature", "not ok 4 - abort",
           "not ok 5 - hostile", "ok 6 - ignored", "ok 7 - pass"])
    check("TAP: all else is a comment", all(re.match(r"# |(not )?ok \d", line) for line in lines[2:]), ran.out)
    check("TAP: what is ignored", any(line.startswith("# ignored: -cpu qemu64") for line in lines), ran.out)
    check("TAP: exits", any(line.endswith("exits at l0 -, vmm 1247; vmm: io 1203, mmio 44") for line in lines), ran.out)
    equal("TAP: a status as of text", ran.status, 1)


def junit():
    ran = Ran("--format", "junit", "-o", "out.xml", "tree")
    check("JUnit: in a file, and nothing elsewhere", ran.status == 99 and not ran.out and not ran.err, ran.out + ran.err)
    suite = ElementTree.parse("out.xml").getroot().find("testsuite")
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    count = lambda kind: sum(case.find(kind) is not None for case in suite.findall("testcase"))
    equal("JUnit: the suite", (suite.get("name"), suite.get("tests")), ("kvm-unit-tests", str(len(suite.findall("testcase")))))
    equal("JUnit: sums", [suite.get(key) for key in ("failures", "errors", "skipped")],
          [str(count(kind)) for kind in ("failure", "error", "skipped")])
    equal("JUnit: verdicts", [cases[name].find(kind).get("message") for name, kind in
                              (("fail", "failure"), ("timeout", "failure"), ("usage", "error"), ("host", "skipped"), ("tcg", "skipped"))],
          ["FAIL: number 0", "timeout after 60 s", "-c 9: no more than 8",
           "/dev/kvm: Permission denied; be in the group kvm", "needs: accel=tcg; host: sidestep runs under KVM"])
    equal("JUnit: nothing of the kind in what passed", [child.tag for child in cases["pass"]], ["properties", "system-out"])
    check("JUnit: times", all(re.fullmatch(r"\d+\.\d{3}", node.get("time")) for node in (suite, *cases.values())))
    properties = {node.get("name"): node.get("value") for node in cases["pass"].iter("property")}
    equal("JUnit: exits", (properties.get("exits.vmm"), properties.get("exits.l0")), ("1247", None))
    output = cases["hostile"].find("system-out").text
    check("JUnit: hostile output", "]]> <&\"" in output and "\x1b" not in output and "\ufffd" in output, repr(output))
    output = cases["endless"].find("system-out").text
    check("JUnit: output is bounded", 60 << 10 < len(output) < 70 << 10 and output.startswith("["), len(output))
    check("JUnit: so much is missing", int(re.match(r"\[(\d+) more before\]", output)[1]) > 8 << 20, output[:40])
    equal("JUnit: no part of a file is left", [name for name in os.listdir(".") if name.startswith("out.xml.")], [])
    umask = os.umask(0)
    os.umask(umask)
    equal("JUnit: the rights of any file", os.stat("out.xml").st_mode & 0o777, 0o666 & ~umask)
    os.chmod("out.xml", 0o640)
    os.symlink("out.xml", "link")
    equal("-o: over a file of before", Ran("--list", "-o", "link", "tree", "fail").out, "")
    equal("-o: it has its mode, and its name", (os.stat("out.xml").st_mode & 0o777, os.path.islink("link")), (0o640, True))
    check("-o: it has what is new", pathlib.Path("out.xml").read_text().startswith("fail "))
    equal("-o -", Ran("--list", "-o", "-", "tree", "fail").out, pathlib.Path("out.xml").read_text())
    equal("-o /dev/null", Ran("--list", "-o", "/dev/null", "tree", "fail").status, 0)


def await_file(path):
    last = time.monotonic() + patient(10)
    while not (os.path.exists(path) and os.path.getsize(path)) and time.monotonic() < last:
        time.sleep(0.01)
    return path.read_text() if path.exists() else ""


def await_gone(pid):
    last = time.monotonic() + patient(10)
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < last:
        time.sleep(0.01)


def end_orphans():
    """Ends the processes that guests have left."""
    with contextlib.suppress(FileNotFoundError):
        for pid in pathlib.Path("log.orphans").read_text().split():
            os.kill(int(pid), signal.SIGKILL)


def interrupted(number, form, output=None):
    """What is there when a signal comes in the third test."""
    for name in ("log.started", "log.ended", "part"):
        pathlib.Path(name).unlink(missing_ok=True)
    words = [TOOL, "--sidestep", str(FAKE), "--format", form, *(["-o", output] if output else []), "waits"]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "FAKE_LOG": "log"})
    pid = await_file(pathlib.Path("log.started"))
    process.send_signal(number)
    out, err = process.communicate(timeout=patient(20))
    name = f"{number.name}, {form}{', -o' if output else ''}"
    equal(f"{name}: status", process.returncode, 128 + number)
    equal(f"{name}: nothing on standard error", err, "")
    check(f"{name}: ends the child", pid and pathlib.Path("log.ended").exists() and not os.path.exists(f"/proc/{pid}"), pid)
    return out.splitlines()


def signals():
    guests = {"a": "pass", "b": "fail", "c": "wait", "d": "pass"}
    make_tree(pathlib.Path("waits").resolve(), "".join(f"[{name}]\nfile = {guest}.flat\n" for name, guest in guests.items()))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        lines = interrupted(number, "text")
        equal(f"{number.name}: what there is", [line.split()[:2] for line in lines if not line.startswith(("  #", "#"))][1:],
              [["pass", "a"], ["fail", "b"], ["1", "passed,"]])
        equal(f"{number.name}: says so", lines[-2:],
              [f"# ended by {number.name} after 2 of 4", "1 passed, 1 failed, 0 skipped"])
    lines = interrupted(signal.SIGINT, "tap")
    equal("SIGINT: TAP bails out", lines[-1], "Bail out! ended by SIGINT after 2 of 4")
    document = ElementTree.fromstring("\n".join(interrupted(signal.SIGINT, "junit")).encode())
    equal("SIGINT: JUnit has what there is", len(document.findall("testsuite/testcase")), 2)
    interrupted(signal.SIGINT, "text", "part")
    equal("SIGINT: no file that is not complete", [name for name in os.listdir(".") if name.startswith("part")], [])


def imported():
    """What would take long otherwise."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("kvm_unit_tests", TOOL)
    tool = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(tool)
    cfg, host, results = (sys.modules[name] for name in ("cfg", "host", "results"))
    host.GRACE, host.TERM_GRACE = 0.2, 0.2
    make_tree(pathlib.Path("hangs").resolve(), "[stubborn]\nfile = stubborn.flat\ntimeout = 0.3\n[last]\nfile = pass.flat\n")
    os.environ["FAKE_LOG"] = "log"
    sys.argv = [TOOL, "--sidestep", str(FAKE), "hangs"]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = tool.work()
    check("one that does not end is killed, and the next begins", status == 99 and "was killed" in out.getvalue()
          and "1 passed, 1 failed, 0 skipped" in out.getvalue(), out.getvalue())
    pid = pathlib.Path("log.started").read_text()
    check("it is gone", not os.path.exists(f"/proc/{pid}"), pid)
    tail, size = results.Tail(), 0
    for _ in range(100):
        tail.add(b"\r\n" + b"x" * (64 << 10))
        size = max(size, len(tail.data))
    check("memory for output is bounded", size <= 3 * results.KEPT and len(tail.lines()[-1]) == 64 << 10, size)
    equal("and what is left out is known", tail.left_out + len(tail.data), 100 * ((64 << 10) + 2))
    equal("so is a line", len(results.printable("x" * 1000)), results.LINE)
    for text, value in (("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("-7 / 2", -3), ("-7 % 2", -1), ("7 - 2 - 1", 4), ("1 < 2", 1),
                        ("3 <= 2", 0), ("1 == 1", 1), ("1 != 1", 0), ("0 ? 1 : 2", 2), ("$N > 4 ? 4 : $N", 3), ("N", 3)):
        equal(f"$(({text}))", cfg.arithmetic(text, {"N": 3}), value)
    for text in ("", "1 +", "1 2", "(1", "M", "1 / 0", "1 % 0", "1 ? 2", "a[0]", "1 ** 2", "1 << 2"):
        with contextlib.suppress(cfg.NeedsShell):
            check(f"$(({text})) is refused", False, cfg.arithmetic(text, {"N": 3}))
            continue
        check(f"$(({text})) is refused", True)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        config = (HERE / "unittests.cfg").read_text()
        tree = pathlib.Path("tree").resolve()
        make_tree(tree, config)
        make_tree(pathlib.Path("unbuilt"), config, ())
        make_tree(pathlib.Path("arm"), config, arch="arm64")
        make_tree(pathlib.Path("i386"), config, arch="i386")
        try:
            usage(tree)
            whole(tree)
            chosen()
            exits()
            tap()
            junit()
            signals()
            imported()
        finally:
            end_orphans()
            os.chdir("/")
    return total()


if __name__ == "__main__":
    sys.exit(main())
