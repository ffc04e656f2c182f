# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's gdb stub, as far as switching a trace on and off takes it."""
import socket
import struct
import threading
import time

REGISTERS = struct.Struct("<17Q")  # rax rbx rcx rdx rsi rdi rbp rsp, r8 to r15, rip
R14, RIP = 14, 16


class Stub:
    def __init__(self, path):
        self.socket, self.heard = socket.socket(socket.AF_UNIX), b""
        self.socket.connect(path)

    def hear(self):
        """The next packet: $DATA#XX."""
        while True:
            begin = self.heard.find(b"$")
            end = self.heard.find(b"#", begin)
            if 0 <= begin < end <= len(self.heard) - 3:
                packet, self.heard = self.heard[begin + 1:end], self.heard[end + 3:]
                self.socket.sendall(b"+")
                return packet.decode()
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError
            self.heard += data

    def send(self, text):
        data = text.encode()
        self.socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xff))

    def ask(self, text):
        self.send(text)
        return self.hear()

    def begin(self):
        """That we have come stops the computer, which is told unasked."""
        self.send("qSupported")
        while not self.hear().startswith("PacketSize"):
            pass

    def monitor(self, command):
        self.send("qRcmd," + command.encode().hex())
        while self.hear() != "OK":
            pass

    def registers(self):
        return REGISTERS.unpack_from(bytes.fromhex(self.ask("g").replace("x", "0")))

    def run_to(self, addresses, size):
        """Until a loop of so many repetitions is at one of them, and not for the first time: what is at a breakpoint
        would stop there again at once. Another program may have code there."""
        registers = self.registers()
        while True:
            if registers[RIP] in addresses:
                self.ask("s")
            for address in addresses:
                self.ask(f"Z1,{address:x},1")
            self.ask("c")
            for address in addresses:
                self.ask(f"z1,{address:x},1")
            registers = self.registers()
            if registers[RIP] in addresses and registers[R14] == size:
                return


class Tracer(threading.Thread):
    """Has QEMU trace `samples` loops of `size` repetitions: from the end of the first one on, since a stop in between
    would have the devices' timers end there, and what they cause be part of a repetition."""

    def __init__(self, path, leaves, size, samples):
        super().__init__(daemon=True)
        self.path, self.leaves, self.size, self.samples = path, leaves, size, samples
        self.over, self.failure = threading.Event(), None

    def connect(self):
        while not self.over.is_set():
            try:
                return Stub(self.path)
            except OSError:
                time.sleep(0.1)
        raise EOFError

    def run(self):
        try:
            stub = self.connect()
            with stub.socket:
                self.trace(stub)
        except (OSError, EOFError, ValueError, struct.error) as error:
            self.failure = error

    def trace(self, stub):
        stub.begin()
        stub.run_to(self.leaves, self.size)
        stub.monitor("singlestep on")
        stub.monitor("log exec,nochain")
        for _ in range(self.samples):
            stub.run_to(self.leaves, self.size)
        stub.monitor("log none")
        stub.monitor("singlestep off")
        stub.ask("D")
