#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds the code against the order of the house, vmm/layers.

usage: layers.py [--update] SOURCE BUILD

Refused are: a file outside the rooms, a wing of more than 30 files, an include or a call that the order does not
allow, a room in the order that is not used, and a circle among files. A header and the source of the same name
are one file here. Includes are read from the source, calls from the symbols of the objects in the build directory.
The table in docs/architecture.md is compared with the order; --update writes it.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys

WING_MAX = 30
ROOTS = ("vmm", "views", "devices", "guestfw")
CODE = {".c", ".h", ".S", ".def", ".inc"}
# Made while the program is built.
GENERATED = {"offsets.h"}
# Of the C library: an image that stands alone has them from a file of its own.
LIBRARY = {"memcpy", "memmove", "memset", "__assert_fail"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


class Room:
    def __init__(self, name, holds):
        self.name, self.holds, self.uses = name, holds, []


def read_layers(path):
    """The rooms by name, in order, top first."""
    rooms = {}
    for line in path.read_text().splitlines():
        if line.startswith("\t"):
            list(rooms.values())[-1].uses += line.split()
        elif line and not line.startswith("#"):
            name, holds = line.split(": ", 1)
            rooms[name] = Room(name, holds)
    return rooms


def folder(name):
    return name if name.split("/")[0] in ROOTS[1:] else "vmm/" + name


def unit(path):
    """A header and the source of the same name are one; a table is a file of its own."""
    return str(path if path.suffix == ".def" else path.with_suffix(""))


class House:
    def __init__(self, source, build):
        self.source, self.build = source, build
        self.rooms = read_layers(source / "vmm/layers")
        self.faults = []
        self.room_of = {}
        # Of each unit, those that it needs, and for what.
        self.needs = collections.defaultdict(lambda: collections.defaultdict(set))

    def fault(self, text):
        self.faults.append(text)

    def files(self):
        return sorted(path for root in ROOTS for path in (self.source / root).rglob("*")
                      if path.suffix in CODE)

    def place(self):
        """Gives every file the room of its folder."""
        rooms = {folder(name): room for name, room in self.rooms.items()}
        counts = collections.Counter()
        for path in self.files():
            relative = path.relative_to(self.source)
            room = rooms.get(str(relative.parent))
            if not room:
                self.fault(f"{relative}: lies in no room of vmm/layers")
                continue
            counts[room.name] += 1
            self.room_of[unit(relative)] = room
        for name, count in counts.items():
            if folder(name).startswith("vmm/") and count > WING_MAX:
                self.fault(f"vmm/{name}: {count} files, more than {WING_MAX}; it is two wings")
        for name in self.rooms:
            if not counts[name]:
                self.fault(f"vmm/layers: nothing lies in {name}")

    def order(self):
        names = list(self.rooms)
        for room in self.rooms.values():
            for used in room.uses:
                if used not in names:
                    self.fault(f"vmm/layers: {room.name} uses {used}, which is no room")
                elif names.index(used) <= names.index(room.name):
                    self.fault(f"vmm/layers: {room.name} uses {used}, which is not below it")

    def read_includes(self):
        for path in self.files():
            user = path.relative_to(self.source)
            for target in INCLUDE.findall(path.read_text()):
                found = next((base / target for base in (path.parent, self.source, self.source / "guestfw")
                              if (base / target).is_file()), None)
                if found:
                    used = unit(found.resolve().relative_to(self.source))
                    self.needs[unit(user)][used].add(f"includes {target}")
                elif target not in GENERATED:
                    self.fault(f"{user} includes {target}, which is nowhere")

    def objects(self):
        """Of each image that is linked, its objects, each with the file it was made from."""
        images = collections.defaultdict(list)
        for row in json.loads((self.build / "compile_commands.json").read_text()):
            path = (pathlib.Path(row["directory"]) / row["file"]).resolve()
            made = self.build / row["output"]
            if path.is_relative_to(self.source) and path.relative_to(self.source).parts[0] in ROOTS \
                    and made.is_file():
                parent = made.parent.relative_to(self.build)
                program = parent.parts[0] in ("vmm", "views", "devices", "sidestep.p")
                images["program" if program else str(parent)].append((made, path.relative_to(self.source)))
        return images

    def read_calls(self):
        images = self.objects()
        if not images["program"]:
            self.fault("there are no objects in the build directory")
        for objects in images.values():
            defined, wanted = {}, []
            source = {str(made): path for made, path in objects}
            lines = subprocess.run(["nm", "-A", *source], check=True, capture_output=True, text=True).stdout
            for line in lines.splitlines():
                made, rest = line.split(":", 1)
                kind, name = rest.split()[-2:]
                if kind == "U":
                    wanted.append((unit(source[made]), name))
                elif kind in "TDBRC":
                    defined[name] = unit(source[made])
            for user, name in wanted:
                if name in defined and name not in LIBRARY:
                    self.needs[user][defined[name]].add(f"calls {name}")

    def downward(self):
        used = collections.defaultdict(set)
        for user, needs in sorted(self.needs.items()):
            for target, how in sorted(needs.items()):
                above, below = self.room_of.get(user), self.room_of.get(target)
                if not above or not below or above is below:
                    continue
                used[above.name].add(below.name)
                if below.name not in above.uses:
                    self.fault(f"{user} {', '.join(sorted(how))}: the order of vmm/layers does not let "
                               f"{above.name} use {below.name}")
        for room in self.rooms.values():
            for name in room.uses:
                if name in self.rooms and name not in used[room.name]:
                    self.fault(f"vmm/layers: {room.name} does not use {name}; strike it out")

    def circles(self):
        """Every strongly connected set of more than one unit, by Tarjan's algorithm."""
        index, low, stack = {}, {}, []

        def visit(node):
            index[node] = low[node] = len(index)
            stack.append(node)
            for other in self.needs[node] if node in self.needs else ():
                if other not in index:
                    visit(other)
                if other in stack:
                    low[node] = min(low[node], low[other])
            if low[node] == index[node]:
                at = stack.index(node)
                circle, stack[at:] = stack[at:], []
                if len(circle) > 1:
                    self.tell_circle(sorted(circle))

        sys.setrecursionlimit(10000)
        for node in sorted(self.needs):
            if node not in index:
                visit(node)

    def tell_circle(self, circle):
        self.fault(f"a circle of {len(circle)} files: {' '.join(circle)}")
        for user in circle:
            for target in circle:
                if target != user and target in self.needs[user]:
                    self.fault(f"    {user} {', '.join(sorted(self.needs[user][target]))}")


TABLE = re.compile(r"(?<=^<!-- layers -->\n).*?(?=^\n)", re.M | re.S)


def table(rooms):
    rows = ["| Room | Holds | May use |", "|---|---|---|"]
    for name, room in rooms.items():
        uses = " ".join(f"`{used}`" for used in room.uses) or "nothing of ours"
        rows.append(f"| `{folder(name)}` | {room.holds} | {uses} |")
    return "\n".join(rows) + "\n"


def compare_table(house, update):
    path = house.source / "docs/architecture.md"
    text, wanted = path.read_text(), table(house.rooms)
    found = TABLE.search(text)
    if not found:
        house.fault(f"{path.name}: no table behind <!-- layers -->")
    elif update:
        path.write_text(text[:found.start()] + wanted + text[found.end():])
    elif found[0] != wanted:
        house.fault(f"{path.name}: the table of rooms is not that of vmm/layers; "
                    "tests/house/layers.py --update writes it")


def main():
    arguments = sys.argv[1:]
    update = arguments[0] == "--update"
    house = House(*(pathlib.Path(name).resolve() for name in arguments[update:]))
    compare_table(house, update)
    house.place()
    house.order()
    house.read_includes()
    house.read_calls()
    house.downward()
    house.circles()
    for text in house.faults:
        print(text)
    return 1 if house.faults else 0


if __name__ == "__main__":
    sys.exit(main())
