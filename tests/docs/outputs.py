#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds the outputs that documents show against those of the program.

usage: outputs.py script LAB SOURCE                             what a lab has to run, for its shell
       outputs.py compare [--update] [--any-ticks] PLACE SOURCE BUILD RESULTS
check.py imports the rest.

A block of a document that has output says where it comes from, in the line above it:
  <!-- run: PLACE -->            its commands, each after `$ `, print this
  <!-- record: WHAT -->          it was so once: WHAT names the kernel's version and sidestep's
An example in another language is put into a file for the commands after it:
  <!-- file: NAME -->
Places:
  host          any computer, without KVM
  kvm           one with KVM, whichever that is
  intel, amd    that lab: `tools/lab LAB [OPTION]... -- COMMAND` is executed in the boot that the test of the lab
                makes, other commands afterwards by the host, with the files that --get names
  kernels       the host, with the ledgers of the test that compares two kernels
After PLACE, each behind a `;`:
  with FILE[=NAME], ...   these files of the source, the build or the lab's test are there, as NAME
  runs COMMAND            this is executed in place of the one command that is shown
  ticks last              the last word of each line is a sum of ticks
A line `[...]` stands for lines left out, `[...]` in a line for a part of it.

Compared is every word, spaces aside. Exceptions:
  - of a kernel's version, the first two numbers;
  - ticks of labs, which count instructions: 3 % (TOLERANCE), or of more than 1000 two steps of the Intel lab's
    clock; a factor of 2 for P99, which has the timer's interrupts in it; 10 % (SUMS) for sums and means, which have them too;
    3 % or 3 points for CHANGE. Ticks are what stands in columns of these names (COLUMNS), below a header that is
    shown. With --any-ticks, in a build that is
    not the release one, every number of ticks will do;
  - addresses in the code of a guest (RIP and offsets in functions): the page, since the rest is the compiler's.
With --update a block that differs is written anew; what it leaves out stays left out.
"""
import difflib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

PLACES = ("host", "kvm", "intel", "amd", "kernels")
LABS = ("intel", "amd")
BLOCK = re.compile(r"^(?:<!-- (run|record|file): ([^\n]*) -->\n)?```(\w*)\n(.*?)^```$", re.M | re.S)
# What is no output needs no mark.
NO_OUTPUT = {"sh", "asm", "c", "text"}
RECORD = re.compile(r"Linux \d+\.\d+.*sidestep \d+\.\d+")
GAP = "[...]"
TOLERANCE = 0.03
SUMS = 0.1
STEPS, MANY = 120, 1000
# How much of the smaller number a word may be off, by the header of its column; points of CHANGE.
COLUMNS = {**dict.fromkeys(("MIN", "MEDIAN", "MEDIAN_A", "MEDIAN_B", "EET", "RATIO", "share", "CHANGE"), TOLERANCE),
           "P99": 1.0, "p99": 1.0, "median": TOLERANCE, "mean": SUMS, "total": SUMS, "ticks_each": SUMS}
POINTS = {"CHANGE": 3.0}
LATE = "--kvm-option nested=0"


class Block:
    """A fenced block of a document and its mark."""

    def __init__(self, document, match):
        self.document, self.match = document, match
        self.kind, mark, self.language, self.body = match.groups()
        self.place, *parameters = [part.strip() for part in (mark or "").split(";")]
        self.given = dict(parameter.partition(" ")[::2] for parameter in parameters)
        self.line = document.text.count("\n", 0, match.start()) + 1

    def __str__(self):
        return f"{self.document.path}:{self.line}"

    def fault(self):
        """What is wrong with the block before anything is run, or None."""
        if self.kind is None:
            return None if self.language in NO_OUTPUT else "output without a mark `run:` or `record:`"
        if self.kind == "file":
            return None
        if self.kind == "record":
            whole = "; ".join([self.place, *self.given])
            return None if RECORD.search(whole) else "a record names the versions of Linux and sidestep"
        if self.place not in PLACES:
            return f"place {self.place} is none of {', '.join(PLACES)}"
        if set(self.given) - {"with", "runs", "ticks"}:
            return f"unknown parameter in {self.given}"
        commands = self.commands()
        if not commands or ("runs" in self.given and len(commands) != 1):
            return "no command in it, or several where `runs` has one"
        return None

    def commands(self):
        """[[lines of the command], [lines of its output]] each."""
        found, more = [], False
        for line in self.body.splitlines():
            if more:
                found[-1][0].append(line)
            elif line.startswith("$ "):
                found.append([[line], []])
            elif found:
                found[-1][1].append(line)
            else:
                return []
            more = (more or line.startswith("$ ")) and line.endswith("\\")
        return found

    def files(self):
        """name -> file, of `with`."""
        named = (part.strip() for part in self.given.get("with", "").split(",") if part.strip())
        return {(name or os.path.basename(file)): file for file, _, name in (part.partition("=") for part in named)}


class Command:
    """One command of a block: what a shell executes, where, and what it is to print."""

    def __init__(self, block, number, shown, expected):
        self.block, self.number, self.expected = block, number, expected
        self.text = block.given.get("runs") or "\n".join(shown)[2:]
        self.puts, self.gets, self.late, self.in_lab = [], {}, False, False
        prefix = f"tools/lab {block.place} "
        if block.place in LABS and (self.text.startswith(prefix) or "runs" in block.given):
            self.in_lab = True
            if self.text.startswith(prefix):
                options, _, self.text = self.text[len(prefix):].partition("-- ")
                self.options(shlex.split(options.replace("\\\n", " ")))

    def options(self, words):
        while words:
            option, value, *words = words
            if option == "--put":
                self.puts.append(os.path.basename(value.partition("=")[2] or value))
            elif option == "--get":
                path, _, name = value.partition("=")
                self.gets[name or os.path.basename(path)] = path
            elif f"{option} {value}" == LATE:
                self.late = True
            else:
                raise SystemExit(f"{self.block}: no lab of a test has {option} {value}")

    @property
    def output(self):
        return f"{self.block.document.name}.{self.number}"


class Document:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        self.text = path.read_text()
        self.blocks = [Block(self, match) for match in BLOCK.finditer(self.text)]

    def commands(self, *places):
        number = 0
        for block in self.blocks:
            if block.kind == "run" and block.place in places:
                for shown, expected in block.commands():
                    number += 1
                    yield Command(block, number, shown, expected)

    def update(self, outputs):
        """Writes blocks anew; outputs: {command: lines that it printed}."""
        text = self.text
        for block in reversed(self.blocks):
            printed = [lines for command, lines in outputs.items() if command.block is block]
            if not printed:
                continue
            body = ""
            for (shown, old), new in zip(block.commands(), printed):
                body += "\n".join([*shown, *merged(old, new)]) + "\n"
            start, end = block.match.span(4)
            text = text[:start] + body + text[end:]
        if text != self.text:
            self.path.write_text(text)


def documents(source):
    source = pathlib.Path(source)
    return [Document(path) for path in (source / "README.md", source / "CONTRIBUTING.md", source / "CHANGELOG.md",
                                        source / "SECURITY.md", *sorted((source / "docs").glob("*.md")))]


# --- comparing ----------------------------------------------------------------------------------

def plain(text):
    text = re.sub(r"Linux (\d+\.\d+)[^\s),]*", r"Linux \1", text)
    text = re.sub(r"\b(0x(?:10|c001)[0-9a-f])[0-9a-f]{3}\b", r"\g<1>000", text)
    return re.sub(r"(\w\+)0x[0-9a-f]+", r"\1", text)


def classes(line):
    """Of a table's header: how the columns are compared, counted from the right. None if it is no header."""
    words = re.sub(r"MEDIAN ([AB])\b", r"MEDIAN_\1", line).split()
    kinds = [(COLUMNS.get(word, 0), POINTS.get(word, 0)) for word in words]
    return kinds[::-1] if any(map(any, kinds)) else None


def number(word):
    try:
        return float(word.lstrip("~").rstrip("%"))
    except ValueError:
        return None


class Comparison:
    """Compares lines; knows the columns of the table that it is in."""

    def __init__(self, block, any_ticks):
        self.any_ticks = any_ticks
        self.kinds = self.rest = [(SUMS, 0)] if "ticks" in block.given else []
        self.lab = block.place in (*LABS, "kernels")

    def word(self, old, new, kind):
        if old == new:
            return True
        first, second = number(old), number(new)
        if not self.lab or not any(kind) or first is None or second is None:
            return False
        if self.any_ticks:
            return True
        # The last digit that is printed is rounded.
        digit = 10.0 ** -len(old.partition(".")[2].rstrip("%")) * 1.01
        if kind == (TOLERANCE, 0) and min(first, second) > MANY:
            digit = STEPS
        return abs(first - second) <= max(kind[0] * min(abs(first), abs(second)), kind[1], digit)

    def line(self, old, new):
        self.kinds = classes(old) or (self.kinds if old.strip() else self.rest)
        old, new = plain(old), plain(new)
        parts = (re.escape(" ".join(part.split())) for part in old.split(GAP))
        if GAP in old and re.fullmatch(".*".join(parts), " ".join(new.split())):
            return True
        # What stands for one word leaves the others in their columns.
        old, new = old.split()[::-1], new.split()[::-1]
        kinds = self.kinds + [(0, 0)] * len(old)
        return len(old) == len(new) and all(word == GAP or self.word(word, other, kind)
                                            for word, other, kind in zip(old, new, kinds))

    def lines(self, old, new):
        """The first line that is not found, or None."""
        if not old:
            return None if not new else f"(more) {new[0]}"
        position, gap = 0, False
        tail = len(old) - 1 - old[::-1].index(GAP) if GAP in old else None
        for index, line in enumerate(old):
            if line == GAP:
                gap = True
                if index == tail:
                    # What follows the last gap ends the output.
                    position = max(position, len(new) - (len(old) - 1 - index)) if index < len(old) - 1 else len(new)
                    gap = False
                continue
            kinds = self.kinds
            while gap and position < len(new) and not self.line(line, new[position]):
                self.kinds = kinds
                position += 1
            if position >= len(new) or not self.line(line, new[position]):
                return line
            position, gap = position + 1, False
        return None if position == len(new) else f"(more) {new[position]}"


def merged(old, new):
    """New lines for a block that showed the old ones: of a block with gaps, the most similar ones."""
    if GAP not in old:
        return new
    kept = [line for line in old if line != GAP]
    gap_after = {sum(line != GAP for line in old[:index]) for index, line in enumerate(old) if line == GAP}
    # best[i][j]: similarity of the first i kept lines with the first j new ones.
    best = [[0.0] * (len(new) + 1) for _ in range(len(kept) + 1)]
    like = [[difflib.SequenceMatcher(None, a.split(), b.split()).ratio() if a.split()[:1] == b.split()[:1] else 0.0
             for b in new] for a in kept]
    for i in range(1, len(kept) + 1):
        for j in range(1, len(new) + 1):
            best[i][j] = max(best[i - 1][j], best[i][j - 1], best[i - 1][j - 1] + like[i - 1][j - 1])
    i, j, pairs = len(kept), len(new), []
    while i and j:
        if like[i - 1][j - 1] and best[i][j] == best[i - 1][j - 1] + like[i - 1][j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif best[i][j] == best[i - 1][j]:
            i -= 1
        else:
            j -= 1
    result, last = [], (-1, -1)
    for i, j in [*reversed(pairs), (len(kept), len(new))]:
        if any(last[0] < position <= i for position in gap_after):
            result += [GAP] if j > last[1] + 1 else []
        else:
            result += new[last[1] + 1:j]
        if j < len(new):
            result.append(new[j])
        last = (i, j)
    return result


# --- running ------------------------------------------------------------------------------------

def script(lab, source):
    """For boot.sh: each command's output in docs/NAME.NUMBER, its directory docs/NAME/. It says nothing of where the
    source is: what a lab prints passes at the speed of its serial port, and all that follows would be at other times.
    """
    done = {}
    print("#!/bin/sh\n# Made by outputs.py. docs.sh [late]: the commands of documents, late: those without nesting.")
    for document in documents(source):
        for command in document.commands(lab):
            if not command.in_lab:
                continue
            before = done.setdefault((command.text, command.late), command)
            if before is not command and not command.gets:
                print(f"[ \"${{1-}}\" != '{'late' if command.late else ''}' ] || cp docs/{before.output} docs/{command.output}")
                continue
            print(f"[ \"${{1-}}\" = '{'late' if command.late else ''}' ] && mkdir -p docs/{document.name} && (")
            where = f"{document.path.relative_to(source)}:{command.block.line}"
            print(f"\techo {shlex.quote(f'# {where}: {command.text}')}")
            print(f"\tcd docs/{document.name} || exit")
            for name in command.puts:
                print(f"\t[ -e {name} ] || ln -s /tmp/{name} .")
            print(f"\tsh -c {shlex.quote(command.text)} >../{command.output} 2>&1\n)")
    print("true")


def execute(command, directory):
    """What the shell prints for a command, standard error included."""
    path = f"{directory}/.bin:{os.environ['PATH']}"
    with tempfile.TemporaryFile("w+") as out:
        subprocess.run(["bash", "-c", command.text], cwd=directory, stdout=out, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, env={**os.environ, "PATH": path}, check=False)
        out.seek(0)
        return out.read()


def furnish(directory, source, build):
    """A place like the project's, with its own build and sidestep in the path."""
    (directory / ".bin").mkdir()
    (directory / ".bin/sidestep").symlink_to(build / "sidestep")
    (directory / "build").symlink_to(build)
    for name in ("docs", "examples", "guestfw", "tools"):
        (directory / name).symlink_to(source / name)


def provide(block, directory, places):
    for name, file in block.files().items():
        found = [place / file for place in places if (place / file).exists()]
        if not found:
            return f"there is no {file}"
        if not (directory / name).exists():
            shutil.copy(found[0], directory / name)
    return None


def differences(source, build, results, places, update=False, any_ticks=False):
    """Runs what the host has to and compares all; returns what differs."""
    faults = []
    source, build, results = (pathlib.Path(path).resolve() for path in (source, build, results or build))
    for document in documents(source):
        outputs, wrong = {}, False
        with tempfile.TemporaryDirectory() as temporary:
            directory = pathlib.Path(temporary)
            furnish(directory, source, build)
            for block in document.blocks:
                if block.kind == "file":
                    (directory / block.place).write_text(block.body)
            for command in document.commands(*places):
                block = command.block
                missing = provide(block, directory, [results, build, source])
                if missing:
                    faults.append(f"{block}: {missing}")
                    continue
                if command.in_lab:
                    file = results / "docs" / command.output
                    printed = file.read_text() if file.exists() else "did not run\n"
                    for name, path in command.gets.items():
                        made = results / "docs" / document.name / os.path.basename(path)
                        if made.exists(): # else what was printed says why
                            shutil.copy(made, directory / name)
                else:
                    printed = execute(command, directory)
                outputs[command] = printed.splitlines()
                first = Comparison(block, any_ticks).lines(command.expected, outputs[command])
                if first is not None:
                    wrong = True
                    if not update:
                        faults.append(f"{block}: `{command.text}` does not print\n    {first}\nbut\n    " +
                                      printed.replace("\n", "\n    "))
        if wrong and update:
            document.update({command: lines for command, lines in outputs.items()
                             if any(Comparison(other.block, any_ticks).lines(other.expected, outputs[other]) is not None
                                    for other in outputs if other.block is command.block)})
    return faults


def picture(source, results):
    """The exits in docs/overview.svg are those of the Intel lab."""
    rows = {row["operation"]: row for row in json.loads((results / "nested.json").read_text())["operations"]}
    text = (source / "docs/overview.svg").read_text()
    shown = re.findall(r'data-operation="([^"]+)">([^<]+)<', text)
    for operation, exits in shown:
        real = " ".join(str(rows[operation][level]) for level in ("l0", "monitor", "vmm"))
        if exits != real:
            yield f"docs/overview.svg: {operation} has exits {real}, not {exits}"
    if not shown:
        yield "docs/overview.svg: no exits in it"


def main():
    what, *arguments = sys.argv[1:]
    if what == "script":
        script(*arguments)
        return 0
    options = {argument for argument in arguments if argument.startswith("--")}
    place, source, build, results = (argument for argument in arguments if argument not in options)
    faults = differences(source, build, results, [place], "--update" in options, "--any-ticks" in options)
    if place == "intel":
        faults += picture(pathlib.Path(source), pathlib.Path(results))
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
