# SPDX-License-Identifier: GPL-2.0-only
"""Runs the catalogue in labs, one boot for each kernel and lab, and keeps what came of it."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from conditions import NoLab, digest_of, package_of, surroundings
from matrix import cells_of
from names import Broken
from output import Output

VERSION = 2  # of the files that are kept
ENGINES = {"intel": ("vmx", "flat"), "amd": ("svm", "flat")}
# What a second run waits for, in seconds of the lab's clock: interrupts of the timer, every 4 ms, come to other places.
PAUSES = {1: "0", 2: "0.0137"}
# In one boot: PAUSE COUNT ENGINE... -- PATTERN...; the report of each engine is in ENGINE.json: an engine that cannot
# run leaves its complaint in the place of the report.
SCRIPT = """
sleep "$1"
count=$2
shift 2
engines=
while [ "$1" != -- ]; do
	engines="$engines $1"
	shift
done
shift
for engine in $engines; do
	sidestep bench --engine "$engine" --timeout 0 --count "$count" --format json -o "$engine.json" -- "$@" 2>said
	[ -e "$engine.json" ] || cp said "$engine.json"
done
"""


class Conditions:
    """All but the kernel that a number depends on: without any of it being the same, it is another number."""

    def __init__(self, build, lab, engines, count, patterns):
        self.build, self.lab, self.engines, self.count, self.patterns = build, lab, engines, count, patterns
        self.files, self.emulator, self.failed = [], None, None
        try:
            self.files = surroundings(lab, build)
            self.emulator = package_of(self.files[0])
        except NoLab as error:
            self.failed = str(error)
        self.digest = self.now()

    def now(self):
        """Of programs and scripts as they are at this moment; None if one is not there any more."""
        words = json.dumps([SCRIPT, PAUSES, self.lab, self.engines, self.count, self.patterns])
        try:
            return digest_of(self.files, words.encode())
        except FileNotFoundError:
            return None


class Store:
    """A file for each run, named by kernel and conditions."""

    def __init__(self, directory):
        self.directory = directory

    def path(self, key):
        return self.directory / f"{key}.json"

    def load(self, key):
        try:
            run = json.loads(self.path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return run if run["version"] == VERSION else None

    def save(self, key, run):
        """Complete or not at all."""
        with Output(self.path(key)) as output:
            json.dump(run, output.stream)
            output.complete()


def engine_of(directory, engine):
    """What came back of one engine: its cells, or why it has none."""
    text = (directory / f"{engine}.json").read_text(encoding="utf-8", errors="replace")
    try:
        report = json.loads(text)
    except ValueError:
        said = text.strip().splitlines()
        return {"failed": (said[-1] if said else "no report came back").removeprefix("sidestep: ")}
    if report["status"]:
        return {"failed": report["end"] or f"sidestep ended with status {report['status']}"}
    return {"cells": cells_of(report), "release": report["kernel"], "evidence": report["evidence"],
            "sidestep": report["sidestep"], "command": report["command"]}


class Run:
    """One lab with one kernel. `number` 2 repeats what 1 did a little later, to see whether it does the same."""

    def __init__(self, kernel, conditions, number):
        self.kernel, self.conditions, self.number = kernel, conditions, number
        self.found, self.failed, self.process, self.directory, self.known = None, conditions.failed, None, None, None

    def key(self, build):
        """None of a kernel that has never been here: it has to be booted to be known."""
        digest = self.kernel.digest(build)
        if not digest:
            return None
        return f"{digest[:24]}-{self.conditions.lab}-{self.conditions.digest[:24]}-{self.number}"

    def look_up(self, store, build):
        key = self.key(build)
        self.found = store.load(key) if key else None
        return self.found

    def start(self, tools, build, timeout):
        self.known = self.key(build)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="kernels."))
        gets = [word for engine in self.conditions.engines for word in ("--get", f"{engine}.json")]
        self.said = open(self.directory / "said", "w+", encoding="utf-8", errors="replace")
        # Should we be killed, the lab ends itself and its emulator.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", tools / "lab", self.conditions.lab, "--build", build, "--kernel",
             self.kernel.argument, "--timeout", str(timeout), *gets, "--", "sh", "-c", SCRIPT, "sh",
             PAUSES[self.number], str(self.conditions.count), *self.conditions.engines, "--", *self.conditions.patterns],
            cwd=self.directory, stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.said)

    def finish(self, store, build):
        """After its process has ended."""
        status = self.process.returncode
        if status:
            self.said.seek(0)
            said = [line for line in self.said.read().splitlines() if line.strip()]
            why = re.sub(r"[^\x20-\x7e]", "?", said[-1].removeprefix("lab: ")) if said else "it said nothing"
            self.failed = f"the lab ended with status {status}: {why}"
        elif self.known not in (None, self.key(build)) or self.conditions.now() != self.conditions.digest:
            self.failed = "the kernel, sidestep or the lab was made anew meanwhile: start again"
        else:
            self.found = {"schema": "sidestep.kernels.run", "version": VERSION, "digest": self.kernel.digest(build),
                          "engines": {engine: engine_of(self.directory, engine) for engine in self.conditions.engines}}
            if self.whole():
                store.save(self.key(build), self.found)
        self.drop()

    def whole(self):
        """Whether every engine has come to its end."""
        return bool(self.found) and not any("failed" in engine for engine in self.found["engines"].values())

    def drop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        if self.directory:
            self.said.close()
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None


class Labs:
    """As many labs at once as there are to be."""

    def __init__(self, tools, build, store, jobs, timeout, tell):
        self.tools, self.build, self.store, self.jobs = tools, build, store, jobs
        self.timeout, self.tell = timeout, tell

    def run(self, runs):
        """Looks up what is known, and boots for the rest."""
        waiting = [run for run in runs if not run.kernel.failed and not run.failed and not run.look_up(self.store, self.build)]
        total, running = len(waiting), []
        try:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    self.begin(waiting, running, total)
                for run in [run for run in running if run.process.poll() is not None]:
                    run.finish(self.store, self.build)
                    running.remove(run)
                    if run.failed:
                        self.tell(f"{run.kernel.given}, {run.conditions.lab}: {run.failed}")
                time.sleep(0.1)
        finally:
            for run in running:
                run.drop()

    def begin(self, waiting, running, total):
        run = waiting.pop(0)
        # The same kernel under two names, of which the first has been measured by now.
        if run.look_up(self.store, self.build):
            return
        self.tell(f"{total - len(waiting)}/{total}: {run.kernel.given} in the lab {run.conditions.lab}"
                  + (", once more" if run.number > 1 else ""))
        run.start(self.tools, self.build, self.timeout)
        running.append(run)


def prepare(kernels, cache, tell):
    for kernel in kernels:
        try:
            kernel.prepare(cache)
        except Broken as error:
            kernel.failed = str(error)
            tell(kernel.failed)
