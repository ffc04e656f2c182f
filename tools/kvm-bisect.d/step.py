#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""step.py PLAN NAME|run: measures the commit that the source of PLAN is at: run is a step of `git bisect run`.

Appends a line of JSON to the file of steps, and tells a person one on stderr, where the commit is NAME if there is one.
The status is what git expects: 0 good, 1 bad, 125 to skip, 128 to stop. Without a criterion in PLAN all are good.
"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # the source may be nobody's to write to
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "shared.d")]

from measure import Broken, Measurer, Untestable
from verdict import BAD, Cost, Criterion, number

GIT_SKIPS, GIT_STOPS = 125, 128


def git(source, *words):
    return subprocess.run(["git", "-C", source, *words], stdout=subprocess.PIPE, text=True, errors="replace",
                          check=True).stdout.rstrip("\n")


def seconds(value):
    return f"{value:.0f} s" if value else "kept"


def take(plan, name):
    """Measures the commit that the source is at; `name` is what a person calls it."""
    source = str(pathlib.Path(plan["keep"], "source"))
    commit, _, subject = git(source, "log", "-1", "--format=%H%n%s").partition("\n")
    step = {"commit": commit, "subject": subject, "verdict": None, "cost": None, "build": 0, "boot": 0, "reason": None}
    status, begun = 0, time.monotonic()
    try:
        measurer = Measurer(plan)
        kernel, step["build"] = measurer.kernel(commit)
        cost, step["boot"] = measurer.cost(kernel)
        step["cost"] = vars(cost)
        if "criterion" in plan:
            given = plan["criterion"]
            good, bad = Cost(**given["good"]), Cost(**given["bad"])
            step["verdict"] = Criterion(given["by"], good, bad, given["threshold"]).judge(cost)
            status = 1 if step["verdict"] == BAD else 0
        times = f"build {seconds(step['build'])}, boot {seconds(step['boot'])}"
        said = f"{step['verdict'] or 'measured'}: {cost} ({times})"
    except Untestable as error:
        step.update(verdict="skipped", reason=str(error), build=step["build"] or time.monotonic() - begun)
        said, status = f"skipped: {error}", GIT_SKIPS
    except Broken as error:
        step.update(verdict="stopped", reason=str(error))
        said, status = f"stopped: {error}", GIT_STOPS
    with open(pathlib.Path(plan["keep"], "steps"), "a", encoding="utf-8") as steps:
        steps.write(json.dumps(step) + "\n")
    print(f"kvm-bisect: {name or commit[:12]} {said}: {subject}", file=sys.stderr)
    return status


def main():
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            plan = json.load(file)
        return take(plan, None if sys.argv[2] == "run" else sys.argv[2])
    except Exception as error:  # whose status would be 1, that of a bad commit
        with contextlib.suppress(OSError):
            print(f"kvm-bisect: stopped: {' '.join(str(error).split())}", file=sys.stderr)
        return GIT_STOPS


if __name__ == "__main__":
    sys.exit(main())
