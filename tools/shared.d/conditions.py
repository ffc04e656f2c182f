# SPDX-License-Identifier: GPL-2.0-only
"""What a number that is counted in a lab depends on besides the lab's kernel."""
import hashlib
import pathlib
import subprocess

TOOLS = pathlib.Path(__file__).resolve().parent.parent


class NoLab(Exception):
    """Nothing can be counted in it: what is missing, and the remedy."""


def digest_of(paths, words=b""):
    """Of words and files, these by their names and contents: 64 digits."""
    total = hashlib.sha256(words)
    for path in map(pathlib.Path, paths):
        with open(path, "rb") as file:
            total.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def surroundings(lab, build):
    """The files of the lab, as it lists them itself: its emulator first."""
    asked = subprocess.run([TOOLS / "lab", lab, "--build", build, "--made-of"], check=False, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, errors="surrogateescape")
    if asked.returncode:
        said = asked.stderr.splitlines() or [f"tools/lab ended with status {asked.returncode}"]
        raise NoLab(said[-1].removeprefix("lab: "))
    return asked.stdout.rstrip("\n").split("\n")


def package_of(program):
    """Debian's package that a program is of, with its version. None of one that came another way."""
    words = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}"]
    try:
        owner = subprocess.run(["dpkg-query", "--search", program], check=True, capture_output=True, text=True).stdout
        return subprocess.run([*words, owner.split(":")[0]], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
