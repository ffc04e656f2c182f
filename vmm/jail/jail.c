/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/jail/jail.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/jail/landlock.h"

/* poll(2) takes no more descriptors than RLIMIT_NOFILE has, even if there are no new ones. */
#define DESCRIPTORS_POLLED 16

static atomic_bool sealed;

/* Asked by the sanitizers at the end, if they are there. The search for leaks needs another process, ptrace and
 * /proc; runs without a jail have it. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return sealed;
}

/* The counters of coverage go to files at the end, so that build does without. */
static int usable_landlock(const char **ret_reason)
{
#ifdef SIDESTEP_COVERAGE
	*ret_reason = "not used by a build that measures coverage";
	return 0;
#else
	int abi = landlock_abi();

	*ret_reason = abi == -EOPNOTSUPP ? "turned off when this kernel was booted" : "not in this kernel";
	return abi < 0 ? 0 : abi;
#endif
}

void jail_probe(struct jail_support *support)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;
	const char *reason;

	*support = (struct jail_support){.landlock_abi = usable_landlock(&reason)};
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0)
		snprintf(support->seccomp, sizeof(support->seccomp),
			 "no seccomp filters in this kernel (%s)", strerror(errno));
	if (support->landlock_abi == 0)
		snprintf(support->landlock, sizeof(support->landlock), "%s", reason);
}

const char *jail_landlock_text(const struct jail_support *support, char text[80])
{
	if (support->landlock[0])
		snprintf(text, 80, "missing: %s", support->landlock);
	else
		snprintf(text, 80, "abi %d", support->landlock_abi);
	return text;
}

/* The C library has both, and no header of its own for them. */
int capget(struct __user_cap_header_struct *header, struct __user_cap_data_struct *sets);
int capset(struct __user_cap_header_struct *header, const struct __user_cap_data_struct *sets);

/* Only with CAP_SETPCAP may the bounding set shrink. Without new privileges it is of no use to anybody. */
static int drop_bounding_set(void)
{
	/* Behind the last that this kernel knows it is EINVAL. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	return errno == EPERM || errno == EINVAL ? 0 : -errno;
}

/* Leaves those of `kept` that the thread has already; none is raised. */
static int drop_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	int rc = drop_bounding_set();

	if (rc != 0)
		return rc;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 || capget(&header, sets) != 0)
		return -errno;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t left = sets[i].permitted & (uint32_t)(kept >> 32 * i);

		sets[i] = (struct __user_cap_data_struct){.permitted = left, .effective = left};
	}
	return capset(&header, sets) == 0 ? 0 : -errno;
}

static int filter_calls(const struct jail_thread *thread)
{
	struct jail_filter filter;
	int rc = jail_filter(thread, &filter);

	return rc == 0 ? jail_filter_load(&filter) : rc;
}

/* How long the file behind standard output or error may get; 0: it is none. */
static uint64_t output_limit(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode)
		       ? (uint64_t)status.st_size + JAIL_OUTPUT_MAX
		       : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int limit(int resource, uint64_t value)
{
	struct rlimit now, wanted;

	if (getrlimit(resource, &now) != 0)
		return -errno;
	wanted.rlim_cur = value < now.rlim_cur ? value : now.rlim_cur;
	wanted.rlim_max = value < now.rlim_max ? value : now.rlim_max;
	return setrlimit(resource, &wanted) == 0 ? 0 : -errno;
}

/* Not RLIMIT_NPROC: where it is reached, KVM_RUN cannot start its helper thread (Linux 6.14 and later). */
static int limit_process(uint64_t file_size, uint64_t descriptors)
{
	uint64_t output = larger(output_limit(STDOUT_FILENO), output_limit(STDERR_FILENO));
	int rc = limit(RLIMIT_CORE, 0);

	if (rc == 0)
		rc = limit(RLIMIT_NOFILE, larger(descriptors, DESCRIPTORS_POLLED));
	/* A write beyond it then fails like one to a full device. */
	signal(SIGXFSZ, SIG_IGN);
	if (rc == 0)
		rc = limit(RLIMIT_FSIZE, larger(file_size, output));
	return rc;
}

static int failed(struct error *error, int rc, const char *what)
{
	return error_set(error, rc, STATUS_INTERNAL, "the jail could not be closed: %s: %s", what,
			 strerror(-rc));
}

int jail_enter(const struct jail_thread *thread, struct error *error)
{
	const char *reason;
	int abi = usable_landlock(&reason), rc;

	if (thread->mode == JAIL_NONE)
		return 0;
	sealed = true;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed(error, -errno, "PR_SET_NO_NEW_PRIVS");
	/* The process that writes a file needs the rights of the user to do so. */
	rc = thread->role == JAIL_ROLE_WRITER ? 0 : drop_capabilities(thread->capabilities);
	if (rc != 0)
		return failed(error, rc, "capabilities");
	rc = abi > 0 && !thread->looks_out ? landlock_confine(abi, thread->directory) : 0;
	if (rc != 0)
		return failed(error, rc, "Landlock");
	rc = thread->limits ? limit_process(thread->file_size, thread->descriptors) : 0;
	if (rc != 0)
		return failed(error, rc, "resource limits");
	rc = thread->mode == JAIL_OFF ? 0 : filter_calls(thread);
	if (rc != 0)
		return failed(error, rc, "seccomp");
	return 0;
}
