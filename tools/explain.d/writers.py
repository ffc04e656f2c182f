# SPDX-License-Identifier: GPL-2.0-only
"""An account as a text, as a table of a page, as JSON."""
import json

COLUMNS = ("FUNCTION", "CALLS A", "CALLS B", "INSNS A", "INSNS B", "DIFFERENCE")
NOTES = ("CALLS and INSNS are means of a repetition. CALLS -: this kernel has no such function: a caller has it or "
         "there is none.",
         "[guest], [relay] and [sidestep] are the nested guest, its hypervisor and the VMM's process: CALLS says how "
         "often each is entered.")


def number(value, signed=False):
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    text = f"{value:+.2f}" if signed else f"{value:.2f}"
    text = text.rstrip("0").rstrip(".")
    return "0" if text in ("+0", "-0") else text


def cells(row):
    return (row.name, *map(number, row.calls), *map(number, row.instructions), number(row.difference, True))


def table(account, everything):
    """Rows that differ, those of no function, the others as one, and the sum."""
    same = [] if everything else [row for row in account.rows if not differs(row) and not row.name.startswith("[")]
    rows = [cells(row) for row in account.rows if row not in same]
    if same:
        took = [number(sum(row.instructions[side] for row in same)) for side in (0, 1)]
        rows.append((f"{len(same)} without a difference", "", "", *took, "0"))
    rows.append(("total", "", "", *map(number, account.totals), number(account.traced, True)))
    return rows


def differs(row):
    return number(row.difference) != "0" or number(row.calls[0]) != number(row.calls[1])


def percent(account):
    before = account.medians[0]
    return f", {100 * account.measured / before:+.1f} %" if before else ""


def heading(account, sides, options):
    yield f"{options.operation}, engine {options.engine}, lab {options.lab}"
    for letter, side, total in zip("AB", sides, account.totals):
        kept, of = len(side.repetitions.typical()), len(side.repetitions.all)
        exits = "" if side.exits is None else f", exits to L0 {number(side.exits)}"
        yield (f"{letter}: {side.kernel} (Linux {side.release}): median {number(side.median)} ticks{exits}; "
               f"traced {number(total)} in {kept} of {of} repetitions")


def verdict(account, minimum):
    yield f"measured without a trace: {number(account.measured, True)} ticks{percent(account)}"
    yield f"accounted for: {number(account.named, True)} ticks, {account.share():.1f} % of that"
    if account.share() < minimum:
        yield f"that is less than {minimum:g} %: the trace does not explain the difference"


def write_text(stream, account, sides, options):
    rows = [COLUMNS, *table(account, options.all)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    for line in heading(account, sides, options):
        print(line, file=stream)
    print(file=stream)
    for row in rows:
        texts = [row[0].ljust(widths[0])] + [text.rjust(width) for text, width in zip(row[1:], widths[1:])]
        print(" ".join(texts).rstrip(), file=stream)
    print(file=stream)
    for line in (*NOTES, *verdict(account, options.minimum)):
        print(line, file=stream)


def write_markdown(stream, account, sides, options):
    for line in heading(account, sides, options):
        print(f"{line}  ", file=stream)
    print("\n| " + " | ".join(COLUMNS) + " |\n|---|" + "--:|" * (len(COLUMNS) - 1), file=stream)
    for row in table(account, options.all):
        name = f"`{row[0]}`" if row[2] else row[0]
        print("| " + " | ".join((name, *row[1:])) + " |", file=stream)
    print(file=stream)
    for line in (*NOTES, *verdict(account, options.minimum)):
        print(f"{line}  ", file=stream)


def write_json(stream, account, sides, options):
    document = {
        "schema": "sidestep.explain", "version": 1,
        "operation": options.operation, "engine": options.engine, "lab": options.lab,
        "kernels": [{"kernel": side.kernel, "release": side.release, "ticks_median": side.median, "l0": side.exits,
                     "repetitions_traced": len(side.repetitions.all),
                     "repetitions_counted": len(side.repetitions.typical()),
                     "instructions": total} for side, total in zip(sides, account.totals)],
        "measured": account.measured, "traced": account.traced, "accounted": account.named,
        "accounted_percent": account.share(), "minimum_percent": options.minimum,
        "functions": [{"function": row.name, "calls": row.calls, "instructions": row.instructions,
                       "difference": row.difference} for row in account.rows],
    }
    json.dump(document, stream, indent=2)
    print(file=stream)


FORMATS = {"text": write_text, "markdown": write_markdown, "json": write_json}
