/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/observe/trace_fixture.h"

#include <stdio.h>
#include <string.h>

const struct kernel kernels[KERNELS] = {
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

size_t write_format(const struct event *event, const char *name, char *text, size_t size)
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

void load(const struct kernel *kernel, struct trace_formats *formats)
{
	char text[2048];

	*formats = (struct trace_formats){0};
	for (size_t i = 0; i < ARRAY_SIZE(kernel->events); i++) {
		const struct event *event = &kernel->events[i];
		size_t size = write_format(event, trace_names[event->id], text, sizeof(text));

		assert_int_equal(trace_format_parse(formats, event->id, text, size), 0);
	}
}

const struct event *event_of(const struct kernel *kernel, enum trace_id id)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel->events); i++)
		if (kernel->events[i].id == id)
			return &kernel->events[i];
	fail();
	return NULL;
}

struct raw make(const struct kernel *kernel, enum trace_id id)
{
	uint16_t number = (uint16_t)event_of(kernel, id)->number;
	struct raw raw;

	memset(raw.bytes, 0xa5, sizeof(raw.bytes));
	memcpy(raw.bytes, &number, sizeof(number));
	return raw;
}

void set(struct raw *raw, const struct kernel *kernel, enum trace_id id, const char *name,
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

struct raw make_exit(const struct kernel *kernel, uint32_t reason, uint64_t rip)
{
	struct raw raw = make(kernel, TRACE_kvm_exit);

	set(&raw, kernel, TRACE_kvm_exit, "exit_reason", reason);
	set(&raw, kernel, TRACE_kvm_exit, "guest_rip", rip);
	set(&raw, kernel, TRACE_kvm_exit, "isa", 1);
	set(&raw, kernel, TRACE_kvm_exit, "info1", 0x11);
	set(&raw, kernel, TRACE_kvm_exit, "info2", 0x2200000000);
	return raw;
}
