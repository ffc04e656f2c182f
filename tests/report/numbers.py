#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""numbers.py SIDESTEP GEN_DOCS: no number of a report is one that nothing saw, nor one that is true of nobody. On ledgers
made up for the purpose; needs no KVM."""
import csv
import io
import json
import sys
import tempfile

import check
import ledger
import reports


def table(case, *arguments):
    """A table as JSON and as CSV."""
    rows = json.loads(check.run(case.sidestep, *arguments, "--format", "json"))
    text = check.run(case.sidestep, *arguments, "--format", "csv")
    return rows, list(csv.DictReader(io.StringIO(text)))


def compared(case, name, status, words, a, b, *options):
    """Two ledgers; every format comes to the same."""
    paths = case.path("a.ledger", a), case.path("b.ledger", b)
    for format_ in ("text", "json", "csv", "tap", "junit"):
        got, out, err = case.report("--diff", *options, "--format", format_, *paths)
        case.checks.equal(f"{name}, {format_}: status", got, status)
        case.checks.that(f"{name}, {format_}: in words", words in err and err.count("\n") <= 1, err)
        if format_ == "json":
            document = json.loads(out)
        if format_ == "tap":
            verdicts = [line.startswith("ok ") for line in out.splitlines() if "ok " in line[:7]]
            fine = [row["change"] in ("none", "not_compared") for row in document[reports.rows_in(document)]]
            case.checks.equal(f"{name}: verdicts", verdicts, fine)
    return document


def nothing_compared(case):
    """A gate that compares nothing does not pass, and says what it lacks."""
    form = case.form
    empty = ledger.ledger([form.end()])
    no_operations = ledger.ledger(reports.head(form, ()) + [form.exit("vmm", 5), form.end()])
    some = reports.run_of(form, (1, 100, 0))

    def named(name, **about):
        return ledger.ledger(reports.head(form, (name,), **about) + reports.performed(form, 2, 1, 50) + [form.end()])

    def unseen(exits):
        return ledger.ledger(reports.head(form, ("cr0.ts.mov",)) + [form.result(2, 100, [50] * 20)] * exits + [form.end()])

    for name, words, a, b, *options in (
        ("both are empty", "neither ledger has an operation; --by reason, rip or symbol", empty, empty),
        ("guests without operations", "neither ledger has an operation", no_operations, no_operations),
        ("one has no operations", "ledger B has no operation", some, no_operations),
        ("the other has none", "ledger A has no operation", empty, some),
        ("other operations", "no operation is in both: A is of guest one, B of guest two",
         named("x.one", guest="one"), named("x.two", guest="two")),
        ("other engines", "no operation is in both: A is of engine vmx, B of engine svm",
         named("x.one"), named("x.two", engine="svm", backend="svm")),
        ("no exits to compare", "without --exits-only ticks are compared", unseen(1), unseen(1), "--exits-only"),
        ("no exits, by reason", "neither ledger has an exit that left a record", empty, empty, "--by", "reason"),
    ):
        document = compared(case, f"nothing compared: {name}", 77, words, a, b, *options)
        case.checks.equal(f"nothing compared: {name}: as JSON", document["compared"], 0)
    damaged = bytearray(some)
    damaged[ledger.PAGE:ledger.PAGE + 8] = bytes(8)
    paths = case.path("a.ledger", bytes(damaged)), case.path("b.ledger", empty)
    case.checks.equal("nothing compared, of a damaged ledger: status", case.report("--diff", *paths)[0], 1)
    compared(case, "ticks are something to compare", 0, "", unseen(1), unseen(1))


def any_guest(case):
    """Guests without operations are compared by what their exits have in common."""
    form = case.form

    def guest(reasons, cost=100, l0=()):
        records = reports.head(form, (), engine="flat", guest="a.elf")
        records += [form.code(0x1000 * (1 + reason), b"", b"\xee\xc3", b"f%d" % reason) for reason, _ in reasons]
        records += [form.exit("vmm", 10 + i, 0, reason=reason, rip=0x1000 * (1 + reason), cost=cost)
                    for reason, count in reasons for i in range(count)]
        records += [form.l0_exit(10 + i, 0, reason=reason) for reason, count in l0 for i in range(count)]
        return ledger.ledger(records + [form.end()])

    base = guest([(2, 5), (6, 3)])
    for by in ("reason", "rip", "symbol", "level", "vcpu", "instruction", "vm"):
        compared(case, f"by {by}: the same", 0, "", base, base, "--by", by)
        compared(case, f"by {by}: an exit more", 1, "", base, guest([(2, 6), (6, 3)]), "--by", by, "--exits-only")
        compared(case, f"by {by}: dearer", 1, "", base, guest([(2, 5), (6, 3)], 111), "--by", by)
        compared(case, f"by {by}: ticks do not count", 0, "", base, guest([(2, 5), (6, 3)], 111), "--by", by,
                 "--exits-only")
        compared(case, f"by {by}: within the threshold", 0, "", base, guest([(2, 5), (6, 3)], 109), "--by", by)
    document = compared(case, "by reason: one is gone", 1, "", base, guest([(2, 5)]), "--by", "reason")
    rows = {row["reason"]: row for row in document["exits"]}
    # Nobody saw such an exit though the run loop would have: that is none, not unknown.
    case.checks.equal("by reason: one is gone", (rows["mmio"]["change"], rows["mmio"]["b"]), ("only_a", None))
    text = check.run(case.sidestep, "--diff", "--by", "reason", case.directory / "a.ledger", case.directory / "b.ledger",
                     status=1)
    case.checks.that("by reason: one is gone, as text", "mmio (only in A)" in text and "1 only in A" in text, text)
    document = compared(case, "a level that one did not observe", 1, "", base,
                        guest([(2, 5), (6, 3)], l0=[(1, 4)]), "--by", "level")
    rows = {row["level"]: row for row in document["exits"]}
    case.checks.equal("a level that one did not observe: as it is",
                      [rows["l0"][side]["exits"] for side in "ab"], ["not observed", 4])
    document = compared(case, "reasons at a level that one did not observe", 1, "", base,
                        guest([(2, 5), (6, 3)], l0=[(1, 4)]), "--by", "reason")
    rows = [row for row in document["exits"] if row["level"] == "l0"]
    case.checks.equal("reasons at a level that one did not observe: as they are",
                      [(row["change"], row["a"]["exits"], row["b"]["exits"]) for row in rows],
                      [("exits", "not observed", 4)])
    case.refused("by violation", "--diff compares operations, or exits by reason", "--diff", "--by", "violation",
                 case.directory / "a.ledger", case.directory / "b.ledger")


def places_without_names(case):
    """What has no name is compared with what is at the same place, whatever has a name besides."""
    form = case.form

    def guest(places, names=()):
        records = reports.head(form, (), engine="flat")
        records += [form.code(0x5000 + 256 * i, b"", b"\xee\xc3", name.encode()) for i, name in enumerate(names)]
        records += [form.exit("vmm", i, 0, rip=rip) for i, rip in enumerate(places)]
        records += [form.exit("vmm", i, 0, rip=0x5000 + 256 * i) for i in range(len(names))]
        return ledger.ledger(records + [form.end()])

    a = guest([0x1010, 0x1020, 0x1100, 0x9900, 0], ["f", "g", "h"])
    b = guest([0x9901, 0x1110, 0x1000, 0x2000, 0], ["h", "f", "new"])
    document = compared(case, "places without names", 1, "", a, b, "--by", "symbol", "--exits-only")
    case.checks.equal("places without names", {row["symbol"]: row["change"] for row in document["exits"]}, {
        "f": "none", "g": "only_a", "h": "none", "new": "only_b", "?": "none", "0x1000+0x0": "exits",
        "0x1000+0x100": "none", "0x9000+0x900": "none", "0x2000+0x0": "only_b"})


def several(form, plans, mask_vm=1):
    """Two VMs, the second of which exits to the VMM where the first does not. What each costs differs too."""
    records = reports.head(form, ("cr0.ts.mov", "cr0.mp.mov"), vms="2")
    records += [form.meta(f"plan.{vm}", plan) for vm, plan in enumerate(plans)]
    for vm in range(2):
        place = {"vm": vm}
        records += [form.batch(1, 100, 10, 20, 1, **place), form.result(1, 100, [3] * 20, **place)]
        for number in (2, 3):
            exits = 100 if number == 2 and vm == mask_vm else 0
            records += [form.exit("vmm", 1000 + i, number, cost=7, **place) for i in range(exits)]
            records += [form.batch(number, 100, 1000, 2000, 101 * bool(exits) or 1, **place),
                        form.result(number, 100, [500 if exits else 50] * 20, **place)]
        records.append(form.end(vm))
    return ledger.ledger(records)


def rows_of_vms(case):
    """A row never mixes placements: VMs that differ have rows of their own, whether the ledger says why or not."""
    form = case.form
    same, other = "own=ts,mp shadow=none", "own=none shadow=ts"
    for name, plans, split in (("plans differ", (same, other), {"ref.nothing", "cr0.ts.mov", "cr0.mp.mov"}),
                               ("same plans", (same, same), {"cr0.ts.mov"}),
                               ("plans not known", (), {"cr0.ts.mov"})):
        path = case.path("vms.ledger", several(form, plans))
        document, lines = table(case, path)
        rows = document["operations"]
        of_vms = {row["operation"] for row in rows if row["vm"] is not None}
        case.checks.equal(f"{name}: rows of one VM", of_vms, split)
        case.checks.equal(f"{name}: as CSV", [(row["operation"], row["vm"]) for row in lines],
                          [(row["operation"], check.as_csv(row["vm"])) for row in rows])
        told = {row["vm"]: (row["placement"], row["vmm"], row["repetitions"], row["ticks_median"], row["eet"])
                for row in rows if row["operation"] == "cr0.ts.mov"}
        case.checks.equal(f"{name}: each is true of its VM", told,
                          {0: ("cpu", 0, 100, 50, 47), 1: ("vmm", 1, 100, 500, 497)})
        for row in rows:
            if row["vm"] is None:
                case.checks.equal(f"{name}: {row['operation']} of both", (row["repetitions"], row["placement"]),
                                  (200, "cpu"))
        text = check.run(case.sidestep, path)
        case.checks.equal(f"{name}: told in words", f"VM 1: {other}\n" in text, name == "plans differ")
        groups, _ = table(case, "--by", "vm", path)
        case.checks.equal(f"{name}: by VM", [(row["vm"], row["level"], row["exits"]) for row in groups["exits"]],
                          [(1, "vmm", 100)])
        check.run(case.sidestep, "--diff", path, path)
    one = case.path("one.ledger", several(form, (same, same), None))
    document, _ = table(case, one)
    case.checks.equal("VMs that do the same: one row each", [row["vm"] for row in document["operations"]], [None] * 3)
    document = compared(case, "one row for all against rows of each", 1, "", several(form, (same, same), None),
                        several(form, (same, other)))
    case.checks.equal("one row for all against rows of each", {
        (row["operation"], row["vm"]): row["change"] for row in document["operations"]}, {
            ("ref.nothing", 0): "none", ("ref.nothing", 1): "none", ("cr0.mp.mov", 0): "none",
            ("cr0.mp.mov", 1): "none", ("cr0.ts.mov", 0): "none", ("cr0.ts.mov", 1): "exits"})


def ratios(case):
    """What is compared with what is said by the ledger, not by how names begin."""
    form = case.form
    names = ("fpu.enlightened", "fpu.enlightened.loaded", "fpu.ts", "fpu.clear")
    records = reports.head(form, names) + reports.performed(form, 1, 0, 3)
    for number, ticks in ((2, 60), (3, 1250), (4, 1000), (5, 40)):
        records += reports.performed(form, number, 0, ticks)
    said = [form.meta("compared.2", "5"), form.meta("compared.3", "4"), form.meta("compared.4", "999"),
            form.meta("compared.5", "5x"), form.meta("compared.9999", "1")]
    for name, more, wanted in (("as the catalogue says", said, [None, 1.5, 1.25, None, 1.0]),
                               ("an older ledger", [], [None] * 5)):
        path = case.path("ratio.ledger", ledger.ledger(records + more + [form.end()]))
        document, _ = table(case, path)
        case.checks.equal(f"ratio, {name}", [row["ratio"] for row in document["operations"]], wanted)


def blind_vcpus(case):
    """Where the kernel lets only some vCPUs be traced, the others are not passed over."""
    form = case.form
    records = reports.head(form, (), tracing="sample", vcpus="4") + [form.l0_exit(5, 0)]
    for name, more, words in (("all", [], "1 one by one, 0 lost\n"),
                              ("some", [form.meta("tracing.blind", "3")], "0 lost, some vCPUs not observed\n")):
        path = case.path("blind.ledger", ledger.ledger(records + more + [form.end()]))
        text = check.run(case.sidestep, "--by", "reason", path)
        case.checks.that(f"traced: {name}", words in text, text)
    path = case.path("full.ledger", ledger.ledger(records + [form.end()], lost=7))
    document = json.loads(case.report("--by", "level", "--format", "json", path)[1])
    case.checks.equal("a ledger without room", document["recorded"]["vmm"],
                      "run loop, but for records that found no room")


def shares(case):
    """One event that is seen at three levels is not three thirds of an event."""
    form = case.form
    records = reports.head(form, ("cr0.ts.mov",), tracing="sample")
    for i in range(1000):
        records += [form.l0_exit(10 * i, 2, reason=28), form.exit("monitor", 10 * i, 2, reason=28),
                    form.exit("vmm", 10 * i, 2)]
    records += [form.exit("vmm", 5, 0, reason=6), form.end()]
    path = case.path("shares.ledger", ledger.ledger(records))
    document, lines = table(case, "--by", "reason", path)
    told = {(row["level"], row["reason"]): row["share"] for row in document["exits"]}
    case.checks.equal("shares within a level", {key: round(share, 6) for key, share in told.items()}, {
        ("l0", "control-register access"): 100, ("monitor", "control-register access"): 100,
        ("vmm", "io"): round(100000 / 1001, 6), ("vmm", "mmio"): round(100 / 1001, 6)})
    case.checks.that("shares as CSV", all(
        abs(float(line["share"]) - told[line["level"], line["reason"]]) < 1e-6 for line in lines), lines)
    page = check.run(case.sidestep, "--format", "html", path)
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    case.checks.equal("shares in the page", {(row["level"], row["reason"]): row["share"] for row in data["reasons"]},
                      told)
    text = check.run(case.sidestep, "--by", "reason", path)
    cells = {line.split()[0]: line for line in text.splitlines() if " vmm " in line}
    # A thousandth less than all is not all.
    case.checks.that("shares as text", " 99.9 " in cells["io"] and " 0.1 " in cells["mmio"], text)


def formulas(case):
    """A name that a spreadsheet would execute is a text in every table."""
    form = case.form
    for sign in ("=", "+", "-", "@", "\t", "\r"):
        evil = f'{sign}HYPERLINK("http://x")'
        records = reports.head(form, ("cr0.ts.mov",))
        records += [form.code(0x100000, b"", b"\xee\xc3", evil.encode()),
                    form.exit("vmm", 1, 2), form.end()]
        path = case.path("evil.ledger", ledger.ledger(records))
        for by, column in (("symbol", "symbol"), ("rip", "at")):
            text = check.run(case.sidestep, "--by", by, "--format", "csv", path)
            cell = list(csv.DictReader(io.StringIO(text)))[0][column]
            case.checks.that(f"a name with {sign!r}, --by {by}", cell[0] not in "=+-@\t\r", cell)
            case.checks.that(f"a name with {sign!r}, --by {by}: is told", "HYPERLINK" in cell, cell)
    records = reports.run_of(form, (1, 100, 0)), reports.run_of(form, (1, 50, 0))
    paths = case.path("a.ledger", records[0]), case.path("b.ledger", records[1])
    text = check.run(case.sidestep, "--diff", "--format", "csv", *paths, status=1)
    rows = {row["operation"]: row for row in csv.DictReader(io.StringIO(text))}
    case.checks.equal("a negative number stays one", float(rows["op.0"]["ticks_change"]), -50)


def main():
    sidestep, gen_docs = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        case = reports.Case(sidestep, ledger.Format(gen_docs), directory)
        for test in (nothing_compared, any_guest, places_without_names, rows_of_vms, ratios, blind_vcpus, shares, formulas):
            test(case)
        return case.checks.finish()


if __name__ == "__main__":
    sys.exit(main())
