# SPDX-License-Identifier: GPL-2.0-only
"""The matrices as text, Markdown, a page and JSON."""
import html
import json

from matrix import GONE, HOLDS, IDENTICAL, LEVELS, NOT_OBSERVED, percent

LEGEND = ("Exits of one repetition at L0, monitor and VMM, then its ticks (the median); in later columns exits only "
          "where they have changed. `=`: the same as in the column to the left, to the last digit; `-`: not performed, "
          "or no such level; `n/o`: not observed there; `failed`: no column.")

VENDORS = {"intel": "Intel", "amd": "AMD"}
MARKS = {HOLDS: "~", GONE: "?"}


def ticks_text(ticks):
    return f"{ticks:.1f}" if ticks < 100 else f"{ticks:.0f}"


def exits_text(cell):
    return "/".join({None: "-", NOT_OBSERVED: "n/o"}.get(cell[level]) or f"{cell[level]:g}" for level in LEVELS)


class Words:
    """What stands in each place of a table."""

    def __init__(self, matrix):
        self.matrix = matrix

    def before(self, number):
        """The column that this one is compared with."""
        return next((at for at in range(number - 1, -1, -1) if self.matrix.columns[at].cells), None)

    def of(self, name, number, alone=False):
        """Text of a cell, and whether it is one that changed; `alone`: nothing stands to the left to be equal to."""
        column, before = self.matrix.columns[number], self.before(number)
        if not column.cells:
            return "failed", False
        cell, change = column.cell(name), self.matrix.changes.get((name, number))
        old = self.matrix.columns[before].cell(name) if before is not None else None
        mark = MARKS.get(self.matrix.repeated(name, number), "") if change else ""
        if "note" in cell:
            return "-" + mark, bool(change)
        if old == cell and not alone:
            return "=", False
        words = [ticks_text(cell["ticks"])]
        whole = alone or old is None or "note" in old
        if whole or any(old[level] != cell[level] for level in LEVELS):
            words.insert(0, exits_text(cell))
        if change and "ticks" in change[1]:
            words.append(f"{percent(old['ticks'], cell['ticks']):+.1f}%")
        return " ".join(words) + mark, bool(change)


def told(matrix, name, number):
    """One change as a sentence of a list."""
    before, kinds = matrix.changes[name, number]
    old, new = matrix.columns[before].cell(name), matrix.columns[number].cell(name)
    if "performed" in kinds:
        what = f"not performed there ({old['note']})" if "note" in old else f"not performed any more ({new['note']})"
    else:
        parts = [f"exits {exits_text(old)} -> {exits_text(new)}"] if "exits" in kinds else []
        parts += [f"ticks {ticks_text(old['ticks'])} -> {ticks_text(new['ticks'])}"] if "ticks" in kinds else []
        what = ", ".join(parts)
    return f"{name}: {matrix.columns[before].label} -> {matrix.columns[number].label}: {what}"


def belief(result):
    """Why the changes are believed, or which are not."""
    found = [matrix.repeated(*change) for matrix in result.matrices for change in matrix.changes]
    what = "exits" if result.exits_only else f"exits, or ticks by more than {result.threshold:g} %"
    lines = [f"{len(found)} change{'s' * (len(found) != 1)} from one kernel to the next: other {what}."]
    for kind, text in ((IDENTICAL, ": measured again, both kernels had the same exits and ticks, to the last digit."),
                       (HOLDS, ", marked `~`: measured again, they had somewhat other ticks, and the same change."),
                       (GONE, ", marked `?`: measured again, they had no such change. They do not count."),
                       (None, ": not measured twice.")):
        if kind in found:
            lines.append(f"{found.count(kind)} of them{text}")
    return lines


def emulators(result):
    told = (f"{VENDORS[lab['lab']]} {lab['emulator'] or 'not from a package'}" for lab in result.labs)
    return f"Emulators: {', '.join(told)}."


def rows_of(matrix, everything):
    return matrix.operations if everything else matrix.changed_operations()


def title_of(matrix):
    return f"{VENDORS[matrix.lab]}, engine {matrix.engine}"


def summary_of(matrix):
    return f"{len(matrix.operations)} operations, {len(matrix.changed_operations())} of them changed"


def failures_of(matrix):
    return [f"{column.label}: {column.failed}" for column in matrix.columns if not column.cells]


def blocks_of(words, names, width):
    """Numbers of columns that stand side by side, with the widths of their texts."""
    matrix, first = words.matrix, max(map(len, ["OPERATION", *names]))
    blocks, used = [], 0
    for number, column in enumerate(matrix.columns):
        size = max(len(column.label), *(len(words.of(name, number)[0]) for name in names))
        if not blocks or (width and used + 2 + size > width):
            size = max(len(column.label), *(len(words.of(name, number, True)[0]) for name in names))
            blocks.append([])
            used = first
        blocks[-1].append((number, size))
        used += 2 + size
    return first, blocks


def text(result, width, stream):
    for matrix in result.matrices:
        print(f"{title_of(matrix)}: {summary_of(matrix)}", file=stream)
        names, words = rows_of(matrix, result.everything), Words(matrix)
        if names:
            first, blocks = blocks_of(words, names, width)
            for block in blocks:
                print("\n" + "OPERATION".ljust(first)
                      + "".join("  " + matrix.columns[number].label.rjust(size) for number, size in block), file=stream)
                for name in names:
                    cells = (words.of(name, number, number == block[0][0])[0].rjust(size) for number, size in block)
                    print("  ".join([name.ljust(first), *cells]), file=stream)
        for failure in failures_of(matrix):
            print(f"failed: {failure}", file=stream)
        print(file=stream)
    print(LEGEND.replace("`", ""), file=stream)
    for line in [*belief(result), emulators(result)]:
        print(line.replace("`", ""), file=stream)


def markdown(result, _width, stream):
    show = lambda *lines: print(*lines, sep="\n", file=stream)
    show("<!-- SPDX-License-Identifier: GPL-2.0-only -->", "# Kernels side by side", "",
         f"Printed by `{result.command}`; [reports.md](reports.md#many-kernels) says how.", "", LEGEND, "",
         " ".join(belief(result)), "")
    mark = f"<!-- record: {result.record} -->"
    for matrix in result.matrices:
        names, words = rows_of(matrix, result.everything), Words(matrix)
        show(f"## {title_of(matrix)}", "", summary_of(matrix) + ".", "")
        if names:
            show(mark, "| Operation | " + " | ".join(column.label for column in matrix.columns) + " |",
                 "|---|" + "---|" * len(matrix.columns))
            for name in names:
                cells = [f"**{cell}**" if changed else cell
                         for cell, changed in (words.of(name, number) for number in range(len(matrix.columns)))]
                show(f"| `{name}` | " + " | ".join(cells) + " |")
            show("")
        for failure in failures_of(matrix):
            show(f"Failed: {failure}", "")
    show("## What was measured", "", emulators(result), "", "| Kernel | Release | Digest |", "|---|---|---|")
    for kernel in result.kernels:
        show(f"| {kernel['kernel']} | {kernel['release'] or '-'} | {(kernel['digest'] or '-')[:16]} |")


STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; }
.scrolls { overflow-x: auto; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .15em .6em; text-align: right; white-space: nowrap; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: Canvas; }
td.changed { font-weight: 700; background: #f5a62340; }
"""


def page(result, _width, stream):
    show = lambda *lines: print(*lines, sep="\n", file=stream)
    show("<!doctype html>", '<html lang="en"><head><meta charset="utf-8"><title>Kernels side by side</title>',
         '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">',
         f"<style>{STYLE}</style></head><body>", "<h1>Kernels side by side</h1>",
         *(f"<p>{html.escape(line.replace('`', ''))}</p>" for line in (LEGEND, " ".join(belief(result)), emulators(result))))
    for matrix in result.matrices:
        words = Words(matrix)
        show(f"<h2>{html.escape(title_of(matrix))}</h2>", f"<p>{html.escape(summary_of(matrix))}</p>",
             '<div class="scrolls"><table><thead><tr><th>Operation</th>'
             + "".join(f"<th>{html.escape(column.label)}</th>" for column in matrix.columns) + "</tr></thead><tbody>")
        for name in rows_of(matrix, result.everything):
            row = f"<tr><td>{html.escape(name)}</td>"
            for number in range(len(matrix.columns)):
                cell, changed = words.of(name, number)
                title = f' class="changed" title="{html.escape(told(matrix, name, number))}"' if changed else ""
                row += f"<td{title}>{html.escape(cell)}</td>"
            show(row + "</tr>")
        show("</tbody></table></div>", *(f"<p>failed: {html.escape(failure)}</p>" for failure in failures_of(matrix)))
    show("</body></html>")


def document(result, _width, stream):
    matrices = []
    for matrix in result.matrices:
        changes = [{"operation": name, "from": matrix.columns[before].label, "to": matrix.columns[number].label,
                    "kinds": sorted(kinds), "repeated": matrix.repeated(name, number),
                    "a": matrix.columns[before].cell(name), "b": matrix.columns[number].cell(name)}
                   for (name, number), (before, kinds) in matrix.changes.items()]
        matrices.append({"lab": matrix.lab, "engine": matrix.engine,
                         "columns": [{"kernel": column.label, "failed": column.failed} for column in matrix.columns],
                         "operations": [{"operation": name, "cells": [column.cell(name) for column in matrix.columns]}
                                        for name in matrix.operations],
                         "changes": changes})
    json.dump({"schema": "sidestep.kernels", "version": 1, "command": result.command, "sidestep": result.sidestep,
               "threshold": None if result.exits_only else result.threshold, "labs": result.labs, "kernels": result.kernels,
               "changed": sum(matrix.counted() for matrix in result.matrices), "matrices": matrices}, stream, indent=2)
    stream.write("\n")


FORMATS = {"text": text, "json": document, "markdown": markdown, "html": page}
