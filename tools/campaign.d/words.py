# SPDX-License-Identifier: GPL-2.0-only
"""What all parts of the tool have in common."""
import os

NAME = "campaign"
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
STATUS_DIFFERS, STATUS_USAGE, STATUS_SKIPPED, STATUS_FAILED, STATUS_TIMEOUT = 1, 2, 77, 99, 124


class Unusable(Exception):
    """What somebody asked for cannot be done; it says why."""


class Missing(Exception):
    """A program that is not installed; it says what to do."""


def printable(text, limit=300):
    """One line that does nothing to a terminal."""
    text = "".join(char if char.isprintable() else "?" for char in text.strip().expandtabs(1))
    return text if len(text) <= limit else text[:limit - 3] + "..."
