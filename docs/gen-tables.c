/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of the documents. */
#include "gen-docs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "devices/power.h"
#include "views/list.h"
#include "views/policy_lint.h"
#include "vmm/analysis/exit_groups.h"
#include "vmm/observe/probe.h"
#include "vmm/policy/policy_source.h"
#include "vmm/profile/profile_write.h"
#include "vmm/report/views_report.h"

static void put_cell(const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

static void row2(const char *a, const char *b)
{
	printf("| `%s` | ", a);
	put_cell(b);
	puts(" |");
}

static void row3(const char *a, long number, const char *b)
{
	printf("| `%s` | %ld | ", a, number);
	put_cell(b);
	puts(" |");
}

static void md_commands(void)
{
	puts("| Command | What it does |\n|---|---|");
	for (size_t i = 0; i < command_count; i++)
		row2(commands[i].name, commands[i].meaning);
}

static void md_statuses(void)
{
	puts("| Status | Meaning |\n|---|---|");
	for (size_t i = 0; i < exit_status_count; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%d", exit_statuses[i].value);
		row2(number, exit_statuses[i].meaning);
	}
}

/* Without a heading it is a column that people do not get to see. */
static void column_rows(const char *keys, const struct table_column *columns, int count)
{
	printf("| Column | %s | Meaning |\n|---|---|---|\n", keys);
	for (int i = 0; i < count; i++) {
		printf(columns[i].header[0] ? "| `%s` | `%s` | " : "| %s | `%s` | ", columns[i].header, columns[i].key);
		put_cell(columns[i].meaning);
		puts(" |");
	}
}

static void md_columns(void)
{
	column_rows("JSON and CSV", report_columns, COLUMN_COUNT);
}

static void md_group_columns(void)
{
	column_rows("JSON and CSV", group_columns, GROUP_COLUMN_COUNT);
}

static void md_backends(void)
{
	puts("| Backend | Module |\n|---|---|");
	for (int i = 0; i < HOST_BACKEND_COUNT; i++)
		row2(host_backend_keys[i], host_backend_modules[i]);
}

static void md_capabilities(void)
{
	puts("| Capability | What for |\n|---|---|");
	for (int i = 0; i < HOST_CAP_COUNT; i++)
		row2(host_capability_names[i], host_capability_uses[i]);
}

static void md_exit_reasons(void)
{
	puts("| Reason | Number |\n|---|---|");
	for (uint32_t i = 0; i < EXIT_REASON_COUNT; i++)
		printf("| `%s` | %" PRIu32 " |\n", exit_reason_key(i), i);
}

static void md_engines(void)
{
	puts("| Engine | How the guest runs |\n|---|---|");
	for (int i = ENGINE_INVALID + 1; i < ENGINE_COUNT; i++)
		row2(engine_keys[i], engine_meanings[i]);
}

static void md_levels(void)
{
	puts("| Level | Number | Who |\n|---|---|---|");
	for (int i = 0; i < LEVEL_COUNT; i++)
		row3(level_keys[i], i, level_meanings[i]);
}

static void md_requests(void)
{
	puts("| Request | Number | Arguments and results |\n|---|---|---|");
#define X(name, number, key, text) row3("SS_REQUEST_" #name, number, text);
	SS_REQUESTS(X)
#undef X
}

static void md_kinds(void)
{
	puts("| Kind | Number | `cr0` and `arg` |\n|---|---|---|");
#define X(name, key, text) row3("SS_KIND_" #name, SS_KIND_##name, text);
	SS_OPERATION_KINDS(X)
#undef X
}

static void md_hypercalls(void)
{
	puts("| Hypercall | RAX | What it does |\n|---|---|---|");
#define X(name, number, text) printf("| `SS_HYPERCALL_%s` | %#x | %s |\n", #name, number, text);
	SS_HYPERCALLS(X)
#undef X
}

static void md_dispositions(void)
{
	puts("| Disposition | Number | An interrupt of the vector is |\n|---|---|---|");
#define X(name, text) row3("SS_INTERRUPT_" #name, SS_INTERRUPT_##name, text);
	SS_DISPOSITIONS(X)
#undef X
}

static void md_interrupt_events(void)
{
	puts("| Event | Number | What became of the interrupt |\n|---|---|---|");
#define X(name, key, text) row3(key, INTERRUPT_##name, text);
	INTERRUPT_EVENTS(X)
#undef X
}

static void md_pin_events(void)
{
	puts("| Event | Number | What became of the buffer |\n|---|---|---|");
#define X(name, key, text) row3(key, PIN_##name, text);
	PIN_EVENTS(X)
#undef X
}

static void md_disk_registers(void)
{
	puts("| Register | Number | Access | Meaning |\n|---|---|---|---|");
#define X(name, number, access, text)                                                              \
	printf("| `SS_DISK_REG_%s` | %d | %s | %s |\n", #name, number, access, text);
	SS_DISK_REGISTERS(X)
#undef X
}

static void md_disk_commands(void)
{
	puts("| Command | Number | What it does |\n|---|---|---|");
#define X(name, number, text) row3("SS_DISK_COMMAND_" #name, number, text);
	SS_DISK_COMMANDS(X)
#undef X
}

static void md_disk_statuses(void)
{
	puts("| Status | Number | Meaning |\n|---|---|---|");
#define X(name, text) row3("SS_DISK_STATUS_" #name, SS_DISK_STATUS_##name, text);
	SS_DISK_STATUSES(X)
#undef X
}

static void md_services(void)
{
	static const char *const callers[] = {
		[SS_PRIVILEGE_ANY] = "anybody",
		[SS_PRIVILEGE_CPL0] = "CPL 0",
		[SS_PRIVILEGE_HOME] = "view 0",
		[SS_PRIVILEGE_KERNEL] = "CPL 0 in view 0",
	};

	puts("| Service | EAX | Usual callers | Arguments and what it does |\n|---|---|---|---|");
#define X(name, number, key, privilege, text)                                                      \
	printf("| `%s` | %d | %s | %s |\n", #key, number, callers[SS_PRIVILEGE_##privilege], text);
	SS_SERVICES(X)
#undef X
}

static void md_setups(void)
{
	puts("| Setup | Number | What the VMM changes |\n|---|---|---|");
#define X(name, key, text) row3("SS_SETUP_" #name, SS_SETUP_##name, text);
	SS_SETUPS(X)
#undef X
}

static void md_traits(void)
{
	puts("| Trait | Meaning |\n|---|---|");
	for (int i = 0; i < TRAIT_COUNT; i++)
		row2(processor_trait_keys[i], processor_trait_meanings[i]);
}

static void md_records(void)
{
	puts("| Type | Number | Bytes | Says |\n|---|---|---|---|");
#define X(name, type, text)                                                                        \
	printf("| `RECORD_%s` | %d | %zu%s | %s |\n", #name, RECORD_##name, sizeof(struct type),    \
	       RECORD_##name == RECORD_PAD || RECORD_##name == RECORD_META ? " and more" : "", text);
	RECORD_TYPES(X)
#undef X
}

static void md_stats(void)
{
	puts("| Counter | Bit | Meaning |\n|---|---|---|");
	for (int i = 0; i < STAT_COUNT; i++)
		row3(stat_names[i], i, stat_meanings[i]);
}

static void md_causes(void)
{
	puts("| Cause | Number | Meaning |\n|---|---|---|");
#define X(name, key, text) row3(key, STOP_##name, text);
	STOP_CAUSES(X)
#undef X
}

static void md_image_formats(void)
{
	static const char *const meanings[IMAGE_FORMAT_COUNT] = {IMAGE_FORMATS(LIST_MEANING)};

	puts("| Key | GUEST is | Platform |\n|---|---|---|");
	for (int i = 0; i < IMAGE_FORMAT_COUNT; i++)
		printf("| `%s` | %s | `%s` |\n", image_format_keys[i], meanings[i],
		       platform_keys[image_format_is_kernel(i) ? PLATFORM_PC : PLATFORM_SIDESTEP]);
}

static void md_power_events(void)
{
	static const char *const causes[STOP_CAUSE_COUNT] = {STOP_CAUSES(LIST_KEY)};
	static const struct {
		const char *text;
		enum stop_cause cause;
	} events[] = {
#define X(name, text, cause) {text, STOP_##cause},
		POWER_EVENTS(X)
#undef X
	};

	puts("| What is said | Cause | Exit status |\n|---|---|---|");
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		printf("| %s | `%s` | %d |\n", events[i].text, causes[events[i].cause],
		       events[i].cause == STOP_GUEST ? STATUS_FAILED : STATUS_SUCCESS);
}

static void md_profile_columns(void)
{
	column_rows("JSON, CSV", profile_columns, PROFILE_COLUMN_COUNT);
}

static void md_tracepoints(void)
{
	static const char uses[] = "CSPIAB";
	static const struct {
		const char *name, *uses, *meaning;
	} rows[] = {
#define TRACEPOINT(name, uses, meaning) {#name, uses, meaning},
#include "vmm/ledger/tracepoint.def"
#undef TRACEPOINT
	};

	puts("| Tracepoint | count | sample | profile | profile, KVM interprets | profile --pid | the same, KVM interprets | What it shows |\n"
	     "|---|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printf("| `kvm:%s`", rows[i].name);
		for (size_t j = 0; j < sizeof(uses) - 1; j++)
			printf(" | %s", strchr(rows[i].uses, uses[j]) ? "x" : "");
		printf(" | %s |\n", rows[i].meaning);
	}
}

static void md_agreements(void)
{
	puts("| Agreement | Number | The RIP is |\n|---|---|---|");
#define X(name, key, text) row3(key, AGREEMENT_##name, text);
	AGREEMENTS(X)
#undef X
}

static void md_l0_flags(void)
{
	puts("| Flag | Value | Meaning |\n|---|---|---|");
#define X(name, bit, tracepoint, key, text) row3(key, L0_##name, text);
	L0_FLAGS(X)
#undef X
}

static void md_builtin_regions(void)
{
	puts("| Region | A guest needs | What it holds |\n|---|---|---|");
	for (size_t i = 0; i < builtin_region_count; i++) {
		char rights[RIGHTS_TEXT_SIZE];

		rights_text(builtin_regions[i].needed, rights);
		printf("| `%s` | %s | ", builtin_regions[i].name,
		       builtin_regions[i].needed ? rights : "");
		put_cell(builtin_regions[i].meaning);
		puts(" |");
	}
}

static void md_view_columns(void)
{
	column_rows("JSON", view_columns, VIEW_COLUMN_COUNT);
}

static void md_policy_warnings(void)
{
	puts("| Warning | Meaning |\n|---|---|");
	for (int i = LINT_INVALID + 1; i < LINT_COUNT; i++)
		row2(lint_key((enum lint_kind)i), lint_text((enum lint_kind)i));
}

static void md_violation_answers(void)
{
	puts("| Answer | Number | Meaning |\n|---|---|---|");
#define X(name, key, text) row3(key, VIOLATION_##name, text);
	VIOLATION_ANSWERS(X)
#undef X
}

static void md_violation_flags(void)
{
	puts("| Flag | Bit | Meaning |\n|---|---|---|");
#define X(name, bit, text) row3("VIOLATION_" #name, bit, text);
	VIOLATION_FLAGS(X)
#undef X
}

static void md_on_violation(void)
{
	puts("| `--on-violation` | What happens |\n|---|---|");
#define X(name, key, text) printf("| `%s` | %s |\n", key, text);
	ON_VIOLATIONS(X)
#undef X
}

#define BPFTRACE_ARGUMENTS 6 /* those that a function would have in registers */

/* The two tools number the arguments differently. */
static void md_probes(void)
{
	puts("| Probe | bpftrace | perf | Argument | Meaning |\n|---|---|---|---|---|");
	for (size_t i = 0; i < probe_count; i++) {
		printf("| `%s` | | | | ", probes[i].name);
		put_cell(probes[i].meaning);
		puts(" |");
		for (int j = 0; probes[i].arguments[j].name; j++) {
			if (j < BPFTRACE_ARGUMENTS)
				printf("| | `arg%d`", j);
			else
				fputs("| | -", stdout);
			printf(" | `arg%d` | `%s` | ", j + 1, probes[i].arguments[j].name);
			put_cell(probes[i].arguments[j].meaning);
			puts(" |");
		}
	}
}

static const char *const subject_words[JAIL_SUBJECT_COUNT] = {
#define X(name, words) words,
	JAIL_SUBJECTS(X)
#undef X
};

static void put_demands(const struct jail_rule *rule)
{
	put_cell(subject_words[rule->subject]);
	if (rule->conditions[0].mask == 0)
		return;
	fputs(rule->subject == JAIL_SUBJECT_ANY ? "`" : ", `", stdout);
	put_cell(rule->conditions_text);
	putchar('`');
}

/* Rules that only builds with sanitizers have are no part of any document. */
static void jail_rows(enum jail_role role)
{
	puts("| System call | Of, with | What for |\n|---|---|---|");
	for (size_t i = 0; i < jail_rule_count; i++) {
		const struct jail_rule *rule = &jail_rules[i];

		if (rule->role != role || rule->when & JAIL_WHEN_INSTRUMENTED)
			continue;
		printf("| `%s` | ", rule->name);
		put_demands(rule);
		printf(" | %s%s |\n", rule->purpose,
		       rule->when == JAIL_WHEN_FLAT	  ? " (engine flat)"
		       : rule->when == JAIL_WHEN_SVM	  ? " (engine svm)"
		       : rule->when == JAIL_WHEN_NESTED ? " (engines vmx and svm)"
		       : rule->when == JAIL_WHEN_ALL_VMS ? " (`--all`)"
							  : "");
	}
}

static void md_jail_main(void)
{
	jail_rows(JAIL_ROLE_MAIN);
}

static void md_jail_vcpu(void)
{
	jail_rows(JAIL_ROLE_VCPU);
}

static void md_jail_guard(void)
{
	jail_rows(JAIL_ROLE_GUARD);
}

static void md_jail_reader(void)
{
	jail_rows(JAIL_ROLE_READER);
}

static void md_jail_writer(void)
{
	jail_rows(JAIL_ROLE_WRITER);
}

const struct markdown_table markdown_tables[] = {
	{"commands", md_commands}, {"exit-statuses", md_statuses}, {"columns", md_columns},
	{"engines", md_engines},   {"levels", md_levels},	   {"requests", md_requests},
	{"kinds", md_kinds},	   {"records", md_records},	   {"stats", md_stats},
	{"causes", md_causes}, {"image-formats", md_image_formats}, {"power-events", md_power_events},	   {"hypercalls", md_hypercalls}, {"setups", md_setups},
	{"services", md_services},
	{"dispositions", md_dispositions}, {"interrupt-events", md_interrupt_events},
	{"pin-events", md_pin_events}, {"disk-registers", md_disk_registers},
	{"disk-commands", md_disk_commands}, {"disk-statuses", md_disk_statuses},
	{"profile-columns", md_profile_columns}, {"tracepoints", md_tracepoints},
	{"agreements", md_agreements}, {"l0-flags", md_l0_flags},
	{"traits", md_traits},	   {"builtin-regions", md_builtin_regions},
	{"group-columns", md_group_columns}, {"backends", md_backends}, {"capabilities", md_capabilities},
	{"exit-reasons", md_exit_reasons},
	{"view-columns", md_view_columns}, {"policy-warnings", md_policy_warnings},
	{"on-violation", md_on_violation}, {"violation-answers", md_violation_answers},
	{"violation-flags", md_violation_flags}, {"probes", md_probes},
	{"jail-main", md_jail_main},	   {"jail-vcpu", md_jail_vcpu}, {"jail-writer", md_jail_writer}, {"jail-reader", md_jail_reader},
	{"jail-guard", md_jail_guard},
};

const size_t markdown_table_count = sizeof(markdown_tables) / sizeof(markdown_tables[0]);
