/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/bare/bare_setup.h"

#include <errno.h>
#include <string.h>

#include "views/program.h"
#include "vmm/engine/monitor.h"

#define CONTROL_SIZE 4096

struct control_field {
	uint64_t name; /* as bare_write.field has it */
	uint16_t offset, width;
};

static const struct control_field vmx_fields[] = {
#define FIELD(name, encoding, offset, width) {encoding, offset, width},
#include "guestfw/relay/vmcs12.def"
#undef FIELD
};

static const struct control_field svm_fields[] = {
#define FIELD(name, offset, width) {(offset) << 8 | (width), offset, width},
#include "guestfw/relay/vmcb12.def"
#undef FIELD
};

static size_t fields_of(const struct vcpu *vcpu, const struct control_field **ret_fields)
{
	const bool vmx = vcpu->vm->plan->engine->id == ENGINE_VMX;

	*ret_fields = vmx ? vmx_fields : svm_fields;
	return vmx ? sizeof(vmx_fields) / sizeof(vmx_fields[0]) : sizeof(svm_fields) / sizeof(svm_fields[0]);
}

static uint64_t value_of(const uint8_t *control, const struct control_field *field)
{
	uint64_t value = 0;

	memcpy(&value, control + field->offset, field->width);
	return value;
}

static const struct ss_operation *operation(const struct vcpu *vcpu, size_t number)
{
	const struct ss_operation *op = number ? &vcpu->vm->plan->image.operations[number - 1] : NULL;

	return op && op->flags & SS_OP_ENLIGHTENED ? NULL : op;
}

/* The fields that some operation changes: each of them is written by every setup. Returns how many, or -E2BIG. */
static int find_changed(struct vcpu *vcpu, const struct control_field *changed[BARE_WRITES_MAX])
{
	const struct engine_ops *ops = vcpu->vm->ops;
	const struct control_field *fields;
	const size_t count = fields_of(vcpu, &fields);
	uint8_t before[CONTROL_SIZE];
	int found = 0;

	ops->vcpu_plan(vcpu, NULL);
	memcpy(before, ops->control(vcpu), sizeof(before));
	for (size_t f = 0; f < count; f++)
		for (size_t n = 1; n <= vcpu->vm->plan->image.operation_count; n++) {
			ops->vcpu_plan(vcpu, operation(vcpu, n));
			if (value_of(before, &fields[f]) == value_of(ops->control(vcpu), &fields[f]))
				continue;
			if (found == BARE_WRITES_MAX)
				return -E2BIG;
			changed[found++] = &fields[f];
			break;
		}
	return found;
}

static void find_entry(const struct vcpu *vcpu, struct bare_setup *setup)
{
	const uint64_t *list = vm_monitor(vcpu->vm)->list;

	setup->list_index = EPTP_LIST_ENTRIES;
	for (size_t i = 0; i < EPTP_LIST_ENTRIES; i++)
		if (list[i] != vcpu->vm->view_list[i]) {
			setup->list_index = i;
			setup->list_value = list[i];
		}
}

/* As the operation (NULL: none) has it; the words in its memory are those of `words`. */
static void fill(struct vcpu *vcpu, const struct ss_operation *op, const struct ss_operation *words,
		 const struct control_field *const changed[BARE_WRITES_MAX], int count, struct bare_setup *setup)
{
	const struct relay_vcpu *relay = monitor_vcpu(vcpu);
	const struct vm *vm = vcpu->vm;

	vm->ops->vcpu_plan(vcpu, op);
	*setup = (struct bare_setup){
		.cr0 = relay->cr0,
		.cr4 = relay->cr4,
		.vmfunc = relay->vmfunc,
		.words = vm_words(vm, words),
		.needs_ve = op && op->setup == SS_SETUP_VE,
	};
	find_entry(vcpu, setup);
	for (int i = 0; i < count; i++)
		setup->writes[i] = (struct bare_write){changed[i]->name, value_of(vm->ops->control(vcpu), changed[i])};
}

/* Three flags of the register, see bare_program_flags(). */
static uint32_t flags_of(uint32_t cr, uint32_t number)
{
	return cr == 4 ? (number & 3) << 2 | (number >> 2 & 1) << 8 : (number & 7) << 1;
}

static void fill_programs(struct vcpu *vcpu, const struct control_field *const changed[BARE_WRITES_MAX], int count,
			  struct bare_setup *setups)
{
	for (uint32_t n = 0; n < BARE_PROGRAM_SETUPS; n++) {
		const uint32_t cr = n & 512 ? 4 : 0;
		const struct ss_program program = {
			.cr = cr,
			.masked = flags_of(cr, n >> 6),
			.kept = flags_of(cr, n >> 3),
			.shadow = flags_of(cr, n),
		};
		const struct ss_operation masks = program_masks(&program);

		/* An embodiment without a third place cannot say it, and no program has it. */
		if (vcpu->vm->plan->embodiment == SS_EMBODIMENT_SINGLE_MASK && program.kept != program.masked)
			continue;
		fill(vcpu, &masks, NULL, changed, count, &setups[n]);
	}
}

int bare_setup_all(struct vcpu *vcpu, bool programs, struct bare_setup *setups)
{
	const struct control_field *changed[BARE_WRITES_MAX];
	const size_t operations = vcpu->vm->plan->image.operation_count;
	int count = find_changed(vcpu, changed);

	for (size_t n = 0; count >= 0 && n <= operations; n++)
		fill(vcpu, operation(vcpu, n), n ? &vcpu->vm->plan->image.operations[n - 1] : NULL, changed, count,
		     &setups[n]);
	if (count >= 0 && programs)
		fill_programs(vcpu, changed, count, setups + operations + 1);
	vcpu->vm->ops->vcpu_plan(vcpu, NULL);
	return count;
}
