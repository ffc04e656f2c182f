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
import re
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


NOT_OBSERVED = "not observed"


def run(sidestep, *arguments, status=0, said=None):
    """Standard output; the status must be as wanted, and a 0 leaves nothing to complain of but what is `said`."""
    done = subprocess.run([sidestep, "report", *arguments], capture_output=True, timeout=patient(60))
    complaint = done.stderr if said is None else said.encode() not in done.stderr
    if done.returncode != status or (status == 0 and complaint):
        raise SystemExit(f"report {' '.join(map(str, arguments))}: status {done.returncode}, not "
                         f"{status}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode()


def properties(form, data):
    """The META records of a ledger, those of `vms` and the like."""
    return dict(body.split(b"\0")[:2] for name, _, _, _, body in form.read(data) if name == "META")


def looked_at(form, data):
    """Levels that something would have seen an exit at, and those that the engine has."""
    about = properties(form, data)
    there = {level for level, _ in count_exits(form, data)[0]}
    has = there | ({"l0", "vmm"} if about.get(b"engine") == b"flat" else set(ledger.LEVELS))
    seen = there | {"vmm"} if about.get(b"engine") in (b"flat", b"vmx", b"svm", None) else there
    if about.get(b"tracing") in (b"sample", b"part"):
        seen.add("l0")
    if about.get(b"engine") in (b"vmx", b"svm"):
        seen.add("monitor")
    if about.get(b"engine") == b"attached":
        seen |= {"vmm"} if about.get(b"backend") == b"pvm" else {"vmm", "monitor"}
    return seen, has


def count_timed(form, data):
    """By level, how many exits say how long their handling took, and the sum."""
    timed, ticks = collections.Counter(), collections.Counter()
    for name, _, _, level, body in form.read(data):
        if name in ("EXIT", "L0_EXIT"):
            cost = (ledger.EXIT if name == "EXIT" else ledger.L0_EXIT).unpack_from(body)[
                4 if name == "EXIT" else 6]
            timed[ledger.LEVELS[level]] += cost != 0
            ticks[ledger.LEVELS[level]] += cost
    return timed, ticks


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


def by_level(exits):
    levels = collections.Counter()
    for (level, _), number in exits.items():
        levels[level] += number
    return levels


def names_of(form, data):
    names = {0: "outside operations"}
    for name, _, _, _, body in form.read(data):
        if name == "OPERATION":
            number, _, text = ledger.OPERATION.unpack_from(body)
            names[number] = text.split(b"\0")[0].decode()
    return names


def check_groups(checks, by, groups, exits, timed, seen):
    """Every number is the ledger's; what nobody looked at is none; shares are of the exits at the level."""
    counted, sums, shares = collections.Counter(), collections.Counter(), collections.Counter()
    for group in groups:
        level = group["level"]
        if group["exits"] == NOT_OBSERVED:
            checks.that(f"--by {by}: not observed at {level}", level not in seen, group)
            checks.equal(f"--by {by}: ticks of it", group["handling_ticks"], NOT_OBSERVED)
            continue
        counted[level] += group["exits"]
        checks.that(f"--by {by}: timed", 0 <= group["timed"] <= group["exits"], group)
        checks.equal(f"--by {by}: ticks of what was not timed", group["handling_ticks"] == NOT_OBSERVED,
                     group["timed"] == 0 and group["exits"] > 0)
        if group["timed"]:
            sums["timed", level] += group["timed"]
            sums["ticks", level] += group["handling_ticks"]
        if by != "level":
            checks.that(f"--by {by}: a share", abs(group["share"] - 100 * group["exits"] / exits[level]) < 1e-6,
                        group)
            shares[level] += group["share"]
    checks.equal(f"--by {by}: exits at each level", counted, exits)
    checks.equal(f"--by {by}: timed exits and their ticks", sums, collections.Counter(
        {(what, level): number for what, counts in zip(("timed", "ticks"), timed)
         for level, number in counts.items() if number}))
    for level, share in shares.items():
        checks.that(f"--by {by}: shares at {level}", abs(share - 100) < 1e-6, share)


def as_csv(cell):
    return "" if cell is None else str(cell)


def check_origin(checks, name, form, data, document):
    """Where the numbers are from, as the ledger says it."""
    about = properties(form, data)
    for key in ("guest", "engine", "kernel", "sidestep", "command", "date"):
        said = about.get(key.encode())
        if said is None:
            checks.that(f"{name}: {key}", document[key] in (None, "?", "invalid"), document[key])
        else:
            # JSON is UTF-8; what is not is escaped.
            checks.that(f"{name}: {key}", document[key] == said.decode("latin-1") or not said.isascii(), document[key])
    for key in ("evidence", "recorded"):
        checks.equal(f"{name}: {key}", sorted(document[key]), sorted(ledger.LEVELS))


def alike(cell, number):
    """A number as CSV has it: with some digits."""
    return cell == as_csv(number) or abs(float(cell) - number) <= max(0.001 * number, 0.51)


def check_tables(checks, sidestep, form, data, path, exits):
    counts = by_level(exits)
    seen, has = looked_at(form, data)
    timed = count_timed(form, data)
    for by in ("reason", "rip", "symbol", "level", "vcpu", "instruction", "vm"):
        document = json.loads(run(sidestep, "--by", by, "--format", "json", path))
        groups = document["exits"]
        rows = list(csv.DictReader(io.StringIO(run(sidestep, "--by", by, "--format", "csv", path))))
        check_groups(checks, by, groups, counts, timed, seen)
        check_origin(checks, f"--by {by}", form, data, document)
        for level in ledger.LEVELS:
            text = document["recorded"][level]
            checks.equal(f"--by {by}: {level} is observed", NOT_OBSERVED not in text, level in seen or level not in has)
        for column in (by, "exits", "timed", "handling_ticks"):
            checks.equal(f"--by {by}: {column} as CSV", [row[column] for row in rows],
                         [as_csv(group[column]) for group in groups])
        for column in ("ticks_mean", "ticks_median", "ticks_p99", "ticks_max"):
            checks.that(f"--by {by}: {column} as CSV", all(alike(row[column], group[column]) for row, group
                                                          in zip(rows, groups)), rows)
    levels = {group["level"] for group in json.loads(
        run(sidestep, "--by", "level", "--format", "json", path))["exits"]}
    checks.equal("--by level: the levels that there are", levels, has)
    report = json.loads(run(sidestep, "--format", "json", path))
    for level in ("monitor", "vmm"):
        if level in has:
            totals = {(row["operation"], row["vm"]): row["exits_total"][level]
                      for row in report["operations"]}
            checks.equal(f"by operation: exits at {level}", sum(totals.values()),
                         counts[level] - exits[level, 0])


def costs_of(form, data):
    """By level and RIP, how often there was an exit, and what those cost of which that is known."""
    exits, costs = collections.Counter(), collections.defaultdict(list)
    for name, _, _, level, body in form.read(data):
        if name in ("EXIT", "L0_EXIT"):
            values = (ledger.EXIT if name == "EXIT" else ledger.L0_EXIT).unpack_from(body)
            place = ledger.LEVELS[level], hex(values[1])
            exits[place] += 1
            costs[place] += [cost for cost in [values[4 if name == "EXIT" else 6]] if cost]
    return exits, costs


def nearest_rank(costs, percent):
    return sorted(costs)[-(-len(costs) * percent // 100) - 1] if costs else NOT_OBSERVED


def check_exit_tables(checks, sidestep, form, data, path, report):
    """Without operations a report has what took exits: the rows of --by, and how long handling one took."""
    for by in ("reason", "symbol", "rip"):
        rows = report[f"exits_by_{by}"]
        if report["operations"]:
            checks.equal(f"exits by {by}, with operations", rows, None)
            continue
        groups = json.loads(run(sidestep, "--by", by, "--format", "json", path))["exits"]
        checks.equal(f"exits by {by}: as of --by {by}", [{key: row[key] for key in group} for row, group
                                                         in zip(rows, groups)], groups)
        checks.equal(f"exits by {by}: rows", len(rows), len(groups))
        for row in rows:
            each = NOT_OBSERVED if not row["timed"] else row["handling_ticks"] / row["timed"]
            checks.that(f"exits by {by}: mean", each == row["ticks_mean"] or abs(each / row["ticks_mean"] - 1) < 1e-8,
                        row)
    if report["operations"]:
        return
    exits, costs = costs_of(form, data)
    rows = {(row["level"], row["rip"]): row for row in report["exits_by_rip"]}
    checks.equal("exits by rip: exits", {place: row["exits"] for place, row in rows.items()}, dict(exits))
    for key, percent in (("ticks_median", 50), ("ticks_p99", 99), ("ticks_max", 100)):
        checks.equal(f"exits by rip: {key}", {place: row[key] for place, row in rows.items()},
                     {place: nearest_rank(costs[place], percent) for place in exits})


def function_of(form, data):
    """The functions in which the ledger says that there is code, by RIP: of each the first that is said."""
    functions = {}
    for name, _, _, _, body in form.read(data):
        if name == "CODE":
            rip, _, _, _, _, _, symbol = ledger.CODE.unpack_from(body)
            functions.setdefault(rip, symbol.split(b"\0")[0])
    return functions


def frames_of(form, data):
    """By level and second frame, the exits and their cost: the operation, or else the function."""
    names, functions = names_of(form, data), function_of(form, data)
    exits, ticks = collections.Counter(), collections.Counter()
    for name, _, _, level, body in form.read(data):
        if name not in ("EXIT", "L0_EXIT"):
            continue
        values = (ledger.EXIT if name == "EXIT" else ledger.L0_EXIT).unpack_from(body)
        operation, cost = (values[3], values[4]) if name == "EXIT" else (values[4], values[6])
        function = functions.get(values[1]) if operation == 0 else None
        frame = printable(function) if function else names[operation]
        exits[ledger.LEVELS[level], frame.replace(";", ",")] += 1
        ticks[ledger.LEVELS[level], frame.replace(";", ",")] += cost
    return exits, ticks


def check_folded(checks, sidestep, form, data, path):
    exits = count_exits(form, data)[0]
    for weight, wanted in zip(("exits", "ticks"), frames_of(form, data)):
        counted = collections.Counter()
        untimed = weight == "ticks" and count_timed(form, data)[0] != by_level(exits)
        for line in run(sidestep, "--format", "folded", "--weight", weight, path,
                        said="handling" if untimed else None).splitlines():
            stack, number = line.rsplit(" ", 1)
            frames = stack.split(";")
            checks.equal("folded: frames", len(frames), 4)
            counted[frames[2], frames[1]] += int(number)
        checks.equal(f"folded: sums of {weight}", counted,
                     collections.Counter({frame: count for frame, count in wanted.items() if count}))


def printable(name):
    """As people get to see a name that may be anything."""
    return "".join(chr(c) if 0x20 <= c < 0x7f else f"\\x{c:02x}" for c in name)


def in_json(name):
    """As programs get to see it: the name itself, if it is UTF-8."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return printable(name)


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
                                  if event["ph"] == "X" and event["cat"] in ledger.LEVELS)
    checks.equal("trace: a slice for every exit", counted, by_level(exits))
    return trace


def check_frames(checks, form, data, trace):
    """speedscope makes a frame of a slice's name and arguments: there are as many as there are names."""
    functions = {in_json(name) for name in function_of(form, data).values()}
    events = trace["traceEvents"]
    for i, event in enumerate(events):
        if event["ph"] != "X":
            continue
        if "args" in event or re.search(r"0x[0-9a-f]{3}", event["name"]):
            checks.that("trace: a name without arguments", False, event)
            return
        if event["cat"] == "function":
            checks.that("trace: a function", event["name"] in functions, event)
            checks.equal("trace: a function is where no operation is", events[i + 2]["args"]["operation"], "-")
    checks.that("trace: names without arguments", True)
    about = [event["args"] for event in events if event["ph"] == "i" and event["name"] == "exit"]
    checks.equal("trace: arguments for every exit", len(about), sum(
        event["ph"] == "X" and event["cat"] in ledger.LEVELS for event in events))


def check_enclosed(checks, form, data, trace):
    """An exit in an operation's batch lies in that operation's slice on its own track."""
    if not any(name == "BATCH" for name, *_ in form.read(data)):
        return
    inside = collections.Counter()
    operation, before = {}, None
    for event in trace["traceEvents"]:
        track = event["pid"], event["tid"]
        if event["ph"] == "X":
            before = event
            if event["cat"] == "operation":
                operation[track] = event
        elif event.get("cat") in ledger.LEVELS and event["args"]["operation"] != "-": # the arguments of the slice before
            around = operation.get(track)
            within = (around and around["name"] == event["args"]["operation"] and
                      before["ts"] + before["dur"] <= around["ts"] + around["dur"] + 0.001)
            inside[bool(within)] += 1
    # The marker is set a little before the batch begins, and some operations are prepared then.
    checks.that("trace: exits lie in their operation",
                inside[True] >= 0.9 * sum(inside.values()), inside)


def check_diff(checks, sidestep, form, data, path, operations, exits):
    """A ledger is like itself, if there is anything in it to compare."""
    performed = any(name in ("BATCH", "RESULT") for name, *_ in form.read(data))
    for by, status in (("operation", 0 if performed else 77), ("reason", 0 if exits else 77),
                       ("rip", 0 if exits else 77), ("symbol", 0 if exits else 77), ("vcpu", 0 if exits else 77),
                       ("instruction", 0 if exits else 77), ("level", 0)):
        for format_ in ("text", "csv", "tap", "junit"):
            run(sidestep, "--diff", "--by", by, "--threshold", "0", "--format", format_, path, path,
                status=status)
        diff = json.loads(run(sidestep, "--diff", "--by", by, "--format", "json", path, path, status=status))
        for side in "ab":
            check_origin(checks, f"diff by {by}", form, data, diff[side])
            checks.equal(f"diff by {by}: the ledger", diff[side]["ledger"], str(path))
        checks.equal(f"diff with itself by {by}", diff["changed"], False)
        checks.equal(f"diff with itself by {by}: compared", diff["compared"] > 0, status == 0)
        if by == "operation":
            checks.equal("diff with itself: operations", len(diff["operations"]), operations)


def check_all(checks, sidestep, form, path):
    with open(path, "rb") as file:
        data = file.read()
    exits = count_exits(form, data)[0]
    report = json.loads(run(sidestep, "--format", "json", path))
    check_origin(checks, "report", form, data, report)
    check_origin(checks, "violations", form, data, json.loads(run(sidestep, "--by", "violation", "--format", "json", path)))
    check_tables(checks, sidestep, form, data, path, exits)
    check_exit_tables(checks, sidestep, form, data, path, report)
    check_folded(checks, sidestep, form, data, path)
    trace = check_trace(checks, sidestep, path, exits)
    check_frames(checks, form, data, trace)
    check_enclosed(checks, form, data, trace)
    check_diff(checks, sidestep, form, data, path, len(report["operations"]), exits)
    return report


def main():
    sidestep, gen_docs, path = sys.argv[1:]
    checks = Checks()
    check_all(checks, sidestep, ledger.Format(gen_docs), path)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
