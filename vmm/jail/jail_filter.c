/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/jail/jail_filter.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/perf_event.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "devices/disk.h"
#include "views/list.h"
#include "vmm/ledger/ledger.h"

const char *const jail_mode_keys[JAIL_MODE_COUNT] = {JAIL_MODES(LIST_KEY)};

const char *const jail_role_keys[JAIL_ROLE_COUNT] = {JAIL_ROLES(LIST_KEY)};

#ifdef JAIL_SANITIZERS
const char *const jail_instrumented = "sanitizers";
#elif defined(SIDESTEP_COVERAGE)
const char *const jail_instrumented = "coverage";
#else
const char *const jail_instrumented = NULL;
#endif

_Static_assert(KICK_SIGNAL == SIGUSR1, "jail.def allows the main thread to send it");

#define LOW32 UINT64_C(0xffffffff)

/* The words of jail.def. */
#define ALWAYS JAIL_WHEN_ALWAYS
#define FLAT JAIL_WHEN_FLAT
#define VMX JAIL_WHEN_VMX
#define SVM JAIL_WHEN_SVM
#define NESTED JAIL_WHEN_NESTED
#define TRACED JAIL_WHEN_TRACED
#define WATCHED JAIL_WHEN_WATCHED
#define SHARED JAIL_WHEN_SHARED
#define RUN JAIL_WHEN_RUN
#define PC JAIL_WHEN_PC
#define TESTED JAIL_WHEN_TESTED
#define ALL_VMS JAIL_WHEN_ALL_VMS
#define INSTRUMENTED JAIL_WHEN_INSTRUMENTED
#define ANYTHING {0, 0, 0, JAIL_EQUALS},
#define IS(n, v) {n, LOW32, (uint32_t)(v), JAIL_EQUALS},
#define ONLY(n, bits) {n, ~(uint64_t)(bits), 0, JAIL_EQUALS},
#define INSIDE(n, bytes) {n, ~UINT64_C(0), bytes, JAIL_INSIDE},
#define RULE(role, call, when, seen, subject, conditions, purpose)                                 \
	{JAIL_ROLE_##role,       __NR_##call,  #call,       when,   seen,                          \
	 JAIL_SUBJECT_##subject, {conditions}, #conditions, purpose},

const struct jail_rule jail_rules[] = {
#include "vmm/jail/jail.def"
};

const size_t jail_rule_count = sizeof(jail_rules) / sizeof(jail_rules[0]);

struct jail_thread jail_thread(enum jail_role role, enum jail_mode mode)
{
	struct jail_thread thread = {.role = role, .mode = mode, .directory = -1};

	if (jail_instrumented)
		thread.when = JAIL_WHEN_INSTRUMENTED;
	for (int i = 0; i < JAIL_SUBJECT_COUNT; i++)
		thread.subject[i] = -1;
	return thread;
}

static bool fits(const struct jail_rule *rule, const struct jail_thread *thread)
{
	for (size_t i = 0; i < sizeof(rule->conditions) / sizeof(rule->conditions[0]); i++)
		if (rule->conditions[i].test == JAIL_INSIDE &&
		    rule->conditions[i].value > thread->size[rule->subject])
			return false;
	return true;
}

bool jail_rule_applies(const struct jail_rule *rule, const struct jail_thread *thread)
{
	return rule->role == thread->role && (rule->when == 0 || rule->when & thread->when) &&
	       (rule->subject == JAIL_SUBJECT_ANY || thread->subject[rule->subject] >= 0) &&
	       fits(rule, thread);
}

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
	/* KVM_RUN is what a vCPU's thread does all day. */
	if (rc == 0)
		rc = seccomp_syscall_priority(filter, __NR_ioctl, UINT8_MAX);
	return rc;
}

void *jail_filter(const struct jail_thread *thread)
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
