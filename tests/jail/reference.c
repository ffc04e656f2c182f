/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/jail/reference.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOW32 UINT64_C(0xffffffff)

static struct scmp_arg_cmp comparison(const struct jail_condition *condition, uint64_t file_size)
{
	if (condition->test == JAIL_INSIDE)
		return (struct scmp_arg_cmp){condition->argument, SCMP_CMP_LE,
					     file_size - condition->value, 0};
	return (struct scmp_arg_cmp){condition->argument, SCMP_CMP_MASKED_EQ, condition->mask,
				     condition->value};
}

static int add_rule(scmp_filter_ctx filter, const struct jail_rule *rule, const struct jail_thread *thread)
{
	uint32_t subject = (uint32_t)thread->subject[rule->subject];
	struct scmp_arg_cmp arguments[3];
	unsigned count = 0;
	int rc;

	if (rule->subject != JAIL_SUBJECT_ANY)
		arguments[count++] = (struct scmp_arg_cmp){0, SCMP_CMP_MASKED_EQ, LOW32, subject};
	for (size_t i = 0; i < sizeof(rule->conditions) / sizeof(rule->conditions[0]); i++)
		if (rule->conditions[i].mask)
			arguments[count++] = comparison(&rule->conditions[i], thread->size[rule->subject]);
	rc = seccomp_rule_add_exact_array(filter, SCMP_ACT_ALLOW, rule->number, count, arguments);
	/* Two subjects may be one descriptor. */
	return rc == -EEXIST ? 0 : rc;
}

static int set_attributes(scmp_filter_ctx filter, uint32_t action)
{
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, action);

	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (rc == 0)
		rc = seccomp_syscall_priority(filter, __NR_ioctl, UINT8_MAX);
	return rc;
}

void *reference_filter(const struct jail_thread *thread)
{
	uint32_t action = thread->mode == JAIL_LOG ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx filter = seccomp_init(action);
	int rc = filter ? set_attributes(filter, action) : -ENOMEM;

	for (size_t i = 0; i < jail_rule_count && rc == 0; i++)
		if (jail_rule_applies(&jail_rules[i], thread))
			rc = add_rule(filter, &jail_rules[i], thread);
	if (rc == 0)
		return filter;
	if (filter)
		seccomp_release(filter);
	return NULL;
}

struct sock_filter *reference_program(const struct jail_thread *thread, unsigned *ret_length)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	void *filter = reference_filter(thread);
	struct sock_filter *program = NULL;
	struct stat status;

	if (fd >= 0 && filter && seccomp_export_bpf(filter, fd) == 0 && fstat(fd, &status) == 0)
		program = malloc((size_t)status.st_size);
	if (program && pread(fd, program, (size_t)status.st_size, 0) == status.st_size) {
		*ret_length = (unsigned)((size_t)status.st_size / sizeof(*program));
	} else {
		free(program);
		program = NULL;
	}
	if (filter)
		seccomp_release(filter);
	if (fd >= 0)
		close(fd);
	return program;
}
