# SPDX-License-Identifier: GPL-2.0-only
"""Who runs the jobs: GNU parallel, here or over ssh, or Slurm. Both get a file of those that are missing, one a line."""
import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys

from words import NAME, Missing, Unusable, printable

PARALLEL_MOST = 101  # jobs that it counts
PLAIN = re.compile(r"[A-Za-z0-9_./+=:@,-]+")


def need(program, package):
    found = shutil.which(program)
    if not found:
        raise Missing(f"needs: {program}; host: not installed; on Debian: apt-get install {package}")
    return found


def wait_for(command, environment):
    """The status of a command, which a signal that ends us ends first."""
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", *command], stdin=subprocess.DEVNULL,
                               env=environment)
    try:
        return process.wait()
    except BaseException:
        # The first one keeps parallel from beginning more, the second one has it end what runs.
        while process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
        raise


def write_lines(path, lines):
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    os.replace(path + ".part", path)


def run_parallel(plan, missing, options):
    """Returns when all have ended. What became of each, its result says."""
    command = [need("parallel", "parallel"), "--joblog", os.path.join(plan.directory, "joblog"), "--no-run-if-empty",
               "--termseq", "TERM,70000,KILL,25", "--arg-file", os.path.join(plan.directory, "missing")]
    command += ["--jobs", str(options.jobs)] if options.jobs else []
    command += ["--bar"] if sys.stderr.isatty() else []
    for login in options.sshlogin:
        command += ["--sshlogin", login]
    if options.sshlogin:
        need("rsync", "rsync")
        if not PLAIN.fullmatch(plan.directory):
            raise Unusable(f"--sshlogin: {printable(plan.directory)}: has characters that a remote shell would take for "
                           "others; name another with --dir")
        # The job's directory is the second word of its line.
        command += ["--return", r"{= s/^\S+ (\S+) .*$/$1/ =}"]
    # The lines are quoted for it. How many jobs had another status than 0 is the status.
    status = wait_for(command, {**os.environ, "PARALLEL_SHELL": "/bin/sh"})
    if status > PARALLEL_MOST or status < 0:
        raise Unusable(f"parallel ended with status {status}")


def slurm_script(plan, tasks, options):
    missing = shlex.quote(os.path.join(plan.directory, "missing"))
    at_a_time = f"%{options.jobs}" if options.jobs else ""
    return f"""#!/bin/sh
#SBATCH --array=1-{tasks}{at_a_time}
#SBATCH --open-mode=append
# Each task has every {tasks}th line of the jobs that were missing as this was written.
sed -n "${{SLURM_ARRAY_TASK_ID}}~{tasks}p" {missing} | sh
"""


def run_slurm(plan, missing, options):
    """Returns when the array has ended, or, with --no-wait, when it has been submitted."""
    need("sbatch", "slurm-client")
    script = os.path.join(plan.directory, "array.sh")
    write_lines(script, [slurm_script(plan, min(len(missing), options.tasks), options).rstrip("\n")])
    # A name may have blanks, which the script has no quotes for.
    output = plan.directory.replace("%", "%%") + "/slurm-%A_%a.out"
    command = ["sbatch", "--parsable", f"--job-name={plan.name}", f"--output={output}", *options.sbatch, *([] if options.no_wait else ["--wait"]), script]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)
    number = done.stdout.strip().split(";")[0]
    # With --wait the status is that of the worst task.
    if not number:
        raise Unusable(f"sbatch: {printable(done.stderr) or f'status {done.returncode}'}")
    print(f"{NAME}: job array {number} of Slurm", file=sys.stderr)


ENGINES = {"parallel": run_parallel, "slurm": run_slurm}
