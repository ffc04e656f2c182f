#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares documents with the bars of the labs, and those with the catalogue.

usage: measured.py [--update] SOURCE SIDESTEP

Checked are:
  - the files in tests/lab/bars: each has a line for every operation of the catalogue, in its order, and for
    nothing else;
  - in docs/*.md, a table after `<!-- measured: 3=intel-vmx 4=amd-svm -->`: a cell of column 3 and 4 is
    `L0 MON VMM, TICKS` or `TICKS` of the operation in column 1, or empty. Exits are those of one repetition,
    rounded; ticks may be off by as much as the bars allow. With `row=view.cycle{}.vmfunc` in front, column 1
    has what stands for the braces;
  - that no table of docs/measurements.md is without this or a `<!-- record: ... -->` that says of what.
With --update, cells are rewritten in place.
"""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))
import bars  # noqa: E402

MARKED = re.compile(r"^<!-- measured: (.*?) -->\n((?:\|.*\n)+)", re.M)
TABLE = re.compile(r"(?<!\|)\n(?P<before>.*)\n\|", re.M)


def cell_of(bar, with_exits):
    ticks = f"{bar['ticks']:.1f}" if bar["ticks"] < 100 else f"{bar['ticks']:.0f}"
    if not with_exits:
        return ticks
    return " ".join(re.match(r"\d+|-", bar[level])[0] for level in bars.LEVELS) + ", " + ticks


def agrees(cell, bar):
    exits, _, ticks = cell.rpartition(", ")
    if exits and exits != cell_of(bar, True).split(", ")[0]:
        return False
    try:
        return abs(float(ticks) / bar["ticks"] - 1) <= bars.TOLERANCE
    except ValueError:
        return False


class Documents:
    def __init__(self, source, update):
        self.source, self.update, self.faults = source, update, []
        self.held = {path.name: bars.read_bars(path)[0] for path in sorted((source / "tests/lab/bars").iterdir())}

    def catalogue(self, names):
        for lab, engines in bars.ENGINES.items():
            for engine in engines:
                held = self.held.get(f"{lab}-{engine}", {})
                file = f"tests/lab/bars/{lab}-{engine}"
                self.faults += [f"{file}: no bar for {name}" for name in names if name not in held]
                self.faults += [f"{file}: no operation {name}" for name in held if name not in names]
                if sorted(held) == sorted(names) and list(held) != names:
                    self.faults.append(f"{file}: not in the order of the catalogue")

    def row(self, path, line, row, columns):
        cells = [cell.strip() for cell in line.strip("|\n").split("|")]
        name = row.replace("{}", cells[0].strip("`"))
        for column, file in columns:
            cell = cells[column - 1]
            bar = self.held[file].get(name)
            if not cell:
                continue
            if not isinstance(bar, dict):
                self.faults.append(f"{path}: {name}: no bar in {file}")
            elif not agrees(cell, bar):
                new = cell_of(bar, "," in cell)
                if self.update:
                    parts = line.split("|")
                    parts[column] = f" {new} "
                    line = "|".join(parts)
                else:
                    self.faults.append(f"{path}: {name}: {cell}; {file} has {new}")
        return line

    def table(self, path, match):
        words = dict(word.split("=") for word in match[1].split())
        row = words.pop("row", "{}")
        columns = [(int(column), file) for column, file in words.items()]
        head, rule, *lines = match[2].splitlines(keepends=True)
        return f"<!-- measured: {match[1]} -->\n" + head + rule + "".join(self.row(path, line, row, columns)
                                                                      for line in lines)

    def documents(self):
        for path in sorted((self.source / "docs").glob("*.md")):
            text = path.read_text()
            fresh = MARKED.sub(lambda match: self.table(path.name, match), text)
            if fresh != text:
                path.write_text(fresh)
            if path.name == "measurements.md":
                self.faults += [f"{path.name}: a table that is neither compared nor a record, after: {match['before']}"
                                for match in TABLE.finditer(text)
                                if not re.match(r"<!-- (measured|record): |\|", match["before"])]


def main():
    arguments = sys.argv[1:]
    update = arguments[:1] == ["--update"]
    source, sidestep = arguments[update:]
    documents = Documents(pathlib.Path(source), update)
    listed = subprocess.run([sidestep, "test", "--list"], check=True, capture_output=True, text=True).stdout
    documents.catalogue([line.split()[0] for line in listed.splitlines()[1:]])
    documents.documents()
    print("\n".join(documents.faults))
    return 1 if documents.faults else 0


if __name__ == "__main__":
    sys.exit(main())
