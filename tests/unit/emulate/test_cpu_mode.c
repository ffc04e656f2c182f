/* SPDX-License-Identifier: GPL-2.0-only */
/* What CS.L, CS.D, SS.B and the segments make of code and addresses. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "vmm/emulate/instruction.h"
#include "vmm/engine/vmcb12.h"
#include "vmm/engine/vmcs12.h"

#define CR0_PE 1u
#define EFER_LMA 0x400u
#define DATA 3u        /* type: read, write, accessed */
#define CODE 11u       /* execute, read, accessed */
#define EXPAND_DOWN 4u
#define SS 12
#define GP 13

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static struct kvm_segment flat(unsigned type)
{
	return (struct kvm_segment){.limit = UINT32_MAX, .type = (__u8)type, .present = 1, .s = 1,
				    .db = 1, .g = 1};
}

static struct kvm_sregs sregs_of(bool long_mode, bool l, bool d, bool b)
{
	struct kvm_sregs sregs = {.cr0 = CR0_PE, .efer = long_mode ? EFER_LMA : 0};

	sregs.cs = flat(CODE);
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = flat(DATA);
	sregs.cs.l = l;
	sregs.cs.db = d;
	sregs.ss.db = b;
	return sregs;
}

static struct cpu_mode mode_of(bool long_mode, bool l, bool d, bool b)
{
	struct kvm_sregs sregs = sregs_of(long_mode, l, d, b);

	return cpu_mode_of(&sregs);
}

/* Intel SDM vol. 1, 3.6.1, tables 3-3 and 3-4; CS.L has no meaning outside long mode. */
static void sizes(void **state)
{
	static const struct {
		bool long_mode, l, d, b;
		enum cpu_width code, stack;
	} rows[] = {
		{true, true, false, false, WIDTH_64, WIDTH_64},
		{true, true, false, true, WIDTH_64, WIDTH_64},
		{true, false, true, true, WIDTH_32, WIDTH_32},
		{true, false, true, false, WIDTH_32, WIDTH_16},
		{true, false, false, true, WIDTH_16, WIDTH_32},
		{true, false, false, false, WIDTH_16, WIDTH_16},
		{false, true, true, true, WIDTH_32, WIDTH_32},
		{false, true, false, false, WIDTH_16, WIDTH_16},
		{false, false, true, false, WIDTH_32, WIDTH_16},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cpu_mode mode =
			mode_of(rows[i].long_mode, rows[i].l, rows[i].d, rows[i].b);

		assert_int_equal(mode.code, rows[i].code);
		assert_int_equal(mode.stack, rows[i].stack);
		assert_int_equal(mode.legacy, !rows[i].long_mode);
	}
}

/* A base counts in 64-bit mode for FS and GS only; elsewhere addresses have 32 bits. */
static void linear_addresses(void **state)
{
	(void)state;
	for (unsigned width = 0; width < WIDTH_COUNT; width++)
		for (unsigned segment = 0; segment < SEGMENT_COUNT; segment++) {
			struct cpu_mode mode = {.code = (enum cpu_width)width};
			uint64_t offset = width == WIDTH_64 ? 0x7fff12345678 : 0xfffffff0, wanted;

			mode.segment[segment].base = 0x10020;
			wanted = offset + 0x10020;
			if (width != WIDTH_64)
				wanted = 0x10010;
			else if (segment < SEGMENT_FS)
				wanted = offset;
			assert_int_equal(cpu_mode_linear(&mode, (enum cpu_segment)segment, offset),
					 wanted);
		}
}

struct access {
	unsigned type;
	uint32_t limit;
	bool big;
	uint64_t offset;
	unsigned size;
	bool write;
	unsigned vector;
};

/* Intel SDM vol. 3A, 5.3 and 5.4.1: limits, expand-down segments, kinds of access. */
static void limits(void **state)
{
	static const struct access rows[] = {
		{DATA, 0xfff, true, 0xffe, 2, false, 0},
		{DATA, 0xfff, true, 0xfff, 2, false, GP},
		{DATA, 0xfff, true, 0x1000, 1, true, GP},
		{DATA, UINT32_MAX, true, 0xfffffffe, 2, false, 0},
		{DATA, UINT32_MAX, true, 0xffffffff, 2, false, GP},
		{DATA | EXPAND_DOWN, 0xfff, true, 0x1000, 2, true, 0},
		{DATA | EXPAND_DOWN, 0xfff, true, 0xfff, 2, true, GP},
		{DATA | EXPAND_DOWN, 0xfff, true, 0xfffffffe, 2, true, 0},
		{DATA | EXPAND_DOWN, 0xfff, false, 0xfffe, 2, true, 0},
		{DATA | EXPAND_DOWN, 0xfff, false, 0xffff, 2, true, GP},
		{1, 0xfff, true, 0, 2, false, 0},          /* read-only data */
		{1, 0xfff, true, 0, 2, true, GP},
		{CODE, 0xfff, true, 0, 2, false, 0},       /* code that can be read */
		{CODE, 0xfff, true, 0, 2, true, GP},
		{9, 0xfff, true, 0, 2, false, GP},         /* and that cannot */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct access *row = &rows[i];
		struct cpu_mode mode = mode_of(true, false, true, true);
		unsigned vector;

		mode.segment[SEGMENT_DS].type = (__u8)row->type;
		mode.segment[SEGMENT_DS].limit = row->limit;
		mode.segment[SEGMENT_DS].db = row->big;
		mode.segment[SEGMENT_SS] = mode.segment[SEGMENT_DS];
		vector = cpu_mode_fault(&mode, SEGMENT_DS, row->offset, row->size, row->write);
		if (vector != row->vector)
			fail_msg("row %zu: %u", i, vector);
		assert_int_equal(cpu_mode_fault(&mode, SEGMENT_SS, row->offset, row->size, row->write),
				 row->vector ? SS : 0);
		mode.segment[SEGMENT_DS].unusable = 1;
		assert_int_equal(cpu_mode_fault(&mode, SEGMENT_DS, row->offset, row->size, row->write),
				 GP);
		/* In 64-bit mode none of it counts, nor does a type in real mode. */
		mode.code = WIDTH_64;
		assert_int_equal(cpu_mode_fault(&mode, SEGMENT_DS, row->offset, row->size, row->write),
				 0);
	}
}

static void canonical_addresses(void **state)
{
	struct cpu_mode mode = mode_of(true, true, false, false);

	(void)state;
	assert_int_equal(cpu_mode_fault(&mode, SEGMENT_DS, 0x7ffffffffffe, 2, false), 0);
	assert_int_equal(cpu_mode_fault(&mode, SEGMENT_DS, 0x7fffffffffff, 2, false), GP);
	assert_int_equal(cpu_mode_fault(&mode, SEGMENT_SS, 0x800000000000, 2, false), SS);
	assert_int_equal(cpu_mode_fault(&mode, SEGMENT_DS, 0xffff800000000000, 2, false), 0);
	mode.segment[SEGMENT_GS].base = 0xffff800000000000;
	assert_int_equal(cpu_mode_fault(&mode, SEGMENT_GS, 8, 2, false), 0);
	mode.paging = GUEST_PAGING_5_LEVELS;
	assert_int_equal(cpu_mode_fault(&mode, SEGMENT_SS, 0x800000000000, 2, false), 0);
	assert_int_equal(cpu_mode_fault(&mode, SEGMENT_SS, 0x100000000000000, 2, false), SS);
}

#define BYTES(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})

/* The same bytes are another instruction in each mode (Intel SDM vol. 2A, 2.1.5 and 2.2.1): length, segment
 * and offset of its operand in memory. Registers are 0x1000 times their number, with bits above. */
static void operands(void **state)
{
	static const struct {
		const char *text;
		enum cpu_width width;
		uint8_t bytes[INSN_MAX];
		unsigned size, length;
		enum cpu_segment segment;
		uint64_t offset;
	} rows[] = {
		{"mov moffs,%eax", WIDTH_64, BYTES(0xa1, 1, 2, 3, 4, 5, 6, 7, 8), 9, SEGMENT_DS,
		 0x0807060504030201},
		{"mov moffs,%eax", WIDTH_32, BYTES(0xa1, 1, 2, 3, 4, 5, 6, 7, 8), 5, SEGMENT_DS,
		 0x04030201},
		{"mov moffs,%ax", WIDTH_16, BYTES(0xa1, 1, 2, 3, 4, 5, 6, 7, 8), 3, SEGMENT_DS, 0x0201},
		{"a32 mov moffs,%ax", WIDTH_16, BYTES(0x67, 0xa1, 1, 2, 3, 4, 5), 6, SEGMENT_DS,
		 0x04030201},
		{"a16 mov moffs,%eax", WIDTH_32, BYTES(0x67, 0xa1, 1, 2, 3, 4, 5), 4, SEGMENT_DS,
		 0x0201},
		{"lmsw, by RIP", WIDTH_64, BYTES(0x0f, 0x01, 0x35, 0x10, 0, 0, 0), 7, SEGMENT_DS,
		 0x100017},
		{"lmsw, absolute", WIDTH_32, BYTES(0x0f, 0x01, 0x35, 0x10, 0, 0, 0), 7, SEGMENT_DS, 0x10},
		{"lmsw (%di)", WIDTH_16, BYTES(0x0f, 0x01, 0x35), 3, SEGMENT_DS, 0x7000},
		{"mov 1(%bp,%si),%ax", WIDTH_16, BYTES(0x8b, 0x42, 1), 3, SEGMENT_SS, 0xb001},
		{"mov 1(%ebp),%eax", WIDTH_32, BYTES(0x8b, 0x45, 1), 3, SEGMENT_SS, 0x05005001},
		{"mov %es:-1(%ecx,%edx,8),%eax", WIDTH_32, BYTES(0x26, 0x8b, 0x44, 0xd1, 0xff), 5,
		 SEGMENT_ES, 0x11010fff},
		{"mov %fs:(%rax),%ecx", WIDTH_64, BYTES(0x64, 0x8b, 0x08), 3, SEGMENT_FS, 0},
		{"movsb, from", WIDTH_32, BYTES(0xa4), 1, SEGMENT_ES, 0x07007000},
		{"dec %eax", WIDTH_32, BYTES(0x48, 0x8b, 0x07), 1, SEGMENT_COUNT, 0},
		{"mov (%rdi),%rax", WIDTH_64, BYTES(0x48, 0x8b, 0x07), 3, SEGMENT_DS, 0x700000007007000},
		{"push %eax", WIDTH_32, BYTES(0x50), 1, SEGMENT_SS, 0x04004000},
	};
	uint64_t regs[16];

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		regs[i] = UINT64_C(0x100000001001000) * i;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct insn_state at = {0x100000, regs};
		struct cpu_mode mode = {.code = rows[i].width, .stack = rows[i].width};
		enum cpu_segment segment = SEGMENT_COUNT;
		uint64_t offset = 0;
		struct insn insn;

		assert_int_equal(insn_decode(&mode, rows[i].bytes, rows[i].size, &insn), 0);
		for (unsigned o = 0; o < insn.decoded.operand_count && segment == SEGMENT_COUNT; o++)
			insn_offset(&insn, &insn.operands[o], &at, &segment, &offset);
		if (insn.decoded.length != rows[i].length || segment != rows[i].segment ||
		    offset != rows[i].offset)
			fail_msg("%s: length %u, segment %d, offset 0x%llx", rows[i].text,
				 insn.decoded.length, (int)segment, (unsigned long long)offset);
	}
}

/* The stack pointer has the width of the stack, whatever that of the code is. */
static void stacks(void **state)
{
	static const uint64_t wanted[WIDTH_COUNT] = {0x1122334455667788, 0x55667788, 0x7788};
	const uint64_t regs[16] = {[RSP] = 0x1122334455667788};
	const struct insn_state at = {0, regs};

	(void)state;
	for (unsigned code = 0; code < WIDTH_COUNT; code++)
		for (unsigned stack = 0; stack < WIDTH_COUNT; stack++) {
			struct cpu_mode mode = {.code = (enum cpu_width)code,
						.stack = (enum cpu_width)stack};
			enum cpu_segment segment;
			uint64_t offset = 0;
			struct insn insn;

			if ((code == WIDTH_64) != (stack == WIDTH_64))
				continue;
			assert_int_equal(insn_decode(&mode, (const uint8_t *)"\x50", 1, &insn), 0);
			for (unsigned o = 0; o < insn.decoded.operand_count; o++)
				insn_offset(&insn, &insn.operands[o], &at, &segment, &offset);
			assert_int_equal(offset, wanted[stack]);
		}
}

static void failures(void **state)
{
	static const uint8_t many[] = {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
				       0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90};
	const struct cpu_mode long_mode = {0}, compatible = {.code = WIDTH_32, .stack = WIDTH_32};
	struct insn insn;

	(void)state;
	assert_int_equal(insn_decode(&long_mode, (const uint8_t *)"\x06", 1, &insn), -EOPNOTSUPP);
	assert_int_equal(insn_decode(&compatible, (const uint8_t *)"\x06", 1, &insn), 0);
	assert_int_equal(insn_decode(&long_mode, (const uint8_t *)"\x0f", 1, &insn), -ENODATA);
	assert_int_equal(insn_decode(&long_mode, (const uint8_t *)"", 0, &insn), -ENODATA);
	assert_int_equal(insn_decode(&long_mode, many, sizeof(many), &insn), -E2BIG);
}

/* What the control structures hold, in KVM's words: both vendors' formats of attributes. */
static void control_structures(void **state)
{
	static struct vmcs12 vmcs12;
	static struct vmcb12 vmcb12;
	struct kvm_sregs sregs, kept = {.fs = {.base = 0x1234}};

	(void)state;
	vmcs12_set(&vmcs12, VMCS12_guest_cs_base, 0x1000);
	vmcs12_set(&vmcs12, VMCS12_guest_cs_limit, 0xffff);
	vmcs12_set(&vmcs12, VMCS12_guest_cs_ar_bytes, 0xc09b);
	vmcs12_set(&vmcs12, VMCS12_guest_ds_ar_bytes, 0x10000);
	vmcs12_set(&vmcs12, VMCS12_guest_ss_ar_bytes, 0x40f3);
	vmcs12_set(&vmcs12, VMCS12_guest_gs_base, 0xffff800000000000);
	vmcs12_set(&vmcs12, VMCS12_guest_cr3, 0x5000);
	vmcs12_set(&vmcs12, VMCS12_guest_ia32_efer, 0x500);
	vmcs12_set(&vmcs12, VMCS12_guest_idtr_base, 0x7000);
	vmcs12_set(&vmcs12, VMCS12_guest_idtr_limit, 0xfff);
	vmcs12_sregs(&vmcs12, &sregs);
	assert_true(sregs.idt.base == 0x7000 && sregs.idt.limit == 0xfff);
	assert_true(sregs.cs.base == 0x1000 && sregs.cs.limit == 0xffff && sregs.cs.type == CODE);
	assert_true(sregs.cs.s && sregs.cs.present && sregs.cs.db && sregs.cs.g && !sregs.cs.l);
	assert_true(sregs.ds.unusable && !sregs.ds.present);
	assert_true(sregs.ss.dpl == 3 && sregs.ss.db && !sregs.ss.g);
	assert_true(sregs.gs.base == 0xffff800000000000 && sregs.cr3 == 0x5000);
	assert_int_equal(cpu_mode_of(&sregs).code, WIDTH_32);
	vmcs12_set(&vmcs12, VMCS12_guest_cs_ar_bytes, 0xa09b);
	vmcs12_sregs(&vmcs12, &sregs);
	assert_int_equal(cpu_mode_of(&sregs).code, WIDTH_64);

	vmcb_set_cs_base(vmcb12.bytes, 0x1000);
	vmcb_set_cs_attrib(vmcb12.bytes, 0xc9b);
	vmcb_set_ss_attrib(vmcb12.bytes, 0x4f3);
	vmcb_set_cr3(vmcb12.bytes, 0x5000);
	vmcb_set_efer(vmcb12.bytes, 0x500);
	vmcb_set_idtr_base(vmcb12.bytes, 0x7000);
	vmcb_set_idtr_limit(vmcb12.bytes, 0xfff);
	vmcb12_sregs(vmcb12.bytes, &kept);
	assert_true(kept.idt.base == 0x7000 && kept.idt.limit == 0xfff);
	assert_true(kept.cs.base == 0x1000 && kept.cs.type == CODE && kept.cs.db && kept.cs.g);
	assert_true(kept.ss.dpl == 3 && kept.ss.db && !kept.ss.g && kept.ds.unusable);
	assert_true(kept.fs.base == 0x1234 && kept.cr3 == 0x5000);
	assert_int_equal(cpu_mode_of(&kept).code, WIDTH_32);
	vmcb_set_cs_attrib(vmcb12.bytes, 0xa9b);
	vmcb12_sregs(vmcb12.bytes, &kept);
	assert_int_equal(cpu_mode_of(&kept).code, WIDTH_64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(linear_addresses),
		cmocka_unit_test(limits),
		cmocka_unit_test(canonical_addresses),
		cmocka_unit_test(operands),
		cmocka_unit_test(stacks),
		cmocka_unit_test(failures),
		cmocka_unit_test(control_structures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
