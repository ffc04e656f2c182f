/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program, whole, with a reference model that errs on purpose: lies LIE COMMAND... The linker puts
 * these between the program and its model.
 */
#include <stdio.h>
#include <string.h>

#include "views/expect.h"
#include "views/program.h"

int sidestep_main(int argc, char **argv);

static const char *lie;

void __real_expect_operation(const struct expect_environment *environment, const struct ss_operation *op,
			     uint32_t count, struct expectation *ret_expectation);
void __wrap_expect_operation(const struct expect_environment *environment, const struct ss_operation *op,
			     uint32_t count, struct expectation *ret_expectation);

void __wrap_expect_operation(const struct expect_environment *environment, const struct ss_operation *op,
			     uint32_t count, struct expectation *ret_expectation)
{
	__real_expect_operation(environment, op, count, ret_expectation);
	if (strcmp(lie, "value") == 0)
		ret_expectation->value++;
	if (strcmp(lie, "fault") == 0) {
		ret_expectation->vector = 6;
		ret_expectation->faults = count;
	}
	if (strcmp(lie, "no fault") == 0)
		ret_expectation->faults = 0;
	if (strcmp(lie, "error code") == 0)
		ret_expectation->error_code |= 2;
	if (strcmp(lie, "view") == 0)
		ret_expectation->view++;
	if (strcmp(lie, "exits") == 0)
		ret_expectation->exits[LEVEL_VMM].count++;
	if (strcmp(lie, "many exits") == 0)
		ret_expectation->exits[LEVEL_L0] = (struct expect_count){EXPECT_AT_LEAST, 1000000};
}

void __real_program_predict(const struct expect_environment *environment,
			    const struct ss_program *program, struct program_prediction *prediction);
void __wrap_program_predict(const struct expect_environment *environment,
			    const struct ss_program *program, struct program_prediction *prediction);

/* Wrong about every SMSW that comes after a CLTS, or about the exits of every LMSW. */
void __wrap_program_predict(const struct expect_environment *environment,
			    const struct ss_program *program, struct program_prediction *prediction)
{
	bool cleared = false;

	__real_program_predict(environment, program, prediction);
	for (uint32_t i = 0; i < program->count; i++) {
		const uint32_t insn = program->steps[i].insn;

		cleared |= insn == SS_INSN_CLTS;
		if (strcmp(lie, "step") == 0 && cleared && insn == SS_INSN_SMSW)
			prediction->seen[i] ^= SS_CR0_TS;
		if (strcmp(lie, "exits of a step") == 0 && insn == SS_INSN_LMSW)
			prediction->vmm++;
	}
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: lies LIE COMMAND...\n", stderr);
		return 2;
	}
	lie = argv[1];
	argv[1] = argv[0];
	return sidestep_main(argc - 1, argv + 1);
}
