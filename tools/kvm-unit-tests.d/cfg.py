# SPDX-License-Identifier: GPL-2.0-only
"""x86/unittests.cfg of a built tree: its syntax, what it has of a shell's language, and what becomes of a section."""
import fnmatch
import math
import os
import re
import time

SECONDS = 90.0  # of a section that names none, as for their own runner
LAB_SECONDS = {"amd": 2.0, "intel": 60.0}  # at most, of the lab's clock; each takes long
MEMORY = "128M"  # QEMU's default, which the guests assume
# Without these the test cannot mean anything: parameter of QEMU, what its value has in it, what is missing.
NEEDED = (
    ("device", "intel-iommu", "sidestep has no such device"),
    ("device", "hyperv-testdev", "sidestep has no such device"),
    ("machine", "vmport=on", "sidestep has no such port"),
)
# Parameters of QEMU whose value may begin with `-`; of all others it does not.
WITH_VALUE = {"append", "smp", "m", "cpu", "machine", "device", "overcommit", "global", "accel"}
SAME = {"M": "machine", "enable-kvm": "accel"}
KEYS = re.compile(r"^(file|smp|test_args|qemu_params|extra_params|groups|arch|machine|check|disabled_if|accel|timeout)"
                  r"\s*=\s*(.*)$")


class Unusable(Exception):
    """Bad usage or an unusable tree: one line, with the remedy."""


class NeedsShell(Exception):
    """What only a shell could make of a setting."""


# --- what their shell would make of a setting ------------------------------------------------------

def arithmetic(text, variables):
    """The value of `$((text))`: whole numbers, variables, + - * / %, comparisons, ?: and parentheses."""
    tokens = re.findall(r"\d+|\w+|[<>=!]=|\S", text.replace("$", ""))
    ranks = {"<": 1, ">": 1, "<=": 1, ">=": 1, "==": 1, "!=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "%": 3}

    def take(wanted=None):
        if not tokens or wanted not in (None, tokens[0]):
            raise NeedsShell(f"$(({text}))")
        return tokens.pop(0)

    def operand():
        token = take()
        if token == "(":
            value = ternary()
            take(")")
            return value
        if token == "-":
            return -operand()
        if not token.isdecimal() and token not in variables:
            raise NeedsShell(f"$(({text}))")
        return variables[token] if token in variables else int(token)

    def binary(rank):
        left = operand()
        while tokens and ranks.get(tokens[0], 0) >= rank:
            sign = take()
            left = operate(left, sign, binary(ranks[sign] + 1))
        return left

    def operate(left, sign, right):
        if sign in "/%":
            if right == 0:
                raise NeedsShell(f"$(({text}))")
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return quotient if sign == "/" else left - quotient * right
        return {"+": left + right, "-": left - right, "*": left * right, "<": int(left < right), ">": int(left > right),
                "<=": int(left <= right), ">=": int(left >= right), "==": int(left == right), "!=": int(left != right)}[sign]

    def ternary():
        value = binary(1)
        if tokens and tokens[0] == "?":
            take("?")
            yes = ternary()
            take(":")
            no = ternary()
            return yes if value else no
        return value

    value = ternary()
    if tokens:
        raise NeedsShell(f"$(({text}))")
    return value


EXPANSIONS = (
    (re.compile(r"\$\(\((.*?)\)\)(?!\))", re.S), lambda found, variables: arithmetic(found[1], variables)),
    (re.compile(r"(?:`|\$\()\s*date \+%s\s*(?:`|\))"), lambda found, variables: int(time.time())),
    (re.compile(r"\$(?:(\w+)|\{(\w+)\})"), lambda found, variables: variables.get(found[1] or found[2])),
)


def expand(text, at, variables):
    """What stands for the expansion at text[at], and where it ends."""
    for pattern, value_of in EXPANSIONS:
        found = pattern.match(text, at)
        value = value_of(found, variables) if found else None
        if value is not None:
            return str(value), found.end()
    raise NeedsShell(text[at:at + 40].split("\n")[0])


def shell_words(text, variables):
    """The words that a shell makes of the text, for what the files of tests have of its language."""
    words, word, quote, at = [], None, "", 0
    while at < len(text):
        char, at = text[at], at + 1
        following = text[at:at + 1]
        if quote == "'":
            quote, word = ("", word) if char == "'" else (quote, word + char)
        elif char == "\\" and following and (not quote or following in '$`"\\\n'):
            word = (word or "") + following if following != "\n" else word
            at += 1
        elif char in "$`":
            value, at = expand(text, at - 1, variables)
            word = (word or "") + value
        elif char == '"' or char == "'" and not quote:
            quote, word = "" if quote else char, word or ""
        elif quote:
            word += char
        elif char.isspace():
            words, word = words + [word] if word is not None else words, None
        elif char == "#" and word is None:
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif char in ";|&<>()":
            raise NeedsShell(char + text[at:at + 40].split("\n")[0])
        else:
            word = (word or "") + char
    if quote:
        raise NeedsShell(f"{quote} without its end")
    return words + [word] if word is not None else words


# --- sections ----------------------------------------------------------------------------------------

def read_config(text):
    """[(name, {key: value})], as scripts/runtime.bash of kvm-unit-tests reads them."""
    sections, lines = [], iter(text.split("\n"))
    for line in lines:
        line = line.strip()
        found, section = KEYS.match(line), re.match(r"^\[(.*)\]$", line)
        if section:
            sections.append((section[1], {}))
        elif found and sections:
            key, value = found.groups()
            key = "params" if key in ("qemu_params", "extra_params") else key
            if key == "params" and value.startswith('"""'):
                value = value[3:]
                while '"""' not in value:
                    line = next(lines, None)
                    value += '"""' if line is None else "\n" + line.strip()
                value = value.partition('"""')[0]
            sections[-1][1][key] = value
    return [section for section in sections if section[0]]


def seconds_of(text):
    found = re.fullmatch(r"(\d{1,7}(?:\.\d{1,3})?)([smhd]?)", text)
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]] if found else None


def memory_of(value):
    """QEMU's -m as sidestep's: a number is of MiB."""
    found = re.fullmatch(r"(?:size=)?(\d{1,9})([KMGT]?)i?B?(,.*)?", value, re.I)
    if not found or int(found[1]) == 0:
        return None
    unit = found[2].upper() or "M"
    return f"{int(found[1]) * 1024}G" if unit == "T" else found[1] + unit


def is_given(name, value):
    """What a guest of sidestep has anyway: all that the processor and its KVM offer."""
    if name == "accel":
        return value in ("", "kvm")
    model, *features = value.split(",")
    offered = ("host-phys-bits", "host-phys-bits=on", "migratable=no")
    return name == "cpu" and model in ("max", "host") and all(
        feature.startswith("+") or feature in offered for feature in features)


class Test:
    """A section, and what becomes of it: how it is run, or why not."""

    def __init__(self, name, keys, tree, variables, options):
        self.name, self.keys, self.flat = name, keys, os.path.join(tree.path, "x86", keys.get("file", ""))
        self.groups = keys.get("groups", "").split()
        self.memory, self.vcpus, self.append, self.ignored = MEMORY, "1", None, []
        self.seconds = self.timeout(options)
        try:
            self.take(self.parameters(variables))
            self.skip = self.skip or self.unfit(tree) or self.not_default(options)
            self.skip = self.skip or (None if options.lab else self.unchecked())
        except NeedsShell as error:
            self.skip = f"needs: a shell, for {error}; host: only $MAX_SMP, $((...)) and `date +%s` are known"

    def timeout(self, options):
        """Seconds; a lab's are of its own clock, and each takes long."""
        named = seconds_of(self.keys["timeout"]) if "timeout" in self.keys else SECONDS
        if options.timeout is not None:
            return options.timeout
        if named is None:
            self.ignored.append(f"timeout={self.keys['timeout']}")
        seconds = SECONDS if named is None else named
        return min(seconds or math.inf, LAB_SECONDS[options.lab]) if options.lab else seconds

    def parameters(self, variables):
        """[(name, value)] of QEMU's command line, as their runner makes it."""
        words = ["-smp", *shell_words(self.keys.get("smp", "1"), variables)]
        if self.keys.get("test_args"):
            words += ["-append", *shell_words(self.keys["test_args"], variables)]
        words += shell_words(self.keys.get("params", ""), variables)
        found = []
        while words:
            word = words.pop(0)
            name = word.lstrip("-") if word.startswith("-") else ""
            has_value = words and (name in WITH_VALUE or not words[0].startswith("-"))
            found.append((name, words.pop(0) if name and has_value else "", word))
        return found

    def take(self, parameters):
        self.skip = None
        for name, value, word in parameters:
            name = SAME.get(name, name)
            memory = memory_of(value) if name == "m" else None
            vcpus = re.fullmatch(r"(?:cpus=)?(\d{1,5})(?:,.*)?", value) if name == "smp" else None
            missing = [why for other, part, why in NEEDED if other == name and part in value.split(",")]
            if missing:
                self.skip = self.skip or f"needs: {word} {value}; host: {missing[0]}"
            elif memory:
                self.memory = memory
            elif vcpus and int(vcpus[1]):
                self.vcpus = str(int(vcpus[1]))
            elif name == "append":
                self.append = value
            elif not is_given(name, value):
                self.ignored += [word, value] if value else [word]
        if "machine" in self.keys:
            self.ignored.append(f"machine={self.keys['machine']}")

    def unfit(self, tree):
        """Why it is not for this tree or not for us."""
        arch, accel = self.keys.get("arch") or tree.arch, self.keys.get("accel") or "kvm"
        if "disabled_if" in self.keys:
            raise NeedsShell(self.keys["disabled_if"])
        if arch != tree.arch:
            return f"needs: {arch}; host: {tree.path} is built for {tree.arch}"
        if accel != "kvm":
            return f"needs: accel={accel}; host: sidestep runs under KVM"
        if "migration" in self.groups:
            return "needs: migration; host: sidestep has none"
        if not self.keys.get("file"):
            return "needs: a line `file = NAME.flat`; host: its section has none"
        if not os.path.isfile(self.flat):
            return f"needs: x86/{self.keys['file']}; host: {tree.path} has none (make builds it)"
        return None

    def not_default(self, options):
        if "nodefault" in self.groups and self.name not in options.patterns and not set(self.groups) & set(options.group):
            return "needs: to be asked for; host: it is of the group nodefault: give its name, or --group"
        return None

    def checks(self):
        """[(word, path, what the file has to have)]"""
        words = self.keys.get("check", "").split()
        return [(word, *word.partition("=")[::2]) for word in words]

    def unchecked(self):
        """The first of `check` that does not hold."""
        for word, path, wanted in self.checks():
            try:
                with open(path, encoding="utf-8", errors="replace") as file:
                    found = file.read(4096).rstrip("\n")
            except OSError as error:
                return f"needs: {word}; host: {error.strerror}"
            if found != wanted:
                return f"needs: {word}; host: it is {found}"
        return None

    def command(self, sidestep, engine, flat, ledger):
        engine = ["--engine", engine] if engine else []
        append = ["--append", self.append] if self.append is not None else []
        return [sidestep, "run", "--platform", "pc", *engine, "-m", self.memory, "-c", self.vcpus, *append,
                "--timeout", f"{self.seconds:g}", "--ledger", ledger, "-q", flat]

    def asked(self, options):
        return ((not options.patterns or any(fnmatch.fnmatchcase(self.name, pattern) for pattern in options.patterns))
                and (not options.group or bool(set(self.groups) & set(options.group))))


class Tree:
    """A built kvm-unit-tests tree."""

    def __init__(self, path):
        self.path, config = os.path.abspath(path), os.path.join(path, "x86", "unittests.cfg")
        if not os.path.isdir(path):
            raise Unusable(f"{path}: no such directory; name a built kvm-unit-tests tree")
        try:
            with open(config, encoding="utf-8", errors="replace") as file:
                self.sections = read_config(file.read())
        except OSError as error:
            raise Unusable(f"{config}: {error.strerror}; name a built kvm-unit-tests tree") from error
        settings = self.settings(os.path.join(path, "config.mak"))
        self.arch = settings.get("ARCH", "x86_64")
        remedy = f"run `./configure --arch=x86_64 && make` in {path}"
        if self.arch not in ("x86_64", "i386"):
            raise Unusable(f"{path}: built for {self.arch}: {remedy}")
        if not any(name.endswith(".flat") for name in os.listdir(os.path.join(path, "x86"))):
            raise Unusable(f"{path}: no x86/*.flat, the tree is not built: {remedy}")

    @staticmethod
    def settings(path):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return dict(line.rstrip("\n").partition("=")[::2] for line in file)
        except OSError:
            return {}


def choose(tree, options):
    variables = {"MAX_SMP": 1 if options.lab else os.cpu_count() or 1}
    tests = [Test(name, keys, tree, variables, options) for name, keys in tree.sections]
    for pattern in options.patterns:
        if not any(fnmatch.fnmatchcase(test.name, pattern) for test in tests):
            raise Unusable(f"no section matches '{pattern}'; --list names them")
    for group in options.group:
        if not any(group in test.groups for test in tests):
            raise Unusable(f"no section is of the group '{group}'; --list names them")
    tests = [test for test in tests if test.asked(options)]
    if not tests:
        raise Unusable("no section is left; --list names them")
    return tests


def ledger_names(tests):
    """A file name for each, also of sections that are called alike or like a path."""
    names = []
    for test in tests:
        plain = re.sub(r"^\.|[^\w.+@=-]", "_", test.name)[:200]
        name, number = plain, 1
        while name in names:
            number += 1
            name = f"{plain}-{number}"
        names.append(name)
    return [name + ".ledger" for name in names]
