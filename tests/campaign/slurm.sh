#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# slurm.sh SIDESTEP: a campaign as a job array of Slurm, on demand. Starts munged, slurmctld and slurmd on the loopback
# of namespaces of its own, runs the jobs, ends one of them in the middle, and runs the campaign again. As root, without
# systemd; needs the Debian packages slurmctld slurmd slurm-client munge iproute2.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
# Names, addresses and processes of nobody else.
[ "${APART-}" ] || APART=1 exec unshare --uts --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
begin "$1"
build=${sidestep%/*}
tool=$(realpath "${BASH_SOURCE%/*}")/../../tools/campaign
needs_kvm
for program in munged slurmctld slurmd sbatch ip; do
	command -v "$program" >/dev/null && continue
	echo "skipped: needs: $program; host: not installed; on Debian:" \
		"apt-get install slurmctld slurmd slurm-client munge iproute2"
	exit 77
done
cd "$scratch" || exit 99
chmod 711 .
mkdir state spool

# A name is looked up only where there is an address that is not the loopback's.
hostname localhost
ip link set lo up
ip link add other type dummy 2>/dev/null || ip link add other type veth peer name another
ip addr add 192.0.2.1/32 dev other
ip link set other up

head -c 1024 /dev/urandom >key
chmod 400 key
cat >slurm.conf <<END
ClusterName=loopback
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$scratch/munge.socket
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
SlurmctldLogFile=$scratch/slurmctld.log
SlurmdLogFile=$scratch/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$scratch/slurm.conf
munged --foreground --force --key-file="$scratch/key" --socket="$scratch/munge.socket" --pid-file="$scratch/munge.pid" \
	--log-file="$scratch/munge.log" --seed-file="$scratch/munge.seed" >munged.out 2>&1 &
slurmctld -D >slurmctld.out 2>&1 &
slurmd -D -N localhost >slurmd.out 2>&1 &

# await SECONDS COMMAND...
await() {
	local end=$((SECONDS + $(patient "$1")))

	until "${@:2}"; do
		((SECONDS < end)) || return
		sleep 0.1
	done
}
# shellcheck disable=SC2317 # called through await
node_is_idle() {
	[ "$(sinfo --noheader --format=%t 2>/dev/null)" = idle ]
}
await 30 node_is_idle || {
	fail 'the node is there' "$(tail -n 3 munged.out slurmctld.out slurmd.out)"
	finish
}
pass 'the node is there'

cat >plan.ini <<END
[flat]
run = random
programs = 60000
engine = flat
jobs = 6
END
campaign=("$tool" plan.ini --engine slurm --build "$build" --dir "$scratch/campaign")
results() {
	stat -c '%n %i %y' campaign/jobs/*/result.json
}
# shellcheck disable=SC2317 # called through await
is_running() {
	[ "$(squeue --noheader --array --states=RUNNING --format=%K 2>/dev/null | grep -cx "$1")" -eq 1 ] &&
		pgrep -f "shard $1/6" >/dev/null
}

LIMIT=300
run "${campaign[@]}" &
await 60 is_running 3
task=$(squeue --noheader --array --states=RUNNING --format=%A_%K | grep '_3$')
array=$(squeue --noheader --array --states=RUNNING,PENDING --format=%F | head -n 1)
scancel "${array}_3"
wait $!
that "task ${task:-none} was ended while it ran" [ -n "$task" ]
check 'what is left' 99 '' "$tool" plan.ini --report --build "$build" --dir "$scratch/campaign"
that 'one is missing' grep -Eq '^plan: 6 jobs, 5 done, 0 skipped, 1 missing; no differences$' "$out"
that 'it is that one' grep -Eq '^flat\.3 is missing: ' "$out"
that 'nothing of it runs' [ -z "$(pgrep -f 'shard 3/6')" ]
results >before
run "${campaign[@]}"
that 'again' [ "$status" -eq 0 ]
that 'again: all are done' grep -Eq '^plan: 6 jobs, 6 done, 0 skipped, 0 missing; no differences$' "$out"
that 'again: the counts add up' grep -Eq '^flat +random +6 +6 +60000 programs +0 ' "$out"
that 'again: one task' grep -qx '#SBATCH --array=1-1' campaign/array.sh
results >after
that 'again: the others were not run again' [ "$(comm -13 before after | grep -c .)" -eq 1 ]
run "${campaign[@]}"
that 'nothing is left to submit' [ "$status" -eq 0 ]

# More jobs than an array has tasks, and nobody waits.
printf '[many]\nrun = command\njobs = 10\ncommand = true\n' >plan.ini
campaign=("$tool" plan.ini --build "$build" --dir "$scratch/many")
run "${campaign[@]}" --engine slurm --tasks 4 --no-wait
that 'submitted' [ "$status" -eq 0 ]
that 'submitted: nothing was reported' [ ! -s "$out" ]
that 'submitted: four tasks' grep -qx '#SBATCH --array=1-4' many/array.sh
# shellcheck disable=SC2317 # called through await
all_are_done() {
	"${campaign[@]}" --report >"$out" 2>"$err"
}
await 60 all_are_done
that 'submitted: all are done in the end' grep -qx 'plan: 10 jobs, 10 done, 0 skipped, 0 missing; no differences' "$out"
finish
