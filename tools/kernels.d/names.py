# SPDX-License-Identifier: GPL-2.0-only
"""What kernels the command line names, where they are, and what tells one from the other before it boots."""
import hashlib
import os
import pathlib
import re
import subprocess

from conditions import digest_of
from recipe import recipe

PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]*(=[A-Za-z0-9.+:~-]+)?")
OFFERED = re.compile(r"linux-image-\d+\.\d+\.\d+[^ ]*-cloud-amd64 - .*\(signed\)")
# Of modules, those that are measured.
MEASURED = re.compile(r"(kvm|kvm[-_](intel|amd)|irqbypass)\.ko(\.\w+)?")


class Unusable(Exception):
    """Wrong usage or bad input: what is wrong, and the remedy."""


class Broken(Exception):
    """A kernel of which there is no column: why."""


def version_key(name):
    """Orders names as versions: numbers by value."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", name)]


def offered(listing):
    """The packages of signed kernels for a cloud in what `apt-cache search` printed, oldest first."""
    return sorted({line.split()[0] for line in listing.splitlines() if OFFERED.fullmatch(line)}, key=version_key)


def all_offered():
    try:
        found = offered(subprocess.run(["apt-cache", "search", "--names-only", "^linux-image-.*-cloud-amd64$"],
                                       check=False, capture_output=True, text=True).stdout)
    except FileNotFoundError:
        found = []
    if not found:
        raise Unusable("apt offers no cloud kernel: run apt-get update, or name kernels")
    return found


def shortened(release):
    return re.sub(r"^linux-image-|-(cloud-)?amd64$", "", release)


def digest_tree(tree):
    """What tells a kernel: its image, and the modules of KVM. None if there is no kernel yet."""
    if not tree.is_dir():
        return None
    images = [path for place in (tree, tree / "boot") for path in place.glob("vmlinuz*") if path.is_file()]
    if not images:
        return None
    modules = (pathlib.Path(place, name) for place, _, names in os.walk(tree, followlinks=True)
               for name in names if MEASURED.fullmatch(name))
    return digest_of(sorted(images) + sorted(modules))


class Kernel:
    """One column: `given` names it on the command line, `label` in tables, `argument` for tools/lab."""

    def __init__(self, given, label):
        self.given, self.label, self.argument, self.failed = given, label, given, None

    def prepare(self, _cache):
        """Whatever has to be there before a lab can boot it; raises Broken."""

    def digest(self, _build):
        return digest_tree(pathlib.Path(self.argument))


class Package(Kernel):
    def __init__(self, given):
        super().__init__(given, shortened(given))

    def digest(self, build):
        """Where tools/lab unpacks packages; one that it has not seen yet has to be fetched, and so booted, anyway."""
        return digest_tree(build / "lab-cache" / self.given)


class Directory(Kernel):
    def __init__(self, given):
        super().__init__(given, pathlib.Path(given).resolve().name)
        self.argument = str(pathlib.Path(given).resolve())


class BuiltTree(Directory):
    """A source tree in which make has been: the lab gets a directory of links to what it needs."""

    def prepare(self, cache):
        source = pathlib.Path(self.argument)
        links = cache / "trees" / hashlib.sha256(self.argument.encode()).hexdigest()[:16]
        links.mkdir(parents=True, exist_ok=True)
        for old in links.iterdir():
            old.unlink()
        (links / "vmlinuz").symlink_to(source / "arch/x86/boot/bzImage")
        for module in sorted(source.rglob("*.ko")):
            if not (links / module.name).exists():
                (links / module.name).symlink_to(module)
        self.argument = str(links)


def run_gently(words, log):
    """The status of a command that may clean up behind itself if we are to end."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


class Commit(Kernel):
    """A commit of a tree, built by tools/build-kernel, once."""

    def __init__(self, given, tree, tools):
        super().__init__(given, given.removeprefix("git:"))
        self.tree, self.tools = tree, tools
        found = subprocess.run(["git", "-C", tree, "rev-parse", "--verify", "--quiet", "--end-of-options",
                                f"{self.label}^{{commit}}"], check=False, capture_output=True, text=True)
        if found.returncode:
            raise Unusable(f"{given}: no such commit in {tree}")
        self.commit = found.stdout.strip()

    def prepare(self, cache):
        built = cache / "commits" / f"{self.commit}-{recipe()}"
        self.argument = str(built)
        if digest_tree(built):
            return
        built.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{built}.log", "w+", encoding="utf-8", errors="replace") as log:
            status = run_gently([self.tools / "build-kernel", "--rev", self.commit, "--work", cache / "objects",
                                 self.tree, built], log)
            log.seek(0)
            said = log.read().strip().splitlines()
        if status or not digest_tree(built):
            own = [line.removeprefix("build-kernel: ") for line in said if line.startswith("build-kernel: ")]
            raise Broken(f"{self.given} does not build: {[*own, *said[-1:], f'status {status}'][0]} ({built}.log)")


def kernel_of(given, tree, tools):
    if given.startswith("git:"):
        if not tree:
            raise Unusable(f"{given}: of which repository? Name one with --tree")
        if not (tools / "build-kernel").exists():
            raise Unusable(f"{given}: tools/build-kernel, which would build it, is not there")
        return Commit(given, tree, tools)
    if "/" in given or os.path.isdir(given):
        path = pathlib.Path(given)
        if not path.is_dir():
            raise Unusable(f"{given}: no such directory; name one with vmlinuz* in it, a built tree, or a package")
        if (path / "arch/x86/boot/bzImage").exists():
            return BuiltTree(given)
        if (path / "Kconfig").exists():
            raise Unusable(f"{given}: a source tree without arch/x86/boot/bzImage; run make in it")
        if not digest_tree(path):
            raise Unusable(f"{given}: no vmlinuz* in it; name a directory with a kernel image")
        return Directory(given)
    if not PACKAGE.fullmatch(given):
        raise Unusable(f"{given}: neither a package name nor a directory")
    return Package(given)


def kernels_of(names, tree, tools):
    kernels = [kernel_of(name, tree, tools) for name in names]
    labels = [kernel.label for kernel in kernels]
    for kernel in kernels:
        if labels.count(kernel.label) > 1:
            kernel.label = kernel.given
    return kernels
