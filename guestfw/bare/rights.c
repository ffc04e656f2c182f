/* SPDX-License-Identifier: GPL-2.0-only */
/* Rights that change while the guest runs, as vmm/vm/vm.c changes them elsewhere. */
#include "bare.h"
#include "processor.h"

#define EINVAL 22
#define ENOENT 2
#define EOPNOTSUPP 95

/* Of the pages for tables each guest has as many. */
static struct ept_edit *edit_of(const struct relay_vcpu *vcpu)
{
	const uint32_t pages = BARE_POOL_PAGES / (uint32_t)bare.plan->guest_count;
	struct ept_edit *edit = &bare_guest_of(vcpu)->edit;

	if (edit->pool)
		return edit;
	*edit = (struct ept_edit){
		.format = &paging_formats[bare.plan->vendor == BARE_VMX ? PAGING_EPT : PAGING_NPT],
		.caps = &vcpu->vmfunc.caps,
		.pool = bare.base + bare.plan->pool + UINT64_C(4096) * pages * bare_guest_number(vcpu),
		.pages = pages,
	};
	return edit;
}

static uint64_t root_of(const struct relay_vcpu *vcpu, uint32_t view)
{
	const struct bare_guest *guest = bare_guest_of(vcpu);

	return (view == guest->list_index ? guest->list_value : bare_list(vcpu)[view]) & PAGING_ADDRESS;
}

/* What the view says of the region beside its rights. */
static struct bare_rule rule_of(uint32_t view, uint32_t region, const struct bare_region *place)
{
	const struct bare_view *views = bare_part(bare.plan, bare.plan->views);
	const struct bare_rule *rules = bare_part(bare.plan, bare.plan->rules);

	for (uint64_t i = 0; i < views[view].rule_count; i++)
		if (rules[views[view].first_rule + i].region == region)
			return rules[views[view].first_rule + i];
	return (struct bare_rule){region, views[view].ve != 0, place->start};
}

int bare_set_rights(struct relay_vcpu *vcpu, uint64_t view, uint32_t region, uint64_t rights)
{
	const struct bare_region *places = bare_part(bare.plan, bare.plan->regions);
	struct ept_edit *edit;
	struct bare_rule rule;
	enum policy_error_kind kind;
	int rc;

	if (view > UINT32_MAX || rights > UINT32_MAX)
		return -EINVAL;
	if (view >= bare.plan->view_count || region >= bare.plan->region_count)
		return -ENOENT;
	edit = edit_of(vcpu);
	kind = edit->format->check_rights((unsigned)rights, edit->caps);
	if (kind != POLICY_ERROR_INVALID)
		return kind == POLICY_ERROR_RIGHTS_UNKNOWN ? -EINVAL : -EOPNOTSUPP;
	rule = rule_of((uint32_t)view, region, &places[region]);
	rc = ept_edit(edit, &(struct ept_edit_region){
				     .root = root_of(vcpu, (uint32_t)view),
				     .rights = (unsigned)rights,
				     .ve = rule.ve != 0,
				     .start = places[region].start,
				     .size = places[region].size,
				     .shown = bare_ram(vcpu) + rule.shown,
			     });
	vendor_flush(vcpu);
	processors_tell(vcpu);
	return rc;
}
