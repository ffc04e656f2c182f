#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Stands in for tools/lab: runs the command here, in a directory that has what a lab would, with busybox if there is one.

Its arguments go as a line of JSON into the file that FAKE_LOG names. FAKE_LAB is what goes wrong with it.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

FAILS = os.environ.get("FAKE_LAB", "")


def complain(text, status):
    sys.stderr.write(f"lab: {text}\n")
    return status


def programs(directory, build):
    """What PATH is in the lab."""
    directory.mkdir()
    busybox = shutil.which("busybox")
    if busybox:
        subprocess.run([busybox, "--install", "-s", directory], check=True)
    (directory / "python3").symlink_to(sys.executable)
    (directory / "sidestep").symlink_to(os.path.join(build, "sidestep"))
    return str(directory) if busybox else f"{directory}:{os.environ['PATH']}"


def run(command, place, path):
    """The command's status. If the lab is to fail then, it does so after two tests."""
    process = subprocess.Popen(command, cwd=place, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)

    def ended(number, _frame):
        os.killpg(process.pid, signal.SIGKILL)
        pathlib.Path(os.environ["FAKE_LOG"] + ".lab").touch()
        sys.exit(128 + number)
    signal.signal(signal.SIGTERM, ended)
    signal.signal(signal.SIGINT, ended)
    out, tests = sys.stdout.buffer, 0
    while line := process.stdout.readline():
        tests += line.startswith(b"begin ")
        if FAILS == "dies" and tests == 3:
            os.killpg(process.pid, signal.SIGKILL)
            sys.exit(complain("the command was ended after 600 s: use --timeout S to give it more", 124))
        if FAILS == "noise" and tests == 3:
            line = b"\x1b[31m and so on\n"
        out.write(line)
        out.flush()
        if FAILS == "freezes" and tests == 3:
            signal.pause()
    return process.wait()


def main():
    with open(os.environ["FAKE_LOG"], "a", encoding="utf-8") as file:
        print(json.dumps(["lab", *sys.argv[1:]]), file=file)
    if FAILS == "usage":
        return complain("--kernel ?: neither a package name nor a directory (see tools/lab --help)", 2)
    if FAILS == "boot":
        return complain("bochs ended during 'booting': no message", 99)
    words, command = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
    values = lambda option: [words[i + 1] for i, word in enumerate(words) if word == option]
    with tempfile.TemporaryDirectory(prefix="lab.") as scratch:
        place = pathlib.Path(scratch, "tmp")
        place.mkdir()
        for pair in values("--put"):
            source, _, target = pair.partition("=")
            target = place / (target or os.path.basename(source))
            target.parent.mkdir(exist_ok=True)
            shutil.copy(source, target)
        status = run(command, place, programs(pathlib.Path(scratch, "bin"), values("--build")[0]))
        for name in values("--get"):
            if not (place / name).exists() or FAILS == "files":
                return complain(f"--get {name}: does not exist in the lab after the command", 99)
            shutil.copy(place / name, name)
        if sorted(path.name for path in place.iterdir()) != sorted(
                {pathlib.Path(pair.partition("=")[2] or pair).parts[0] for pair in values("--put")} | set(values("--get"))):
            return complain(f"left: {os.listdir(place)}", 99)
    return status


sys.exit(main())
