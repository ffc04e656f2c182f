#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The USDT probes as tools find them in the program: those of the table, each a single nop.

usage: probes.py yes|no SIDESTEP GEN_DOCS WITH WITHOUT
Whether SIDESTEP was built with probes; WITH and WITHOUT are libraries of the same code, with probes
and without.
"""
import collections
import re
import subprocess
import sys

# SIZE@OPERAND as every tool reads it, the size negative for signed values: a register, or memory
# relative to one. perf leaves constants out.
ARGUMENT = re.compile(r"-?[1248]@(%[a-z0-9]+|-?\d*\(%[a-z0-9]+\))")
NOP = re.compile(r"(data16 |cs )*(nop[wl]?|xchg +%ax,%ax)\b")
# The functions that the probes are in.
FUNCTIONS = ["recorder_exit", "probe_view_switch", "probe_control_flag_write",
             "probe_operation_begin", "probe_operation_end"]


def output(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def table(gen_docs):
    """Number of arguments of each probe, as documented."""
    counts = {}
    for line in output(gen_docs, "probes").splitlines()[2:]:
        cells = [cell.strip(" `") for cell in line.split("|")[1:-1]]
        if cells[0]:
            name = cells[0]
            counts[name] = 0
        else:
            counts[name] += 1
    return counts


def notes(program):
    """(name, address, arguments) of every probe in the program."""
    found = []
    # Its status is 1 after a note of a kind that it does not know, as .note.dlopen is to the one of Debian 12.
    text = subprocess.run(["readelf", "-n", program], check=False, capture_output=True, text=True).stdout
    for block in text.split("Provider: ")[1:]:
        fields = dict(re.findall(r"^\s*(\w+): ([^\n]*)$", "Provider: " + block, re.M))
        location = int(re.search(r"Location: (0x[0-9a-f]+)", block)[1], 16)
        if fields["Provider"] == "sidestep":
            found.append((fields["Name"], location, fields["Arguments"].split()))
    return found


def byte_at(program, address):
    for line in output("readelf", "-lW", program).splitlines():
        words = line.split()
        if words[:1] == ["LOAD"]:
            offset, start, size = (int(word, 16) for word in (words[1], words[2], words[4]))
            if start <= address < start + size:
                with open(program, "rb") as file:
                    file.seek(address - start + offset)
                    return file.read(1)
    return None


def instructions(library):
    """Number of instructions in each function, but for those that do nothing."""
    counts = collections.Counter()
    for line in output("objdump", "-d", "--no-show-raw-insn", library).splitlines():
        label = re.match(r"[0-9a-f]+ <(.+)>:$", line)
        if label:
            function = label[1]
        elif re.match(r" +[0-9a-f]+:\t", line) and not NOP.match(line.split("\t", 1)[1]):
            counts[function] += 1
    return counts


def main():
    built, program, gen_docs, with_probes, without_probes = sys.argv[1:]
    documented, found = table(gen_docs), notes(program)
    faults = []
    if built == "no":
        print("skipped: needs: probes; host: built without sys/sdt.h (systemtap-sdt-dev)")
        return 77
    if sorted(documented) != sorted(name for name, _, _ in found):
        faults.append(f"probes in the program: {[name for name, _, _ in found]}")
    for name, location, arguments in found:
        print(name, hex(location), *arguments)
        if len(arguments) != documented.get(name):
            faults.append(f"{name}: {len(arguments)} arguments, not {documented.get(name)}")
        faults += [f"{name}: {a}" for a in arguments if not ARGUMENT.fullmatch(a)]
        if byte_at(program, location) != b"\x90":
            faults.append(f"{name}: no nop at {location:#x}")

    dear, bare = instructions(with_probes), instructions(without_probes)
    for function in FUNCTIONS:
        extra = dear[function] - bare[function]
        print(f"{function}: {extra} instructions beside the nop, of {bare[function]}")
        if bare[function] == 0 or extra > 0:
            faults.append(f"{function}: its probe costs {extra} instructions")
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
