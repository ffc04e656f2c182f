#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares the documents with what they describe.

usage: check.py [--update] SOURCE SIDESTEP GEN_DOCS

Checked in README.md, CONTRIBUTING.md, CHANGELOG.md, SECURITY.md and docs/*.md:
  - every output has a mark that says where it comes from (outputs.py has the notation); what the host can print
    is what it prints now. Those of labs are compared by the tests of the labs;
  - docs/commands.md has the `--help` of every command;
  - the lines after `<!-- table: NAME -->`, up to a blank line, are what `gen-docs NAME` prints;
  - a table of ticks has a mark too: `<!-- record: ... -->`, or `<!-- measured: ... -->` if another check compares it;
  - a link to a file leads to a file, and one to a heading to a heading;
  - README.md can be read in two minutes, and names each document once;
  - docs/testing.md names each fuzz target once.
And in docs/schemas:
  - what `"$comment": "gen-docs: NAME"` stands beside has its words from that table: an `enum` all keys, `properties`
    the descriptions;
  - every property has a description, and the text is laid out as schema_text() does.
With --update, blocks, tables and schemas are rewritten in place.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

import outputs

TABLE = re.compile(r"^<!-- table: (\S+) -->\n(.*?)(?=^\n|\Z)", re.M | re.S)
# A cell such as `1 0 1, 3742` or `16,945`.
TICKS = re.compile(r"(?:^|[^\n]*\n)((?:\|[^\n]*\|\n)*\|(?:[^\n]*\| *(?:\d+ [\d-]+ \d+, )?\d[\d,]*\d{3}(?: million)? ){2,}[^\n]*\|\n)")
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
README_LINES = 200
SKIPPED = 77


def output(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def no_code(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def anchors(path):
    headings = re.findall(r"^#+ (.+)$", no_code(path.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_indented(document):
    """Outputs stand in fenced blocks, where marks are looked for."""
    for line in re.findall(r"^(?: {4}|\t)\$ [^\n]*$", no_code(document.text), re.M):
        yield f"{document.path}: output in a block without a fence: {line.strip()}"


def check_links(document):
    for target, anchor in LINK.findall(no_code(document.text)):
        if "://" in target:
            continue
        path = document.path.parent / target if target else document.path
        if not path.exists():
            yield f"{document.path}: link to {target}, which does not exist"
        elif anchor and path.suffix == ".md" and anchor not in anchors(path):
            yield f"{document.path}: link to {target}#{anchor}, where there is no such heading"


def check_tables(document, gen_docs, update):
    def table(match):
        new = output(gen_docs, match[1])
        if match[2] != new and not update:
            faults.append(f"{document.path}: {match[1]} is not what the program prints:\n{new}")
        return match[0].replace(match[2], new) if match[2] else match[0] + new

    faults = []
    fresh = TABLE.sub(table, document.text)
    if update and fresh != document.text:
        document.path.write_text(fresh)
    if document.path.name == "measurements.md": # compared with the bars
        return faults
    marked = re.sub(r"^<!-- (?:record|measured|table): [^\n]* -->\n(?:\|[^\n]*\n)+", "", document.text, flags=re.M)
    for rows in re.findall(r"(?:^\|[^\n]*\n)+", no_code(marked), re.M):
        if TICKS.search(rows):
            faults.append(f"{document.path}: a table of ticks without a mark:\n{rows}")
    return faults


def check_help(source, gen_docs):
    helped = re.findall(r"^<!-- run: host -->\n```console\n\$ sidestep ([^\n]*--help)$",
                        (source / "docs/commands.md").read_text(), re.M)
    commands = [row.split("`")[1] for row in output(gen_docs, "commands").splitlines()[2:]]
    return [f"docs/commands.md: no block for `sidestep {wanted}`"
            for wanted in ["--help", *(f"{command} --help" for command in commands)] if wanted not in helped]


def keys_of(gen_docs, table):
    """What the rows of a table mean, by the last cell before that which is code."""
    rows = [line.strip("| ").replace("\\|", "|").split(" | ") for line in output(gen_docs, table).splitlines()[2:]]
    return {[cell for cell in row[:-1] if cell[0] == "`"][-1].strip("`"): row[-1] for row in rows}


def is_words(value):
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def schema_text(value, indent=""):
    """JSON with an object in a line if there is room for it."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + 4 * len(indent) <= 116 or not isinstance(value, (dict, list)) or is_words(value):
        return line
    inside = "\t" + indent
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {schema_text(part, inside)}" for key, part in value.items()]
    else:
        parts = [schema_text(part, inside) for part in value]
    return f"{line[0]}\n{inside}{f',{chr(10)}{inside}'.join(parts)}\n{indent}{line[-1]}"


def fill_schema(schema, gen_docs):
    """Puts in the words of the tables; yields the properties that have none. Those of a condition have theirs elsewhere."""
    table = schema.get("$comment", "").partition("gen-docs: ")[2]
    meanings = keys_of(gen_docs, table) if table else {}
    if table and "enum" in schema:
        schema["enum"] = list(meanings)
    for key, part in schema.get("properties", {}).items():
        if key in meanings:
            part["description"] = meanings[key]
        if part is not False and "description" not in part:
            yield key
    for word, inner in schema.items():
        parts = inner.values() if word in ("properties", "$defs") else inner if isinstance(inner, list) else [inner]
        for part in parts:
            missing = list(fill_schema(part, gen_docs)) if isinstance(part, dict) else []
            yield from missing if word not in ("if", "then", "else") else []


def check_schemas(source, gen_docs, update):
    for path in sorted((source / "docs/schemas").glob("*.json")):
        text = path.read_text()
        schema = json.loads(text)
        for key in fill_schema(schema, gen_docs):
            yield f"{path}: {key} has no description"
        fresh = schema_text(schema) + "\n"
        if update:
            path.write_text(fresh)
        elif text != fresh:
            yield f"{path}: not as the tables of the program and schema_text() have it; --update writes it"


def check_readme(source):
    text = (source / "README.md").read_text()
    lines = text.count("\n")
    if lines > README_LINES:
        yield f"README.md has {lines} lines, more than {README_LINES}"
    table = text.partition("## Where to go next\n")[2].partition("\n## ")[0]
    for path in sorted((source / "docs").glob("*.md")):
        if table.count(f"](docs/{path.name})") != 1:
            yield f"README.md: docs/{path.name} is not named once under \"Where to go next\""


def check_fuzz_targets(source):
    section = (source / "docs/testing.md").read_text().partition("\n## Fuzzing\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `(\w+)` \|", section, re.M)
    targets = [path.name for path in (source / "tests/fuzz/corpus").iterdir()]
    if sorted(named) != sorted(targets):
        yield f"docs/testing.md: the table under \"Fuzzing\" has {sorted(named)}, tests/fuzz {sorted(targets)}"


def main():
    arguments = sys.argv[1:]
    update = arguments[:1] == ["--update"]
    source, sidestep, gen_docs = arguments[1:] if update else arguments
    source, build = pathlib.Path(source), pathlib.Path(sidestep).resolve().parent
    device = os.environ.get("SIDESTEP_KVM", "/dev/kvm")
    kvm = os.access(device, os.R_OK | os.W_OK)
    faults = []
    for document in outputs.documents(source):
        faults += [*check_links(document), *check_indented(document)]
        faults += check_tables(document, gen_docs, update)
        faults += [f"{block}: {block.fault()}" for block in document.blocks if block.fault()]
    faults += [*check_help(source, gen_docs), *check_schemas(source, gen_docs, update), *check_readme(source),
               *check_fuzz_targets(source)]
    if not faults:
        faults += outputs.differences(source, build, None, ["host", "kvm"] if kvm else ["host"], update)
    print("\n".join(faults))
    if not faults and not kvm:
        print(f"needs: kvm; host: no access to {device} (what needs none was compared)")
        return SKIPPED
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
