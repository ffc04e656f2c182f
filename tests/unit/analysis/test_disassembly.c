/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guestfw/relay/relay.h"
#include "vmm/analysis/disassembly.h"
#include "vmm/emulate/cpu_mode.h"
#include "vmm/ledger/summary.h"

#define RIP 0x101548
#define WRITE 0x100

/* Code in front of the RIP and from it on, what the exit was, and what the instruction then is. */
struct row {
	const char *before, *after; /* hexadecimal bytes */
	uint16_t level, reason, detail;
	enum host_backend backend;
	unsigned back; /* how far in front of the RIP */
	const char *text;
	uint64_t port;
};

static uint8_t put_bytes(const char *hex, uint8_t *bytes)
{
	uint8_t count = 0;

	for (char *end; *hex; hex = end) {
		bytes[count++] = (uint8_t)strtoul(hex, &end, 16);
		assert_ptr_not_equal(hex, end);
	}
	return count;
}

static struct record_code code_of(const struct row *row)
{
	struct record_code code = {.rip = RIP, .symbol = "request", .offset = 0x18};

	code.before = put_bytes(row->before, code.bytes);
	code.count = (uint8_t)(code.before + put_bytes(row->after, code.bytes + code.before));
	assert_true(code.before <= CODE_BEFORE && code.count <= CODE_BYTES);
	return code;
}

static const struct row rows[] = {
	/* An interpreted OUT has been stepped over; the hardware's has not. */
	{"89 71 14 ef", "8b 41 18 c3", LEVEL_VMM, EXIT_REASON_IO, 4 | WRITE, HOST_BACKEND_PVM, 1,
	 "out dx, eax", 0},
	{"ba e0 05 00 00", "ef 8b 41 18", LEVEL_VMM, EXIT_REASON_IO, 4 | WRITE, HOST_BACKEND_VMX, 0,
	 "out dx, eax", 0},
	{"48 89 38 ef", "48 8b 41 18", LEVEL_VMM, EXIT_REASON_IO, 4 | WRITE, HOST_BACKEND_VMX, 1,
	 "out dx, eax", 0},
	/* Of two in a row it depends on who drives KVM. */
	{"b0 41 ee", "ee c3", LEVEL_VMM, EXIT_REASON_IO, 1 | WRITE, HOST_BACKEND_PVM, 1,
	 "out dx, al", 0},
	{"b0 41 e6 80", "ee c3", LEVEL_VMM, EXIT_REASON_IO, 1 | WRITE, HOST_BACKEND_SVM, 0,
	 "out dx, al", 0},
	{"31 ed e6 80", "48 83 c5 01", LEVEL_VMM, EXIT_REASON_IO, 1 | WRITE, HOST_BACKEND_PVM, 2,
	 "out 0x80, al", 0},
	/* A repeated string instruction that has not come to its end. */
	{"b9 04 00 00 00", "f3 6e c3", LEVEL_VMM, EXIT_REASON_IO, 1 | WRITE, HOST_BACKEND_VMX, 0,
	 "rep outsb", 0},
	/* Reads have not been carried out yet. */
	{"31 ed ee", "e4 80 c3", LEVEL_VMM, EXIT_REASON_IO, 1, HOST_BACKEND_PVM, 0, "in al, 0x80", 0},
	{"48 89 1f", "48 8b 07 c3", LEVEL_VMM, EXIT_REASON_MMIO, 8, HOST_BACKEND_PVM, 0,
	 "mov rax, [rdi]", 0},
	/* Stores have, wherever; prefixes belong to them. */
	{"31 ed 48 89 1f", "48 83 c5 01", LEVEL_VMM, EXIT_REASON_MMIO, 8 | WRITE, HOST_BACKEND_VMX,
	 3, "mov [rdi], rbx", 0},
	{"31 ed 89 1f", "48 83 c5 01", LEVEL_VMM, EXIT_REASON_MMIO, 4 | WRITE, HOST_BACKEND_VMX, 2,
	 "mov [rdi], ebx", 0},
	{"31 ed 66 44 89 07", "48 83 c5 01", LEVEL_VMM, EXIT_REASON_MMIO, 2 | WRITE,
	 HOST_BACKEND_PVM, 4, "mov [rdi], r8w", 0},
	{"90 48 c7 47 08 01 00 00 00", "c3", LEVEL_VMM, EXIT_REASON_MMIO, 8 | WRITE,
	 HOST_BACKEND_SVM, 8, "mov qword ptr [rdi+0x8], 0x1", 0},
	{"fb f4", "fa 48 83 c5 01", LEVEL_VMM, EXIT_REASON_HLT, 0, HOST_BACKEND_VMX, 1, "hlt", 0},
	/* What exits before it is carried out. */
	{"31 c0", "0f 01 d4 48", LEVEL_VMM, EXIT_REASON_INTERNAL_ERROR, 0, HOST_BACKEND_PVM, 0,
	 "vmfunc", 0},
	{"31 c0 ee", "0f 22 c0 c3", LEVEL_MONITOR, EXIT_REASON_IO, 1 | WRITE, HOST_BACKEND_VMX, 0,
	 "mov cr0, rax", 0},
	/* The relay's port write is not the guest's. */
	{"31 c0 ee", "0f 01 c1 c3", LEVEL_VMM, EXIT_REASON_IO, 1 | WRITE, HOST_BACKEND_VMX, 0,
	 "vmcall", RELAY_PORT},
	/* Nothing of that kind ends there, nothing at all is there, or nothing is known of it. */
	{"90 90 90", "ee", LEVEL_VMM, EXIT_REASON_HLT, 0, HOST_BACKEND_VMX, 0, "out dx, al", 0},
	{"", "", LEVEL_VMM, EXIT_REASON_HLT, 0, HOST_BACKEND_VMX, 0, "?", 0},
	{"06 06", "06", LEVEL_VMM, EXIT_REASON_IO, 1 | WRITE, HOST_BACKEND_VMX, 0, "?", 0},
};

static void instructions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct record_code code = code_of(row);
		struct record_exit exit = {.record = {.level = row->level}, .rip = RIP,
					   .qualification = row->port,
					   .reason = row->reason, .detail = row->detail};
		struct code_place place;
		char name[80], wanted[80];

		disassembly_locate(&code, &exit, row->backend, &place);
		if (strcmp(place.text, row->text) != 0 || place.address != RIP - row->back)
			fail_msg("row %zu: '%s' at -%u", i, place.text,
				 (unsigned)(RIP - place.address));
		snprintf(wanted, sizeof(wanted), "request+0x%x", 0x18 - row->back);
		assert_string_equal(disassembly_place_name(&place, name, sizeof(name)), wanted);
	}
}

/* Exits are counted by the mnemonic, of which MOV says too little. */
static void mnemonics(void **state)
{
	static const struct row others[] = {
		{"31 c0", "0f 20 c0 c3", LEVEL_MONITOR, 0, 0, HOST_BACKEND_SVM, 0, "mov from cr0", 0},
		{"31 c0", "0f 22 c0 c3", LEVEL_MONITOR, 28, 0, HOST_BACKEND_VMX, 0, "mov to cr0", 0},
		{"31 c0", "0f 22 e0 c3", LEVEL_MONITOR, 28, 0, HOST_BACKEND_VMX, 0, "mov to cr4", 0},
		{"31 c0", "0f 23 f8 c3", LEVEL_MONITOR, 29, 0, HOST_BACKEND_VMX, 0, "mov to dr7", 0},
		{"31 c0", "0f 06 c3", LEVEL_MONITOR, 28, 0, HOST_BACKEND_VMX, 0, "clts", 0},
		{"31 c0", "0f a2 c3", LEVEL_L0, 10, 0, HOST_BACKEND_VMX, 0, "cpuid", 0},
		{"31 c0", "0f 30 c3", LEVEL_L0, 32, 0, HOST_BACKEND_VMX, 0, "wrmsr", 0},
		{"b9 04 00 00 00", "f3 6e c3", LEVEL_VMM, EXIT_REASON_IO, 1 | WRITE, HOST_BACKEND_VMX, 0, "outsb", 0},
		/* Stepped over. */
		{"31 ed e6 80", "48 83 c5 01", LEVEL_VMM, EXIT_REASON_IO, 1 | WRITE, HOST_BACKEND_PVM, 0, "out", 0},
		{"fb f4", "fa 48 83 c5 01", LEVEL_VMM, EXIT_REASON_HLT, 0, HOST_BACKEND_VMX, 1, "hlt", 0},
		{"06 06", "06", LEVEL_VMM, EXIT_REASON_IO, 1 | WRITE, HOST_BACKEND_VMX, 0, "?", 0},
	};
	char text[DISASSEMBLY_MNEMONIC_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		const struct row *row = &others[i];
		struct record_code code = code_of(row);
		const struct record_exit exit = {.record = {.level = row->level}, .rip = RIP,
						 .reason = row->reason, .detail = row->detail};
		uint32_t mnemonic = disassembly_mnemonic(&code, &exit, row->backend);

		assert_string_equal(disassembly_mnemonic_name(mnemonic, text), row->text);
		assert_int_equal(disassembly_mnemonic(NULL, &exit, row->backend), 0);
	}
	/* A number that is none of those. */
	assert_string_equal(disassembly_mnemonic_name(0xffff, text), "?");
}

/* Code of other widths than that of 64-bit mode. */
static void widths(void **state)
{
	static const struct {
		struct row row;
		enum cpu_width width;
	} other[] = {
		{{"90", "a1 00 20 10 00 00 00 00 00", LEVEL_VMM, EXIT_REASON_MMIO, 4,
		  HOST_BACKEND_VMX, 0, "mov eax, [0x102000]", 0}, WIDTH_32},
		{{"90", "a1 00 20 10 00", LEVEL_VMM, EXIT_REASON_MMIO, 2, HOST_BACKEND_VMX, 0,
		  "mov ax, [0x2000]", 0}, WIDTH_16},
		{{"31 ed 48 89 07", "c3", LEVEL_VMM, EXIT_REASON_MMIO, 4 | WRITE, HOST_BACKEND_VMX, 2,
		  "mov [edi], eax", 0}, WIDTH_32},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		const struct row *row = &other[i].row;
		struct record_code code = code_of(row);
		const struct record_exit exit = {.record = {.level = row->level}, .rip = RIP,
						 .reason = row->reason, .detail = row->detail};
		struct code_place place;

		code.width = (uint16_t)other[i].width;
		disassembly_locate(&code, &exit, row->backend, &place);
		if (strcmp(place.text, row->text) != 0 || place.address != RIP - row->back)
			fail_msg("%s: '%s' at -%u", row->text, place.text,
				 (unsigned)(RIP - place.address));
	}
}

/* Any bytes whatever, under the sanitizers. */
static void any_bytes(void **state)
{
	struct record_code code = {.rip = 3};
	struct code_place place;

	(void)state;
	srand(1);
	for (int run = 0; run < 20000; run++) {
		struct record_exit exit = {
			.record = {.level = (uint16_t)(rand() % 4)},
			.rip = 3,
			.reason = (uint16_t)(rand() % 20),
			.detail = (uint16_t)rand(),
		};

		for (size_t i = 0; i < CODE_BYTES; i++)
			code.bytes[i] = (uint8_t)rand();
		code.width = (uint16_t)(rand() % WIDTH_COUNT);
		code.before = (uint8_t)(rand() % (CODE_BEFORE + 1));
		code.count = (uint8_t)(code.before + rand() % (CODE_BYTES - CODE_BEFORE + 1));
		disassembly_locate(&code, &exit, HOST_BACKEND_VMX, &place);
		assert_true(place.text[0] != '\0' && strlen(place.text) < sizeof(place.text));
		assert_true(3 - place.address <= CODE_BEFORE);
	}
}

static void names(void **state)
{
	struct record_exit exit = {.rip = RIP};
	struct record_code code = {.rip = RIP, .symbol = "a b\033\xff;", .offset = 1};
	struct code_place place;
	char name[80];

	(void)state;
	disassembly_locate(NULL, &exit, HOST_BACKEND_VMX, &place);
	assert_string_equal(disassembly_place_name(&place, name, sizeof(name)), "0x101548");
	assert_string_equal(place.text, "?");
	disassembly_locate(&code, &exit, HOST_BACKEND_VMX, &place);
	assert_string_equal(disassembly_place_name(&place, name, sizeof(name)), "a b??;+0x1");
	snprintf(code.symbol, sizeof(code.symbol), "vmx_vcpu_run [kvm_intel]");
	assert_string_equal(disassembly_place_name(&place, name, sizeof(name)), "vmx_vcpu_run [kvm_intel]+0x1");
}

/* What stands for code that is in no function has no offset, wherever the instruction begins. */
static void no_function(void **state)
{
	struct record_exit exit = {.record = {.level = LEVEL_VMM}, .rip = RIP, .reason = EXIT_REASON_HLT};
	struct record_code code = {.rip = RIP, .symbol = "[user]", .before = 1, .count = 2, .bytes = {0xf4, 0x90}};
	struct code_place place;
	char name[80];

	(void)state;
	disassembly_locate(&code, &exit, HOST_BACKEND_VMX, &place);
	assert_string_equal(place.text, "hlt");
	assert_int_equal(place.address, RIP - 1);
	assert_string_equal(disassembly_place_name(&place, name, sizeof(name)), "[user]");
	code.offset = 5;
	disassembly_locate(&code, &exit, HOST_BACKEND_VMX, &place);
	assert_string_equal(disassembly_place_name(&place, name, sizeof(name)), "[user]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions),
		cmocka_unit_test(mnemonics),
		cmocka_unit_test(widths),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(names),
		cmocka_unit_test(no_function),
	};

	return cmocka_run_group_tests_name("code", tests, NULL, NULL);
}
