#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Shows that outputs.py refuses what it is to refuse, and how it writes a block anew."""
import contextlib
import io
import pathlib
import sys
import tempfile

import outputs

TABLE = """engine vmx on kvm_intel (Linux 6.1.0-56-cloud-amd64), 1 VM

OPERATION             N L0 MON VMM PLACEMENT   MIN MEDIAN   P99
view.switch.vmfunc 1000  1   0   0 l0         1429   1429  1489
view.switch.vmcall 1000  3   1   0 monitor   12013  12133 18521
cr0.ts.mov         1000  0   0   0 cpu         5.0    5.0   5.0
at 0x100a3d op_view_store+0x2d

OPERATION       L0 MON VMM MEDIAN A MEDIAN B CHANGE
cr0.ts.mov.kept  2   1   0     9416     9840  +4.5%
end""".splitlines()


def block(mark, body, language="console"):
    with tempfile.NamedTemporaryFile("w", suffix=".md") as file:
        file.write(f"Text.\n\n{mark}```{language}\n{body}```\n")
        file.flush()
        return outputs.Document(pathlib.Path(file.name)).blocks[0]


def script(source):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        outputs.script("intel", source)
    return out.getvalue()


def changed(old, new):
    assert any(old in line for line in TABLE), old
    return [line.replace(old, new) for line in TABLE]


def same(old, new, place="intel", any_ticks=False):
    found = block(f"<!-- run: {place} -->\n", "$ true\n")
    return outputs.Comparison(found, any_ticks).lines(old, new) is None


GAP = outputs.GAP
ACCEPTED = {
    "what is the same": (TABLE, TABLE),
    "another build of the kernel": (TABLE, changed("6.1.0-56", "6.1.0-57")),
    "ticks within 3 %": (TABLE, changed("12133 18521", "12490 18521")),
    "ticks within two steps of a clock": (TABLE, changed("1429   1429", "1429   1549")),
    "a 99th percentile within a factor of 2": (TABLE, changed("18521", "10013")),
    "a change within 3 points": (TABLE, changed("9416     9840  +4.5%", "9600     9840  +2.5%")),
    "a big change": ([*TABLE[:-1], TABLE[-2].replace("+4.5", "+457204.4"), GAP],
                     [*TABLE[:-1], TABLE[-2].replace("+4.5", "+458859.1"), TABLE[-1]]),
    "a wider column": (TABLE, changed("vmfunc 1000", "vmfunc   1000")),
    "another offset in a function": (TABLE, changed("0x100a3d op_view_store+0x2d", "0x100b00 op_view_store+0x40")),
    "lines left out": ([TABLE[0], GAP, TABLE[3], GAP, "end"], TABLE),
    "nothing left out": ([GAP, *TABLE, GAP], TABLE),
    "ticks beside a column left out": (changed("12133 18521", f"12133 {GAP}"), changed("12133 18521", "12490 69559")),
    "a part of a line left out": ([GAP, f"view.switch.vmcall 1000 {GAP} 18521", GAP], TABLE),
}
REFUSED = {
    "another line": (TABLE, changed("PLACEMENT", "PLACE")),
    "another number of exits": (TABLE, changed("3   1   0 monitor", "4   1   0 monitor")),
    "another number of repetitions": (TABLE, changed("vmcall 1000", "vmcall 1001")),
    "another kernel": (TABLE, changed("6.1.0-56", "6.12.0")),
    "ticks beyond 3 %": (TABLE, changed("12133", "12508")),
    "few ticks beyond 3 %": (TABLE, changed("5.0    5.0", "5.0    5.2")),
    "ticks beyond two steps of a clock": (TABLE, changed("1429   1429", "1429   1550")),
    "a 99th percentile beyond a factor of 2": (TABLE, changed("18521", "40000")),
    "a change beyond 3 points": (TABLE, changed("+4.5%", "+7.6%")),
    "a function on another page": (TABLE, changed("0x100a3d", "0x101a3d")),
    "a line more": (TABLE, [*TABLE, "more"]),
    "a line less": (TABLE, TABLE[:-1]),
    "the wrong order": ([GAP, TABLE[4], GAP, TABLE[3], GAP], TABLE),
    "no gap where lines are left out": ([TABLE[0], TABLE[3], GAP], TABLE),
    "a line that is not there": ([GAP, "view.switch.vmfunc 1000 2 0 0 l0 1429 1429 1489", GAP], TABLE),
    "ticks beyond 3 % beside a column left out": (changed("12133 18521", f"12133 {GAP}"), changed("12133", "12508")),
    "exits beside a column left out": (changed("12133 18521", f"12133 {GAP}"), changed("3   1   0", "4   1   0")),
    "another part of a line": ([GAP, f"view.switch.vmcall 1000 {GAP} 18522", GAP], TABLE),
}
RUN = "<!-- run: intel -->\n"
SOUND = {
    "a run": (RUN, "$ true\n", "console"),
    "a record": ("<!-- record: Linux 6.1, sidestep 0.1.0 -->\n", "output\n", ""),
    "commands": ("", "true\n", "sh"),
}
UNSOUND = {
    "an output without a mark": ("", "$ true\n", "console"),
    "one in no language": ("", "output\n", ""),
    "one in JSON": ("", "{}\n", "json"),
    "a record of nothing": ("<!-- record: once -->\n", "output\n", ""),
    "a place that there is not": ("<!-- run: mars -->\n", "$ true\n", "console"),
    "an unknown parameter": ("<!-- run: intel; tick last -->\n", "$ true\n", "console"),
    "a run without a command": (RUN, "output\n", "console"),
}


def main():
    faults = []

    def expect(what, wanted, found):
        if wanted != found:
            faults.append(f"{what}: {found!r}, not {wanted!r}")

    for what, (old, new) in ACCEPTED.items():
        expect(what, True, same(old, new))
    for what, (old, new) in REFUSED.items():
        expect(what, False, same(old, new))
    expect("ticks on a host", False, same(TABLE, changed("1429   1429", "1430   1429"), place="kvm"))
    expect("ticks of another build", True, same(TABLE, changed("12133", "20000"), any_ticks=True))
    expect("exits of another build", False, same(TABLE, changed("3   1   0", "4   1   0"), any_ticks=True))
    for what, arguments in SOUND.items():
        expect(what, None, block(*arguments).fault())
    for what, arguments in UNSOUND.items():
        expect(what, True, block(*arguments).fault() is not None)

    new = changed("12133", "13000")
    expect("written anew", new, outputs.merged(TABLE, new))
    with tempfile.TemporaryDirectory() as directory:
        source, other = pathlib.Path(__file__).parents[2], pathlib.Path(directory) / "elsewhere"
        other.symlink_to(source)
        expect("a script of a checkout elsewhere", script(source), script(other))
    short = [TABLE[0], GAP, TABLE[4], GAP, "end"]
    expect("with what is left out", [new[0], GAP, new[4], GAP, "end"], outputs.merged(short, new))
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
