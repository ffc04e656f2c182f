#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""vms.py REPORT: what a ledger of two VMs with different owners says, as JSON. Every operation that was performed has a
row for each VM, and none for both."""
import collections
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    assert len(set(document["plans"])) == document["vms"] == 2, document["plans"]
    rows = collections.defaultdict(dict)
    for row in document["operations"]:
        rows[row["operation"]][row["vm"]] = row
    assert rows
    for operation, of_vms in rows.items():
        assert set(of_vms) == {0, 1}, (operation, of_vms.keys())
        assert of_vms[0]["repetitions"] == of_vms[1]["repetitions"] > 0, operation


main()
