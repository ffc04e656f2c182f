#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tools/figures: what it adds up, and that it takes too little coverage for a failure. Arguments: the
# source directory, the compiler.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${BASH_SOURCE%/*}/lib.sh"
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
out=$scratch/out err=$scratch/err
source=$1
shift
for program in gcovr gcov-tool; do
	command -v "$program" >/dev/null && continue
	echo "skipped: needs: $program; host: not installed"
	exit 77
done
case "$("$@" --version)" in
*clang*)
	echo 'skipped: needs: gcc; host: built with clang'
	exit 77
	;;
esac

# A source tree of its own, which tools/figures takes to be the whole.
mkdir -p "$scratch"/{tools,views,devices,vmm,logs,build}
cp "$source/tools/figures" "$scratch/tools"
cd "$scratch" || exit 99
cat >logs/plain.json <<'END'
{"name": "a", "result": "OK", "stdout": "figure: faults 7\nno figure: faults 9\nfigure: fuzz inputs 3\n"}
{"name": "b", "result": "OK", "stdout": "1..1\n# figure: faults 5\nok 1\n"}
{"name": "c", "result": "SKIP"}
{"name": "d", "result": "TIMEOUT", "duration": 60.2, "stdout": "figure: nothing\n", "stderr": "waits for e\n"}
{"name": "f", "result": "FAIL", "duration": 1, "stdout": "ok 1\nnot ok 2 - two\nok 3\n"}
END
printf '{"name": "a", "result": "OK", "stdout": "figure: faults 1\\n"}\n' >logs/sanitizers.json
touch -d '1 minute ago' logs/plain.json

check 'adds up' 0 '' tools/figures -o figures.json logs
that 'a column for each suite' grep -Eq '^figure +plain +sanitizers$' "$out"
that 'equal names of a suite are added up' grep -Eq '^faults +12 +1$' "$out"
that 'names that a suite does not have' grep -Eq '^fuzz inputs +3 +-$' "$out"
that 'a test that failed, and the end of what it said' grep -qzP \
	'\nFAIL  plain: d: TIMEOUT after 60 s\n    figure: nothing\n    waits for e\n' "$out"
that 'of many checks those that failed' grep -qzP '\nFAIL  plain: f: FAIL after 1 s\n    not ok 2 - two\n$' "$out"
that 'nothing of those that passed' [ "$(grep -c '^FAIL' "$out")" = 2 ]
that 'how the tests ended' python3 -c '
import json
suite = json.load(open("figures.json"))["suites"][0]
assert suite["tests"] == {"passed": 2, "failed": 2, "skipped": 1}, suite
assert suite["figures"] == {"faults": 12, "fuzz inputs": 3}, suite'

# Two branches, of which each run takes one; the second run is that of a lab.
cat >views/choice.c <<'END'
int choice(int given)
{
	if (given > 1)
		return 5;
	return 3;
}
END
sed 's/choice/device/' views/choice.c >devices/device.c
cat >vmm/main.c <<'END'
int choice(int given);
int device(int given);

int main(int argc, char **argv)
{
	(void)argv;
	return choice(argc) + device(argc) == 0;
}
END
cd build || exit 99
for file in views/choice devices/device vmm/main; do
	mkdir -p "$(dirname $file)"
	"$@" --coverage -c "../$file.c" -o "$file.o" || exit 99
done
"$@" --coverage views/choice.o devices/device.o vmm/main.o -o program || exit 99
./program
cd ..
figures=(tools/figures -o figures.json --coverage build)
check 'coverage' 0 '' "${figures[@]}" logs
that 'half of the branches' grep -Eq '^views/ +75.0 % \(3 of 4\) +50.0 % \(1 of 2\)' "$out"
check 'too few branches' 1 '' "${figures[@]}" --minimum views logs
that 'too few branches: where' grep -Eq '^views/choice.c .* 50% +3$' "$out"
check 'too few lines' 1 '' "${figures[@]}" --minimum devices logs
check 'enough lines' 0 '' "${figures[@]}" --minimum vmm logs
GCOV_PREFIX=$scratch/lab build/program x
mkdir -p build/lab-coverage
mv "$scratch/lab$scratch/build" build/lab-coverage/intel
check 'with a lab' 0 '' "${figures[@]}" --minimum views --minimum devices --minimum vmm logs
that 'with a lab: all branches' grep -Eq '^views/ +100.0 % .*100.0 % \(2 of 2\)' "$out"
that 'with a lab: named' grep -qx 'from the host and the labs: intel' "$out"
that 'nothing is left beside the build' [ "$(echo build*)" = build ]
finish
