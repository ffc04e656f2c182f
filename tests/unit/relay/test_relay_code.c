/* SPDX-License-Identifier: GPL-2.0-only */
/* The relay's freestanding code on the host: its decoder against Zydis, its walk against tables made by
 * the views' own builder. */
#include "tests/unit/cmocka_prelude.h"

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "guestfw/relay/decode.h"
#include "views/ept.h"

#define MEMORY_SIZE (UINT64_C(4) << 20)
#define TABLES_BASE UINT64_C(0x200000)

static uint8_t memory[MEMORY_SIZE];

#include "guestfw/relay/walk.h"

static uint64_t walk_load(uint64_t address)
{
	uint64_t word;

	assert_int_equal(address % 8, 0);
	assert_true(address <= MEMORY_SIZE - 8);
	memcpy(&word, memory + address, sizeof(word));
	return word;
}

/* What Zydis makes of the same bytes, in the terms of the relay. */
static struct relay_insn by_zydis(const uint8_t *code, unsigned count, enum relay_mode mode)
{
	struct relay_insn insn = {.kind = RELAY_INSN_OTHER};
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction decoded;
	ZydisDecoder decoder;
	unsigned operand = 0;

	ZydisDecoderInit(&decoder,
			 mode == RELAY_MODE_64   ? ZYDIS_MACHINE_MODE_LONG_64
			 : mode == RELAY_MODE_32 ? ZYDIS_MACHINE_MODE_LONG_COMPAT_32
						 : ZYDIS_MACHINE_MODE_LONG_COMPAT_16,
			 mode == RELAY_MODE_64 ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32);
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code, count, &decoded, operands)))
		return insn;
	switch (decoded.mnemonic) {
	case ZYDIS_MNEMONIC_CLTS:
		insn.kind = RELAY_INSN_CLTS;
		break;
	case ZYDIS_MNEMONIC_VMFUNC:
		insn.kind = RELAY_INSN_VMFUNC;
		break;
	case ZYDIS_MNEMONIC_WRMSR:
		insn.kind = RELAY_INSN_WRMSR;
		break;
	case ZYDIS_MNEMONIC_CPUID:
		insn.kind = RELAY_INSN_CPUID;
		break;
	case ZYDIS_MNEMONIC_VMMCALL:
		insn.kind = RELAY_INSN_VMMCALL;
		break;
	case ZYDIS_MNEMONIC_LMSW:
		insn.kind = RELAY_INSN_LMSW;
		break;
	case ZYDIS_MNEMONIC_SMSW:
		insn.kind = RELAY_INSN_SMSW;
		break;
	case ZYDIS_MNEMONIC_MOV:
		if (operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    operands[0].reg.value == ZYDIS_REGISTER_CR0) {
			insn.kind = RELAY_INSN_MOV_TO_CR0;
			operand = 1;
		} else if (operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
			   operands[1].reg.value == ZYDIS_REGISTER_CR0) {
			insn.kind = RELAY_INSN_MOV_FROM_CR0;
		} else if (operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
			   operands[0].reg.value == ZYDIS_REGISTER_CR4) {
			insn.kind = RELAY_INSN_MOV_TO_CR4;
			operand = 1;
		} else if (operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
			   operands[1].reg.value == ZYDIS_REGISTER_CR4) {
			insn.kind = RELAY_INSN_MOV_FROM_CR4;
		}
		break;
	default:
		break;
	}
	if (insn.kind != RELAY_INSN_OTHER && decoded.operand_count_visible > 0) {
		if (operands[operand].type != ZYDIS_OPERAND_TYPE_REGISTER) {
			insn.kind = RELAY_INSN_OTHER;
			return insn;
		}
		insn.gpr = (unsigned)ZydisRegisterGetId(operands[operand].reg.value);
		insn.bits = operands[operand].size;
	}
	insn.length = decoded.length;
	return insn;
}

static void compare(const uint8_t *code, unsigned count, enum relay_mode mode)
{
	struct relay_insn got = relay_decode(code, count, mode);
	struct relay_insn wanted = by_zydis(code, count, mode);

	if (got.kind != wanted.kind)
		print_message("%02x %02x %02x %02x %02x %02x: %d, Zydis %d\n", code[0], code[1], code[2],
			      code[3], code[4], code[5], got.kind, wanted.kind);
	assert_int_equal(got.kind, wanted.kind);
	if (wanted.kind == RELAY_INSN_OTHER)
		return;
	assert_int_equal(got.length, wanted.length);
	if (wanted.bits == 0)
		return;
	assert_int_equal(got.gpr, wanted.gpr);
	/* LMSW reads 16 bits of whatever it is given. */
	if (wanted.kind != RELAY_INSN_LMSW)
		assert_int_equal(got.bits, wanted.bits);
}

/* Every second opcode byte of two-byte instructions that matter, every ModRM, behind up to two of the
 * prefixes, in the three modes, with every number of bytes. */
static void decoding(void **state)
{
	static const uint8_t prefixes[] = {0x00, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66,
					   0x67, 0x40, 0x41, 0x44, 0x48, 0x4d, 0x4f};
	static const uint8_t opcodes[] = {0x00, 0x01, 0x05, 0x06, 0x0b, 0x20, 0x21, 0x22, 0x23, 0x30, 0x32, 0xa2};

	(void)state;
	for (size_t a = 0; a < ARRAY_SIZE(prefixes); a++)
		for (size_t b = 0; b < ARRAY_SIZE(prefixes); b++)
			for (size_t o = 0; o < ARRAY_SIZE(opcodes); o++)
				for (unsigned modrm = 0; modrm < 256; modrm++) {
					uint8_t code[RELAY_INSN_MAX] = {0};
					unsigned at = 0;

					if (prefixes[a])
						code[at++] = prefixes[a];
					if (prefixes[b])
						code[at++] = prefixes[b];
					code[at++] = 0x0f;
					code[at++] = opcodes[o];
					code[at] = (uint8_t)modrm;
					compare(code, sizeof(code), RELAY_MODE_64);
					compare(code, at + 1, RELAY_MODE_64);
					/* Not a prefix in these modes, but INC or DEC. */
					if ((prefixes[a] & 0xf0) != 0x40 &&
					    (prefixes[b] & 0xf0) != 0x40) {
						compare(code, sizeof(code), RELAY_MODE_32);
						compare(code, sizeof(code), RELAY_MODE_16);
					}
					for (unsigned count = 0; count < at; count++)
						assert_int_equal(
							relay_decode(code, count, RELAY_MODE_64).kind,
							RELAY_INSN_OTHER);
				}
}

/* Prefixes under which the bytes mean something else or nothing: not for the relay. */
static void refused_prefixes(void **state)
{
	static const uint8_t lock_mov[] = {0xf0, 0x0f, 0x20, 0xc0}, rep_vmfunc[] = {0xf3, 0x0f, 0x01, 0xd4},
			     size_vmfunc[] = {0x66, 0x0f, 0x01, 0xd4},
			     lock_clts[] = {0xf0, 0x0f, 0x06}, lock_cpuid[] = {0xf0, 0x0f, 0xa2},
			     cr8[] = {0x44, 0x0f, 0x20, 0xc0}, cr3[] = {0x0f, 0x20, 0xd8},
			     late_rex[] = {0x41, 0x66, 0x0f, 0x22, 0xc0};
	uint8_t endless[RELAY_INSN_MAX];

	(void)state;
	assert_int_equal(relay_decode(lock_mov, 4, 1).kind, RELAY_INSN_OTHER);
	assert_int_equal(relay_decode(rep_vmfunc, 4, 1).kind, RELAY_INSN_OTHER);
	assert_int_equal(relay_decode(size_vmfunc, 4, 1).kind, RELAY_INSN_OTHER);
	assert_int_equal(relay_decode(lock_clts, 3, 1).kind, RELAY_INSN_OTHER);
	assert_int_equal(relay_decode(lock_cpuid, 3, 1).kind, RELAY_INSN_OTHER);
	assert_true(relay_decode(lock_cpuid, 3, 1).locked);
	assert_false(relay_decode(lock_cpuid + 1, 2, 1).locked);
	assert_int_equal(relay_decode(cr8, 4, 1).kind, RELAY_INSN_OTHER);
	assert_int_equal(relay_decode(cr3, 3, 1).kind, RELAY_INSN_OTHER);
	/* A REX prefix that another prefix follows does not count. */
	assert_int_equal(relay_decode(late_rex, 5, 1).kind, RELAY_INSN_MOV_TO_CR0);
	assert_int_equal(relay_decode(late_rex, 5, 1).gpr, 0);
	memset(endless, 0x66, sizeof(endless));
	assert_int_equal(relay_decode(endless, sizeof(endless), 1).kind, RELAY_INSN_OTHER);
}

static void put(uint64_t at, uint64_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

/* Two views of 2 MiB: one as it is, one that shows page 0x30000 at 0x40000 and hides 0x50000. */
static void build_views(uint64_t roots[2])
{
	const struct gpa_range range = {gpa_at(0), TABLES_BASE};
	const struct view_target target = {
		.memory = {&range, 1},
		.format = &paging_formats[PAGING_NPT],
		.caps = {.has_2m = true, .maxphyaddr = 40},
	};
	struct table_arena arena = {gpa_at(TABLES_BASE), memory + TABLES_BASE, 0x100000, 0};
	struct view_policy policy = {0};
	struct policy_error error;
	struct ept_views *views = calloc(1, sizeof(*views));

	assert_non_null(views);
	assert_int_equal(policy_add_region(&policy, "a", gpa_at(0x40000), 4096, NULL), 0);
	assert_int_equal(policy_add_region(&policy, "b", gpa_at(0x50000), 4096, NULL), 0);
	assert_int_equal(policy_add_view(&policy, "plain", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_add_view(&policy, "other", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_set_remap(&policy, 1, 0, gpa_at(0x30000)), 0);
	assert_int_equal(policy_set_rights(&policy, 1, 1, 0), 0);
	assert_int_equal(ept_build(&policy, &target, &arena, views, &error), 0);
	roots[0] = views->view[0].root.v;
	roots[1] = views->view[1].root.v;
	policy_finish(&policy);
	free(views);
}

/* Guest tables at 0x1000: 2 MiB at 0 in 4 KiB pages, the same again at 1 GiB in one large page. */
static void build_guest_tables(void)
{
	put(0x1000, 0x2003);
	put(0x2000, 0x3003);
	put(0x2008, 0x4003);
	put(0x3000, 0x5003);
	put(0x4000, 0x83);
	for (uint64_t i = 1; i < 512; i++)
		put(0x5000 + 8 * i, i << 12 | 3);
	/* Level 5, for a guest with 57 bits of addresses. */
	put(0x6000, 0x1003);
}

static void walking(void **state)
{
	struct walk walk = {.cr3 = 0x1000};
	uint64_t roots[2];

	(void)state;
	build_views(roots);
	build_guest_tables();
	for (unsigned view = 0; view < 2; view++) {
		walk.nested_cr3 = roots[view];
		assert_int_equal(walk_linear(&walk, 0x0), WALK_NOWHERE);
		assert_int_equal(walk_linear(&walk, 0x30123), 0x30123);
		assert_int_equal(walk_linear(&walk, 0x40123), view ? 0x30123 : 0x40123);
		assert_int_equal(walk_linear(&walk, 0x40040123), view ? 0x30123 : 0x40123);
		assert_int_equal(walk_linear(&walk, 0x50123), view ? WALK_NOWHERE : 0x50123);
		assert_int_equal(walk_linear(&walk, 0x200000), WALK_NOWHERE);
		assert_int_equal(walk_linear(&walk, UINT64_C(0xffff800000000000)), WALK_NOWHERE);
		walk.cr3 = 0x6fff;
		walk.paging = GUEST_PAGING_5_LEVELS;
		assert_int_equal(walk_linear(&walk, 0x30123), 0x30123);
		walk.cr3 = 0x1000;
		walk.paging = GUEST_PAGING_4_LEVELS;
	}
	/* Tables that the view does not have, or that are somewhere else in it. */
	walk.nested_cr3 = roots[1];
	walk.cr3 = 0x50000;
	assert_int_equal(walk_linear(&walk, 0x30123), WALK_NOWHERE);
	put(0x30000, 0x2003);
	walk.cr3 = 0x40000;
	assert_int_equal(walk_linear(&walk, 0x30123), 0x30123);
	/* An address outside guest memory leads nowhere, whatever a table says. */
	walk.cr3 = 0x1000;
	put(0x5000 + 8 * 7, TABLES_BASE | 3);
	assert_int_equal(walk_linear(&walk, 0x7000), WALK_NOWHERE);
	/* Without paging only the view counts. */
	walk.paging = GUEST_PAGING_NONE;
	assert_int_equal(walk_linear(&walk, 0x30123), 0x30123);
	assert_int_equal(walk_linear(&walk, 0x40123), 0x30123);
	assert_int_equal(walk_linear(&walk, 0x50123), WALK_NOWHERE);
}

static void put_32(uint64_t at, uint32_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

/* Tables of a guest outside long mode: PAE at 0x7020, 32 bits at 0x9000; each maps 2 MiB at 0 in pages of
 * 4 KiB, and at 1 GiB in a large one. */
static void build_legacy_tables(void)
{
	put(0x7020, 0x8001);
	put(0x7028, 0xa001);
	put(0x8000, 0x5003);
	put(0xa000, 0x83);
	put_32(0x9000, 0xb003);
	put_32(0x9004, 0);
	put_32(0x9400, 0x83);
	for (uint32_t i = 1; i < 512; i++)
		put_32(0xb000 + 4 * i, i << 12 | 3);
}

static void legacy_walking(void **state)
{
	static const struct walk walks[] = {
		{.cr3 = 0x7020, .paging = GUEST_PAGING_PAE},
		{.cr3 = 0x9018, .paging = GUEST_PAGING_32},
		{.cr3 = 0x9018, .paging = GUEST_PAGING_32_4K},
	};
	uint64_t roots[2];

	(void)state;
	build_views(roots);
	build_guest_tables();
	build_legacy_tables();
	for (size_t i = 0; i < ARRAY_SIZE(walks); i++) {
		struct walk walk = walks[i];

		walk.nested_cr3 = roots[1];
		assert_int_equal(walk_linear(&walk, 0), WALK_NOWHERE);
		assert_int_equal(walk_linear(&walk, 0x1f123), 0x1f123);
		assert_int_equal(walk_linear(&walk, 0x31124), 0x31124);
		assert_int_equal(walk_linear(&walk, 0x40123), 0x30123);
		assert_int_equal(walk_linear(&walk, 0x50123), WALK_NOWHERE);
		assert_int_equal(walk_linear(&walk, 0x80000000), WALK_NOWHERE);
		/* Without CR4.PSE it is a table, at address 0, whose first entries are 0. */
		assert_int_equal(walk_linear(&walk, 0x40040123),
				 walk.paging == GUEST_PAGING_32_4K ? WALK_NOWHERE : 0x30123);
	}
}

/* Code at every place around a page boundary, in adjacent and in scattered pages. */
static void fetching(void **state)
{
	struct walk walk = {.cr3 = 0x1000};
	uint64_t roots[2];

	(void)state;
	build_views(roots);
	build_guest_tables();
	for (uint64_t i = 0; i < 0x2000; i++) {
		memory[0x3f000 + i] = (uint8_t)(i * 7 + (i >> 8));
		memory[0x30000 + (i & 0xfff)] = (uint8_t)~i;
	}
	for (unsigned view = 0; view < 2; view++)
		for (uint64_t start = 0x3fff0; start < 0x40010; start++)
			for (unsigned size = 1; size <= RELAY_INSN_MAX; size++) {
				uint8_t code[RELAY_INSN_MAX];

				walk.nested_cr3 = roots[view];
				assert_int_equal(walk_fetch(&walk, start, code, size), size);
				for (unsigned i = 0; i < size; i++) {
					uint64_t at = start + i;

					if (view && at >= 0x40000)
						at -= 0x10000;
					assert_int_equal(code[i], memory[at]);
				}
			}
	/* At the end of what is mapped. */
	walk.nested_cr3 = roots[1];
	for (unsigned left = 0; left < 8; left++) {
		uint8_t code[RELAY_INSN_MAX];

		assert_int_equal(walk_fetch(&walk, 0x50000 - left, code, 8), left);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding),
		cmocka_unit_test(refused_prefixes),
		cmocka_unit_test(walking),
		cmocka_unit_test(legacy_walking),
		cmocka_unit_test(fetching),
	};

	return cmocka_run_group_tests_name("relay_code", tests, NULL, NULL);
}
