# SPDX-License-Identifier: GPL-2.0-only
"""Builds the kernel of a commit and measures an operation under it in a lab. What was built or measured is kept."""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import time

from conditions import TOOLS, digest_of
from recipe import recipe
from verdict import Cost, LEVELS

TIMEOUT = 3000  # seconds that the operation may take in a lab, on a machine that is busy
# What tools/lab says when a kernel is to blame for it.
KERNEL_FAILS = re.compile(r"^lab: (the lab's kernel panicked|no output for|the lab's start-up failed|\S+ ended during)")
ENDED = (129, 130, 143)  # by SIGHUP, SIGINT, SIGTERM, as tools/lab and tools/build-kernel have it


class Untestable(Exception):
    """A commit that cannot be measured, for a reason of its own."""


class Broken(Exception):
    """Nothing can be measured here."""


def write(path, text):
    """It is there when it is complete."""
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.rename(path)


def complaint(text, program):
    """The line of an error output that says most."""
    lines = [line for line in text.splitlines() if line.strip()]
    own = [line for line in lines if line.startswith(program + ": ")]
    return own[0] if own else lines[-1] if lines else "no message"


def quietly(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          check=False)


class Measurer:
    """`plan` has how: keep, lab, engine, build, jobs, configs, operation, and the files that the lab is made of."""

    def __init__(self, plan):
        self.plan = plan
        self.keep = pathlib.Path(plan["keep"])
        self.mark = self.keep / "objects.commit"

    def kernel(self, commit):
        """Directory with the kernel of `commit`, which the source is at; seconds that it took, 0 if it was there."""
        kernel = self.keep / "kernels" / f"{commit}-{recipe(self.plan['configs'])}"
        if kernel.is_dir():
            return kernel, 0
        begun = time.monotonic()
        # The objects are of no commit until this is over.
        self.mark.unlink(missing_ok=True)
        options = [word for config in self.plan["configs"] for word in ("--config", config)]
        built = quietly(TOOLS / "build-kernel", "--work", self.keep, "--jobs", str(self.plan["jobs"]), *options,
                        "--", self.keep / "source", kernel)
        if built.returncode:
            said = complaint(built.stderr, "build-kernel")
            if built.returncode != 1:
                raise Broken(said)
            raise Untestable(re.sub(r"^build-kernel: .*? (?=does not build: )", "", said))
        write(self.mark, commit)
        return kernel, time.monotonic() - begun

    def cost(self, kernel):
        """What the operation costs under `kernel`; seconds that it took, 0 if the same kernel was measured before."""
        plan, build = self.plan, pathlib.Path(self.plan["build"])
        modules = sorted(file for file in kernel.glob("lib/**/*.ko*") if file.is_file())
        words = json.dumps([plan[name] for name in ("lab", "engine", "operation")])
        key = digest_of([kernel / "vmlinuz", *modules, *plan["made_of"]], words.encode())[:16]
        kept = self.keep / "measured" / f"{key}.json"
        with contextlib.suppress(FileNotFoundError):
            return Cost(**json.loads(kept.read_text())), 0
        begun = time.monotonic()
        ran = quietly(TOOLS / "lab", plan["lab"], "--build", build, "--kernel", kernel, "--timeout", str(TIMEOUT),
                      "--split", "--", "sidestep", "bench", "--engine", plan["engine"], "--timeout", "0",
                      "--format", "json", plan["operation"])
        if ran.returncode:
            blame(ran.returncode, ran.stderr)
        cost = parse(ran.stdout, plan["operation"])
        kept.parent.mkdir(exist_ok=True)
        write(kept, json.dumps(vars(cost)))
        return cost, time.monotonic() - begun


def blame(status, errors):
    """Whether this kernel is to blame for a lab that failed, or what surrounds it."""
    said = complaint(errors, "lab")
    if status == 124:
        raise Untestable(f"the operation took more than {TIMEOUT} s")
    if status < 0 or status in ENDED or status == 2 or (said.startswith("lab: ") and not KERNEL_FAILS.match(said)):
        raise Broken(said)
    raise Untestable(said)


def parse(text, operation):
    try:
        rows = [row for row in json.loads(text)["operations"] if row["operation"] == operation]
        row = rows[0]
        if row["ticks_median"] is None:
            raise Untestable(f"{operation} has no ticks: {row['note']}")
        return Cost(row["ticks_median"], *(row[level] for level in LEVELS))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Broken(f"sidestep bench has printed no cost of {operation}") from error
