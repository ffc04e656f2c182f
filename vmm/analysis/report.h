/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a run or a ledger has to say, ready to be written in any format. The writers get one struct
 * report and know nothing of how it came about.
 */
#ifndef VMM_ANALYSIS_REPORT_H
#define VMM_ANALYSIS_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "views/expect.h"
#include "vmm/ledger/summary.h"
#include "vmm/observe/trace.h"
#include "vmm/table/table.h"

struct exit_tables;

enum column {
#define COLUMN(id, header, key, flags, meaning) COLUMN_##id,
#include "vmm/analysis/column.def"
#undef COLUMN
	COLUMN_COUNT
};

/* Verdict on one operation. */
enum verdict {
	VERDICT_NONE, /* nothing was expected: a ledger being read */
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_SKIP,
};

#define REPORT_ALL_VMS (-1)

struct report_row {
	const char *name;
	uint32_t number;   /* in the catalogue */
	uint32_t compared; /* that of the operation it is compared with; 0: none */
	int vm;            /* whose row this is; REPORT_ALL_VMS: it is true of each of them */
	const struct operation_summary *summary; /* NULL if skipped */
	const struct operation_summary *loop;    /* the empty loop of the same VM or VMs, or NULL */
	enum verdict verdict;
	char note[200]; /* why it failed or was skipped */
	bool exits_known[LEVEL_COUNT];
	uint64_t exits[LEVEL_COUNT];
	enum placement placement;
	struct tick_summary ticks;
	double eet;
	double ratio; /* of the medians, to the operation it is compared with; 0: there is none */
};

#define REPORT_VMS_MAX 256

#define TRACE_MODE_UNKNOWN (-1)

struct report {
	const char *schema;   /* "sidestep.test", ... */
	uint32_t hidden;      /* columns not to show: bit of enum column */
	enum engine_id engine;
	enum host_backend backend;
	const char *engine_name; /* of an engine that this program does not know; NULL: it does, or nobody says */
	const char *kernel, *guest;
	const char *sidestep, *command, *date; /* what made the run, when; NULL: not known */
	const char *below; /* the hypervisor that a bare monitor has found below itself; NULL: none */
	unsigned vcpus, vms;
	const char *seccomp, *landlock; /* the jail of the run; NULL: not known */
	const char *instrumented; /* what more it allowed, for a build with sanitizers; NULL: nothing */
	struct report_row *rows;
	size_t row_count;
	const struct summary *summary;
	const struct operation_summary *loop; /* the empty loop of the same run, or NULL */
	uint32_t loop_number;                 /* its number; 0: there is none */
	/* Of each VM, NULL where a VM left no record; none if there was only one. */
	struct summary *const *vm_summaries;
	size_t vm_count;
	const char *plans[REPORT_VMS_MAX]; /* how each VM was configured; NULL: not known */
	char end[260]; /* how the run ended; empty if as it should */
	int status;    /* exit status of the run */
	unsigned passed, failed, skipped;
	const char **view_names; /* names of the views, by index; NULL where unknown */
	size_t view_count;
	bool judged;           /* operations were compared with the model */
	bool rows_for_all;     /* an operation has its rows even if it left no record */
	const char *counters_missing; /* why exits at L0 were not counted; NULL: no matter */
	int trace_mode; /* enum trace_mode: what came of it; TRACE_MODE_UNKNOWN in an older ledger */
	const char *trace_missing; /* why tracepoints were not counted; NULL or empty: no matter */
	unsigned vcpus_blind;  /* of which less was traced than `trace_mode` */
	uint64_t samples_lost; /* of tracepoints: exits at l0 that nobody saw one by one */
	uint64_t lost;         /* records that found no room in the ledger */
	const char *ledger;    /* that a run has kept; NULL: none */
	bool of_ledger;        /* what they would have said is not known: a ledger is all there is */
	const struct exit_tables *exit_tables; /* of a ledger without operations; NULL: none were made */
};

extern const struct table_column report_columns[COLUMN_COUNT];

struct cell report_cell(const struct report *report, const struct report_row *row, enum column column);

/* Frees its rows and the array of names of views. */
void report_finish(struct report *report);

/* The engine, in words that may be those of a file. */
const char *report_engine(const struct report *report);

/* Whether it is of VMs that others ran, from `profile --pid` or `--all`. */
bool report_attached(const struct report *report);

/* Whether the monitor was the outermost hypervisor: there is no level l0 then. */
static inline bool report_has_no_l0(const struct report *report)
{
	return report->backend == HOST_BACKEND_BARE && !report->below;
}

/* The rows with all columns. */
struct table report_table(const struct report *report);

/* Fills exits, placement and ticks of a row from its summary. Its loop is the report's unless it has one. */
void report_measure(const struct report *report, struct report_row *row);

/* Rows that one operation of a run may come to. */
size_t report_rows_most(const struct report *report);

/* Whether the VMs of the run were configured differently. */
bool report_plans_differ(const struct report *report);

/*
 * Appends what a run says of the operation `like`, whose name, number and what it is compared with are set, and
 * measures it: a row for all VMs if that is true of each, else one for every VM that performed it. Room for
 * them is there. Returns how many.
 */
size_t report_add_rows(struct report *report, const struct report_row *like);

/* The name of a row, and the VM if it is of one only. */
#define ROW_NAME_SIZE 64
const char *report_row_name(const struct report_row *row, char buffer[ROW_NAME_SIZE]);

/* Name of a view, "?" if unknown. */
const char *report_view_name(const struct report *report, uint32_t view);

/* Name of an operation by its number in the catalogue; "-" for none. */
const char *report_operation_name(const struct report *report, uint32_t number);

/* Fills the ratios of all rows, which have been measured; of those of one VM, within it. */
void report_compare(struct report *report);

/* Name of an exception vector: "#UD"; NULL for those without one. */
const char *vector_name(uint32_t vector);

/* Column sets. */
#define COLUMN_BIT(id) (1u << COLUMN_##id)
#define HIDE_IN_TEST (COLUMN_BIT(EET) | COLUMN_BIT(RATIO))
#define HIDE_IN_RUN (COLUMN_BIT(RESULT) | COLUMN_BIT(EET) | COLUMN_BIT(RATIO))
#define HIDE_IN_LEDGER COLUMN_BIT(RESULT)
#define HIDE_IN_BENCH (COLUMN_BIT(RESULT) | COLUMN_BIT(OUTCOME))

#endif
