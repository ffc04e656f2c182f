#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""campaign.py SOURCE SIDESTEP LIES: tools/campaign, its plans, its jobs and its report.

Jobs run by GNU parallel on this host's KVM, one of them is killed in the middle, and the campaign goes on. LIES is sidestep
with a model that errs: it makes differences. A line per check, "ok" or "not ok".
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS))
from checks import check, equal, total
from patience import patient

SOURCE, SIDESTEP, LIES = (os.path.abspath(word) for word in sys.argv[1:])
BUILD = os.path.dirname(SIDESTEP)
TOOL = os.path.join(SOURCE, "tools", "campaign")


def finish(status=0):
    sys.exit(total() or status)


class Campaign:
    """A plan in a directory of its own, and what the tool says of it."""

    def __init__(self, name, plan, build=BUILD, source=SOURCE):
        self.home = pathlib.Path(name).resolve()
        self.home.mkdir()
        self.build, self.tool, self.dir, self.env = build, os.path.join(source, "tools", "campaign"), self.home / "dir", {}
        self.write(plan)

    def write(self, plan):
        (self.home / "plan.ini").write_text(plan)

    def words(self, *options):
        return [self.tool, "--build", self.build, "--dir", str(self.dir), *options, str(self.home / "plan.ini")]

    def run(self, *options):
        done = subprocess.run(self.words(*options), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                              timeout=patient(120), env={**os.environ, **self.env})
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        return self.status

    def document(self):
        status = self.run("--report", "--format", "json")
        return status, json.loads(self.out)

    def lines(self):
        return (self.dir / "jobs.txt").read_text().splitlines()

    def results(self):
        return {path.parent.name: (path.stat().st_ino, path.read_bytes()) for path in self.dir.glob("jobs/*/result.json")}


def await_it(what, condition):
    end = time.monotonic() + patient(30)
    while not condition():
        if time.monotonic() > end:
            check(what, False, "it did not come to pass")
            finish()
        time.sleep(0.02)


def wrong_plans():
    """One line that names the place, status 2, and nothing is written."""
    plans = {
        "says nothing to run": "",
        "contains no section headers": "run = random\n",
        r"\[x\]: has no 'run'": "[x]\n",
        r"\[x\]: run = walk: none of random, ": "[x]\nrun = walk\n",
        r"\[X y\]: a name is of": "[X y]\nrun = random\nprograms = 3\n",
        r"\[x\]: has no 'programs'": "[x]\nrun = random\n",
        r"\[x\]: programs = many: no number from 1": "[x]\nrun = random\nprograms = many\n",
        r"\[x\]: programs = 0: no number from 1": "[x]\nrun = random\nprograms = 0\n",
        r"\[x\]: jobs = 9: there is work for 3": "[x]\nrun = random\nprograms = 3\njobs = 9\n",
        r"\[x\]: engine = qemu: none of auto, flat": "[x]\nrun = random\nprograms = 3\nengine = qemu\n",
        r"\[x\]: engine = bare: goes with lab": "[x]\nrun = random\nprograms = 3\nengine = bare\n",
        r"\[x\]: kernels = a b: goes with lab": "[x]\nrun = random\nprograms = 3\nkernels = a b\n",
        r"\[x\]: lab = arm: none of intel, amd": "[x]\nrun = hostile\nguests = 3\nlab = arm\n",
        r"\[x\]: 'guests' is no key of run = random": "[x]\nrun = random\nprograms = 3\nguests = 3\n",
        r"\[x\]: targets = nothing: nothing is none of boot, ": "[x]\nrun = fuzz\ninputs = 3\ntargets = nothing\n",
        r"\[x\]: options = 'x: No closing quotation": "[x]\nrun = random\nprograms = 3\noptions = 'x\n",
        r"\[x\]: command: a line ends within quotes": "[x]\nrun = command\ncommand = sh -c 'true\n  false'\n",
        r"\[x\]: mutants = nothing: matches none": "[x]\nrun = mutants\nmutants = nothing\n",
        r"\[campaign\]: 'jobs' is no key here": "[campaign]\njobs = 3\n[x]\nrun = random\nprograms = 3\n",
        "already exists": "[x]\nrun = random\n[x]\nrun = random\n",
        r"\[x\]: .*/nowhere/sidestep is not built: run meson setup": "[campaign]\nbuild = nowhere\n"
                                                                    "[x]\nrun = random\nprograms = 3\n",
    }
    for number, (words, plan) in enumerate(plans.items()):
        campaign = Campaign(f"wrong-{number}", plan)
        arguments = campaign.words() if "nowhere" not in words else [word for word in campaign.words()
                                                                      if word not in ("--build", BUILD)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=patient(30))
        well = done.returncode == 2 and done.stderr.count("\n") == 1 and re.search(words, done.stderr)
        check(f"wrong plan: {words}", well and not done.stdout and not campaign.dir.exists(),
              (done.returncode, done.stdout, done.stderr))
    for words, *arguments in (("required: PLAN",), ("No such file or directory; name a plan", "missing.ini"),
                              ("invalid choice: 'pbs'", "--engine", "pbs", "x"), ("go with --engine slurm", "--no-wait", "x"),
                              ("goes with --engine parallel", "--engine", "slurm", "--sshlogin", "a", "x"),
                              ("'0' is no number from 1", "--jobs", "0", "x"),
                              ("not allowed with", "--write", "--report", "x")):
        done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False, timeout=patient(30))
        check(f"usage: {words}", done.returncode == 2 and done.stderr.count("\n") == 1 and words in done.stderr, done.stderr)


def written_jobs():
    """The same every time; together they are all that was asked for, and nothing twice."""
    campaign = Campaign("written", "[a]\nrun = random\nprograms = 1_000\njobs = 7\nseed = 5\nengine = flat\n"
                                   "[b]\nrun = hostile\nguests = 100\njobs = 3\nseed = 50\n"
                                   "[c]\nrun = random\nprograms = 10\nengine = vmx\nlab = intel\nkernels = one two  # both\n")
    equal("jobs are written", campaign.run("--write"), 0)
    equal("jobs are written: where", campaign.out, f"{campaign.dir}/jobs.txt\n")
    first = campaign.lines()
    campaign.run("--write")
    equal("jobs are the same again", campaign.lines(), first)
    words = [shlex.split(line) for line in first]
    equal("a job a line", len(words), 12)

    def value(line, option):
        return line[line.index(option) + 1]

    equal("shards", [value(line, "--shard") for line in words[:7]], [f"{i}/7" for i in range(1, 8)])
    equal("shards of one seed", {(value(line, "--random"), value(line, "--seed")) for line in words[:7]}, {("1000", "5")})
    seeds = [int(value(line, "-f")) + i for line in words[7:10] for i in range(int(value(line, "-n")))]
    equal("seeds", seeds, list(range(50, 150)))
    equal("kernels", [value(line, "--kernel") for line in words[10:]], ["one", "two"])
    status, document = campaign.document()
    equal("nothing has run", (status, document["done"], len(document["missing"])), (99, 0, 12))
    equal("nothing has run: planned", [group["planned"] for group in document["groups"]], [1000, 100, 10, 10])


def without_parallel():
    campaign = Campaign("without", "[x]\nrun = command\ncommand = true\n")
    for engine, program, package in (("parallel", "parallel", "parallel"), ("slurm", "sbatch", "slurm-client")):
        done = subprocess.run([sys.executable, *campaign.words("--engine", engine)], capture_output=True, text=True,
                              check=False, env={"PATH": str(campaign.home)}, timeout=patient(30))
        needs = f"needs: {program}; host: not installed; on Debian: apt-get install {package}\n"
        check(f"without {engine}", done.returncode == 77 and done.stderr.endswith(needs) and not done.stdout,
              (done.returncode, done.stderr))


def runs_of_jobs():
    """Statuses, and what is run again: what failed, what was skipped, what another plan has left, what is not whole."""
    plan = ("[good]\nrun = command\njobs = 3\nseed = 7\ncommand = sh -c 'echo seed {{seed}}'\n"
            "[other]\nrun = command\ncommand = sh -c '{}'\n")
    campaign = Campaign("runs", plan.format("exit 3"))
    equal("a job fails: status", campaign.run(), 99)
    check("a job fails: which, and why", "other.1 is missing: status 3: nothing was said\n" in campaign.out, campaign.out)
    equal("others do not", sorted(campaign.results()), ["good.1", "good.2", "good.3"])
    equal("each has its seed", [(campaign.dir / f"jobs/good.{i}/out").read_text() for i in (1, 2, 3)],
          [f"seed {i}\n" for i in (7, 8, 9)])
    before = campaign.results()
    campaign.write(plan.format("echo it differs; exit 1"))
    equal("a difference: status", campaign.run(), 1)
    check("a difference: named, with its command", "other.1: it differs\n  sh -c 'echo it differs; exit 1'\n" in campaign.out,
          campaign.out)
    campaign.write(plan.format('echo "needs: a; host: none" >&2; exit 77'))
    equal("a skip: status", campaign.run(), 0)
    check("a skip: why", "1 jobs were skipped: needs: a; host: none\n" in campaign.out, campaign.out)
    campaign.write(plan.format("exit 0"))
    equal("all is done: status", campaign.run(), 0)
    check("all is done: said", campaign.out.endswith("plan: 4 jobs, 4 done, 0 skipped, 0 missing; no differences\n"),
          campaign.out)
    after = campaign.results()
    equal("what was done has not run again", {name: after[name] for name in before}, before)
    for name, damage in (("cut off", lambda data: data[:-40]),
                         ("of other commands", lambda data: data.replace(b"seed 8", b"seed 6")), ("empty", lambda data: b""),
                         ("no text", lambda data: data[:-40] + b"\xff"),
                         ("without a member", lambda data: data.replace(b'"skipped"', b'"left out"'))):
        path = campaign.dir / "jobs/good.2/result.json"
        path.write_bytes(damage(path.read_bytes()))
        equal(f"a result that is {name}", campaign.document()[0], 99)
        damaged = campaign.results()
        campaign.run()
        equal(f"a result that is {name}: it alone is run again",
              [job for job, result in campaign.results().items() if result != damaged[job]], ["good.2"])
    done = campaign.results()
    again = subprocess.run(["sh", "-c", campaign.lines()[0]], capture_output=True, check=False, timeout=patient(30))
    equal("a job that somebody else has done meanwhile", (again.returncode, campaign.results()), (0, done))
    skipped = Campaign("skipped", "[x]\nrun = command\ncommand = sh -c 'echo \"needs: a; host: b\" >&2; exit 77'\n")
    equal("all is skipped: status", skipped.run(), 77)
    slow = Campaign("slow", "[x]\nrun = command\nlimit = 1\ncommand = sleep 1000\n")
    equal("a job that takes too long", slow.run(), 99)
    check("a job that takes too long: why", "x.1 is missing: it took longer than 1 s, the limit\n" in slow.out, slow.out)
    equal("the report to a file", campaign.run("--report", "-o", str(campaign.home / "report")), 0)
    check("the report to a file: it is there", (campaign.home / "report").read_text().endswith("no differences\n"))
    equal("the report to no file", campaign.run("--report", "-o", "/proc/nowhere/report"), 2)


def killed_and_resumed():
    """A job that is killed in the middle leaves nothing behind, and is the only one to be run again."""
    campaign = Campaign("killed", "[flat]\nrun = random\nprograms = 6000\nengine = flat\njobs = 4\n"
                                  "[hostile]\nrun = hostile\nguests = 40\njobs = 2\n")
    process = subprocess.Popen(campaign.words(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lock = campaign.dir / "jobs/flat.2/lock"
    running = ["pgrep", "-f", f"random 6000 .*--shard 2/4"]
    await_it("the job runs", lambda: lock.exists() and " on " in lock.read_text() and
             subprocess.run(running, capture_output=True, check=False).returncode == 0)
    os.kill(int(lock.read_text().split()[0]), signal.SIGKILL)
    out = process.communicate(timeout=patient(120))[0]
    equal("a job is killed: status", process.returncode, 99)
    check("a job is killed: which", "flat.2 is missing: it has not come to an end\n" in out, out)
    equal("a job is killed: nothing of it runs", subprocess.run(running, capture_output=True, check=False).returncode, 1)
    before = campaign.results()
    equal("a job is killed: others are done", len(before), 5)
    equal("resumed: status", campaign.run(), 0)
    after = campaign.results()
    equal("resumed: it alone has run", sorted(name for name in after if after[name] != before.get(name)), ["flat.2"])
    document = campaign.document()[1]
    counts = {group["name"]: group["counts"] for group in document["groups"]}
    equal("counts add up", (counts["flat"]["programs"], counts["hostile"]["guests"]), (6000, 40))
    results = [json.loads(data) for _, data in after.values()]
    for name, totals in counts.items():
        for key, total in totals.items():
            equal(f"{name}: {key}", total, sum(result["counts"].get(key, 0) for result in results))

    campaign = Campaign("endless", "[x]\nrun = command\ncommand = sleep 987\n")
    process = subprocess.Popen(campaign.words(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lock, running[2] = campaign.dir / "jobs/x.1/lock", "^sleep 987$"
    await_it("an endless job runs", lambda: subprocess.run(running, capture_output=True, check=False).returncode == 0)
    os.kill(int(lock.read_text().split()[0]), signal.SIGKILL)
    equal("an endless job is killed: status", process.wait(patient(30)), 99)
    await_it("an endless job is killed: its command ends",
             lambda: subprocess.run(running, capture_output=True, check=False).returncode == 1)

    campaign = Campaign("ended", "[flat]\nrun = random\nprograms = 20000\nengine = flat\njobs = 4\n")
    process = subprocess.Popen(campaign.words(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    running[2] = "random 20000 "
    await_it("jobs run", lambda: subprocess.run(running, capture_output=True, check=False).returncode == 0)
    second = subprocess.run(campaign.words(), capture_output=True, text=True, check=False, timeout=patient(60))
    check("a second one at the same time", second.returncode == 2 and "another campaign runs these jobs" in second.stderr,
          second.stderr)
    process.terminate()
    out = process.communicate(timeout=patient(60))[0]
    equal("the campaign is ended: status", process.returncode, 143)
    check("the campaign is ended: said",
          out.endswith("ended by SIGTERM; the same command goes on with what is missing\n"), out)
    equal("the campaign is ended: no job is left", subprocess.run(running, capture_output=True, check=False).returncode, 1)
    equal("the campaign is ended: none is done", campaign.results(), {})


def ledgers():
    """What a group's ledgers say as one: repetitions are those of all jobs."""
    campaign = Campaign("ledgers", "[c]\nrun = catalogue\noperations = cr0.ts.clts ref.cpuid\nengine = flat\njobs = 3\n")
    equal("ledgers: status", campaign.run(), 0)
    each = subprocess.run([SIDESTEP, "report", str(campaign.dir / "jobs/c.1/ledger")], capture_output=True, text=True,
                          check=True)
    repetitions = {line.split()[0]: int(line.split()[2]) for line in each.stdout.splitlines() if re.match(r"cr0|ref", line)}
    for name, count in repetitions.items():
        check(f"ledgers: {name} adds up", re.search(rf"^{re.escape(name)} +\S+ +{3 * count} ", campaign.out, re.M),
              campaign.out)
    check("ledgers: operations", re.search(r"^c +catalogue +3 +3 +6 operations +0 ", campaign.out, re.M), campaign.out)


def differences():
    """Found by a model that errs; each command that repeats one does so."""
    texts = {}
    for name, lie in (("lies", "step"), ("lies-of-values", "value")):
        path = pathlib.Path(name, "sidestep")
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\n[ "$1" != report ] || exec {shlex.quote(SIDESTEP)} "$@"\n'
                        f'exec {shlex.quote(LIES)} {lie} "$@"\n')
        path.chmod(0o755)
    random = Campaign("random", "[r]\nrun = random\nprograms = 200\nengine = flat\njobs = 2\nseed = 3\n",
                      build=os.path.abspath("lies"))
    values = Campaign("values", "[c]\nrun = catalogue\noperations = cr0.ts.clts ref.nothing\nengine = flat\n",
                      build=os.path.abspath("lies-of-values"))
    for campaign, text in ((random, r"^step \d+ read 0x[0-9a-f]+, the model says 0x"),
                           (values, r"^(cr0\.ts\.clts|ref\.nothing): expected value")):
        name = campaign.home.name
        equal(f"differences, {name}: status", campaign.run(), 1)
        texts[name] = campaign.out
        document = campaign.document()[1]
        check(f"differences, {name}: there are some", document["differences"], document)
        for finding in document["differences"]:
            check(f"differences, {name}: {finding['job']}: said", re.search(text, finding["text"]), finding)
            lines = f"{finding['job']}: {finding['text']}\n  {finding['repeat']}\n"
            check(f"differences, {name}: {finding['job']}: in the text", lines in texts[name], texts[name])
            again = subprocess.run(["sh", "-c", finding["repeat"]], capture_output=True, text=True, check=False,
                                   timeout=patient(60))
            what = finding["text"].partition(": ")[2] or finding["text"]
            check(f"differences, {name}: {finding['job']}: repeated", again.returncode == 1 and what in again.stdout,
                  (again.returncode, again.stdout, again.stderr))


    with open("lies/sidestep", "a", encoding="utf-8") as file:
        file.write("#\n")
    random.run("--report")
    check("results of another program: said", "r: 2 jobs had another program than the one that is there now" in random.out,
          random.out)


def readers():
    """What jobs of other kinds say, read."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.join(SOURCE, "tools", "campaign.d"))
    from kinds import KINDS, LAB, Failed, Ran, Skipped

    def read(kind, command, status, out="", err=""):
        directory = tempfile.mkdtemp(dir=".")
        for name, text in (("out", out), ("err", err)):
            pathlib.Path(directory, name).write_text(text)
        try:
            outcome = KINDS[kind].read(Ran(command, status, os.path.abspath(directory)))
        except (Failed, Skipped) as failed:
            return type(failed).__name__, str(failed)
        return outcome.counts, [(finding["text"], finding["repeat"]) for finding in outcome.findings]

    hostile = ["random_code", "-e", "flat", "-j", "1", "-t", "50", "-f", "10", "-n", "5", "sidestep"]
    totals = "random code: 5 guests: 2 failed, 1 timed out, 1 exited, 1 broke a rule\n"
    equal("a hostile guest breaks a rule",
          read("hostile", hostile, 1, "seed 12: it hung: status 124 after 900 ms\n" + totals),
          ({"guests": 5, "failed": 2, "timeouts": 1, "exits": 1, "broke_a_rule": 1},
           [("seed 12: it hung: status 124 after 900 ms", "random_code -e flat -j 1 -t 50 -f 12 -n 1 sidestep")]))
    equal("a worker of hostile guests ended", read("hostile", hostile, 99, totals)[0], "Failed")
    equal("no engine for hostile guests",
          read("hostile", hostile, 99, err="random_code: x: needs: vmx; host: no nested VMX\n"),
          ("Skipped", "needs: vmx; host: no nested VMX"))
    fuzz = ["build-fuzz/fuzz_ept", "-runs=100", "-seed=3", "corpus"]
    equal("a target without a fault", read("fuzz", fuzz, 0, err="stat::number_of_executed_units: 104\n"),
          ({"inputs": 104}, []))
    equal("a target with one",
          read("fuzz", fuzz, 77, err="==1==ERROR: AddressSanitizer: heap-use-after-free on 0x6\n"
               "SUMMARY: AddressSanitizer: heap-use-after-free f.c:3 in f\n"
               "artifact_prefix='/c/'; Test unit written to /c/crash-12\nstat::number_of_executed_units: 7\n"),
          ({"inputs": 7}, [("AddressSanitizer: heap-use-after-free on 0x6", "build-fuzz/fuzz_ept /c/crash-12")]))
    unit = "Test unit written to /my work/{}\n"
    equal("a target with one, in a directory with a blank",
          read("fuzz", fuzz, 77, err=unit.format("slow-unit-1") + "ERROR: libFuzzer: deadly signal\n" + unit.format("crash-2")),
          ({"inputs": 0}, [("libFuzzer: deadly signal", "build-fuzz/fuzz_ept '/my work/crash-2'")]))
    equal("an input that took long is no fault",
          read("fuzz", fuzz, 0, err=unit.format("slow-unit-1") + "stat::number_of_executed_units: 104\n"), ({"inputs": 104}, []))
    equal("a target with one that it could not write", read("fuzz", fuzz, 77, err="ERROR: libFuzzer: deadly signal\n"),
          ("Failed", "status 77: ERROR: libFuzzer: deadly signal"))
    equal("a target that ends early", read("fuzz", fuzz, 0, err="stat::number_of_executed_units: 99\n"),
          ("Failed", "99 of 100 inputs were tried"))
    equal("a target that does not start", read("fuzz", fuzz, 127, err="cannot open shared object\n"),
          ("Failed", "status 127: cannot open shared object"))
    mutate = [KINDS["mutants"].TOOL, "--build", "/c", "one", "two"]
    equal("mutants", read("mutants", mutate, 1, "2 mutants, 1 survive, 1 without a verdict\n"
                          "  one: views/flags.c: 'a' became 'b'\n"
                          "  two: views/flags.c: 'c' became 'd': no verdict\n"),
          ({"mutants": 2, "survive": 1, "no_verdict": 1},
           [("one: views/flags.c: 'a' became 'b' survives", f"{mutate[0]} one"),
            ("two: views/flags.c: 'c' became 'd': no verdict", f"{mutate[0]} two")]))
    equal("mutants that cannot be built", read("mutants", mutate, 2, "ninja: failed\n"),
          ("Failed", "status 2: ninja: failed"))
    equal("a mutant that cannot be built", read("mutants", mutate, 2, "2 mutants, 0 survive, 0 without a verdict\n")[0], "Failed")
    generated = [mutate[0], "--build", "/c", "--without", "intel", "--without", "amd", "--generated", "20", "--seed", "3"]
    equal("generated mutants, without a lab",
          read("mutants", generated, 1, "20 mutants, 1 survive, 0 without a verdict\n  x-1: views/a.c: 'a' became 'b'\n")[1],
          [("x-1: views/a.c: 'a' became 'b' survives",
            f"{mutate[0]} --without intel --without amd --generated 20 --seed 3 x-1")])
    catalogue = ["sidestep", "test", "--engine", "flat", "--timeout", "0", "--format", "json", "--ledger", "/c", "--", "x"]
    report = {"schema": "sidestep.test", "end": None, "totals": {"passed": 0, "failed": 0, "skipped": 1},
              "operations": [{"operation": "x", "result": "skip", "note": "needs: ept; host: none"}]}
    equal("a catalogue of which nothing can be done", read("catalogue", catalogue, 77, json.dumps(report)),
          ("Skipped", "needs: ept; host: none"))
    bare = [LAB, "bare", "amd", "--", "test", "--random", "100", "--seed", "3", "--shard", "2/4"]
    equal("bare programs", read("random", bare, 0, err="sidestep: programs performed: 25, no difference from the model\n"),
          ({"programs": 25}, []))
    equal("bare programs that were not all performed",
          read("random", bare, 0, err="sidestep: programs performed: 24, no difference from the model\n"), ("Failed", "24 of 25 programs were performed"))
    # Programs 1, 5 and 9 are the first of this shard.
    equal("a bare program differs", read("random", bare, 99, err="sidestep: program 9 of seed 3, step 2: read 1, not 0\n"),
          ({"programs": 3}, [("program 9 of seed 3, step 2: read 1, not 0", shlex.join(bare))]))
    lab = [LAB, "intel", "--build", "b", "--timeout", "3600", "--split", "--", "sidestep", "test", "--engine", "vmx",
           "--random", "100", "--seed", "3", "--shard", "2/4", "--timeout", "0", "--format", "json"]
    document = {"schema": "sidestep.random", "programs": 5, "difference": "step 2 read 1", "program": "cr 0x0\nclts\n"}
    counts, findings = read("random", lab, 1, json.dumps(document))
    path = findings[0][1].split("--put ")[1].split()[0]
    equal("a program in a lab differs", (counts, findings[0]), ({"programs": 5}, (
        "step 2 read 1", f"{LAB} intel --build b --split --put {path} -- sidestep test --engine vmx --replay program")))
    equal("its program is kept", pathlib.Path(path).read_text(), document["program"])
    equal("a lab fails", read("random", lab, 99, err="lab: the emulator ended\n"),
          ("Failed", "status 99: lab: the emulator ended"))


def main():
    os.chdir(tempfile.mkdtemp(prefix="campaign."))
    home = os.getcwd()
    try:
        wrong_plans()
        written_jobs()
        without_parallel()
        readers()
        if not shutil.which("parallel"):
            print("needs: parallel; host: not installed (what needs none was tested)")
            finish(77)
        runs_of_jobs()
        if subprocess.run([SIDESTEP, "info"], capture_output=True, check=False).returncode:
            print("needs: kvm; host: sidestep info has none (what needs none was tested)")
            finish(77)
        killed_and_resumed()
        ledgers()
        differences()
        finish()
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
