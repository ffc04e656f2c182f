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
		cmocka_unit_test_setup_teardown(a_view_is_known_by_its_pointer, setup, teardown),
		cmocka_unit_test_setup_teardown(an_exit_that_no_row_names_stays_as_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_state_names_the_check, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
