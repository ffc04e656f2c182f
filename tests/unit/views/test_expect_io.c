/* SPDX-License-Identifier: GPL-2.0-only */
/* The model for interrupts, buffers and the disk: outcomes by playing the operation through the decisions
 * themselves, exits by who has to step in. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "default_policy.h"
#include "expect.h"
#include "interrupts.h"
#include "pins.h"

#define PAGE UINT64_C(4096)
#define WINDOW UINT64_C(0xe0000)
#define FRAMES UINT64_C(0xe4000)
#define OWN UINT64_C(0x200000)
#define MEMORY UINT64_C(0x1000000)
#define VECTOR 0x50

static struct view_policy policy;
static struct expect_environment environment;

static int setup(void **state)
{
	const struct default_policy_layout layout = {gpa_at(WINDOW), gpa_at(FRAMES), {{0}, 0}, false};

	(void)state;
	policy = (struct view_policy){0};
	environment = (struct expect_environment){
		.embodiment = SS_EMBODIMENT_TWO_WORDS,
		.engine = ENGINE_FLAT, .policy = &policy, .window = gpa_at(WINDOW)};
	return default_policy(&policy, &layout, DEFAULT_POLICY_VIEWS);
}

static int teardown(void **state)
{
	(void)state;
	policy_finish(&policy);
	return 0;
}

static struct expectation predict(enum engine_id engine, enum host_backend backend,
				  const struct ss_operation *op, uint32_t count)
{
	struct expectation expectation;

	environment.engine = engine;
	environment.backend = backend;
	memset(&expectation, 0xee, sizeof(expectation));
	expect_operation(&environment, op, count, &expectation);
	assert_int_equal(expectation.vector, SS_NO_VECTOR);
	assert_true(expectation.value_known);
	return expectation;
}

static void expect_exits(const struct expectation *expectation, enum level level,
			 enum expect_how how, unsigned count)
{
	assert_int_equal(expectation->exits[level].how, how);
	if (how != EXPECT_ANY)
		assert_int_equal(expectation->exits[level].count, count);
}

/* Takes what is pending, one by one, as a guest with interrupts on does. */
static uint64_t take_all(struct interrupts *interrupts)
{
	uint64_t taken = 0;
	unsigned vector;

	while ((vector = interrupts_next(interrupts)) != 0) {
		interrupts_take(interrupts, vector);
		taken++;
	}
	return taken;
}

static void raised(void **state)
{
	(void)state;
	for (unsigned disposition = 1; disposition < SS_INTERRUPT_COUNT; disposition++)
		for (uint32_t count = 1; count < 5; count++) {
			struct ss_operation op = {.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_OUT,
						  .arg = disposition << 8 | VECTOR};
			struct interrupts interrupts;
			enum interrupt_event event;
			uint64_t before = 0;

			interrupts_init(&interrupts);
			interrupts_set(&interrupts, VECTOR, disposition, &event);
			for (uint32_t i = 0; i < count; i++) {
				interrupts_raise(&interrupts, VECTOR, &event);
				before += take_all(&interrupts);
			}
			interrupts_set(&interrupts, VECTOR, SS_INTERRUPT_DELIVER, &event);
			assert_int_equal(predict(ENGINE_FLAT, HOST_BACKEND_VMX, &op, count).value,
					 before | take_all(&interrupts) << 32);
		}
}

/* One port access each, whatever becomes of the interrupt: no relay has a part. */
static void raised_exits(void **state)
{
	const struct ss_operation op = {.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_OUT,
					.arg = SS_INTERRUPT_HOLD << 8 | VECTOR};
	struct expectation got;

	(void)state;
	for (enum engine_id engine = ENGINE_FLAT; engine < ENGINE_COUNT; engine++) {
		got = predict(engine, HOST_BACKEND_VMX, &op, 10);
		expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 1);
		expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 0);
		expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, 1);
	}
	got = predict(ENGINE_FLAT, HOST_BACKEND_PVM, &op, 10);
	expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 1);
	expect_exits(&got, LEVEL_L0, EXPECT_AT_LEAST, 1);
	got = predict(ENGINE_FLAT, HOST_BACKEND_UNKNOWN, &op, 10);
	expect_exits(&got, LEVEL_L0, EXPECT_ANY, 0);
}

/* A KVM that has the entry with the interrupt exit at once, where that is an exit of the guest's. */
static void injected_exits(void **state)
{
	const struct ss_operation deliver = {.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_OUT,
					     .arg = SS_INTERRUPT_DELIVER << 8 | VECTOR};
	const struct ss_operation disk = {.kind = SS_KIND_DISK, .arg = SS_DISK_COMMAND_READ | SS_DISK_INTERRUPT};
	struct expectation got;

	(void)state;
	for (unsigned timer = 0; timer < 2; timer++) {
		environment.traits = timer << TRAIT_PREEMPTION_TIMER;
		got = predict(ENGINE_FLAT, HOST_BACKEND_VMX, &deliver, 10);
		expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, 1 + timer);
		got = predict(ENGINE_VMX, HOST_BACKEND_VMX, &disk, 10);
		expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, 2 + timer);
		got = predict(ENGINE_FLAT, HOST_BACKEND_SVM, &deliver, 10);
		expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, 1);
		got = predict(ENGINE_FLAT, HOST_BACKEND_PVM, &deliver, 10);
		expect_exits(&got, LEVEL_L0, EXPECT_AT_LEAST, 1);
	}
}

static void released(void **state)
{
	const struct ss_operation op = {.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_VMFUNC,
					.arg = SS_INTERRUPT_DELIVER << 8 | VECTOR};
	struct expectation got = predict(ENGINE_FLAT, HOST_BACKEND_PVM, &op, 7);

	(void)state;
	assert_int_equal(got.value, 7);
	expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 4);
	expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 0);
	got = predict(ENGINE_FLAT, HOST_BACKEND_VMX, &op, 7);
	expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 5);
	/* The relay holds the vector by itself; letting go what is pending it leaves to the VMM. */
	got = predict(ENGINE_VMX, HOST_BACKEND_VMX, &op, 7);
	expect_exits(&got, LEVEL_VMM, EXPECT_AT_LEAST, 4);
	expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 2);
	got = predict(ENGINE_SVM, HOST_BACKEND_SVM, &op, 7);
	expect_exits(&got, LEVEL_VMM, EXPECT_AT_LEAST, 4);
	expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 2);
}

static void set_without_the_vmm(void **state)
{
	const struct ss_operation op = {.kind = SS_KIND_INTERRUPT, .insn = SS_INSN_VMFUNC,
					.arg = SS_INTERRUPT_DELIVER << 8 | VECTOR, .flags = SS_OP_PAIR};
	struct expectation got = predict(ENGINE_FLAT, HOST_BACKEND_VMX, &op, 7);

	(void)state;
	assert_int_equal(got.value, 0);
	expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 2);
	expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 0);
	got = predict(ENGINE_SVM, HOST_BACKEND_SVM, &op, 7);
	expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 0);
	expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 2);
}

static uint64_t pin_address(uint64_t page)
{
	switch (page) {
	case SS_PIN_OWN:
		return OWN;
	case SS_PIN_ODD:
		return OWN + 512;
	case SS_PIN_OUTSIDE:
		return SS_MMIO_GPA;
	default:
		return WINDOW + PAGE * page;
	}
}

/* What the service itself decides, in every view, for every access. */
static void pins(void **state)
{
	static const uint64_t pages[] = {SS_WINDOW_TAG, SS_WINDOW_SHARED, SS_WINDOW_PRIVATE,
					 SS_PIN_OWN, SS_PIN_ODD, SS_PIN_OUTSIDE};
	const struct gpa_range memory = {{0}, MEMORY};
	const struct pins none = {0};

	(void)state;
	for (size_t p = 0; p < ARRAY_SIZE(pages); p++)
		for (uint32_t view = 0; view < DEFAULT_POLICY_VIEWS; view++)
			for (uint64_t access = 1; access <= 3; access++) {
				struct ss_operation op = {.kind = SS_KIND_PIN,
							  .arg = access << 16 | view << 8 | pages[p]};
				struct pin_scope scope = {{&memory, 1}, &policy, view};
				struct pin_request request = {pin_address(pages[p]), PAGE, access};
				int answer = pins_check(&none, &scope, &request);
				struct expectation got =
					predict(ENGINE_FLAT, HOST_BACKEND_PVM, &op, 10);
				unsigned calls = answer == 0 ? 2 : 1;

				assert_int_equal((int64_t)got.value, answer);
				expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, calls);
				expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 0);
				expect_exits(&got, LEVEL_L0, EXPECT_AT_LEAST, 1);
				got = predict(ENGINE_SVM, HOST_BACKEND_SVM, &op, 10);
				assert_int_equal((int64_t)got.value, answer);
				expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, calls);
				expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, calls);
			}
}

static void disk(void **state)
{
	static const struct {
		uint64_t arg, value;
	} rows[] = {
		{SS_DISK_COMMAND_READ, SS_DISK_PATTERN},
		{SS_DISK_COMMAND_WRITE, SS_DISK_PATTERN},
		{SS_DISK_COMMAND_READ | SS_DISK_UNPINNED, SS_DISK_STATUS_BAD_BUFFER},
		{SS_DISK_COMMAND_READ | SS_DISK_INTERRUPT, 10},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ss_operation op = {.kind = SS_KIND_DISK, .arg = rows[i].arg};
		struct expectation got = predict(ENGINE_VMX, HOST_BACKEND_VMX, &op, 10);

		assert_int_equal(got.value, rows[i].value);
		/* the command and its status */
		expect_exits(&got, LEVEL_VMM, EXPECT_EXACTLY, 2);
		expect_exits(&got, LEVEL_L0, EXPECT_EXACTLY, 2);
		expect_exits(&got, LEVEL_MONITOR, EXPECT_EXACTLY, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(raised, setup, teardown),
		cmocka_unit_test_setup_teardown(raised_exits, setup, teardown),
		cmocka_unit_test_setup_teardown(injected_exits, setup, teardown),
		cmocka_unit_test_setup_teardown(released, setup, teardown),
		cmocka_unit_test_setup_teardown(set_without_the_vmm, setup, teardown),
		cmocka_unit_test_setup_teardown(pins, setup, teardown),
		cmocka_unit_test_setup_teardown(disk, setup, teardown),
	};

	return cmocka_run_group_tests_name("expect_io", tests, NULL, NULL);
}
