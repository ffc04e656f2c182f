/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a kernel is found to be, by the registers of a vCPU, and what its addresses are called then. */
#include "tests/unit/cmocka_prelude.h"

#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guestfw/relay/relay.h"
#include "vmm/plan/plan.h"
#include "vmm/vm/kernel_symbols.h"

#define MIB (UINT64_C(1) << 20)
#define TEXT UINT64_C(0xffffffff81000000)
#define SYSCALL (TEXT + 0xa00080)
#define IDT (TEXT + 0x1e03000)
#define LSTAR 0xc0000082
#define USER 3

static struct image_symbol of_file[] = {
	{.address = TEXT, .name = "_text"},
	{.address = TEXT + 0x1000, .name = "do_idle"},
	{.address = SYSCALL, .name = "entry_SYSCALL_64"},
};
static struct image_symbol of_image[] = {
	{.address = 0x100000, .size = 0x100, .name = "_start"},
	{.address = 0x100100, .size = 0x100, .name = "main"},
};
static struct symbol_set_file kernel;
static struct image_segment segment = {.gpa = {0x100000}, .address = 0x100000, .memory_size = 0x1000};
static const struct engine flat = {.id = ENGINE_FLAT};
static const struct engine monitored = {.id = ENGINE_VMX, .context_flags = SS_CONTEXT_MONITOR};
static struct plan plan;
static struct vm vm;
static struct vcpu vcpu;
static uint64_t lstar;
static bool has_lstar;
static unsigned asked; /* how often KVM was, for IA32_LSTAR */

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct kvm_msrs *msrs;
	va_list list;

	assert_int_equal(fd, vcpu.fd);
	assert_int_equal(request, KVM_GET_MSRS);
	va_start(list, request);
	msrs = va_arg(list, struct kvm_msrs *);
	va_end(list);
	assert_int_equal(msrs->nmsrs, 1);
	assert_int_equal(msrs->entries[0].index, LSTAR);
	msrs->entries[0].data = lstar;
	asked++;
	return has_lstar;
}

static void start(unsigned anchors)
{
	kernel.file = (struct symbol_file){
		.symbols = of_file, .count = ARRAY_SIZE(of_file), .anchors = {IDT, SYSCALL}, .anchor_count = anchors};
	plan = (struct plan){
		.image = {.symbols = of_image, .symbol_count = ARRAY_SIZE(of_image), .segments = &segment,
			  .segment_count = 1},
		.symbols = {.files = &kernel, .count = 1, .kernel = anchors ? &kernel : NULL},
		.engine = &flat,
	};
	memset(&vm, 0, sizeof(vm));
	vm.plan = &plan;
	vcpu = (struct vcpu){.vm = &vm, .fd = 123};
	lstar = 0;
	has_lstar = true;
	asked = 0;
}

static void look(uint64_t idt)
{
	const struct kvm_sregs sregs = {.idt = {.base = idt}};

	kernel_symbols_look(&vcpu, &sregs);
}

static void expect(uint64_t address, const char *name, uint64_t offset)
{
	uint64_t into = 0x5555;
	const struct image_symbol *symbol = kernel_symbols_at(&vm, address, &into);

	if (!name) {
		assert_null(symbol);
		assert_int_equal(into, 0x5555);
		return;
	}
	assert_non_null(symbol);
	assert_string_equal(symbol->name, name);
	assert_int_equal(into, offset);
}

static void expect_place(uint64_t address, unsigned cpl, const char *place)
{
	const char *is = kernel_symbols_place(&vm, address, cpl);

	if (place)
		assert_string_equal(is, place);
	else
		assert_null(is);
}

/* Nothing has a name until a register tells. What lies where the image does is of the loader. */
static void unknown_at_first(void **state)
{
	(void)state;
	start(2);
	look(0);
	look(0x8000);
	look(0xfffffe0000000000);
	look(IDT + 0x1000);
	assert_int_equal(asked, 4);
	assert_false(vm.kernel_found);
	expect(TEXT, NULL, 0);
	expect(0x100000, NULL, 0);
	expect_place(0x100000, 0, "[boot]");
	expect_place(0x400000, USER, "[user]");
	expect_place(TEXT, 0, NULL);
	expect_place(TEXT, USER, NULL);
}

static void expect_moved(int64_t by)
{
	assert_true(vm.kernel_found);
	expect(TEXT + by, "_text", 0);
	expect(TEXT + 0xfff + by, "_text", 0xfff);
	expect(TEXT + 0x1004 + by, "do_idle", 4);
	expect(SYSCALL + 9 + by, "entry_SYSCALL_64", 9);
	expect(TEXT - 1 + by, NULL, 0);
	/* Of user space, and of the loader before. */
	expect(0x100000, NULL, 0);
	expect(0x7fffffffffff, NULL, 0);
	expect_place(0x100000, 0, "[boot]");
	expect_place(0x9f000, 0, "[boot]");
	expect_place(0x100000, USER, "[user]");
	/* Whatever runs now. */
	expect_place(0x400000, 0, "[user]");
	expect_place(0x400000, USER, "[user]");
	expect_place(TEXT + by, 0, NULL);
}

/* By the table of interrupt descriptors, or else by the entry for SYSCALL. */
static void found(void **state)
{
	static const int64_t moves[] = {0, 2 * MIB, 0x2e000000, -2 * (int64_t)MIB};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		start(2);
		look(IDT + moves[i]);
		assert_int_equal(asked, 0);
		expect_moved(moves[i]);
		start(2);
		lstar = SYSCALL + moves[i];
		look(0xfffffe0000000000);
		assert_int_equal(asked, 1);
		expect_moved(moves[i]);
	}
}

/* What a guest puts into its registers later moves nothing. */
static void once(void **state)
{
	(void)state;
	start(2);
	look(IDT + 2 * MIB);
	lstar = SYSCALL + 8 * MIB;
	look(IDT + 4 * MIB);
	look(0);
	assert_int_equal(asked, 0);
	expect_moved(2 * MIB);
}

/* A KVM that does not give the register: the next one may do. */
static void no_lstar(void **state)
{
	(void)state;
	start(2);
	has_lstar = false;
	lstar = SYSCALL;
	look(0);
	assert_int_equal(asked, 1);
	assert_false(vm.kernel_found);
	look(IDT);
	expect_moved(0);
}

/* Of a file without anchors the kernel lies where that says, in the lower half too. */
static void no_anchors(void **state)
{
	(void)state;
	start(0);
	look(IDT + 2 * MIB);
	assert_int_equal(asked, 0);
	assert_false(vm.kernel_found);
	expect(TEXT + 0x1001, "do_idle", 1);
	expect(TEXT - 1, NULL, 0);
	expect(0x100000, NULL, 0);
	expect_place(0x100000, 0, NULL);
	expect_place(0x100000, USER, NULL);
	kernel.file.symbols = of_image;
	kernel.file.count = ARRAY_SIZE(of_image);
	expect(0x100123, "main", 0x23);
}

/* Without a file the image's own. */
static void no_file(void **state)
{
	(void)state;
	start(0);
	plan.symbols = (struct symbol_set){0};
	look(IDT);
	assert_int_equal(asked, 0);
	expect(0x100000, "_start", 0);
	expect(0x100180, "main", 0x80);
	expect(0xfffff, NULL, 0);
	expect(TEXT, NULL, 0);
	expect_place(0x100000, 0, NULL);
	expect_place(0x400000, USER, NULL);
}

/* Where the monitor is in memory, its code runs, whatever the privilege level is now. Elsewhere it changes nothing, nor
 * does it in an engine without one, nor of a guest whose kernel is not looked for. */
static void monitor(void **state)
{
	static const uint64_t inside[] = {RELAY_IMAGE, RELAY_IMAGE + 0x1234, RELAY_IMAGE + RELAY_IMAGE_MAX - 1};
	static const uint64_t outside[] = {RELAY_IMAGE - 1, RELAY_IMAGE + RELAY_IMAGE_MAX,
					   RELAY_IMAGE + (UINT64_C(1) << 32)};

	(void)state;
	for (unsigned cpl = 0; cpl <= USER; cpl++) {
		start(2);
		plan.engine = &monitored;
		for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
			expect_place(inside[i], cpl, "[monitor]");
		for (size_t i = 0; i < ARRAY_SIZE(outside); i++)
			expect_place(outside[i], cpl, "[user]");
		expect_place(TEXT, cpl, NULL);
		expect_place(0x100000, cpl, cpl == USER ? "[user]" : "[boot]");
		plan.engine = &flat;
		for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
			expect_place(inside[i], cpl, "[user]");
		start(0);
		plan.engine = &monitored;
		expect_place(RELAY_IMAGE, cpl, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_at_first), cmocka_unit_test(found),	  cmocka_unit_test(once),
		cmocka_unit_test(no_lstar),	    cmocka_unit_test(no_anchors), cmocka_unit_test(no_file),
		cmocka_unit_test(monitor),
	};

	return cmocka_run_group_tests_name("kernel_symbols", tests, NULL, NULL);
}
