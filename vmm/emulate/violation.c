/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/emulate/violation.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "views/effect.h"
#include "vmm/base/printable.h"
#include "vmm/emulate/cpu_mode.h"
#include "vmm/guest/boot.h"
#include "vmm/observe/recorder.h"
#include "vmm/vm/kernel_symbols.h"

_Static_assert(RECORD_NAME_SIZE >= VIEW_NAME_SIZE, "a region's name fits into its record");
_Static_assert(SS_ACCESS_READ == VIEW_READ && SS_ACCESS_WRITE == VIEW_WRITE &&
		       SS_ACCESS_FETCH == VIEW_EXECUTE,
	       "one numbering of accesses");
_Static_assert(SS_VIOLATION_GVA_KNOWN == VIOLATION_GVA_KNOWN, "one numbering of flags");

enum violation_answer violation_answer(const struct vcpu *vcpu, const struct violation *violation,
				       bool completed)
{
	switch (vcpu->vm->plan->on_violation) {
	case ON_VIOLATION_STOP:
		return VIOLATION_STOPPED;
	case ON_VIOLATION_INJECT:
		return VIOLATION_FAULTED;
	default:
		/* There is nothing that the guest could be given for an instruction. */
		return completed && violation->access != VIEW_EXECUTE ? VIOLATION_REFUSED
								     : VIOLATION_FAULTED;
	}
}

uint32_t violation_error_code(const struct violation *violation)
{
	return view_fault_code(violation->access, violation->flags & VIOLATION_WALK, violation->user);
}

static const char *region_name(const struct vm *vm, uint64_t gpa)
{
	const struct view_policy *policy = &vm->policy;
	uint32_t region = policy_region_at(policy, gpa_at(gpa));

	return region == POLICY_NO_INDEX ? "" : policy->regions[region].name;
}

static const char *view_name(const struct vm *vm, uint32_t view)
{
	const struct view_policy *policy = &vm->policy;

	return view < policy->view_count ? policy->views[view].name : "?";
}

static void tell_guest(struct vcpu *vcpu, const struct violation *violation)
{
	const struct ss_violation told = {
		.sequence = ++vcpu->violations_told,
		.view = violation->view,
		.access = violation->access,
		.flags = violation->flags & VIOLATION_GVA_KNOWN,
		.gpa = violation->gpa,
		.gva = violation->gva,
	};

	vcpu->page->violation = told;
}

/* "; mov qword ptr [rdi], rax; value 0x1", as far as that is known, and as there is room. */
static void add_instruction(const struct violation *violation, char *text, size_t size)
{
	char part[140];

	snprintf(part, sizeof(part), "; %s", violation->instruction);
	if (violation->instruction[0])
		printable_append(text, size, part);
	snprintf(part, sizeof(part), "; value 0x%llx", (unsigned long long)violation->value);
	if (violation->value_size)
		printable_append(text, size, part);
}

static void stop(struct vcpu *vcpu, const struct violation *violation, const char *region)
{
	struct vm *vm = vcpu->vm;
	char where[200], text[sizeof(vm->why.text)];

	vcpu_describe_at(vcpu, violation->rip, where, sizeof(where));
	snprintf(text, sizeof(text), "view %u (%.40s) forbids a %s at 0x%llx (%.40s); %.120s", violation->view,
		 view_name(vm, violation->view), access_name(violation->access), (unsigned long long)violation->gpa,
		 region[0] ? region : "no region", where);
	add_instruction(violation, text, sizeof(text));
	if (vm_stop(vm, STOP_GUEST, STATUS_FAILED, "%s", text))
		vm->why.violation_rip = violation->rip - (violation->flags & VIOLATION_RIP_BEHIND ? 1 : 0);
}

static void record_instruction(struct vcpu *vcpu, const struct violation *violation, uint32_t operation)
{
	struct record_instruction record = {
		.record = {.type = RECORD_INSTRUCTION, .size = sizeof(record)},
		.operation = operation,
		.view = violation->view,
		.gpa = violation->gpa,
		.rip = violation->rip,
		.access = violation->access,
		.value = violation->value,
		.value_size = violation->value_size,
		.count = violation->code_size,
		.width = violation->width,
	};

	if (violation->code_size == 0 && violation->value_size == 0)
		return;
	memcpy(record.bytes, violation->code, sizeof(record.bytes));
	recorder_add(vcpu->recorder, &record.record);
}

void violation_record(struct vcpu *vcpu, const struct violation *violation,
		      enum violation_answer answer)
{
	uint64_t offset = 0;
	const char *place = kernel_symbols_place(vcpu->vm, violation->rip, violation->user ? 3 : 0);
	const struct image_symbol *symbol;
	struct record_violation record = {
		.record = {.type = RECORD_VIOLATION, .size = sizeof(record)},
		.operation = vcpu_operation(vcpu),
		.view = violation->view,
		.gpa = violation->gpa,
		.rip = violation->rip,
		.access = violation->access,
		.size = violation->size,
		.gva = violation->gva,
		.answer = (uint16_t)answer,
		.flags = violation->flags,
	};

	kernel_symbols_find(vcpu);
	symbol = kernel_symbols_at(vcpu->vm, violation->rip, &offset);
	snprintf(record.region, sizeof(record.region), "%s",
		 region_name(vcpu->vm, violation->gpa));
	if (symbol)
		snprintf(record.symbol, sizeof(record.symbol), "%.32s+0x%llx", symbol->name,
			 (unsigned long long)offset);
	else if (place)
		snprintf(record.symbol, sizeof(record.symbol), "%s", place);
	recorder_add(vcpu->recorder, &record.record);
	record_instruction(vcpu, violation, record.operation);
	if (answer == VIOLATION_FAULTED)
		tell_guest(vcpu, violation);
	else if (answer == VIOLATION_STOPPED)
		stop(vcpu, violation, record.region);
}
