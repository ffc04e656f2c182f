#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Stands in for sidestep: says and does what a run of each guest would.

Its arguments go as a line of JSON into the file that FAKE_LOG names. `run` ends as the name of the guest asks for,
`report` tells what FAKE_REPORT names, or 1203 and 44 exits.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

SUMMARY = "SUMMARY: {}\r\n"
ENDS = {  # standard output, standard error, status
    "pass": ("enabling apic\r\nPASS: one\r\n" + SUMMARY.format("3 tests, 1 skipped"), "", 0),
    "fail": ("".join(f"FAIL: number {i}\r\n" for i in range(10))
             + SUMMARY.format("14 tests, 10 unexpected failures, 2 skipped"),
             "sidestep: guest exit status 3\n", 3),
    "skip": ("SKIP: no such feature\r\n" + SUMMARY.format("1 tests, 1 skipped"), "sidestep: guest exit status 77\n", 77),
    "unable": ("", "sidestep: engine vmx cannot run here: needs: vmx; host: no nested VMX\n", 77),
    "broken": ("FAIL: one\r\n" + SUMMARY.format("1 tests, 1 unexpected failures"),
               "sidestep: triple fault at 0x41004f\n", 1),
    "asserts": ("x86/vm.c:12: assert failed: a == b\r\n\tSTACK: @400123 400456\r\n", "sidestep: guest exit status 127\n", 127),
    "abort": ("Unhandled exception 6 #UD at ip 0000000000400123\r\nrax=1\r\n\tSTACK: @400123\r\n",
              "sidestep: guest exit status 127\n", 127),
    "timeout": ("PASS: so far\r\n", "sidestep: timeout after 60 s\n", 124),
    "host": ("", "sidestep: /dev/kvm: Permission denied; be in the group kvm\n", 77),
    "usage": ("", "sidestep: -c 9: no more than 8\n", 2),
    "refused": ("", "", 159),
    "hostile": ("\x1b[2J\x00\x07\x9b1m \u202e]]> <&\"\ufffe\r\nFAIL: \x1b]0;title\x07 <b>\r\n"
                + SUMMARY.format("99999999999999999999999999 tests, 1 unexpected failures") + SUMMARY.format("-1 tests"),
                "sidestep: guest \x1b[31m exit status 3\n", 3),
}
REPORTS = {
    "l0": {"recorded": {"l0": "tracepoint kvm:kvm_exit, 3247 one by one, 0 lost", "monitor": "-", "vmm": "run loop"},
           "exits": [{"reason": reason, "level": level, "exits": count} for reason, level, count in (
               ("msr_write", "l0", 7), ("cpuid", "l0", 3000), ("io", "l0", 200), ("hlt", "l0", 40), ("io", "vmm", 200))]},
    "none": {"recorded": {"l0": "not observed one by one: no \x1b[1mtracefs", "monitor": "-", "vmm": "run loop"},
             "exits": [{"reason": "mmio", "level": "vmm", "exits": 44}, {"reason": "io", "level": "vmm", "exits": 1203}]},
    "quiet": {"recorded": {"l0": "tracepoint kvm:kvm_exit, 0 one by one, 0 lost", "monitor": "-", "vmm": "run loop"},
              "exits": []},
    "lost": {"recorded": {"l0": "tracepoint kvm:kvm_exit, 20 one by one, 10 lost", "monitor": "-",
                          "vmm": "run loop, but for records that found no room"},
             "exits": [{"reason": "cpuid", "level": "l0", "exits": 20}]},
    "list": [1, 2], "odd": {"recorded": {"l0": 1, "vmm": 2}, "exits": [{"reason": 1, "level": 2, "exits": "three"}]},
}


def report():
    name = os.environ.get("FAKE_REPORT", "none")
    if name == "broken":
        sys.stderr.write("sidestep: the ledger is damaged\n")
        return 1
    print(json.dumps(REPORTS[name]))
    return 0


def run(arguments):
    name = pathlib.Path(arguments[-1]).stem
    ledger = pathlib.Path(arguments[arguments.index("--ledger") + 1])
    out = sys.stdout.buffer
    if name not in ("unable", "usage", "host"):
        ledger.write_text(f"ledger of {name}")
    if name == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if name in ("wait", "stubborn"):
        def ended(_number, _frame):
            pathlib.Path(os.environ["FAKE_LOG"] + ".ended").touch()
            if name == "wait":
                os._exit(143)
        signal.signal(signal.SIGTERM, ended)
        out.write(b"waiting\r\n")
        out.flush()
        pathlib.Path(os.environ["FAKE_LOG"] + ".started").write_text(str(os.getpid()))
        while True:
            time.sleep(1)
    if name == "orphan":
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        with open(os.environ["FAKE_LOG"] + ".orphans", "a", encoding="ascii") as file:
            print(child.pid, file=file)
        name = "pass"
    if name == "endless":
        for _ in range(256):
            out.write(b"FAIL: \xff\xfe\x80 and so on, in a line of no end\0" * 1024)
        out.write(b"\r\n" + SUMMARY.format("1 tests").encode())
        return 0
    text, errors, status = ENDS[name]
    out.write(text.encode() + (b"\xff\xc0\xaf\r\n" if name == "hostile" else b""))
    sys.stderr.write(errors)
    return status


def main():
    with open(os.environ["FAKE_LOG"], "a", encoding="utf-8") as file:
        print(json.dumps(sys.argv[1:]), file=file)
    return report() if sys.argv[1] == "report" else run(sys.argv[1:])


sys.exit(main())
