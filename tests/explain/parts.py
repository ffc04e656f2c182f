#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tools/explain without a lab: names, traces, what a repetition is, and what adds up. Usage: parts.py TOOL FIRMWARE."""
import contextlib
import io
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import types
import unittest

sys.dont_write_bytecode = True
TOOL, FIRMWARE = map(pathlib.Path, sys.argv[1:3])
# Before the library: a file there is called like one of Python's.
sys.path.insert(0, f"{TOOL}.d")
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "docs"))

import schemas
from account import GUEST, RELAY, USER, Account, Repetitions
from firmware import Firmware
from gdb import Tracer
from lab import SAMPLE, bochs_commands
from symbols import COLD, PART, UNKNOWN, WHOLE, Symbols, Unusable, fold
from trace import read_bochs, read_qemu
from writers import FORMATS, number

KALLSYMS = """\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81000100 T __pfx_outer
ffffffff81000110 t outer
ffffffff81000200 t outer.part.0
ffffffff81000300 t outer.cold
ffffffff81000400 t leaf.constprop.0.isra.0
ffffffff81000500 T __alias
ffffffff81000500 T alias
ffffffff81000600 T asm_sysvec_apic_timer_interrupt
ffffffff81000700 D some_data
ffffffffc0001000 t handle [kvm]
"""
OUTER, OUTER_PART, OUTER_COLD, LEAF, ALIAS, TIMER, DATA, HANDLE = (
    0xffffffff81000110, 0xffffffff81000200, 0xffffffff81000300, 0xffffffff81000400,
    0xffffffff81000500, 0xffffffff81000600, 0xffffffff81000700, 0xffffffffc0001000)
END, LEAVE = 0x101000, 0x101009


def symbols(text=KALLSYMS):
    return Symbols(text.splitlines())


def repetitions(*addresses, user=False):
    read = Repetitions(symbols())
    read.read([(address, user and address == 0x555500000000, 1) for address in addresses], [END], [LEAVE])
    return read


class Names(unittest.TestCase):
    def test_suffixes_of_a_compiler_are_no_part_of_a_name(self):
        self.assertEqual(fold("vmx_vcpu_run"), ("vmx_vcpu_run", WHOLE))
        self.assertEqual(fold("a.isra.0"), ("a", WHOLE))
        self.assertEqual(fold("a.constprop.0.isra.12"), ("a", WHOLE))
        self.assertEqual(fold("a.part.0"), ("a", PART))
        self.assertEqual(fold("a.part.0.cold"), ("a", COLD))
        self.assertEqual(fold("a.llvm.123456"), ("a", WHOLE))
        self.assertEqual(fold("part.of"), ("part.of", WHOLE))

    def test_an_address_belongs_to_the_function_before_it(self):
        known = symbols()
        self.assertEqual(known.locate(OUTER), ("outer", WHOLE, True))
        self.assertEqual(known.locate(OUTER + 5), ("outer", WHOLE, False))
        self.assertEqual(known.locate(OUTER_COLD + 1), ("outer", COLD, False))
        self.assertEqual(known.locate(HANDLE), ("handle [kvm]", WHOLE, True))

    def test_of_two_names_the_plainer_one_counts(self):
        self.assertEqual(symbols().locate(ALIAS)[0], "alias")

    def test_data_is_no_function(self):
        self.assertEqual(symbols().locate(DATA + 8)[0], UNKNOWN)
        self.assertEqual(symbols().locate(0xffffffff80000000)[0], UNKNOWN)

    def test_hidden_addresses_are_refused(self):
        with self.assertRaisesRegex(Unusable, "no addresses"):
            symbols("0000000000000000 T _stext\n0000000000000000 t outer\n")


class Traces(unittest.TestCase):
    def test_bochs_tells_instructions_by_their_ticks(self):
        lines = ["Next at t=5\n", "(0) [0x0000029340c0] 0008:0000000000101000 (unk. ctxt): add rbp, 1 ; 4883c501\n",
                 "(0).[10] [0x0000029340c0] 0008:0000000000101000 (unk. ctxt): add rbp, 1 ; 4883c501\n",
                 "00000000011e[CPU0  ] RDMSR: Unknown register 0xe7\n",
                 "(0).[11] [0x00000fbe13ae] 0010:ffffffff81000110 (unk. ctxt): rep movsb ; f3a4\n",
                 "(0).[75] [0x00000fbe13b0] 0033:0000555500000000 (unk. ctxt): nop ; 90\n",
                 "(0).[76] ??? (physical address not available)\n",
                 "(0).[78] [0x0000029340c0] 0008:0000000000101000 (unk. ctxt): add rbp, 1 ; 4883c501\n"]
        self.assertEqual(list(read_bochs(lines)), [
            (END, False, 1), (OUTER, False, 64), (0x555500000000, True, 1), (None, False, 2)])

    def test_qemu_tells_an_instruction_a_line(self):
        lines = ["Trace 0: 0x7fe70c000100 [0000000000000000/0000000000101000/0070c0b3/ff020e01] \n",
                 "Trace 0: 0x7fe70c000280 [0000000000000000/ffffffff81000110/18d0c2b0/ff020201] outer\n",
                 "cpu_io_recompile: rewound execution of TB to ffffffff81000110\n",
                 "Trace 0: 0x7fe70c000300 [0000000000000000/ffffffff81000110/18d0c2b0/ff020201] \n",
                 "Trace 0: 0x7fe70c000380 [0000000000000000/0000555500000000/0050c2b3/ff020201] \n"]
        # The flags of the first line are those of guest mode at CPL 3, which is no program of the host.
        lines[-1] = lines[-1].replace("0050c2b3", "0010c2b3")
        self.assertEqual(list(read_qemu(lines)), [(END, False, 1), (OUTER, False, 1), (0x555500000000, True, 1)])

    def test_a_line_cut_short_is_not_passed_over(self):
        for read, line in ((read_bochs, "(0).[10] [0x0000029"), (read_qemu, "Trace 0: 0x7fe70c")):
            with self.assertRaisesRegex(Unusable, "cannot be read"):
                list(read([line]))


class Parts(unittest.TestCase):
    def test_a_repetition_lasts_from_one_end_to_the_next(self):
        read = repetitions(OUTER, END, 0x101001, OUTER, END, OUTER, LEAVE, OUTER, END, END)
        self.assertEqual([sum(ticks for _, ticks in rows.values()) for rows in read.all], [3, 1])

    def test_calls_are_counted_at_the_first_instruction(self):
        read = repetitions(END, OUTER, OUTER + 1, LEAF, OUTER + 2, LEAF, OUTER + 3, END)
        self.assertEqual(read.mean(), {GUEST: (1, 1), "outer": (1, 4), "leaf": (2, 2)})

    def test_turns_of_one_instruction_are_one_call(self):
        self.assertEqual(repetitions(END, LEAF, LEAF, LEAF, END).mean()["leaf"], (1, 3))

    def test_parts_of_a_function_are_the_function(self):
        self.assertEqual(repetitions(END, OUTER, OUTER_PART, OUTER_COLD, END).mean()["outer"], (1, 3))
        self.assertEqual(repetitions(END, LEAF, OUTER_PART, LEAF + 1, END).mean()["outer"], (1, 1))

    def test_code_outside_the_kernel_is_told_apart(self):
        read = repetitions(END, 0xc0001000, OUTER, 0xc0001000, 0x555500000000, OUTER + 1,
                           0x7fff00000000, END, user=True)
        self.assertEqual(read.mean(), {GUEST: (1, 1), RELAY: (2, 2), "outer": (1, 2), USER: (1, 1), UNKNOWN: (1, 1)})

    def test_interrupted_repetitions_are_left_out(self):
        for first in (TIMER, TIMER + 4):
            read = repetitions(END, OUTER, END, OUTER, first, LEAF, END, OUTER, END)
            self.assertEqual((len(read.typical()), len(read.all)), (2, 3))
            self.assertEqual(read.mean(), {GUEST: (1, 1), "outer": (1, 1)})

    def test_what_always_interrupts_is_part_of_the_operation(self):
        self.assertEqual(len(repetitions(END, TIMER, END, TIMER, END).typical()), 2)

    def test_without_a_repetition_nothing_is_said(self):
        with self.assertRaisesRegex(Unusable, "no whole repetition"):
            repetitions(OUTER, LEAF).mean()


def account(a, b, medians, other=KALLSYMS):
    return Account([a, b], [symbols(), symbols(other)], medians)


class Sums(unittest.TestCase):
    A = {GUEST: (1, 5.0), "outer": (1, 20.0), "alias": (1, 7.0)}
    B = {GUEST: (1, 5.0), "outer": (2, 50.0), "leaf": (1, 10.0)}

    def test_rows_stand_by_what_they_differ(self):
        made = account(self.A, self.B, (32, 65))
        self.assertEqual([(row.name, row.difference) for row in made.rows],
                         [("outer", 30), ("leaf", 10), ("alias", -7), (GUEST, 0)])
        self.assertEqual((made.totals, made.traced, made.measured), ((32, 65), 33, 33))
        self.assertEqual(made.share(), 100)

    def test_a_function_that_a_kernel_lacks_is_not_one_that_is_never_called(self):
        made = account(self.A, self.B, (32, 65), KALLSYMS.replace("alias", "renamed"))
        calls = {row.name: row.calls for row in made.rows}
        self.assertEqual((calls["alias"], calls["leaf"]), ((1, None), (0, 1)))

    def test_what_is_missing_or_too_much_is_not_accounted_for(self):
        self.assertAlmostEqual(account(self.A, self.B, (32, 98)).share(), 50)
        self.assertAlmostEqual(account(self.A, self.B, (32, 62)).share(), 90)
        self.assertLess(account(self.A, self.B, (65, 32)).share(), 0)

    def test_code_without_a_name_accounts_for_nothing(self):
        self.assertAlmostEqual(account(self.A, {**self.A, UNKNOWN: (1, 33.0)}, (32, 65)).share(), 0)

    def test_no_difference_is_accounted_for_by_none(self):
        self.assertEqual(account(self.A, self.A, (32, 32)).share(), 100)
        self.assertEqual(account(self.A, self.B, (32, 32)).share(), 0)


class Written(unittest.TestCase):
    SIDES = [{**side, "handle [kvm]": (1, 9.0)} for side in (Sums.A, Sums.B)]

    def write(self, form, everything=False):
        sides = []
        for name in ("six", "seven"):
            read = repetitions(END, OUTER, END)
            sides.append(types.SimpleNamespace(kernel=name, release=name + ".1", median=32.0, exits=1,
                                               repetitions=read))
        options = types.SimpleNamespace(operation="view.x", engine="vmx", lab="intel", all=everything, minimum=95)
        stream = io.StringIO()
        FORMATS[form](stream, account(*self.SIDES, (41.0, 74.0)), sides, options)
        return stream.getvalue()

    def test_numbers_have_no_digits_that_say_nothing(self):
        self.assertEqual([number(2.0), number(0.5), number(-0.001, True), number(3, True), number(None)],
                         ["2", "0.5", "0", "+3", "-"])

    def test_a_text_adds_up(self):
        lines = [line.split() for line in self.write("text").splitlines()]
        self.assertIn(["outer", "1", "2", "20", "50", "+30"], lines)
        self.assertIn(["[guest]", "1", "1", "5", "5", "0"], lines)
        self.assertIn("1 without a difference 9 9 0".split(), lines)
        self.assertIn(["total", "41", "74", "+33"], lines)
        self.assertIn(["handle", "[kvm]", "1", "1", "9", "9", "0"],
                      [line.split() for line in self.write("text", True).splitlines()])

    def test_markdown_is_a_table(self):
        self.assertIn("| `outer` | 1 | 2 | 20 | 50 | +30 |", self.write("markdown").splitlines())

    def test_json_has_every_function(self):
        document = json.loads(self.write("json"))
        self.assertEqual((document["schema"], document["accounted_percent"]), ("sidestep.explain", 100))
        self.assertEqual({row["function"]: row["difference"] for row in document["functions"]},
                         {"outer": 30, "leaf": 10, "alias": -7, GUEST: 0, "handle [kvm]": 0})
        described = schemas.Checks(".", TOOL, ".")
        described.take("tools/explain", document)
        self.assertEqual([*described.faults, *described.unseen(described.counts)], [])


class Loops(unittest.TestCase):
    def test_every_operation_of_the_firmware_has_a_loop(self):
        firmware = Firmware(FIRMWARE)
        for operation in firmware.operations:
            loops = firmware.loops(operation)
            self.assertTrue(all(end < leave for end, leave in zip(loops.ends, loops.leaves)), operation)
        # One loop for VMCALL and one for VMMCALL.
        self.assertEqual(len(firmware.loops("hypercall.null.monitor").ends), 2)

    def test_another_file_is_not_taken_for_the_firmware(self):
        with self.assertRaisesRegex(Unusable, "not the firmware"):
            Firmware(TOOL)

    def test_bochs_traces_as_many_samples_as_are_asked_for(self):
        commands = bochs_commands([END, END + 16], 3).splitlines()
        self.assertEqual(commands[:2], [f'lb 0x{end:x} if "(rbp == 0) & (r14 == {SAMPLE})"' for end in (END, END + 16)])
        self.assertEqual(commands[2:], ["c", "c", "trace on", "c", "c", "c", "trace off", "del 1", "del 2", "c"])


class Stub(unittest.TestCase):
    """The gdb stub of a computer that stops at breakpoints, of which one is not the loop's."""

    def serve(self, listener, asked):
        connection, _ = listener.accept()
        stops, heard = [(1, LEAVE), (SAMPLE, LEAVE), (SAMPLE, LEAVE), (SAMPLE, LEAVE)], b""
        at, size, told = 0, 0, {"qSupported": "PacketSize=1000", "D": "OK"}
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"$T02thread:01;#xx")
            while "D" not in asked:
                heard += connection.recv(4096).replace(b"+", b"")
                while b"#" in heard and len(heard) >= heard.index(b"#") + 3:
                    packet, heard = heard[1:heard.index(b"#")].decode(), heard[heard.index(b"#") + 3:]
                    packet = bytes.fromhex(packet[6:]).decode() if packet.startswith("qRcmd,") else packet
                    asked.append(packet)
                    if packet == "c":
                        size, at = stops.pop(0)
                    words = [0] * 17
                    words[14], words[16] = size, at
                    registers = b"".join(word.to_bytes(8, "little") for word in words).hex() + "xx"
                    answer = {"g": registers, "c": "T05", "s": "T05", **told}.get(packet, "OK")
                    connection.sendall(f"${answer}#xx".encode())
            connection.recv(1)  # that the last answer has come

    def test_a_trace_lasts_whole_samples(self):
        asked = []
        with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{directory}/gdb")
            listener.listen()
            tracer = Tracer(f"{directory}/gdb", [LEAVE], SAMPLE, 2)
            tracer.start()
            self.serve(listener, asked)
            tracer.join(10)
        self.assertIsNone(tracer.failure)
        run = [f"Z1,{LEAVE:x},1", "c", f"z1,{LEAVE:x},1", "g"]
        # What is at a breakpoint makes a step before it goes on.
        expected = ["qSupported", "g", *run, "s", *run, "singlestep on", "log exec,nochain",
                    "g", "s", *run, "g", "s", *run, "log none", "singlestep off", "D"]
        self.assertEqual(asked, expected)


class Refused(unittest.TestCase):
    def refuse(self, message, *words):
        ran = subprocess.run([TOOL, *words], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual((ran.returncode, ran.stdout, len(ran.stderr.splitlines())), (2, "", 1), ran.stderr)
        self.assertRegex(ran.stderr, f"^explain: {message}")

    def test_wrong_words_are_refused_before_a_lab_boots(self):
        build = ["--build", FIRMWARE.parent.parent]
        self.refuse("the following arguments are required", "view.switch.vmfunc", "a")
        self.refuse("no.such: no such operation", *build, "no.such", "a", "b")
        self.refuse("--engine svm: the lab intel has vmx and flat", "--engine", "svm", "ref.nothing", "a", "b")
        self.refuse(".*'0' is not a number from 1 to 1000", "--count", "0", "ref.nothing", "a", "b")
        self.refuse(".*'101' is not a number from 0 to 100", "--minimum", "101", "ref.nothing", "a", "b")
        self.refuse("/nowhere/file: No such file or directory; name a file", *build, "-o", "/nowhere/file", "ref.nothing", "a", "b")


class Runs(unittest.TestCase):
    """The whole tool, with a lab that stands in for ours."""

    def run_tool(self, *words):
        with tempfile.TemporaryDirectory() as tools:
            shutil.copy(TOOL, tools)
            for name in ("explain.d", "shared.d"):
                shutil.copytree(TOOL.parent / name, f"{tools}/{name}")
            shutil.copy(pathlib.Path(__file__).with_name("fake_lab.py"), f"{tools}/lab")
            ran = subprocess.run([f"{tools}/explain", "--build", FIRMWARE.parent.parent, *words], capture_output=True,
                                 text=True, check=False, timeout=60)
            return ran.returncode, ran.stdout, ran.stderr.splitlines()

    def test_the_difference_of_two_kernels(self):
        status, said, errors = self.run_tool("ref.nothing", "40-41", "50-51")
        self.assertEqual((status, len(errors)), (0, 2), errors)
        lines = [line.split() for line in said.splitlines()]
        self.assertIn(["work", "1", "1", "40", "50", "+10"], lines)
        self.assertIn("accounted for: +10 ticks, 100.0 % of that", said.splitlines())

    def test_what_is_measured_and_not_traced_fails(self):
        status, said, errors = self.run_tool("ref.nothing", "40-41", "50-52")
        self.assertEqual((status, errors[-1]),
                         (1, "explain: only 90.9 % of the difference is accounted for, of the 95 % wanted"))
        self.assertIn("that is less than 95 %: the trace does not explain the difference", said.splitlines())
        self.assertEqual(self.run_tool("--minimum", "90", "ref.nothing", "40-41", "50-52")[0], 0)

    def test_a_lab_that_fails_ends_it_without_a_table(self):
        for ended, status in ((2, 2), (77, 77), (124, 124), (99, 99), (1, 99), (143, 99)):
            said = self.run_tool("ref.nothing", "40-41", f"status-{ended}")
            self.assertEqual(said[:2], (status, ""))
            self.assertEqual(said[2][-1], f"explain: status-{ended}: the run in the lab ended with status {ended}")

    def test_a_file_appears_when_it_is_complete(self):
        with tempfile.TemporaryDirectory() as directory:
            for kernel, there in (("status-99", []), ("50-51", ["out"])):
                self.run_tool("--format", "json", "-o", f"{directory}/out", "ref.nothing", "40-41", kernel)
                self.assertEqual([path.name for path in pathlib.Path(directory).iterdir()], there)
            self.assertEqual(json.loads(pathlib.Path(directory, "out").read_text())["measured"], 10)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
