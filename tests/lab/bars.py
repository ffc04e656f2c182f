#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Holds what every operation costs in a lab against the bar for it.

usage: bars.py [--rough] BARS LEDGER.json
       bars.py --update BUILD

The first form is how the labs with kernel 6.1 use it. Bars are those of the release build by GCC. With --rough, for
other builds, ticks are held to 15 %; where the VMM has a part in an operation, neither they nor exits at L0 are held.
The second form writes all files in tests/lab/bars anew, from what the last runs of the labs have left in BUILD:

	meson test -C BUILD intel-6.1 amd-6.1; tests/lab/bars.py --update BUILD; git diff tests/lab/bars

There is a file for each lab and engine, and in it a line for each operation, in the order of the catalogue:
  l0, monitor, vmm  exits of one repetition at each level, exact. 2+11: all repetitions together had 11 exits more than
                    2 each, most of them to fill page tables; 32-1: one less. `-`: the engine has no such level.
  ticks             the least of one repetition, within 3 %. Nested engines: of `sidestep bench`; flat: of `sidestep
                    test`, with what its tracepoints cost.
An operation that the engine does not have says what it needs; `not run` is left to the other lab, for its time.
Exits at L0 of a view switch in the engine flat are page faults, one for each page that the firmware touches before the
next one: they change with where the linker puts its functions.
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE / "bars"
ENGINES = {"intel": ("vmx", "flat"), "amd": ("svm", "flat")}
LEVELS = ("l0", "monitor", "vmm")
TOLERANCE = 0.03
KEPT = 0.005  # so much is not worth a line of a diff
ROUGH = 0.15
NOT_RUN = "not run"


def read_bars(path):
    """The bars by operation: a dict of four, or the reason why there is no more to say; and the kernel."""
    bars, kernel = {}, None
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("#"):
            kernel = kernel or line.split()[-1]
            continue
        name, rest = line.split(None, 1)
        cells = rest.split()
        if rest == NOT_RUN or cells[0] == "needs:":
            bars[name] = rest
        else:
            bars[name] = dict(zip(LEVELS, cells)) | {"ticks": float(cells[3])}
    return bars, kernel


def read_ledger(path):
    return json.loads(pathlib.Path(path).read_text())


def exits(total, repetitions):
    """As in the file: those of one repetition, and what all of them have beyond."""
    if total is None:
        return "-"
    each = round(total / repetitions)
    rest = total - each * repetitions
    return f"{each}{rest:+}" if rest else str(each)


def measured(row):
    if not row["repetitions"]:
        return row["note"]
    stats = row["kvm_stats"]
    # The exit that ends a batch belongs to no operation; what interrupted the host is not the guest's doing.
    totals = row["exits_total"] | {"l0": stats["exits"] - stats["irq_exits"] - 1}
    cells = {level: exits(totals[level], row["repetitions"]) for level in LEVELS}
    return cells | {"ticks": round(row["ticks_min"], 1)}


def text_of(bar):
    if isinstance(bar, str):
        return bar
    return "{l0:>8} {monitor:>8} {vmm:>8} {ticks:10.1f}".format(**bar)


def change_of(bar, ticks):
    """How much more than the bar, as a part of it."""
    return ticks / bar["ticks"] - 1


def faults_of(name, bar, found, rough):
    if isinstance(bar, str) or isinstance(found, str):
        return [] if bar == found else [f"{name}: {text_of(found).strip()}, not: {text_of(bar).strip()}"]
    loose = rough and bar["vmm"] != "0"
    faults = [f"{name}: exits at {level} {found[level]}, not {bar[level]}"
              for level in LEVELS if found[level] != bar[level] and not (loose and level == "l0")]
    allowed = ROUGH if rough else TOLERANCE
    change = change_of(bar, found["ticks"])
    if abs(change) > allowed and not loose:
        faults.append(f"{name}: {found['ticks']} ticks, {100 * change:+.1f} % of {text_of(bar).split()[-1]}; "
                      f"{100 * allowed:.0f} % are allowed")
    return faults


def hold(path, ledger, rough):
    bars, kernel = read_bars(path)
    rows = {row["operation"]: measured(row) for row in ledger["operations"]}
    faults = [f"{name}: an operation without a bar" for name in rows if bars.get(name, NOT_RUN) == NOT_RUN]
    faults += [f"{name}: a bar without an operation" for name, bar in bars.items()
               if name not in rows and bar != NOT_RUN]
    for name, bar in bars.items():
        if name in rows and bar != NOT_RUN:
            faults += faults_of(name, bar, rows[name], rough)
    if faults and kernel != ledger["kernel"]:
        faults.append(f"the kernel is {ledger['kernel']}, that of the bars {kernel}")
    return faults


def renewed(old, found):
    """What stands in the file from now on."""
    if isinstance(old, dict) and isinstance(found, dict) and all(old[level] == found[level] for level in LEVELS) \
            and abs(change_of(old, found["ticks"])) < KEPT:
        return old
    return found


def update(build):
    for lab, engines in ENGINES.items():
        ledgers = {engine: read_ledger(build / f"lab-ledgers/{lab}-{engine}.json") for engine in engines}
        catalogue = [row["operation"] for row in ledgers[engines[0]]["operations"]]
        width = max(map(len, catalogue))
        for engine, ledger in ledgers.items():
            old = read_bars(FILES / f"{lab}-{engine}")[0]
            rows = {row["operation"]: measured(row) for row in ledger["operations"]}
            title = f"{'# operation':{width}}" + "".join(f" {level:>8}" for level in LEVELS) + f" {'ticks':>10}"
            lines = [f"# tests/lab/bars.py --help says what this is. Lab {lab}, engine {engine}, Linux {ledger['kernel']}",
                     title]
            lines += [f"{name:{width}} {text_of(renewed(old.get(name), rows.get(name, NOT_RUN)))}" for name in catalogue]
            (FILES / f"{lab}-{engine}").write_text("\n".join(lines) + "\n")


def main():
    arguments = sys.argv[1:]
    if arguments == ["--help"]:
        print(__doc__.strip())
        return 0
    if arguments[:1] == ["--update"] and len(arguments) == 2:
        update(pathlib.Path(arguments[1]))
        return 0
    rough = arguments[:1] == ["--rough"]
    if len(arguments) != 2 + rough:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    path = pathlib.Path(arguments[rough])
    ledger = read_ledger(arguments[rough + 1])
    faults = hold(path, ledger, rough)
    print(f"{path.name}: {len(ledger['operations'])} operations, {len(faults)} faults")
    for fault in faults:
        print("not ok -", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
