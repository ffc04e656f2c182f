/* SPDX-License-Identifier: GPL-2.0-only */
/* What goes into a computer image, and what is refused. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "guestfw/bare/plan.h"
#include "vmm/bare/bare_image.h"
#include "vmm/bare/bare_plan.h"
#include "vmm/service/differential.h"

#define PAGE UINT64_C(4096)
#define LARGE_PAGE UINT64_C(0x200000)

static const char *const vendors[] = {"vmx", "svm"};

static struct plan_request request_of(const char *engine)
{
	return (struct plan_request){
		.engine = engine, .vms = 1, .vcpus = 1, .on_violation = ON_VIOLATION_INJECT, .on_ask = FLAGS_ON_ASK_REGISTER};
}

static void is_refused(const struct plan_request *request, const char *word)
{
	struct blob blob = {0};
	struct error error = {0};

	assert_int_not_equal(bare_plan_append(&blob, request, true, &error), 0);
	assert_int_equal(error.status, STATUS_USAGE);
	if (!strstr(error.text, word))
		fail_msg("'%s' does not name %s", error.text, word);
	blob_finish(&blob);
}

static void what_an_image_cannot_have_is_refused(void **state)
{
	struct plan_request request;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		request = request_of(vendors[i]);
		request.vms = 2;
		is_refused(&request, "--share-vcpu");
		request = request_of(vendors[i]);
		request.memory = (UINT64_C(1) << 30) + LARGE_PAGE;
		is_refused(&request, "-m");
		/* In all. */
		request.memory = (UINT64_C(1) << 29) + LARGE_PAGE;
		request.vms = 2;
		request.share_vcpu = true;
		is_refused(&request, "-m");
		request.memory = 0;
		request.vcpus = 2;
		is_refused(&request, "-c");
	}
	request = request_of("flat");
	is_refused(&request, "--engine flat");
}

/* They take the one vCPU of the one guest in turn. */
static void random_programs_for_several_are_refused(void **state)
{
	struct differential differential = {.seed = 1, .count = 10, .shards = 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		struct plan_request request = request_of(vendors[i]);

		request.differential = &differential;
		request.vcpus = 2;
		is_refused(&request, "--random");
		request.vcpus = 1;
		request.vms = 2;
		request.share_vcpu = true;
		is_refused(&request, "--random");
	}
}

static void as_much_memory_as_an_image_can_have_is_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		struct plan_request request = request_of(vendors[i]);
		struct blob blob = {0};
		struct error error = {0};

		request.memory = UINT64_C(1) << 30;
		request.on_violation = ON_VIOLATION_STOP;
		if (bare_plan_append(&blob, &request, true, &error) != 0)
			fail_msg("%s", error.text);
		assert_int_equal(((const struct bare_plan *)blob.data)->guest_size, UINT64_C(1) << 30);
		assert_int_equal(((const struct bare_plan *)blob.data)->stop_on_violation, 1);
		blob_finish(&blob);
		blob = (struct blob){0};
		request.memory = UINT64_C(1) << 29;
		request.vms = 2;
		request.share_vcpu = true;
		if (bare_plan_append(&blob, &request, true, &error) != 0)
			fail_msg("%s", error.text);
		assert_int_equal(((const struct bare_plan *)blob.data)->monitor, UINT64_C(1) << 30);
		blob_finish(&blob);
	}
}

static const struct bare_image *header_of(const struct blob *image)
{
	for (size_t at = 0; at + sizeof(struct bare_image) <= image->size; at += 16)
		if (((const struct bare_image *)(image->data + at))->magic == BARE_MAGIC)
			return (const void *)(image->data + at);
	fail_msg("no header");
	return NULL;
}

static void an_image_has_a_plan_for_each_vendor_that_is_asked_for(void **state)
{
	static const struct {
		const char *engine;
		bool has[3];
	} rows[] = {{"auto", {false, true, true}}, {"vmx", {false, true, false}}, {"svm", {false, false, true}}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct plan_request request = request_of(rows[i].engine);
		const struct bare_image *header;
		struct error error = {0};
		struct blob image;

		assert_int_equal(bare_image_make(&image, &request, true, &error), 0);
		header = header_of(&image);
		/* On a page of its own, for the loader looks there first. */
		assert_int_equal(header->size, image.size);
		for (unsigned vendor = 0; vendor < 3; vendor++) {
			const struct bare_plan *plan = (const void *)(image.data + header->plan[vendor]);

			assert_int_equal(header->plan[vendor] != 0, rows[i].has[vendor]);
			if (!rows[i].has[vendor])
				continue;
			assert_int_equal(header->plan[vendor] % PAGE, 0);
			assert_int_equal(plan->vendor, vendor);
			assert_true(header->plan[vendor] + plan->size <= image.size);
		}
		blob_finish(&image);
	}
}

static void an_image_of_an_engine_without_a_monitor_is_refused(void **state)
{
	const struct plan_request request = request_of("flat");
	struct error error = {0};
	struct blob image;

	(void)state;
	assert_int_equal(bare_image_make(&image, &request, true, &error), -EINVAL);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_non_null(strstr(error.text, "--engine flat"));
	blob_finish(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_image_cannot_have_is_refused),
		cmocka_unit_test(random_programs_for_several_are_refused),
		cmocka_unit_test(as_much_memory_as_an_image_can_have_is_not),
		cmocka_unit_test(an_image_has_a_plan_for_each_vendor_that_is_asked_for),
		cmocka_unit_test(an_image_of_an_engine_without_a_monitor_is_refused),
	};

	return cmocka_run_group_tests_name("bare_image", tests, NULL, NULL);
}
