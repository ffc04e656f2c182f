#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tools/kvm-bisect on small repositories, with builds and labs that stand in for ours.

Usage: runner.py TOOLS SIDESTEP [PART...]. A line per check, "ok" or "not ok".
"""
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

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from checks import check, equal, total
from patience import patient

HERE = pathlib.Path(__file__).resolve().parent
TOOLS, SIDESTEP = map(os.path.realpath, sys.argv[1:3])
OPERATION = "ref.cpuid"


def git(*words, tree="tree"):
    who = ["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "core.hooksPath=/dev/null"]
    return subprocess.run(["git", *who, "-C", tree, *words], check=True, capture_output=True, text=True).stdout.strip()


def history(*kernels, tree="tree"):
    """A repository with a commit for each kernel, numbered from 0 by tags c0, c1..."""
    shutil.rmtree(tree, ignore_errors=True)
    shutil.rmtree("keep", ignore_errors=True)
    os.mkdir(tree)
    git("init", "-q", "-b", "main", tree=tree)
    pathlib.Path(tree, "other").write_text("the same in all\n")
    for i, kernel in enumerate(kernels):
        pathlib.Path(tree, "kernel").write_text(kernel)
        pathlib.Path(tree, f"of{i}").write_text("\n")
        git("add", "-A", tree=tree)
        git("commit", "-q", "-m", f"commit {i}", tree=tree)
        git("tag", f"c{i}", tree=tree)


def begin(*words):
    pathlib.Path("log").unlink(missing_ok=True)
    return subprocess.Popen(["tools/kvm-bisect", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={**os.environ, "FAKE_LOG": os.path.abspath("log")})


def calls(name):
    log = pathlib.Path("log")
    lines = log.read_text().splitlines() if log.exists() else []
    return [call for call in map(json.loads, lines) if call["name"] == name]


class Ran:
    """The tool, when it has ended, from the first to the last commit unless `ends` names others."""

    def __init__(self, *words, ends=None, operation=OPERATION, tree="tree", options=()):
        last = git("tag", "--sort=-version:refname", tree=tree).split()[0]
        process = begin(*(options or ("--keep", "keep")), tree, *(ends or ("c0", last)), operation, *words)
        self.out, self.err = process.communicate(timeout=patient(60))
        self.status = process.returncode
        self.builds, self.boots = calls("build-kernel"), calls("lab")
        self.found = re.match(r"([0-9a-f]{40}) is the first bad commit: (.*)\n", self.out)
        self.found = self.found and self.found[2]


def finds(name, kernels, wanted, *options):
    history(*kernels)
    ran = Ran(options=("--keep", "keep", *options))
    equal(f"{name}: found", (ran.status, ran.found), (0, f"commit {wanted}"))
    if ran.status:
        print(ran.err)
    return ran


def found():
    same = ["100 3"] * 3
    ran = finds("by exits", [*same, "100 4", "100 4", "100 4"], 3)
    check("by exits: says so", "exits: l0 3 or 4" in ran.out, ran.out)
    check("by exits: good and bad neighbour",
          re.search(r"\bgood +100 +3 +1 +- .*commit 2\n[0-9a-f]+ bad +100 +4 +1 +- ", ran.out), ran.out)
    ran = finds("by ticks", ["100 3", "101 3", "99.5 3", "104 3", "110 3", "109 3"], 4)
    check("by ticks: half way", "told apart at 104.5" in ran.out, ran.out)
    finds("by ticks that are fewer", ["110 3", "109 3", "104 3", "101 3", "100 3"], 2)
    finds("exits before ticks", ["100 3", "200 3", "200 4", "200 4"], 2)
    finds("by ticks though exits differ", ["100 3", "200 3", "200 4", "200 4"], 1, "--by", "ticks")
    finds("a threshold", ["100 3", "120 3", "140 3", "160 3", "180 3"], 4, "--threshold", "170")
    finds("exits between the two", ["1 10", "1 11", "1 13", "1 20", "1 20"], 3)
    finds("neighbours", ["1 1", "1 2"], 1)
    ran = finds("skipped", ["1 1", "1 1", "panic", "broken", "unable", "1 1", "1 2", "broken", "1 2"], 6)
    check("skipped: why", re.search(r"skipped: does not build: kernel/sched\.c:1:1: error", ran.err) or
          "panicked" in ran.err or "needs: vmx" in ran.err, ran.err)
    check("skipped: counted", re.search(r"8 commits, \d+ steps, [1-4] skipped", ran.out), ran.out)
    check("skipped: in the table", re.search(r"^[0-9a-f]{12} skipped  +- +- +- +- ", ran.out, re.M), ran.out)
    check("the log of git is kept", "# first bad commit" in pathlib.Path("keep/bisect.log").read_text())


def no_worktree(name):
    left = os.path.exists("keep/source"), len(git("worktree", "list").splitlines())
    equal(f"{name}: no worktree", left, (False, 1))


def not_found():
    history("1 1", "1 1", "broken", "panic", "1 2", "1 2")
    ran = Ran()
    left = [git("rev-parse", "--short=12", f"c{i}") for i in (2, 3, 4)]
    last = (ran.err.splitlines() or [""])[-1]
    check("only skipped ones are left",
          ran.status == 1 and not ran.out and all(commit in last for commit in left), ran.err)
    for name, kernels, options, status, regex in (
            ("no difference", ["7 1", "9 2", "7 1"], (), 1,
             "GOOD and BAD do not differ: the same cost, 7 ticks, exits: l0 1"),
            ("no other exits", ["7 1", "9 1"], ("--by", "exits"), 1, "GOOD and BAD do not differ: the same exits"),
            ("both below the threshold", ["7 1", "9 1"], ("--threshold", "10"), 1,
             "GOOD and BAD do not differ: 7 and 9 ticks"),
            ("GOOD does not build", ["broken", "7 2"], (), 1,
             "GOOD cannot be measured: does not build: kernel/sched.c:1:1: error"),
            ("BAD does not boot", ["7 1", "panic"], (), 1,
             "BAD cannot be measured: lab: the lab's kernel panicked: no init"),
            ("no lab", ["lost", "7 1"], (), 99, "GOOD cannot be measured: lab: bochs is not installed: run apt-get"),
            ("a full disk on the way", ["7 1", "full", "7 2"], (), 99, "[0-9a-f]{12}: build-kernel: disk full"),
            ("what nobody thought of", ["7 1", "no-room", "7 2"], (), 99, "git bisect ended with status 1.*"),
            ("no lab on the way", ["7 1", "lost", "7 2"], (), 99, "[0-9a-f]{12}: lab: bochs is not installed")):
        history(*kernels)
        ran = Ran(options=("--keep", "keep", *options))
        last = (ran.err.splitlines() or [""])[-1]
        check(name, ran.status == status and not ran.out and re.match(f"kvm-bisect: {regex}", last),
              f"status {ran.status}, {ran.err}")
        no_worktree(name)


def usage():
    history("1 1", "1 2")
    bad = ("c0", "c1")
    for name, words, regex in (
            ("nothing", [], "required.*--help"),
            ("an unknown option", ["--no-such", "tree", *bad, OPERATION], "--no-such.*--help"),
            ("no tree", ["missing", *bad, OPERATION], "missing: not a git repository"),
            ("no repository", ["/", *bad, OPERATION], "/: not a git repository"),
            ("no such commit", ["tree", "c7", "c1", OPERATION], "c7: tree has no such commit"),
            ("an option for a commit", ["tree", "c0", "HEAD --all", OPERATION], "has no such commit"),
            ("the same commit", ["tree", "c0", "c0", OPERATION], "the same commit"),
            ("the wrong way round", ["tree", "c1", "c0", OPERATION], "BAD is older than GOOD: name the older one GOOD"),
            ("no operation", ["tree", *bad, "ref.none"], "ref.none: no operation: see sidestep test --list"),
            ("a pattern", ["tree", *bad, "ref.*"], r"ref\.\*: no operation"),
            ("an unknown lab", ["--lab", "arm", "tree", *bad, OPERATION], "'arm'"),
            ("an engine of the other lab", ["--engine", "svm", "tree", *bad, OPERATION], "intel has vmx and flat"),
            ("no fragment", ["--config", "missing", "tree", *bad, OPERATION], "--config missing: no such file"),
            ("no compilers", ["--jobs", "0", "tree", *bad, OPERATION], "--jobs"),
            ("a threshold of exits", ["--by", "exits", "--threshold", "4", "tree", *bad, OPERATION], "is for ticks"),
            ("a file to keep in", ["--keep", "tools/lab", "tree", *bad, OPERATION], "--keep .*: name a directory")):
        process = begin(*words)
        out, err = process.communicate(timeout=patient(30))
        check(name, process.returncode == 2 and not out and re.fullmatch(f"kvm-bisect: .*{regex}.*\n", err),
              f"status {process.returncode}, {err!r}")
        equal(f"{name}: nothing built", calls("build-kernel"), [])
    process = begin("--build", "elsewhere", "tree", *bad, OPERATION)
    _, err = process.communicate(timeout=patient(30))
    check("not built", process.returncode == 99 and
          re.fullmatch("kvm-bisect: elsewhere/sidestep is not built: run meson .*\n", err), err)


def tree_stays():
    """The user has another branch, changes in the index and outside of it, and a bisection of his own."""
    history("1 1", "1 1", "1 1", "1 2", "1 2")
    git("bisect", "start", "c4", "c0")
    pathlib.Path("tree/of0").write_text("changed\n")
    pathlib.Path("tree/of1").write_text("staged\n")
    git("add", "of1")

    def state():
        return [git(*words.split()) for words in
                ("status --porcelain=v2 --branch", "bisect log", "for-each-ref", "stash list", "worktree list")]
    before = state()
    ran = Ran()
    equal("a user at work: found", ran.found, "commit 3")
    equal("a user at work: all is as it was", state(), before)


def kept():
    history("5 1", "5 1", "6 1", "6 1", "7 1", "7 1")
    first = Ran()
    equal("what is kept: each commit built once", len(first.builds), len({call["words"][-1] for call in first.builds}))
    equal("what is kept: each kernel booted once", len(first.boots), len({boot_kernel(call) for call in first.boots}))
    check("what is kept: command", first.boots[0]["words"][0] == "intel" and " ".join(first.boots[0]["words"]).endswith(
        f"-- sidestep bench --engine vmx --timeout 0 --format json {OPERATION}"), first.boots[0])
    again = Ran()
    equal("what is kept: nothing is done again", (again.found, again.builds, again.boots), (first.found, [], []))
    with open("tools/lab", "a", encoding="utf-8") as file:
        file.write("# changed\n")
    changed = Ran()
    equal("what is kept: another lab's numbers are not", (changed.builds, len(changed.boots)), ([], len(first.boots)))
    other = Ran(operation="cr0.ts.mov")
    equal("another operation: no build", (other.builds, len(other.boots)), ([], len(first.boots)))
    pathlib.Path("fragment").write_text("CONFIG_X=y\n")
    other = Ran(options=("--keep", "keep", "--config", "fragment"))
    equal("another configuration: built anew", len(other.builds), len(first.builds))
    other = Ran(options=("--keep", "keep", "--lab", "amd"))
    equal("another lab: booted anew", [call["words"][0] for call in other.boots], ["amd"] * len(first.boots))


def boot_kernel(call):
    return pathlib.Path(call["words"][call["words"].index("--kernel") + 1], "vmlinuz").read_text()


def objects():
    """A later run has files as old as the objects, but for those that another commit has."""
    history("5 1", "6 1", "6 1", "7 1")
    Ran()
    made_of = pathlib.Path("keep/objects.commit").read_text()
    shutil.rmtree("keep/kernels")
    build = Ran().builds[0]
    new = {name for name, at in build["times"].items() if at > 1000} - {".git"}
    wanted = set(git("diff", "--name-only", "--diff-filter=AM", made_of, "c0").split())
    equal("objects: files that differ are new, others old", (new, "other" in build["times"]), (wanted, True))
    history("5 1", "broken", "7 1")
    Ran()
    check("objects: of no commit after a build that failed", not os.path.exists("keep/objects.commit"))


def paths():
    history("1 1", "1 1", "1 2", "1 2", "1 2")
    ran = Ran("kernel", "of4")
    check("paths", ran.found == "commit 2" and "2 commits, " in ran.out, ran.out + ran.err)


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ended():
    for name, kernels, sent in (("SIGINT in a step", ["1 1", "hang", "1 2"], signal.SIGINT),
                                ("SIGTERM at GOOD", ["hang", "1 2"], signal.SIGTERM)):
        history(*kernels)
        process = begin("--keep", "keep", "tree", "c0", f"c{len(kernels) - 1}", OPERATION)
        until = time.monotonic() + patient(10)
        while time.monotonic() < until and not any(boot_kernel(call) == "hang" for call in calls("lab")):
            time.sleep(0.05)
        lab = calls("lab")[-1]["pid"]
        check(f"{name}: a lab runs", alive(lab))
        second = begin_second()
        process.send_signal(sent)
        out, _ = process.communicate(timeout=patient(60))
        equal(f"{name}: status and output", (process.returncode, out), (128 + sent, ""))
        check(f"{name}: no lab", not alive(lab))
        no_worktree(name)
        check(f"{name}: meanwhile another is refused", second[0] == 2 and "in use by another" in second[1], second)


def begin_second():
    done = subprocess.run(["tools/kvm-bisect", "--keep", "keep", "tree", "c0", "c1", OPERATION], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, check=False, timeout=patient(30))
    return done.returncode, done.stderr


def killed():
    """What SIGKILL has left is removed by the next run."""
    history("1 1", "1 1", "1 2")
    git("worktree", "add", "-q", "--detach", "../keep/source", "c1")
    ran = Ran()
    check("what is not of a run before stays", ran.status == 2 and os.path.exists("keep/source/.git"), ran.err)
    pathlib.Path("keep/steps").touch()
    equal("after SIGKILL: found", Ran().found, "commit 2")
    no_worktree("after SIGKILL")
    shutil.copytree("tree", "keep/source")
    ran = Ran()
    check("a repository where the worktree would be stays",
          ran.status == 2 and os.path.exists("keep/source/.git/HEAD"), ran.err)


def main():
    if not shutil.which("git"):
        print("skipped: needs: git; host: not installed")
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for directory in ("tools", "build"):
            os.mkdir(directory)
        for name in ("kvm-bisect", "kvm-bisect.d", "shared.d", "kernel.config"):
            source = pathlib.Path(TOOLS, name)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, f"tools/{name}")
        for name in ("lab", "build-kernel"):
            shutil.copy(HERE / "stand_in.py", f"tools/{name}")
        os.symlink(SIDESTEP, "build/sidestep")
        for part in (usage, found, not_found, tree_stays, kept, objects, paths, ended, killed):
            if not sys.argv[3:] or part.__name__ in sys.argv[3:]:
                part()
        os.chdir("/")
    return total()


if __name__ == "__main__":
    sys.exit(main())
