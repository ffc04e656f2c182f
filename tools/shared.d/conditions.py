# SPDX-License-Identifier: GPL-2.0-only
"""What a number that is counted in a lab depends on besides the lab's kernel."""
import hashlib
import pathlib
import shutil
import subprocess

TOOLS = pathlib.Path(__file__).resolve().parent.parent
EMULATORS = {"intel": ("bochs-bin", "bochs"), "amd": ("qemu-system-x86_64",)}


def digest_of(paths, words=b""):
    """Of words and files, these by their names and contents: 64 digits."""
    total = hashlib.sha256(words)
    for path in map(pathlib.Path, paths):
        with open(path, "rb") as file:
            total.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def libraries_of(program):
    """The lab has copies of them."""
    said = subprocess.run(["ldd", program], check=False, capture_output=True, text=True).stdout
    return sorted(word for word in said.split() if word.startswith("/"))


def surroundings(lab, build):
    """Programs and scripts, those that are there."""
    sidestep = pathlib.Path(build) / "sidestep"
    programs = filter(None, map(shutil.which, [*EMULATORS[lab], "busybox"]))
    parts = sorted(path for path in TOOLS.glob("lab.d/*") if path.is_file())
    return [sidestep, *programs, *libraries_of(sidestep), TOOLS / "lab", *parts]


def emulator_of(lab):
    """Debian's package of the emulator, with its version. None of one that came another way, or is not there."""
    words = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}"]
    try:
        owner = subprocess.run(["dpkg-query", "--search", shutil.which(EMULATORS[lab][0])], check=True,
                               capture_output=True, text=True).stdout
        return subprocess.run([*words, owner.split(":")[0]], check=True, capture_output=True, text=True).stdout
    except (OSError, TypeError, subprocess.CalledProcessError):
        return None
