/* SPDX-License-Identifier: GPL-2.0-only */
/* Plans for several vCPUs, which have a processor each, and for several guests that share one: what each has of its
 * own. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "plan_fixture.h"
#include "tests/unit/views/walker.h"
#include "vmm/engine/monitor.h"
#include "vmm/guest/boot.h"
#include "vmm/plan/service_list.h"

#define VCPUS 2
#define GUESTS 3
#define MEMORY (UINT64_C(9) << 20) /* no multiple of a large page */
#define RSI 6
#define RDI 7

static struct fixture *create_vcpus(const struct fixture_vendor *engine)
{
	struct plan_request request = fixture_request(engine->name);

	request.vcpus = VCPUS;
	return fixture_create(engine, request, true);
}

/* Of which the second one has flags of its own, and no services. */
static struct fixture *create_guests(const struct fixture_vendor *engine)
{
	struct plan_request request = fixture_request(engine->name);

	request.vms = GUESTS;
	request.share_vcpu = true;
	request.memory = MEMORY;
	request.owned[0] = request.owned[2] = SS_CR0_TS | SS_CR0_MP;
	request.owned[1] = SS_CR0_TS;
	request.owned_count = GUESTS;
	request.services[0] = request.services[2] = service_list_default();
	request.services_count = GUESTS;
	return fixture_create(engine, request, true);
}

static const struct relay_vcpu *relay_of(const struct fixture *f, unsigned number)
{
	return fixture_monitor(f, RELAY_VCPUS + (uint64_t)RELAY_VCPU_STRIDE * number);
}

static const uint8_t *control_of(const struct fixture *f, unsigned number)
{
	return fixture_part(f, f->plan->controls + PAGE * number, PAGE);
}

static const struct bare_setup *setups_of(const struct fixture *f, unsigned guest)
{
	const uint64_t count = f->plan->operation_count + 1;

	return fixture_part(f, fixture_guest(f, guest)->setups, count * sizeof(struct bare_setup));
}

/* The fields that no two vCPUs have in common, and a few that all have (Intel SDM vol. 3D, B; AMD APM vol. 2, B). */
static const struct own_fields {
	uint64_t rsp, tr_base, gdtr_base;
	uint64_t common[3]; /* RIP, CR3, flags */
} own_fields[FIXTURE_VENDORS] = {
	{0x681c, 0x6814, 0x6816, {0x681e, 0x6802, 0x6820}},
	{0x5d808, 0x49808, 0x46808, {0x57808, 0x55008, 0x57008}},
};

static void vcpus_begin_with_a_stack_and_descriptors_of_their_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		const struct own_fields *fields = &own_fields[i];
		struct fixture *f = create_vcpus(&fixture_vendors[i]);

		assert_int_equal(f->plan->guest_count, 1);
		assert_int_equal(f->plan->vcpu_count, VCPUS);
		for (unsigned n = 0; n < VCPUS; n++) {
			const uint8_t *control = control_of(f, n), *first = control_of(f, 0);

			assert_int_equal(fixture_field(f, control, fields->rsp),
					 BOOT_STACKS + BOOT_STACK_STRIDE * n + SS_STACK_SIZE);
			assert_int_equal(fixture_field(f, control, fields->tr_base), BOOT_TSS + BOOT_TSS_STRIDE * n);
			assert_int_equal(fixture_field(f, control, fields->gdtr_base), BOOT_GDT + BOOT_GDT_STRIDE * n);
			for (size_t c = 0; c < ARRAY_SIZE(fields->common); c++)
				assert_int_equal(fixture_field(f, control, fields->common[c]),
						 fixture_field(f, first, fields->common[c]));
			assert_true(fixture_field(f, control, fields->common[0]) != 0);
		}
		fixture_destroy(f);
	}
}

static void vcpus_have_a_number_a_marker_and_a_ring_of_their_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = create_vcpus(&fixture_vendors[i]);

		for (unsigned n = 0; n < VCPUS; n++) {
			const struct relay_vcpu *relay = relay_of(f, n);

			assert_int_equal(relay->regs[RDI], BOOT_CONTEXT);
			assert_int_equal(relay->regs[RSI], n);
			assert_int_equal(relay->marker,
					 BASE + f->plan->vcpu_pages + PAGE * n + offsetof(struct ss_vcpu_page, marker));
			assert_int_equal(relay->ring, RELAY_RINGS + n * RELAY_RING_RECORDS * sizeof(struct relay_record));
			assert_int_equal(relay->control,
					 BASE + f->plan->monitor + (RELAY_CONTROL - RELAY_BASE) + 2 * PAGE * n + PAGE);
			/* The views are the guest's, and nobody waits for a turn. */
			assert_int_equal((uint64_t)(uintptr_t)relay->vmfunc.list, RELAY_LISTS);
			assert_int_equal(relay->group, 0);
		}
		fixture_destroy(f);
	}
}

/* There are setups for a guest only: they have to be right for each of its vCPUs, whatever it begins with. */
static void every_vcpu_can_have_the_setups_of_its_guest(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = create_vcpus(&fixture_vendors[i]);
		const struct bare_setup *setups = setups_of(f, 0);

		for (unsigned n = 0; n < VCPUS; n++) {
			struct vcpu *vcpu = &f->vms[0].vcpus[n];

			for (uint64_t op = 0; op <= f->plan->operation_count; op++) {
				const struct ss_operation *operation = op ? &f->run.image.operations[op - 1] : NULL;
				const bool enlightened = operation && operation->flags & SS_OP_ENLIGHTENED;

				fixture_same_setup(f, vcpu, enlightened ? NULL : operation, &setups[op]);
			}
			assert_memory_equal(&relay_of(f, n)->vmfunc.list, &setups[0].vmfunc.list, sizeof(uint64_t));
		}
		fixture_destroy(f);
	}
}

static void guests_lie_one_behind_the_other_and_the_monitor_behind_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = create_guests(&fixture_vendors[i]);
		const struct bare_plan *plan = f->plan;
		const struct bare_extent *extents = fixture_part(f, plan->extents, plan->extent_count * sizeof(*extents));
		uint64_t end = 0;

		assert_int_equal(plan->guest_count, GUESTS);
		assert_int_equal(plan->vcpu_count, 1);
		assert_int_equal(plan->guest_size, MEMORY);
		assert_int_equal(fixture_guest(f, 0)->place, 0);
		for (unsigned n = 0; n < GUESTS; n++) {
			const uint64_t place = fixture_guest(f, n)->place;

			assert_int_equal(place % LARGE_PAGE, 0);
			assert_true(place >= end);
			end = place + MEMORY;
			assert_true(end - place < MEMORY + LARGE_PAGE);
		}
		assert_int_equal(plan->monitor % LARGE_PAGE, 0);
		assert_true(plan->monitor >= end && plan->monitor < end + LARGE_PAGE);
		/* In none of the gaps. */
		for (uint64_t e = 0; e < plan->extent_count; e++) {
			const uint64_t first = extents[e].place, last = first + extents[e].size - 1;
			unsigned owners = first >= plan->monitor && last < plan->monitor + plan->monitor_size;

			for (unsigned n = 0; n < GUESTS; n++)
				owners += first >= fixture_guest(f, n)->place && last < fixture_guest(f, n)->place + MEMORY;
			assert_int_equal(owners, 1);
		}
		fixture_destroy(f);
	}
}

static void every_guest_has_the_firmware_and_a_context_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = create_guests(&fixture_vendors[i]);
		const struct image_segment *code = &f->run.image.segments[0];

		assert_true(f->run.image.segment_count > 0);
		for (unsigned n = 0; n < GUESTS; n++) {
			const uint8_t *memory = f->block + fixture_guest(f, n)->place;
			const struct ss_context *context = (const void *)(memory + BOOT_CONTEXT);

			assert_memory_equal(memory, f->vms[n].ram.host, MEMORY);
			assert_int_equal(context->vm_index, n);
			assert_int_equal(context->vcpu_count, 1);
			assert_memory_equal(memory + code->gpa.v, f->block + code->gpa.v, PAGE);
			assert_true(memory[code->gpa.v] != 0 || memcmp(memory + code->gpa.v, memory, PAGE) != 0);
		}
		fixture_destroy(f);
	}
}

/* Each one's list, and flags as it owns them. */
static void every_guest_has_setups_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = create_guests(&fixture_vendors[i]);

		for (unsigned n = 0; n < GUESTS; n++) {
			const struct bare_setup *setups = setups_of(f, n), *first = setups_of(f, 0);

			assert_int_equal((uint64_t)(uintptr_t)setups[0].vmfunc.list, RELAY_LISTS + PAGE * n);
			for (uint64_t op = 0; op <= f->plan->operation_count; op++) {
				const struct ss_operation *operation = op ? &f->run.image.operations[op - 1] : NULL;
				const bool enlightened = operation && operation->flags & SS_OP_ENLIGHTENED;
				const struct ss_flag_words words = vm_words(&f->vms[n], operation);

				fixture_same_setup(f, &f->vms[n].vcpus[0], enlightened ? NULL : operation, &setups[op]);
				assert_memory_equal(&setups[op].words, &words, sizeof(words));
			}
			assert_int_equal(memcmp(&setups[0].words, &first->words, sizeof(first->words)) != 0, n == 1);
			/* What has no services is not the same whatever the operation. */
			assert_int_equal(fixture_guest(f, n)->write_count != fixture_guest(f, 0)->write_count, n == 1);
		}
		fixture_destroy(f);
	}
}

static void they_are_a_group_in_which_each_has_a_number_and_a_world(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = create_guests(&fixture_vendors[i]);
		const struct relay_group *group = fixture_monitor(f, RELAY_GROUP);

		assert_int_equal(group->count, GUESTS);
		assert_int_equal(group->current, 0);
		assert_int_equal(group->nmi, 0);
		for (unsigned n = 0; n < GUESTS; n++) {
			const struct relay_vcpu *relay = relay_of(f, n);
			const struct relay_world *world = fixture_monitor(f, RELAY_WORLDS + UINT64_C(1) * RELAY_WORLD_STRIDE * n);
			const uint64_t *list = fixture_monitor(f, RELAY_LISTS + PAGE * n);
			const uint64_t place = BASE + fixture_guest(f, n)->place;

			assert_int_equal(relay->group, RELAY_GROUP);
			assert_int_equal(relay->number, n);
			assert_int_equal(relay->world, RELAY_WORLDS + UINT64_C(1) * RELAY_WORLD_STRIDE * n);
			/* As after reset: all of the FPU masked. */
			assert_int_equal(world->fpu[0], 0x7f);
			assert_int_equal(relay->regs[RDI], BOOT_CONTEXT);
			assert_int_equal(relay->regs[RSI], 0);
			assert_int_equal(relay->marker,
					 place + f->plan->vcpu_pages + offsetof(struct ss_vcpu_page, marker));
			assert_int_equal(relay->home, list[0]);
		}
		fixture_destroy(f);
	}
}

static void views_show_every_guest_its_own_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = create_guests(&fixture_vendors[i]);
		const struct walk_memory memory = {BASE, f->block, f->plan->block};
		const bool vmx = fixture_vendors[i].vendor == BARE_VMX;
		const struct walk_caps caps = {.page_2m = true, .ve = vmx, .maxphyaddr = 36};

		for (unsigned n = 0; n < GUESTS; n++) {
			const uint64_t *list = fixture_monitor(f, RELAY_LISTS + PAGE * n);

			for (uint64_t gpa = 0; gpa < MEMORY + 4 * LARGE_PAGE; gpa += PAGE) {
				const struct walk got = vmx ? walk_ept(&memory, &caps, list[0], gpa)
							    : walk_npt(&memory, &caps, list[0] & ENTRY_ADDRESS, gpa);

				assert_int_not_equal(got.status, WALK_BAD);
				if (gpa >= MEMORY)
					assert_int_equal(got.status, WALK_NOT_PRESENT);
				else if (got.status == WALK_MAPPED)
					assert_true(got.address - (BASE + fixture_guest(f, n)->place) < MEMORY);
				if (gpa < BOOT_WINDOW)
					assert_int_equal(got.address, BASE + fixture_guest(f, n)->place + gpa);
			}
		}
		fixture_destroy(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vcpus_begin_with_a_stack_and_descriptors_of_their_own),
		cmocka_unit_test(vcpus_have_a_number_a_marker_and_a_ring_of_their_own),
		cmocka_unit_test(every_vcpu_can_have_the_setups_of_its_guest),
		cmocka_unit_test(guests_lie_one_behind_the_other_and_the_monitor_behind_them),
		cmocka_unit_test(every_guest_has_the_firmware_and_a_context_of_its_own),
		cmocka_unit_test(every_guest_has_setups_of_its_own),
		cmocka_unit_test(they_are_a_group_in_which_each_has_a_number_and_a_world),
		cmocka_unit_test(views_show_every_guest_its_own_memory),
	};

	return cmocka_run_group_tests_name("bare_several", tests, NULL, NULL);
}
