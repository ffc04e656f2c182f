/* SPDX-License-Identifier: GPL-2.0-only */
/* Random programs: what is generated, predicted, written and read back. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/service/differential.h"

static struct expect_environment environment(enum engine_id engine)
{
	return (struct expect_environment){.engine = engine, .backend = HOST_BACKEND_VMX,
					   .embodiment = SS_EMBODIMENT_TWO_WORDS};
}

/* A program of a seed is the same whatever was generated before, and seeds and indexes matter. */
static void generation(void **state)
{
	struct ss_program a, b;

	(void)state;
	program_generate(7, 123, PROGRAM_MASKS_ANY, false, 32, &a);
	program_generate(7, 124, PROGRAM_MASKS_ANY, false, 32, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
	program_generate(8, 123, PROGRAM_MASKS_ANY, false, 32, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
	program_generate(7, 123, PROGRAM_MASKS_ANY, false, 32, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	for (uint64_t i = 0; i < 10000; i++) {
		program_generate(1, i, PROGRAM_MASKS_ANY, false, 32, &a);
		assert_int_equal(a.count, 32);
		assert_true(a.cr == 0 || a.cr == 4);
		assert_int_equal((a.start | a.masked) & ~program_flags(a.cr), 0);
		assert_int_equal((a.kept | a.shadow) & ~a.masked, 0);
		program_generate(1, i, PROGRAM_MASKS_NONE, false, 32, &b);
		assert_int_equal(b.masked | b.kept | b.shadow, 0);
	}
}

#define NM 7
#define GP 13
#define BITS 9 /* the lowest ones, with all flags of programs */

/* Where a flag of a program is written: who owns no flag and keeps none asks. */
enum place { REGISTER, SHADOW, ASK };

static enum place place_of(const struct ss_program *program, enum flags_on_ask on_ask, int bit)
{
	if (!(program->masked >> bit & 1))
		return REGISTER;
	if (program->kept >> bit & 1 || on_ask == FLAGS_ON_ASK_SHADOW)
		return SHADOW;
	return on_ask == FLAGS_ON_ASK_REGISTER ? REGISTER : ASK;
}

/* A MOV with this bit inverted is #GP in 64-bit code (Intel SDM vol. 2B, MOV to control registers; AMD APM vol. 2,
 * 3.1), if nothing else is wrong with it. ET and bit 10 of CR0 are what they are, and NE is free where VMX is not. */
static bool is_illegal(const struct ss_program *program, enum engine_id engine, int bit)
{
	if (program->cr == 4)
		return bit >= 0;
	return bit >= 0 && bit != 4 && bit != 10 && (bit != 5 || engine == ENGINE_VMX);
}

/* The slow way: bit by bit, straight from the documents. Register and shadow are two sets of bits; an FPU
 * instruction obeys the register. */
static void reference(const struct ss_program *program, enum engine_id engine, enum flags_on_ask on_ask,
		      uint64_t seen[SS_PROGRAM_STEPS])
{
	const bool cr4 = program->cr == 4;
	const uint32_t flags = program_flags(program->cr);
	const uint64_t base = cr4 ? SS_CR4_BASE : SS_CR0_BASE;
	bool is_set[2][BITS] = {{false}}, ne = !cr4;

	for (int bit = 0; bit < BITS; bit++) {
		is_set[REGISTER][bit] = (base | program->start) >> bit & 1;
		is_set[SHADOW][bit] = program->shadow >> bit & 1;
	}
	for (uint32_t i = 0; i < program->count; i++) {
		const struct ss_step *step = &program->steps[i];
		const int inverted = step->inverted - 1;
		bool written[BITS], value[BITS], refused = is_illegal(program, engine, inverted), write = true;
		uint64_t visible = (base & ~UINT64_C(0x20)) | (cr4 ? base & 0x20 : 0);

		for (int bit = 0; bit < BITS; bit++) {
			value[bit] = step->insn == SS_INSN_CLTS ? false : step->operand >> bit & 1;
			written[bit] = step->insn == SS_INSN_CLTS ? bit == 3 : flags >> bit & 1;
		}
		if (step->insn == SS_INSN_LOAD || step->insn == SS_INSN_SMSW || step->insn == SS_INSN_FXSAVE ||
		    step->insn == SS_INSN_VMCALL)
			write = false;
		for (int bit = 0; bit < BITS && write; bit++)
			refused |= written[bit] && place_of(program, on_ask, bit) == ASK &&
				   value[bit] != is_set[REGISTER][bit];
		for (int bit = 0; bit < BITS && write && !refused; bit++)
			if (written[bit] && place_of(program, on_ask, bit) != ASK)
				is_set[place_of(program, on_ask, bit)][bit] = value[bit];
		if (step->insn == SS_INSN_MOV && !refused && !cr4)
			ne = inverted != 5;
		visible |= (uint64_t)ne << 5;
		for (int bit = 0; bit < BITS; bit++)
			if (flags >> bit & 1)
				visible |= (uint64_t)is_set[place_of(program, on_ask, bit) == SHADOW][bit] << bit;
		seen[i] = step->insn == SS_INSN_LOAD	 ? visible
			  : step->insn == SS_INSN_SMSW	 ? visible & 0xffff
			  : step->insn == SS_INSN_FXSAVE ? (is_set[REGISTER][2] || is_set[REGISTER][3]) * NM
							 : refused * GP;
	}
}

/* What the guest reads, and what its FPU and it itself are refused, in every embodiment and whatever the VMM
 * does when it is asked. */
static void values(void **state)
{
	static const enum engine_id ids[] = {ENGINE_FLAT, ENGINE_VMX, ENGINE_SVM};
	struct program_prediction prediction;
	uint64_t seen[SS_PROGRAM_STEPS];
	unsigned refused = 0, illegal = 0, executed = 0, yielded = 0;
	struct ss_program program;

	(void)state;
	for (size_t e = 0; e < ARRAY_SIZE(ids); e++)
		for (uint64_t i = 0; i < 15000; i++) {
			struct expect_environment where = environment(ids[e]);

			where.embodiment = (enum ss_embodiment)(SS_EMBODIMENT_TWO_WORDS + i % 5);
			where.on_ask = (enum flags_on_ask)(i / 5 % FLAGS_ON_ASK_COUNT);
			program_generate(e, i,
					 ids[e] == ENGINE_FLAT ? PROGRAM_MASKS_NONE
					 : where.embodiment == SS_EMBODIMENT_SINGLE_MASK
						 ? PROGRAM_MASKS_KEPT
						 : PROGRAM_MASKS_ANY,
					 i / 15 % 2 && ids[e] != ENGINE_FLAT, 64, &program);
			program_predict(&where, &program, &prediction);
			reference(&program, where.engine, where.on_ask, seen);
			assert_memory_equal(seen, prediction.seen, program.count * sizeof(seen[0]));
			unsigned yields = 0;

			for (uint32_t s = 0; s < program.count; s++) {
				yields += program.steps[s].insn == SS_INSN_VMCALL;
				refused += seen[s] == GP;
				illegal += prediction.fault[s] != CONTROL_LEGAL;
				executed += program.steps[s].insn == SS_INSN_FXSAVE && seen[s] == 0;
			}
			/* One that sets VMXE is the monitor's whatever is masked. */
			if (program.masked == 0 && (program.cr == 0 || ids[e] != ENGINE_VMX))
				assert_int_equal(prediction.monitor + prediction.vmm, yields);
			yielded += yields;
			if (program.kept == program.masked)
				assert_int_equal(prediction.vmm, 0);
		}
	assert_true(refused > illegal && illegal > 10000 && executed > 10000 && yielded > 10000);
}

/* Exits of a few programs that can be counted by hand. */
static void counts(void **state)
{
	struct ss_program program = {
		.count = 4, .masked = SS_CR0_TS, .kept = SS_CR0_TS,
		.steps = {{SS_INSN_MOV, 0, SS_CR0_TS}, {SS_INSN_MOV, 0, SS_CR0_TS},
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
	/* Refused, TS stays clear: both MOV ask, and CLTS changes nothing. */
	where.on_ask = FLAGS_ON_ASK_REFUSE;
	program_predict(&where, &program, &prediction);
	assert_int_equal(prediction.vmm, 2);
	assert_int_equal(prediction.monitor, 2);
	assert_int_equal(prediction.seen[0], GP);
	assert_int_equal(prediction.seen[1], GP);
	assert_int_equal(prediction.seen[2], 0);
	where = environment(ENGINE_SVM);
	program_predict(&where, &program, &prediction);
	assert_int_equal(prediction.monitor, 4); /* every access */
	assert_int_equal(prediction.vmm, 2);
	/* A value that is illegal is refused by the monitor, and nobody asks the VMM about it: here without NE, which is
	 * legal where there is no VMX. */
	program.steps[0].inverted = program.steps[1].inverted = 5 + 1;
	program_predict(&where, &program, &prediction);
	assert_int_equal(prediction.vmm, 2);
	assert_int_equal(prediction.fault[0], CONTROL_LEGAL);
	where = environment(ENGINE_VMX);
	program_predict(&where, &program, &prediction);
	assert_int_equal(prediction.monitor, 2);
	assert_int_equal(prediction.vmm, 0);
	assert_int_equal(prediction.seen[1], GP);
	assert_int_equal(prediction.fault[1], CONTROL_FAULT_CR0_FIXED_TO_1);
	where = environment(ENGINE_SVM);
	/* Steps that a program cannot have do not count. */
	for (uint32_t i = 0; i < SS_PROGRAM_STEPS; i++)
		program.steps[i] = (struct ss_step){SS_INSN_LOAD, 0, 0};
	program.count = SS_PROGRAM_STEPS + 1;
	program_predict(&where, &program, &prediction);
	assert_int_equal(prediction.monitor, SS_PROGRAM_STEPS);
}

/* Where KVM interprets MOV it drops bits 63:32 of the value, which are #GP elsewhere and in the monitor. */
static void upper_half(void **state)
{
	static const struct {
		enum engine_id engine;
		enum host_backend backend;
		uint32_t traits, masked;
		uint64_t seen;
	} rows[] = {
		{ENGINE_FLAT, HOST_BACKEND_VMX, 0, 0, GP},
		{ENGINE_FLAT, HOST_BACKEND_PVM, 0, 0, 0},
		{ENGINE_FLAT, HOST_BACKEND_SVM, 0, 0, 0},
		{ENGINE_FLAT, HOST_BACKEND_SVM, 1u << TRAIT_DECODE_ASSISTS, 0, GP},
		{ENGINE_SVM, HOST_BACKEND_SVM, 0, 0, 0},
		{ENGINE_SVM, HOST_BACKEND_SVM, 0, 8, GP},
		{ENGINE_VMX, HOST_BACKEND_VMX, 0, 8, GP},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (uint32_t cr = 0; cr <= 4; cr += 4) {
			const struct ss_program program = {
				.count = 2, .cr = cr, .masked = rows[i].masked, .kept = rows[i].masked,
				.steps = {{SS_INSN_MOV, 40 + 1, 0}, {SS_INSN_LOAD, 0, 0}}};
			struct expect_environment where = environment(rows[i].engine);
			struct program_prediction prediction;

			where.backend = rows[i].backend;
			where.traits = rows[i].traits;
			program_predict(&where, &program, &prediction);
			assert_int_equal(prediction.seen[0], rows[i].seen);
			assert_int_equal(prediction.seen[1], cr == 4 ? SS_CR4_BASE : SS_CR0_BASE);
		}
}

/* Shrinking takes steps out, and leaves the others in their order. */
static void removal(void **state)
{
	struct ss_program whole;

	(void)state;
	program_generate(5, 0, PROGRAM_MASKS_ANY, false, 8, &whole);
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

		program_generate(3, i, PROGRAM_MASKS_ANY, i % 2, 1 + i % SS_PROGRAM_STEPS, &program);
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
		"", "# nothing\n", "mov\n", "mov 16\n", "mov x\n", "mov 1 2 3\n", "clts 1\n",
		"jump 3\n", "start 1\nread\n", "kept 8\nread\n", "masked -2\nread\n", "mov 0 64\n",
		"lmsw 0 3\n", "cr 4 4\nread\n", "cr 3\nread\n", "cr 4\nclts\n", "cr 4\nmov 2\n", "mov 0x100\n",
		"start 8\ncr 4\nread\n", "read\ncr 4\n",
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
		cmocka_unit_test(upper_half), cmocka_unit_test(removal),
		cmocka_unit_test(text),	      cmocka_unit_test(bad_text),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
