#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""schemas.py SOURCE SIDESTEP GEN_DOCS EXAMPLE TRAMPOLINE: JSON that sidestep writes is as docs/schemas says, and nothing else is.

Every kind of document is made, of runs on this host, of ledgers that are kept and of some made up for the purpose. Each is
valid; with a member more, without a member, or with something else in its place it is not. Whatever the schemas
describe, some document has.
"""
import collections
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
# Behind the library: a file there is called like one of Python's.
sys.path += [str(TESTS), str(TESTS / "report")]
try:
    import jsonschema
    import validate
except ModuleNotFoundError as error:
    print(f"needs: python3-jsonschema; host: {error}")
    sys.exit(77)
import ledger
from patience import patient

BY = ("reason", "rip", "symbol", "level", "vcpu", "instruction", "vm", "service", "violation")
# Members of these objects are called by what there was.
OPEN = {"vmm_reasons", "kvm_stats", "rights", "remap", "counts"}
# What an event of a time line has only if there is something to say.
COUNTERS = {"exits": "vmx", "kvm:kvm_exit": "svm", "insn_emulation": "pvm", "kvm:kvm_emulate_insn": "pvm"}
OF_AN_EVENT = {*COUNTERS, "port", "address", "qualification", "handling"}
# What is made in labs: tests of its own have documents of these.
ELSEWHERE = {"sidestep.explain.schema.json", "sidestep.kernels.schema.json", "sidestep.launch.schema.json",
             "sidestep.exit.schema.json"}
# profile --pid, of which tests/cli/attach.sh and the labs have documents.
OF_OTHERS = {"vcpus", "pid", "name", "thread", "vcpu", "recorded", "lost", "blind", "kernel", "guest", "rows"}
STRANGE = {"no such member": 0}


def note_properties(validator, properties, document, schema):
    for key in properties.keys() & document.keys() if isinstance(document, dict) else ():
        SEEN.add((id(properties), key))
    yield from jsonschema.Draft202012Validator.VALIDATORS["properties"](validator, properties, document, schema)


SEEN = set()
Noting = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"properties": note_properties})


def shape(value):
    """Equal for values that differ in nothing but what is no object."""
    if isinstance(value, dict):
        return frozenset((key, shape(part)) for key, part in value.items())
    return frozenset(map(shape, value)) if isinstance(value, list) else None


def pruned(value):
    """Of every array one element of each shape."""
    if isinstance(value, list):
        return [pruned(part) for part in {shape(part): part for part in value}.values()]
    return {key: pruned(part) for key, part in value.items()} if isinstance(value, dict) else value


def objects_in(value, path=()):
    if isinstance(value, dict):
        yield path, value
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from objects_in(part, (*path, key if isinstance(value, dict) else "*"))


class Checks:
    def __init__(self, source, sidestep, directory):
        self.source, self.sidestep, self.directory = pathlib.Path(source), os.path.abspath(sidestep), directory
        self.counts, self.faults, self.tried = collections.Counter(), [], set()

    def run(self, *arguments, status=0):
        done = subprocess.run([self.sidestep, *arguments], capture_output=True, cwd=self.directory, timeout=patient(60),
                              stdin=subprocess.DEVNULL)
        command = " ".join(map(str, arguments))
        if done.returncode not in (status if isinstance(status, tuple) else (status,)):
            self.faults.append(f"{command}: status {done.returncode}, not {status}: {done.stderr.decode(errors='replace')}")
        for document in validate.documents_in(done.stdout.decode()):
            self.take(command, document)

    def take(self, command, document):
        name = validate.schema_of(document)
        self.counts[name] += 1
        faults = [f"{command}: {error.json_path}: {error.message[:300]}"
                  for error in validate.validator_of(name, Noting).iter_errors(document)]
        self.faults += faults
        if not faults:
            self.refuse(command, name, pruned(document))

    def refuse(self, command, name, document):
        """Each change but once for documents with the same members."""
        validator, members = validate.validator_of(name), frozenset(document)

        def tried(what, path, value, key=None):
            case = (name, members, what, path, frozenset(value) if path[-1:] not in [(word,) for word in OPEN] else None, key)
            if case not in self.tried and validator.is_valid(document):
                self.faults.append(f"{command}: valid {what} {'.'.join(path)}{'.' + key if key else ''}")
            self.tried.add(case)

        for path, value in objects_in(document):
            value.update(STRANGE)
            tried("with a strange member in", path, value)
            del value["no such member"]
            for key in list(value):
                kept = value.pop(key)
                if path[-1:] not in [(word,) for word in OPEN] and not (path[-1:] == ("args",) and key in OF_AN_EVENT):
                    tried("without", path, value, key)
                value[key] = STRANGE
                tried("with an object as", path, value, key)
                value[key] = kept

    def unseen(self, names=validate.SCHEMAS.keys() - ELSEWHERE):
        """What these schemas describe and was in no document."""
        def walk(name, schema):
            for key, part in schema.get("properties", {}).items():
                if part is not False and (id(schema["properties"]), key) not in SEEN and not (
                        name == "sidestep.profile.schema.json" and key in OF_OTHERS):
                    yield f"{name}: no document has what is described as {key}: {part.get('description', part)}"
            for word, part in schema.items():
                parts = part.values() if word in ("properties", "$defs") else part if isinstance(part, list) else [part]
                for inner in parts:
                    if isinstance(inner, dict) and word != "if":
                        yield from walk(name, inner)

        for name in sorted(names):
            yield from walk(name, validate.SCHEMAS[name])
            if name != "common.schema.json" and not self.counts[name]:
                yield f"{name}: there was no such document"


def write_ledger(directory, name, records, **more):
    path = pathlib.Path(directory) / name
    path.write_bytes(ledger.ledger(records, **more))
    return str(path)


def head(form, **about):
    return [form.meta(key, value) for key, value in about.items()]


def of_each_counter(form, directory, counters):
    """Ledgers of a batch for which the kernel had nothing but this counter."""
    for name, backend in COUNTERS.items():
        bit = counters.index(name)
        body = ledger.BATCH.pack(1, 10, 0, 0, 100, 200, 1 << bit) + struct.pack("<Q", 1) * (bit + 1)
        yield write_ledger(directory, name, [*head(form, engine="flat", backend=backend), form.operation(1, "x"),
                                             form.record("BATCH", body)])


def made_up(form, directory):
    """Ledgers with what this host cannot make."""
    many = [form.exit("vmm", 100 * i, 0, reason=(2, 6, 5)[i % 3], rip=0x1000 + i % 4, cost=i % 5, qualification=0x3f8,
                      detail=0x101) for i in range(40)]
    relay = [form.exit("monitor", 100 * i, 0, reason=59, rip=0x1000 + i, cost=7, qualification=i) for i in range(5)]
    code = [form.code(0x1000 + i, b"\x90", b"\xee\xc3", b"put" if i else b"\xff\xfe", i) for i in range(3)]
    l0 = [form.l0_exit(50 + i, 0, reason=i % 4, cost=i, agreement=i % 4, flags=i, info1=i) for i in range(9)]
    yield write_ledger(directory, "empty", [])
    yield write_ledger(directory, "attached", head(form, engine="attached", backend="vmx", tracing="sample") + l0 + [form.end()])
    yield write_ledger(directory, "guest", head(form, engine="flat", guest="vmlinuz", vms="2", vcpus="2") + code + many + l0
                       + [form.exit("vmm", 9000, vm=1, vcpu=1)], lost=3)
    yield write_ledger(directory, "other", head(form, engine="flat", guest="vmlinuz") + code + many[3:] + many[5:])
    yield write_ledger(directory, "relay", head(form, engine="vmx", backend="vmx") + relay + many)


def without_kvm(checks, form, counters):
    checks.run("test", "--list", "--format", "json")
    checks.run("test", "--list", "--format", "json", "cr0.*")
    for engine in ("flat", "vmx", "svm"):
        for policy in sorted(checks.source.glob("examples/*.views")):
            checks.run("views", "--engine", engine, "--format", "json", policy, status=(0, 1, 2))
    for policy in sorted((checks.source / "tests/fuzz/corpus/policy").iterdir()):
        checks.run("views", "--format", "json", policy, status=(0, 1, 2))
    kept = [str(path) for path in sorted((checks.source / "tests/fuzz/corpus/ledger").iterdir())]
    reports(checks, [*kept, *made_up(form, checks.directory)])
    campaign(checks)
    for path in of_each_counter(form, checks.directory, counters):
        checks.run("report", "--format", "trace", path)


def campaign(checks):
    """One with all that can become of a job, without an engine: a shell runs the lines."""
    directory, tool = pathlib.Path(checks.directory, "campaign"), str(checks.source / "tools/campaign")
    plan = pathlib.Path(checks.directory, "plan.ini")
    plan.write_text("".join(f"[{name}]\nrun = command\ncommand = sh -c '{command}'\n" for name, command in (
        ("good", "exit 0"), ("differs", "echo no; exit 1"), ("skipped", "exit 77"), ("fails", "exit 3"))))
    words = [tool, "--build", os.path.dirname(checks.sidestep), "--dir", str(directory), str(plan)]
    subprocess.run([*words, "--write"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["sh", str(directory / "jobs.txt")], check=False, stderr=subprocess.DEVNULL)
    report = subprocess.run([*words, "--report", "--format", "json"], check=False, capture_output=True, text=True)
    for name, text in (("campaign", report.stdout), *((path.name, path.read_text()) for path in directory.glob("jobs/*/result.json"))):
        for document in validate.documents_in(text):
            checks.take(f"campaign: {name}", document)


def reports(checks, ledgers):
    """Each with every key, and a time line; every other one against the one before."""
    for i, path in enumerate(ledgers):
        checks.run("report", "--format", "json", path, status=(0, 1))
        checks.run("report", "--format", "trace", path, status=(0, 1))
        for by in BY:
            checks.run("report", "--by", by, "--format", "json", path, status=(0, 1))
        for by in ("operation", *BY[:-1]) if i % 2 else ():
            checks.run("report", "--diff", "--by", by, "--format", "json", ledgers[i - 1], path, status=(0, 1, 77))


def with_kvm(checks, example, trampoline):
    checks.run("info", "--format", "json")
    checks.run("test", "--format", "json", "--ledger", "test.ledger", "ref.cpuid", "view.switch.vmfunc", "service.port")
    checks.run("test", "--format", "json", "--trace", "sample", "ref.cpuid", "wait.*")
    checks.run("test", "--format", "json", "--timeout", "0.01", status=124)
    checks.run("test", "--format", "json", "--random", "20")
    checks.run("bench", "--format", "json", "--count", "20", "ref.[a-m]*")
    checks.run("run", "--format", "json", example)
    checks.run("run", "--format", "json", "--flag-path", "enlightened", "--vms", "2", "--own", "ts", "--shadow", "mp",
               "--own", "mp", "--shadow", "ts", "--ledger", "vms.ledger", example)
    checks.run("run", "--format", "json", "--lenient", "--views", checks.source / "examples/trampoline.views", trampoline)
    (pathlib.Path(checks.directory) / "fails.bin").write_bytes(b"\xb0\x03\xe6\xf4") # MOV AL, 3; OUT 0xf4, AL
    checks.run("run", "--format", "json", "--ledger", "fails.ledger", "fails.bin", status=3)
    for by in ("operation", "reason", "rip", "symbol", "level", "vcpu", "instruction"):
        checks.run("profile", "--by", by, "--format", "json", "--interval", "0.1", example)
    checks.run("profile", "--by", "vcpu", "--vms", "2", "--format", "json", example)
    reports(checks, [f"{name}.ledger" for name in ("test", "vms", "fails")])


def main():
    source, sidestep, gen_docs, example, trampoline = sys.argv[1:]
    device = os.environ.get("SIDESTEP_KVM", "/dev/kvm")
    kvm = os.access(device, os.R_OK | os.W_OK)
    with tempfile.TemporaryDirectory() as directory:
        checks = Checks(source, sidestep, directory)
        stats = subprocess.run([gen_docs, "stats"], check=True, capture_output=True, text=True).stdout
        without_kvm(checks, ledger.Format(gen_docs), re.findall(r"^\| `(\S+)` \| \d", stats, re.M))
        if kvm:
            with_kvm(checks, os.path.abspath(example), os.path.abspath(trampoline))
            checks.faults += checks.unseen()
    print(f"{sum(checks.counts.values())} documents, {len(checks.tried)} changes to them, {len(checks.faults)} faults")
    print(f"figure: checks {sum(checks.counts.values()) + len(checks.tried)}")
    for fault in checks.faults:
        print("not ok -", fault)
    if not checks.faults and not kvm:
        print(f"needs: kvm; host: no access to {device} (documents that need none were validated)")
        return 77
    return 1 if checks.faults else 0


if __name__ == "__main__":
    sys.exit(main())
