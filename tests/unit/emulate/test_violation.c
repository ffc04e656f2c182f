/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of a violation, what is recorded of it and what the guest is told. */
#include "tests/unit/cmocka_prelude.h"

#include <stddef.h>
#include <string.h>

#include "guestfw/relay/relay.h"
#include "vmm/emulate/violation_look.h"
#include "vmm/guest/boot.h"
#include "vmm/observe/recorder.h"
#include "vmm/vm/pc.h"

static struct plan plan;
static struct vm vm;
static struct vcpu vcpu;
static struct image_symbol symbols[] = {{.address = 0x100000, .size = 0x100, .name = "a_function_whose_name_is_longer_than_what_a_record_holds"}};
static struct image_segment segments[] = {{.gpa = {0x100000}, .address = 0x100000, .memory_size = 0x1000}};
static struct ss_operation operations[] = {{.name = "an.operation"}};

static int setup(void **state)
{
	(void)state;
	plan = (struct plan){.image = {.symbols = symbols, .symbol_count = 1, .segments = segments,
				       .segment_count = 1, .operations = operations,
				       .operation_count = 1}};
	vm = (struct vm){.plan = &plan, .lock = PTHREAD_MUTEX_INITIALIZER,
			 .stop_lock = PTHREAD_MUTEX_INITIALIZER};
	vcpu = (struct vcpu){.vm = &vm};
	assert_int_equal(guest_ram_create(&vm.ram, BOOT_MEMORY_MIN), 0);
	vcpu.page = guest_ram_at(&vm.ram, boot_vcpu_page(0), sizeof(*vcpu.page));
	vcpu.page->marker.operation = 1;
	vcpu.recorder = recorder_create(0, 0, &plan.image, vcpu.page);
	assert_non_null(vcpu.recorder);
	assert_int_equal(policy_add_region(&vm.policy, "a-region", gpa_at(0x20000), 0x1000, NULL), 0);
	assert_int_equal(policy_add_view(&vm.policy, "kernel", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_add_view(&vm.policy, "driver", 0, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	recorder_destroy(vcpu.recorder);
	policy_finish(&vm.policy);
	guest_ram_destroy(&vm.ram);
	return 0;
}

/* The columns of enum on_violation; what can be refused is, unless something else was asked for. */
static void answers(void **state)
{
	static const unsigned accesses[] = {VIEW_READ, VIEW_WRITE, VIEW_EXECUTE};

	(void)state;
	for (int on = 0; on < ON_VIOLATION_COUNT; on++)
		for (size_t i = 0; i < ARRAY_SIZE(accesses); i++)
			for (int completed = 0; completed < 2; completed++) {
				struct violation violation = {.access = accesses[i]};
				enum violation_answer wanted =
					on == ON_VIOLATION_STOP				   ? VIOLATION_STOPPED
					: on == ON_VIOLATION_INJECT			   ? VIOLATION_FAULTED
					: completed && accesses[i] != VIEW_EXECUTE ? VIOLATION_REFUSED
										   : VIOLATION_FAULTED;

				plan.on_violation = (enum on_violation)on;
				assert_int_equal(violation_answer(&vcpu, &violation, completed), wanted);
			}
}

/* Intel SDM vol. 3A, 4.7: P, W/R, U/S, I/D. */
static void error_codes(void **state)
{
	static const struct {
		unsigned access;
		bool user;
		uint16_t flags;
		uint32_t wanted;
	} rows[] = {
		{VIEW_READ, false, 0, 1},      {VIEW_WRITE, false, 0, 3},
		{VIEW_EXECUTE, false, 0, 17},  {VIEW_READ, true, 0, 5},
		{VIEW_WRITE, true, 0, 7},      {VIEW_EXECUTE, true, 0, 21},
		{VIEW_WRITE, false, VIOLATION_WALK, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct violation violation = {.access = rows[i].access, .user = rows[i].user,
					      .flags = rows[i].flags};

		assert_int_equal(violation_error_code(&violation), rows[i].wanted);
	}
}

static const struct violation example = {
	.view = 1, .access = VIEW_WRITE, .size = 8, .gpa = 0x20010, .gva = 0x7020010, .rip = 0x100020,
	.flags = VIOLATION_GVA_KNOWN,
};

static void recorded(void **state)
{
	const struct record_violation *record = &vcpu.recorder->summary->violations[0].record;
	struct violation elsewhere = example;

	(void)state;
	violation_record(&vcpu, &example, VIOLATION_REFUSED);
	assert_int_equal(vcpu.recorder->summary->violation_count, 1);
	assert_int_equal(record->operation, 1);
	assert_int_equal(record->view, 1);
	assert_int_equal(record->access, VIEW_WRITE);
	assert_int_equal(record->size, 8);
	assert_int_equal(record->gpa, 0x20010);
	assert_int_equal(record->gva, 0x7020010);
	assert_int_equal(record->rip, 0x100020);
	assert_int_equal(record->answer, VIOLATION_REFUSED);
	assert_int_equal(record->flags, VIOLATION_GVA_KNOWN);
	assert_string_equal(record->region, "a-region");
	assert_string_equal(record->symbol, "a_function_whose_name_is_longer_+0x20");
	assert_false(atomic_load(&vm.stop));
	/* What was refused is none of the guest's business. */
	assert_int_equal(vcpu.page->violation.sequence, 0);
	elsewhere.gpa = 0x30000;
	elsewhere.rip = 0x200000;
	violation_record(&vcpu, &elsewhere, VIOLATION_REFUSED);
	assert_string_equal(record[0].region, "a-region");
	record = &vcpu.recorder->summary->violations[1].record;
	assert_string_equal(record->region, "");
	assert_string_equal(record->symbol, "");
}

/* What the guest finds in its page, and what it makes of the page does not matter. */
static void told(void **state)
{
	(void)state;
	violation_record(&vcpu, &example, VIOLATION_FAULTED);
	assert_int_equal(vcpu.page->violation.sequence, 1);
	assert_int_equal(vcpu.page->violation.view, 1);
	assert_int_equal(vcpu.page->violation.access, SS_ACCESS_WRITE);
	assert_int_equal(vcpu.page->violation.flags, SS_VIOLATION_GVA_KNOWN);
	assert_int_equal(vcpu.page->violation.gpa, 0x20010);
	assert_int_equal(vcpu.page->violation.gva, 0x7020010);
	vcpu.page->violation.sequence = 77;
	violation_record(&vcpu, &example, VIOLATION_FAULTED);
	assert_int_equal(vcpu.page->violation.sequence, 2);
	assert_false(atomic_load(&vm.stop));
}

static void stopped(void **state)
{
	(void)state;
	violation_record(&vcpu, &example, VIOLATION_STOPPED);
	assert_true(atomic_load(&vm.stop));
	assert_int_equal(vm.why.cause, STOP_GUEST);
	assert_int_equal(vm.why.status, STATUS_FAILED);
	assert_string_equal(vm.why.text,
			    "view 1 (driver) forbids a write at 0x20010 (a-region); vcpu0 at rip 0x100020 "
			    "(a_function_whose_name_is_longer_than_what_a_record_holds+0x20) in operation "
			    "an.operation");
	assert_int_equal(vcpu.page->violation.sequence, 0);
}

/* "mov byte ptr [rdi], 0x41", found in the guest's memory. */
static const uint8_t code[] = {0xc6, 0x07, 0x41};

#define PML4 0x1000
#define PDPT 0x2000
#define PD 0x3000
#define BIG_PAGE 0x83
#define PTE 3

static struct violation look_again(struct violation violation)
{
	const uint64_t tables[][2] = {{PML4, PDPT | PTE}, {PDPT, PD | PTE}, {PD, BIG_PAGE}};
	const struct page_walk_space space = {.vm = &vm, .cr3 = PML4};
	const uint64_t regs[16] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		assert_int_equal(guest_ram_write(&vm.ram, gpa_at(tables[i][0]), &tables[i][1], 8), 0);
	assert_int_equal(guest_ram_write(&vm.ram, gpa_at(0x100020), code, sizeof(code)), 0);
	violation_look(&vcpu, &violation, &space, regs);
	return violation;
}

/* As if no such violation had been before. */
static struct violation look(struct violation violation)
{
	vcpu.seen = (struct violation_seen){0};
	return look_again(violation);
}

/* What was written, by what, is in the message and in a record of its own. */
static void stopped_at_an_instruction(void **state)
{
	const struct violation_summary *summary = &vcpu.recorder->summary->violations[0];
	struct violation found;

	(void)state;
	plan.on_violation = ON_VIOLATION_STOP;
	found = look(example);
	violation_record(&vcpu, &found, VIOLATION_STOPPED);
	assert_non_null(strstr(vm.why.text, " in operation an.operation; mov byte ptr [rdi], 0x41; value 0x41"));
	assert_int_equal(vm.why.violation_rip, 0x100020);
	assert_int_equal(summary->instruction.count, sizeof(code));
	assert_memory_equal(summary->instruction.bytes, code, sizeof(code));
	assert_int_equal(summary->instruction.width, WIDTH_64);
	assert_int_equal(summary->instruction.value_size, 1);
	assert_int_equal(summary->instruction.value, 0x41);
}

/* A read has no value, page walks are not the instruction's, and what is not there, or is behind, is not looked at. */
static void other_instructions(void **state)
{
	struct violation other = example;

	(void)state;
	other.access = VIEW_READ;
	assert_int_equal(look(other).code_size, sizeof(code));
	assert_int_equal(look(other).value_size, 0);
	other.access = VIEW_EXECUTE;
	assert_int_equal(look(other).code_size, 0);
	other = example;
	other.flags |= VIOLATION_WALK;
	assert_int_equal(look(other).code_size, sizeof(code));
	assert_int_equal(look(other).value_size, 0);
	other.flags = VIOLATION_RIP_BEHIND;
	assert_int_equal(look(other).code_size, 0);
	other = example;
	other.value = 0x99;
	other.value_size = 1;
	assert_int_equal(look(other).value, 0x99);
	other.rip = UINT64_C(0x7f00000000);
	assert_int_equal(look(other).code_size, 0);
	/* Of equal ones in a row the first one is enough. */
	other = example;
	assert_int_equal(look(other).value, 0x41);
	other.value = 0x99;
	other.value_size = 1;
	assert_int_equal(look_again(other).code_size, 0);
	assert_int_equal(look_again(other).value_size, 0);
	other.gpa++;
	assert_int_equal(look_again(other).code_size, sizeof(code));
	vcpu.page->marker.operation = 0;
	assert_int_equal(look_again(other).code_size, sizeof(code));
	vcpu.page->marker.operation = 1;
	/* Of what is not known there is no record. */
	violation_record(&vcpu, &example, VIOLATION_STOPPED);
	assert_int_equal(vcpu.recorder->summary->violations[0].instruction.record.type, RECORD_INVALID);
}

/* Of a kernel the page lies outside its memory, which is left alone. */
static void told_outside_the_memory(void **state)
{
	static struct ss_vcpu_page page;
	static const uint8_t zeroes[sizeof(page)];
	uint8_t inside[sizeof(page)];
	struct pc pc = {0};

	(void)state;
	page = (struct ss_vcpu_page){0};
	vcpu.page->marker.operation = 0;
	vcpu.page = &page;
	vm.pc = &pc;
	violation_record(&vcpu, &example, VIOLATION_FAULTED);
	violation_record(&vcpu, &example, VIOLATION_FAULTED);
	assert_int_equal(page.violation.sequence, 2);
	assert_int_equal(page.violation.view, 1);
	assert_int_equal(page.violation.access, SS_ACCESS_WRITE);
	assert_int_equal(page.violation.gpa, 0x20010);
	assert_int_equal(page.violation.gva, 0x7020010);
	assert_int_equal(guest_ram_read(&vm.ram, boot_vcpu_page(0), inside, sizeof(inside)), 0);
	assert_memory_equal(inside, zeroes, sizeof(zeroes));
}

/* By the file of symbols, if there is one, and where the kernel really is. */
static uint64_t idt;

static int guest_sregs(struct vcpu *of, struct kvm_sregs *ret_sregs)
{
	(void)of;
	*ret_sregs = (struct kvm_sregs){.idt.base = idt};
	return 0;
}

/* Where it lies is found out when a violation asks for it. */
static void symbols_of_a_kernel(void **state)
{
	static const struct engine_ops ops = {.guest_sregs = guest_sregs};
	static struct image_symbol of_file[] = {{.address = UINT64_C(0xffffffff81000000), .name = "_text"},
						{.address = UINT64_C(0xffffffff81001000), .name = "do_idle"}};
	static struct symbol_set_file file = {.file = {
		.symbols = of_file, .count = 2, .anchors = {UINT64_C(0xffffffff81200000)}, .anchor_count = 1}};
	const struct record_violation *record = &vcpu.recorder->summary->violations[0].record;
	struct violation violation = example;

	(void)state;
	vm.ops = &ops;
	vcpu.fd = -1;
	plan.engine = engine_by_key("svm");
	plan.symbols = (struct symbol_set){.files = &file, .count = 1, .kernel = &file};
	idt = RELAY_IDT;
	plan.image.operation_count = 0;
	violation.rip = 0xffffffff83001010;
	violation_record(&vcpu, &violation, VIOLATION_REFUSED);
	assert_string_equal(record[0].symbol, "");
	violation.user = true;
	violation.rip = 0x401000;
	violation_record(&vcpu, &violation, VIOLATION_REFUSED);
	idt = 0xffffffff83200000;
	violation.user = false;
	violation.rip = 0xffffffff83001010;
	violation.gpa = 0x30000;
	violation_record(&vcpu, &violation, VIOLATION_STOPPED);
	record = &vcpu.recorder->summary->violations[1].record;
	assert_string_equal(record->symbol, "[user]");
	record = &vcpu.recorder->summary->violations[2].record;
	assert_string_equal(record->symbol, "do_idle+0x10");
	assert_string_equal(vm.why.text, "view 1 (driver) forbids a write at 0x30000 (no region); vcpu0 at rip "
					 "0xffffffff83001010 (do_idle+0x10)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers, setup, teardown),
		cmocka_unit_test_setup_teardown(error_codes, setup, teardown),
		cmocka_unit_test_setup_teardown(recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(told, setup, teardown),
		cmocka_unit_test_setup_teardown(stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(stopped_at_an_instruction, setup, teardown),
		cmocka_unit_test_setup_teardown(other_instructions, setup, teardown),
		cmocka_unit_test_setup_teardown(told_outside_the_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(symbols_of_a_kernel, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
