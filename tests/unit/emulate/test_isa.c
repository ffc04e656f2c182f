/* SPDX-License-Identifier: GPL-2.0-only */
/* Which instructions a processor has, by CPUID, CR4, EFER, mode and vendor. */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/emulate/isa.h"

#define LEAVES 9
#define EFER_SCE 1u
#define EFER_SVME 0x1000u

static struct kvm_cpuid2 *cpuid;

enum { EAX, EBX, ECX, EDX };

static uint32_t *reg_of(struct kvm_cpuid_entry2 *entry, unsigned reg)
{
	return reg == EAX ? &entry->eax : reg == EBX ? &entry->ebx : reg == ECX ? &entry->ecx : &entry->edx;
}

/* All bits of all leaves set, or none. */
static void fill(uint32_t value)
{
	static const struct {
		uint32_t leaf, subleaf, flags;
	} leaves[LEAVES] = {
		{1, 0, 0}, {7, 0, 1}, {7, 1, 1}, {0xd, 0, 1}, {0xd, 1, 1}, {0x14, 0, 1},
		{0x80000001, 0, 0}, {0x80000008, 0, 0}, {0x8000001f, 0, 0},
	};

	cpuid->nent = LEAVES;
	for (unsigned i = 0; i < LEAVES; i++)
		cpuid->entries[i] = (struct kvm_cpuid_entry2){
			.function = leaves[i].leaf, .index = leaves[i].subleaf,
			.flags = leaves[i].flags, .eax = value, .ebx = value, .ecx = value,
			.edx = value,
		};
}

static void put(uint32_t leaf, uint32_t subleaf, unsigned reg, unsigned bit, bool value)
{
	for (unsigned i = 0; i < LEAVES; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == leaf && entry->index == subleaf)
			*reg_of(entry, reg) = (*reg_of(entry, reg) & ~(1u << bit)) | (uint32_t)value << bit;
	}
}

static int setup(void **state)
{
	(void)state;
	cpuid = calloc(1, sizeof(*cpuid) + LEAVES * sizeof(cpuid->entries[0]));
	return cpuid ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(cpuid);
	return 0;
}

#define BYTES(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})

struct code {
	const char *text;
	uint8_t bytes[INSN_MAX];
	unsigned size;
};

static bool has(const struct isa *isa, enum cpu_width width, const struct code *code)
{
	const struct cpu_mode mode = {.code = width, .stack = width};
	struct insn insn;

	if (insn_decode(&mode, code->bytes, code->size, &insn) != 0)
		fail_msg("%s cannot be decoded", code->text);
	return isa_has(isa, &mode, &insn);
}

/* One bit decides: without it, and with nothing but it. */
static void one_bit(void **state)
{
	static const struct {
		struct code code;
		uint32_t leaf, subleaf;
		unsigned reg, bit;
	} rows[] = {
		{{"rdpid", BYTES(0xf3, 0x0f, 0xc7, 0xf8)}, 7, 0, ECX, 22},
		{{"rdrand", BYTES(0x0f, 0xc7, 0xf0)}, 1, 0, ECX, 30},
		{{"rdseed", BYTES(0x0f, 0xc7, 0xf8)}, 7, 0, EBX, 18},
		{{"rdtscp", BYTES(0x0f, 0x01, 0xf9)}, 0x80000001, 0, EDX, 27},
		{{"invpcid", BYTES(0x66, 0x0f, 0x38, 0x82, 0x03)}, 7, 0, EBX, 10},
		{{"monitor", BYTES(0x0f, 0x01, 0xc8)}, 1, 0, ECX, 3},
		{{"monitorx", BYTES(0x0f, 0x01, 0xfa)}, 0x80000001, 0, ECX, 29},
		{{"serialize", BYTES(0x0f, 0x01, 0xe8)}, 7, 0, EDX, 14},
		{{"umonitor", BYTES(0xf3, 0x0f, 0xae, 0xf0)}, 7, 0, ECX, 5},
		{{"pconfig", BYTES(0x0f, 0x01, 0xc5)}, 7, 0, EDX, 18},
		{{"invlpgb", BYTES(0x0f, 0x01, 0xfe)}, 0x80000008, 0, EBX, 3},
		{{"psmash", BYTES(0xf3, 0x0f, 0x01, 0xff)}, 0x8000001f, 0, EAX, 4},
		{{"hreset", BYTES(0xf3, 0x0f, 0x3a, 0xf0, 0xc0, 0)}, 7, 1, EAX, 22},
		{{"enclu", BYTES(0x0f, 0x01, 0xd7)}, 7, 0, EBX, 2},
		{{"stac", BYTES(0x0f, 0x01, 0xcb)}, 7, 0, EBX, 20},
		{{"xtest", BYTES(0x0f, 0x01, 0xd6)}, 7, 0, EBX, 11},
		{{"movbe", BYTES(0x0f, 0x38, 0xf0, 0x03)}, 1, 0, ECX, 22},
		{{"cmpxchg16b", BYTES(0x48, 0x0f, 0xc7, 0x0b)}, 1, 0, ECX, 13},
		{{"popcnt", BYTES(0xf3, 0x0f, 0xb8, 0xc0)}, 1, 0, ECX, 23},
		{{"addps", BYTES(0x0f, 0x58, 0xc0)}, 1, 0, EDX, 25},
		{{"addpd", BYTES(0x66, 0x0f, 0x58, 0xc0)}, 1, 0, EDX, 26},
		{{"crc32", BYTES(0xf2, 0x0f, 0x38, 0xf0, 0xc0)}, 1, 0, ECX, 20},
		{{"sha1nexte", BYTES(0x0f, 0x38, 0xc8, 0xc0)}, 7, 0, EBX, 29},
		{{"pfadd", BYTES(0x0f, 0x0f, 0xc0, 0x9e)}, 0x80000001, 0, EDX, 31},
		{{"lahf", BYTES(0x9f)}, 0x80000001, 0, ECX, 0},
		{{"vaddps", BYTES(0xc5, 0xf8, 0x58, 0xc0)}, 1, 0, ECX, 28},
		{{"vpaddd ymm", BYTES(0xc5, 0xfd, 0xfe, 0xc0)}, 7, 0, EBX, 5},
		{{"vaddps zmm", BYTES(0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc0)}, 7, 0, EBX, 16},
		{{"xsaves", BYTES(0x0f, 0xc7, 0x2b)}, 0xd, 1, EAX, 3},
		{{"ptwrite", BYTES(0xf3, 0x0f, 0xae, 0xe0)}, 0x14, 0, EBX, 4},
		{{"vmread", BYTES(0x0f, 0x78, 0xc8)}, 1, 0, ECX, 5},
		{{"vmrun", BYTES(0x0f, 0x01, 0xd8)}, 0x80000001, 0, ECX, 2},
		{{"getsec", BYTES(0x0f, 0x37)}, 1, 0, ECX, 6},
	};
	const struct isa isa = {.cpuid = cpuid, .virtualization = true, .cr4 = UINT32_MAX,
				.efer = UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct code *code = &rows[i].code;
		bool with, without;

		fill(UINT32_MAX);
		put(rows[i].leaf, rows[i].subleaf, rows[i].reg, rows[i].bit, false);
		without = has(&isa, WIDTH_64, code);
		fill(0);
		put(rows[i].leaf, rows[i].subleaf, rows[i].reg, rows[i].bit, true);
		with = has(&isa, WIDTH_64, code);
		if (without || !with)
			fail_msg("%s: %d without its bit, %d with it", code->text, without, with);
	}
}

/* Those that CR4 or EFER turn on. */
static void control_bits(void **state)
{
	static const struct {
		struct code code;
		uint32_t cr4, efer;
	} rows[] = {
		{{"xgetbv", BYTES(0x0f, 0x01, 0xd0)}, 1u << 18, 0},
		{{"vzeroupper", BYTES(0xc5, 0xf8, 0x77)}, 1u << 18, 0},
		{{"rdfsbase", BYTES(0xf3, 0x0f, 0xae, 0xc0)}, 1u << 16, 0},
		{{"rdpkru", BYTES(0x0f, 0x01, 0xee)}, 1u << 22, 0},
		{{"vmxon", BYTES(0xf3, 0x0f, 0xc7, 0x33)}, 1u << 13, 0},
		{{"getsec", BYTES(0x0f, 0x37)}, 1u << 14, 0},
		{{"vmload", BYTES(0x0f, 0x01, 0xda)}, 0, EFER_SVME},
		{{"syscall", BYTES(0x0f, 0x05)}, 0, EFER_SCE},
		{{"sysretq", BYTES(0x48, 0x0f, 0x07)}, 0, EFER_SCE},
	};

	(void)state;
	fill(UINT32_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct isa isa = {.cpuid = cpuid, .virtualization = true, .cr4 = rows[i].cr4,
				  .efer = rows[i].efer};

		assert_true(has(&isa, WIDTH_64, &rows[i].code));
		isa.cr4 = ~rows[i].cr4;
		isa.efer = ~rows[i].efer;
		assert_false(has(&isa, WIDTH_64, &rows[i].code));
	}
}

/* Whatever CPUID says. */
static void always_and_never(void **state)
{
	static const struct code never[] = {
		{"ud2", BYTES(0x0f, 0x0b)}, {"ud1", BYTES(0x0f, 0xb9, 0xc0)},
		{"ud0", BYTES(0x0f, 0xff, 0xc0)}, {"rsm", BYTES(0x0f, 0xaa)},
		{"vmfunc", BYTES(0x0f, 0x01, 0xd4)}, {"tdcall", BYTES(0x66, 0x0f, 0x01, 0xcc)},
	};
	static const struct code always[] = {
		{"mov", BYTES(0x89, 0xc0)}, {"cpuid", BYTES(0x0f, 0xa2)}, {"nop", BYTES(0x0f, 0x1f, 0)},
		{"endbr64", BYTES(0xf3, 0x0f, 0x1e, 0xfa)}, {"tzcnt, else bsf", BYTES(0xf3, 0x0f, 0xbc, 0xc0)},
		{"lzcnt, else bsr", BYTES(0xf3, 0x0f, 0xbd, 0xc0)}, {"rdpmc", BYTES(0x0f, 0x33)},
		{"prefetchnta", BYTES(0x0f, 0x18, 0)}, {"pause", BYTES(0xf3, 0x90)},
		{"bndmov, else nop", BYTES(0x66, 0x0f, 0x1a, 0xc0)}, {"wrmsr", BYTES(0x0f, 0x30)},
	};
	struct isa isa = {.cpuid = cpuid, .virtualization = true, .cr4 = UINT32_MAX, .efer = UINT32_MAX};

	(void)state;
	fill(UINT32_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		assert_false(has(&isa, WIDTH_64, &never[i]));
	fill(0);
	isa.cr4 = isa.efer = 0;
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		assert_true(has(&isa, WIDTH_64, &always[i]));
}

/* Intel SDM vol. 2B, SYSCALL and SYSENTER; AMD APM vol. 3, the same: who has which in which mode. */
static void vendors(void **state)
{
	static const struct code syscall_ = {"syscall", BYTES(0x0f, 0x05)},
				 sysenter = {"sysenter", BYTES(0x0f, 0x34)}, lahf = {"lahf", BYTES(0x9f)};
	const struct cpu_mode legacy = {.code = WIDTH_32, .stack = WIDTH_32, .legacy = true};
	struct isa isa = {.cpuid = cpuid, .efer = EFER_SCE};
	struct insn insn;

	(void)state;
	fill(UINT32_MAX);
	assert_true(has(&isa, WIDTH_64, &syscall_));
	assert_false(has(&isa, WIDTH_32, &syscall_));
	assert_true(has(&isa, WIDTH_64, &sysenter));
	assert_true(has(&isa, WIDTH_32, &sysenter));
	isa.amd = true;
	assert_true(has(&isa, WIDTH_64, &syscall_));
	assert_true(has(&isa, WIDTH_32, &syscall_));
	assert_false(has(&isa, WIDTH_64, &sysenter));
	assert_false(has(&isa, WIDTH_32, &sysenter));
	assert_int_equal(insn_decode(&legacy, sysenter.bytes, sysenter.size, &insn), 0);
	assert_true(isa_has(&isa, &legacy, &insn));
	fill(0);
	assert_true(has(&isa, WIDTH_32, &lahf));
}

/* A monitor keeps them from the guest, whatever KVM's table says. */
static void hidden_virtualization(void **state)
{
	static const struct code rows[] = {
		{"vmcall", BYTES(0x0f, 0x01, 0xc1)}, {"vmxon", BYTES(0xf3, 0x0f, 0xc7, 0x33)},
		{"vmmcall", BYTES(0x0f, 0x01, 0xd9)}, {"clgi", BYTES(0x0f, 0x01, 0xdd)},
	};
	struct isa isa = {.cpuid = cpuid, .virtualization = true, .cr4 = UINT32_MAX, .efer = UINT32_MAX};

	(void)state;
	fill(UINT32_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		isa.virtualization = true;
		assert_true(has(&isa, WIDTH_64, &rows[i]));
		isa.virtualization = false;
		assert_false(has(&isa, WIDTH_64, &rows[i]));
	}
}

/* Any bytes whatever, in every mode, under the sanitizers: decoding and the answer end. */
static void any_bytes(void **state)
{
	struct isa isa = {.cpuid = cpuid};
	unsigned known = 0;

	(void)state;
	fill(0x5a5a5a5a);
	srand(1);
	for (int run = 0; run < 60000; run++) {
		const struct cpu_mode mode = {.code = (enum cpu_width)(run % WIDTH_COUNT),
					      .stack = (enum cpu_width)(run / 3 % WIDTH_COUNT),
					      .legacy = run & 16, .real = run & 32};
		const uint64_t regs[16] = {0};
		uint8_t bytes[INSN_MAX];
		enum cpu_segment segment;
		uint64_t offset;
		struct insn insn;

		for (unsigned i = 0; i < INSN_MAX; i++)
			bytes[i] = (uint8_t)rand();
		if (run & 64)
			bytes[0] = 0x0f;
		if (insn_decode(&mode, bytes, (unsigned)rand() % (INSN_MAX + 1), &insn) != 0)
			continue;
		known += isa_has(&isa, &mode, &insn);
		for (unsigned o = 0; o < insn.decoded.operand_count; o++)
			if (insn_offset(&insn, &insn.operands[o], &(struct insn_state){0, regs}, &segment,
					&offset) == 0)
				assert_true((unsigned)segment < SEGMENT_COUNT);
	}
	assert_in_range(known, 1000, 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_bit, setup, teardown),
		cmocka_unit_test_setup_teardown(control_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(always_and_never, setup, teardown),
		cmocka_unit_test_setup_teardown(vendors, setup, teardown),
		cmocka_unit_test_setup_teardown(hidden_virtualization, setup, teardown),
		cmocka_unit_test_setup_teardown(any_bytes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
