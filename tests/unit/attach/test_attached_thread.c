/* SPDX-License-Identifier: GPL-2.0-only */
/* Exits of a thread of another process, from the samples in its ring: at which levels each counts, and for how long. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <string.h>

#include "vmm/attach/attached_thread.h"

#define EXIT_NUMBER(id) ((uint32_t)(id) + 100)
#define ROOM 4096

/* A kernel whose records are as simple as can be: the number, then the fields, eight bytes each. */
static void load(struct trace_formats *formats)
{
	uint16_t offset[TRACE_COUNT];

	*formats = (struct trace_formats){.type = {0, 4, false}};
	for (int id = 0; id < TRACE_COUNT; id++) {
		formats->number[id] = EXIT_NUMBER(id);
		offset[id] = 8;
	}
#define FIELD(tracepoint, name)                                                                    \
	formats->field[FIELD_##tracepoint##_##name] = (struct trace_field){offset[TRACE_##tracepoint], 8, true}; \
	offset[TRACE_##tracepoint] = (uint16_t)(offset[TRACE_##tracepoint] + 8);
#include "vmm/observe/trace_field.def"
#undef FIELD
}

static struct trace_formats formats;
static struct perf_event_mmap_page page;
static uint8_t data[ROOM];
static struct attached_exit told[16];
static uint32_t told_vcpu[16];
static size_t count;

static void note(void *opaque, struct attached_thread *thread, const struct attached_exit *exit)
{
	assert_ptr_equal(opaque, told);
	assert_true(thread->active);
	assert_true(count < ARRAY_SIZE(told));
	told_vcpu[count] = thread->vcpu;
	told[count++] = *exit;
}

/* Up to four fields of a record. */
static void put(uint64_t time, enum trace_id id, uint64_t a, uint64_t b, uint64_t c)
{
	const struct {
		struct perf_event_header header;
		uint64_t time;
		uint32_t size, number;
		uint32_t pad;
		uint64_t fields[5];
	} __attribute__((packed)) sample = {
		.header = {PERF_RECORD_SAMPLE, 0, sizeof(sample)},
		.time = time,
		.size = 8 + 5 * 8,
		.number = EXIT_NUMBER(id),
		.fields = {a, b, c},
	};

	assert_true(page.data_head + sizeof(sample) <= ROOM);
	memcpy(data + page.data_head, &sample, sizeof(sample));
	page.data_head += sizeof(sample);
}

static void exits(uint64_t time, uint64_t reason, uint64_t rip)
{
	put(time, TRACE_kvm_exit, reason, rip, 1);
}

static void enters(uint64_t time, uint64_t vcpu)
{
	put(time, TRACE_kvm_entry, vcpu, 0, 0);
}

static struct attached_thread begin(void)
{
	struct attached_thread thread = {.open = true, .exit = note, .opaque = told, .trace = {.leader = -1}};

	load(&formats);
	page = (struct perf_event_mmap_page){0};
	count = 0;
	thread.trace.formats = &formats;
	return thread;
}

static void drain(struct attached_thread *thread)
{
	attached_thread_begin(thread, false);
	trace_ring_attach(&thread->trace.ring, &page, data, sizeof(data));
	attached_thread_drain(thread);
}

static void expect(size_t i, enum level level, uint64_t reason, uint64_t rip, uint64_t cost, bool nested)
{
	assert_true(i < count);
	assert_int_equal(told[i].level, level);
	assert_int_equal(told[i].reason, reason);
	assert_int_equal(told[i].rip, rip);
	assert_int_equal(told[i].cost, cost);
	assert_int_equal(told[i].nested, nested);
}

/* One that KVM has handled alone is one at l0; one that the VMM had a part in is one at vmm too, with its part of the time. */
static void alone_and_with_the_vmm(void **state)
{
	struct attached_thread thread = begin();

	(void)state;
	exits(10, 10, 0x100);
	enters(15, 2);
	exits(20, 30, 0x200);
	put(23, TRACE_kvm_userspace_exit, EXIT_REASON_IO, 0, 0);
	enters(40, 2);
	drain(&thread);
	assert_int_equal(count, 3);
	expect(0, LEVEL_L0, 10, 0x100, 5, false);
	expect(1, LEVEL_VMM, EXIT_REASON_IO, 0x200, 17, false);
	expect(2, LEVEL_L0, 30, 0x200, 20, false);
	assert_int_equal(thread.vcpu, 2);
	assert_int_equal(thread.exits, 2);
}

/* A kick is one at vmm too, by its own name. */
static void kicked(void **state)
{
	struct attached_thread thread = begin();

	(void)state;
	exits(10, 12, 0x100);
	put(50, TRACE_kvm_userspace_exit, EXIT_REASON_IO, (uint64_t)-EINTR, 0);
	enters(60, 0);
	drain(&thread);
	assert_int_equal(count, 2);
	expect(0, LEVEL_VMM, EXIT_REASON_INTR, 0x100, 10, false);
	expect(1, LEVEL_L0, 12, 0x100, 50, false);
}

/* The entry that says which vCPU it is ends a return that was there before: that is of the same one. */
static void first_return(void **state)
{
	struct attached_thread thread = begin();

	(void)state;
	put(50, TRACE_kvm_userspace_exit, EXIT_REASON_IO, 0, 0);
	enters(60, 3);
	drain(&thread);
	assert_int_equal(count, 1);
	expect(0, LEVEL_VMM, EXIT_REASON_IO, 0, 10, false);
	assert_int_equal(told_vcpu[0], 3);
}

/* An exit of a nested guest that its hypervisor gets is one at monitor too, until that resumes its guest; what the
 * hypervisor does in between are exits of its own. */
static void handed_to_the_hypervisor(void **state)
{
	struct attached_thread thread = begin();

	(void)state;
	exits(10, 18, 0x9000);
	put(11, TRACE_kvm_nested_vmexit, 0, 0, 0);
	put(12, TRACE_kvm_nested_vmexit_inject, 0, 0, 0);
	enters(14, 0);
	exits(20, 23, 0x300); /* VMREAD */
	enters(22, 0);
	exits(30, 24, 0x310); /* VMRESUME */
	put(31, TRACE_kvm_nested_vmenter, 0, 0, 0);
	enters(35, 0);
	exits(40, 10, 0x9010); /* handled by L0 */
	put(41, TRACE_kvm_nested_vmexit, 0, 0, 0);
	enters(44, 0);
	drain(&thread);
	assert_int_equal(count, 5);
	expect(0, LEVEL_L0, 18, 0x9000, 4, true);
	expect(1, LEVEL_L0, 23, 0x300, 2, false);
	expect(2, LEVEL_L0, 24, 0x310, 5, false);
	expect(3, LEVEL_MONITOR, 18, 0x9000, 20, true);
	expect(4, LEVEL_L0, 10, 0x9010, 4, true);
}

/* Nobody has seen it resumed: it counts all the same, without a time. */
static void never_resumed(void **state)
{
	struct attached_thread thread = begin();

	(void)state;
	for (uint64_t time = 10; time < 40; time += 20) {
		exits(time, 18, 0x9000 + time);
		put(time + 1, TRACE_kvm_nested_vmexit, 0, 0, 0);
		put(time + 2, TRACE_kvm_nested_vmexit_inject, 0, 0, 0);
		enters(time + 4, 0);
	}
	drain(&thread);
	assert_int_equal(count, 3);
	expect(1, LEVEL_L0, 18, 0x901e, 4, true);
	expect(2, LEVEL_MONITOR, 18, 0x900a, 0, true);
	attached_thread_close(&thread);
	assert_int_equal(count, 4);
	expect(3, LEVEL_MONITOR, 18, 0x901e, 0, true);
	assert_false(thread.open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone_and_with_the_vmm),
		cmocka_unit_test(kicked),
		cmocka_unit_test(first_return),
		cmocka_unit_test(handed_to_the_hypervisor),
		cmocka_unit_test(never_resumed),
	};

	return cmocka_run_group_tests_name("attached_thread", tests, NULL, NULL);
}
