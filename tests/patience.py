# SPDX-License-Identifier: GPL-2.0-only
"""How long a test waits for what does not come unless something is wrong."""
import os


def patient(seconds):
    """Seconds that nothing takes unless it hangs, of so many on an idle machine: surroundings.sh says by
    how much."""
    return seconds * int(os.environ.get("PATIENCE", 12))
