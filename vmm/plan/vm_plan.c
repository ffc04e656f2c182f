/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/vm_plan.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void append(char text[VM_PLAN_TEXT_SIZE],
							 const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, VM_PLAN_TEXT_SIZE - used, format, args);
	va_end(args);
}

static void append_flags(char text[VM_PLAN_TEXT_SIZE], const char *who, uint64_t flags)
{
	const char *separator = "";

	append(text, "%s%s=%s", text[0] ? " " : "", who, flags ? "" : "none");
	for (size_t i = control_flag_count; i-- > 0;) {
		char name[16] = "";

		if (!(flags & plan_flag(&control_flags[i])))
			continue;
		for (size_t c = 0; control_flags[i].name[c]; c++)
			name[c] = (char)tolower((unsigned char)control_flags[i].name[c]);
		append(text, "%s%s", separator, name);
		separator = ",";
	}
}

static void append_services(char text[VM_PLAN_TEXT_SIZE], const struct service_table *table)
{
	static const struct {
		unsigned number;
		const char *key;
	} services[] = {
#define X(name, number, key, privilege, text) {number, #key},
		SS_SERVICES(X)
#undef X
	};
	const char *separator = "";

	append(text, " services=%s", table->enabled | table->exits ? "" : "none");
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		uint64_t bit = UINT64_C(1) << services[i].number;

		if (!((table->enabled | table->exits) & bit))
			continue;
		append(text, "%s%s%s%s%s%s%s%s", separator, services[i].key,
		       table->enabled & bit ? "" : ":off", table->cpl0 & bit ? ":cpl0" : "",
		       table->home & bit ? ":view0" : "", table->mode64 & bit ? ":long" : "",
		       table->protected & bit ? ":protected" : "", table->exits & bit ? ":exit" : "");
		separator = ",";
	}
}

void vm_plan_text(const struct plan *plan, unsigned vm, char text[VM_PLAN_TEXT_SIZE])
{
	const struct flag_plan *flags = &plan->flags[vm];

	text[0] = '\0';
	append_flags(text, "own", flags->named & ~flags->word_masked);
	append_flags(text, "shadow", flags->word_kept);
	append_flags(text, "vmm", flags->word_masked & ~flags->word_kept);
	append(text, " embodiment=%s on-ask=%s", embodiment_keys[plan->embodiment],
	       on_ask_keys[plan->on_ask]);
	append_services(text, &plan->services[vm]);
}

void vm_plan_record(const struct plan *plan, struct ledger *ledger)
{
	char key[32], value[VM_PLAN_TEXT_SIZE];

	for (unsigned i = 0; i < plan->vms; i++) {
		snprintf(key, sizeof(key), "plan.%u", i);
		vm_plan_text(plan, i, value);
		ledger_append_meta(ledger, key, value);
	}
	for (size_t i = 0; i < plan->image.operation_count; i++) {
		if (plan->image.operations[i].compared == 0)
			continue;
		snprintf(key, sizeof(key), "compared.%zu", i + 1);
		snprintf(value, sizeof(value), "%u", plan->image.operations[i].compared);
		ledger_append_meta(ledger, key, value);
	}
}
