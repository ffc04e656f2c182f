# SPDX-License-Identifier: GPL-2.0-only
"""A line per check, "ok" or "not ok", and their sum."""
made = failed = 0


def check(name, well, reason=""):
    global made, failed
    made += 1
    failed += not well
    print(f"{'ok' if well else 'not ok'} - {name}{'' if well else ': ' + str(reason)[:2000]}", flush=True)
    return well


def equal(name, found, wanted):
    check(name, found == wanted, f"{found!r}, not {wanted!r}")


def total():
    """Prints the sum; the status of a test: 1 if a check failed."""
    print(f"{made} checks, {failed} failed\nfigure: checks {made}")
    return 1 if failed else 0
