#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""several.py SIDESTEP GEN_DOCS: `sidestep report` of several ledgers as one. Needs no KVM."""
import json
import sys
import tempfile

import ledger
from reports import Case, head, performed, run_of

SUMS = ("repetitions", "ticks_total", "violations")


def document(case, *arguments):
    status, out, err = case.report("--format", "json", *arguments)
    case.checks.equal("status", (status, err), (0, ""))
    return json.loads(out)


def by_name(report):
    return {row["operation"]: row for row in report["operations"]}


def counts_add_up(case):
    """Against the reports of each: what is counted is the sum, what belongs to each repetition stays."""
    form = case.form
    paths = [case.path(f"{i}.ledger", run_of(form, *operations)) for i, operations in
             enumerate([((2, 100, 1), (0, 7, 0)), ((2, 100, 1), (0, 9, 3)), ((2, 100, 1),)])]
    each, whole = [by_name(document(case, path)) for path in paths], by_name(document(case, *paths))
    case.checks.equal("operations of all", set(whole), set().union(*each))
    for name, row in whole.items():
        rows = [report[name] for report in each if name in report]
        for key in SUMS:
            case.checks.equal(f"{name}: {key}", round(row[key], 6), round(sum(other[key] for other in rows), 6))
        for level in ("monitor", "vmm"):
            case.checks.equal(f"{name}: exits at {level}", row["exits_total"][level],
                              sum(other["exits_total"][level] for other in rows))
        case.checks.equal(f"{name}: exits of KVM", row["kvm_stats"]["exits"],
                          sum(other["kvm_stats"]["exits"] for other in rows))
        case.checks.equal(f"{name}: minimum", row["ticks_min"], min(other["ticks_min"] for other in rows))
    case.checks.equal("exits of a repetition stay", whole["op.0"]["l0"], each[0]["op.0"]["l0"])
    for by in ("reason", "rip", "level", "vcpu", "vm"):
        sums = [sum(row["exits"] for row in document(case, "--by", by, *given)["exits"] if isinstance(row["exits"], int))
                for given in [[path] for path in paths] + [paths]]
        case.checks.equal(f"by {by}", sums[-1], sum(sums[:-1]))
        case.checks.that(f"by {by}: there are some", sums[-1] > 0)
    stacks = [sum(int(line.rsplit(" ", 1)[1]) for line in case.report("--format", "folded", *given)[1].splitlines())
              for given in [[path] for path in paths] + [paths]]
    case.checks.equal("stacks", stacks[-1], sum(stacks[:-1]))


def about_the_runs(case):
    """What is the same of all is told; what is lost, cut off or damaged of one is told of all."""
    form = case.form

    def path(name, *more, end=True, lost=0, **about):
        records = head(form, **about) + performed(form, 2, 1, 100, 1) + list(more) + ([form.end()] if end else [])
        return case.path(name, ledger.ledger(records, lost=lost))

    same = {"sidestep": "9.1", "command": "sidestep test", "date": "2026-01-31T23:59:59Z"}
    one, two = path("one", lost=3, **same), path("two", lost=4, **same)
    both = json.loads(case.report("--format", "json", one, two)[1])
    case.checks.equal("lost", both["lost"], 7)
    case.checks.equal("said of both", [both[key] for key in same], list(same.values()))
    other = path("other", **{**same, "kernel": "6.12", "command": "sidestep bench"})
    mixed = json.loads(case.report("--format", "json", one, other)[1])
    case.checks.equal("two kernels, two commands", (mixed["kernel"], mixed["command"], mixed["sidestep"]),
                      ("various", None, "9.1"))
    status, _, err = case.report(one, path("cut", end=False))
    case.checks.that("one is cut off", status == 0 and "cut: the run was cut off" in err, err)
    broken = case.path("broken", ledger.ledger(head(form) + [form.end()])[:-8])
    # One of a later version, whose records have more in them.
    longer = form.exit("vmm", 2100, 2, size=form.sizes["EXIT"] + 8)
    newer = case.path("newer", ledger.ledger(head(form) + [longer, form.end()], version=9))
    for order in ((one, newer), (newer, one)):
        status, out, err = case.report("--format", "json", *order)
        case.checks.that("one is newer", status == 1 and "newer: version 9 of the format" in err, err)
        case.checks.equal("one is newer: all of it", by_name(json.loads(out))["cr0.ts.mov"]["exits_total"]["vmm"], 101)
    for order in ((one, broken), (broken, one)):
        status, out, err = case.report(*order)
        case.checks.that("one is truncated", status == 1 and "broken: truncated" in err and "cr0.ts.mov" in out, err)


def judged_alone(case):
    """What the last run has right, one before it may have wrong."""
    form = case.form
    right, wrong = (case.path(f"view-{view}", ledger.ledger(head(form, vms="1") + [
        form.batch(2, 100, 0, 9, 101, view), form.result(2, 100, [7] * 20), form.expectation(2, 100, 0), form.end()]))
        for view in (0, 1))
    for order, status in (((right,), 0), ((wrong,), 1), ((right, right), 0), ((right, wrong), 1), ((wrong, right), 1)):
        got, _, err = case.report(*order)
        name = " and ".join(path.name for path in order)
        case.checks.equal(f"judged: {name}", got, status)
        case.checks.equal(f"judged: {name}: which is told", "view-1: does not agree with the model" in err,
                          len(order) == 2 and status == 1)


def unlike_ones(case):
    """Runs that cannot be added up are refused, with the name of the ledger and what differs."""
    form = case.form
    good = case.path("good", run_of(form, (1, 100, 0)))
    for what, about in (("the engine is svm", {"engine": "svm"}), ("the backend is svm", {"backend": "svm"}),
                        ("the number of VMs is 2", {"vms": "2"}), ("the number of vCPUs is 3", {"vcpus": "3"}),
                        ("the guest is other.elf", {"guest": "other.elf"}), ("the plan of a VM is x", {"plan.0": "x"}),
                        ("what was traced is sample", {"tracing": "sample"}), ("view 1 is mine", {"view.1": "mine"})):
        other = case.path("unlike", ledger.ledger(head(form, [], **about) + [form.meta(*pair) for pair in about.items()]))
        case.refused(what, f"unlike: {what}", good, other)
    case.refused("names", "unlike: operation 2 is cr0.ts.mov, and op.0 in", good,
                 case.path("unlike", ledger.ledger(head(form))))
    plain = head(form, [])
    for what, *others in (("operation 2 is op.c, and op.b in one before it", head(form, ["op.b"]), head(form, ["op.c"])),
                          ("the count of operation 2 is 200, and 100 in one before it", head(form, ["x"]) +
                           performed(form, 2, 1, 100), head(form, ["x"]) + performed(form, 2, 1, 100, count=200))):
        case.refused(what, f"unlike: {what}", *(case.path(name, ledger.ledger(records + [form.end()])) for name, records in
                                                zip(("plain", "like", "unlike"), (plain, *others))))
    case.refused("a time line", "--format trace is of one LEDGER", "--format", "trace", good, good)
    case.refused("a difference of three", "two LEDGERs with --diff", "--diff", good, good, good)
    case.refused("no ledger", "missing: No such file", good, case.directory / "missing")
    for at in range(3):
        paths = [case.path(f"in{i}", good.read_bytes()) for i in range(3)]
        case.refused("the output is one of them", f"same file as LEDGER {paths[at]}", "-o", paths[at], *paths)


def main():
    sidestep, gen_docs = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        case = Case(sidestep, ledger.Format(gen_docs), directory)
        for test in (counts_add_up, about_the_runs, judged_alone, unlike_ones):
            test(case)
        return case.checks.finish()


if __name__ == "__main__":
    sys.exit(main())
