#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The parts of tools/kernels and of what it shares: names, digests, what a number depends on, what counts as a change.

Usage: parts.py TOOL. A line per check, "ok" or "not ok".
"""
import os
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
TOOL = os.path.realpath(sys.argv[1])
sys.path[:0] = [TOOL + ".d", os.path.join(os.path.dirname(TOOL), "shared.d"),
                os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]

import conditions
import matrix
import names
import recipe
import writers
from checks import equal, total
from matrix import Column, Matrix, change_of

LISTING = """\
linux-image-6.1.0-10-cloud-amd64 - Linux 6.1 for x86-64 cloud (signed)
linux-image-6.12.9+deb12-cloud-amd64 - Linux 6.12 for x86-64 cloud (signed)
linux-image-6.1.0-9-cloud-amd64 - Linux 6.1 for x86-64 cloud (signed)
linux-image-6.1.0-9-cloud-amd64-dbg - Debug symbols for linux-image-6.1.0-9-cloud-amd64
linux-image-6.1.0-9-cloud-amd64-unsigned - Linux 6.1 for x86-64 cloud
linux-image-6.12.100+deb12-cloud-amd64 - Linux 6.12 for x86-64 cloud (signed)
linux-image-6.1.0-9-amd64 - Linux 6.1 for 64-bit PCs (signed)
linux-image-cloud-amd64 - Linux for x86-64 cloud (meta-package)
linux-image-6.12-cloud-amd64 - Linux for x86-64 cloud (meta-package)
"""


def cell(l0=1, monitor=0, vmm=0, ticks=1000.0):
    return {"l0": l0, "monitor": monitor, "vmm": vmm, "ticks": ticks}


NOTE = {"note": "needs: ve; host: none"}
CHANGES = [
    # name, before, after, threshold, exits only, kinds
    ("the same", cell(), cell(), 0, False, None),
    ("one exit more at L0", cell(), cell(l0=2), 1, False, {"exits"}),
    ("one exit less at the monitor", cell(monitor=1), cell(), 1, False, {"exits"}),
    ("one exit more at the VMM, in exits only", cell(), cell(vmm=1), 1, True, {"exits"}),
    ("a level that is not observed any more", cell(), cell(l0=None), 1, False, {"exits"}),
    ("ticks within the threshold", cell(), cell(ticks=1010.0), 1, False, None),
    ("ticks above it", cell(), cell(ticks=1010.1), 1, False, {"ticks"}),
    ("fewer ticks", cell(), cell(ticks=989.0), 1, False, {"ticks"}),
    ("ticks in exits only", cell(), cell(ticks=2000.0), 1, True, None),
    ("any tick", cell(), cell(ticks=1000.1), 0, False, {"ticks"}),
    ("from no ticks to some", cell(ticks=0.0), cell(ticks=0.1), 1000, False, {"ticks"}),
    ("both", cell(), cell(l0=0, ticks=2.0), 1, False, {"exits", "ticks"}),
    ("not performed any more", cell(), NOTE, 1, True, {"performed"}),
    ("performed now", NOTE, cell(), 1, True, {"performed"}),
    ("never performed, for another reason", NOTE, {"note": "needs: masks"}, 0, False, None),
]


def compared():
    for name, before, after, threshold, exits_only, kinds in CHANGES:
        equal(name, change_of(before, after, threshold, exits_only), kinds)


def columns():
    first, failed = Column("a", {"x": cell(), "y": cell()}), Column("b", failed="no boot")
    second, third = Column("c", {"x": cell(l0=2), "y": cell()}), Column("d", {"x": cell(l0=2), "z": cell()})
    made = Matrix("amd", "svm", [first, failed, second, third], 1.0)
    equal("operations of all columns", made.operations, ["x", "y", "z"])
    equal("a column that failed is passed over", made.changes[("x", 2)], (0, {"exits"}))
    equal("a change is told once", [key for key in made.changes if key[0] == "x"], [("x", 2)])
    equal("an operation that comes or goes", sorted(made.changes), [("x", 2), ("y", 3), ("z", 3)])
    equal("both sides are repeated", made.columns_to_repeat(), [0, 2, 3])
    equal("not repeated yet", made.repeated("x", 2), None)
    for name, before, after, wanted in (
            ("the same again", cell(), cell(l0=2), "identical"),
            ("other ticks, and the same exits", cell(ticks=1001.0), cell(l0=2, ticks=999.0), "holds"),
            ("ticks that are off alike", cell(ticks=1001.0), cell(l0=2, ticks=1002.0), "holds"),
            ("no change", cell(), cell(), "gone"),
            ("other exits", cell(), cell(l0=3), "gone"),
            ("not performed", cell(), NOTE, "gone")):
        first.again, second.again = {"x": before}, {"x": after}
        equal(f"again: {name}", made.repeated("x", 2), wanted)
    both = Matrix("amd", "svm", [Column("a", {"x": cell()}), Column("b", {"x": cell(l0=2, ticks=1010.5)})], 1.0)
    for column, again in zip(both.columns, (cell(), cell(l0=2, ticks=1009.5))):
        column.again = {"x": again}
    equal("again: the exits alone", both.repeated("x", 1), "holds")
    ticks = Matrix("amd", "svm", [Column("a", {"x": cell()}), Column("b", {"x": cell(ticks=1100.0)})], 1.0)
    for name, before, after, wanted in (
            ("ticks a little off", 1000.5, 1099.0, "holds"), ("ticks within the threshold", 1000.0, 1009.0, "gone"),
            ("ticks the other way", 1100.0, 1000.0, "gone")):
        for column, number in zip(ticks.columns, (before, after)):
            column.again = {"x": cell(ticks=number)}
        equal(f"again: {name}", (ticks.repeated("x", 1), ticks.counted()), (wanted, wanted != "gone"))


def shown():
    words = writers.Words(Matrix("intel", "vmx", [
        Column("a", {"x": cell(), "n": NOTE}), Column("b", {"x": cell(ticks=1005.0), "n": NOTE}),
        Column("c", failed="no boot"),
        Column("d", {"x": cell(2, 1, None, 1500.0), "n": cell(ticks=7.25)}),
        Column("e", {"x": cell(2, 1, None, 1500.0), "n": NOTE})], 1.0))
    equal("a first column is whole", words.of("x", 0), ("1/0/0 1000", False))
    equal("a little more", words.of("x", 1), ("1005", False))
    equal("a column that failed", words.of("x", 2), ("failed", False))
    equal("against the last that did not", words.of("x", 3), ("2/1/- 1500 +49.3%", True))
    equal("the same", words.of("x", 4), ("=", False))
    equal("the same, where a line begins", words.of("x", 4, True), ("2/1/- 1500", False))
    equal("not performed", (words.of("n", 1), words.of("n", 3), words.of("n", 4)),
          (("-", False), ("1/0/0 7.2", True), ("-", True)))
    for width, wanted in ((27, [[0, 1], [2], [3], [4]]), (40, [[0, 1, 2], [3, 4]]), (None, [[0, 1, 2, 3, 4]])):
        first, blocks = writers.blocks_of(words, ["x"], width)
        equal(f"columns side by side in {width}", [[number for number, _ in block] for block in blocks], wanted)
        equal(f"none is wider than {width}", [block for block in blocks if width and len(block) > 1
                                              and first + sum(2 + size for _, size in block) > width], [])


def named():
    equal("what apt offers, by version", names.offered(LISTING), [
        f"linux-image-{release}-cloud-amd64" for release in ("6.1.0-9", "6.1.0-10", "6.12.9+deb12", "6.12.100+deb12")])
    equal("labels", [names.shortened(name) for name in ("linux-image-6.1.0-9-cloud-amd64", "linux-image-amd64")],
          ["6.1.0-9", "amd64"])
    with tempfile.TemporaryDirectory() as scratch:
        tree = pathlib.Path(scratch, "kernel")
        equal("no directory, no digest", names.digest_tree(tree), None)
        (tree / "lib/modules/kvm").mkdir(parents=True)
        equal("no image, no digest", names.digest_tree(tree), None)
        (tree / "boot").mkdir()
        digests = []
        modules = tree / "lib/modules/kvm"
        for path in (tree / "boot/vmlinuz-1", modules / "kvm.ko.xz", modules / "kvm-intel.ko", modules / "kvm_amd.ko"):
            for text in ("one", "two"):
                path.write_text(text)
                digests.append(names.digest_tree(tree))
        equal("image and KVM tell a kernel", len(set(digests)), len(digests))
        (modules / "ext4.ko").write_text("else")
        equal("other modules do not", names.digest_tree(tree), digests[-1])


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def lacking(build):
    try:
        return conditions.surroundings("amd", build)
    except conditions.NoLab as error:
        return str(error)


def depended_on():
    """With stand-ins for what the AMD lab and a compiler need, so that it is known what there is."""
    search = os.environ["PATH"]
    with tempfile.TemporaryDirectory() as scratch:
        place, build = pathlib.Path(scratch, "bin"), pathlib.Path(scratch, "build")
        place.mkdir()
        (build / "tools/lab.d").mkdir(parents=True)
        for path in (*(place / name for name in ("qemu-system-x86_64", "busybox", "bochs-bin", "cpio", "xz")),
                     *(build / name for name in ("sidestep", "tools/lab.d/lab-stop", "tools/lab.d/bochs-state.so"))):
            program(path, "")
        program(place / "ldd", f"case $1 in */sidestep) echo '\tlibz.so => {scratch}/libz.so (0x7f00)' ;; *) exit 1 ;; esac")
        pathlib.Path(scratch, "libz.so").write_text("z")
        os.environ["PATH"] = f"{place}:{search}"
        try:
            recipes = [recipe.recipe()]
            for version in ("12.2.0", "12.3.0"):
                program(place / "gcc", f"echo 'gcc {version}'")
                recipes.append(recipe.recipe())
            config = pathlib.Path(scratch, "fragment")
            for text in ("CONFIG_A=y", "CONFIG_A=m"):
                config.write_text(text)
                recipes.append(recipe.recipe([str(config)]))
            equal("a built kernel depends on compiler and fragments", len(set(recipes)), len(recipes))
            equal("and on nothing else", recipe.recipe([str(config)]), recipes[-1])
            found = conditions.surroundings("amd", build)
            equal("a number depends on the lab's own emulator, named first", found[0], str(place / "qemu-system-x86_64"))
            equal("not on the other lab's", [path for path in found if "bochs-bin" in path], [])
            equal("on what is built, its libraries, and busybox",
                  [path for path in map(str, (build / "sidestep", build / "tools/lab.d/lab-stop", f"{scratch}/libz.so",
                                              place / "busybox")) if path not in found], [])
            equal("on the scripts of the lab", {"lab", "init", "amd.sh", "state.sh"} -
                  {os.path.basename(path) for path in found}, set())
            equal("an emulator from nowhere has no package", conditions.package_of(found[0]), None)
            (build / "tools/lab.d/lab-stop").unlink()
            equal("what a lab lacks is what it says", lacking(build),
                  f"{build}/tools/lab.d/lab-stop is not built: run meson setup {build} && meson compile -C {build}")
            program(build / "tools/lab.d/lab-stop", "")
        finally:
            os.environ["PATH"] = search
        digests = [conditions.digest_of(found), conditions.digest_of(found, b"words")]
        pathlib.Path(scratch, "libz.so").write_text("another")
        digests.append(conditions.digest_of(found))
        equal("each by its contents, and by words", len(set(digests)), len(digests))


def main():
    named()
    depended_on()
    compared()
    columns()
    shown()
    return total()


if __name__ == "__main__":
    sys.exit(main())
