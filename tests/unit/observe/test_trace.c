/* SPDX-License-Identifier: GPL-2.0-only */
/* Samples of kvm tracepoints: their formats, the ring they come in, exits put together from them. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmm/observe/l0_exit.h"
#include "vmm/observe/trace.h"
#include "vmm/observe/trace_format.h"
#include "vmm/observe/trace_ring.h"

/* --- Formats of three kernels, in our words. */

struct field {
	const char *type, *name;
	unsigned offset, size;
};

#define FIELDS_MAX 8

struct event {
	enum trace_id id;
	unsigned number;
	struct field fields[FIELDS_MAX];
};

struct kernel {
	const char *name;
	struct event events[4];
};

static const struct kernel kernels[] = {
	{"6.1",
	 {{TRACE_kvm_exit,
	   1473,
	   {{"unsigned int", "exit_reason", 8, 4}, {"unsigned long", "guest_rip", 16, 8},
	    {"u32", "isa", 24, 4}, {"u64", "info1", 32, 8}, {"u64", "info2", 40, 8},
	    {"u32", "intr_info", 48, 4}, {"u32", "error_code", 52, 4}}},
	  {TRACE_kvm_userspace_exit, 1400, {{"__u32", "reason", 8, 4}, {"int", "errno", 12, 4}}},
	  {TRACE_kvm_emulate_insn, 1450, {{"__u64", "rip", 8, 8}, {"__u32", "csbase", 16, 4}}},
	  {TRACE_kvm_entry, 1482, {{"unsigned int", "vcpu_id", 8, 4}, {"unsigned long", "rip", 16, 8}}}}},
	{"6.12",
	 {{TRACE_kvm_exit,
	   103,
	   {{"unsigned int", "exit_reason", 8, 4}, {"unsigned long", "guest_rip", 16, 8},
	    {"u32", "isa", 24, 4}, {"u64", "info1", 32, 8}, {"u64", "info2", 40, 8},
	    {"u32", "intr_info", 48, 4}, {"unsigned int", "vcpu_id", 56, 4},
	    {"u64", "requests", 64, 8}}},
	  {TRACE_kvm_userspace_exit, 42, {{"__u32", "reason", 8, 4}, {"int", "errno", 12, 4}}},
	  {TRACE_kvm_emulate_insn, 85, {{"__u64", "rip", 8, 8}, {"__u32", "csbase", 16, 4}}},
	  {TRACE_kvm_entry,
	   115,
	   {{"unsigned int", "vcpu_id", 8, 4}, {"unsigned long", "rip", 16, 8},
	    {"bool", "immediate_exit", 24, 1}}}}},
	/* None that exists: everything elsewhere and of another size. */
	{"moved",
	 {{TRACE_kvm_exit,
	   7,
	   {{"u64", "info2", 8, 8}, {"u8", "isa", 16, 1}, {"u16", "exit_reason", 18, 2},
	    {"u32", "info1", 20, 4}, {"u64", "guest_rip", 80, 8}}},
	  {TRACE_kvm_userspace_exit, 65000, {{"s16", "errno", 8, 2}, {"u8", "reason", 10, 1}}},
	  {TRACE_kvm_emulate_insn, 9, {{"__u64", "rip", 40, 8}}},
	  {TRACE_kvm_entry, 10, {{"u16", "vcpu_id", 12, 2}}}}},
};

static size_t write_format(const struct event *event, const char *name, char *text, size_t size)
{
	size_t used = (size_t)snprintf(
		text, size,
		"name: %s\nID: %u\nformat:\n"
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
		"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n",
		name, event->number);

	for (size_t i = 0; i < FIELDS_MAX && event->fields[i].name; i++) {
		const struct field *field = &event->fields[i];

		used += (size_t)snprintf(text + used, size - used,
					 "\tfield:%s %s;\toffset:%u;\tsize:%u;\tsigned:%d;\n",
					 field->type, field->name, field->offset, field->size,
					 field->type[0] == 'i' || field->type[0] == 's');
	}
	return used + (size_t)snprintf(text + used, size - used,
				       "\nprint fmt: \"nothing %%d\", REC->common_pid\n");
}

static void load(const struct kernel *kernel, struct trace_formats *formats)
{
	char text[2048];

	*formats = (struct trace_formats){0};
	for (size_t i = 0; i < ARRAY_SIZE(kernel->events); i++) {
		const struct event *event = &kernel->events[i];
		size_t size = write_format(event, trace_names[event->id], text, sizeof(text));

		assert_int_equal(trace_format_parse(formats, event->id, text, size), 0);
	}
}

static const struct event *event_of(const struct kernel *kernel, enum trace_id id)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel->events); i++)
		if (kernel->events[i].id == id)
			return &kernel->events[i];
	fail();
	return NULL;
}

/* A record as the kernel would write it: fields found in our table, not through the code under test. */
struct raw {
	uint8_t bytes[96];
};

static struct raw make(const struct kernel *kernel, enum trace_id id)
{
	uint16_t number = (uint16_t)event_of(kernel, id)->number;
	struct raw raw;

	memset(raw.bytes, 0xa5, sizeof(raw.bytes));
	memcpy(raw.bytes, &number, sizeof(number));
	return raw;
}

static void set(struct raw *raw, const struct kernel *kernel, enum trace_id id, const char *name,
		uint64_t value)
{
	const struct event *event = event_of(kernel, id);

	for (size_t i = 0; i < FIELDS_MAX && event->fields[i].name; i++)
		if (strcmp(event->fields[i].name, name) == 0) {
			memcpy(raw->bytes + event->fields[i].offset, &value, event->fields[i].size);
			return;
		}
	fail();
}

static struct raw make_exit(const struct kernel *kernel, uint32_t reason, uint64_t rip)
{
	struct raw raw = make(kernel, TRACE_kvm_exit);

	set(&raw, kernel, TRACE_kvm_exit, "exit_reason", reason);
	set(&raw, kernel, TRACE_kvm_exit, "guest_rip", rip);
	set(&raw, kernel, TRACE_kvm_exit, "isa", 1);
	set(&raw, kernel, TRACE_kvm_exit, "info1", 0x11);
	set(&raw, kernel, TRACE_kvm_exit, "info2", 0x2200000000);
	return raw;
}

/* Fields are found by name wherever they are. */
static void fields_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		const struct kernel *kernel = &kernels[i];
		struct raw raw = make_exit(kernel, 59, 0x100123);
		struct trace_formats formats;

		load(kernel, &formats);
		assert_int_equal(trace_format_which(&formats, raw.bytes, sizeof(raw)), TRACE_kvm_exit);
#define VALUE(field) trace_format_value(&formats, FIELD_kvm_exit_##field, raw.bytes, sizeof(raw))
		assert_int_equal(VALUE(exit_reason), 59);
		assert_int_equal(VALUE(guest_rip), 0x100123);
		assert_int_equal(VALUE(isa), 1);
		assert_int_equal(VALUE(info1), 0x11);
		assert_int_equal(VALUE(info2), 0x2200000000);
#undef VALUE
		raw = make(kernel, TRACE_kvm_userspace_exit);
		set(&raw, kernel, TRACE_kvm_userspace_exit, "errno", (uint64_t)-4);
		assert_int_equal((int64_t)trace_format_value(&formats, FIELD_kvm_userspace_exit_errno,
							     raw.bytes, sizeof(raw)),
				 -4);
	}
}

/* A record that ends too early has zeros for what is missing; a number nobody gave is nothing. */
static void short_records(void **state)
{
	struct raw raw = make_exit(&kernels[0], 59, 0x100123);
	struct trace_formats formats;

	(void)state;
	load(&kernels[0], &formats);
	assert_int_equal(trace_format_which(&formats, raw.bytes, 1), TRACE_COUNT);
	assert_int_equal(trace_format_which(&formats, raw.bytes, 2), TRACE_kvm_exit);
	assert_int_equal(trace_format_value(&formats, FIELD_kvm_exit_guest_rip, raw.bytes, 23), 0);
	assert_int_equal(trace_format_value(&formats, FIELD_kvm_exit_guest_rip, raw.bytes, 24),
			 0x100123);
	raw.bytes[0] ^= 1;
	assert_int_equal(trace_format_which(&formats, raw.bytes, sizeof(raw)), TRACE_COUNT);
}

/* What does not fit is refused, and leaves what is known as it was. */
static void bad_formats(void **state)
{
	const struct event *good = event_of(&kernels[0], TRACE_kvm_exit);
	struct trace_formats formats = {0}, none = {0};
	struct event lacking = *good;
	char text[2048];
	size_t size;

	(void)state;
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, "", 0), -EINVAL);
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, "hello\n", 6), -EINVAL);
	size = write_format(good, "kvm_entry", text, sizeof(text));
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, text, size), -ENOENT);
	lacking.fields[2].name = "is_a";
	size = write_format(&lacking, "kvm_exit", text, sizeof(text));
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, text, size), -ENOENT);
	lacking = *good;
	lacking.fields[1].size = 16;
	size = write_format(&lacking, "kvm_exit", text, sizeof(text));
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, text, size), -ENOENT);
	assert_memory_equal(&formats, &none, sizeof(none));
	size = write_format(good, "kvm_exit", text, sizeof(text));
	assert_int_equal(trace_format_parse(&formats, TRACE_kvm_exit, text, size), 0);
}

/* --- The ring. */

#define RING_SIZE 4096

static struct perf_event_mmap_page page;
static uint8_t ring_data[RING_SIZE];

static void put(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		ring_data[(page.data_head + i) % RING_SIZE] = ((const uint8_t *)bytes)[i];
	page.data_head += size;
}

/* Sizes of records are multiples of 8; the raw part tells its own. */
static void put_sample(uint64_t time, const void *raw, uint32_t raw_size)
{
	uint32_t padded = (raw_size + 4 + 7) / 8 * 8 - 4;
	struct perf_event_header header = {
		.type = PERF_RECORD_SAMPLE,
		.size = (uint16_t)(sizeof(header) + sizeof(time) + sizeof(padded) + padded)};
	static const uint8_t zeros[8];

	put(&header, sizeof(header));
	put(&time, sizeof(time));
	put(&padded, sizeof(padded));
	put(raw, raw_size);
	put(zeros, padded - raw_size);
}

static void put_lost(uint64_t lost)
{
	struct {
		struct perf_event_header header;
		uint64_t id, lost;
	} record = {{.type = PERF_RECORD_LOST, .size = sizeof(record)}, 17, lost};

	put(&record, sizeof(record));
}

static void fresh_ring(struct trace_ring *ring, uint64_t start)
{
	page = (struct perf_event_mmap_page){.data_head = start, .data_tail = start};
	memset(ring_data, 0xee, sizeof(ring_data));
	trace_ring_attach(ring, &page, ring_data, RING_SIZE);
}

/* Records come out in order, whole, also those that go round the end, wherever that cuts them. */
static void ring_wraps(void **state)
{
	(void)state;
	for (uint64_t start = RING_SIZE - 120; start < RING_SIZE + 8; start += 8) {
		struct trace_sample sample;
		struct trace_ring ring;

		fresh_ring(&ring, start);
		for (uint64_t i = 0; i < 8; i++) {
			uint64_t raw[7];

			for (size_t j = 0; j < ARRAY_SIZE(raw); j++)
				raw[j] = 100 * i + j;
			put_sample(1000 + i, raw, (uint32_t)(sizeof(raw) - 4 * (i % 2)));
		}
		assert_int_equal(trace_ring_used(&ring), page.data_head - start);
		for (uint64_t i = 0; i < 8; i++) {
			uint64_t value;

			assert_true(trace_ring_next(&ring, &sample));
			assert_int_equal(sample.time, 1000 + i);
			assert_true(sample.size >= 52 && sample.size <= 60);
			memcpy(&value, sample.raw + 40, sizeof(value));
			assert_int_equal(value, 100 * i + 5);
		}
		assert_int_equal(page.data_tail, start);
		assert_false(trace_ring_next(&ring, &sample));
		assert_int_equal(page.data_tail, page.data_head);
		assert_int_equal(trace_ring_used(&ring), 0);
		assert_int_equal(ring.lost + ring.broken, 0);
	}
}

static void ring_losses(void **state)
{
	const uint64_t raw = 5;
	struct trace_sample sample;
	struct trace_ring ring;
	struct perf_event_header throttle = {.type = PERF_RECORD_THROTTLE, .size = sizeof(throttle)};

	(void)state;
	fresh_ring(&ring, 0);
	put_lost(3);
	put_sample(1, &raw, sizeof(raw));
	put(&throttle, sizeof(throttle));
	put_lost(4000000000);
	put_sample(2, &raw, sizeof(raw));
	put_lost(1);
	assert_true(trace_ring_next(&ring, &sample));
	assert_int_equal(sample.time, 1);
	assert_int_equal(ring.lost, 3);
	assert_true(trace_ring_next(&ring, &sample));
	assert_int_equal(sample.time, 2);
	assert_false(trace_ring_next(&ring, &sample));
	assert_int_equal(ring.lost, 4000000004);
	assert_int_equal(ring.broken, 0);
}

/* What makes no sense is given up and counted; the ring works again afterwards. */
static void ring_broken(void **state)
{
	static const struct perf_event_header bad[] = {
		{.type = PERF_RECORD_SAMPLE, .size = 0},
		{.type = PERF_RECORD_SAMPLE, .size = 4},
		{.type = PERF_RECORD_SAMPLE, .size = 8},
		{.type = PERF_RECORD_SAMPLE, .size = 4000},
		{.type = PERF_RECORD_LOST, .size = 8},
	};
	const uint64_t raw = 5;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct trace_sample sample;
		struct trace_ring ring;
		uint64_t size;

		fresh_ring(&ring, 8 * i);
		put(&bad[i], sizeof(bad[i]));
		size = page.data_head;
		assert_false(trace_ring_next(&ring, &sample));
		assert_int_equal(ring.broken, 1);
		assert_int_equal(page.data_tail, size);
		put_sample(9, &raw, sizeof(raw));
		assert_true(trace_ring_next(&ring, &sample));
		assert_int_equal(sample.time, 9);
	}
}

/* A raw part that claims more than its record has is no sample. */
static void ring_raw_too_long(void **state)
{
	struct {
		struct perf_event_header header;
		uint64_t time;
		uint32_t size, raw;
	} record = {{.type = PERF_RECORD_SAMPLE, .size = sizeof(record)}, 1, 5, 0};
	struct trace_sample sample;
	struct trace_ring ring;

	(void)state;
	fresh_ring(&ring, 0);
	put(&record, sizeof(record));
	assert_false(trace_ring_next(&ring, &sample));
	assert_int_equal(ring.broken, 1);
	record.size = 4;
	put(&record, sizeof(record));
	assert_true(trace_ring_next(&ring, &sample));
	assert_int_equal(sample.size, 4);
}

/* --- Exits. */

static struct l0_exit emitted[16];
static size_t emitted_count;

static void keep(void *opaque, struct l0_exit *exit)
{
	assert_ptr_equal(opaque, emitted);
	assert_true(emitted_count < ARRAY_SIZE(emitted));
	emitted[emitted_count++] = *exit;
}

static struct l0_assembler assembler_for(enum trace_id start)
{
	emitted_count = 0;
	return (struct l0_assembler){.start = start, .emit = keep, .opaque = emitted};
}

static void feed(struct l0_assembler *assembler, const struct trace_formats *formats, uint64_t time,
		 const struct raw *raw)
{
	l0_assemble(assembler, formats, time, raw->bytes, sizeof(raw->bytes));
}

/* An exit takes what the tracepoints between it and the next entry say; its cost ends there. */
static void exits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		const struct kernel *kernel = &kernels[i];
		struct l0_assembler assembler = assembler_for(TRACE_kvm_exit);
		struct raw entry = make(kernel, TRACE_kvm_entry);
		struct raw to_user = make(kernel, TRACE_kvm_userspace_exit);
		struct raw interrupted = to_user, emulated = make(kernel, TRACE_kvm_emulate_insn);
		struct raw first = make_exit(kernel, 28, 0x100), second = make_exit(kernel, 30, 0x200);
		struct trace_formats formats;

		load(kernel, &formats);
		set(&to_user, kernel, TRACE_kvm_userspace_exit, "errno", 0);
		set(&interrupted, kernel, TRACE_kvm_userspace_exit, "errno", (uint64_t)-4);
		feed(&assembler, &formats, 5, &entry);
		feed(&assembler, &formats, 6, &to_user); /* of an exit before recording began */
		feed(&assembler, &formats, 10, &first);
		feed(&assembler, &formats, 11, &emulated);
		feed(&assembler, &formats, 12, &interrupted);
		assert_int_equal(emitted_count, 0);
		feed(&assembler, &formats, 17, &entry);
		feed(&assembler, &formats, 18, &entry);
		feed(&assembler, &formats, 20, &second);
		feed(&assembler, &formats, 22, &to_user);
		assert_int_equal(emitted_count, 1);
		feed(&assembler, &formats, 30, &first); /* its entry was lost */
		l0_assemble_end(&assembler);
		l0_assemble_end(&assembler);
		assert_int_equal(emitted_count, 3);
		assert_int_equal(emitted[0].time, 10);
		assert_int_equal(emitted[0].cost, 7);
		assert_int_equal(emitted[0].reason, 28);
		assert_int_equal(emitted[0].rip, 0x100);
		assert_int_equal(emitted[0].isa, 1);
		assert_int_equal(emitted[0].flags, L0_EMULATED);
		assert_int_equal(emitted[1].reason, 30);
		assert_int_equal(emitted[1].flags, L0_USERSPACE);
		assert_int_equal(emitted[1].cost, 0);
		assert_int_equal(emitted[2].time, 30);
		assert_int_equal(emitted[2].flags, 0);
		assert_int_equal(assembler.seen[TRACE_kvm_exit], 3);
		assert_int_equal(assembler.seen[TRACE_kvm_entry], 3);
		assert_int_equal(assembler.seen[TRACE_kvm_userspace_exit], 3);
	}
}

static struct l0_return backs[8];
static size_t back_count;

static void keep_return(void *opaque, const struct l0_return *back)
{
	assert_ptr_equal(opaque, emitted);
	assert_true(back_count < ARRAY_SIZE(backs));
	backs[back_count++] = *back;
}

/* Who asks for returns of KVM_RUN gets each: by KVM's reason, or what the error was; until the next entry or return. */
static void returns(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		const struct kernel *kernel = &kernels[i];
		struct l0_assembler assembler = assembler_for(TRACE_kvm_exit);
		struct raw entry = make(kernel, TRACE_kvm_entry), to_user = make(kernel, TRACE_kvm_userspace_exit);
		struct raw interrupted = to_user, failed = to_user, exit = make_exit(kernel, 30, 0x100);
		struct trace_formats formats;

		load(kernel, &formats);
		assembler.emit_return = keep_return;
		back_count = 0;
		set(&entry, kernel, TRACE_kvm_entry, "vcpu_id", 3);
		set(&to_user, kernel, TRACE_kvm_userspace_exit, "reason", EXIT_REASON_IO);
		set(&to_user, kernel, TRACE_kvm_userspace_exit, "errno", 0);
		set(&interrupted, kernel, TRACE_kvm_userspace_exit, "reason", EXIT_REASON_IO);
		set(&interrupted, kernel, TRACE_kvm_userspace_exit, "errno", (uint64_t)-EINTR);
		set(&failed, kernel, TRACE_kvm_userspace_exit, "reason", EXIT_REASON_IO);
		set(&failed, kernel, TRACE_kvm_userspace_exit, "errno", (uint64_t)-EFAULT);
		feed(&assembler, &formats, 5, &interrupted); /* of an exit before recording began */
		feed(&assembler, &formats, 8, &entry);
		assert_true(assembler.vcpu_known);
		assert_int_equal(assembler.vcpu, 3);
		feed(&assembler, &formats, 10, &exit);
		feed(&assembler, &formats, 12, &to_user);
		feed(&assembler, &formats, 15, &failed);
		feed(&assembler, &formats, 19, &entry);
		feed(&assembler, &formats, 20, &exit);
		feed(&assembler, &formats, 21, &to_user);
		l0_assemble_end(&assembler);
		assert_int_equal(back_count, 4);
		assert_int_equal(backs[0].reason, EXIT_REASON_INTR);
		assert_int_equal(backs[0].rip, 0);
		assert_int_equal(backs[0].cost, 3);
		assert_int_equal(backs[1].reason, EXIT_REASON_IO);
		assert_int_equal(backs[1].rip, 0x100);
		assert_int_equal(backs[1].time, 12);
		assert_int_equal(backs[1].cost, 3);
		assert_int_equal(backs[2].reason, EXIT_REASON_UNKNOWN);
		assert_int_equal(backs[2].cost, 4);
		assert_int_equal(backs[3].cost, 0); /* nobody saw it entered again */
		assert_int_equal(emitted_count, 2);
	}
}

/* KVM_RUN that returns without an exit of the guest's own: the next exit says so, whether or not the vCPU was entered. */
static void unprompted(void **state)
{
	const struct kernel *kernel = &kernels[0];
	struct l0_assembler assembler = assembler_for(TRACE_kvm_exit);
	struct raw exit = make_exit(kernel, 28, 0x100), entry = make(kernel, TRACE_kvm_entry);
	struct raw to_user = make(kernel, TRACE_kvm_userspace_exit);
	struct trace_formats formats;

	(void)state;
	load(kernel, &formats);
	set(&to_user, kernel, TRACE_kvm_userspace_exit, "errno", 0);
	feed(&assembler, &formats, 1, &exit);
	feed(&assembler, &formats, 2, &to_user);
	feed(&assembler, &formats, 3, &to_user); /* turned back before the entry */
	feed(&assembler, &formats, 4, &entry);
	feed(&assembler, &formats, 5, &exit);
	feed(&assembler, &formats, 6, &entry);
	feed(&assembler, &formats, 7, &to_user); /* of an exit for the host, which is no sample */
	feed(&assembler, &formats, 8, &entry);
	feed(&assembler, &formats, 9, &exit);
	feed(&assembler, &formats, 10, &to_user);
	feed(&assembler, &formats, 11, &entry);
	feed(&assembler, &formats, 12, &exit);
	feed(&assembler, &formats, 13, &to_user);
	l0_assemble_end(&assembler);
	feed(&assembler, &formats, 14, &to_user); /* recording has begun again */
	feed(&assembler, &formats, 15, &exit);
	l0_assemble_end(&assembler);
	assert_int_equal(emitted_count, 5);
	assert_int_equal(emitted[0].flags, L0_USERSPACE);
	assert_int_equal(emitted[1].flags, L0_UNPROMPTED);
	assert_int_equal(emitted[2].flags, L0_UNPROMPTED | L0_USERSPACE);
	assert_int_equal(emitted[3].flags, L0_USERSPACE);
	assert_int_equal(emitted[4].flags, 0);
}

/* Where KVM interprets, an instruction stands for an exit. */
static void instructions(void **state)
{
	const struct kernel *kernel = &kernels[1];
	struct l0_assembler assembler = assembler_for(TRACE_kvm_emulate_insn);
	struct raw raw = make(kernel, TRACE_kvm_emulate_insn);
	struct trace_formats formats;

	(void)state;
	load(kernel, &formats);
	set(&raw, kernel, TRACE_kvm_emulate_insn, "rip", 0x100040);
	feed(&assembler, &formats, 1, &raw);
	feed(&assembler, &formats, 2, &raw);
	assert_int_equal(emitted_count, 1);
	assert_int_equal(emitted[0].rip, 0x100040);
	assert_int_equal(emitted[0].isa, 0);
	assert_int_equal(emitted[0].flags, 0);
}

/* Every tracepoint has a use, and what a flag refers to is recorded. */
static void uses(void **state)
{
	(void)state;
	for (int id = 0; id < TRACE_COUNT; id++) {
		assert_true(trace_uses[id][0] != '\0');
		assert_int_equal(strspn(trace_uses[id], "CSPIAB"), strlen(trace_uses[id]));
	}
#define X(name, bit, tracepoint, key, text) assert_non_null(strchr(trace_uses[TRACE_##tracepoint], 'S'));
	L0_FLAGS(X)
#undef X
}

/* What is not the guest's doing is no sample. */
static void filters(void **state)
{
	(void)state;
	assert_non_null(strstr(trace_filter(TRACE_kvm_exit, TRACING_COUNT), "exit_reason == 1)"));
	assert_non_null(strstr(trace_filter(TRACE_kvm_nested_vmexit, TRACING_SAMPLE), "exit_reason == 96)"));
	assert_string_equal(trace_filter(TRACE_kvm_userspace_exit, TRACING_SAMPLE), "errno >= 0");
	assert_null(trace_filter(TRACE_kvm_entry, TRACING_SAMPLE));
}

/* What helps is named, with the setting's present value. */
static void explanations(void **state)
{
	char reason[240];

	(void)state;
	trace_explain(-ENOENT, TRACING_SAMPLE, reason, sizeof(reason));
	assert_non_null(strstr(reason, "mount -t tracefs tracefs /sys/kernel/tracing"));
	trace_explain(-EACCES, TRACING_SAMPLE, reason, sizeof(reason));
	assert_non_null(strstr(reason, "kernel.perf_event_paranoid (now "));
	assert_non_null(strstr(reason, ") to -1 "));
	trace_explain(-EPERM, TRACING_COUNT, reason, sizeof(reason));
	assert_non_null(strstr(reason, ") to 1 or less"));
	trace_explain(-EMFILE, TRACING_COUNT, reason, sizeof(reason));
	assert_string_equal(reason, "perf_event_open: Too many open files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_by_name), cmocka_unit_test(short_records),
		cmocka_unit_test(bad_formats),	  cmocka_unit_test(ring_wraps),
		cmocka_unit_test(ring_losses),	  cmocka_unit_test(ring_broken),
		cmocka_unit_test(ring_raw_too_long), cmocka_unit_test(exits),
		cmocka_unit_test(returns),
		cmocka_unit_test(unprompted),
		cmocka_unit_test(instructions),	  cmocka_unit_test(uses),
		cmocka_unit_test(filters),	  cmocka_unit_test(explanations),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
