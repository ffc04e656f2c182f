/* SPDX-License-Identifier: GPL-2.0-only */
/* Catalogues of operations in images: which are refused, and what the built-in one has. */
#include "tests/unit/guest/image_fixture.h"

#include <stdlib.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static void bad_catalogues(void **state)
{
	static struct elf_file file;

	(void)state;
#define BAD(change, fragment)                                                                      \
	do {                                                                                       \
		struct ss_operation *op = &file.operations[1];                                     \
		elf_valid(&file);                                                                  \
		change;                                                                            \
		refused_file(&file, fragment);                                                     \
	} while (0)
	BAD(op->name[0] = '\0', "malformed text");
	BAD(memset(op->name, 'x', sizeof(op->name)), "malformed text");
	BAD(memset(op->needs, 'x', sizeof(op->needs)), "malformed text");
	BAD(memset(op->meaning, 'x', sizeof(op->meaning)), "malformed text");
	BAD(op->name[1] = ' ', "malformed text");
	BAD(op->name[1] = 'A', "malformed text");
	BAD(op->name[1] = '\n', "malformed text");
	BAD(op->name[1] = '\x80', "malformed text");
	BAD(op->needs[0] = '\033', "malformed text");
	BAD(op->meaning[0] = '\033', "malformed text");
	BAD(op->meaning[0] = '\x9b', "malformed text");
	BAD(op->kind = SS_KIND_INVALID, "unknown kind");
	BAD(op->kind = SS_KIND_COUNT, "unknown kind");
	BAD(op->kind = UINT32_MAX, "unknown kind");
	BAD(op->insn = SS_INSN_INVALID, "unknown kind");
	BAD(op->insn = SS_INSN_COUNT, "unknown kind");
	BAD(op->count = 0, "unknown kind");
	BAD(op->compared = 3, "is compared with operation 3 of 2");
#undef BAD
	elf_valid(&file);
	elf_write(&file);
	file.sections[ELF_SECTION_OPERATIONS].sh_size -= 1;
	elf_rewrite_headers(&file);
	refused(file.data, file.size, "wrong size");
}

/* More operations than the ABI allows, in a section that is really there. */
static void large_catalogue(void **state)
{
	static struct elf_file file;

	(void)state;
	for (unsigned count = SS_MAX_OPERATIONS; count <= SS_MAX_OPERATIONS + 1; count++) {
		size_t at, size = count * sizeof(struct ss_operation);
		uint8_t *data;
		struct image image;
		struct error error;
		void *copy;

		elf_valid(&file);
		elf_write(&file);
		at = (file.size + 7) & ~(size_t)7;
		file.sections[ELF_SECTION_OPERATIONS].sh_offset = at;
		file.sections[ELF_SECTION_OPERATIONS].sh_size = size;
		elf_rewrite_headers(&file);
		data = calloc(1, at + size);
		assert_non_null(data);
		memcpy(data, file.data, file.size);
		for (unsigned i = 0; i < count; i++)
			memcpy(data + at + i * sizeof(struct ss_operation), &file.operations[0],
			       sizeof(struct ss_operation));
		assert_int_equal(parse(data, at + size, &image, &error, &copy) == 0,
				 count <= SS_MAX_OPERATIONS);
		image_close(&image);
		free(copy);
		free(data);
	}
}

static void builtin(void **state)
{
	struct error error = {0};
	struct image image;

	(void)state;
	assert_int_equal(image_builtin(&image, &error), 0);
	assert_true(image.operation_count > 40);
	assert_int_equal(image_check_fit(&image, 4 * MIB, &error), 0);
	assert_non_null(image_symbol_at(&image, image.entry));
	for (size_t i = 0; i < image.operation_count; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(image.operations[i].name, image.operations[j].name);
	/* Attribution by RIP: every routine lies in a segment and ends after it starts. */
	for (size_t i = 0; i < image.operation_count; i++)
		assert_true(image.operations[i].entry < image.operations[i].end);
	image_close(&image);
}

/* The switch of views by VMFUNC with its index in ECX, or the same service by VMCALL, is what other ways to the
 * service are compared with. */
static bool is_other_way(const struct ss_operation *op, const struct ss_operation *with)
{
	if (with->kind == SS_KIND_VMFUNC && with->arg == 1 && with->flags == SS_OP_ROTATE)
		return (op->kind == SS_KIND_VMFUNC && op->arg == 1 &&
			op->flags == (SS_OP_ROTATE | SS_OP_IN_MEMORY)) ||
		       (op->kind == SS_KIND_HYPERCALL_SERVICE && op->arg == SS_HYPERCALL_VIEW &&
			op->flags == SS_OP_ROTATE);
	return with->kind == SS_KIND_HYPERCALL_SERVICE && with->insn == SS_INSN_VMCALL &&
	       op->kind == with->kind && op->insn != SS_INSN_VMCALL && op->arg == with->arg &&
	       op->flags == with->flags;
}

/* The same instruction with the same operand, and nothing masked; that is what nothing but a mask is added to. */
static bool is_base_of(const struct ss_operation *with, const struct ss_operation *op)
{
	return with->kind == op->kind && with->insn == op->insn && with->arg == op->arg && with->masked == 0 &&
	       with->compared == 0 && !((with->flags ^ op->flags) & ~(SS_OP_ENLIGHTENED | SS_OP_TRAP));
}

static void check_compared(const struct ss_operation *op, const struct ss_operation *with)
{
	if (is_other_way(op, with))
		return;
	if (!is_base_of(with, op))
		fail_msg("%s is compared with %s", op->name, with->name);
	/* An FPU instruction asks the loaded flags, whatever the shadow shows. */
	if (op->kind == SS_KIND_FPU && with->cr0 != op->cr0)
		fail_msg("%s is compared with %s, which has other flags loaded", op->name, with->name);
}

/* Those of a kind that the catalogue does not have without a mask. */
static bool is_alone(const struct image *image, const struct ss_operation *op)
{
	static const char *const names[] = {"cr0.same.lmsw.kept", "cr0.tsmp.clts.kept", "cr0.tsmp.mov.fpu.mixed"};
	bool named = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		named = named || strcmp(op->name, names[i]) == 0;
	for (size_t i = 0; i < image->operation_count; i++)
		named = named && !is_base_of(&image->operations[i], op);
	return named;
}

/* What has a mask is compared with what has none, where the catalogue has that. */
static void comparisons(void **state)
{
	struct error error = {0};
	struct image image;
	size_t compared = 0;

	(void)state;
	assert_int_equal(image_builtin(&image, &error), 0);
	for (size_t i = 0; i < image.operation_count; i++) {
		const struct ss_operation *op = &image.operations[i];

		if (op->compared)
			check_compared(op, &image.operations[op->compared - 1]);
		else if (op->masked && !is_alone(&image, op))
			fail_msg("%s is compared with nothing", op->name);
		compared += op->compared != 0;
	}
	assert_true(compared > 20);
	image_close(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_catalogues),
		cmocka_unit_test(large_catalogue),
		cmocka_unit_test(builtin),
		cmocka_unit_test(comparisons),
	};

	return cmocka_run_group_tests_name("image catalogues", tests, NULL, NULL);
}
