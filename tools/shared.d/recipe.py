# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel that tools/build-kernel makes of a source depends on besides that source."""
import shutil
import subprocess

from conditions import TOOLS, digest_of


def recipe(configs=()):
    """Of the script, its fragments and the compiler: sixteen digits, others as soon as one of them is another."""
    compiler = b""
    if shutil.which("gcc"):
        compiler = subprocess.run(["gcc", "--version"], check=False, capture_output=True).stdout
    return digest_of([TOOLS / "build-kernel", TOOLS / "kernel.config", *configs], compiler)[:16]
