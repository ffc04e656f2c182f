/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/jail/jail_filter.h"

#include <asm/termbits.h>
#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
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

/* --- The program that the kernel runs before each system call. */

/* In place of a jump to what follows a rule, or all rules of a system call, until it is known where that is. */
#define ELSEWHERE 0xff

/* The lower and the upper half of argument n, which a filter sees as two words. */
#define LOW_OF(n) ((uint32_t)offsetof(struct seccomp_data, args) + 8 * (n))
#define HIGH_OF(n) (LOW_OF(n) + 4)

/* One too many is counted, not kept. */
static void add(struct jail_filter *filter, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (filter->length < JAIL_FILTER_MAX)
		filter->code[filter->length] = (struct sock_filter){code, jt, jf, k};
	filter->length++;
}

static void load(struct jail_filter *filter, uint32_t offset)
{
	add(filter, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void end(struct jail_filter *filter, uint32_t action)
{
	add(filter, BPF_RET | BPF_K, action, 0, 0);
}

/* Goes on if `k` compares, else ELSEWHERE. */
static void demand(struct jail_filter *filter, uint16_t comparison, uint32_t k)
{
	add(filter, BPF_JMP | comparison | BPF_K, k, 0, ELSEWHERE);
}

static void refuse(struct jail_filter *filter, uint16_t comparison, uint32_t k)
{
	add(filter, BPF_JMP | comparison | BPF_K, k, ELSEWHERE, 0);
}

/* ELSEWHERE is here, for what begins at `from`. No jump of a rule is longer than the rules of its system call. */
static int land(struct jail_filter *filter, unsigned from)
{
	for (unsigned i = from; i < filter->length && i < JAIL_FILTER_MAX; i++) {
		struct sock_filter *jump = &filter->code[i];
		unsigned distance = filter->length - i - 1;

		if (BPF_CLASS(jump->code) != BPF_JMP || (jump->jt != ELSEWHERE && jump->jf != ELSEWHERE))
			continue;
		if (distance >= ELSEWHERE)
			return -E2BIG;
		if (jump->jt == ELSEWHERE)
			jump->jt = (uint8_t)distance;
		if (jump->jf == ELSEWHERE)
			jump->jf = (uint8_t)distance;
	}
	return 0;
}

static void demand_half(struct jail_filter *filter, uint32_t offset, uint32_t mask, uint32_t value)
{
	if (mask == 0)
		return;
	load(filter, offset);
	if (mask != UINT32_MAX)
		add(filter, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
	demand(filter, BPF_JEQ, value);
}

static void demand_at_most(struct jail_filter *filter, unsigned argument, uint64_t most)
{
	const uint32_t high = (uint32_t)(most >> 32);

	load(filter, HIGH_OF(argument));
	refuse(filter, BPF_JGT, high);
	/* With less in the upper half, the lower one is of no matter. */
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, high, 0, 2);
	load(filter, LOW_OF(argument));
	refuse(filter, BPF_JGT, (uint32_t)most);
}

static void demand_condition(struct jail_filter *filter, const struct jail_condition *condition, uint64_t file_size)
{
	if (condition->mask == 0)
		return;
	if (condition->test == JAIL_INSIDE) {
		demand_at_most(filter, condition->argument, file_size - condition->value);
		return;
	}
	demand_half(filter, LOW_OF(condition->argument), (uint32_t)condition->mask, (uint32_t)condition->value);
	demand_half(filter, HIGH_OF(condition->argument), (uint32_t)(condition->mask >> 32),
		    (uint32_t)(condition->value >> 32));
}

static int add_rule(struct jail_filter *filter, const struct jail_rule *rule, const struct jail_thread *thread)
{
	const unsigned from = filter->length;

	if (rule->subject != JAIL_SUBJECT_ANY)
		demand_half(filter, LOW_OF(0), UINT32_MAX, (uint32_t)thread->subject[rule->subject]);
	for (size_t i = 0; i < sizeof(rule->conditions) / sizeof(rule->conditions[0]); i++)
		demand_condition(filter, &rule->conditions[i], thread->size[rule->subject]);
	end(filter, SECCOMP_RET_ALLOW);
	return land(filter, from);
}

/* The rules of one system call, if any apply. The first of them are looked at first. */
static int add_call(struct jail_filter *filter, int number, const struct jail_thread *thread, uint32_t action)
{
	const unsigned from = filter->length;
	int rc = 0;

	demand(filter, BPF_JEQ, (uint32_t)number);
	for (size_t i = 0; i < jail_rule_count && rc == 0; i++)
		if (jail_rules[i].number == number && jail_rule_applies(&jail_rules[i], thread))
			rc = add_rule(filter, &jail_rules[i], thread);
	if (filter->length == from + 1)
		filter->length = from;
	else
		end(filter, action);
	return rc == 0 ? land(filter, from) : rc;
}

/* Whether a rule before this one is of the same system call, all of whose rules come together. */
static bool is_repeated(const struct jail_rule *rule)
{
	for (const struct jail_rule *before = jail_rules; before < rule; before++)
		if (before->role == rule->role && before->number == rule->number)
			return true;
	return false;
}

/* System calls of another architecture have other numbers; those of x32 have this bit. */
static void add_entry(struct jail_filter *filter, uint32_t action)
{
	load(filter, offsetof(struct seccomp_data, arch));
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	end(filter, action);
	load(filter, offsetof(struct seccomp_data, nr));
	add(filter, BPF_JMP | BPF_JGE | BPF_K, __X32_SYSCALL_BIT, 0, 1);
	end(filter, action);
}

int jail_filter(const struct jail_thread *thread, struct jail_filter *filter)
{
	const uint32_t action = thread->mode == JAIL_LOG ? SECCOMP_RET_LOG : SECCOMP_RET_KILL_PROCESS;
	int rc;

	filter->length = 0;
	add_entry(filter, action);
	/* KVM_RUN is what a vCPU's thread does all day. */
	rc = add_call(filter, __NR_ioctl, thread, action);
	for (size_t i = 0; i < jail_rule_count && rc == 0; i++)
		if (jail_rules[i].role == thread->role && jail_rules[i].number != __NR_ioctl &&
		    !is_repeated(&jail_rules[i]))
			rc = add_call(filter, jail_rules[i].number, thread, action);
	end(filter, action);
	return rc == 0 && filter->length > JAIL_FILTER_MAX ? -E2BIG : rc;
}

int jail_filter_load(struct jail_filter *filter)
{
	const struct sock_fprog program = {.len = (unsigned short)filter->length, .filter = filter->code};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : -errno;
}
