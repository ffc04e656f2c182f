#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares the documents with what they describe.

usage: check.py [--update] SOURCE SIDESTEP GEN_DOCS

Checked in README.md and docs/*.md:
  - a console block that starts with `$ sidestep ... --help` shows the program's real output, and
    README.md has one for every command;
  - the lines after `<!-- table: NAME -->`, up to a blank line, are what `gen-docs NAME` prints;
  - a link to a file leads to a file.
With --update, blocks and tables are rewritten in place.
"""
import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"^```console\n\$ sidestep ([^\n]*--help)\n(.*?)^```$", re.M | re.S)
TABLE = re.compile(r"^<!-- table: (\S+) -->\n(.*?)(?=^\n|\Z)", re.M | re.S)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def output(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def main():
    arguments = sys.argv[1:]
    update = arguments[:1] == ["--update"]
    source, sidestep, gen_docs = arguments[1:] if update else arguments
    source = pathlib.Path(source)
    faults = []
    helped = set()

    def compare(path, name, old, new, whole):
        if old == new or update:
            return whole.replace(old, new) if old else whole + new
        faults.append(f"{path}: {name} is not what the program prints:\n{new}")
        return whole

    for path in [source / "README.md", *sorted((source / "docs").glob("*.md"))]:
        text = path.read_text()

        def block(match):
            if path.name == "README.md":
                helped.add(match[1])
            return compare(path, match[1], match[2], output(sidestep, *match[1].split()), match[0])

        def table(match):
            return compare(path, match[1], match[2], output(gen_docs, match[1]), match[0])

        fresh = TABLE.sub(table, BLOCK.sub(block, text))
        if fresh != text:
            path.write_text(fresh)
        for target in LINK.findall(text):
            if "://" not in target and not (path.parent / target).exists():
                faults.append(f"{path}: link to {target}, which does not exist")

    for row in output(gen_docs, "commands").splitlines()[2:]:
        command = row.split("`")[1]
        if f"{command} --help" not in helped:
            faults.append(f"README.md: no block for `sidestep {command} --help`")
    if "--help" not in helped:
        faults.append("README.md: no block for `sidestep --help`")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
