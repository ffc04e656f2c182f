#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The pages of the manual: each command has one with its options, what they refer to is there, and groff has nothing to say.

usage: manual.py SOURCE SIDESTEP GEN_DOCS
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, total  # noqa: E402

SUFFIX = ".scd.in"


def run(*arguments, **more):
    return subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, **more)


def check_page(page, text, pages):
    """References are written *name*(section)."""
    check(f"{page}: a title", text.startswith(re.sub(r"\.(\d)$", r"(\1) ", page)), text[:80])
    lost = [name for name in re.findall(r"\*(sidestep[a-z-]*)\*\((\d)\)", text) if ".".join(name) not in pages]
    check(f"{page}: what it refers to is there", not lost, str(lost))
    left = re.findall(r"^@.*|`", text.replace("```", ""), re.M)
    check(f"{page}: nothing is left of the template, nor of Markdown", not left, str(left))


def check_tables(page, template, text, gen_docs):
    """Names and meanings, whatever is bold there."""
    bare = lambda cell: re.sub(r"[\\*`]", "", cell).strip()
    seen = bare(text)
    for name in re.findall(r"^@(?:TABLE|LIST) ([a-z0-9-]+)@$", template, re.M):
        rows = [re.split(r"(?<!\\)\|", row)[1:-1] for row in run(gen_docs, name).stdout.splitlines()[2:]]
        lost = [cell for row in rows for cell in (row[0], row[-1]) if bare(cell) not in seen]
        check(f"{page}: all of {name}", rows and not lost, str(lost))


def check_rendered(page, text):
    made = run("scdoc", input=text)
    check(f"{page}: scdoc", made.returncode == 0 and made.stdout, made.stderr)
    if shutil.which("groff"):
        seen = run("groff", "-man", "-Tutf8", "-ww", "-z", input=made.stdout)
        check(f"{page}: groff", seen.returncode == 0 and not seen.stderr, seen.stderr)


def check_command(sidestep, command, text):
    wanted = re.findall(r"^  .{4}(--[a-z0-9-]+)(?: ([A-Z/]+))?", run(sidestep, command, "--help").stdout, re.M)
    bold = re.findall(r"^(?:\*-.\*, )?\*(--[a-z0-9-]+)\*(?: _([A-Z/]+)_)?$", text, re.M)
    check(f"sidestep-{command}: the options of --help, in its order", wanted and bold == wanted, f"{bold}\n{wanted}")


def main():
    source, sidestep, gen_docs = (pathlib.Path(word).resolve() for word in sys.argv[1:])
    templates = {path.name.removesuffix(SUFFIX): path for path in sorted((source / "docs/man").iterdir())}
    texts = {}
    for page, path in templates.items():
        made = run(gen_docs, "man", path)
        check(f"{page}: made", made.returncode == 0 and not made.stderr, made.stderr)
        texts[page] = made.stdout
        check_page(page, made.stdout, templates)
        check_tables(page, path.read_text(), made.stdout, gen_docs)
        if shutil.which("scdoc"):
            check_rendered(page, made.stdout)
    for row in run(gen_docs, "commands").stdout.splitlines()[2:]:
        command = row.split("`")[1]
        check(f"sidestep-{command}: there is a page", f"sidestep-{command}.1" in texts)
        check_command(sidestep, command, texts.get(f"sidestep-{command}.1", ""))
        check(f"sidestep-{command}: sidestep(1) names it", f"*sidestep-{command}*(1)" in texts["sidestep.1"])
    installed = re.findall(r"'(sidestep[a-z-]*\.\d)'", (source / "docs/meson.build").read_text())
    check("the build makes every page", sorted(set(installed)) == sorted(templates), str(installed))
    with tempfile.TemporaryDirectory() as scratch:
        for line in ("@NOTHING@", "@TABLE nothing@", "@OPTIONS nothing@", "@COMMAND nothing@", "@TABLE@", "@"):
            bad = pathlib.Path(scratch) / f"bad.1{SUFFIX}"
            bad.write_text(line + "\n")
            made = run(gen_docs, "man", bad)
            check(f"{line} is refused", made.returncode == 1 and f"unknown section {line}" in made.stderr, made.stderr)
    return total()


if __name__ == "__main__":
    sys.exit(main())
