# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel that tools/build-kernel makes of a source depends on besides that source."""
import hashlib
import pathlib
import shutil
import subprocess

TOOLS = pathlib.Path(__file__).resolve().parent.parent


def recipe(configs=()):
    """Of the script, its fragments and the compiler: sixteen digits, others as soon as one of them is another."""
    total = hashlib.sha256()
    for path in (TOOLS / "build-kernel", TOOLS / "kernel.config", *map(pathlib.Path, configs)):
        total.update(hashlib.sha256(path.read_bytes()).digest())
    if shutil.which("gcc"):
        total.update(subprocess.run(["gcc", "--version"], check=False, capture_output=True).stdout)
    return total.hexdigest()[:16]
