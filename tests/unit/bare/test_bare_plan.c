/* SPDX-License-Identifier: GPL-2.0-only */
/* Plans of computer images, made without KVM, against the VM that they are made of: put together once more, as the loader
 * does it, and held against its memory, its views and what its engine does for every operation. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guestfw/bare/plan.h"
#include "tests/unit/views/walker.h"
#include "views/effect.h"
#include "views/program.h"
#include "vmm/analysis/verdict.h"
#include "vmm/bare/bare_plan.h"
#include "vmm/engine/engines.h"
#include "vmm/engine/monitor.h"
#include "vmm/ledger/ledger.h"
#include "vmm/service/differential.h"
#include "vmm/vm/vcpu.h"
#include "vmm/vm/vm_create.h"

#define PAGE UINT64_C(4096)
#define LARGE_PAGE UINT64_C(0x200000)
#define BASE UINT64_C(0x10000000) /* where the loader finds memory */
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)
#define PRESENT 1u
#define LARGE 0x80u

static const struct engine_row {
	const char *name;
	enum engine_id id;
	enum bare_vendor vendor;
} vendors[] = {{"vmx", ENGINE_VMX, BARE_VMX}, {"svm", ENGINE_SVM, BARE_SVM}};

/* A plan, the same VM without one, and the block as the loader leaves it. */
struct fixture {
	const struct engine_row *engine;
	struct blob blob;
	const struct bare_plan *plan;
	uint8_t *block;
	struct host host;
	struct plan run;
	struct vm vm;
	const struct engine_ops *ops;
};

static struct differential differential;

static struct plan_request request_of(const char *engine)
{
	return (struct plan_request){
		.engine = engine, .vms = 1, .vcpus = 1, .on_violation = ON_VIOLATION_INJECT, .on_ask = FLAGS_ON_ASK_REGISTER};
}

static const void *part(const struct fixture *f, uint64_t offset, uint64_t size)
{
	assert_true(offset <= f->plan->size && size <= f->plan->size - offset);
	assert_int_equal(offset % 8, 0);
	return (const uint8_t *)f->plan + offset;
}

static void create_vm(struct fixture *f, const struct plan_request *request)
{
	struct error error = {0};
	struct vcpu *vcpu;

	assert_int_equal(host_bare(&f->host, &error), 0);
	assert_int_equal(plan_make(&f->run, request, &f->host, &error), 0);
	f->ops = engine_ops(f->run.engine->id);
	assert_int_equal(vm_prepare(&f->vm, 0, &f->run, &f->host, f->ops, &error), 0);
	assert_int_equal(f->ops->vm_prepare(&f->vm, &error), 0);
	vcpu = &f->vm.vcpus[0];
	vcpu_prepare(vcpu, &f->vm, 0);
	f->vm.vcpus_created = 1;
	assert_int_equal(f->ops->vcpu_prepare(vcpu, &error), 0);
}

/* The code of the monitor is no data. */
static bool is_code(const struct fixture *f, uint64_t place)
{
	return place - (f->plan->monitor + RELAY_IMAGE - RELAY_BASE) < RELAY_IMAGE_MAX;
}

static void load(struct fixture *f, bool moved)
{
	const struct bare_extent *extents = part(f, f->plan->extents, f->plan->extent_count * sizeof(*extents));

	memset(f->block, 0, f->plan->block);
	for (uint64_t i = 0; i < f->plan->extent_count; i++)
		memcpy(f->block + extents[i].place, part(f, extents[i].data, extents[i].size), extents[i].size);
	for (uint64_t place = f->plan->monitor; moved && place < f->plan->block; place += 8) {
		uint64_t word;

		memcpy(&word, f->block + place, sizeof(word));
		word = is_code(f, place) ? word : bare_move(f->plan, BASE, word);
		memcpy(f->block + place, &word, sizeof(word));
	}
}

static struct fixture *create(const struct engine_row *engine, struct plan_request request, bool judged)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error error = {0};

	assert_non_null(f);
	f->engine = engine;
	/* Not at the beginning of a file. */
	blob_append(&f->blob, "loader", 7);
	if (bare_plan_append(&f->blob, &request, judged, &error) != 0)
		fail_msg("%s", error.text);
	f->plan = (const void *)(f->blob.data + PAGE);
	assert_int_equal(f->plan->size, f->blob.size - PAGE);
	f->block = malloc(f->plan->block);
	assert_non_null(f->block);
	load(f, true);
	create_vm(f, &request);
	return f;
}

static void destroy(struct fixture *f)
{
	vm_destroy(&f->vm);
	plan_finish(&f->run);
	host_close(&f->host);
	blob_finish(&f->blob);
	free(f->block);
	free(f);
}

static struct fixture *create_usual(const struct engine_row *engine)
{
	return create(engine, request_of(engine->name), true);
}

static void a_plan_says_what_is_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		struct fixture *f = create_usual(&vendors[i]);
		const struct bare_plan *plan = f->plan;

		assert_int_equal(plan->vendor, vendors[i].vendor);
		assert_int_equal(plan->engine, vendors[i].id);
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
		destroy(f);
	}
}

static void extents_lie_in_the_block(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		struct fixture *f = create_usual(&vendors[i]);
		const struct bare_plan *plan = f->plan;
		const struct bare_extent *extents = part(f, plan->extents, plan->extent_count * sizeof(*extents));
		uint64_t end = 0;

		assert_true(plan->extent_count > 1);
		for (uint64_t e = 0; e < plan->extent_count; e++) {
			const struct bare_extent *extent = &extents[e];
			const bool guest = extent->place < plan->guest_size;

			part(f, extent->data, extent->size);
			assert_true(extent->size > 0 && extent->place % PAGE == 0 && extent->size % PAGE == 0);
			assert_true(extent->place >= end);
			end = extent->place + extent->size;
			assert_true(end <= (guest ? plan->guest_size : plan->monitor + plan->monitor_size));
			assert_true(guest || extent->place >= plan->monitor);
		}
		destroy(f);
	}
}

static void they_are_the_memory_of_guest_and_monitor(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		struct fixture *f = create_usual(&vendors[i]);
		const struct bare_plan *plan = f->plan;
		struct relay_vcpu *relay = monitor_vcpu(&f->vm.vcpus[0]);

		/* What a guest finds in RDI, which no control structure has. */
		relay->regs[7] = ((struct relay_vcpu *)(f->block + plan->monitor + RELAY_VCPUS - RELAY_BASE))->regs[7];
		assert_true(relay->regs[7] != 0 && relay->regs[7] < plan->guest_size);
		load(f, false);
		assert_memory_equal(f->block, f->vm.ram.host, plan->guest_size);
		assert_memory_equal(f->block + plan->monitor, vm_monitor(&f->vm)->host, plan->monitor_size);
		for (uint64_t at = plan->monitor_size; at < RELAY_SIZE; at++)
			assert_int_equal(vm_monitor(&f->vm)->host[at], 0);
		destroy(f);
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
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		struct fixture *f = create_usual(&vendors[i]);
		const uint8_t *planned = vm_monitor(&f->vm)->host;
		unsigned moved = 0;

		for (uint64_t place = 0; place < f->plan->monitor_size; place += 8) {
			uint64_t before, after;

			memcpy(&before, planned + place, sizeof(before));
			memcpy(&after, f->block + f->plan->monitor + place, sizeof(after));
			/* This was said later. */
			if (place == RELAY_VCPUS - RELAY_BASE + 7 * 8)
				continue;
			if (is_code(f, f->plan->monitor + place)) {
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
		destroy(f);
	}
}

static void what_the_relay_shares_is_where_the_block_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		struct fixture *f = create_usual(&vendors[i]);
		const struct relay_vcpu *relay = (void *)(f->block + f->plan->monitor + RELAY_VCPUS - RELAY_BASE);
		const uint64_t *list = (void *)(f->block + f->plan->monitor + RELAY_LISTS - RELAY_BASE);
		const uint64_t monitor = BASE + f->plan->monitor - RELAY_BASE;

		assert_int_equal(relay->marker, BASE + f->plan->vcpu_page + offsetof(struct ss_vcpu_page, marker));
		assert_int_equal(relay->home, list[0]);
		assert_int_equal(relay->vmfunc.eptp, list[0]);
		assert_int_equal(relay->control, monitor + RELAY_CONTROL + PAGE);
		for (uint64_t view = 0; view < f->plan->view_count; view++)
			assert_true((list[view] & ENTRY_ADDRESS) - (monitor + RELAY_TABLES) < RELAY_TABLES_SIZE);
		/* What the relay reaches through its own tables it sees where it always does. */
		assert_true(relay->ring - RELAY_BASE < RELAY_SIZE);
		assert_true((uint64_t)(uintptr_t)relay->vmfunc.list - RELAY_BASE < RELAY_SIZE);
		destroy(f);
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
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		struct fixture *f = create_usual(&vendors[i]);

		for (uint64_t at = 0; at < UINT64_C(4) << 30; at += LARGE_PAGE) {
			const uint64_t inside = at - RELAY_BASE, seen = at + 0x12345;

			if (inside < f->plan->monitor_size)
				assert_int_equal(walk_l1(f, seen), BASE + f->plan->monitor + inside + 0x12345);
			else if (inside >= RELAY_SIZE)
				assert_int_equal(walk_l1(f, seen), seen);
		}
		destroy(f);
	}
}

/* Every page of the guest in every view, by a walker that knows nothing of the builder. */
static void views_show_the_guest_its_memory_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		struct fixture *f = create_usual(&vendors[i]);
		const struct walk_memory memory = {BASE, f->block, f->plan->block};
		const bool vmx = vendors[i].vendor == BARE_VMX;
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
		destroy(f);
	}
}

/* A write into a control structure, as the monitor does it: a field by its encoding, or an offset and a width. */
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
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		struct fixture *f = create_usual(&vendors[i]);

		for (size_t n = 0; n < ARRAY_SIZE(kept); n++)
			assert_false(has_msr(f, kept[n], false) || has_msr(f, kept[n], true));
		for (size_t n = 0; n < ARRAY_SIZE(given); n++)
			assert_true(has_msr(f, given[n], false) && has_msr(f, given[n], true));
		/* The time stamp counter may be read. */
		assert_true(has_msr(f, 0x10, false) && !has_msr(f, 0x10, true));
		destroy(f);
	}
}

static void write_control(const struct fixture *f, uint8_t control[4096], const struct bare_write *write)
{
	static const struct {
		uint64_t encoding;
		uint16_t offset, width;
	} fields[] = {
#define FIELD(name, encoding, offset, width) {encoding, offset, width},
#include "guestfw/relay/vmcs12.def"
#undef FIELD
	};

	if (f->engine->vendor == BARE_SVM) {
		memcpy(control + (write->field >> 8), &write->value, write->field & 0xff);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].encoding == write->field) {
			memcpy(control + fields[i].offset, &write->value, fields[i].width);
			return;
		}
	fail_msg("there is no field 0x%lx", (unsigned long)write->field);
}

static void same_register(const struct relay_register *got, const struct relay_register *wanted)
{
	assert_memory_equal(&got->words, &wanted->words, sizeof(got->words));
	assert_int_equal(got->passed, wanted->passed);
	assert_int_equal(got->hidden, wanted->hidden);
	assert_int_equal(got->fixed0, wanted->fixed0);
	assert_int_equal(got->fixed1, wanted->fixed1);
}

/* What the engine has put in place for an operation, and what the monitor would by its setup. */
static void same_setup(struct fixture *f, const struct ss_operation *op, const struct bare_setup *setup)
{
	struct vcpu *vcpu = &f->vm.vcpus[0];
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);
	uint64_t list[EPTP_LIST_ENTRIES];
	uint8_t control[4096];

	f->ops->vcpu_plan(vcpu, op);
	same_register(&setup->cr0, &relay->cr0);
	same_register(&setup->cr4, &relay->cr4);
	assert_memory_equal(&setup->vmfunc, &relay->vmfunc, sizeof(relay->vmfunc));
	memcpy(list, f->vm.view_list, sizeof(list));
	if (setup->list_index < EPTP_LIST_ENTRIES)
		list[setup->list_index] = setup->list_value;
	assert_memory_equal(list, vm_monitor(&f->vm)->list, sizeof(list));
	memcpy(control, part(f, f->plan->control, sizeof(control)), sizeof(control));
	assert_true(f->plan->write_count <= BARE_WRITES_MAX);
	for (uint64_t i = 0; i < f->plan->write_count; i++)
		write_control(f, control, &setup->writes[i]);
	assert_memory_equal(control, f->ops->control(vcpu), sizeof(control));
}

static void every_operation_is_set_up_as_by_its_engine(void **state)
{
	static const enum ss_embodiment embodiments[] = {SS_EMBODIMENT_TWO_WORDS, SS_EMBODIMENT_SINGLE_MASK};
	static const enum flags_on_ask asks[] = {FLAGS_ON_ASK_REGISTER, FLAGS_ON_ASK_SHADOW, FLAGS_ON_ASK_REFUSE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		for (size_t e = 0; e < ARRAY_SIZE(embodiments); e++)
			for (size_t a = 0; a < ARRAY_SIZE(asks); a++) {
				struct plan_request request = request_of(vendors[i].name);
				const struct bare_setup *setups;
				struct fixture *f;

				request.embodiment = embodiments[e];
				request.on_ask = asks[a];
				f = create(&vendors[i], request, true);
				setups = part(f, f->plan->setups, (f->plan->operation_count + 1) * sizeof(*setups));
				same_setup(f, NULL, &setups[0]);
				for (uint64_t n = 1; n <= f->plan->operation_count; n++) {
					const struct ss_operation *op = &f->run.image.operations[n - 1];
					const struct ss_flag_words words = vm_words(&f->vm, op);

					/* A guest that looks at its words itself has nothing masked (vmm/service/service.c). */
					same_setup(f, op->flags & SS_OP_ENLIGHTENED ? NULL : op, &setups[n]);
					assert_memory_equal(&setups[n].words, &words, sizeof(words));
				}
				assert_int_equal(f->plan->refuse, asks[a] == FLAGS_ON_ASK_REFUSE);
				destroy(f);
			}
}

static void every_random_program_has_the_setup_of_its_masks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		for (int single = 0; single < 2; single++) {
			struct plan_request request = request_of(vendors[i].name);
			const struct bare_setup *setups;
			struct fixture *f;

			differential = (struct differential){.seed = 5, .count = 500, .shard = 1, .shards = 3};
			request.differential = &differential;
			request.embodiment = single ? SS_EMBODIMENT_SINGLE_MASK : SS_EMBODIMENT_TWO_WORDS;
			f = create(&vendors[i], request, false);
			assert_int_equal(f->plan->seed, 5);
			assert_int_equal(f->plan->programs, 500);
			assert_int_equal(f->plan->shard, 1);
			assert_int_equal(f->plan->shards, 3);
			setups = part(f, f->plan->program_setups, BARE_PROGRAM_SETUPS * sizeof(*setups));
			for (uint64_t n = 0; n < 500; n++) {
				struct ss_program program;
				struct ss_operation masks;

				program_generate(5, n, (enum program_masks)f->plan->program_masks, false, 4, &program);
				masks = program_masks(&program);
				same_setup(f, &masks, &setups[bare_program_setup(&program)]);
			}
			destroy(f);
		}
}

/* The ledger begins with what was planned: of each operation what the model says, or why it is not performed. */
static void the_records_say_what_is_expected(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		for (int judged = 0; judged < 2; judged++) {
			struct fixture *f = create(&vendors[i], request_of(vendors[i].name), judged);
			const struct expect_environment environment = vm_environment(&f->vm);
			const uint8_t *records = part(f, f->plan->records, f->plan->records_size);
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
			destroy(f);
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
