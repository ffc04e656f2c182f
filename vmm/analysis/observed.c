/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/analysis/observed.h"

#include <inttypes.h>
#include <string.h>

#include "vmm/base/printable.h"
#include "vmm/table/json.h"

static uint64_t l0_records(const struct report *report)
{
	struct l0_summary sum;

	summary_l0(report->summary, &sum);
	return sum.exits;
}

/* A run that has just ended knows of those that found no room in its ledger. */
static bool records_missing(const struct report *report)
{
	return report->of_ledger && report->lost;
}

/* Of an interpreter's instructions profile --pid records few. */
static bool is_sparse(const struct report *report)
{
	return report_attached(report) && report->backend == HOST_BACKEND_PVM;
}

static enum recorded l0_recorded(const struct report *report)
{
	bool any = l0_records(report) != 0;

	if (report->trace_mode == TRACING_PART || is_sparse(report))
		return RECORDED_PART;
	if (!any && report->trace_mode != TRACING_SAMPLE)
		return RECORDED_NONE;
	return report->samples_lost || records_missing(report) || report->vcpus_blind ? RECORDED_PART : RECORDED_ALL;
}

static bool any_exit(const struct summary *summary, enum level level)
{
	for (size_t i = 0; i <= summary->highest; i++)
		if (summary->operations[i].exits[level])
			return true;
	return false;
}

enum recorded observed_records(const struct report *report, enum level level)
{
	if (level == LEVEL_L0)
		return report_has_no_l0(report) ? RECORDED_NO_LEVEL : l0_recorded(report);
	if (report_attached(report)) {
		if (level == LEVEL_MONITOR && is_sparse(report))
			return RECORDED_NONE;
		return report->samples_lost || records_missing(report) ? RECORDED_PART : RECORDED_ALL;
	}
	/* Who else writes ledgers may see less than the run loop. */
	if (level == LEVEL_VMM && report->engine_name && !any_exit(report->summary, level))
		return RECORDED_NONE;
	if (level == LEVEL_MONITOR && !any_exit(report->summary, level)) {
		if (report->engine == ENGINE_FLAT)
			return RECORDED_NO_LEVEL;
		if (report->engine == ENGINE_INVALID)
			return RECORDED_NONE;
	}
	return records_missing(report) ? RECORDED_PART : RECORDED_ALL;
}

static const char *l0_tracepoint(const struct report *report)
{
	return report->backend == HOST_BACKEND_PVM ? "kvm:kvm_emulate_insn" : "kvm:kvm_exit";
}

/* Of a bare monitor's L0. */
static const char *bare_l0_text(const struct report *report, char *text)
{
	if (!report->below)
		return "there is none: the monitor is the outermost hypervisor";
	snprintf(text, OBSERVED_SIZE, NOT_OBSERVED ": %.40s is below the monitor, and does not tell it of exits",
		 report->below);
	return text;
}

static void l0_records_text(const struct report *report, char *text)
{
	if (l0_recorded(report) == RECORDED_NONE)
		snprintf(text, OBSERVED_SIZE, NOT_OBSERVED " one by one%s%s",
			 report->trace_missing && report->trace_missing[0] ? ": " : "; run --trace sample does",
			 report->trace_missing ? report->trace_missing : "");
	else
		snprintf(text, OBSERVED_SIZE, "tracepoint %s, %" PRIu64 " one by one, %" PRIu64 " lost%s%s",
			 l0_tracepoint(report), l0_records(report), report->samples_lost,
			 is_sparse(report)                    ? ", one instruction in many"
			 : report->trace_mode == TRACING_PART ? ", a twentieth of the time"
							      : "",
			 report->vcpus_blind ? ", some vCPUs " NOT_OBSERVED : "");
}

static const char *vmm_source(const struct report *report)
{
	return report->backend == HOST_BACKEND_BARE ? "what the relay passes on, served by the same monitor" : "run loop";
}

static const char *attached_source(const struct report *report, enum level level)
{
	if (level == LEVEL_VMM)
		return "tracepoint kvm:kvm_userspace_exit";
	return is_sparse(report) ? NOT_OBSERVED ": this KVM interprets"
				 : "tracepoints kvm:kvm_nested_vmexit_inject, kvm:kvm_nested_vmenter";
}

const char *observed_records_text(const struct report *report, enum level level,
				  char buffer[OBSERVED_SIZE])
{
	if (level == LEVEL_L0 && report->backend == HOST_BACKEND_BARE)
		return bare_l0_text(report, buffer);
	if (level == LEVEL_L0)
		l0_records_text(report, buffer);
	else if (report_attached(report))
		snprintf(buffer, OBSERVED_SIZE, "%s%s", attached_source(report, level),
			 records_missing(report) ? ", but for records that found no room" : "");
	else if (observed_records(report, level) == RECORDED_NO_LEVEL)
		snprintf(buffer, OBSERVED_SIZE, "this engine has none");
	else if (observed_records(report, level) == RECORDED_NONE)
		snprintf(buffer, OBSERVED_SIZE, NOT_OBSERVED ": no engine %s",
			 report->engine_name ? "that this program knows" : "is named");
	else if (report->engine_name)
		snprintf(buffer, OBSERVED_SIZE, "engine %.90s", report->engine_name);
	else
		snprintf(buffer, OBSERVED_SIZE, "%s%s",
			 level == LEVEL_MONITOR ? "ring of the relay" : vmm_source(report),
			 records_missing(report) ? ", but for records that found no room" : "");
	return buffer;
}

static const struct report_row *row_with_l0(const struct report *report)
{
	for (size_t i = 0; i < report->row_count; i++)
		if (report->rows[i].exits_known[LEVEL_L0])
			return &report->rows[i];
	return NULL;
}

static const char *l0_not_counted(const struct report *report, char buffer[OBSERVED_SIZE])
{
	if (l0_records(report) && !report->counters_missing)
		return "counted for no operation to its end; recorded one by one";
	snprintf(buffer, OBSERVED_SIZE, NOT_OBSERVED ": %s",
		 report->counters_missing ? report->counters_missing : "no operation was performed to its end");
	return buffer;
}

static const char *l0_counts(const struct report *report, char buffer[OBSERVED_SIZE])
{
	const struct report_row *row = row_with_l0(report);
	bool loop;

	if (!row)
		return l0_not_counted(report, buffer);
	loop = row->loop && row->loop->batches;
	switch ((int)summary_l0_counter(&row->summary->stats, report->backend)) {
	case STAT_insn_emulation:
		return loop ? "instructions interpreted (KVM_GET_STATS_FD insn_emulation), less the empty loop"
			    : "instructions interpreted (KVM_GET_STATS_FD insn_emulation), those of the loop too";
	case STAT_exits:
		return stat_observed(&row->summary->stats, STAT_irq_exits)
			       ? "KVM_GET_STATS_FD exits, without the host's own interrupts"
			       : "KVM_GET_STATS_FD exits, the host's own interrupts among them";
	case STAT_TRACE_FIRST + TRACE_kvm_emulate_insn:
		return loop ? "instructions interpreted (tracepoint kvm:kvm_emulate_insn), less the empty loop"
			    : "instructions interpreted (tracepoint kvm:kvm_emulate_insn), those of the loop too";
	default:
		return "tracepoint kvm:kvm_exit, without the host's own interrupts (it costs ticks; "
		       "bench does without)";
	}
}

const char *observed_counts_text(const struct report *report, enum level level,
				 char buffer[OBSERVED_SIZE])
{
	if (level != LEVEL_L0 && report->engine_name)
		return observed_records_text(report, level, buffer);
	switch (level) {
	case LEVEL_L0:
		return report->backend == HOST_BACKEND_BARE ? bare_l0_text(report, buffer)
							    : l0_counts(report, buffer);
	case LEVEL_MONITOR:
		return report->engine == ENGINE_FLAT ? "this engine has none" : "ring of the relay";
	default:
		return vmm_source(report);
	}
}

json_t *observed_json(const struct report *report, observed_text *text_of)
{
	json_t *object = json_object();
	char text[OBSERVED_SIZE];

	for (int level = 0; level < LEVEL_COUNT; level++)
		json_object_set_new(object, level_keys[level], json_text(text_of(report, (enum level)level, text)));
	return object;
}

void observed_print(const struct report *report, observed_text *text_of, FILE *stream)
{
	char text[OBSERVED_SIZE];

	for (int level = 0; level < LEVEL_COUNT; level++) {
		fprintf(stream, "%s: ", level_keys[level]);
		printable_put(stream, text_of(report, (enum level)level, text));
		fputc('\n', stream);
	}
}

void observed_print_missing(const char *missing, FILE *stream)
{
	if (!missing || missing[0] == '\0')
		return;
	fputs("tracepoints: " NOT_OBSERVED ": ", stream);
	printable_put(stream, missing);
	fputc('\n', stream);
}

json_t *observed_missing_json(const char *missing)
{
	char text[OBSERVED_SIZE];

	if (!missing || missing[0] == '\0')
		return json_null();
	snprintf(text, sizeof(text), NOT_OBSERVED ": %s", missing);
	return json_text(text);
}
