# SPDX-License-Identifier: GPL-2.0-only
"""What all jobs of a campaign come to: which are done, what their counts add up to, what differs."""
import collections
import contextlib
import json
import os
import shlex
import subprocess

from words import NAME, STATUS_DIFFERS, STATUS_FAILED, STATUS_SKIPPED, digest, printable, result_at

SCHEMA, VERSION = "sidestep.campaign", 1


def result_of(job):
    return result_at(os.path.join(job.directory, "result.json"), job.command)


def why_missing(job):
    if not os.path.isdir(job.directory):
        return "it has not begun"
    with contextlib.suppress(OSError):
        with open(os.path.join(job.directory, "why"), encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    return "it has not come to an end"


class Group:
    """Jobs of a section that differ in nothing but their share or seed."""

    def __init__(self, name, section):
        self.name, self.section, self.jobs, self.done, self.skipped = name, section, 0, 0, 0
        self.planned, self.counts = 0, collections.Counter({section.kind.UNIT: 0})
        self.findings, self.seconds, self.processor, self.ledgers, self.programs = [], 0.0, 0.0, [], set()
        self.others = 0  # jobs of a program that has been built anew since

    def add(self, job, result):
        self.jobs += 1
        self.planned += job.count
        if result is None:
            return
        if result["skipped"]:
            self.skipped += 1
            return
        self.done += 1
        self.programs.add(result["program"])
        self.others += result["program"] != digest(job.program())
        self.counts.update(result["counts"])
        self.findings += [{"job": job.name, **finding} for finding in result["findings"]]
        self.seconds += result["seconds"]
        self.processor += result["processor_seconds"]
        ledger = os.path.join(job.directory, "ledger")
        self.ledgers += [ledger] if os.path.exists(ledger) else []

    def document(self):
        unit = self.section.kind.UNIT
        return {"name": self.name, "run": self.section.given["run"], "unit": unit, "jobs": self.jobs, "done": self.done,
                "skipped": self.skipped, "planned": None if unit == "operations" else self.planned,
                "counts": dict(self.counts), "differences": len(self.findings), "seconds": round(self.seconds, 3),
                "processor_seconds": round(self.processor, 3)}


class Merged:
    def __init__(self, plan):
        self.plan, self.groups, self.missing, self.skips = plan, {}, [], {}
        self.programs, self.kernels, self.hosts = (collections.Counter() for _ in range(3))
        for job in plan.jobs:
            result = result_of(job)
            self.groups.setdefault(job.group, Group(job.group, job.section)).add(job, result)
            if result is None:
                self.missing.append(job)
                continue
            if result["skipped"]:
                self.skips.setdefault(result["skipped"], []).append(job)
                continue
            self.programs[result["program"] or "?"] += 1
            self.kernels[result["kernel"]] += 1
            self.hosts[result["host"]] += 1
        self.findings = [finding for group in self.groups.values() for finding in group.findings]
        self.done = sum(group.done for group in self.groups.values())

    def status(self):
        if self.missing:
            return STATUS_FAILED
        if self.findings:
            return STATUS_DIFFERS
        return 0 if self.done else STATUS_SKIPPED

    def seconds_left(self):
        """Of one computer that runs one job after the other; of a group of which nothing is done nobody knows."""
        known = [group for group in self.groups.values() if group.done or group.jobs == group.skipped]
        if len(known) < len(self.groups):
            return None
        return sum(group.seconds / group.done * (group.jobs - group.done - group.skipped)
                   for group in known if group.done)

    def document(self):
        return {
            "schema": SCHEMA, "version": VERSION, "plan": self.plan.name,
            "jobs": len(self.plan.jobs), "done": self.done,
            "groups": [group.document() for group in self.groups.values()],
            "differences": self.findings,
            "missing": [{"job": job.name, "why": printable(why_missing(job)), "repeat": job.line()}
                        for job in self.missing],
            "skipped": [{"why": why, "jobs": [job.name for job in jobs]} for why, jobs in self.skips.items()],
            "programs": [{"digest": digest, "jobs": jobs} for digest, jobs in self.programs.items()],
            "kernels": [{"release": release, "jobs": jobs} for release, jobs in self.kernels.items()],
            "hosts": [{"name": name, "jobs": jobs} for name, jobs in self.hosts.items()],
        }


def duration(seconds):
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


MISSING_SHOWN = 10


def write_rows(merged, stream):
    rows = [("GROUP", "RUN", "JOBS", "DONE", "COUNT", "OF WHAT", "DIFFER", "SECONDS", "A SECOND")]
    for group in merged.groups.values():
        unit = group.section.kind.UNIT
        count, rate = group.counts[unit], group.counts[unit] / group.seconds if group.seconds else 0
        rows.append((group.name, group.section.given["run"], str(group.jobs), str(group.done), str(count), unit,
                     str(len(group.findings)), f"{group.seconds:.1f}", f"{rate:.1f}" if rate else "-"))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = (f"{cell:<{width}}" if at in (0, 1, 5) else f"{cell:>{width}}" for at, (cell, width) in
                 enumerate(zip(row, widths)))
        print(" ".join(cells).rstrip(), file=stream)
    for group in merged.groups.values():
        more = ", ".join(f"{key.replace('_', ' ')} {count}" for key, count in group.counts.items()
                         if key != group.section.kind.UNIT)
        if more and group.done:
            print(f"{group.name}: {more}", file=stream)


def write_text(merged, stream):
    write_rows(merged, stream)
    print(file=stream)
    for finding in merged.findings:
        print(f"{finding['job']}: {finding['text']}\n  {finding['repeat']}", file=stream)
    for why, jobs in merged.skips.items():
        print(f"{len(jobs)} jobs were skipped: {printable(why)}", file=stream)
    for job in merged.missing[:MISSING_SHOWN]:
        print(f"{job.name} is missing: {printable(why_missing(job))}", file=stream)
    if len(merged.missing) > MISSING_SHOWN:
        print(f"and {len(merged.missing) - MISSING_SHOWN} more are missing", file=stream)
    left = merged.seconds_left() if merged.missing else None
    if left:
        print(f"what is missing would take {duration(left)} on one processor, if it takes as long as what is done",
              file=stream)
    for group in merged.groups.values():
        if len(group.programs) > 1:
            print(f"{group.name}: not all jobs had the same program, but {len(group.programs)}", file=stream)
        if group.others:
            print(f"{group.name}: {group.others} jobs had another program than the one that is there now: "
                  "name another directory with --dir to run them again", file=stream)
    for name, counter in (("kernel", merged.kernels), ("host", merged.hosts)):
        if counter:
            print(f"{name}: " + ", ".join(f"{word} ({count} jobs)" for word, count in counter.items()), file=stream)
    differ, skipped = len(merged.findings), sum(map(len, merged.skips.values()))
    print(f"{merged.plan.name}: {len(merged.plan.jobs)} jobs, {merged.done} done, {skipped} skipped, "
          f"{len(merged.missing)} missing; {differ or 'no'} difference{'' if differ == 1 else 's'}", file=stream)


def write_json(merged, stream):
    json.dump(merged.document(), stream, indent=2)
    print(file=stream)


def write_ledgers(merged, stream):
    """What all ledgers of a group say as one."""
    sidestep = os.path.join(merged.plan.build, "sidestep")
    for group in merged.groups.values():
        if not group.ledgers:
            continue
        print(f"\n{group.name}, {len(group.ledgers)} ledgers as one:", file=stream, flush=True)
        done = subprocess.run([sidestep, "report", *group.ledgers], capture_output=True, text=True, errors="replace",
                              check=False)
        stream.write(done.stdout)
        for line in done.stderr.splitlines():
            print(f"# {printable(line)}", file=stream)


FORMATS = {"text": write_text, "json": write_json}
