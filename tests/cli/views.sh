#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Policy files on the command line: what `views` prints and warns of, what `run --views` refuses and does.
# Arguments: the program, the examples, the guest of the trampoline example, a compiler.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"
examples=$(realpath "$2") trampoline=$(realpath "$3") compiler=$4
cd "$scratch" || exit 99

policy() { # name; the text is on standard input
	cat >"$1.views"
}

# judge_lines NAME STATUS REGEX...: the last command had that status, and its lines on standard error match
# the regular expressions, one each.
judge_lines() {
	local name=$1 wanted=$2 regex
	local -a lines
	shift 2
	mapfile -t lines <"$err"
	if [ "$status" -ne "$wanted" ]; then
		fail "$name" "expected status $wanted"
	elif [ "${#lines[@]}" -ne $# ]; then
		fail "$name" "expected $# lines on stderr"
	else
		for regex in "$@"; do
			if [[ ! ${lines[0]} =~ $regex ]]; then
				fail "$name" "'${lines[0]}' does not match: $regex"
				return
			fi
			lines=("${lines[@]:1}")
		done
		pass "$name"
	fi
}

if command -v python3 >/dev/null; then
	json() { # name, python expression over the document `d`
		that "$1" python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' \
			"$out" "$2"
	}
else
	json() {
		echo "ok - $1 # SKIP needs: python3"
	}
fi

# --- Without KVM.
export SIDESTEP_KVM=/nonexistent
check 'views without a file' 2 'views takes a policy FILE' "$sidestep" views
check 'views with three operands' 2 'views takes a policy FILE' "$sidestep" views a b c
check 'views: unknown format' 2 "--format: 'xml' is none of" "$sidestep" views --format xml x
check 'views: no such file' 2 'missing: No such file' "$sidestep" views missing
check 'views: a directory' 2 'not a regular file' "$sidestep" views .
check 'views: no such guest' 2 'missing: No such file' "$sidestep" views "$examples/trampoline.views" missing
check 'views: too little memory' 2 '-m: 4096 bytes are no guest memory' \
	"$sidestep" views -m 4K "$examples/trampoline.views"

check 'trampoline: clean' 0 '' "$sidestep" views "$examples/trampoline.views" "$trampoline"
that 'trampoline: a line for each view' grep -Eq '^ +1 service +64K +52K +8K ' "$out"
that 'trampoline: rights of a region' grep -Eq '^gate +0x[0-9a-f]+ +4K r-x +r-x *$' "$out"
that 'trampoline: a remap' grep -Eq '^boot .* rw- of service-tables' "$out"
that 'trampoline: what is shared' grep -Eq '^ *0x[0-9a-f]+ +4K transit +kernel, service' "$out"
that 'trampoline: the cost' grep -Eq '^tables: [0-9]+ of 4 KiB' "$out"
that 'trampoline: whose rights' grep -q '^engine vmx: ept (assumed' "$out"
check 'trampoline as JSON' 0 '' "$sidestep" views --format json --engine svm "$examples/trampoline.views" \
	"$trampoline"
json 'JSON: head' 'd["schema"] == "sidestep.views" and d["engine"] == "svm" and d["format"] == "npt"'
json 'JSON: views' '[v["name"] for v in d["views"]] == ["kernel", "service"]'
json 'JSON: what a view sees' 'd["views"][1]["readable"] == 64 << 10 and d["views"][1]["writable"] == 52 << 10'
json 'JSON: gates' 'all(v["gates"] == ["gate"] for v in d["views"])'
json 'JSON: tables' 'd["tables"]["count"] == sum(v["own_tables"] for v in d["views"])'
json 'JSON: rights' 'd["views"][1]["rights"]["boot"] == "rw-" and d["views"][1]["default"] == "---"'
json 'JSON: remap' 'd["views"][1]["remap"]["boot"] == [r["address"] for r in d["regions"] if r["name"] == "service-tables"][0]'
json 'JSON: sharing' '[s["written_in"] for s in d["shared"] if s["region"] == "transit"] == [[0, 1]]'
json 'JSON: nothing wrong' 'd["errors"] == d["warnings"] == 0 and d["diagnostics"] == []'
check 'views to a file' 0 '' "$sidestep" views -o table "$examples/trampoline.views" "$trampoline"
that 'views to a file: it is there' grep -q '^policy ' table
check 'views to a full device' 99 'No space left' \
	"$sidestep" views -o /dev/full "$examples/trampoline.views" "$trampoline"

policy careless <<'END'
views: {
	kernel = { default = "rwx"; };
	driver = { default = "r--"; rights = { stacks = "rw-"; context = "rw-"; }; };
};
END
run "$sidestep" views careless.views "$trampoline"
judge_lines 'warnings, with places' 1 \
	'^careless\.views:2:23: warning: .*kernel. can be entered at 0x[0-9a-f]+ \(call_service\+0x[0-9a-f]+\).*\[vmfunc-outside-gate\]$' \
	'^careless\.views:2:23: warning: .*\[write-execute\]$' \
	'^careless\.views:3:23: warning: .*driver. keeps boot .*\[need\]$'
run "$sidestep" views --format json careless.views "$trampoline"
that 'warnings as JSON: status' [ "$status" -eq 1 ]
json 'warnings as JSON' 'd["warnings"] == 3 and d["diagnostics"][2] == {"severity": "warning", "line": 3, "column": 23, "key": "need", "text": d["diagnostics"][2]["text"]}'

policy wrong <<'END'
regions: { a = { address = 0x200000; size = 0x1000; }; };
views: {
	kernel = { default = "rwx"; rights = { b = "r--"; }; };
	driver = { default = "-w-"; };
};
END
run "$sidestep" views wrong.views
judge_lines 'errors, with places' 2 \
	'^wrong\.views:3:41: error: there is no region .b. \[unknown-region\]$' \
	'^wrong\.views:4:23: error: engine vmx cannot give "-w-".*--lenient.*\[write-without-read\]$' \
	'^sidestep: wrong\.views: 2 errors in this policy$'
that 'errors: nothing on stdout' [ ! -s "$out" ]
run "$sidestep" views --format json wrong.views
that 'errors as JSON: status' [ "$status" -eq 2 ]
json 'errors as JSON' 'd["errors"] == 2 and "views" not in d and d["diagnostics"][0]["line"] == 3'

# Rights that not every engine can withhold.
run "$sidestep" views --engine flat "$examples/trampoline.views" "$trampoline"
that 'flat engine: refused' [ "$status" -eq 2 ]
that 'flat engine: why' grep -q 'trampoline.views:[0-9]*:[0-9]*: error: engine flat cannot give "rw-"' "$err"
run "$sidestep" views --engine flat --lenient "$examples/trampoline.views" "$trampoline"
that 'flat engine, leniently: warnings' [ "$status" -eq 1 ]
that 'flat engine, leniently: each with its place' \
	grep -q 'trampoline.views:[0-9]*:[0-9]*: warning: .*gives "rwx" \[rights-widened\]' "$err"
that 'flat engine, leniently: what is given' grep -Eq '^transit .* rwx +rwx *$' "$out"
policy execute <<'END'
views: { v = { default = "--x"; }; };
END
for engine in vmx svm flat; do
	run "$sidestep" views --engine "$engine" execute.views
	that "execute-only is refused: $engine" [ "$status" -eq 2 ]
done

# Violations as exceptions, which no KVM gives a nested guest.
policy exceptions <<'END'
views: {
	kernel = { default = "rwx"; wx = true; };
	driver = { default = "r--"; rights = { boot = "rw-"; context = "rw-"; stacks = "rw-"; };
		suppress = [ "window-tag" ]; ve = true; };
};
END
for engine in vmx svm; do
	run "$sidestep" views --engine "$engine" exceptions.views "$trampoline"
	judge_lines "exceptions are refused: $engine" 2 \
		"^exceptions\\.views:4:37: error: engine $engine cannot: violations as #VE need .* \\(sidestep image --engine vmx\\); --lenient lets them exit \\[ve-unknown\\]\$" \
		'^sidestep: exceptions\.views: 1 error in this policy$'
done
run "$sidestep" views --lenient --format json exceptions.views "$trampoline"
that 'exceptions, leniently: a warning' [ "$status" -eq 1 ]
json 'exceptions, leniently: withheld' \
	'[(w["line"], w["column"], w["text"]) for w in d["diagnostics"] if w["key"] == "ve-withheld"] == [(4, 37, "engine vmx has no #VE here; violations of view \x27driver\x27 exit instead")]'
json 'exceptions, leniently: no view has them' 'all(v["ve"] is False and v["suppress"] == [] for v in d["views"])'
json 'exceptions, leniently: nor needs their page' 'all(w["key"] != "ve-page" for w in d["diagnostics"])'

# What an image is for can have them, whatever this host offers.
run "$sidestep" views --image --format json exceptions.views "$trampoline"
that 'exceptions in an image: warnings' [ "$status" -eq 1 ]
json 'exceptions in an image: which view has them' \
	'[(v["ve"], v["suppress"]) for v in d["views"]] == [(False, []), (True, ["window-tag"])]'
json 'exceptions in an image: the page that they need' \
	'[w["line"] for w in d["diagnostics"] if w["key"] == "ve-page"] == [3] and d["errors"] == 0'
run "$sidestep" views --image exceptions.views "$trampoline"
that 'exceptions in an image: shown' grep -Eq '^\(rest\) +rwx +r-- ve$' "$out"
that 'exceptions in an image: not where they are suppressed' grep -Eq '^window-tag +0xe0000 +4K rwx +r--$' "$out"
run "$sidestep" views --image --engine svm exceptions.views "$trampoline"
that 'exceptions in an image for AMD: refused' [ "$status" -eq 2 ]
check 'an image without a monitor' 2 '^sidestep: --image: an image has a monitor: --engine vmx or svm$' \
	"$sidestep" views --image --engine flat exceptions.views

# As many views as a list has, each with a page of its own.
{
	echo 'regions: {'
	for ((i = 0; i < 512; i++)); do
		echo "r$i = { address = $((0x400000 + 4096 * i)); size = 4096; };"
	done
	echo '}; views: {'
	for ((i = 0; i < 512; i++)); do
		echo "v$i = { default = \"r--\"; rights = { r$i = \"rw-\"; boot = \"rw-\"; context = \"---\"; stacks = \"---\"; }; };"
	done
	echo '};'
} | policy many
run "$sidestep" views --format json many.views
json '512 views' 'len(d["views"]) == 512 and d["warnings"] == 1 and d["diagnostics"][0]["key"] == "start"'
json '512 views: sharing' 'sum(len(s["written_in"]) == 1 and len(s["also_seen_in"]) == 511 for s in d["shared"]) == 512'
unset SIDESTEP_KVM

# --- On the host's KVM.
if ! "$sidestep" info >/dev/null 2>&1; then
	echo 'ok - run --views # SKIP needs: kvm'
	finish
fi
flat=("$sidestep" run --engine flat --timeout "$(patient 20)")
run "${flat[@]}" --views wrong.views --ledger ledger
that 'run: a wrong file is refused' [ "$status" -eq 2 ]
that 'run: with the places' grep -q '^wrong.views:3:41: error: ' "$err"
that 'run: nothing was run' [ ! -e ledger ]
run "${flat[@]}" --views "$examples/trampoline.views" --ledger ledger "$trampoline"
that 'run: rights the engine cannot withhold' [ "$status" -eq 2 ]
that 'run: the remedy is named' grep -q -- '--lenient grants what it cannot withhold' "$err"
that 'run: nothing was run either' [ ! -e ledger ]
check 'run: no such policy file' 2 'missing: No such file' "${flat[@]}" --views missing
run "${flat[@]}" --lenient --views "$examples/trampoline.views" --ledger ledger "$trampoline"
that 'run: leniently' [ "$status" -eq 0 ]
that 'run: what was widened' grep -q ': warning: .*\[rights-widened\]$' "$err"
that 'run: the guest is content' grep -qx "ok: the service cannot write the kernel's memory" "$out"
"$sidestep" report --format json ledger >"$out"
json 'run: names of the views in the ledger' \
	'sorted(v["view_name"] for v in d["violations"]) == ["kernel", "service"]'

policy plain <<'END'
views: { only = { default = "rwx"; }; };
END
run "${flat[@]}" --views plain.views
that 'run: the built-in firmware' [ "$status" -eq 0 ]
that 'run: what it cannot do then' \
	grep -q 'needs: default views; host: --views replaces them' "$out"
that 'run: and what it can' grep -q '^cr0.ts.clts ' "$out"

# The page of devices is part of a view.
cat >device.s <<'END'
	.globl _start
_start:	movabs $0xd0000000, %rbx
	mov (%rbx), %rax
	inc %rax	# all ones become 0
	out %al, $0xf4
END
"$compiler" -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-Ttext-segment=0x100000 -o device device.s
check 'device: shown' 239 'guest exit status 239' "${flat[@]}" --views plain.views device
policy withheld <<'END'
views: { only = { default = "rwx"; rights = { device = "---"; }; }; };
END
check 'device: withheld' 0 '' "${flat[@]}" --views withheld.views device

finish
