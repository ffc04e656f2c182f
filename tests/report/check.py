#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check.py SIDESTEP GEN_DOCS LEDGER: what must hold for every format of an intact ledger.

Counts are compared with those of a reader of our own (ledger.py).
"""
import collections
import csv
import io
import json
import os
import subprocess
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from patience import patient

import ledger


class Checks:
    def __init__(self):
        self.count = 0
        self.faults = []

    def that(self, name, condition, text=""):
        self.count += 1
        if not condition:
            self.faults.append(f"{name}: {text}")

    def equal(self, name, got, wanted):
        self.that(name, got == wanted, f"{str(got)[:300]}, not {str(wanted)[:300]}")

    def finish(self):
        print(f"{self.count} checks, {len(self.faults)} faults")
        for fault in self.faults:
            print("not ok -", fault)
        return 1 if self.faults else 0


def run(sidestep, *arguments, status=0):
    """Standard output; the status must be as wanted, and a 0 leaves nothing to complain of."""
    done = subprocess.run([sidestep, "report", *arguments], capture_output=True, timeout=patient(60))
    if done.returncode != status or (status == 0 and done.stderr):
        raise SystemExit(f"report {' '.join(map(str, arguments))}: status {done.returncode}, not "
                         f"{status}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode()


def count_exits(form, data):
    """Exits by level and operation, and their cost."""
    exits, ticks = collections.Counter(), collections.Counter()
    for name, _, _, level, body in form.read(data):
        if name == "EXIT":
            _, _, _, operation, cost, *_ = ledger.EXIT.unpack_from(body)
            exits[ledger.LEVELS[level], operation] += 1
            ticks[ledger.LEVELS[level], operation] += cost
        if name == "L0_EXIT":
            _, _, _, _, operation, _, cost, *_ = ledger.L0_EXIT.unpack_from(body)
            exits["l0", operation] += 1
            ticks["l0", operation] += cost
    return exits, ticks


def names_of(form, data):
    names = {0: "outside operations"}
    for name, _, _, _, body in form.read(data):
        if name == "OPERATION":
            number, _, text = ledger.OPERATION.unpack_from(body)
            names[number] = text.split(b"\0")[0].decode()
    return names


def check_tables(checks, sidestep, path, exits):
    by_level = collections.Counter()
    for (level, _), number in exits.items():
        by_level[level] += number
    for by in ("reason", "rip", "level"):
        groups = json.loads(run(sidestep, "--by", by, "--format", "json", path))
        rows = list(csv.DictReader(io.StringIO(run(sidestep, "--by", by, "--format", "csv", path))))
        counted = collections.Counter()
        for group in groups["exits"]:
            counted[group["level"]] += group["exits"]
        checks.equal(f"--by {by}: exits at each level", counted, by_level)
        checks.equal(f"--by {by}: rows as CSV", len(rows), len(groups["exits"]))
        checks.equal(f"--by {by}: keys as CSV", [row[by] for row in rows],
                     [group[by] for group in groups["exits"]])
        checks.equal(f"--by {by}: exits as CSV", [int(row["exits"]) for row in rows],
                     [group["exits"] for group in groups["exits"]])
    report = json.loads(run(sidestep, "--format", "json", path))
    for level in ("monitor", "vmm"):
        total = sum(row["exits_total"][level] for row in report["operations"])
        outside = exits[level, 0]
        checks.equal(f"by operation: exits at {level}", total, by_level[level] - outside)


def check_folded(checks, sidestep, path, names, exits, ticks):
    for weight, wanted in (("exits", exits), ("ticks", ticks)):
        counted = collections.Counter()
        for line in run(sidestep, "--format", "folded", "--weight", weight, path).splitlines():
            stack, number = line.rsplit(" ", 1)
            frames = stack.split(";")
            checks.equal("folded: frames", len(frames), 4)
            counted[frames[2], frames[1]] += int(number)
        checks.equal(f"folded: sums of {weight}", counted,
                     collections.Counter({(level, names[number]): count
                                          for (level, number), count in wanted.items() if count}))


def check_track(checks, name, events):
    """Times do not go back, and what begins in a slice ends in it, added in floating point."""
    around, last = [], 0
    for event in events:
        begin, end = event["ts"], event["ts"] + event.get("dur", 0)
        if begin < last:
            checks.that(f"trace, {name}", False, f"{event} is earlier than the one before")
            return
        last = begin
        while around and around[-1] <= begin:
            around.pop()
        if around and end > around[-1]:
            checks.that(f"trace, {name}", False, f"{event} ends behind the slice it began in")
            return
        around.append(end)
    checks.that(f"trace, {name}", True)


def check_trace(checks, sidestep, path, exits):
    trace = json.loads(run(sidestep, "--format", "trace", path))
    events = trace["traceEvents"]
    tracks, titles = collections.defaultdict(list), {}
    for event in events:
        track = event["pid"], event["tid"]
        checks.that("trace: phases", event["ph"] in "MXi", event)
        if event["ph"] == "M":
            if event["name"] == "thread_name":
                checks.that("trace: a track has one name", track not in titles, track)
                titles[track] = event["args"]["name"]
        else:
            tracks[track].append(event)
    checks.equal("trace: every track has a name", set(titles), set(tracks))
    checks.equal("trace: no thread is in two processes", len({tid for _, tid in tracks}), len(tracks))
    checks.equal("trace: no two tracks of a process have the same name",
                 len({(pid, title) for (pid, _), title in titles.items()}), len(titles))
    for track, on_it in tracks.items():
        check_track(checks, titles[track], on_it)
    counted = collections.Counter(event["cat"] for event in events
                                  if event["ph"] == "X" and event["cat"] != "operation")
    wanted = collections.Counter()
    for (level, _), number in exits.items():
        wanted[level] += number
    checks.equal("trace: a slice for every exit", counted, wanted)
    return trace


def check_enclosed(checks, form, data, trace):
    """An exit in an operation's batch lies in that operation's slice on its own track."""
    if not any(name == "BATCH" for name, *_ in form.read(data)):
        return
    inside = collections.Counter()
    operation = {}
    for event in trace["traceEvents"]:
        track = event["pid"], event["tid"]
        if event.get("cat") == "operation":
            operation[track] = event
        elif event["ph"] == "X" and event["args"]["operation"] != "-":
            around = operation.get(track)
            within = (around and around["name"] == event["args"]["operation"] and
                      event["ts"] + event["dur"] <= around["ts"] + around["dur"] + 0.001)
            inside[bool(within)] += 1
    # The marker is set a little before the batch begins, and some operations are prepared then.
    checks.that("trace: exits lie in their operation",
                inside[True] >= 0.9 * sum(inside.values()), inside)


def check_diff(checks, sidestep, path, operations):
    for format_ in ("text", "json", "csv"):
        run(sidestep, "--diff", "--threshold", "0", "--format", format_, path, path)
    diff = json.loads(run(sidestep, "--diff", "--format", "json", path, path))
    checks.equal("diff with itself", diff["changed"], False)
    checks.equal("diff with itself: operations", len(diff["operations"]), operations)


def check_all(checks, sidestep, form, path):
    with open(path, "rb") as file:
        data = file.read()
    exits, ticks = count_exits(form, data)
    report = json.loads(run(sidestep, "--format", "json", path))
    check_tables(checks, sidestep, path, exits)
    check_folded(checks, sidestep, path, names_of(form, data), exits, ticks)
    check_enclosed(checks, form, data, check_trace(checks, sidestep, path, exits))
    check_diff(checks, sidestep, path, len(report["operations"]))
    return report


def main():
    sidestep, gen_docs, path = sys.argv[1:]
    checks = Checks()
    check_all(checks, sidestep, ledger.Format(gen_docs), path)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
