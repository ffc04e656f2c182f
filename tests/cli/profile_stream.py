#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""profile_stream.py FILE: what `sidestep profile --format json` has written in about two seconds with an
interval of 0.2 and ref.port.out@200, on a machine that may be busy."""
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    *intervals, summary = records
    assert all(r["schema"] == "sidestep.profile" and r["version"] == 1 for r in records)
    assert summary["type"] == "summary"
    assert all(r["type"] == "interval" for r in intervals)
    assert 2 <= len(intervals) <= 10, len(intervals)
    times = [r["time"] for r in records]
    assert times == sorted(times)
    for record in records:
        assert record["seconds"] > 0
        for row in record["rows"]:
            assert row["exits"] > 0 and row["total"] >= row["exits"] * 0.999, row
            assert abs(row["exits_per_second"] * record["seconds"] - row["exits"]) < 1e-3 * row["exits"]
            assert 0 < row["share"] <= 100.001, row
        for level, total in record["exits"].items():
            rows = [r["exits"] for r in record["rows"] if r["level"] == level]
            if not isinstance(total, float):
                # A level that the engine does not have, or that nobody looked at: never a zero.
                assert level != "vmm" and total in (None, "not observed") and not rows, (level, total)
                continue
            assert abs(sum(rows) - total) <= 1e-6 * total, level

    # What the run loop saw is exact: the intervals do not exceed the summary, whole batches all of it.
    def port(record):
        return sum(r["exits"] for r in record["rows"]
                   if r["operation"] == "ref.port.out" and r["level"] == "vmm")

    total = port(summary)
    assert 0 < total <= 200 * (summary["time"] + 0.5), total
    assert sum(port(r) for r in intervals) <= total
    assert sum(port(r) for r in intervals) > 0
    batch = 40
    operations = {o["operation"]: o for o in summary["operations"]}
    repetitions = operations["ref.port.out"]["repetitions"]
    # One is left over from the warm-up if the marker was not set; a batch may have been cut off.
    assert repetitions <= total <= repetitions + batch, (repetitions, total)
    assert all(o["ticks_total"] > 0 for o in operations.values())
    row = next(r for r in summary["rows"] if r["operation"] == "ref.port.out" and r["level"] == "vmm")
    assert row["reason"] == "io" and row["estimated"] is False
    assert 0 < row["median_ns"] <= row["p99_ns"], row
    assert any(r["level"] == "l0" for r in summary["rows"]) or "not observed" in summary["l0_source"]


main()
