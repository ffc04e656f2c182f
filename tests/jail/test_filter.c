/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sidestep makes of jail.def, and what libseccomp makes of it: two programs, of different length and order, that
 * must decide the same of every call. Both are carried out here, as the kernel would, for every role, in runs of
 * every kind and in many that are made up: with subjects that are missing, high, or one and the same.
 */
#include "tests/unit/cmocka_prelude.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/disk.h"
#include "tests/jail/reference.h"
#include "vmm/ledger/ledger.h"

#define NUMBERS 1024
#define X32 0x40000000
#define MADE_UP 100
#define SUBJECTS_MAX 12

struct pair {
	struct jail_thread thread;
	struct jail_filter ours;
	struct sock_filter *theirs;
	unsigned their_length;
};

static unsigned long compared;

/* --- What the kernel does with a program. */

static bool jumps(const struct sock_filter *at, uint32_t a)
{
	switch (BPF_OP(at->code)) {
	case BPF_JEQ:
		return a == at->k;
	case BPF_JGT:
		return a > at->k;
	case BPF_JGE:
		return a >= at->k;
	case BPF_JSET:
		return (a & at->k) != 0;
	default:
		fail_msg("jump of kind 0x%x", at->code);
		return false;
	}
}

static uint32_t decision(const struct sock_filter *program, unsigned length, const struct seccomp_data *call)
{
	uint32_t a = 0;

	for (unsigned i = 0; i < length; i++) {
		const struct sock_filter *at = &program[i];

		if (at->code == (BPF_RET | BPF_K))
			return at->k;
		if (at->code == (BPF_LD | BPF_W | BPF_ABS))
			memcpy(&a, (const char *)call + at->k, sizeof(a));
		else if (at->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= at->k;
		else if (at->code == (BPF_JMP | BPF_JA))
			i += at->k;
		else if (BPF_CLASS(at->code) == BPF_JMP)
			i += jumps(at, a) ? at->jt : at->jf;
		else
			fail_msg("instruction of kind 0x%x", at->code);
	}
	fail_msg("the end of a program");
	return 0;
}

static void compare(const struct pair *pair, const struct seccomp_data *call)
{
	uint32_t ours = decision(pair->ours.code, pair->ours.length, call);
	uint32_t theirs = decision(pair->theirs, pair->their_length, call);

	compared++;
	if (ours != theirs)
		fail_msg("role %s, run 0x%x, call 0x%x of 0x%x (0x%llx, 0x%llx, 0x%llx, 0x%llx): 0x%x, libseccomp 0x%x",
			 jail_role_keys[pair->thread.role], pair->thread.when, call->nr, call->arch,
			 (unsigned long long)call->args[0], (unsigned long long)call->args[1],
			 (unsigned long long)call->args[2], (unsigned long long)call->args[3], ours, theirs);
}

/* --- The calls. */

static void compare_numbers(const struct pair *pair)
{
	for (int number = -1; number < NUMBERS; number++) {
		struct seccomp_data call = {.nr = number, .arch = AUDIT_ARCH_X86_64};

		compare(pair, &call);
		memset(call.args, 0xff, sizeof(call.args));
		compare(pair, &call);
		call.nr |= X32;
		compare(pair, &call);
		call.nr = number;
		call.arch = AUDIT_ARCH_I386;
		compare(pair, &call);
	}
}

static void compare_around(const struct pair *pair, struct seccomp_data *call, unsigned argument)
{
	const uint64_t middle = call->args[argument];

	for (unsigned bit = 0; bit < 64; bit++) {
		call->args[argument] = middle ^ UINT64_C(1) << bit;
		compare(pair, call);
	}
	for (int away = -2; away <= 2; away++) {
		call->args[argument] = middle + (uint64_t)(int64_t)away;
		compare(pair, call);
	}
	call->args[argument] = middle;
}

/* What a rule allows, whether or not it applies, and what is next to that; with none of the bits that may be set, or
 * all. */
static void compare_rule(const struct pair *pair, const struct jail_rule *rule, bool most)
{
	struct seccomp_data call = {.nr = rule->number, .arch = AUDIT_ARCH_X86_64};

	if (rule->subject != JAIL_SUBJECT_ANY)
		call.args[0] = (uint64_t)pair->thread.subject[rule->subject];
	for (size_t i = 0; i < 2; i++) {
		const struct jail_condition *condition = &rule->conditions[i];
		uint64_t size = pair->thread.size[rule->subject];

		if (condition->mask)
			call.args[condition->argument] =
				condition->test == JAIL_INSIDE ? size - condition->value
				: most			       ? condition->value | ~condition->mask
							       : condition->value;
	}
	for (unsigned i = 0; i < 4; i++)
		compare_around(pair, &call, i);
	for (int i = 0; i < JAIL_SUBJECT_COUNT; i++) {
		call.args[0] = (uint64_t)pair->thread.subject[i];
		compare(pair, &call);
	}
}

static void compare_all(const struct jail_thread *thread)
{
	struct pair pair = {.thread = *thread};

	assert_int_equal(jail_filter(thread, &pair.ours), 0);
	pair.theirs = reference_program(thread, &pair.their_length);
	assert_non_null(pair.theirs);
	compare_numbers(&pair);
	for (size_t i = 0; i < jail_rule_count; i++)
		if (jail_rules[i].role == thread->role) {
			compare_rule(&pair, &jail_rules[i], false);
			compare_rule(&pair, &jail_rules[i], true);
		}
	free(pair.theirs);
}

/* --- The threads. */

static struct jail_thread whole(int role, enum jail_mode mode)
{
	struct jail_thread thread = jail_thread((enum jail_role)role, mode);

	thread.when |= JAIL_WHEN_EVERY | JAIL_WHEN_TRACED | JAIL_WHEN_RUN;
	for (int i = 0; i < JAIL_SUBJECT_COUNT; i++)
		thread.subject[i] = i;
	thread.size[JAIL_SUBJECT_DISK] = (UINT64_C(5) << 30) + 7 * 512;
	thread.size[JAIL_SUBJECT_LEDGER] = LEDGER_FILE_MAX;
	return thread;
}

static void with_all(void **state)
{
	(void)state;
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++)
		for (int mode = JAIL_ON; mode <= JAIL_LOG; mode++) {
			struct jail_thread thread = whole(role, (enum jail_mode)mode);

			compare_all(&thread);
		}
}

static void one_kind(void **state)
{
	(void)state;
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++)
		for (unsigned bit = 0; bit < 12; bit++) {
			struct jail_thread thread = whole(role, JAIL_ON);

			thread.when = 1u << bit;
			compare_all(&thread);
			thread = whole(role, JAIL_ON);
			thread.when &= ~(1u << bit);
			compare_all(&thread);
		}
}

static void one_missing(void **state)
{
	(void)state;
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++)
		for (int i = 1; i < JAIL_SUBJECT_COUNT; i++) {
			struct jail_thread thread = whole(role, JAIL_ON);

			thread.subject[i] = -1;
			compare_all(&thread);
			thread = whole(role, JAIL_ON);
			thread.size[i] = 0;
			compare_all(&thread);
		}
}

/* Where the lower half of the last offset that is allowed is 0 or near it. */
static void edges(void **state)
{
	(void)state;
	for (uint64_t size = 0; size <= UINT64_C(5) << 32; size += UINT64_C(5) << 32)
		for (int sectors = 0; sectors <= 4; sectors++) {
			struct jail_thread thread = whole(JAIL_ROLE_VCPU, JAIL_ON);

			thread.size[JAIL_SUBJECT_DISK] = size + (uint64_t)sectors * 512;
			compare_all(&thread);
			thread.size[JAIL_SUBJECT_DISK] += DISK_ROOM;
			compare_all(&thread);
		}
}

static unsigned next(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(*random >> 33);
}

static void made_up(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++)
		for (int n = 0; n < MADE_UP; n++) {
			struct jail_thread thread = whole(role, n % 2 ? JAIL_ON : JAIL_LOG);

			thread.when = next(&random) & 0xfff;
			for (int i = 1; i < JAIL_SUBJECT_COUNT; i++) {
				thread.subject[i] = (int)(next(&random) % SUBJECTS_MAX) - 2;
				if (next(&random) % 8 == 0)
					thread.subject[i] = INT32_MAX - thread.subject[i];
			}
			thread.size[JAIL_SUBJECT_DISK] = (uint64_t)next(&random) << (next(&random) % 32) & ~UINT64_C(511);
			compare_all(&thread);
		}
}

/* Twice the longest there is fits, so that a rule more is no surprise. */
static void fits(void **state)
{
	(void)state;
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++) {
		struct jail_thread thread = whole(role, JAIL_ON);
		struct jail_filter filter;

		assert_int_equal(jail_filter(&thread, &filter), 0);
		assert_in_range(filter.length, 1, JAIL_FILTER_MAX / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_all), cmocka_unit_test(one_kind), cmocka_unit_test(one_missing),
		cmocka_unit_test(edges),    cmocka_unit_test(made_up),  cmocka_unit_test(fits),
	};
	int failed = cmocka_run_group_tests_name("filter", tests, NULL, NULL);

	printf("figure: calls decided as libseccomp does %lu\n", compared);
	return failed;
}
