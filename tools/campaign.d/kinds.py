# SPDX-License-Identifier: GPL-2.0-only
"""What a campaign can run. Each kind makes the command lines of a section's jobs, and reads what came of one.

What jobs() yields is group, command and how much of its unit the job is. HERE in a command is the job's own directory.
"""
import json
import os
import re
import shlex
import subprocess

from words import SOURCE, STATUS_DIFFERS, STATUS_SKIPPED, printable

HERE = "@here@"
LAB = os.path.join(SOURCE, "tools", "lab")
LABS = ("", "intel", "amd")
ENGINES = ("auto", "flat", "vmx", "svm", "bare")


def last_index(words, word):
    return len(words) - 1 - words[::-1].index(word)


class Failed(Exception):
    """A job has no result; it says why. It is run again."""


class Skipped(Exception):
    """A job cannot run here; it says what it needs."""


class Outcome:
    """What a job that has ended says: counts, and differences with the command that repeats each."""

    def __init__(self, **counts):
        self.counts, self.findings = counts, []

    def add(self, text, repeat):
        self.findings.append({"text": printable(text), "repeat": shlex.join(repeat)})


class Ran:
    """A command that has ended."""

    def __init__(self, command, status, directory):
        self.command, self.status, self.directory = command, status, directory
        self.out, self.err = (self.read(name) for name in ("out", "err"))

    def read(self, name):
        with open(os.path.join(self.directory, name), encoding="utf-8", errors="replace") as file:
            return file.read().replace("\r\n", "\n")

    def said(self):
        """The last thing it said."""
        lines = [line for line in (self.out + "\n" + self.err).split("\n") if line.strip()]
        return printable(lines[-1]) if lines else "nothing was said"

    def failed(self):
        """What a command comes to that did not do its work."""
        needs = next((line for line in self.err.split("\n") if "needs: " in line and "host: " in line), "")
        if self.status == STATUS_SKIPPED or needs:
            return Skipped(needs[needs.index("needs: "):] if needs else self.said())
        return Failed(f"status {self.status}: {self.said()}")

    def document(self, schema):
        try:
            document = json.loads(self.out)
        except ValueError:
            raise self.failed() from None
        if not isinstance(document, dict) or document.get("schema") != schema:
            raise self.failed()
        return document

    def without(self, *options):
        """The command without these options, each with the word that follows it."""
        words, skip = [], False
        for word in self.command:
            if not skip and word not in options:
                words.append(word)
            skip = not skip and word in options
        return words

    def put(self, words, path):
        """The command with one more file in its lab, if it is one of a lab."""
        at = words.index("--") if words[0] == LAB else 0
        return words[:at] + ["--put", path] + words[at:] if at else words


def cells(section):
    """Where to run: this host, or a lab under each of its kernels; with the name of the group that this makes."""
    lab, kernels = section.one_of("lab", LABS, ""), section.words("kernels")
    if kernels and not lab:
        raise section.wrong("kernels", "goes with lab = intel or amd")
    for kernel in kernels or [""]:
        yield "/".join(filter(None, (section.name, kernel))), lab, kernel


def lab_words(section, lab, kernel, *options):
    return [LAB, lab, "--build", section.plan.build, *(["--kernel", kernel] if kernel else []),
            "--timeout", str(section.limit), "--split", *options, "--"]


class Random:
    """`sidestep test --random`: programs of control-register accesses against the reference model."""
    KEYS, UNIT = ("programs", "engine", "lab", "kernels", "options"), "programs"
    BARE = re.compile(r"^sidestep: programs performed: (\d+), no difference from the model", re.MULTILINE)
    BARE_DIFFERS = re.compile(r"^sidestep: (program (\d+) of seed .*)$", re.MULTILINE)

    @classmethod
    def jobs(cls, section):
        count, engine = section.number("programs", least=1), section.one_of("engine", ENGINES, "auto")
        sidestep = section.program("sidestep")
        for group, lab, kernel in cells(section):
            if engine == "bare" and (not lab or kernel):
                raise section.wrong("engine", "goes with lab = intel or amd, and with no kernels")
            for shard, _ in enumerate(section.shares(count), 1):
                words = ["test", *([] if engine == "bare" else ["--engine", engine]), "--random", str(count),
                         "--seed", str(section.seed), "--shard", f"{shard}/{section.jobs}", *section.words("options")]
                if engine == "bare":
                    command = [LAB, "bare", lab, "--build", section.plan.build, "--timeout", str(section.limit), "--"]
                else:
                    words += ["--timeout", "0", "--format", "json"]
                    command = [*lab_words(section, lab, kernel), "sidestep"] if lab else [sidestep]
                yield group, command + words, cls.share(command + words)

    @staticmethod
    def share(command):
        """Programs of a shard."""
        shard, shards = map(int, command[command.index("--shard") + 1].split("/"))
        return (int(command[command.index("--random") + 1]) - shard) // shards + 1

    @classmethod
    def complete(cls, performed, command):
        if performed != cls.share(command):
            raise Failed(f"{performed} of {cls.share(command)} programs were performed")
        return Outcome(programs=performed)

    @classmethod
    def read(cls, ran):
        if ran.command[1] == "bare":
            return cls.read_bare(ran)
        document = ran.document("sidestep.random")
        outcome = Outcome(programs=document["programs"])
        if document["difference"]:
            path = os.path.join(ran.directory, "program")
            with open(path, "w", encoding="utf-8") as file:
                file.write(document["program"])
            words = ran.without("--random", "--seed", "--shard", "--timeout", "--format")
            outcome.add(document["difference"],
                        ran.put(words, path) + ["--replay", "program" if words[0] == LAB else path])
            return outcome
        if ran.status == STATUS_DIFFERS:
            outcome.add(ran.said(), ran.command)
            return outcome
        if ran.status != 0:
            raise ran.failed()
        return cls.complete(document["programs"], ran.command)

    @classmethod
    def read_bare(cls, ran):
        differs, performed = cls.BARE_DIFFERS.search(ran.out + ran.err), cls.BARE.search(ran.out + ran.err)
        if differs:
            shard, shards = ran.command[ran.command.index("--shard") + 1].split("/")
            outcome = Outcome(programs=(int(differs[2]) - int(shard) + 1) // int(shards) + 1)
            outcome.add(differs[1], ran.command)
            return outcome
        if not performed or ran.status != 0:
            raise ran.failed()
        return cls.complete(int(performed[1]), ran.command)


class Hostile:
    """Guests whose code is random bytes: tests/hostile/random_code."""
    KEYS, UNIT = ("guests", "engine", "lab", "kernels", "timeout-ms"), "guests"
    TOTALS = re.compile(r"^random code: (\d+) guests: (\d+) failed, (\d+) timed out, (\d+) exited, (\d+) broke a rule$",
                        re.MULTILINE)
    SEED = re.compile(r"^seed (\d+): (.*)$", re.MULTILINE)

    @classmethod
    def jobs(cls, section):
        count, engine = section.number("guests", least=1), section.one_of("engine", ENGINES[1:4], "flat")
        random_code = section.program("tests/hostile/random_code")
        sidestep = section.program("sidestep")
        for group, lab, kernel in cells(section):
            milliseconds = section.number("timeout-ms", 200 if lab else 50, least=1)
            for first, share in section.shares(count):
                words = ["-e", engine, "-j", "1", "-t", str(milliseconds), "-f", str(section.seed + first),
                         "-n", str(share)]
                if lab:
                    command = [*lab_words(section, lab, kernel, "--put", random_code), "./random_code", *words,
                               "/usr/bin/sidestep"]
                else:
                    command = [random_code, *words, sidestep]
                yield group, command, share

    @classmethod
    def read(cls, ran):
        totals = cls.TOTALS.search(ran.out)
        if not totals or ran.status not in (0, STATUS_DIFFERS):
            raise ran.failed()
        guests, failed, timeouts, exits, bad = map(int, totals.groups())
        outcome = Outcome(guests=guests, failed=failed, timeouts=timeouts, exits=exits, broke_a_rule=bad)
        for seed, text in cls.SEED.findall(ran.out):
            words = ran.without("-f", "-n")
            outcome.add(f"seed {seed}: {text}", words[:-1] + ["-f", seed, "-n", "1"] + words[-1:])
        return outcome


class Fuzz:
    """Targets of tests/fuzz, each with the inputs that libFuzzer makes of the corpus and a seed."""
    KEYS, UNIT = ("targets", "inputs", "options"), "inputs"
    CORPUS = os.path.join(SOURCE, "tests", "fuzz", "corpus")
    UNITS = re.compile(r"^stat::number_of_executed_units: *(\d+)$", re.MULTILINE)
    # An input that has taken ten seconds is written, too, and the search goes on.
    FOUND = re.compile(r"Test unit written to (.*/(?!slow-unit-)[^/\n]+)$", re.MULTILINE)
    WHY = re.compile(r"(?:SUMMARY: |ERROR: )(.*)$", re.MULTILINE)

    @classmethod
    def jobs(cls, section):
        count, there = section.number("inputs", least=1), sorted(os.listdir(cls.CORPUS))
        for target in section.words("targets", shlex.join(there)):
            if target not in there:
                raise section.wrong("targets", f"{target} is none of {', '.join(there)}")
            program = section.program(
                f"tests/fuzz/fuzz_{target}", "CC=clang-14 meson setup {0} -Dfuzz=true -Db_lundef=false "
                "-Db_sanitize=address,undefined && ninja -C {0}", section.plan.fuzz_build)
            for number, (_, share) in enumerate(section.shares(count)):
                # libFuzzer writes to the first directory what is new.
                yield f"{section.name}/{target}", [
                    program, f"-runs={share}", f"-seed={section.seed + number}", "-print_final_stats=1",
                    f"-artifact_prefix={HERE}/", *section.words("options"), f"{HERE}/corpus",
                    os.path.join(cls.CORPUS, target)], share

    @staticmethod
    def prepare(directory, _program):
        os.mkdir(os.path.join(directory, "corpus"))

    @classmethod
    def read(cls, ran):
        units, found = cls.UNITS.search(ran.err), cls.FOUND.search(ran.err)
        if not found and (not units or ran.status != 0):
            # 77, elsewhere that of a skip, is libFuzzer's own for what it has found.
            raise Failed(f"status {ran.status}: {ran.said()}")
        outcome, wanted = Outcome(inputs=int(units[1]) if units else 0), int(ran.command[1].partition("=")[2])
        if not found and outcome.counts["inputs"] < wanted:
            raise Failed(f"{outcome.counts['inputs']} of {wanted} inputs were tried")
        if found:
            why = cls.WHY.search(ran.err)
            outcome.add(why[1] if why else ran.said(), [ran.command[0], found[1]])
        return outcome


class Mutants:
    """tools/mutate: faults on purpose, which some test has to notice."""
    KEYS, UNIT = ("mutants", "generated", "without"), "mutants"
    TOOL = os.path.join(SOURCE, "tools", "mutate")
    TOTALS = re.compile(r"^(\d+) mutants, (\d+) survive, (\d+) without a verdict$", re.MULTILINE)
    LEFT = re.compile(r"^  (\S+): (\S+: '.*?)(: no verdict)?$", re.MULTILINE)

    @classmethod
    def jobs(cls, section):
        section.program("sidestep")
        options = ["--build", HERE] + [word for who in section.words("without") for word in ("--without", who)]
        if "generated" in section.given:
            for number, (_, share) in enumerate(section.shares(section.number("generated", least=1))):
                yield section.name, [cls.TOOL, *options, "--generated", str(share), "--seed",
                                     str(section.seed + number)], share
            return
        listed = subprocess.run([cls.TOOL, "--list", *section.words("mutants")], capture_output=True, text=True,
                                check=False)
        names = [line.split()[0] for line in listed.stdout.splitlines()]
        if listed.returncode or not names:
            raise section.wrong("mutants", (listed.stderr or listed.stdout or "matches none").strip())
        for first, share in section.shares(len(names)):
            yield section.name, [cls.TOOL, *options, *names[first:first + share]], share

    @staticmethod
    def prepare(directory, program):
        cache = os.path.join(os.path.dirname(program), "lab-cache")
        if os.path.isdir(cache):
            os.symlink(cache, os.path.join(directory, "lab-cache"))

    @classmethod
    def read(cls, ran):
        totals = cls.TOTALS.search(ran.out)
        # 3: of some there is no verdict.
        if not totals or ran.status not in (0, STATUS_DIFFERS, 3):
            raise ran.failed()
        count, survive, silent = map(int, totals.groups())
        outcome = Outcome(mutants=count, survive=survive, no_verdict=silent)
        at = ran.command.index("--generated") if "--generated" in ran.command else 0
        without = [word for before, word in zip(ran.command, ran.command[1:]) if "--without" in (before, word)]
        again = [cls.TOOL, *without, *(ran.command[at:] if at else [])]
        for name, text, no_verdict in cls.LEFT.findall(ran.out):
            outcome.add(f"{name}: {text}{no_verdict or ' survives'}", again + [name])
        return outcome


class Catalogue:
    """`sidestep test`, with a ledger: on this host, or in a lab under each kernel. Ledgers of a group are added up."""
    KEYS, UNIT = ("operations", "engine", "lab", "kernels", "options"), "operations"

    @classmethod
    def jobs(cls, section):
        engine, patterns = section.one_of("engine", ENGINES[:4], "auto"), section.words("operations")
        sidestep = section.program("sidestep")
        for group, lab, kernel in cells(section):
            ledger = "ledger" if lab else f"{HERE}/ledger"
            words = ["test", "--engine", engine, "--timeout", "0", "--format", "json", "--ledger", ledger,
                     *section.words("options"), "--", *patterns]
            get = ("--get", f"ledger={HERE}/ledger")
            where = [*lab_words(section, lab, kernel, *get), "sidestep"] if lab else [sidestep]
            for _ in range(section.jobs):
                yield group, where + words, 1

    @classmethod
    def read(cls, ran):
        document = ran.document("sidestep.test")
        totals = document["totals"]
        if ran.status not in (0, STATUS_DIFFERS, STATUS_SKIPPED):
            raise ran.failed()
        if ran.status == STATUS_SKIPPED:
            raise Skipped(next((row["note"] for row in document["operations"] if row["note"]), ran.said()))
        outcome = Outcome(operations=totals["passed"] + totals["failed"], passed=totals["passed"],
                          failed=totals["failed"], skipped=totals["skipped"])
        words = ran.without("--timeout", "--format", "--ledger", "--get")
        words, patterns = words[:last_index(words, "--")], words[last_index(words, "--") + 1:]
        for row in document["operations"]:
            if row["result"] in ("FAIL", "fail"):
                outcome.add(f"{row['operation']}: {row['note']}", words + [row["operation"]])
        if (document["end"] or ran.status == STATUS_DIFFERS) and not outcome.findings:
            outcome.add(document["end"] or ran.said(), words + patterns)
        return outcome


class Command:
    """Any command whose status says whether there is a difference. {seed} in it is the job's, from `seed` on."""
    KEYS, UNIT = ("command",), "runs"

    @classmethod
    def jobs(cls, section):
        words = section.words("command")
        if not words:
            raise section.plan.wrong(section.name, "has no 'command'")
        if "/" in words[0]:
            words[0] = os.path.join(SOURCE, words[0])
        for number in range(section.jobs):
            yield section.name, [word.replace("{seed}", str(section.seed + number)) for word in words], 1

    @classmethod
    def read(cls, ran):
        if ran.status not in (0, STATUS_DIFFERS):
            raise ran.failed()
        outcome = Outcome(runs=1)
        if ran.status == STATUS_DIFFERS:
            outcome.add(ran.said(), ran.command)
        return outcome


KINDS = {"random": Random, "hostile": Hostile, "fuzz": Fuzz, "mutants": Mutants, "catalogue": Catalogue,
         "command": Command}
OF_THEMSELVES = (Fuzz, Command)  # what is tested is the program that is run, and not sidestep
