#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Executes the recipes of docs/profiling.md as they stand there, and checks what they print.

usage: recipes.py SOURCE BUILD host GROUP | recipes.py SOURCE BUILD lab GROUP...

A recipe is the shell block after `<!-- recipe: GROUP-NAME; PLACE, ... -->`. Recipes of a place are
executed in their order, in one directory. CHECKS has what each must print. In a lab all groups share
one boot.
"""
import fcntl
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from patience import patient

RECIPE = re.compile(r"^<!-- recipe: (\w+)-([\w-]+); ([\w, ]+) -->\n+```sh\n(.*?)^```$", re.M | re.S)
PLACES = {"lab", "host"}
# What the recipes call guest.elf: prints for ever.
GUEST = "tests/hostile/hostile_print_serial.elf"
# Repetitions of an operation in the catalogue, and how many exits of its kind the rest of a run may
# have: start, requests, end.
COUNT, REST = 1001, 100
VMFUNC_EXIT = 59
CR0_TS = 8


class Wrong(Exception):
    """What a recipe printed is not what it should."""


def want(condition, what):
    if not condition:
        raise Wrong(what)


def counter(text, event):
    """The number that perf stat prints for an event."""
    found = re.search(rf"^\s*(\d+)\s+{re.escape(event)}\s*$", text, re.M)
    want(found, f"no count of {event}")
    return int(found[1])


def about(number, repetitions, what):
    want(repetitions <= number <= repetitions + REST, f"{number} times {what}, not {repetitions}")


def attributed(text):
    """operation -> {event: number} from lines `operation event number`."""
    table = {}
    for operation, event, number in re.findall(r"^([a-z0-9.-]+) (\w+) (\d+)$", text, re.M):
        table.setdefault(operation, {})[event] = int(number)
    return table


def perf_count(text, lab):
    about(counter(text, "kvm:kvm_userspace_exit"), COUNT, "to the VMM")
    exits = counter(text, "kvm:kvm_exit")
    if lab:
        want(COUNT <= exits, "too few exits")
        want(exits >= counter(text, "kvm:kvm_nested_vmexit") >= COUNT, "more nested exits than exits")
        counter(text, "kvm:kvm_nested_vmexit_inject")


def perf_reason(text, _):
    about(counter(text, "kvm:kvm_nested_vmexit"), COUNT, "VMFUNC at L0")


def perf_attach(text, _):
    for thread in ("vcpu0", "vcpu1"):
        found = re.search(rf"^\s*{thread}-\d+\s+(\d+)\s+kvm:kvm_userspace_exit", text, re.M)
        want(found and int(found[1]) > 0, f"no exits of {thread}")


def perf_kvm_stat(text, _):
    for reason in ("VMFUNC", "VMCALL", "VMRESUME"):
        found = re.search(rf"^\s*{reason}\s+(\d+)\s", text, re.M)
        want(found, f"no row {reason}")
        about(int(found[1]), COUNT, reason)


def perf_record(text, lab):
    want(re.search(r"vcpu0\s.*kvm:kvm_userspace_exit: reason KVM_EXIT_IO", text), "no exit for I/O")
    if lab:
        want(re.search(r"vcpu0\s.*kvm:kvm_exit: .*reason \w+ rip 0x", text), "no exit at L0")


def perf_rip(text, _):
    rows = re.findall(r"^\s*(\d+\.\d+)%\s+(\d+)\s+(0x[0-9a-f]+)\s*$", text, re.M)
    want(any(int(reason) == VMFUNC_EXIT and 15 < float(share) < 25 for share, reason, _ in rows),
         "VMFUNC is not a fifth of the exits")
    want(re.search(r"Total Lost Samples: 0$", text, re.M), "samples were lost")


def probe_list(text, _):
    for name in ("exit", "view_switch", "control_flag_write", "operation_begin", "operation_end"):
        want(len(re.findall(rf"^\s*sdt_sidestep:{name}\s", text, re.M)) == 1, f"no probe {name}")


def probe_record(text, _):
    want(re.search(rf"sdt_sidestep:operation_begin: \(\w+\) arg1=0 arg2=\d+ arg3=\d+ arg4={COUNT} arg5=0",
                   text), "no operation began")
    want(re.search(r"sdt_sidestep:exit: \(\w+\) arg1=0 arg2=2 arg3=\d+ arg4=\d+ arg5=\d+ arg6=\d+", text),
         "no exit at the VMM")


def probe_monitor(text, _):
    rows = [(int(number), event, [int(argument) for argument in arguments.split()])
            for number, event, arguments in re.findall(
                r"^\s*(\d+)\s+sdt_sidestep:(\w+):\s+((?:-?\d+ ?)+)$",
                re.sub(r"arg\d=", "", text), re.M)]
    for level in (1, 2):
        writes = [(number, wanted) for number, event, (_, by, wanted, *_) in rows
                  if event == "control_flag_write" and by == level]
        about(sum(number for number, _ in writes), COUNT, f"a flag written at level {level}")
        often = [wanted for number, wanted in writes if number >= COUNT / 2 - 1]
        want(len(often) == 2 and often[0] ^ often[1] == CR0_TS, "TS is not what was written")
    switches = [(number, was, now) for number, event, (_, by, was, now, *_) in rows
                if event == "view_switch" and by == 1]
    about(sum(number for number, _, _ in switches), COUNT, "a view switched by the monitor")
    want({was for _, was, _ in switches} == {-1} and len({now for _, _, now in switches}) > 1,
         "not the views")


def probe_attribute(text, lab):
    table = attributed(text)
    about(table["service.port"]["userspace_exit"], COUNT, "service.port to the VMM")
    if lab:
        about(table["view.switch.vmfunc"]["exit"], COUNT, "VMFUNC at L0")
        want("userspace_exit" not in table["ref.nothing"] or
             table["ref.nothing"]["userspace_exit"] < 10, "the empty loop exits")


def probe_delete(text, _):
    want("sdt_sidestep:" not in text, "they are still there")


def bpftrace_list(text, _):
    want(sorted(re.findall(r"^usdt:.*:sidestep:(\w+)$", text, re.M)) ==
         ["control_flag_write", "exit", "operation_begin", "operation_end", "view_switch"],
         "not the probes")


def bpftrace_exits(text, _):
    found = dict(re.findall(r"^@exits\[vmm, \d+, (\d+)\]: (\d+)$", text, re.M))
    want(any(COUNT <= int(number) <= COUNT + REST for number in found.values()), "no exits")


def bpftrace_names(text, _):
    found = dict(re.findall(r"^@\[([a-z0-9.-]+)\]: (\d+)$", text, re.M))
    about(int(found.get("service.port", 0)), COUNT, "service.port to the VMM")


def bpftrace_cost(text, _):
    rows = re.findall(r"^\[(\w+)(?:, \w+\)|\])\s+(\d+) \|", text, re.M)
    about(sum(int(number) for _, number in rows), COUNT, "an exit in the histogram")
    want(all(start not in "0 1 2 4 8".split() or number == "0" for start, number in rows),
         "exits that were handled in no time")


def bpftrace_views(text, _):
    found = re.findall(r"^@\[\d+, (-?\d+), (\d+)\]: (\d+)$", text, re.M)
    about(sum(int(number) for _, _, number in found), COUNT, "a view switched")


CHECKS = {
    name.replace("_", "-"): check
    for name, check in list(globals().items())
    if name.split("_")[0] in ("perf", "probe", "bpftrace") and callable(check)
}


def recipes(source):
    """(group, name, places, commands) of every recipe, after a look at whether the list is sound."""
    text = (source / "docs" / "profiling.md").read_text()
    found = [(group, f"{group}-{name}", {place.strip() for place in places.split(",")}, commands)
             for group, name, places, commands in RECIPE.findall(text)]
    names = sorted(name for _, name, _, _ in found)
    if len(found) != text.count("<!-- recipe:") or names != sorted(CHECKS):
        sys.exit(f"recipes in the document: {names}; checks: {sorted(CHECKS)}")
    if any(not places <= PLACES for _, _, places, _ in found):
        sys.exit("a recipe is for a place that does not exist")
    return found


def script(chosen, before=""):
    """A script that performs recipes and separates what they print."""
    lines = [before, "mkdir -p recipes && cd recipes || exit 99"]
    for _, name, _, commands in chosen:
        lines += [f"cat >{name}.sh <<'END-OF-RECIPE'", commands + "END-OF-RECIPE",
                  f"echo '@@@ {name}'", f"sh -eu {name}.sh </dev/null 2>&1",
                  f'echo "@@@ {name} $?"']
    return "\n".join(lines) + "\n"


def judge(chosen, output, lab):
    failures = 0
    for _, name, _, _ in chosen:
        found = re.search(rf"^@@@ {name}\n(.*?)^@@@ {name} (\d+)$", output, re.M | re.S)
        try:
            want(found, "it was not performed")
            want(found[2] == "0", f"status {found[2]}")
            CHECKS[name](found[1], lab)
            print(f"ok - {name}")
        except (Wrong, KeyError) as wrong:
            failures += 1
            print(f"not ok - {name}: {wrong}")
            print(found[1] if found else output)
    return 1 if failures else 0


def run_in_lab(source, build, chosen):
    if not shutil.which("perf"):
        print("skipped: needs: perf; host: not installed (linux-perf)")
        return 77
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        # Without the addresses of the kernel's symbols perf does not read their names, which takes
        # it longer in a lab than all the rest. No recipe shows them.
        file.write(script(chosen, "echo 2 >/proc/sys/kernel/kptr_restrict"))
        file.flush()
        done = subprocess.run(
            [source / "tools/lab", "intel", "--build", build, "--with", "perf", "--timeout", str(patient(500)),
             "--put", f"{file.name}=/tmp/recipes.sh",
             "--put", f"{build / GUEST}=/tmp/recipes/guest.elf",
             "--", "sh", "/tmp/recipes.sh"],
            stdout=subprocess.PIPE, text=True, check=False)
    sys.stderr.write(done.stdout)
    return judge(chosen, done.stdout, True)


def missing(group, build):
    """What a group of recipes needs and this host has not; None if it has all."""
    def fails(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        return (lines or ["no message"])[0].strip() if done.returncode else None

    program = "bpftrace" if group == "bpftrace" else "perf"
    if not shutil.which(program):
        return f"{program}; host: not installed"
    why = fails(build / "sidestep", "info")
    if why:
        return f"kvm; host: {why}"
    why = fails("perf", "stat", "-e", "kvm:kvm_userspace_exit", "true") if program == "perf" else None
    if why:
        return f"kvm tracepoints; host: {why}"
    # Its status is 1 after a note of a kind that it does not know.
    notes = subprocess.run(["readelf", "-n", build / "sidestep"], capture_output=True, text=True, check=False).stdout
    if group != "perf" and "stapsdt" not in notes:
        return "probes; host: built without sys/sdt.h (systemtap-sdt-dev)"
    if group == "probe" and not os.access("/sys/kernel/tracing/uprobe_events", os.W_OK):
        return "uprobes; host: /sys/kernel/tracing/uprobe_events cannot be written"
    why = fails("bpftrace", "-e", "BEGIN { exit(); }") if group == "bpftrace" else None
    return f"BPF; host: {why}" if why else None


def perform(commands, directory, environment):
    """What they print. What they leave running ends with them: a recipe that failed half-way may have
    started a guest that runs for ever."""
    with open(f"{directory}/output", "w+", encoding="utf-8", errors="replace") as output:
        with subprocess.Popen(["sh", "-c", commands], cwd=directory, env=environment, stdout=output,
                              stderr=output, start_new_session=True) as shell:
            try:
                shell.wait(timeout=patient(150))
            except subprocess.TimeoutExpired:
                print("it took too long")
            finally:
                try:
                    os.killpg(shell.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        output.seek(0)
        return output.read()


def run_on_host(build, group, chosen):
    why = missing(group, build)
    if why:
        print(f"skipped: needs: {why}")
        return 77
    with tempfile.TemporaryDirectory() as directory:
        environment = os.environ | {
            "HOME": directory,  # perf keeps what it knows of programs there
            "PATH": f"{build}:{os.environ['PATH']}",
            "LC_ALL": "C",
        }
        os.mkdir(f"{directory}/recipes")
        shutil.copy(build / GUEST, f"{directory}/recipes/guest.elf")
        # Probes that perf makes are the whole system's.
        lock = os.open("/sys/kernel", os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            output = perform(script(chosen), directory, environment)
        finally:
            if group == "probe":
                subprocess.run(["perf", "probe", "--quiet", "--del", "sdt_sidestep:*"],
                               capture_output=True, check=False)
            os.close(lock)
    return judge(chosen, output, False)


def main():
    source, build = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    place, groups = sys.argv[3], sys.argv[4:]
    chosen = [recipe for recipe in recipes(source) if recipe[0] in groups and place in recipe[2]]
    if place == "lab":
        return run_in_lab(source, build, chosen)
    return run_on_host(build, groups[0], chosen)


if __name__ == "__main__":
    sys.exit(main())
