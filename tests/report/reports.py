#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""reports.py SIDESTEP GEN_DOCS: `sidestep report` on ledgers made up for the purpose. Needs no KVM."""
import csv
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import check
import ledger
from check import patient

FORMATS = ["text", "json", "csv", "html", "trace", "folded"]
# What a guest, a file name or a damaged file may put where people expect a word.
NASTY = '</script><script>alert(1)</script><!-- "\\;\x1b[31m\n\u2028'.encode() + b"\xff\xfe"


class Case:
    """Ledgers in a directory of their own, and what report says of them."""

    def __init__(self, sidestep, form, directory):
        self.sidestep, self.form, self.directory = sidestep, form, pathlib.Path(directory)
        self.checks = check.Checks()

    def path(self, name, data):
        path = self.directory / name
        path.write_bytes(data)
        return path

    def report(self, *arguments):
        done = subprocess.run([self.sidestep, "report", *arguments], capture_output=True, timeout=patient(30))
        return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")

    def refused(self, name, words, *arguments):
        status, out, err = self.report(*arguments)
        self.checks.equal(f"{name}: status", status, 2)
        self.checks.equal(f"{name}: output", out, "")
        self.checks.that(f"{name}: one line", err.count("\n") == 1 and words in err, err)

    def complains(self, name, words, data, status=1):
        """Every format says what is wrong, in one line, and shows what there is."""
        path = self.path("wrong.ledger", data)
        for format_ in FORMATS:
            got, out, err = self.report("--format", format_, path)
            self.checks.equal(f"{name}, {format_}: status", got, status)
            self.checks.that(f"{name}, {format_}: one line",
                             err.count("\n") == 1 and words in err, err)
            if status != 2 and format_ in ("json", "trace"):
                json.loads(out)
            self.checks.that(f"{name}, {format_}: output",
                             status == 2 or out or format_ == "folded", "none")


def head(form, operations=("cr0.ts.mov", "view.switch.vmfunc"), **meta):
    """What stands before the first exit."""
    about = {"engine": "vmx", "backend": "vmx", "kernel": "6.1", "guest": "built-in", "vcpus": "1",
             "vms": "1"}
    about.update(meta)
    views = ("kernel", "driver", "guest")
    records = [form.meta(key, value) for key, value in about.items()]
    records += [form.meta(f"view.{i}", name) for i, name in enumerate(views)]
    records.append(form.operation(1, "ref.nothing", kind=1))
    records += [form.operation(i + 2, name) for i, name in enumerate(operations)]
    return records


def performed(form, number, exits, ticks, vmm=0, monitor=0, count=100):
    """An operation with that many exits at L0 for each repetition (None: not observed)."""
    seen = None if exits is None else exits * count + 1
    records = [form.exit("vmm", 1000 * number + i, number) for i in range(vmm * count)]
    records += [form.exit("monitor", 1000 * number + i, number) for i in range(monitor * count)]
    records.append(form.batch(number, count, 1000 * number, 1000 * number + 999, seen))
    records.append(form.result(number, count, [ticks] * 20))
    return records


def run_of(form, *operations):
    """A whole run: (exits at L0, ticks, exits at the VMM) of every operation of head()."""
    records = head(form, [f"op.{i}" for i in range(len(operations))])
    records += performed(form, 1, 0, 3)
    for i, (exits, ticks, vmm) in enumerate(operations):
        records += performed(form, i + 2, exits, ticks, vmm)
    return ledger.ledger(records + [form.end()])


def strange_names(case):
    form = case.form
    records = head(form, ("cr0.ts.mov",), guest=NASTY, kernel=NASTY, engine="no such engine")
    records.append(form.meta("view.1", NASTY))
    records.append(form.code(0x100000, b"\x90", b"\xee\xc3", NASTY[:60], 4))
    records += [form.exit("vmm", 2100, 2, view=2), form.exit("monitor", 2200, 2, reason=60000)]
    records += performed(form, 2, 1, 50) + [form.end()]
    path = case.path("nasty.ledger", ledger.ledger(records))
    check.check_all(case.checks, case.sidestep, form, path)
    page = check.run(case.sidestep, "--format", "html", path)
    case.checks.equal("strange names: scripts in the page", page.count("<script"), 2)
    case.checks.equal("strange names: ends of scripts in the page", page.count("</script"), 2)
    for format_ in ("text", "folded", "html"):
        out = check.run(case.sidestep, "--format", format_, path)
        case.checks.that(f"strange names: no escape sequence in {format_}", "\x1b" not in out)
    for line in check.run(case.sidestep, "--format", "folded", path).splitlines():
        case.checks.equal("strange names: frames", line.count(";"), 3)


def names_of_functions(case):
    """What stands for a name that people could not read is for people: a program gets the name itself."""
    form = case.form
    name = 'f\x1b[3m"<\\\u00e4'
    plain = 'f\\x1b[3m"<\\\\xc3\\xa4'
    records = head(form) + [form.code(0x100000, b"\x90", b"\xee\xc3", name.encode(), 4), form.exit("vmm", 2100),
                            form.end()]
    path = case.path("function.ledger", ledger.ledger(records))
    for what, arguments in (("groups", ["--by", "symbol", path]), ("diff", ["--diff", "--by", "symbol", path, path])):
        document = json.loads(case.report("--format", "json", *arguments)[1])
        case.checks.equal(f"names of functions: {what} as JSON", document["exits"][0]["symbol"], name)
        rows = list(csv.DictReader(io.StringIO(case.report("--format", "csv", *arguments)[1])))
        case.checks.equal(f"names of functions: {what} as CSV", rows[0]["symbol"], plain)
    text = case.report("--by", "symbol", path)[1]
    case.checks.that("names of functions: groups as text", plain + " " in text, text)


def origin(case):
    """What has made a ledger, and an engine that is none of ours, are told in every view."""
    form = case.form
    records = head(form, (), engine="outside", sidestep="9.1", command="sidestep profile --pid '1 2'",
                   date="2026-01-31T23:59:59Z", tracing="sample")
    records += [form.l0_exit(10 * i, reason=i % 3) for i in range(9)] + [form.end()]
    path = case.path("outside.ledger", ledger.ledger(records))
    check.check_all(case.checks, case.sidestep, form, path)
    document = json.loads(case.report("--by", "level", "--format", "json", path)[1])
    case.checks.equal("origin: what an unknown engine did not see", [row["exits"] for row in document["exits"]],
                      [9, check.NOT_OBSERVED, check.NOT_OBSERVED])
    text = case.report(path)[1]
    case.checks.that("origin: the engine in text", text.startswith("engine outside on kvm_intel (Linux 6.1), "), text)
    case.checks.that("origin: in the time line", '"engine":"outside"' in case.report("--format", "trace", path)[1])
    suite = xml.etree.ElementTree.fromstring(case.report("--diff", "--by", "reason", "--format", "junit", path, path)[1])
    told = {item.get("name"): item.get("value") for item in suite.iter("property")}
    case.checks.equal("origin: as JUnit", [told.get("b." + key) for key in ("engine", "sidestep", "command", "date")],
                      ["outside", "9.1", "sidestep profile --pid '1 2'", "2026-01-31T23:59:59Z"])


def attached(case):
    """Of a VM of others every level has its tracepoints: what they did not show did not happen. Where KVM interprets
    they show a part."""
    form = case.form
    for backend, l0, levels, monitor in (
        ("vmx", "tracepoint kvm:kvm_exit, 9 one by one, 0 lost", [9, 0, 0],
         "tracepoints kvm:kvm_nested_vmexit_inject, kvm:kvm_nested_vmenter"),
        ("pvm", "tracepoint kvm:kvm_emulate_insn, 9 one by one, 0 lost, one instruction in many",
         [9, 0, check.NOT_OBSERVED], "not observed: this KVM interprets"),
    ):
        records = head(form, (), engine="attached", backend=backend, tracing="sample")
        records += [form.l0_exit(10 * i, reason=i % 3) for i in range(9)] + [form.end()]
        path = case.path(f"{backend}.ledger", ledger.ledger(records))
        check.check_all(case.checks, case.sidestep, form, path)
        document = json.loads(case.report("--by", "level", "--format", "json", path)[1])
        case.checks.equal(f"attached, {backend}: exits", [row["exits"] for row in document["exits"]], levels)
        case.checks.equal(f"attached, {backend}: by what", document["recorded"],
                          {"l0": l0, "monitor": monitor, "vmm": "tracepoint kvm:kvm_userspace_exit"})
        case.checks.equal(f"attached, {backend}: no violation", case.report("--by", "violation", path)[1],
                          "no access that a view forbids was recorded\n")
        case.checks.that(f"attached, {backend}: no service",
                         case.report("--by", "service", path)[1].startswith("nothing to count by service\n\n"))
        text = case.report(path)[1]
        case.checks.that(f"attached, {backend}: no marker", "marker" not in text, text)
        case.checks.that(f"attached, {backend}: what a tick is",
                         "\na tick is a nanosecond of CLOCK_MONOTONIC_RAW\n" in text, text)
        trace = case.report("--format", "trace", path)[1]
        case.checks.that(f"attached, {backend}: of the time line",
                         '"time":"of CLOCK_MONOTONIC_RAW, a tick is a nanosecond"' in trace, trace)


def messy_times(case):
    """Exits that overlap, on many tracks, with times that no clock gives."""
    form, records = case.form, head(case.form)
    for vm, vcpu in ((0, 0), (0, 1), (3, 0), (255, 255)):
        place = {"vm": vm, "vcpu": vcpu}
        for i in range(50):
            records.append(form.exit("vmm", 100 + 7 * i, 2, cost=1 << i % 12, **place))
            records.append(form.exit("monitor", 2 ** 64 - 300 + 5 * i, 2, cost=300, **place))
            records.append(form.l0_exit(90 + 7 * i, 2, cost=1 << i % 12, **place))
        records.append(form.batch(2, 10, 120, 300, **place))
        records.append(form.batch(2, 10, 400, 350, view=1, **place))
        records.append(form.batch(3, 10, 2 ** 64 - 100, 2 ** 64 - 1, view=77, **place))
    for khz in (0, 1, 2400000, 2 ** 64 - 1):
        data = ledger.ledger(records + [form.end()], tsc_khz=khz)
        path = case.path("messy.ledger", data)
        exits, _ = check.count_exits(form, data)
        check.check_trace(case.checks, case.sidestep, path, exits)


def exits_at_l0(case):
    """Exits that tracepoints showed count like any other, with the processor's reasons, and what their RIP
    says stands beside the marker."""
    form = case.form
    records = head(form, ("cr0.mp.mov", "view.switch.vmfunc"))
    records += [form.meta("backend", "vmx"), form.meta("samples.lost", "12"),
                form.meta("tracepoints.missing", "none of \x1b that")]
    records += [form.l0_exit(1000 + 10 * i, 2, reason=28, rip=0x1000, cost=7) for i in range(5)]
    records += [form.l0_exit(2000 + 10 * i, 3, reason=59, rip=0x2000, flags=1, agreement=i % 4)
                for i in range(8)]
    records += [form.l0_exit(3000, 3, reason=1 << 31 | 33), form.l0_exit(3100, 0, isa=9, agreement=77),
                form.end()]
    path = case.path("l0.ledger", ledger.ledger(records))
    check.check_all(case.checks, case.sidestep, form, path)
    reasons = {row["reason"]: row for row in json.loads(
        check.run(case.sidestep, "--by", "reason", "--format", "json", path))["exits"]}
    case.checks.equal("exits at L0: reasons", {name: row["exits"] for name, row in reasons.items()},
                      {"VMFUNC": 8, "control-register access": 6, "VM-entry failure: invalid guest state": 1})
    case.checks.equal("exits at L0: ticks", reasons["control-register access"]["handling_ticks"], 45)
    text = check.run(case.sidestep, path)
    case.checks.that("exits at L0: lost", "l0, one by one: 15 recorded, 12 lost\n" in text, text)
    case.checks.that("exits at L0: by RIP", "marker: 8 agrees, 2 elsewhere, 2 unmarked, 2 differs\n" in text,
                     text)
    case.checks.that("exits at L0: what differs", "  marked view.switch.vmfunc, rip 0x2000 in the routine of "
                     in text, text)
    case.checks.that("exits at L0: what is missing", "tracepoints: not observed: none of \\x1b that\n" in text,
                     text)


def without_operations(case):
    """A guest without a catalogue: what took exits comes first, a dozen of each level, and the rest is counted."""
    form, places = case.form, 30
    records = head(form, (), engine="flat", guest="vmlinuz")
    for place in range(places):
        records.append(form.code(0x1000 + place, b"", b"\xee\xc3", b"[user]" if place == places - 1 else NASTY[:60]))
        records += [form.exit("vmm", 100 * place + i, 0, reason=2 + place % 20, rip=0x1000 + place,
                              cost=place * (i % 7)) for i in range(place + 1)]
    records += [form.l0_exit(5000 + i, 0, reason=i % 4, rip=0x1000 + i % 3, cost=2 ** 32 - 1 - i) for i in range(100)]
    path = case.path("guest.ledger", ledger.ledger(records + [form.end()]))
    check.check_all(case.checks, case.sidestep, form, path)
    text = check.run(case.sidestep, path)
    # Of thirty with one exit more each, eighteen are left out.
    case.checks.that("without operations: how many more", "and 18 more at vmm; report --by rip has all\n" in text, text)
    rows = re.findall(r"^0x(\w+) +(\S+) +.* vmm ", text, re.M)
    case.checks.equal("without operations: the most frequent", [int(rip, 16) - 0x1000 for rip, _ in rows],
                      list(range(places - 1, places - 13, -1)))
    case.checks.equal("without operations: in no function", rows[0][1], "[user]")
    case.checks.that("without operations: those that were not timed", "the others do not say how long" in text, text)
    case.checks.that("without operations: no escape sequence", "\x1b" not in text)
    case.checks.that("without operations: no hint for who has the ledger", "--ledger" not in text, text)
    first = [text.index(f"\n{word} ") for word in ("reason", "symbol", "rip", "no operation of a catalogue")]
    case.checks.equal("without operations: the order", first, sorted(first))
    case.checks.equal("without operations: a table of CSV is as ever",
                      check.run(case.sidestep, "--format", "csv", path).count("\n"), 1)


def without_symbols(case):
    """No table in which no function has a name; --by symbol tells them apart by where they are, and so does JSON."""
    form = case.form
    records = head(form, (), engine="flat", guest="stripped") + [form.code(0x1000, b"", b"\xee\xc3")]
    records += [form.exit("vmm", 100 + i, 0, rip=0x1000) for i in range(3)]
    path = case.path("stripped.ledger", ledger.ledger(records + [form.end()]))
    check.check_all(case.checks, case.sidestep, form, path)
    text = check.run(case.sidestep, path)
    case.checks.equal("without symbols: tables", re.findall("^(reason|symbol|rip) ", text, re.M), ["reason", "rip"])
    case.checks.that("without symbols: by symbol", re.search(r"^0x1000\+0x0 +vmm +3 ", check.run(case.sidestep, "--by", "symbol",
                                                                                      path), re.M))
    case.checks.equal("without symbols: folded", check.run(case.sidestep, "--format", "folded", path),
                      "stripped;outside operations;vmm;io 3\n")


def frames(case):
    """Equal functions and reasons are one frame, wherever in them an exit was and whatever it was about."""
    form = case.form
    records = head(form, (), engine="flat", guest="kernel")
    for i in range(6):
        records.append(form.code(0x1000 + i, b"", b"\xee\xc3", b"put" if i % 2 else b"get", i))
        records.append(form.exit("vmm", 100 * (i + 1), 0, rip=0x1000 + i, cost=10 + i, qualification=0x3f8 + i))
    path = case.path("frames.ledger", ledger.ledger(records + [form.end()]))
    check.check_all(case.checks, case.sidestep, form, path)
    case.checks.equal("frames: folded", check.run(case.sidestep, "--format", "folded", path),
                      "kernel;get;vmm;io 3\nkernel;put;vmm;io 3\n")
    events = json.loads(check.run(case.sidestep, "--format", "trace", path))["traceEvents"]
    slices = [(event["name"], json.dumps(event.get("args"))) for event in events if event["ph"] == "X"]
    case.checks.equal("frames: of a trace", sorted(set(slices)), [(name, "null") for name in ("get", "io", "put")])
    case.checks.equal("frames: slices", len(slices), 12)
    case.checks.equal("frames: what the exits were about",
                      [(event["args"]["at"], event["args"]["port"]) for event in events if event["name"] == "exit"],
                      [(f"{'put' if i % 2 else 'get'}+{i:#x}", hex(0x3f8 + i)) for i in range(6)])


def one_clock(case):
    """With the offset an exit at the VMM lies in the one at the monitor that was passed on."""
    form, offset = case.form, -(1 << 40)
    records = head(form) + [form.meta("tsc_offset.0.0", str(offset))]
    records += [form.exit("monitor", (5000 + offset) % 2 ** 64, 2, reason=28, cost=400),
                form.exit("vmm", 5100, 2, cost=200, view=2)]
    records += [form.batch(2, 1, 4000, 6000, view=2), form.end()]
    path = case.path("clock.ledger", ledger.ledger(records, tsc_khz=1000000))
    events = json.loads(check.run(case.sidestep, "--format", "trace", path))["traceEvents"]
    slices = {event["cat"]: event for event in events if event["ph"] == "X"}
    times = {name: (event["ts"], round(event["dur"], 4)) for name, event in slices.items()}
    # A tick is a nanosecond; the batch is where time begins.
    case.checks.equal("clock: times", times,
                      {"operation": (0, 2), "monitor": (1, 0.4), "vmm": (1.1, 0.2)})
    views = [(event["name"], event["ts"], event["args"]["seen"]) for event in events
             if event.get("cat") == "view"]
    case.checks.equal("clock: views", views, [("driver", 1.3, "as it happened"),
                                              ("guest", 2, "at the end of the operation")])


def histogram(case):
    """What the page's script draws: bins of an eighth of an octave."""
    form = case.form
    records = head(form) + performed(form, 1, 0, 3)
    records += [form.batch(2, 4, 1, 2, 1), form.result(2, 4, [8, 8, 9, 1024]), form.end()]
    path = case.path("bins.ledger", ledger.ledger(records))
    page = check.run(case.sidestep, "--format", "html", path)
    data = page.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    data = json.loads(data)
    row = [row for row in data["operations"] if row["operation"] == "cr0.ts.mov"][0]
    case.checks.equal("histogram", row["distribution"],
                      {"max": 1024, "per_octave": 8, "samples": 4, "bins": [[24, 2], [25, 1], [80, 1]]})


def differences(case):
    form = case.form
    same = (None, 100, 1)
    base = run_of(form, (1, 100, 0), same)
    for name, other, options, changes in (
        ("the same", [(1, 100, 0), same], [], {}),
        ("an exit more", [(2, 100, 0), same], ["--exits-only"], {"op.0": "exits"}),
        ("an exit less", [(1, 100, 0), (None, 100, 0)], [], {"op.1": "exits"}),
        ("a tenth dearer", [(1, 110, 0), same], [], {}),
        ("more than a tenth dearer", [(1, 111, 0), same], [], {"op.0": "cost"}),
        ("more than a tenth cheaper", [(1, 89, 0), same], [], {"op.0": "cost"}),
        ("within the threshold", [(1, 111, 0), same], ["--threshold", "11"], {}),
        ("ticks do not count", [(1, 111, 0), same], ["--exits-only"], {}),
        ("every tick counts", [(1, 101, 0), same], ["--threshold", "0"], {"op.0": "cost"}),
        ("not observed any more", [(None, 100, 0), same], [], {"op.0": "exits"}),
        ("one is missing", [(1, 100, 0)], [], {"op.1": "only_a"}),
        ("one is new", [(1, 100, 0), same, (0, 5, 0)], [], {"op.2": "only_b"}),
    ):
        status = int(bool(changes))
        paths = case.path("a.ledger", base), case.path("b.ledger", run_of(form, *other))
        got, out, err = case.report("--diff", *options, "--format", "json", *paths)
        found = {row["operation"]: row["change"] for row in json.loads(out)["operations"]
                 if row["change"] != "none"}
        case.checks.equal(f"diff, {name}: changes", found, changes)
        case.checks.equal(f"diff, {name}: status", (got, err), (status, ""))
        got, out, _ = case.report("--diff", *options, "--format", "csv", *paths)
        found = {row["operation"]: row["change"] for row in csv.DictReader(io.StringIO(out))
                 if row["change"] != "none"}
        case.checks.equal(f"diff, {name}: as CSV", (got, found), (status, changes))
        got, out, _ = case.report("--diff", *options, *paths)
        shown = {line.split()[0] for line in out.splitlines() if line.startswith("op.")}
        case.checks.equal(f"diff, {name}: as text", (got, shown), (status, set(changes)))
    paths = case.path("a.ledger", base), case.path("b.ledger", base[:-300])
    got, _, err = case.report("--diff", *paths)
    case.checks.that("diff with a truncated ledger", got == 1 and "b.ledger: truncated" in err, err)


def rows_in(document):
    """Where the JSON of a comparison has its rows."""
    return "operations" if document["by"] == "operation" else "exits"


def gate(case):
    """Each row is a test, with a limit of its own if it is given one."""
    form = case.form

    def guest(*functions, khz=1000000):
        records = head(form, (), engine="flat", guest="a<b>.elf")
        for i, (name, count, cost) in enumerate(functions):
            records.append(form.code(0x1000 * (i + 1), b"", b"\xee\xc3", name))
            records += [form.exit("vmm", 100 * i + j, 0, rip=0x1000 * (i + 1), cost=cost) for j in range(count)]
        return ledger.ledger(records + [form.end()], tsc_khz=khz)

    base = guest((b"f", 100, 1000), (b"g", 4, 1000), (b"h # SKIP <x>", 1, 10))
    other = guest((b"f", 110, 1200), (b"g", 4, 1150), (b"new", 1, 10))
    paths = case.path("a.ledger", base), case.path("b.ledger", other)
    f_exits, f_ticks = "exits: A 100, B 110, +10.0%, allowed {:g} %", "ticks_each: A 1000, B 1200, +20.0%, allowed {:g} %"
    g_ticks = "ticks_each: A 1000, B 1150, +15.0%, allowed {:g} %"
    only = {"h ? SKIP <x> at vmm": "only in A: exits 1, ticks_each 10.0", "new at vmm": "only in B: exits 1, ticks_each 10.0"}
    exits10 = "--threshold-exits", "10"
    for name, options, wanted in (
        ("no options", [], {"f at vmm": f"{f_exits.format(0)}; {f_ticks.format(10)}", "g at vmm": g_ticks.format(10)}),
        ("exits may differ", exits10, {"f at vmm": f_ticks.format(10), "g at vmm": g_ticks.format(10)}),
        ("by less than they do", ["--threshold-exits", "9.9", "--threshold", "20"], {"f at vmm": f_exits.format(9.9)}),
        ("both may differ", [*exits10, "--threshold", "20"], {}),
        ("ticks do not count", ["--exits-only"], {"f at vmm": f_exits.format(0)}),
        ("one by name", [*exits10, "--threshold", "f=20"], {"g at vmm": g_ticks.format(10)}),
        ("one by name, and the others", [*exits10, "--threshold", "f=19", "--threshold", "15"],
         {"f at vmm": f_ticks.format(19)}),
        ("exits of one by name", ["--threshold-exits", "f=10", "--threshold", "20"], {}),
        ("exits of another", ["--threshold-exits", "g=10", "--threshold", "20"], {"f at vmm": f_exits.format(0)}),
        ("by a pattern", [*exits10, "--threshold", "[fg]=20"], {}),
        ("by name and level", [*exits10, "--threshold", "? at vmm=20"], {}),
        ("by another level", [*exits10, "--threshold", "? at l0=20", "--threshold", "g=20"], {"f at vmm": f_ticks.format(10)}),
        ("the last pattern counts", [*exits10, "--threshold", "*=20", "--threshold", "f=1"], {"f at vmm": f_ticks.format(1)}),
    ):
        wanted = {**wanted, **only}
        arguments = ["--diff", "--by", "symbol", *options]
        got, out, err = case.report(*arguments, "--format", "tap", *paths)
        unused = "sidestep: --threshold: '? at l0' matches no row\n" if "? at l0=20" in options else ""
        case.checks.equal(f"gate, {name}: status, and names of no row", (got, err), (1, unused))
        lines = out.splitlines()
        case.checks.equal(f"gate, {name}: TAP begins", lines[:2], ["TAP version 13", "1..4"])
        numbers = [int(line.removeprefix("not ").split()[1]) for line in lines if line.startswith(("ok ", "not ok "))]
        case.checks.equal(f"gate, {name}: TAP is numbered", numbers, [1, 2, 3, 4])
        failed = {line.split(" - ", 1)[1]: after.removeprefix("# ") for line, after in zip(lines, lines[1:])
                  if line.startswith("not ok ")}
        case.checks.equal(f"gate, {name}: TAP", failed, wanted)
        got, out, _ = case.report(*arguments, "--format", "junit", *paths)
        suite = xml.etree.ElementTree.fromstring(out).find("testsuite")
        failed = {test.get("name").replace("#", "?"): failure.get("message") for test in suite.iter("testcase")
                  for failure in test.iter("failure")}
        case.checks.equal(f"gate, {name}: JUnit", (got, failed), (1, wanted))
        case.checks.equal(f"gate, {name}: JUnit's counts", (suite.get("tests"), suite.get("failures"), suite.get("skipped")),
                          ("4", str(len(wanted)), "0"))
        document = json.loads(case.report(*arguments, "--format", "json", *paths)[1])
        case.checks.equal(f"gate, {name}: JSON", sum(row["change"] != "none" for row in document["exits"]), len(wanted))
    times = {test.get("name"): test.get("time") for test in suite.iter("testcase")}
    # 110 exits of 1200 ns are in B, none of h.
    case.checks.equal("gate: times", times, {"f at vmm": "0.000132000", "g at vmm": "0.000004600",
                                             "h # SKIP <x> at vmm": None, "new at vmm": "0.000000010"})
    told = {item.get("name"): item.get("value") for item in suite.iter("property")}
    for key, value in (("a.ledger", str(paths[0])), ("b.ledger", str(paths[1])), ("a.guest", "a<b>.elf"), ("a.engine", "flat"),
                       ("b.kernel", "6.1"), ("threshold", "10"), ("threshold.f", "1"), ("threshold_exits", "10"),
                       ("by", "symbol"), ("exits_only", "false")):
        case.checks.equal(f"gate: property {key}", told.get(key), value)
    text = case.report("--diff", "--by", "symbol", "--threshold", "f=1", *paths)[1]
    case.checks.that("gate: no one threshold in text", "ticks more than their threshold off" in text, text)
    no_clock = case.path("b.ledger", guest((b"f", 1, 1), khz=0))
    out = case.report("--diff", "--by", "symbol", "--format", "junit", no_clock, no_clock)[1]
    case.checks.that("gate: no times without a clock", "time=" not in out, out)
    # Nothing came of nothing: no percentage is enough.
    zero = [case.path(f"{name}.ledger", run_of(form, (0, 100, count))) for name, count in (("a", 0), ("b", 1))]
    got, out, _ = case.report("--diff", "--threshold-exits", "1000000", "--format", "tap", *zero)
    case.checks.that("gate: operations, from 0", got == 1 and "\nnot ok 2 - op.0\n# vmm: A 0, B 1, from 0, allowed 1e+06 %; "
                     "placement: A cpu, B vmm\n" in out, out)


def damage(case):
    form = case.form
    records = head(form) + performed(form, 2, 1, 100, 1) + [form.end()]
    whole = ledger.ledger(records)
    flipped = bytearray(whole)
    flipped[ledger.PAGE + len(b"".join(records[:7])) + 1] ^= 0x40
    damaged = "damaged; what could be read is shown"
    later = ledger.RECORD.pack(250, 16, 0, 0, 0) + bytes(8)
    # Code with more bytes than there is room for: `count` is behind RIP, offset and `before`.
    code = bytearray(form.code(1, b"", bytes(32)))
    code[ledger.RECORD.size + 13] = 200
    case.complains("truncated", "truncated; what could be read is shown", whole[:-1000])
    case.complains("one bit", damaged, bytes(flipped))
    case.complains("magic", damaged, ledger.ledger(records, magic=ledger.MAGIC ^ 1 << 50))
    case.complains("newer", f"version 9 of the format, this program reads {ledger.VERSION}; what",
                   ledger.ledger(records, version=9))
    case.complains("later types", "2 records of unknown types left out; what could be read is shown",
                   ledger.ledger(records + [later] * 2))
    case.complains("name of an operation", damaged,
                   ledger.ledger(records + [form.operation(9, "\x1b[2J")]))
    case.complains("too much code", damaged, ledger.ledger(records + [bytes(code)]))
    case.complains("cut off", "the run was cut off; its last records are shown",
                   ledger.ledger(records[:-1]), 0)
    case.complains("foreign", "not a ledger", b"\x7fELF" + bytes(5000), 2)
    case.complains("short", "too short for a ledger", whole[:20], 2)
    case.complains("header alone", "truncated; what", whole[:100])
    status, out, _ = case.report(case.path("lost.ledger", ledger.ledger(records, lost=12)))
    case.checks.that("lost records are told", status == 0 and "lost: 12 records" in out, out)


def nothing(case):
    """No operation, no exit, no property."""
    path = case.path("empty.ledger", ledger.ledger([case.form.end()]))
    for format_ in FORMATS:
        out = check.run(case.sidestep, "--format", format_, path)
        if format_ in ("json", "trace"):
            json.loads(out)
    for by in ("reason", "rip", "symbol", "level", "vcpu", "instruction", "vm"):
        for format_ in ("text", "json", "csv"):
            check.run(case.sidestep, "--by", by, "--format", format_, path)


def usage(case):
    path = case.path("good.ledger", run_of(case.form, (1, 100, 0)))
    for words, *arguments in (
        ("two LEDGERs with --diff", "--diff", path),
        ("report takes one LEDGER",),
        ("--by rip: --format html has no such table", "--by", "rip", "--format", "html", path),
        ("--diff compares operations", "--diff", "--by", "violation", path, path),
        ("as text, json, csv, tap or junit", "--diff", "--format", "html", path, path),
        ("go with --diff", "--threshold-exits", "5", path),
        ("--weight goes with --format folded", "--weight", "ticks", path),
        ("--weight: 'bytes' is not exits or ticks", "--weight", "bytes", path),
        ("go with --diff", "--threshold", "5", path),
        ("go with --diff", "--exits-only", path),
        ("missing: No such file", "--diff", path, case.directory / "missing"),
    ):
        case.refused(f"usage: {words}", words, *arguments)
    for wrong in ("-1", "x", "", "5%", "nan", "inf"):
        case.refused(f"threshold '{wrong}'", "is not a number of percent",
                     "--diff", "--threshold", wrong, path, path)


def main():
    sidestep, gen_docs = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        case = Case(sidestep, ledger.Format(gen_docs), directory)
        for test in (strange_names, names_of_functions, origin, attached, messy_times, exits_at_l0, without_operations, without_symbols,
                     frames, one_clock, histogram, differences, gate, damage, nothing, usage):
            test(case)
        return case.checks.finish()


if __name__ == "__main__":
    sys.exit(main())
