#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""on_lab.py TOOL BUILD LAB KERNEL OPERATION ENTRY: what is traced is what is measured, of one kernel under two names.

ENTRY is the function that enters a guest: it is called as often as there are exits to L0.
"""
import json
import subprocess
import sys

tool, build, lab, kernel, operation, entry = sys.argv[1:]
words = ["--lab", lab, "--build", build, "--count", "10", "--format", "json", operation, kernel, kernel]
ran = subprocess.run([tool, *words],
                     stdout=subprocess.PIPE, check=False)
assert ran.returncode == 0, ran.returncode
document = json.loads(ran.stdout)
rows = {row["function"]: row for row in document["functions"]}
for number, side in enumerate(document["kernels"]):
    assert side["repetitions_counted"] >= 5, side
    # The median has the two RDTSC around a sample in it, too.
    assert abs(side["instructions"] - side["ticks_median"]) <= max(1, side["ticks_median"] / 1000), side
    assert rows[entry]["calls"][number] == side["l0"], (rows[entry], side)
    assert rows["[guest]"]["calls"][number] == rows["[guest]"]["calls"][0] > 0, rows["[guest]"]
    assert abs(sum(row["instructions"][number] for row in rows.values()) - side["instructions"]) < 0.01, side
assert "[unknown]" not in rows, rows["[unknown]"]
print(f"{operation}: {document['kernels'][0]['instructions']:g} instructions traced, "
      f"{document['kernels'][0]['ticks_median']:g} ticks measured")
