/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring that relay and VMM share, with what a guest would put there if it could; views by their pointers, exits by
 * an engine's table. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/engine/monitor.h"
#include "vmm/engine/nested_state.h"
#include "vmm/ledger/summary.h"
#include "vmm/observe/recorder.h"
#include "vmm/plan/plan.h"
#include "vmm/vm/vcpu.h"

#define ROOT UINT64_C(0x000ffffffffff000)

struct fixture {
	struct monitor monitor;
	struct plan plan;
	struct vm vm;
	struct vcpu vcpu;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->monitor.host = calloc(1, RELAY_SIZE);
	f->vm.engine_data = &f->monitor;
	f->vm.plan = &f->plan;
	f->vcpu.vm = &f->vm;
	f->vcpu.index = 1;
	*state = f;
	f->vcpu.recorder = recorder_create(0, 1, &f->plan.image, NULL);
	return f->monitor.host && f->vcpu.recorder ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	recorder_destroy(f->vcpu.recorder);
	free(f->monitor.host);
	free(f);
	return 0;
}

static uint64_t drained(struct fixture *f, uint64_t head, uint64_t tail)
{
	struct relay_vcpu *relay = monitor_vcpu(&f->vcpu);
	uint64_t before = f->vcpu.recorder->summary->operations[0].exits[LEVEL_MONITOR];

	relay->head = head;
	relay->tail = tail;
	monitor_drain(&f->vcpu);
	assert_int_equal(relay->tail, head);
	return f->vcpu.recorder->summary->operations[0].exits[LEVEL_MONITOR] - before;
}

static void records_between_the_indices_are_taken(void **state)
{
	assert_int_equal(drained(*state, 7, 4), 3);
	assert_int_equal(drained(*state, 7, 7), 0);
	assert_int_equal(drained(*state, 2, UINT64_MAX), 3);
}

static void forged_indices_give_no_more_than_a_ring(void **state)
{
	assert_int_equal(drained(*state, UINT64_MAX, 0), RELAY_RING_RECORDS);
	assert_int_equal(drained(*state, 0, 1), RELAY_RING_RECORDS);
	assert_int_equal(drained(*state, UINT64_C(1) << 63, 5), RELAY_RING_RECORDS);
}

/* The address in guest memory is for the relay; the VMM reads where it has put the ring. */
static void a_forged_ring_address_is_not_followed(void **state)
{
	struct fixture *f = *state;

	monitor_vcpu(&f->vcpu)->ring = UINT64_MAX - 4096;
	assert_int_equal(drained(f, 4096, 0), 4096);
}

static void a_forged_operation_counts_as_none(void **state)
{
	struct fixture *f = *state;
	uint64_t ring = RELAY_RINGS + sizeof(struct relay_record) * RELAY_RING_RECORDS;
	struct relay_record *record = monitor_at(&f->monitor, ring);

	record->operation = UINT32_MAX;
	record->reason = UINT32_MAX;
	assert_int_equal(drained(f, 1, 0), 1);
}

static struct relay_record *first_record(struct fixture *f)
{
	return monitor_at(&f->monitor, monitor_ring(&f->vcpu));
}

/* What a change of rights leaves: one region, and two views of it. */
static void with_policy(struct fixture *f, struct ept_views *views)
{
	uint32_t index;

	assert_int_equal(policy_add_region(&f->vm.policy, "region", gpa_at(0x5000), 0x1000, &index), 0);
	assert_int_equal(policy_add_view(&f->vm.policy, "first", VIEW_RIGHTS_ALL, NULL), 0);
	assert_int_equal(policy_add_view(&f->vm.policy, "second", VIEW_RIGHTS_ALL, NULL), 0);
	*views = (struct ept_views){.count = 2};
	views->view[0].root = gpa_at(RELAY_TABLES);
	views->view[1].root = gpa_at(RELAY_TABLES + 0x1000);
	f->monitor.views = views;
	monitor_vcpu(&f->vcpu)->changes = monitor_changes(&f->vcpu);
}

static unsigned rights_in(const struct fixture *f, uint32_t view)
{
	const struct view_rule *rule = policy_rule(&f->vm.policy, view, 0);

	return rule ? rule->rights : f->vm.policy.views[view].rights;
}

static void tell(struct fixture *f, uint64_t region, uint64_t wanted)
{
	struct relay_vcpu *relay = monitor_vcpu(&f->vcpu);

	f->vm.open_page = 1;
	*first_record(f) = (struct relay_record){
		.service = service_code(SS_SERVICE_MAP, SERVICE_PERFORM),
		.qualification = SS_SERVICE_MAP | region << 32,
		.wanted = wanted,
	};
	relay->head = 1;
	relay->tail = 0;
	relay->untold = 1;
	monitor_catch_up(&f->vcpu);
	assert_int_equal(relay->tail, 1);
}

/* Also if a record says what no policy has. */
static void rights_that_the_relay_has_set_are_those_of_the_policy(void **state)
{
	struct fixture *f = *state;
	struct ept_views views;

	with_policy(f, &views);
	tell(f, 0, relay_told(1, VIEW_READ));
	assert_int_equal(rights_in(f, 1), VIEW_READ);
	assert_int_equal(rights_in(f, 0), VIEW_RIGHTS_ALL);
	assert_int_equal(f->vm.open_page, 0);
	assert_int_equal(monitor_vcpu(&f->vcpu)->untold, 0);
	tell(f, 0, relay_told(2, VIEW_READ));
	tell(f, 1, relay_told(0, VIEW_READ));
	tell(f, 0, relay_told(0, 8));
	tell(f, 0, 0);
	assert_int_equal(rights_in(f, 0), VIEW_RIGHTS_ALL);
	/* While the relay waits, its last record is not finished. */
	tell(f, 0, relay_told(1, VIEW_RIGHTS_ALL));
	monitor_vcpu(&f->vcpu)->untold = 1;
	monitor_vcpu(&f->vcpu)->pending = 1;
	monitor_vcpu(&f->vcpu)->head = 3;
	monitor_catch_up(&f->vcpu);
	assert_int_equal(monitor_vcpu(&f->vcpu)->tail, 2);
	policy_finish(&f->vm.policy);
}

/* The tables are what they are: who has set which rights does not matter. */
static void a_change_is_noted_by_what_it_makes_of_the_root(void **state)
{
	struct fixture *f = *state;
	struct ept_views views;
	uint64_t *entry = monitor_at(&f->monitor, RELAY_TABLES + 0x1000);
	const struct relay_changes *all = monitor_at(&f->monitor, monitor_changes(&f->vcpu));
	struct relay_change change;

	with_policy(f, &views);
	*entry = 0xc2002007;
	monitor_change_begin(&f->vcpu, 1, 0, VIEW_READ, &change);
	*entry = 0xc2003007;
	monitor_change_end(&f->vcpu, &change);
	assert_int_equal(all->count, 1);
	assert_int_equal(all->changes[0].entry, RELAY_TABLES + 0x1000);
	assert_int_equal(all->changes[0].from, 0xc2002007);
	assert_int_equal(all->changes[0].to, 0xc2003007);
	assert_int_equal(all->changes[0].view, 1);
	assert_int_equal(all->changes[0].region, 0);
	assert_int_equal(all->changes[0].rights, VIEW_READ);
	/* No such view or region; tables that are gone; a region behind two entries; other vCPUs. */
	monitor_change_begin(&f->vcpu, 2, 0, VIEW_READ, &change);
	monitor_change_end(&f->vcpu, &change);
	monitor_change_begin(&f->vcpu, 0, UINT64_MAX, VIEW_READ, &change);
	monitor_change_end(&f->vcpu, &change);
	monitor_change_begin(&f->vcpu, 1, 0, VIEW_READ, &change);
	f->monitor.collected = true;
	monitor_change_end(&f->vcpu, &change);
	f->vm.policy.regions[0].gpa = gpa_at((UINT64_C(1) << 39) - 0x1000);
	f->vm.policy.regions[0].size = 0x2000;
	monitor_change_begin(&f->vcpu, 1, 0, VIEW_READ, &change);
	monitor_change_end(&f->vcpu, &change);
	f->vm.policy.regions[0].size = 0x1000;
	monitor_vcpu(&f->vcpu)->changes = 0;
	monitor_change_begin(&f->vcpu, 1, 0, VIEW_READ, &change);
	monitor_change_end(&f->vcpu, &change);
	assert_int_equal(all->count, 1);
	/* Room for so many; the oldest goes first. */
	monitor_vcpu(&f->vcpu)->changes = monitor_changes(&f->vcpu);
	for (unsigned i = 0; i < RELAY_CHANGES_MAX; i++) {
		monitor_change_begin(&f->vcpu, 1, 0, i, &change);
		monitor_change_end(&f->vcpu, &change);
	}
	assert_int_equal(all->count, RELAY_CHANGES_MAX + 1);
	assert_int_equal(all->changes[0].rights, RELAY_CHANGES_MAX - 1);
	assert_int_equal(all->changes[1].rights, 0);
	policy_finish(&f->vm.policy);
}

/* An EPTP is the entry of the view list, with memory type and walk length; a nested CR3 is its root alone. */
static void a_view_is_known_by_its_pointer(void **state)
{
	struct fixture *f = *state;

	f->vm.policy.view_count = 2;
	f->vm.view_list[0] = 0xc200001e;
	f->vm.view_list[1] = 0xc200501e;
	f->vm.view_list[2] = 0xc200901e;
	assert_int_equal(monitor_view_of(&f->vm, 0xc200501e, UINT64_MAX), 1);
	assert_int_equal(monitor_view_of(&f->vm, 0xc2005000, UINT64_MAX), -1);
	assert_int_equal(monitor_view_of(&f->vm, 0xc200005e, UINT64_MAX), -1);
	assert_int_equal(monitor_view_of(&f->vm, 0xc2005000, ROOT), 1);
	assert_int_equal(monitor_view_of(&f->vm, 0xc200501e, ROOT), -1);
	assert_int_equal(monitor_view_of(&f->vm, 0xc200901e, UINT64_MAX), -1);
	assert_int_equal(monitor_view_of(&f->vm, 0xc200009000, ROOT), -1);
}

static const char *name_of(uint64_t reason)
{
	return reason == 7 ? "seven" : "another";
}

static struct record_code code_at(struct fixture *f, uint64_t rip, bool its)
{
	struct record_code code = {.rip = rip};

	assert_int_equal(monitor_code(&f->vcpu, &code), its);
	return code;
}

/* With what is in front of it as far as the relay goes, and nothing of what lies around. */
static void code_of_the_relay_has_its_name(void **state)
{
	struct fixture *f = *state;
	const struct record_code none = {.rip = RELAY_IMAGE - 1}, behind = {.rip = RELAY_IMAGE + RELAY_IMAGE_MAX};
	struct record_code code;

	memset(monitor_at(&f->monitor, RELAY_IMAGE - 8), 0xcc, 8);
	for (int i = 0; i < 2 * CODE_BYTES; i++)
		*(uint8_t *)monitor_at(&f->monitor, RELAY_IMAGE + (uint64_t)i) = (uint8_t)i;
	code = code_at(f, RELAY_IMAGE + 0x13, true);
	assert_string_equal(code.symbol, "relay");
	assert_int_equal(code.offset, 0x13);
	assert_int_equal(code.before, CODE_BEFORE);
	assert_int_equal(code.count, CODE_BYTES);
	for (int i = 0; i < CODE_BYTES; i++)
		assert_int_equal(code.bytes[i], 0x13 - CODE_BEFORE + i);
	code = code_at(f, RELAY_IMAGE + 1, true);
	assert_int_equal(code.before, 1);
	assert_int_equal(code.count, 1 + CODE_BYTES - CODE_BEFORE);
	assert_int_equal(code.bytes[0], 0);
	code = code_at(f, RELAY_IMAGE - 1, false);
	assert_memory_equal(&code, &none, sizeof(code));
	code = code_at(f, RELAY_IMAGE + RELAY_IMAGE_MAX, false);
	assert_memory_equal(&code, &behind, sizeof(code));
}

static void an_exit_that_no_row_names_stays_as_it_is(void **state)
{
	static const struct monitor_reason rows[] = {{3, EVENT_IGNORED}, {7, EVENT_VIOLATION}};
	const struct engine engine = {.reason_name = name_of};
	struct monitor_exit exit = {.event = EVENT_UNKNOWN, .name = "unexpected", .cpl = 3};
	struct fixture *f = *state;

	f->plan.engine = &engine;
	monitor_find_event(&f->vcpu, 8, rows, ARRAY_SIZE(rows), &exit);
	assert_int_equal(exit.event, EVENT_UNKNOWN);
	assert_string_equal(exit.name, "unexpected");
	monitor_find_event(&f->vcpu, 7, rows, ARRAY_SIZE(rows), &exit);
	assert_int_equal(exit.event, EVENT_VIOLATION);
	assert_string_equal(exit.name, "seven");
	assert_int_equal(exit.cpl, 3);
}

/* KVM, here a descriptor that nobody has, does not say what it does not like. */
static void a_refused_state_names_the_check(void **state)
{
	static const struct control_fault fault = {"asid", "must not be 0", 0x10};
	union nested_state *nested = calloc(1, sizeof(*nested));
	struct error named = {0}, unknown = {0};
	struct fixture *f = *state;

	f->vcpu.fd = -1;
	f->vcpu.engine_data = nested;
	assert_int_equal(nested_state_set(&f->vcpu, &fault, &named), -EINVAL);
	assert_string_equal(named.text, "KVM refuses the nested state: asid is 0x10, but must not be 0");
	assert_int_equal(nested_state_set(&f->vcpu, NULL, &unknown), -EINVAL);
	assert_non_null(strstr(unknown.text, "(Bad file descriptor) though every check"));
	assert_int_equal(nested->header.size, sizeof(nested->header) + CONTROL_SIZE);
	assert_int_equal(nested_state_get(&f->vcpu), -EBADF);
	free(nested);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_between_the_indices_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(forged_indices_give_no_more_than_a_ring, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_forged_ring_address_is_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_forged_operation_counts_as_none, setup, teardown),
		cmocka_unit_test_setup_teardown(rights_that_the_relay_has_set_are_those_of_the_policy, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_change_is_noted_by_what_it_makes_of_the_root, setup, teardown),
		cmocka_unit_test_setup_teardown(a_view_is_known_by_its_pointer, setup, teardown),
		cmocka_unit_test_setup_teardown(code_of_the_relay_has_its_name, setup, teardown),
		cmocka_unit_test_setup_teardown(an_exit_that_no_row_names_stays_as_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_state_names_the_check, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
