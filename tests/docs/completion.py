#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Types command lines into interactive shells, and reads what TAB makes of them.

Usage: completion.py SIDESTEP COMPLETION..., each in a file named as the shell wants it, below a directory of
the build. The same table of lines is for all shells.
"""
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from checks import check, equal, total  # noqa: E402
from patience import patient  # noqa: E402

try:
    import pexpect
except ImportError:
    print("skipped: needs: python3-pexpect; host: not installed")
    sys.exit(77)

# What is typed, and what is there after TAB; None: the same. Shells put a blank, "=" or "," behind it, which they take
# back as needed, so that these do not count. The file is named so that no shell finds its letters in another word.
FILE = "zz-guest.elf"
LINES = [
    ("a command", "ru", "run"),
    ("help", "hel", "help"),
    ("a command after help", "help ru", "help run"),
    ("one command is enough for help", "help run tes", None),
    ("what is no command", "nonsense --", None),
    ("a file after what is no command", "nonsense zz", None),
    ("the program's option", "--vers", "--version"),
    ("an option", "test --time", "test --timeout"),
    ("an option after others", "run -q --engine=flat --flag-p", "run -q --engine=flat --flag-path"),
    ("an option that may be repeated", "report --diff --threshold 5 --thre", "report --diff --threshold 5 --threshold"),
    ("an option of another command", "info --quie", None),
    ("a value", "run --engine fl", "run --engine flat"),
    ("a value after =", "run --engine=fl", "run --engine=flat"),
    ("a value that only another command has", "views --engine au", None),
    ("a value with a hyphen", "bench --embodiment sing", "bench --embodiment single-mask"),
    ("a value that is told late in the meaning", "test --on-ask reg", "test --on-ask register"),
    ("a value behind one with a remark", "bench --seccomp lo", "bench --seccomp log"),
    ("a flag", "run --own sme", "run --own smep"),
    ("a flag after a comma", "run --shadow ts,sme", "run --shadow ts,smep"),
    ("a flag after = and a comma", "image --ask=ts,mp,sme", "image --ask=ts,mp,smep"),
    ("an operation", "test cr0.read.smsw.k", "test cr0.read.smsw.kept"),
    ("a second operation", "bench cr0.ts.mov cr0.read.smsw.k", "bench cr0.ts.mov cr0.read.smsw.kept"),
    ("a file as guest", "run zz", f"run {FILE}"),
    ("no file after standard input as the only guest", "run - zz", None),
    ("a file as guest after options", "run -m 16M --engine=flat -q zz", f"run -m 16M --engine=flat -q {FILE}"),
    ("no file after the only guest", f"run {FILE} zz", None),
    ("no file after the only guest and options", f"profile --engine flat {FILE} -m 16M zz", None),
    ("a file as guest of a policy", f"views {FILE} zz", f"views {FILE} {FILE}"),
    ("no file after a policy and its guest", f"views {FILE} {FILE} zz", None),
    ("a file as ledger", "report zz", f"report {FILE}"),
    ("a file as third ledger", f"report {FILE} {FILE} zz", f"report {FILE} {FILE} {FILE}"),
    ("a file for an option", "run --initrd zz", f"run --initrd {FILE}"),
    ("a file for an option after =", "run --initrd=zz", f"run --initrd={FILE}"),
    ("a file for a short option", "info -o zz", f"info -o {FILE}"),
    ("no file for a number", "run -m zz", None),
    ("no file as operation", "test zz", None),
    ("no file without operands", "info zz", None),
]

# What is typed, what is shown at least, what of that has a meaning beside it, and what is not shown.
LISTS = [
    ("commands", "", {"test", "run", "profile", "bench", "report", "views", "image", "info", "help"},
     "launch a guest and print the ledger", "--engine"),
    ("commands for help", "help r", {"report", "run"}, "print what a ledger says", "views"),
    ("options", "info -", {"--format", "--output", "-o", "--help"}, "write to FILE, which appears only when complete",
     "--engine"),
    ("options with brackets", "run --", {"--workload", "--quiet", "--timeout"},
     "have the firmware repeat PATTERN[@RATE],... for ever", "--list"),
    ("options with an apostrophe", "test --se", {"--seed", "--seccomp"}, "system calls outside the jail's list", "--engine"),
    ("options with colons", "test --se", {"--services"}, "what VMFUNC may invoke: view,map:cpl0 or none (default all)",
     "--engine"),
    ("values", "report --by ", {"operation", "reason", "rip", "symbol", "level", "vcpu", "instruction", "vm", "service",
                                "violation"}, None, FILE),
    # fish shows no more than the end of what is long and begins all of them.
    ("operations", "test wait.", {"wait.clear", "wait.ts"}, "WAIT with TS and MP clear: executes", "fpu.ts"),
    ("operations with two needs", "test service.map.", set(), "all rights go: a read", "map all rights"),
]

# Each makes Ctrl-G print the line and empty it: what a shell draws does not tell where that ends.
SETUP = {
    "bash": """PS1='ready> '
        bind 'set enable-bracketed-paste off'
        bind 'set page-completions off'
        show() { printf 'line<%s>' "$READLINE_LINE"; READLINE_LINE=; }
        bind -x '"\\C-g": show'
        source {directory}/sidestep
        """,
    "zsh": """PROMPT='ready> '
        unset zle_bracketed_paste
        fpath=({directory} $fpath)
        autoload -Uz compinit
        compinit -u -D
        show() { zle -Rc; zle -I; print -rn -- "line<$BUFFER>"; BUFFER= }
        zle -N show
        bindkey '^G' show
        """,
    "fish": """set -p fish_complete_path {directory}
        set -g fish_autosuggestion_enabled 0
        function fish_prompt; echo -n 'ready> '; end
        function show; printf 'line<%s>' (commandline); commandline -r ''; end
        bind \\cg show
        """,
}
COMMAND = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--private", "-i"],
}
# How often TAB is typed for a list: once more, a menu would begin.
TABS = {"bash": "\t\t", "zsh": "\t", "fish": "\t"}

DRAWN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Z]|[=>78])|[\x07\x0e\x0f]")


class Shell:
    """One that is interactive, with a home and commands of its own."""

    def __init__(self, name, completions, home, environment):
        setup = os.path.join(home, "setup." + name)
        with open(setup, "w", encoding="utf-8") as file:
            file.write(SETUP[name].replace("{directory}", completions))
        # No line is so long, nor a list, that a shell had to fold it or ask.
        self.child = pexpect.spawn(COMMAND[name][0], COMMAND[name][1:], env=environment, cwd=home, encoding="utf-8",
                                   codec_errors="replace", dimensions=(100, 240), timeout=patient(10))
        self.child.delaybeforesend = None
        self.seen = ""
        self.child.send(f"source {setup}\r")
        self.until("ready> ")

    def until(self, pattern):
        """What matches, and what was seen before that."""
        while True:
            seen = DRAWN.sub("", self.seen)
            found = re.search(pattern, seen, re.DOTALL)
            if found:
                self.seen = seen[found.end():]
                return found, seen[:found.start()]
            try:
                self.seen += self.child.read_nonblocking(65536)
            except (pexpect.TIMEOUT, pexpect.EOF) as error:
                raise RuntimeError(f"{type(error).__name__} after {seen[-1500:]!r}") from None

    def completed(self, line):
        """The line after TAB, and what was shown meanwhile."""
        self.child.send(line)
        self.child.send("\x07")
        found, shown = self.until("line<(.*?)>")
        return found[1], shown

    def end(self):
        self.child.close(force=True)


def lines(name, shell):
    for what, typed, wanted in LINES:
        wanted = typed if wanted is None else wanted
        found, _ = shell.completed(f"sidestep {typed}\t")
        equal(f"{name}: {what}", found.removeprefix("sidestep ").rstrip(" =,"), wanted.rstrip(" =,"))
    for what, typed, wanted, meaning, unwanted in LISTS:
        _, shown = shell.completed(f"sidestep {typed}{TABS[name]}")
        words = set(re.split(r"[\s,()]+", shown))
        if meaning and name != "bash":
            check(f"{name}: the meaning of {what}", meaning in shown, repr(shown))
        check(f"{name}: a list of {what}", wanted <= words and unwanted not in shown, f"{wanted - words} of {shown!r}")


def main():
    sidestep, *files = [os.path.abspath(name) for name in sys.argv[1:]]
    missing = [name for name in SETUP if not shutil.which(name)]
    with tempfile.TemporaryDirectory(prefix="completion.", ignore_cleanup_errors=True) as home:
        os.mkdir(home + "/bin")
        os.symlink(sidestep, home + "/bin/sidestep")
        environment = {"HOME": home, "PATH": home + "/bin:" + os.environ["PATH"], "TERM": "xterm",
                       "LC_ALL": "C.UTF-8", "ZDOTDIR": home}
        for name in SETUP:
            if name in missing:
                print(f"ok - {name} # SKIP needs: {name}; host: not installed")
                continue
            work = os.path.join(home, name)
            os.mkdir(work)
            open(os.path.join(work, FILE), "wb").close()
            shell = None
            try:
                shell = Shell(name, os.path.dirname(files[0]), work, environment)
                lines(name, shell)
            except RuntimeError as error:
                check(f"{name}: answers", False, error)
            finally:
                if shell:
                    shell.end()
    status = total()
    if missing and not status:
        print(f"needs: {', '.join(missing)}; host: not installed (the other shells were tested)")
        return 77
    return status


if __name__ == "__main__":
    sys.exit(main())
