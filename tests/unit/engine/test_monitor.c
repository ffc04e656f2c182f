/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring that relay and VMM share, with what a guest would put there if it could. */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>

#include "vmm/engine/monitor.h"
#include "vmm/ledger/summary.h"
#include "vmm/plan/plan.h"
#include "vmm/vm/vcpu.h"

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
	return f->monitor.host ? recorder_create(&f->vcpu.recorder, 0, 1, &f->plan.image, NULL) : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	recorder_destroy(&f->vcpu.recorder);
	free(f->monitor.host);
	free(f);
	return 0;
}

static uint64_t drained(struct fixture *f, uint64_t head, uint64_t tail)
{
	struct relay_vcpu *relay = monitor_vcpu(&f->vcpu);
	uint64_t before = f->vcpu.recorder.summary->operations[0].exits[LEVEL_MONITOR];

	relay->head = head;
	relay->tail = tail;
	monitor_drain(&f->vcpu);
	assert_int_equal(relay->tail, head);
	return f->vcpu.recorder.summary->operations[0].exits[LEVEL_MONITOR] - before;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_between_the_indices_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(forged_indices_give_no_more_than_a_ring, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_forged_ring_address_is_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_forged_operation_counts_as_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
