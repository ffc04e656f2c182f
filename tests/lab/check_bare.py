#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_bare.py VENDOR REPORT LEVELS WITNESS SHOWN: what a bare lab has shown, held against what the documents claim, and
the exits of the ledger against those that the emulated processor has told of.
check_bare.py --counted LEVELS WITNESS: the last of these alone.
check_bare.py --shown VENDOR: the operations of the vendor's table by tools/compare-levels in docs/measurements.md. Its
bare columns are compared with SHOWN, the report of these operations alone, and exits of kernel 6.1 with tests/lab/bars;
ticks as bars are, within 3 %, or roughly if ANY_TICKS is set. Alone, because `map` divides a large page, and the relay of
AMD's processors then has a step more to walk to each instruction."""
import collections
import json
import os
import pathlib
import re
import sys

import bars

# Performed by the processor alone on Intel: these take no exit at any level.
CLAIMED = [
    'cr0.ts.mov', 'cr0.mp.mov', 'cr0.tsmp.mov', 'cr0.ts.clts', 'cr0.ts.lmsw', 'cr0.mp.lmsw', 'cr0.read.smsw',
    'view.switch.vmfunc', 'view.same.vmfunc', 'view.back.vmfunc', 'view.cpl3.vmfunc',
] + [f'view.cycle{views}.vmfunc' for views in (1, 2, 4, 5, 8, 64, 512)]

# Where the processor has #VE: these violations do neither.
CLAIMED_VE = {'intel': ['view.write.shared.ve', 'view.read.private.ve', 'view.call.shared.ve'], 'amd': []}

# On AMD the relay gets the #UD that VMFUNC raises: one exit for each is the least there is.
EXITS_OF_VMFUNC = {'intel': 0, 'amd': 1}


def fail(text):
    print(text)
    sys.exit(1)


def shown_levels(vendor):
    """operation -> [[L0, MON, VMM, MEDIAN] of each column], as in the document."""
    text = (pathlib.Path(__file__).resolve().parents[2] / 'docs/measurements.md').read_text(encoding='utf-8')
    block = re.search(rf'^\$ tools/compare-levels {vendor}\n(.*?)^```$', text, re.M | re.S)
    table = re.search(r'^OPERATION [^\n]*\n(.*?)^$', block[1] if block else '', re.M | re.S)
    if not table:
        fail(f'docs/measurements.md: no output of tools/compare-levels {vendor}')
    return {name: [cells[first:first + 4] for first in range(0, len(cells), 4)]
            for name, *cells in map(str.split, table[1].splitlines())}


def exits_by_bar(bar):
    if isinstance(bar, str):
        return None if bar == bars.NOT_RUN else ['-'] * len(bars.LEVELS)
    return [re.match(r'\d+|-', bar[level])[0] for level in bars.LEVELS]


def check_levels(vendor, rows):
    nested, flat = (bars.read_bars(bars.FILES / f'{vendor}-{engine}')[0] for engine in bars.ENGINES[vendor])
    allowed = bars.ROUGH if os.environ.get('ANY_TICKS') else bars.TOLERANCE
    faults = []
    for name, columns in shown_levels(vendor).items():
        row = rows[name]
        skipped = row['result'] == 'skip'
        bare = ['-'] * len(bars.LEVELS) if skipped else ['-', str(row['monitor']), str(row['vmm'])]
        wanted = {0: bare, 1: exits_by_bar(nested[name]), 3: exits_by_bar(flat[name])}
        for number, exits in wanted.items():
            if exits and columns[number][:3] != exits:
                faults.append(f'{name}: column {number + 1} has exits {columns[number][:3]}, not {exits}')
        if not skipped and abs(float(columns[0][3]) / row['ticks_median'] - 1) > allowed:
            faults.append(f'{name}: {columns[0][3]} bare ticks, not {row["ticks_median"]}')
    if faults:
        fail('\n'.join(['docs/measurements.md is not up to date, see tools/compare-levels ' + vendor, *faults]))


def rows_of(report_name):
    with open(report_name, encoding='utf-8') as file:
        return {row['operation']: row for row in json.load(file)['operations']}


def check_witnesses(levels_name, witness_name):
    with open(witness_name, encoding='utf-8', errors='replace') as file:
        told = sum(1 for line in file if re.search('VMEXIT reason|vmexit\\(', line))
    with open(levels_name, encoding='utf-8') as file:
        counted = next(row['exits'] for row in json.load(file)['exits'] if row['level'] == 'monitor')
    if counted != told or not counted:
        fail(f'the monitor counted {counted} exits, the emulated processor {told}')
    print(f'{counted} exits by both witnesses')


def main():
    if sys.argv[1] == '--shown':
        print(*shown_levels(sys.argv[2]))
        return
    if sys.argv[1] == '--counted':
        check_witnesses(*sys.argv[2:])
        return
    vendor, report_name, levels_name, witness_name, shown_name = sys.argv[1:]
    rows = rows_of(report_name)
    results = collections.Counter(row['result'] for row in rows.values())
    if results['FAIL'] or results['pass'] < 140:
        fail(f'results: {results}')
    for name in CLAIMED + CLAIMED_VE[vendor]:
        row = rows[name]
        vmfunc = name.endswith('.vmfunc')
        wanted = EXITS_OF_VMFUNC[vendor] * (2 if name == 'view.back.vmfunc' else 1) if vmfunc else 0
        if row['monitor'] != wanted or row['vmm'] != 0 or row.get('l0') is not None:
            fail(f'{name}: {row}')
    check_levels(vendor, rows_of(shown_name))
    print(f'figure: bare operations {vendor} {results["pass"]}')
    check_witnesses(levels_name, witness_name)


main()
