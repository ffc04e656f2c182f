# SPDX-License-Identifier: GPL-2.0-only
"""A plan, and the jobs that it comes to. docs/campaigns.md describes both for users."""
import configparser
import os
import re
import shlex

from kinds import HERE, KINDS, OF_THEMSELVES
from words import INSTALLED, NAME, PLANS, SOURCE, Unusable, printable

NUMBER = re.compile(r"\d{1,18}")
SECTION = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
JOBS_MOST = 100000
RUNNER = os.path.join(SOURCE, "tools", NAME + ".d", "job")


class Job:
    """One command, and the directory that has what comes of it."""

    def __init__(self, section, group, name, command, count):
        self.section, self.group, self.name, self.count = section, group, name, count
        self.directory = os.path.join(section.plan.directory, "jobs", name)
        self.command = [word.replace(HERE, self.directory) for word in command]

    def line(self):
        """What runs it, on any computer that has the same files in the same places."""
        return shlex.join([RUNNER, self.directory, self.section.given["run"], str(self.section.limit), self.program(),
                           "--", *self.command])

    def program(self):
        """What is tested."""
        return self.command[0] if self.section.kind in OF_THEMSELVES else os.path.join(self.section.plan.build, "sidestep")


class Section:
    """What a section of the plan says, checked."""

    def __init__(self, plan, name, given):
        self.plan, self.name, self.given = plan, name, given
        if not SECTION.fullmatch(name):
            raise plan.wrong(name, "a name is of lower-case letters, digits and '-'")
        if "run" not in given:
            raise plan.wrong(name, f"has no 'run'; it is one of {', '.join(KINDS)}")
        if given["run"] not in KINDS:
            raise plan.wrong(name, f"run = {given['run']}: none of {', '.join(KINDS)}")
        if INSTALLED and given["run"] in ("fuzz", "mutants"):
            raise plan.wrong(name, f"run = {given['run']}: needs the source of sidestep; use its tools/{NAME}")
        self.kind = KINDS[given["run"]]
        for key in given:
            if key not in {"run", "jobs", "seed", "limit", *self.kind.KEYS}:
                raise plan.wrong(name, f"'{key}' is no key of run = {given['run']}; it has jobs, seed, limit"
                                       f"{''.join(', ' + key for key in self.kind.KEYS)}")
        self.jobs, self.seed = self.number("jobs", 1, least=1), self.number("seed", 1)
        self.limit = self.number("limit", 3600, least=1)
        if self.jobs > JOBS_MOST:
            raise self.wrong("jobs", f"there can be {JOBS_MOST}")

    def wrong(self, key, why):
        return self.plan.wrong(self.name, f"{key} = {self.given.get(key, '')}: {why}")

    def number(self, key, default=None, least=0):
        text = self.given.get(key)
        if text is None and default is None:
            raise self.plan.wrong(self.name, f"has no '{key}'")
        if text is None:
            return default
        if not NUMBER.fullmatch(text.replace("_", "")) or int(text.replace("_", "")) < least:
            raise self.wrong(key, f"no number from {least}")
        return int(text.replace("_", ""))

    def words(self, key, default=""):
        try:
            words = shlex.split(self.given.get(key, default))
        except ValueError as error:
            raise self.wrong(key, str(error)) from error
        if any("\n" in word for word in words):
            raise self.plan.wrong(self.name, f"{key}: a line ends within quotes, and a job is one line")
        return words

    def one_of(self, key, words, default):
        word = self.given.get(key, default)
        if word not in words:
            raise self.wrong(key, f"none of {', '.join(word for word in words if word)}")
        return word

    def shares(self, count):
        """Splits a count evenly among the jobs: where each share begins, and how much it is."""
        if count < self.jobs:
            raise self.wrong("jobs", f"there is work for {count}")
        for i in range(self.jobs):
            first = count * i // self.jobs
            yield first, count * (i + 1) // self.jobs - first

    def program(self, path, remedy="meson setup {0} && ninja -C {0}", build=None):
        """A program of a build directory."""
        build = build or self.plan.build
        program = os.path.join(build, path)
        if not os.access(program, os.X_OK):
            raise Unusable(f"[{self.name}]: {program} is not built: run " + remedy.format(shlex.quote(build)))
        return program


class Plan:
    def __init__(self, path, build, fuzz_build, directory):
        self.path = path
        self.name = re.sub(r"\.ini$", "", os.path.basename(path))
        parser = configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#",), inline_comment_prefixes=("#",),
                                           interpolation=None, default_section="no such section")
        try:
            with open(path, encoding="utf-8") as file:
                parser.read_file(file)
        except OSError as error:
            raise Unusable(f"{path}: {error.strerror}; name a plan, such as those of {PLANS}") from error
        except (configparser.Error, UnicodeDecodeError) as error:
            raise Unusable(f"{path}: {' '.join(str(error).split())}") from error
        given = dict(parser["campaign"]) if parser.has_section("campaign") else {}
        for key in given:
            if key not in ("build", "fuzz-build"):
                raise self.wrong("campaign", f"'{key}' is no key here; there are build and fuzz-build")
        self.build = os.path.abspath(build or os.path.join(SOURCE, given.get("build", "build")))
        self.fuzz_build = os.path.abspath(fuzz_build or os.path.join(SOURCE, given.get("fuzz-build", "build-fuzz")))
        self.directory = os.path.abspath(directory or os.path.join(self.kept_in(), "campaigns", self.name))
        for path in (self.build, self.fuzz_build, self.directory):
            if "\n" in path:
                raise Unusable(f"{printable(path)}: a line ends in this name, and a job is one line; name another")
        self.sections = [Section(self, name, dict(parser[name])) for name in parser.sections() if name != "campaign"]
        if not self.sections:
            raise Unusable(f"{self.path}: says nothing to run; a section is one thing that is")
        self.jobs = []
        for section in self.sections:
            made = list(section.kind.jobs(section))
            width = len(str(len(made)))
            self.jobs += [Job(section, group, f"{section.name}.{number:0{width}}", command, count)
                          for number, (group, command, count) in enumerate(made, 1)]

    def kept_in(self):
        """Beside the programs. Those of a package are nobody's to write to."""
        if not INSTALLED or not os.path.exists(os.path.join(self.build, "installed")):
            return self.build
        home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
        return os.path.join(home, "sidestep")

    def wrong(self, section, text):
        return Unusable(f"{self.path}: [{section}]: {text}")
