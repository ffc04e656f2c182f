/* SPDX-License-Identifier: GPL-2.0-only */
/* What an operation or a program has put in place: masks, words, the view list, controls. */
#include "bare.h"

/* Puts the entry of the list back that the last setup has changed, and changes this one's. */
static void set_list(const struct relay_vcpu *vcpu, const struct bare_setup *setup)
{
	struct bare_guest *guest = bare_guest_of(vcpu);
	uint64_t *list = bare_list(vcpu);

	if (guest->list_index < EPTP_LIST_ENTRIES)
		list[guest->list_index] = guest->list_value;
	guest->list_index = setup->list_index;
	if (setup->list_index >= EPTP_LIST_ENTRIES)
		return;
	guest->list_value = list[setup->list_index];
	list[setup->list_index] = bare_moved(setup->list_value);
}

static void set_register(struct relay_register *reg, const struct relay_register *planned, uint64_t value)
{
	reg->words = planned->words;
	reg->words.value = value;
	reg->passed = planned->passed;
}

void bare_set_up(struct relay_vcpu *vcpu, const struct bare_setup *setup)
{
	const uint64_t active = vcpu->vmfunc.eptp;

	set_register(&vcpu->cr0, &setup->cr0, vendor_register(vcpu, 0));
	set_register(&vcpu->cr4, &setup->cr4, vendor_register(vcpu, 4));
	vcpu->vmfunc = setup->vmfunc;
	vcpu->vmfunc.eptp = active;
	set_list(vcpu, setup);
	for (uint64_t i = 0; i < bare_guest_plan_of(vcpu)->write_count; i++)
		vendor_write(vcpu, setup->writes[i].field, setup->writes[i].value);
	vendor_show_words(vcpu);
}
