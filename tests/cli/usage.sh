#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command line without KVM: wrong usage, help, devices that are none. Arguments: the program.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
begin "$1"

commands=(test run profile bench report views image info)

check 'unknown command' 2 "'frobnicate' is no command; see .sidestep --help" "$sidestep" frobnicate
run "$sidestep"
that 'no command: status 2' [ "$status" -eq 2 ]
that 'no command: the usage, on stderr' grep -q '^usage: sidestep' "$err"
that 'no command: nothing on stdout' [ ! -s "$out" ]
check 'help' 0 '' "$sidestep" --help
for command in "${commands[@]}"; do
	that "help names $command" grep -q "^  $command " "$out"
done
for version in --version -V; do
	check "$version" 0 '' "$sidestep" "$version"
	that "$version is a number" grep -Eq '^sidestep [0-9]+\.[0-9]+' "$out"
done
usage=$("$sidestep" --help)
for help in -h help 'help help'; do
	# shellcheck disable=SC2086 # words
	run "$sidestep" $help
	that "$help is --help" [ "$status:$(cat "$out")" = "0:$usage" ]
done
for command in "${commands[@]}"; do
	check "$command --help" 0 '' "$sidestep" "$command" --help
	that "$command --help says how to call it" grep -q "^usage: sidestep $command " "$out"
	helped=$(cat "$out")
	for words in "$command -h" "help $command"; do
		# shellcheck disable=SC2086 # words
		run "$sidestep" $words
		that "$words is $command --help" [ "$status:$(cat "$out")" = "0:$helped" ]
	done
	check "$command: unknown option" 2 "^sidestep: --frobnicate .*sidestep $command --help" \
		"$sidestep" "$command" --frobnicate
	check "$command: unknown letter" 2 '^sidestep: -Z ' "$sidestep" "$command" -Z
done
check 'a mistyped help' 2 "^sidestep: 'hlep' is no command; did you mean .sidestep help.\?$" "$sidestep" hlep
check 'help of two commands' 2 "^sidestep: help takes one COMMAND, not 'x' too$" "$sidestep" help run x
check 'help of no command' 2 "'frobnicate' is no command" "$sidestep" help frobnicate

# As wide as COLUMNS says, 80 columns where nobody says, and the words are the same.
widest() { # [COMMAND]
	"$sidestep" help "$@" | awk 'length > most { most = length } END { print most }'
}
for width in 40 60 80 133; do
	for command in '' "${commands[@]}"; do
		export COLUMNS=$width
		that "help $command, $width columns" [ "$(widest ${command:+"$command"})" -le "$width" ]
		words=$("$sidestep" help ${command:+"$command"} | xargs -d '\n' echo | tr -s ' ')
		unset COLUMNS
		that "help $command, $width columns: the words" \
			[ "$words" = "$("$sidestep" help ${command:+"$command"} | xargs -d '\n' echo | tr -s ' ')" ]
		that "help $command: 80 columns" [ "$(widest ${command:+"$command"})" -le 80 ]
	done
done
for width in '' 0 -5 wide 99999999999999999999; do
	that "COLUMNS='$width': 80 columns" [ "$(COLUMNS=$width widest run)" = "$(widest run)" ]
done
that 'one column: as narrow as can be read' [ "$(COLUMNS=1 widest run)" -le 40 ]
if command -v script >/dev/null; then
	that 'as wide as the terminal' [ "$(script -qec "stty cols 150; $sidestep help run" /dev/null </dev/null |
		tr -d '\r' | awk 'length > most { most = length } END { print most }')" -gt 100 ]
fi

# What was meant.
check 'a mistyped command' 2 "^sidestep: 'reprot' is no command; did you mean .sidestep report.\?$" "$sidestep" reprot
check 'a mistyped option' 2 '^sidestep: --ledgr is no option of this command; did you mean --ledger\? See .sidestep run --help.$' \
	"$sidestep" run --ledgr=file
check 'an option of another command' 2 '^sidestep: --diff is no option of this command, but of .report.; see .sidestep run --help.$' \
	"$sidestep" run --diff
check 'a mistyped operation' 2 "^sidestep: no operation matches 'cr0.ts.mvo'; did you mean cr0.ts.mov\? " \
	"$sidestep" test --list cr0.ts.mvo
while read -r words; do
	# shellcheck disable=SC2086 # words
	check "an option of another VMM: $words" 2 "^sidestep: -+[a-z-]+ is an option of (QEMU|kvmtool|QEMU and kvmtool), not of sidestep: " \
		"$sidestep" $words
done <<'END'
run -smp 2
run --smp=2
run guest -m 64M -smp 2
run -m 64M -kernel bzImage
run -cpu host
run -machine q35
run -hda disk
run -enable-kvm
run --cpus 2
profile -nographic
END
check 'an argument that looks like an option of another VMM' 2 '^sidestep: -x is no option' \
	"$sidestep" run --append -nographic -xy
check 'no option before one of another VMM' 2 '^sidestep: --bogus is no option' "$sidestep" run --bogus -smp 2
check 'an option of another VMM where no guest is launched' 2 '^sidestep: --smp is no option of this command; see .sidestep report --help.$' \
	"$sidestep" report --smp=2
check '-smp: what there is instead' 2 ': -c N sets the number of vCPUs$' "$sidestep" run -smp 2

for command in test bench report views info; do
	operand=()
	[[ $command == report || $command == views ]] && operand=(file)
	check "$command: unknown format" 2 "--format: 'xml' is none of: " \
		"$sidestep" "$command" --format xml "${operand[@]}"
	check "$command: format without a name" 2 '--format needs an argument' \
		"$sidestep" "$command" --format
done
check 'unknown engine' 2 "--engine: 'kvm' is not auto" "$sidestep" run --engine kvm
check 'no memory' 2 "-m: '0' " "$sidestep" run -m 0
check 'memory with an unknown suffix' 2 "-m: '12X' " "$sidestep" run -m 12X
check 'info with an operand' 2 'info takes no operand' "$sidestep" info x
check 'report without a ledger' 2 'report takes one LEDGER' "$sidestep" report
check 'run with two guests' 2 'run takes one GUEST' "$sidestep" run a b

# The catalogue is listed without KVM.
export SIDESTEP_KVM=/nonexistent
check 'test --list' 0 '' "$sidestep" test --list
that 'test --list names operations' grep -q '^cr0.ts.clts ' "$out"
check 'test --list PATTERN' 0 '' "$sidestep" test --list 'wait.*' 'ref.cpuid'
that 'test --list PATTERN lists what matches' [ "$(grep -Ec '^(wait\.|ref\.cpuid )' "$out")" -eq 5 ]
that 'test --list PATTERN lists nothing else' [ "$(wc -l <"$out")" -eq 6 ]
check 'test --list with a pattern that matches nothing' 2 "no operation matches 'nothing\*'" \
	"$sidestep" test --list 'wait.*' 'nothing*'
check 'test --list to a file' 0 '' "$sidestep" test --list -o "$scratch/list"
that 'test --list to a file: it is there' grep -q '^cr0.ts.clts ' "$scratch/list"
if command -v python3 >/dev/null; then
	check 'test --list as JSON' 0 '' "$sidestep" test --list --format json
	that 'test --list as JSON parses' python3 -m json.tool "$out"
fi

# No KVM: the device is named, and the status does not depend on who asks.
refused() { # WHAT STATUS TEXT
	local command

	for command in run bench info profile test 'test --random 3' 'test --engine flat'; do
		# shellcheck disable=SC2086 # words
		check "$1: $command" "$2" "$3" "$sidestep" $command
	done
}
refused 'no device' 77 '^sidestep: /nonexistent: No such file .*; (load the module: modprobe kvm_(intel|amd)|KVM is loaded, .*|this processor .*)$'
check 'no device: test as TAP' 77 '^sidestep: /nonexistent: No such file' "$sidestep" test --format tap
that 'no device: TAP says that all is skipped' grep -q '^1\.\.0 # SKIP needs: kvm; host: /nonexistent' "$out"
export SIDESTEP_KVM=/dev/null
refused 'another device' 99 '^sidestep: /dev/null .*is it the KVM device'
export SIDESTEP_KVM=/
refused 'a directory as device' 99 '^sidestep: /: '

# A device of somebody else: the remedy is that of its mode and group.
as_nobody() { # WHAT MODE GROUP TEXT [SETPRIV OPTION...]
	chown "0:$3" "$scratch/device"
	chmod "$2" "$scratch/device"
	check "a device $1" 77 "^sidestep: $scratch/device: Permission denied; $4" \
		env GCOV_PREFIX="$scratch/counters" \
		setpriv --reuid=65534 "${@:5}" "$scratch/program" info
}
touch "$scratch/device"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$scratch"
	export SIDESTEP_KVM=$scratch/device
	# Where the program itself is may be out of reach for others.
	cp "$sidestep" "$scratch/program"
	# A build with coverage writes its counters, and complains if it may not.
	mkdir -m 777 "$scratch/counters"
	nobody=$(id -nu 65534) group=$(getent group 1 | cut -d: -f1)
	as_nobody 'of a group' 660 1 "add yourself to its group \\(adduser $nobody $group\\) and log in again" --regid=65534 --clear-groups
	as_nobody 'of a group that the user joined after the login' 660 65534 \
		"you were added to its group $(id -ng 65534) after you logged in: log in again" --regid=1 --clear-groups
	as_nobody 'of a group without a name' 660 987654 \
		'its group 987654 has no name here: run with that group \(a container: --group-add 987654\)' --regid=65534 --clear-groups
	as_nobody 'of its owner alone' 600 1 'it is only for its owner; run as root' --regid=65534 --clear-groups
	as_nobody 'that a group may only read' 640 1 'it is only for its owner; run as root' --regid=65534 --groups=1
	# What the mode permits, and something else refuses.
	cat >"$scratch/nodev" <<'END'
#!/bin/sh
owner=$1 mode=$2 devices=$3
shift 3
mkdir -p "$devices" && mount -t tmpfs -o nodev,mode=755 tmpfs "$devices" && mknod -m "$mode" "$devices/kvm" c 10 232 &&
	chown "$owner" "$devices/kvm" && SIDESTEP_KVM=$devices/kvm exec setpriv --reuid=65534 --regid=65534 "$@"
END
	chmod +x "$scratch/nodev"
	if unshare --mount "$scratch/nodev" 0:0 666 "$scratch/devices" --clear-groups true 2>/dev/null; then
		for row in '0:1 666 --clear-groups' '0:0 666 --clear-groups' '65534:1 600 --clear-groups' '0:1 660 --groups=1'; do
			read -r owner mode groups <<<"$row"
			check "a device that its mode permits: $row" 77 ': Permission denied; its mode permits it, so something else refuses' \
				env GCOV_PREFIX="$scratch/counters" unshare --mount "$scratch/nodev" "$owner" "$mode" \
				"$scratch/devices" "$groups" "$scratch/program" info
		done
	else
		echo 'ok - a device that its mode permits # SKIP needs: mounts and device nodes'
	fi
	mkdir -m 700 "$scratch/closed"
	SIDESTEP_KVM=$scratch/closed/device check 'a device in a directory of somebody else' 77 \
		'Permission denied; its directory is not to be searched; run as root' env GCOV_PREFIX="$scratch/counters" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$scratch/program" info
else
	echo 'ok - a device of somebody else # SKIP needs: root and setpriv'
fi
unset SIDESTEP_KVM

# "-" is standard input, wherever a file is read, once.
corpus=$(realpath "${BASH_SOURCE%/*}/../fuzz/corpus")
piped=$(realpath "${BASH_SOURCE%/*}/piped.sh")
cat >"$scratch/given" <<'END'
#!/bin/sh
file=$1
shift
exec "$@" <"$file"
END
printf '#!/bin/sh\nexec "$@" <&-\n' >"$scratch/closed-input"
chmod +x "$scratch/given" "$scratch/closed-input"
for ledger in flat vmx serial-log truncated; do
	run "$sidestep" report "$corpus/ledger/$ledger"
	direct="$status $(sed "s|$corpus/ledger/$ledger|-|" "$out")"
	for way in "$piped" "$scratch/given"; do
		run "$way" "$corpus/ledger/$ledger" "$sidestep" report -
		that "report of standard input by ${way##*/}: $ledger" [ "$status $(cat "$out")" = "$direct" ]
	done
done
check 'two ledgers, one from a pipe' 0 '' \
	"$piped" "$corpus/ledger/flat" "$sidestep" report --diff - "$corpus/ledger/flat"
check 'a pipe with nothing in it' 2 '^sidestep: -: too short for a ledger$' \
	"$piped" /dev/null "$sidestep" report -
check 'standard input that is closed' 2 '^sidestep: -: Bad file descriptor; name a ledger file$' \
	"$scratch/closed-input" "$sidestep" report -
check 'a directory as standard input' 2 '^sidestep: -: Is a directory; name a ledger file$' \
	"$scratch/given" / "$sidestep" report -
printf 'views: { a = { default = "---"; }; };' >"$scratch/policy"
run "$sidestep" views "$scratch/policy"
direct="$status $(sed "s|$scratch/policy|-|" "$out" "$err")"
run "$piped" "$scratch/policy" "$sidestep" views -
that 'a policy from a pipe' [ "$status $(cat "$out" "$err")" = "$direct" ]
check 'a policy without an end' 2 '^sidestep: -: more than .* bytes are too long for a policy file$' \
	"$piped" /dev/zero "$sidestep" views -
check 'a guest without an end' 2 '^sidestep: -: .* bytes are too large for a guest image; the limit is 256 MiB$' \
	"$piped" /dev/zero "$sidestep" views "$scratch/policy" -
check 'standard input twice' 2 '^sidestep: FILE - and GUEST -: there is one standard input; name a file$' \
	"$sidestep" views - -
check 'standard input for an option and the guest' 2 '^sidestep: --views - and GUEST -: there is one' \
	"$sidestep" run --views - -
for option in --ledger --pid-file --disk; do
	check "$option -" 2 "^sidestep: $option: '-' is not the name of a file; ./- would be$" "$sidestep" run "$option" -
done
check 'a disk that is only read' 2 "^sidestep: --disk: '-' is not the name" "$sidestep" run --disk -:ro

# Ledgers that are none.
printf 'hello\n' >"$scratch/text"
head -c 5000 /dev/zero >"$scratch/zeros"
: >"$scratch/empty"
mkfifo "$scratch/fifo"
check 'report of a missing file' 2 '/missing: No such file' "$sidestep" report "$scratch/missing"
check 'report of an empty file' 2 '/empty: too short for a ledger' "$sidestep" report "$scratch/empty"
check 'report of a text' 2 '/text: ' "$sidestep" report "$scratch/text"
check 'report of zeros' 2 '/zeros: not a ledger' "$sidestep" report "$scratch/zeros"
check 'report of a directory' 2 'not a regular file' "$sidestep" report "$scratch"
check 'report of a device' 2 '/dev/zero: not a regular file' "$sidestep" report /dev/zero
check 'report of a FIFO' 2 '/fifo: not a regular file' "$sidestep" report "$scratch/fifo"
check 'report by what it does not know' 2 "--by: 'time' is not" "$sidestep" report --by time x

finish
