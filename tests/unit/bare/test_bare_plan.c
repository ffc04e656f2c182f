/* SPDX-License-Identifier: GPL-2.0-only */
/* Plans of computer images, made without KVM, against the VM that they are made of: put together once more, as the loader
 * does it, and held against its memory, its views and what its engine does for every operation. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "plan_fixture.h"
#include "tests/unit/views/walker.h"
#include "views/effect.h"
#include "views/program.h"
#include "vmm/analysis/verdict.h"
#include "vmm/engine/monitor.h"
#include "vmm/ledger/record.h"
#include "vmm/service/differential.h"

#define PRESENT 1u
#define LARGE 0x80u

static struct differential differential;

static void a_plan_says_what_is_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = fixture_create_usual(&fixture_vendors[i]);
		const struct bare_plan *plan = f->plan;

		assert_int_equal(plan->vendor, fixture_vendors[i].vendor);
		assert_int_equal(plan->engine, fixture_vendors[i].id);
		assert_int_equal(plan->guest_size, PLAN_MEMORY_DEFAULT);
		/* One behind the other, each on a border of large pages, for the views have such. */
		assert_int_equal(plan->monitor % LARGE_PAGE, 0);
		assert_int_equal(plan->monitor_size % LARGE_PAGE, 0);
		assert_true(plan->guest_size <= plan->monitor);
		assert_true(plan->monitor + plan->monitor_size <= plan->log);
		assert_true(plan->log + BARE_LOG_SIZE <= plan->block);
		/* No computer has memory at the address that stands for none, and no plan. */
		assert_true(plan->unbacked >= BARE_BASE + plan->block);
		assert_int_equal(plan->view_count, f->run.policy.view_count);
		assert_int_equal(plan->operation_count, f->run.image.operation_count);
		assert_int_equal(plan->stop_on_violation, 0);
		assert_int_equal(plan->programs, 0);
		fixture_destroy(f);
	}
}

static void extents_lie_in_the_block(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = fixture_create_usual(&fixture_vendors[i]);
		const struct bare_plan *plan = f->plan;
		const struct bare_extent *extents = fixture_part(f, plan->extents, plan->extent_count * sizeof(*extents));
		uint64_t end = 0;

		assert_true(plan->extent_count > 1);
		for (uint64_t e = 0; e < plan->extent_count; e++) {
			const struct bare_extent *extent = &extents[e];
			const bool guest = extent->place < plan->guest_size;

			fixture_part(f, extent->data, extent->size);
			assert_true(extent->size > 0 && extent->place % PAGE == 0 && extent->size % PAGE == 0);
			assert_true(extent->place >= end);
			end = extent->place + extent->size;
			assert_true(end <= (guest ? plan->guest_size : plan->monitor + plan->monitor_size));
			assert_true(guest || extent->place >= plan->monitor);
		}
		fixture_destroy(f);
	}
}

static bool is_zero(const uint8_t *memory, uint64_t size)
{
	return size == 0 || (memory[0] == 0 && memcmp(memory, memory + 1, size - 1) == 0);
}

static void they_are_the_memory_of_guest_and_monitor(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = fixture_create_usual(&fixture_vendors[i]);
		const struct bare_plan *plan = f->plan;
		struct relay_vcpu *relay = monitor_vcpu(&f->vms[0].vcpus[0]);

		/* What a guest finds in RDI, which no control structure has. */
		relay->regs[7] = ((struct relay_vcpu *)(f->block + plan->monitor + RELAY_VCPUS - RELAY_BASE))->regs[7];
		assert_true(relay->regs[7] != 0 && relay->regs[7] < plan->guest_size);
		fixture_load(f, false);
		assert_memory_equal(f->block, f->vms[0].ram.host, plan->guest_size);
		assert_memory_equal(f->block + plan->monitor, vm_monitor(&f->vms[0])->host, plan->monitor_size);
		assert_true(is_zero(vm_monitor(&f->vms[0])->host + plan->monitor_size, RELAY_SIZE - plan->monitor_size));
		fixture_destroy(f);
	}
}

static bool is_page_of(uint64_t place, uint64_t address, uint64_t pages)
{
	return place - (address - RELAY_BASE) < pages * PAGE;
}

/* Where the monitor has addresses of the block: tables, the view list, control structure, what the relay shares. */
static bool has_addresses(uint64_t place)
{
	return is_page_of(place, RELAY_PML4, 6) || is_page_of(place, RELAY_CONTROL, 2) || is_page_of(place, RELAY_LISTS, 1) ||
	       is_page_of(place, RELAY_VCPUS, 1) || is_page_of(place, RELAY_TABLES, RELAY_TABLES_SIZE / PAGE);
}

static void words_of_the_monitor_that_are_addresses_follow_the_block(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = fixture_create_usual(&fixture_vendors[i]);
		const uint8_t *planned = vm_monitor(&f->vms[0])->host;
		unsigned moved = 0;

		for (uint64_t place = 0; place < f->plan->monitor_size; place += 8) {
			uint64_t before, after;

			memcpy(&before, planned + place, sizeof(before));
			memcpy(&after, f->block + f->plan->monitor + place, sizeof(after));
			/* The most of it; and what was said later. */
			if ((before | after) == 0 || place == RELAY_VCPUS - RELAY_BASE + 7 * 8)
				continue;
			if (fixture_is_code(f, f->plan->monitor + place)) {
				assert_int_equal(before, after);
				continue;
			}
			assert_true((after & ENTRY_ADDRESS) - BARE_BASE >= f->plan->block);
			if (before == after)
				continue;
			assert_int_equal(after - before, BASE - BARE_BASE);
			assert_true(has_addresses(place));
			moved++;
		}
		assert_true(moved > 4 * 512 / 8);
		fixture_destroy(f);
	}
}

static void what_the_relay_shares_is_where_the_block_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = fixture_create_usual(&fixture_vendors[i]);
		const struct relay_vcpu *relay = (void *)(f->block + f->plan->monitor + RELAY_VCPUS - RELAY_BASE);
		const uint64_t *list = (void *)(f->block + f->plan->monitor + RELAY_LISTS - RELAY_BASE);
		const uint64_t monitor = BASE + f->plan->monitor - RELAY_BASE;

		assert_int_equal(relay->marker, BASE + f->plan->vcpu_pages + offsetof(struct ss_vcpu_page, marker));
		assert_int_equal(relay->home, list[0]);
		assert_int_equal(relay->vmfunc.eptp, list[0]);
		assert_int_equal(relay->control, monitor + RELAY_CONTROL + PAGE);
		for (uint64_t view = 0; view < f->plan->view_count; view++)
			assert_true((list[view] & ENTRY_ADDRESS) - (monitor + RELAY_TABLES) < RELAY_TABLES_SIZE);
		/* What the relay reaches through its own tables it sees where it always does. */
		assert_true(relay->ring - RELAY_BASE < RELAY_SIZE);
		assert_true((uint64_t)(uintptr_t)relay->vmfunc.list - RELAY_BASE < RELAY_SIZE);
		fixture_destroy(f);
	}
}

/* L1's own tables, walked as the processor does it (Intel SDM vol. 3A, 4.5). */
static uint64_t walk_l1(const struct fixture *f, uint64_t address)
{
	uint64_t entry = BASE + f->plan->monitor + RELAY_PML4 - RELAY_BASE;

	for (unsigned shift = 39;; shift -= 9) {
		const uint64_t place = (entry & ENTRY_ADDRESS) - BASE + (address >> shift & 511) * 8;

		assert_true(place < f->plan->block);
		memcpy(&entry, f->block + place, sizeof(entry));
		assert_true(entry & PRESENT);
		if (shift == 12 || entry & LARGE) {
			const uint64_t low = (UINT64_C(1) << shift) - 1;

			return (entry & ENTRY_ADDRESS & ~low) | (address & low);
		}
	}
}

static void the_relay_sees_itself_and_else_what_there_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = fixture_create_usual(&fixture_vendors[i]);

		for (uint64_t at = 0; at < UINT64_C(4) << 30; at += LARGE_PAGE) {
			const uint64_t inside = at - RELAY_BASE, seen = at + 0x12345;

			if (inside < f->plan->monitor_size)
				assert_int_equal(walk_l1(f, seen), BASE + f->plan->monitor + inside + 0x12345);
			else if (inside >= RELAY_SIZE)
				assert_int_equal(walk_l1(f, seen), seen);
		}
		fixture_destroy(f);
	}
}

/* Every page of the guest in every view, by a walker that knows nothing of the builder. */
static void views_show_the_guest_its_memory_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = fixture_create_usual(&fixture_vendors[i]);
		const struct walk_memory memory = {BASE, f->block, f->plan->block};
		const bool vmx = fixture_vendors[i].vendor == BARE_VMX;
		const struct walk_caps caps = {.page_2m = true, .ve = vmx, .maxphyaddr = 36};
		const uint64_t *list = (void *)(f->block + f->plan->monitor + RELAY_LISTS - RELAY_BASE);

		for (uint32_t view = 0; view < f->plan->view_count; view++)
			for (uint64_t gpa = 0; gpa < f->plan->guest_size + 4 * LARGE_PAGE; gpa += PAGE) {
				const struct walk got = vmx ? walk_ept(&memory, &caps, list[view], gpa)
							    : walk_npt(&memory, &caps, list[view] & ENTRY_ADDRESS, gpa);
				const struct view_effect effect = policy_effect(&f->run.policy, view, gpa_at(gpa));

				assert_int_not_equal(got.status, WALK_BAD);
				/* Whoever reaches beyond its memory is not told so by the processor. */
				assert_int_equal(got.suppressed, vmx && (gpa >= f->plan->guest_size || !effect.ve));
				if (gpa >= f->plan->guest_size || effect.rights == 0) {
					assert_int_equal(got.status, WALK_NOT_PRESENT);
					continue;
				}
				assert_int_equal(got.status, WALK_MAPPED);
				assert_int_equal(got.address, BASE + effect.target.v);
				assert_int_equal(got.write, (effect.rights & VIEW_WRITE) != 0);
				assert_int_equal(got.execute, (effect.rights & VIEW_EXECUTE) != 0);
			}
		/* Devices of a computer are not the guest's. */
		assert_int_equal((vmx ? walk_ept(&memory, &caps, list[0], SS_MMIO_GPA)
				      : walk_npt(&memory, &caps, list[0] & ENTRY_ADDRESS, SS_MMIO_GPA))
					 .status,
				 WALK_NOT_PRESENT);
		fixture_destroy(f);
	}
}

/* Whether the guest's RDMSR or WRMSR is left to it: VMX has four parts of the bitmap, reads of low and of high MSRs, then
 * writes (Intel SDM vol. 3C, 25.6.9); SVM has two bits an MSR, the high ones from 2 KiB on (AMD APM vol. 2, 15.11). */
static bool has_msr(const struct fixture *f, uint32_t index, bool write)
{
	const uint8_t *bitmap = f->block + f->plan->monitor + (RELAY_MSR_BITMAP - RELAY_BASE);
	const bool high = index >> 31;
	const uint32_t low = index & 0x1fff;
	const uint32_t bit = f->engine->id == ENGINE_VMX ? (high ? 8192 : 0) + (write ? 16384 : 0) + low
							 : (high ? 16384 : 0) + 2 * low + write;

	return !(bitmap[bit / 8] >> bit % 8 & 1);
}

/* One that makes the processor write into memory, or says what memory is what, is the computer's. */
static void the_guest_has_no_msr_that_could_hurt_the_computer(void **state)
{
	static const uint32_t kept[] = {
		0x1b /* APIC_BASE */, 0x3a /* FEATURE_CONTROL */, 0x79 /* BIOS_UPDT_TRIG */, 0x200 /* MTRR_PHYSBASE0 */,
		0x2ff /* MTRR_DEF_TYPE */, 0x3f1 /* PEBS_ENABLE */, 0x560 /* RTIT_OUTPUT_BASE */, 0x600 /* DS_AREA */,
		0x802 /* x2APIC */, 0xc0000103 /* TSC_AUX */,
	};
	static const uint32_t given[] = {0x174 /* SYSENTER_CS */, 0xc0000082 /* LSTAR */, 0xc0000100 /* FS_BASE */};

	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++) {
		struct fixture *f = fixture_create_usual(&fixture_vendors[i]);

		for (size_t n = 0; n < ARRAY_SIZE(kept); n++)
			assert_false(has_msr(f, kept[n], false) || has_msr(f, kept[n], true));
		for (size_t n = 0; n < ARRAY_SIZE(given); n++)
			assert_true(has_msr(f, given[n], false) && has_msr(f, given[n], true));
		/* The time stamp counter may be read. */
		assert_true(has_msr(f, 0x10, false) && !has_msr(f, 0x10, true));
		fixture_destroy(f);
	}
}

static void every_operation_is_set_up_as_by_its_engine(void **state)
{
	static const enum ss_embodiment embodiments[] = {SS_EMBODIMENT_TWO_WORDS, SS_EMBODIMENT_SINGLE_MASK};
	static const enum flags_on_ask asks[] = {FLAGS_ON_ASK_REGISTER, FLAGS_ON_ASK_SHADOW, FLAGS_ON_ASK_REFUSE};

	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++)
		for (size_t e = 0; e < ARRAY_SIZE(embodiments); e++)
			for (size_t a = 0; a < ARRAY_SIZE(asks); a++) {
				struct plan_request request = fixture_request(fixture_vendors[i].name);
				const struct bare_setup *setups;
				struct vcpu *vcpu;
				struct fixture *f;

				request.embodiment = embodiments[e];
				request.on_ask = asks[a];
				f = fixture_create(&fixture_vendors[i], request, true);
				setups = fixture_part(f, fixture_guest(f, 0)->setups,
						      (f->plan->operation_count + 1) * sizeof(*setups));
				vcpu = &f->vms[0].vcpus[0];
				fixture_same_setup(f, vcpu, NULL, &setups[0]);
				for (uint64_t n = 1; n <= f->plan->operation_count; n++) {
					const struct ss_operation *op = &f->run.image.operations[n - 1];
					const struct ss_flag_words words = vm_words(&f->vms[0], op);

					/* A guest that looks at its words itself has nothing masked (vmm/service/service.c). */
					fixture_same_setup(f, vcpu, op->flags & SS_OP_ENLIGHTENED ? NULL : op, &setups[n]);
					assert_memory_equal(&setups[n].words, &words, sizeof(words));
				}
				assert_int_equal(f->plan->refuse, asks[a] == FLAGS_ON_ASK_REFUSE);
				fixture_destroy(f);
			}
}

static void every_random_program_has_the_setup_of_its_masks(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++)
		for (int single = 0; single < 2; single++) {
			struct plan_request request = fixture_request(fixture_vendors[i].name);
			const struct bare_setup *setups;
			struct fixture *f;

			differential = (struct differential){.seed = 5, .count = 500, .shard = 1, .shards = 3};
			request.differential = &differential;
			request.embodiment = single ? SS_EMBODIMENT_SINGLE_MASK : SS_EMBODIMENT_TWO_WORDS;
			f = fixture_create(&fixture_vendors[i], request, false);
			assert_int_equal(f->plan->seed, 5);
			assert_int_equal(f->plan->programs, 500);
			assert_int_equal(f->plan->shard, 1);
			assert_int_equal(f->plan->shards, 3);
			setups = fixture_part(f, fixture_guest(f, 0)->program_setups, BARE_PROGRAM_SETUPS * sizeof(*setups));
			for (uint64_t n = 0; n < 500; n++) {
				struct ss_program program;
				struct ss_operation masks;

				program_generate(5, n, (enum program_masks)f->plan->program_masks, false, 4, &program);
				masks = program_masks(&program);
				fixture_same_setup(f, &f->vms[0].vcpus[0], &masks, &setups[bare_program_setup(&program)]);
			}
			fixture_destroy(f);
		}
}

/* The ledger begins with what was planned: of each operation what the model says, or why it is not performed. */
static void the_records_say_what_is_expected(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_VENDORS; i++)
		for (int judged = 0; judged < 2; judged++) {
			struct fixture *f = fixture_create(&fixture_vendors[i], fixture_request(fixture_vendors[i].name), judged);
			const struct expect_environment environment = vm_environment(&f->vms[0]);
			const uint8_t *records = fixture_part(f, f->plan->records, f->plan->records_size);
			uint64_t expected = 0, selected = 0;

			for (uint64_t at = 0; at < f->plan->records_size;) {
				const struct record *record = (const void *)(records + at);
				struct record_expectation wanted;
				uint32_t n;

				at += record->size;
				if (record->type != RECORD_EXPECTATION)
					continue;
				n = ((const struct record_expectation *)record)->operation;
				assert_true(n >= 1 && n <= f->plan->operation_count);
				assert_true(plan_bit(f->run.selected, (uint32_t)n));
				verdict_expect(&f->run.image.operations[n - 1], n, f->run.image.operations[n - 1].count,
					       &environment, &wanted);
				assert_memory_equal(record, &wanted, sizeof(wanted));
				expected++;
			}
			for (uint64_t n = 1; n <= f->plan->operation_count; n++)
				selected += plan_bit(f->run.selected, (uint32_t)n);
			assert_true(selected > 0);
			assert_int_equal(expected, judged ? selected : 0);
			fixture_destroy(f);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_says_what_is_where),
		cmocka_unit_test(extents_lie_in_the_block),
		cmocka_unit_test(they_are_the_memory_of_guest_and_monitor),
		cmocka_unit_test(words_of_the_monitor_that_are_addresses_follow_the_block),
		cmocka_unit_test(what_the_relay_shares_is_where_the_block_is),
		cmocka_unit_test(the_relay_sees_itself_and_else_what_there_is),
		cmocka_unit_test(views_show_the_guest_its_memory_and_nothing_else),
		cmocka_unit_test(the_guest_has_no_msr_that_could_hurt_the_computer),
		cmocka_unit_test(every_operation_is_set_up_as_by_its_engine),
		cmocka_unit_test(every_random_program_has_the_setup_of_its_masks),
		cmocka_unit_test(the_records_say_what_is_expected),
	};

	return cmocka_run_group_tests_name("bare_plan", tests, NULL, NULL);
}
