/* SPDX-License-Identifier: GPL-2.0-only */
/* What a plan of a computer image says of #VE: where the processor may write of one, and which operations have it. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guestfw/bare/plan.h"
#include "vmm/bare/bare_plan.h"
#include "vmm/guest/boot.h"
#include "vmm/plan/host.h"
#include "vmm/policy/diagnostic.h"

#define PAGE UINT64_C(4096)
#define SECONDARY_CONTROL 0x401e /* Intel SDM vol. 3D, B.3.1 */
#define SECONDARY_VE (UINT64_C(1) << 18)
#define OPERATIONS_WITH_VE 4

static const struct vendor_row {
	const char *name;
	enum bare_vendor vendor;
} vendors[] = {{"vmx", BARE_VMX}, {"svm", BARE_SVM}};

/* A plan, and the names of its operations. */
struct fixture {
	struct blob blob;
	const struct bare_plan *plan;
	const struct bare_setup *setups;
	struct plan run;
};

static void create(struct fixture *f, const char *engine, const char *views)
{
	static struct diagnostics diagnostics;
	const struct plan_request request = {.engine = engine,
					     .views = views,
					     .diagnostics = &diagnostics,
					     .vms = 1,
					     .vcpus = 1,
					     .on_violation = ON_VIOLATION_INJECT,
					     .on_ask = FLAGS_ON_ASK_REGISTER};
	const struct bare_guest_plan *guest;
	struct error error = {0};
	struct host host;

	*f = (struct fixture){.plan = NULL};
	diagnostics = (struct diagnostics){.kept = 0};
	if (bare_plan_append(&f->blob, &request, true, &error) != 0)
		fail_msg("%s", error.text);
	f->plan = (const void *)f->blob.data;
	guest = (const void *)(f->blob.data + f->plan->guests);
	f->setups = (const void *)(f->blob.data + guest->setups);
	assert_int_equal(host_bare(&host, &error), 0);
	assert_int_equal(plan_make(&f->run, &request, &host, &error), 0);
	host_close(&host);
	assert_int_equal(f->plan->operation_count, f->run.image.operation_count);
}

static void destroy(struct fixture *f)
{
	plan_finish(&f->run);
	blob_finish(&f->blob);
}

/* The context as the guest finds it. */
static const struct ss_context *context_of(const struct fixture *f)
{
	const struct bare_extent *extents = (const void *)(f->blob.data + f->plan->extents);

	for (uint64_t i = 0; i < f->plan->extent_count; i++)
		if (BOOT_CONTEXT - extents[i].place < extents[i].size)
			return (const void *)(f->blob.data + extents[i].data + (BOOT_CONTEXT - extents[i].place));
	fail_msg("there is no context");
	return NULL;
}

/* Of a setup; 0 if it does not write it. */
static uint64_t secondary_control(const struct fixture *f, const struct bare_setup *setup)
{
	const struct bare_guest_plan *guest = (const void *)((const uint8_t *)f->plan + f->plan->guests);

	for (uint64_t i = 0; i < guest->write_count; i++)
		if (setup->writes[i].field == SECONDARY_CONTROL)
			return setup->writes[i].value;
	return 0;
}

static bool is_of_ve(const struct fixture *f, uint64_t n)
{
	static const char *const names[OPERATIONS_WITH_VE] = {
		"view.write.shared.ve", "view.read.private.ve", "view.call.shared.ve", "view.write.kernel.ve"};

	for (size_t i = 0; n > 0 && i < ARRAY_SIZE(names); i++)
		if (strcmp(f->run.image.operations[n - 1].name, names[i]) == 0)
			return true;
	return false;
}

/* Guest and monitor speak of the same page, in the guest's memory, where the guest has nothing else. */
static void the_page_is_known_where_there_is_ve(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		const bool vmx = vendors[i].vendor == BARE_VMX;
		struct fixture f;

		create(&f, vendors[i].name, NULL);
		assert_int_equal(f.plan->vendor, vendors[i].vendor);
		assert_int_equal(f.plan->ve_pages, vmx ? BOOT_VE : 0);
		assert_int_equal(context_of(&f)->ve_gpa, f.plan->ve_pages);
		assert_int_equal(f.plan->ve_pages % PAGE, 0);
		assert_true(f.plan->ve_pages + PAGE <= f.plan->guest_size);
		/* The default views have it for a few operations, which a processor without can leave out. */
		assert_int_equal(f.plan->needs_ve, 0);
		destroy(&f);
	}
}

static void these_operations_have_ve_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		const bool vmx = vendors[i].vendor == BARE_VMX;
		unsigned count = 0;
		struct fixture f;

		create(&f, vendors[i].name, NULL);
		for (uint64_t n = 0; n <= f.plan->operation_count; n++) {
			const uint64_t secondary = secondary_control(&f, &f.setups[n]);

			assert_int_equal(f.setups[n].needs_ve, is_of_ve(&f, n));
			/* A VMCB has no such field. */
			assert_int_equal(secondary != 0, vmx);
			assert_int_equal((secondary & SECONDARY_VE) != 0, vmx && is_of_ve(&f, n));
			count += is_of_ve(&f, n);
		}
		assert_int_equal(count, OPERATIONS_WITH_VE);
		destroy(&f);
	}
}

/* The views of a file have it or not, whatever is performed. */
static void views_of_a_file_have_ve_throughout(void **state)
{
	static const char *const files[] = {
		"views: { one = { default = \"rwx\"; }; two = { default = \"rwx\"; }; };\n",
		"views: { one = { default = \"rwx\"; }; two = { default = \"rwx\"; ve = true; }; };\n",
	};

	(void)state;
	for (size_t ve = 0; ve < ARRAY_SIZE(files); ve++) {
		const int fd = memfd_create("views", MFD_CLOEXEC);
		struct fixture f;
		char path[32];

		assert_true(fd >= 0);
		assert_int_equal(write(fd, files[ve], strlen(files[ve])), strlen(files[ve]));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		create(&f, "vmx", path);
		close(fd);
		assert_int_equal(f.plan->ve_pages, BOOT_VE);
		assert_int_equal(f.plan->needs_ve, ve);
		for (uint64_t n = 0; n <= f.plan->operation_count; n++)
			assert_int_equal((secondary_control(&f, &f.setups[n]) & SECONDARY_VE) != 0, ve);
		destroy(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_is_known_where_there_is_ve),
		cmocka_unit_test(these_operations_have_ve_and_no_other),
		cmocka_unit_test(views_of_a_file_have_ve_throughout),
	};

	return cmocka_run_group_tests_name("bare_ve", tests, NULL, NULL);
}
