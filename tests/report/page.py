#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""page.py SIDESTEP GEN_DOCS [LEDGER...]: the page of `report --format html` in headless Chromium.

A script added to a copy of the page looks at what the page's own script has made, uses its controls,
and leaves what it found in the document, which Chromium prints. Exit status 77 without Chromium.
"""
import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import check
import ledger
import reports
from check import patient

# Of a violation.
VIOLATION = ("count", "view_name", "access", "region", "gpa", "rip", "symbol", "instruction", "value", "source",
             "operation", "answer")
SCHEMES = {"light": "1", "dark": "0"}
# Of the window, in pixels, and in which scheme it is looked at.
WIDTHS = ((1280, "light"), (1280, "dark"), (800, "light"), (400, "dark"))

PROBE = """
<pre id="probe"></pre>
<script>
'use strict';
const found = { rows: [], tables: {}, orders: {} };
const all = (selector) => [...document.querySelectorAll(selector)];
const texts = (selector) => all(selector).map((node) => node.textContent);
const chartNames = () => texts('#chart .row .name');
const colour = (selector, property) => getComputedStyle(document.querySelector(selector))[property];
const change = (id, value, type) => {
	document.getElementById(id).value = value;
	document.getElementById(id).dispatchEvent(new Event(type, { bubbles: true }));
};
for (const row of all('#chart .row'))
	found.rows.push({ operation: row.querySelector('.name').textContent,
		bars: [...row.querySelectorAll('rect[class^=bar-]')].map((bar) => [bar.getAttribute('class'),
			Number(bar.getAttribute('width'))]),
		placement: row.getAttribute('class'),
		medians: row.querySelectorAll('line.median').length });
const root = getComputedStyle(document.documentElement);
found.dark = matchMedia('(prefers-color-scheme: dark)').matches;
found.colours = { page: colour('html', 'backgroundColor'), ink: colour('html', 'color'),
	card: colour('figure', 'backgroundColor'), soft: colour('#run', 'color') };
for (const key of ['cpu', 'l0', 'monitor', 'vmm'])
	found.colours[key] = root.getPropertyValue('--' + key).trim();
for (const id of ['table', 'reasons', 'functions', 'places'])
	found.tables[id] = texts(`#${id} tbody tr`).length;
const isShown = (node) => node.checkVisibility();
found.width = innerWidth;
found.sections = all('h2').filter(isShown).map((node) => node.textContent);
found.shown = all('table').filter(isShown).map((node) => node.id).filter(Boolean);
found.empty = all('table, figure, dl, ul').filter(isShown).filter((node) => node.id && !node.textContent).map((node) => node.id);
// What a box does not show without scrolling, what reaches out of the window, and labels that are on one another.
found.cut = all('.scroll').filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.firstChild.id);
found.outside = all('section, header, .scroll, figure, p, dl, h1, h2, form').filter(isShown)
	.filter((node) => node.getBoundingClientRect().right > innerWidth).map((node) => node.id || node.tagName);
const labels = all('#axis text').map((node) => [node.textContent, node.getBoundingClientRect()]);
found.overlaps = labels.flatMap(([a, x], i) => labels.slice(i + 1)
	.filter(([, y]) => x.left < y.right && y.left < x.right && x.top < y.bottom && y.top < x.bottom).map(([b]) => `${a} on ${b}`));
found.labels = all('#axis .decade').length;
found.parts = all('#reasons tbody tr').map((row) => [row.children[3].textContent,
	Number(row.children[3].style.getPropertyValue('--part'))]);
found.first = texts('#functions tbody tr:first-child > *');
found.notes = texts('#notes li');
found.title = document.querySelector('h1').textContent;
found.warning = document.querySelector('#warning:not([hidden])')?.textContent ?? null;
found.overflow = document.documentElement.scrollWidth - innerWidth;
found.requests = performance.getEntriesByType('resource').map((entry) => entry.name);
found.unlabelled = all('input, select, button')
	.filter((node) => !node.labels?.length && !node.textContent).length;
found.headings = all('h1, h2').length;
const heads = all('#table thead th');
const column = (i) => texts(`#table tbody tr > :nth-child(${i + 1})`);
for (const i of heads.length ? [0, heads.length - 3] : []) {
	for (const turn of [0, 1]) {
		heads[i].querySelector('button').click();
		found.orders[`${i} ${heads[i].getAttribute('aria-sort')}`] = column(i);
	}
}
change('order', 'ticks_median', 'change');
found.dearest = chartNames()[0] ?? null;
change('order', 'operation', 'change');
found.named = chartNames();
change('filter', 'ref.*', 'input');
found.filtered = chartNames();
change('filter', '', 'input');
document.querySelector('#placements input')?.click();
found.unchecked = chartNames().length;
document.getElementById('probe').textContent = JSON.stringify(found);
</script>
"""


# A window has at least 500 pixels, a frame in it has what it is given.
FRAME = """<!DOCTYPE html><meta name="color-scheme" content="light dark"><body style="margin: 0">
<iframe width="{width}" height="900" style="border: 0" srcdoc="{page}"></iframe><pre id="probe"></pre>
<script>
addEventListener('load', () => {{
	document.getElementById('probe').textContent = frames[0].document.getElementById('probe').textContent;
	document.querySelector('iframe').remove();
}});
</script>
"""
WINDOW_MIN = 500


def browser():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return name
    print("skipped: needs: chromium; host: not installed")
    sys.exit(77)


def open_page(program, path, directory, scheme="light", width=1280):
    """What Chromium makes of the page, and what its console says."""
    done = subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--enable-logging=stderr", "--dump-dom", "--host-resolver-rules=MAP * ~NOTFOUND",
         f"--user-data-dir={directory}/profile", f"--window-size={width},1000",
         f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", path.as_uri()],
        capture_output=True, text=True, timeout=patient(120))
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return done.stdout, console


def luminance(colour):
    """Of "#rrggbb" or "rgb(r, g, b)", as WCAG 2.1 defines it."""
    if colour.startswith("#"):
        parts = [int(colour[i:i + 2], 16) for i in (1, 3, 5)]
    else:
        parts = [int(part) for part in re.findall(r"\d+", colour)[:3]]
    shares = [part / 255 for part in parts]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def check_colours(checks, scheme, found):
    colours = found["colours"]
    checks.equal(f"{scheme}: the scheme", found["dark"], scheme == "dark")
    checks.equal(f"{scheme}: the page is dark", luminance(colours["page"]) < 0.2, scheme == "dark")
    bounds = [("ink", "page", 7), ("ink", "card", 7), ("soft", "page", 4.5), ("soft", "card", 4.5)]
    bounds += [(bar, "card", 3) for bar in ("cpu", "l0", "monitor", "vmm")]
    for name, ground, least in bounds:
        got = contrast(colours[name], colours[ground])
        checks.that(f"{scheme}: contrast of {name} on {ground}", got >= least,
                    f"{got:.1f}, less than {least}")


def as_number(text):
    return float(text.replace(",", "")) if re.fullmatch(r"[\d,.]+", text) else None


def check_sorting(checks, found, operations):
    named = sorted(row["operation"] for row in operations)
    for key, cells in found["orders"].items():
        column, order = key.split()
        if column == "0":
            wanted = named if order == "ascending" else named[::-1]
            checks.equal(f"table by name, {order}", cells, wanted)
            continue
        numbers = [as_number(cell) for cell in cells]
        known = [number for number in numbers if number is not None]
        checks.equal(f"table by median, {order}", known,
                     sorted(known, reverse=order == "descending"))
        checks.equal(f"table by median, {order}: unknown ones last", numbers[:len(known)], known)
    checks.equal("table: both orders", sorted(key.split()[1] for key in found["orders"]),
                 (["ascending"] * 2 + ["descending"] * 2) if operations else [])


def check_rows(checks, found, operations):
    by_name = {row["operation"]: row for row in operations}
    checks.equal("chart: a row for every operation",
                 sorted(row["operation"] for row in found["rows"]), sorted(by_name))
    for row in found["rows"]:
        wanted = by_name[row["operation"]]
        bars = {f"bar-{level}" for level in ledger.LEVELS
                if isinstance(wanted[level], int) and wanted[level] > 0}
        checks.equal(f"chart, {row['operation']}: bars", {name for name, _ in row["bars"]},
                     bars)
        checks.equal(f"chart, {row['operation']}: median", row["medians"],
                     int(isinstance(wanted["ticks_median"], float)))
    widths = sorted((by_name[row["operation"]][name.removeprefix("bar-")], width)
                    for row in found["rows"] for name, width in row["bars"])
    for (exits, width), (more, wider) in zip(widths, widths[1:]):
        checks.that("chart: more exits, longer bar",
                    width <= wider if exits < more else width == wider, (exits, width, more, wider))


def check_layout(checks, name, width, found):
    """Nothing is on top of something else, or out of sight where there is room for it."""
    checks.equal(f"{name}: width of the window", found["width"], width)
    checks.that(f"{name}: fits the window", found["overflow"] <= 0, found["overflow"])
    checks.equal(f"{name}: out of the window", found["outside"], [])
    checks.equal(f"{name}: labels on one another", found["overlaps"], [])
    if width >= 1280:
        checks.equal(f"{name}: tables of which a column is cut", found["cut"], [])
    if found["rows"]:
        checks.that(f"{name}: ticks have an axis", found["labels"] >= 2, found["labels"])


def check_contents(checks, sidestep, path, found, document):
    """The page leads with what there is, and has nothing else."""
    groups = {by: json.loads(check.run(sidestep, "--by", by, "--format", "json", path, status=found["status"]))["exits"]
              for by in ("reason", "symbol", "rip")}
    operations = json.loads(document)["operations"]
    # A function without a name is told by where it is.
    named = any(row["symbol"] != "?" and not row["symbol"].startswith("0x") for row in groups["symbol"])
    there = (["table"] if operations else []) + (["reasons"] if groups["reason"] else [])
    there += (["functions"] if named else []) + (["places"] if groups["reason"] else [])
    checks.equal("page: tables", found["shown"], there)
    checks.equal("page: what is empty", found["empty"], [])
    checks.equal("page: sections", found["sections"],
                 ["Who stepped in, and what it cost", "Numbers"] * bool(operations) +
                 ["Recorded exits"] * bool(groups["reason"]) + ["How it was counted"])
    checks.equal("tables: operations", found["tables"]["table"], len(operations))
    for table, by in (("reasons", "reason"), ("functions", "symbol"), ("places", "rip")):
        most = len(groups[by]) if by == "reason" else min(40, len(groups[by]))
        checks.equal(f"tables: {by}", found["tables"][table], most)
    for (_, part), row in zip(found["parts"], groups["reason"]):
        checks.that("tables: bars", abs(part - row["share"] / 100) < 1e-6, (part, row))
    violations = json.loads(document)["violations"]
    checks.equal("violations: each", len(found["notes"]), len(violations))
    for note, row in zip(found["notes"], violations):
        missing = [row[key] for key in VIOLATION if row[key] is not None and str(row[key]) not in note]
        checks.equal("violations: what is known", missing + re.findall("null|undefined", note), [])
    if groups["symbol"]:
        checks.equal("tables: the first function", found["first"][0], groups["symbol"][0]["symbol"])


def check_page(checks, program, sidestep, path, directory, complaint=None):
    status = 1 if complaint else 0
    page = check.run(sidestep, "--format", "html", path, status=status)
    document = check.run(sidestep, "--format", "json", path, status=status)
    operations = json.loads(document)["operations"]
    checks.equal("page: addresses of other places",
                 re.findall(r"https?://(?!www\.w3\.org/2000/svg)[^\s'\"]+", page), [])
    probed = pathlib.Path(directory) / "page.html"
    probed.write_text(page.replace("</body>", PROBE + "</body>"))
    framed = pathlib.Path(directory) / "frame.html"
    for width, scheme in WIDTHS:
        if width < WINDOW_MIN:
            framed.write_text(FRAME.format(width=width, page=html.escape(probed.read_text())))
        name = f"{path.name}, {width} pixels, {scheme}"
        dom, console = open_page(program, framed if width < WINDOW_MIN else probed, directory, scheme, width)
        checks.equal(f"{name}: console", console, [])
        probe = re.search(r'<pre id="probe">([^<]*)</pre>', dom)
        if not probe or not probe[1]:
            checks.that(f"{name}: the page works", False, console or dom[-300:])
            return
        found = json.loads(html.unescape(probe[1])) | {"status": status}
        check_colours(checks, scheme, found)
        check_layout(checks, name, width, found)
        check_contents(checks, sidestep, path, found, document)
    check_rows(checks, found, operations)
    check_sorting(checks, found, operations)
    checks.equal("page: requests", found["requests"], [])
    checks.equal("page: controls without a label", found["unlabelled"], 0)
    warning = found["warning"] or ""
    checks.that("page: complaint", complaint in warning if complaint else "could be read" not in warning, warning)
    checks.equal("chart by name", found["named"], sorted(row["operation"] for row in operations))
    known = [row for row in operations if isinstance(row["ticks_median"], float)]
    if known:
        most = max(row["ticks_median"] for row in known)
        dearest = [row["operation"] for row in known if row["ticks_median"] == most]
        checks.that("chart by cost", found["dearest"] in dearest, found["dearest"])
    checks.equal("chart filtered", sorted(found["filtered"]),
                 sorted(row["operation"] for row in operations if row["operation"].startswith("ref.")))
    checks.that("chart without one placement",
                found["unchecked"] < len(operations) or not operations)


def check_the_check(checks, program, directory):
    """A script that fails is noticed."""
    broken = pathlib.Path(directory) / "broken.html"
    broken.write_text("<!DOCTYPE html><title>x</title><script>nonsense();</script>")
    _, console = open_page(program, broken, directory)
    checks.that("a script that fails is noticed", any("nonsense" in line for line in console), console)


def made_up(form):
    """Every placement, unknown values, and names that look like markup."""
    markup = b"<img src=x onerror=nonsense()></script><script>nonsense()</script>"
    records = reports.head(form, ("cr0.ts.mov", "view.switch.vmfunc", "service.port",
                                  "hypercall.null"), guest=markup)
    records.append(form.code(0x100000, b"", b"\xee", b"<b>symbol</b>"))
    records += reports.performed(form, 1, 0, 3) + reports.performed(form, 2, 1, 5000)
    records += reports.performed(form, 3, None, 70)
    records += reports.performed(form, 4, 4, 20000, vmm=1, monitor=1)
    records += [form.batch(5, 100, 1, 2, 201)]
    # With all that may be known of it, and with the least.
    records += [form.violation(1, 1, 0x5000, 0x100010, b"<b>region</b>", markup[:40]),
                form.instruction(1, 1, 0x5000, 0x100010, 0x1234567, b"\x48\x89\x03"),
                form.violation(2, 0, 0x6000, 0x100020), form.source(0x100010, b"<i>some.c</i>:17")]
    return records + [form.end()]


def wide(form):
    """The longest names and numbers that there can be."""
    records = reports.head(form, [f"{'long-name-' * 3}{i}.longest" for i in range(3)], guest="g" * 300)
    store = b"\x48\xc7\x84\xd8" + b"\x78\x56\x34\x12" * 2 # mov qword [rax+rbx*8+0x12345678], 0x12345678
    for i in range(50):
        records.append(form.code(0x100000 + i, b"", store, f"{'a_function_with_a_name_as_long_as_'}{i:029}".encode()))
        records += [form.exit("monitor", 100 * i + j, 0, reason=28, rip=0x100000 + i, cost=2 ** 32 - 1) for j in range(50 - i)]
    for i in range(4):
        records += reports.performed(form, i + 1, 10 ** 7, 2 ** 32 - 1 - i if i else 1, vmm=3, monitor=2)
    return records + [form.end()]


def without_catalogue(form, symbols):
    """A guest of somebody's own, with symbols or without."""
    records = [form.meta(key, value) for key, value in
               (("engine", "flat"), ("backend", "vmx"), ("guest", "vmlinuz"), ("vcpus", "1"), ("vms", "1"))]
    for i, name in enumerate((b"put", b"get", b"[user]")):
        records.append(form.code(0x1000 + i, b"", b"\xee\xc3", name if symbols else b""))
        records += [form.exit("vmm", 100 * i + j, 0, reason=2 + i, rip=0x1000 + i, cost=50 + j) for j in range(10 - i)]
    return records + [form.end()]


def main():
    sidestep, gen_docs, *paths = sys.argv[1:]
    program, form, checks = browser(), ledger.Format(gen_docs), check.Checks()
    # Chromium's last process may still be writing to its profile.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        check_the_check(checks, program, directory)
        whole = ledger.ledger(made_up(form))
        for name, data, complaint in (("whole", whole, None), ("cut", whole[:-400], "truncated"),
                                      ("empty", ledger.ledger([form.end()]), None),
                                      ("wide", ledger.ledger(wide(form)), None),
                                      ("guest", ledger.ledger(without_catalogue(form, True)), None),
                                      ("stripped", ledger.ledger(without_catalogue(form, False)), None)):
            path = pathlib.Path(directory) / f"{name}.ledger"
            path.write_bytes(data)
            check_page(checks, program, sidestep, path, directory, complaint)
        for path in paths:
            check_page(checks, program, sidestep, pathlib.Path(path), directory)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
