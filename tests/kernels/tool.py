#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tools/kernels, with a lab that stands in for ours and kernels that are a list of exits.

Usage: tool.py TOOL SIDESTEP. A line per check, "ok" or "not ok".
"""
import html.parser
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

TESTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path += [TESTS, f"{TESTS}/docs"]
import schemas
from checks import check, equal, total
from patience import patient

HERE = pathlib.Path(__file__).resolve().parent
TOOL, SIDESTEP = (os.path.realpath(word) for word in sys.argv[1:3])
EXITS = """\
vmx ref.nothing 0 0 0 3
vmx service.pin.page 8 2 2 79389
vmx ref.cpuid 3 1 0 11022
vmx view.write.shared.ve needs: ve; host: none
flat ref.nothing 0 - 0 3
flat ref.cpuid 1 - 0 969
svm ref.nothing 0 0 0 3
svm ref.cpuid 3 1 0 11580
"""
OTHER = EXITS.replace("page 8 2 2 79389", "page 12 2 2 143488").replace("11580", "11962").replace("969", "970")
# What stands beside the tool, and in PATH.
PROGRAMS = {
    "tools/build-kernel": """\
echo + >>builds
case "$*" in
*"$(git -C tree rev-parse HEAD~1)"*) ;;
*) printf '%s\\n' make 'build-kernel: it broke' 'build-kernel: all that make said: x'; exit 1 ;;
esac
while [ $# -gt 1 ]; do shift; done
cp -r a "$1" && echo commit >"$1/vmlinuz"
""",
    "build/sidestep": "exec 'SIDESTEP' \"$@\"\n",
    "bin/bochs-bin": ":\n",
    "bin/qemu-system-x86_64": ":\n",
    "bin/dpkg-query": """\
case $1:$2 in
--search:*/bochs-bin) echo "bochs: $2" ;;
--show:*) echo -n "$4 2.7+test" ;;
*) exit 1 ;;
esac
""",
    "bin/apt-cache": """\
for n in 10 9; do echo "linux-image-6.1.0-$n-cloud-amd64 - Linux 6.1 for x86-64 cloud (signed)"; done
""",
}


def make_kernel(path, name, exits=EXITS, *, wrong=()):
    path = pathlib.Path(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / "vmlinuz").write_text(name)
    (path / "exits").write_text(exits)
    for file in wrong:
        (path / file).touch()


def surroundings():
    return {**os.environ, "FAKE_LOG": os.path.abspath("log"), "FAKE_PACKAGES": os.path.abspath("packages"),
            "TMPDIR": os.path.abspath("tmp"), "PATH": f"{os.path.abspath('bin')}:{os.environ['PATH']}"}


class Ran:
    """The tool, when it has ended; `boots` are the arguments of each lab."""

    def __init__(self, *arguments):
        log = pathlib.Path("log")
        log.unlink(missing_ok=True)
        done = subprocess.run(["tools/kernels", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=patient(30), env=surroundings(), check=False)
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.boots = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        if os.listdir("tmp"):
            check(f"{arguments}: nothing is left", False, os.listdir("tmp"))

    def booted(self):
        return sorted((words[0], os.path.basename(words[words.index("--kernel") + 1])) for words in self.boots)


def unchanged():
    ran = Ran("./a", "./same")
    equal("nothing changed", (ran.status, "0 changes" in ran.out), (0, True))
    equal("one boot for each kernel and lab", ran.booted(),
          [("amd", "a"), ("amd", "same"), ("intel", "a"), ("intel", "same")])
    words = ran.boots[[words[0] for words in ran.boots].index("intel")]
    equal("all engines in one boot", words[words.index("sh", words.index("-c")) + 1:], ["0", "100", "vmx", "flat", "--"])
    equal("then no boot at all", Ran("./a", "./same").boots, [])
    equal("one kernel more, one column more", Ran("./a", "./same", "./third").booted(),
          [("amd", "third"), ("intel", "third")])
    equal("other conditions are another number", Ran("--count", "7", "--lab", "amd", "./a").booted(), [("amd", "a")])
    with open("build/sidestep", "a", encoding="utf-8") as file:
        file.write("#\n")
    equal("another sidestep too", Ran("--lab", "amd", "./a").booted(), [("amd", "a")])
    pathlib.Path("a/kvm-amd.ko").write_text("rebuilt")
    equal("and another module", Ran("--lab", "amd", "./a").booted(), [("amd", "a")])
    pathlib.Path("tools/lab.d/amd.sh").write_text("# changed")
    equal("and another lab", Ran("--lab", "amd", "./a").booted(), [("amd", "a")])
    for emulator, booted in (("bochs-bin", []), ("qemu-system-x86_64", [("amd", "a")])):
        with open(f"bin/{emulator}", "a", encoding="utf-8") as file:
            file.write("#\n")
        equal(f"{emulator} is another", Ran("--lab", "amd", "./a").booted(), booted)
    for name, words in (("patterns", ["--operation", "ref.*"]), ("engines", ["--engine", "svm"])):
        ran = Ran("--lab", "amd", *words, "./a")
        equal(f"{name} go into the lab", ran.boots[0][-2:], ["--", "ref.*"] if name == "patterns" else ["svm", "--"])


def changed():
    ran = Ran("./a", "./same", "./b")
    equal("changed: status", ran.status, 1)
    check("exits and ticks of what changed",
          re.search(r"^service\.pin\.page +8/2/2 79389 +\S+ +12/2/2 143488 \+80\.7%$", ran.out, re.M), ran.out)
    check("ticks alone", re.search(r"^ref\.cpuid +3/1/0 11580 +\S+ +11962 \+3\.3%$", ran.out, re.M), ran.out)
    check("not what is within the threshold", "970" not in ran.out, ran.out)
    equal("both sides of a change once more, and no others", ran.booted(),
          [*[("amd", name) for name in ("b", "b", "same", "same")],
           *[("intel", name) for name in ("a", "b", "b", "same", "same")]])
    check("why it is believed", "\n2 of them: measured again, both kernels had the same" in ran.out, ran.out)
    pauses = sorted({words[words.index("sh", words.index("-c")) + 1] for words in ran.boots})
    check("the second time somewhat later", len(pauses) == 2 and pauses[0] == "0" < pauses[1], pauses)
    equal("then no boot", Ran("./a", "./same", "./b").boots, [])
    equal("--exits-only", [Ran(*words, "./a", "./b").status for words in
                           (["--lab", "amd", "--exits-only"], ["--lab", "intel", "--exits-only"])], [0, 1])
    equal("--threshold", [Ran("--lab", "amd", "--threshold", limit, "./a", "./b").status for limit in ("3.2", "3.4")],
          [1, 0])
    ran = Ran("--all", "--lab", "amd", "./a", "./b")
    check("--all", re.search(r"^ref\.nothing +0/0/0 3\.0 +=$", ran.out, re.M) and "970" in ran.out, ran.out)
    equal("--once", Ran("--once", "--lab", "amd", "./b", "./third").booted(), [("amd", "third")])
    ran = Ran("--lab", "amd", "./a", "./drifting")
    check("what varies, and changed all the same, is marked",
          ran.status == 1 and re.search(r"^ref\.cpuid .* 119\d\d \+3\.\d%~$", ran.out, re.M)
          and "\n3 of them, marked ~: " in ran.out, ran.out)
    ran = Ran("--lab", "amd", "./a", "./fading")
    check("what is gone when it is measured again does not count",
          ran.status == 0 and re.search(r"^ref\.cpuid .* 11780 \+1\.7%\?$", ran.out, re.M)
          and "\n4 of them, marked ?: " in ran.out, ran.out)


def failing():
    ran = Ran("--lab", "intel", "./a", "./dead", "./b", "no-such-package")
    equal("a kernel that does not boot", ran.status, 99)
    why = "the lab ended with status 99"
    check("the reason", f"failed: dead: {why}: bochs ended during 'booting': ?[31mkernel panic\n" in ran.out, ran.out)
    check("a package that is not there", f"failed: no-such-package: {why}: cannot fetch" in ran.out, ran.out)
    check("the others are not lost", re.search(
        r"^service\.pin\.page +8/2/2 79389 +failed +12/2/2 143488 \+80\.7% +failed$", ran.out, re.M), ran.out)
    equal("it is tried again", Ran("--lab", "intel", "./a", "./dead").booted(), [("intel", "dead")])
    ran = Ran("--lab", "intel", "--engine", "vmx", "./a", "./tiring")
    check("one that does not boot a second time", ran.status == 99 and "of them: not measured twice" in ran.out
          and "./tiring, intel: the lab ended with status 99: " in ran.err, ran.out)
    ran = Ran("--lab", "amd", "./a", "./dies")
    check("a guest that dies has no column", ran.status == 99 and "failed: dies: KVM stopped the guest" in ran.out
          and "engine flat: 2 operations, 0 of" in ran.out, ran.out)
    equal("nor is it kept", Ran("--lab", "amd", "./dies").booted(), [("amd", "dies")])
    ran = Ran("--lab", "amd", "./rebuilt")
    check("nor has a kernel that is made anew meanwhile",
          ran.status == 99 and "was made anew meanwhile" in ran.out, ran.out)
    ran = Ran("--lab", "amd", "--all", "./unseen")
    check("exits that nobody observed", ran.status == 0 and "n/o/1/0 11580" in ran.out, ran.out)
    ran = Ran("--lab", "amd", "./a", "./no-svm")
    check("an engine that does not run", ran.status == 99 and "failed: no-svm: engine svm cannot run here" in ran.out
          and "engine flat: 2 operations, 0 of" in ran.out, ran.out)


class Cells(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows, self.stack, self.crossed = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag not in ("meta",):
            self.stack.append(tag)
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data):
        if self.stack and self.stack[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def formats():
    kernels = ("./a", "./b", "./dead")
    shown = json.loads(Ran("--format", "json", *kernels).out)
    described = schemas.Checks(".", SIDESTEP, ".")
    described.take("tools/kernels", shown)
    described.take("tools/kernels, without a number", json.loads(Ran("--format", "json", "./dead").out))
    equal("JSON is as its schema says, and the schema says no more",
          [*described.faults, *described.unseen(described.counts)], [])
    equal("JSON: labs and engines", [(matrix["lab"], matrix["engine"]) for matrix in shown["matrices"]],
          [("intel", "vmx"), ("intel", "flat"), ("amd", "svm"), ("amd", "flat")])
    change = shown["matrices"][0]["changes"][0]
    equal("JSON: a change", [change[key] for key in ("operation", "from", "to", "kinds", "repeated")],
          ["service.pin.page", "a", "b", ["exits", "ticks"], "identical"])
    equal("JSON: its sides", [(side["l0"], side["ticks"]) for side in (change["a"], change["b"])],
          [(8, 79389.0), (12, 143488.0)])
    equal("JSON: emulators, one of which is not from a package", shown["labs"],
          [{"lab": "intel", "emulator": "bochs 2.7+test"}, {"lab": "amd", "emulator": None}])
    equal("JSON: how many", shown["changed"], 2)
    equal("JSON: releases", [kernel["release"] for kernel in shown["kernels"]],
          ["6.1.0-a-cloud-amd64", "6.1.0-b-cloud-amd64", None])
    text = Ran("--format", "markdown", *kernels).out
    tables = re.findall(r"^<!-- record: Linux 6\.1\.0-a-cloud-amd64 to 6\.1\.0-b-cloud-amd64, sidestep 0\.1\.0 -->\n"
                        r"((?:\|.*\|\n)+)", text, re.M)
    emulators = "Emulators: Intel bochs 2.7+test, AMD not from a package."
    check("Markdown: emulators", f"\n{emulators}\n" in text, text)
    equal("Markdown: tables of what changed", len(tables), 2)
    equal("Markdown: a change", tables[0].splitlines()[2],
          "| `service.pin.page` | 8/2/2 79389 | **12/2/2 143488 +80.7%** | failed |")
    cells = Cells()
    page = Ran("--format", "html", *kernels).out
    cells.feed(page)
    check("HTML: emulators", f"<p>{emulators}</p>" in page, page)
    equal("HTML: all is closed", (cells.stack, cells.crossed), ([], []))
    check("HTML: a change", ["service.pin.page", "8/2/2 79389", "12/2/2 143488 +80.7%", "failed"] in cells.rows,
          cells.rows)
    os.symlink("linked", "link")
    Ran("-o", "link", *kernels)
    equal("-o a link", (os.readlink("link"), pathlib.Path("linked").read_text()), ("linked", Ran(*kernels).out))
    equal("-o what is no file", Ran("-o", "/dev/stdout", *kernels).out, Ran(*kernels).out)
    ran = Ran("-o", "file", *kernels)
    text = Ran(*kernels).out
    equal("-o", (ran.out, pathlib.Path("file").read_text()), ("", text))
    check("text: emulators", f"\n{emulators}\n" in text, text)


def kinds_of_kernels():
    ran = Ran("--lab", "amd", "linux-image-6.1.0-9-cloud-amd64")
    equal("a package", (ran.status, ran.booted()), (0, [("amd", "linux-image-6.1.0-9-cloud-amd64")]))
    equal("a package, again", Ran("--lab", "amd", "linux-image-6.1.0-9-cloud-amd64").boots, [])
    for name, words, labels in (("a meta package has the name of its kernel", [], ["6.1.0-9"]),
                                ("unless another has", ["linux-image-6.1.0-9-cloud-amd64"], ["6.1.0-9", "cloud"])):
        ran = Ran("--lab", "amd", "--format", "json", *words, "linux-image-cloud-amd64")
        equal(name, [kernel["kernel"] for kernel in json.loads(ran.out)["kernels"]], labels)
    ran = Ran("--lab", "amd", "--format", "json")
    equal("what apt offers", [kernel["kernel"] for kernel in json.loads(ran.out)["kernels"]], ["6.1.0-9", "6.1.0-10"])
    tree = pathlib.Path("built/arch/x86")
    (tree / "boot").mkdir(parents=True)
    (tree / "kvm").mkdir()
    (tree / "boot/bzImage").write_text("built")
    (tree / "kvm/kvm-amd.ko").write_text("one")
    pathlib.Path("built/Kconfig").touch()
    ran = Ran("--lab", "amd", "./built")
    staged = pathlib.Path(ran.boots[0][ran.boots[0].index("--kernel") + 1])
    equal("a built tree is linked", sorted((path.name, path.read_text()) for path in staged.iterdir()),
          [("kvm-amd.ko", "one"), ("vmlinuz", "built")])
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", "tree"]
    subprocess.run(["git", "init", "-q", "tree"], check=True)
    for message in ("one", "two"):
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], check=True)
    ran = Ran("--lab", "amd", "--tree", "tree", "git:HEAD~1", "git:HEAD")
    # The build that stands in for ours knows only the first commit.
    equal("commits are built", (ran.status, len(ran.boots)), (99, 1))
    check("or are not", "failed: HEAD: git:HEAD does not build: it broke" in ran.out, ran.out)
    again, builds = Ran("--lab", "amd", "--tree", "tree", "git:HEAD~1"), pathlib.Path("builds")
    equal("once", (again.status, again.boots, builds.read_text()), (0, [], "+\n" * 2))
    with open("tools/build-kernel", "a", encoding="utf-8") as file:
        file.write("#\n")
    Ran("--lab", "amd", "--tree", "tree", "git:HEAD~1")
    equal("unless by another tool", builds.read_text(), "+\n" * 3)


def usage():
    shown = Ran("--help")
    check("--help", shown.status == 0 and "git:REV" in shown.out and not shown.err, shown.err)
    pathlib.Path("empty").mkdir()
    pathlib.Path("source").mkdir()
    pathlib.Path("source/Kconfig").touch()
    for name, words, regex in (
            ("an unknown option", ["--frob"], "--frob.*--help"),
            ("a lab that is none", ["--lab", "arm"], "arm"),
            ("a threshold that is none", ["--threshold", "-1", "./a"], "'-1' is no such number"),
            ("no end of a threshold", ["--threshold", "inf", "./a"], "'inf' is no such number"),
            ("no repetitions", ["--count", "0", "./a"], "'0' is no such number"),
            ("an engine of the other lab", ["--lab", "amd", "--engine", "vmx", "./a"], "amd has no such engine"),
            ("no directory", ["./nowhere"], r"\./nowhere: no such directory; name one"),
            ("no kernel in it", ["./empty"], r"no vmlinuz\* in it; name"),
            ("a tree that is not built", ["./source"], "run make in it"),
            ("no name", ["What?"], "neither a package name nor a directory"),
            ("a commit of nothing", ["git:HEAD"], "Name one with --tree"),
            ("no such commit", ["--tree", "tree", "git:none"], "git:none: no such commit in tree"),
            ("nowhere to write", ["-o", "nowhere/file", "./a"], "nowhere/file: No such file or directory; name a file"),
            ("a directory to write to", ["-o", "empty", "./a"], "empty: Is a directory; name a file")):
        ran = Ran(*words)
        check(name, ran.status == 2 and not ran.boots and re.fullmatch(f"kernels: .*{regex}.*\n", ran.err),
              (ran.status, ran.err))
    ran = Ran("--operation", "nothing", "./a")
    check("no such operation", ran.status == 2 and not ran.boots and "no operation matches" in ran.err, ran.err)
    ran = Ran("--build", "nowhere", "./a")
    check("not built", ran.status == 99 and "meson setup" in ran.err, ran.err)


def without_an_emulator():
    for lab, status, booted in (("intel", 99, [("amd", "third")]), ("amd", 99, [])):
        pathlib.Path(f"tools/lab.d/no-{lab}").touch()
        ran = Ran("--all", "./third")
        equal(f"no {lab} lab: the other one is run", (ran.status, ran.booted()), (status, booted))
        check(f"no {lab} lab: says so once", ran.err.count("kernels: its emulator is not installed: run apt-get\n") == 1, ran.err)
        check(f"no {lab} lab: a table if there is another lab", ("11580" in ran.out) == bool(booted), ran.out)
    for lab in ("intel", "amd"):
        pathlib.Path(f"tools/lab.d/no-{lab}").unlink()


def signals():
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        for name in ("log.hangs", "log.ended"):
            pathlib.Path(name).unlink(missing_ok=True)
        process = subprocess.Popen(["env", "--default-signal=INT", "tools/kernels", "--lab", "amd", "-o", "never",
                                    "./hanging"], env=surroundings(), stderr=subprocess.DEVNULL)
        end = time.monotonic() + patient(10)
        while not pathlib.Path("log.hangs").exists() and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(number)
        equal(f"{number.name} ends it", process.wait(patient(10)), status)
        check(f"{number.name} ends the lab, and nothing is left", pathlib.Path("log.ended").exists()
              and not os.listdir("tmp") and not pathlib.Path("never").exists(), os.listdir("tmp"))


def main():
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for name in ("tools/lab.d", "build", "tmp", "bin"):
            pathlib.Path(name).mkdir(parents=True)
        shutil.copy(TOOL, "tools")
        for name in ("kernels.d", "shared.d"):
            shutil.copytree(os.path.join(os.path.dirname(TOOL), name), f"tools/{name}")
        pathlib.Path("tools/lab").symlink_to(HERE / "fake_lab.py")
        for name, text in PROGRAMS.items():
            pathlib.Path(name).write_text("#!/bin/sh\n" + text.replace("SIDESTEP", SIDESTEP))
            pathlib.Path(name).chmod(0o755)
        pathlib.Path("tools/kernel.config").touch()
        make_kernel("a", "a")
        make_kernel("same", "same")
        make_kernel("third", "third")
        make_kernel("b", "b", OTHER)
        make_kernel("drifting", "drifting", OTHER, wrong=["drifts"])
        make_kernel("tiring", "tiring", OTHER, wrong=["tires"])
        make_kernel("fading", "fading", wrong=["fades"])
        make_kernel("dead", "dead", wrong=["fails"])
        make_kernel("no-svm", "no-svm", wrong=["no-svm"])
        make_kernel("hanging", "hanging", wrong=["hangs"])
        make_kernel("dies", "dies", wrong=["dies"])
        make_kernel("rebuilt", "first", wrong=["rebuilt"])
        make_kernel("unseen", "unseen", EXITS.replace("3 1 0 11580", "? 1 0 11580"))
        make_kernel("packages/linux-image-cloud-amd64", "9")
        for number in (9, 10):
            make_kernel(f"packages/linux-image-6.1.0-{number}-cloud-amd64", str(number))
        try:
            unchanged()
            changed()
            failing()
            formats()
            kinds_of_kernels()
            usage()
            without_an_emulator()
            signals()
        finally:
            os.chdir("/")
    return total()


if __name__ == "__main__":
    sys.exit(main())
