# SPDX-License-Identifier: GPL-2.0-only
"""Runs tests on this host, one at a time."""
import contextlib
import math
import os
import selectors
import subprocess
import tempfile
import time

from cfg import ledger_names
from results import Result, Tail, Verdict, count_exits, evaluate, printable, report_command
from writers import NAME

GRACE = 30  # seconds beyond the timeout, which sidestep keeps itself
TERM_GRACE = 5  # from SIGTERM to SIGKILL
SELECT_MOST = 3600  # more would overflow


def end_process(process, grace):
    """Ends a child that has not ended: so many seconds after it was told to, without asking."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        process.kill()
        process.wait()


class Child:
    """A sidestep that runs, and what it and its guest say."""

    def __init__(self, command):
        self.out, self.err = Tail(), Tail()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, seconds):
        """Its status, negative: the signal that ended it; None if it did not end in that time."""
        try:
            return self.process.returncode if self.follow(seconds) else None
        finally:
            self.end()

    def follow(self, seconds):
        last = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
            ended = os.pidfd_open(self.process.pid)
            stack.callback(os.close, ended)
            selector.register(ended, selectors.EVENT_READ)
            for pipe, tail in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, tail)
            while self.process.poll() is None:
                if time.monotonic() > last:
                    return False
                for key, _ in selector.select(min(max(last - time.monotonic(), 0), SELECT_MOST)):
                    if key.data is not None and not self.read(key.fileobj, key.data):
                        selector.unregister(key.fileobj)
        # Whoever else has the pipe is not waited for.
        for pipe, tail in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            for _ in range(64):
                if not self.read(pipe, tail):
                    break
        return True

    @staticmethod
    def read(pipe, tail):
        try:
            data = os.read(pipe.fileno(), 1 << 16)
        except BlockingIOError:
            return False
        tail.add(data)
        return bool(data)

    def end(self):
        end_process(self.process, TERM_GRACE)
        self.process.stdout.close()
        self.process.stderr.close()


def run_test(test, options, ledger):
    start = time.monotonic()
    try:
        child = Child(test.command(options.sidestep, options.engine, test.flat, ledger))
    except OSError as error:
        return Result(test, Verdict.ERROR, f"{options.sidestep}: {error.strerror}")
    status = child.run(test.seconds + GRACE if test.seconds else math.inf)
    result = evaluate(test, status, child.out, child.err.lines(), time.monotonic() - start, GRACE)
    if os.path.exists(ledger):
        done = subprocess.run(report_command(options.sidestep, ledger), stdin=subprocess.DEVNULL, capture_output=True,
                              check=False)
        count_exits(result, done.stdout, done.stderr)
    return result


def run_all(tests, options, writer, results, progress):
    """Adds the results; as in a lab it returns what went wrong besides, here nothing."""
    with tempfile.TemporaryDirectory(prefix=NAME + ".") as scratch:
        for test, name in zip(tests, ledger_names(tests)):
            if test.skip:
                result = Result(test, Verdict.SKIP, test.skip)
            else:
                progress.show(f"{NAME}: {len(results) + 1}/{len(tests)} {printable(test.name, 48)}")
                ledger = os.path.join(options.ledger or scratch, name)
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(ledger)
                result = run_test(test, options, ledger)
                if not options.ledger:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(ledger)
                progress.show("")
            results.append(result)
            writer.add(result)
    return ""
