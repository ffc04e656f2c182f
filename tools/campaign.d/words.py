# SPDX-License-Identifier: GPL-2.0-only
"""What all parts of the tool have in common."""
import contextlib
import functools
import hashlib
import json
import os
import shutil

NAME = "campaign"
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
INSTALLED = os.path.exists(os.path.join(SOURCE, "build", "installed"))  # by tools/meson.build
COMMAND = f"sidestep-{NAME}" if INSTALLED else f"tools/{NAME}"
PLANS = os.path.join(SOURCE if INSTALLED else "", "tools", f"{NAME}.d", "plans")
STATUS_DIFFERS, STATUS_USAGE, STATUS_SKIPPED, STATUS_FAILED, STATUS_TIMEOUT = 1, 2, 77, 99, 124


class Unusable(Exception):
    """What somebody asked for cannot be done; it says why."""


class Missing(Exception):
    """A program that is not installed; it says what to do."""


RESULT = {"version", "command", "status", "host", "kernel", "program", "seconds", "processor_seconds", "skipped", "counts",
          "findings"}


def result_at(path, command):
    """What a job of this command has come to; None if it has not, or what is there is damaged or of another command."""
    try:
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
    except (OSError, ValueError):
        return None
    whole = isinstance(result, dict) and RESULT <= result.keys() and result["version"] == 1
    return result if whole and result["command"] == command else None


def is_done(result):
    """What needed something that was not there is tried again."""
    return result is not None and not result["skipped"]


@functools.cache
def digest(program):
    """What tells a program from what it was before it was built anew."""
    with contextlib.suppress(OSError, TypeError):
        with open(shutil.which(program), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()[:16]
    return None


def printable(text, limit=300):
    """One line that does nothing to a terminal."""
    text = "".join(char if char.isprintable() else "?" for char in text.strip().expandtabs(1))
    return text if len(text) <= limit else text[:limit - 3] + "..."
