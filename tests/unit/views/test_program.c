/* SPDX-License-Identifier: GPL-2.0-only */
/* Random programs: what is generated, predicted, written and read back. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/service/differential.h"

static struct expect_environment environment(enum engine_id engine)
{
	return (struct expect_environment){.engine = engine, .backend = HOST_BACKEND_VMX};
}

/* A program of a seed is the same whatever was generated before, and seeds and indexes matter. */
static void generation(void **state)
{
	struct ss_program a, b;

	(void)state;
	program_generate(7, 123, true, 32, &a);
	program_generate(7, 124, true, 32, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
	program_generate(8, 123, true, 32, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
	program_generate(7, 123, true, 32, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	for (uint64_t i = 0; i < 10000; i++) {
		program_generate(1, i, true, 32, &a);
		assert_int_equal(a.count, 32);
		assert_int_equal((a.start | a.masked) & ~(uint32_t)PROGRAM_FLAGS, 0);
		assert_int_equal((a.kept | a.shadow) & ~a.masked, 0);
		program_generate(1, i, false, 32, &b);
		assert_int_equal(b.masked | b.kept | b.shadow, 0);
	}
}

/* The slow way: bit by bit, straight from the design's two words. */
static void reference(const struct ss_program *program, uint64_t seen[SS_PROGRAM_STEPS])
{
	uint64_t visible[4];

	for (int bit = 0; bit < 4; bit++)
		visible[bit] = bit == 0 ? 1
			       : program->masked >> bit & 1 ? program->shadow >> bit & 1
							    : program->start >> bit & 1;
	for (uint32_t i = 0; i < program->count; i++) {
		const struct ss_step *step = &program->steps[i];
		uint64_t value = SS_CR0_BASE & ~UINT64_C(0xf);

		if (step->insn == SS_INSN_CLTS)
			visible[3] = 0;
		for (int bit = 1; bit < 4; bit++)
			if (step->insn == SS_INSN_MOV || step->insn == SS_INSN_LMSW)
				visible[bit] = step->operand >> bit & 1;
		for (int bit = 0; bit < 4; bit++)
			value |= visible[bit] << bit;
		seen[i] = step->insn == SS_INSN_LOAD ? value
			  : step->insn == SS_INSN_SMSW ? value & 0xffff
						       : 0;
	}
}

/* Whoever keeps a flag, the guest reads what it wrote last. */
static void values(void **state)
{
	static const enum engine_id ids[] = {ENGINE_FLAT, ENGINE_VMX, ENGINE_SVM};
	struct program_prediction prediction;
	uint64_t seen[SS_PROGRAM_STEPS];
	struct ss_program program;

	(void)state;
	for (size_t e = 0; e < ARRAY_SIZE(ids); e++)
		for (uint64_t i = 0; i < 5000; i++) {
			struct expect_environment where = environment(ids[e]);

			program_generate(e, i, ids[e] != ENGINE_FLAT, 64, &program);
			program_predict(&where, &program, &prediction);
			reference(&program, seen);
			assert_memory_equal(seen, prediction.seen, program.count * sizeof(seen[0]));
			if (program.masked == 0)
				assert_int_equal(prediction.monitor + prediction.vmm, 0);
			if (program.kept == program.masked)
				assert_int_equal(prediction.vmm, 0);
		}
}

/* Exits of a few programs that can be counted by hand. */
static void counts(void **state)
{
	struct ss_program program = {
		.count = 4, .masked = SS_CR0_TS, .kept = SS_CR0_TS,
		.steps = {{SS_INSN_MOV, SS_CR0_TS, 0}, {SS_INSN_MOV, SS_CR0_TS, 0},
			  {SS_INSN_CLTS, 0, 0}, {SS_INSN_LOAD, 0, 0}}};
	struct expect_environment where = environment(ENGINE_VMX);
	struct program_prediction prediction;

	(void)state;
	program_predict(&where, &program, &prediction);
	assert_int_equal(prediction.monitor, 2); /* the second MOV writes what is seen */
	assert_int_equal(prediction.vmm, 0);
	program.kept = 0;
	program_predict(&where, &program, &prediction);
	assert_int_equal(prediction.vmm, 2);
	where = environment(ENGINE_SVM);
	program_predict(&where, &program, &prediction);
	assert_int_equal(prediction.monitor, 4); /* every access */
	assert_int_equal(prediction.vmm, 2);
	/* Steps that a program cannot have do not count. */
	for (uint32_t i = 0; i < SS_PROGRAM_STEPS; i++)
		program.steps[i] = (struct ss_step){SS_INSN_LOAD, 0, 0};
	program.count = SS_PROGRAM_STEPS + 1;
	program_predict(&where, &program, &prediction);
	assert_int_equal(prediction.monitor, SS_PROGRAM_STEPS);
}

/* Shrinking takes steps out, and leaves the others in their order. */
static void removal(void **state)
{
	struct ss_program whole;

	(void)state;
	program_generate(5, 0, true, 8, &whole);
	for (uint32_t first = 0; first < whole.count; first++)
		for (uint32_t count = 0; first + count <= whole.count; count++) {
			struct ss_program left = whole;

			program_remove(&left, first, count);
			assert_int_equal(left.count, whole.count - count);
			for (uint32_t i = 0; i < left.count; i++)
				assert_memory_equal(&left.steps[i],
						    &whole.steps[i < first ? i : i + count],
						    sizeof(left.steps[i]));
		}
}

static void text(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 200; i++) {
		struct ss_program program, back;
		struct error error = {0};
		char *memory;
		size_t size;
		FILE *stream = open_memstream(&memory, &size);

		program_generate(3, i, true, 1 + i % SS_PROGRAM_STEPS, &program);
		assert_non_null(stream);
		differential_write(&program, stream);
		fclose(stream);
		stream = fmemopen(memory, size, "r");
		assert_int_equal(differential_read(stream, "memory", &back, &error), 0);
		fclose(stream);
		free(memory);
		/* Operands of instructions without one do not matter. */
		for (uint32_t s = 0; s < program.count; s++)
			if (program.steps[s].insn != SS_INSN_MOV &&
			    program.steps[s].insn != SS_INSN_LMSW)
				program.steps[s].operand = 0;
		assert_memory_equal(&program, &back, sizeof(program));
	}
}

static void bad_text(void **state)
{
	static const char *const rows[] = {
		"", "# nothing\n", "mov\n", "mov 16\n", "mov x\n", "mov 1 2\n", "clts 1\n",
		"jump 3\n", "start 1\nread\n", "kept 8\nread\n", "masked -2\nread\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ss_program program;
		struct error error = {0};
		FILE *stream = rows[i][0] ? fmemopen((char *)(uintptr_t)rows[i], strlen(rows[i]), "r")
					  : fopen("/dev/null", "r");

		assert_non_null(stream);
		assert_true(differential_read(stream, "file", &program, &error) < 0);
		assert_int_equal(error.status, STATUS_USAGE);
		assert_non_null(strstr(error.text, "file"));
		fclose(stream);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generation), cmocka_unit_test(values), cmocka_unit_test(counts),
		cmocka_unit_test(removal),    cmocka_unit_test(text),
		cmocka_unit_test(bad_text),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
