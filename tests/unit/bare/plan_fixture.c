/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "plan_fixture.h"
#include "vmm/engine/monitor.h"
#include "vmm/vm/vcpu.h"
#include "vmm/vm/vm_create.h"

#define CONTROL_SIZE 4096

const struct fixture_vendor fixture_vendors[FIXTURE_VENDORS] = {
	{"vmx", ENGINE_VMX, BARE_VMX},
	{"svm", ENGINE_SVM, BARE_SVM},
};

struct plan_request fixture_request(const char *engine)
{
	return (struct plan_request){
		.engine = engine, .vms = 1, .vcpus = 1, .on_violation = ON_VIOLATION_INJECT, .on_ask = FLAGS_ON_ASK_REGISTER};
}

const void *fixture_part(const struct fixture *f, uint64_t offset, uint64_t size)
{
	assert_true(offset <= f->plan->size && size <= f->plan->size - offset);
	assert_int_equal(offset % 8, 0);
	return (const uint8_t *)f->plan + offset;
}

const struct bare_guest_plan *fixture_guest(const struct fixture *f, unsigned guest)
{
	const struct bare_guest_plan *guests = fixture_part(f, f->plan->guests, f->plan->guest_count * sizeof(*guests));

	assert_true(guest < f->plan->guest_count);
	return &guests[guest];
}

void *fixture_monitor(const struct fixture *f, uint64_t address)
{
	assert_true(address - RELAY_BASE < f->plan->monitor_size);
	return f->block + f->plan->monitor + (address - RELAY_BASE);
}

static void create_vm(struct fixture *f, unsigned index)
{
	struct vm *vm = &f->vms[index];
	struct error error = {0};

	assert_int_equal(vm_prepare(vm, index, &f->run, &f->host, f->ops, &error), 0);
	assert_int_equal(f->ops->vm_prepare(vm, &error), 0);
	for (unsigned i = 0; i < f->run.vcpus; i++) {
		vcpu_prepare(&vm->vcpus[i], vm, i);
		vm->vcpus_created = i + 1;
		assert_int_equal(f->ops->vcpu_prepare(&vm->vcpus[i], &error), 0);
		if (f->run.share_vcpu)
			assert_int_equal(monitor_share_vcpu(&vm->vcpus[i], &error), 0);
	}
}

bool fixture_is_code(const struct fixture *f, uint64_t place)
{
	return place - (f->plan->monitor + RELAY_IMAGE - RELAY_BASE) < RELAY_IMAGE_MAX;
}

static void move_words(const struct fixture *f, const struct bare_extent *extent)
{
	for (uint64_t place = extent->place; place < extent->place + extent->size; place += 8) {
		uint64_t word;

		memcpy(&word, f->block + place, sizeof(word));
		word = fixture_is_code(f, place) ? word : bare_move(f->plan, BASE, word);
		memcpy(f->block + place, &word, sizeof(word));
	}
}

/* What no extent has is zero, and stays so wherever the block is: nothing has to be done for most of it. */
void fixture_load(struct fixture *f, bool moved)
{
	const struct bare_extent *extents = fixture_part(f, f->plan->extents, f->plan->extent_count * sizeof(*extents));

	free(f->block);
	f->block = calloc(1, f->plan->block);
	assert_non_null(f->block);
	for (uint64_t i = 0; i < f->plan->extent_count; i++) {
		memcpy(f->block + extents[i].place, fixture_part(f, extents[i].data, extents[i].size), extents[i].size);
		if (moved && extents[i].place >= f->plan->monitor)
			move_words(f, &extents[i]);
	}
}

struct fixture *fixture_create(const struct fixture_vendor *engine, struct plan_request request, bool judged)
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
	fixture_load(f, true);
	assert_int_equal(host_bare(&f->host, &error), 0);
	assert_int_equal(plan_make(&f->run, &request, &f->host, &error), 0);
	f->ops = engine_ops(f->run.engine->id);
	assert_true(f->run.vms <= FIXTURE_VMS_MAX);
	for (unsigned i = 0; i < f->run.vms; i++)
		create_vm(f, i);
	return f;
}

struct fixture *fixture_create_usual(const struct fixture_vendor *engine)
{
	return fixture_create(engine, fixture_request(engine->name), true);
}

void fixture_destroy(struct fixture *f)
{
	/* The first one has what all are in. */
	for (unsigned i = f->run.vms; i-- > 0;)
		vm_destroy(&f->vms[i]);
	plan_finish(&f->run);
	host_close(&f->host);
	blob_finish(&f->blob);
	free(f->block);
	free(f);
}

struct control_field {
	uint16_t offset, width;
};

static struct control_field find_field(const struct fixture *f, uint64_t field)
{
	static const struct {
		uint64_t encoding;
		struct control_field at;
	} fields[] = {
#define FIELD(name, encoding, offset, width) {encoding, {offset, width}},
#include "guestfw/relay/vmcs12.def"
#undef FIELD
	};

	if (f->engine->vendor == BARE_SVM)
		return (struct control_field){(uint16_t)(field >> 8), field & 0xff};
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].encoding == field)
			return fields[i].at;
	fail_msg("there is no field 0x%lx", (unsigned long)field);
	return (struct control_field){0};
}

uint64_t fixture_field(const struct fixture *f, const uint8_t *control, uint64_t field)
{
	const struct control_field at = find_field(f, field);
	uint64_t value = 0;

	memcpy(&value, control + at.offset, at.width);
	return value;
}

/* A write into a control structure, as the monitor does it. */
static void write_control(const struct fixture *f, uint8_t control[CONTROL_SIZE], const struct bare_write *write)
{
	const struct control_field at = find_field(f, write->field);

	memcpy(control + at.offset, &write->value, at.width);
}

static void same_register(const struct relay_register *got, const struct relay_register *wanted)
{
	assert_memory_equal(&got->words, &wanted->words, sizeof(got->words));
	assert_int_equal(got->passed, wanted->passed);
	assert_int_equal(got->hidden, wanted->hidden);
	assert_int_equal(got->fixed0, wanted->fixed0);
	assert_int_equal(got->fixed1, wanted->fixed1);
}

void fixture_same_setup(struct fixture *f, struct vcpu *vcpu, const struct ss_operation *op,
			const struct bare_setup *setup)
{
	const uint64_t number = vcpu->vm->index * f->plan->vcpu_count + vcpu->index;
	const uint64_t writes = fixture_guest(f, vcpu->vm->index)->write_count;
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);
	uint64_t list[EPTP_LIST_ENTRIES];
	uint8_t control[CONTROL_SIZE];

	f->ops->vcpu_plan(vcpu, op);
	same_register(&setup->cr0, &relay->cr0);
	same_register(&setup->cr4, &relay->cr4);
	assert_memory_equal(&setup->vmfunc, &relay->vmfunc, sizeof(relay->vmfunc));
	memcpy(list, vcpu->vm->view_list, sizeof(list));
	if (setup->list_index < EPTP_LIST_ENTRIES)
		list[setup->list_index] = setup->list_value;
	assert_memory_equal(list, vm_monitor(vcpu->vm)->list, sizeof(list));
	memcpy(control, fixture_part(f, f->plan->controls + CONTROL_SIZE * number, sizeof(control)), sizeof(control));
	assert_true(writes <= BARE_WRITES_MAX);
	for (uint64_t i = 0; i < writes; i++)
		write_control(f, control, &setup->writes[i]);
	assert_memory_equal(control, f->ops->control(vcpu), sizeof(control));
}
