/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts of a profile: the table, its quantiles, how recorded exits divide what was counted, and by what instruction. */
#include "tests/unit/cmocka_prelude.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/analysis/exit_groups.h"
#include "vmm/profile/profile_lines.h"

static void add_times(struct profile_table *table, uint32_t operation, uint8_t level,
		      uint32_t reason, uint32_t ticks, unsigned times)
{
	struct profile_key key = {.operation = operation, .level = level, .reason = reason, .isa = 1};

	for (unsigned i = 0; i < times; i++)
		profile_table_add(table, &key, ticks);
}

static const struct profile_row *find(const struct profile_table *table, uint32_t operation,
				      uint8_t level, uint32_t reason)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct profile_key *key = &table->rows[i].key;

		if (key->operation == operation && key->level == level && key->reason == reason)
			return &table->rows[i];
	}
	return NULL;
}

/* Rows that differ in anything are counted apart, whatever their hashes. */
static void rows(void **state)
{
	struct profile_table *table = profile_table_create(PROFILE_ROWS_MAX);

	(void)state;
	for (uint32_t operation = 0; operation < 100; operation++)
		for (uint8_t level = 0; level < 3; level++)
			for (uint32_t reason = 0; reason < 3; reason++)
				add_times(table, operation, level, 1000 * reason, 5,
					  1 + operation % 7 + level);
	assert_int_equal(table->count, 900);
	for (uint32_t operation = 0; operation < 100; operation++)
		for (uint8_t level = 0; level < 3; level++)
			assert_int_equal(find(table, operation, level, 2000)->count,
					 1 + operation % 7 + level);
	profile_table_destroy(table);
	profile_table_destroy(NULL);
}

/* A guest that thinks of a new reason each time cannot make the table grow for ever. */
static void too_many_rows(void **state)
{
	struct profile_table *table = profile_table_create(PROFILE_ROWS_MAX);
	uint64_t sum = 0;

	(void)state;
	for (uint32_t reason = 0; reason < 100000; reason++)
		add_times(table, 1, (uint8_t)(reason % 3), reason, 1, 1);
	assert_in_range(table->count, 1000, PROFILE_ROWS_MAX);
	for (size_t i = 0; i < table->count; i++)
		sum += table->rows[i].count;
	assert_int_equal(sum, 100000);
	assert_true(find(table, 0, 2, PROFILE_REASON_OTHER)->count > 30000);
	profile_table_destroy(table);
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Quantiles are those of the sorted values, but for the width of a bucket. */
static void quantiles(void **state)
{
	static const double parts[] = {0.01, 0.5, 0.9, 0.99, 1};
	static const unsigned sizes[] = {1, 2, 3, 100, 1000};

	(void)state;
	srandom(7);
	for (unsigned shift = 0; shift < 32; shift++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct profile_table *table = profile_table_create(PROFILE_ROWS_MAX);
			uint32_t values[1000];

			for (unsigned j = 0; j < sizes[i]; j++) {
				values[j] = ((uint32_t)random() << 1 ^ (uint32_t)random()) >> shift;
				values[j] += values[j] == 0;
				add_times(table, 1, 0, 1, values[j], 1);
			}
			qsort(values, sizes[i], sizeof(values[0]), by_value);
			for (size_t j = 0; j < ARRAY_SIZE(parts); j++) {
				size_t rank = (size_t)ceil(parts[j] * sizes[i]);
				double exact = values[rank ? rank - 1 : 0];
				double got = (double)profile_row_quantile(find(table, 1, 0, 1), parts[j]);

				assert_true(fabs(got - exact) <= exact / 16);
			}
			profile_table_destroy(table);
		}
}

/* What does not tell how long it took counts, but has no part in the quantiles. */
static void untimed(void **state)
{
	struct profile_table *table = profile_table_create(PROFILE_ROWS_MAX);

	(void)state;
	add_times(table, 1, 0, 1, 0, 90);
	assert_int_equal(profile_row_quantile(find(table, 1, 0, 1), 0.5), 0);
	add_times(table, 1, 0, 1, 8, 10);
	assert_int_equal(find(table, 1, 0, 1)->count, 100);
	assert_int_equal(find(table, 1, 0, 1)->timed, 10);
	assert_int_equal(profile_row_quantile(find(table, 1, 0, 1), 0.01), 8);
	profile_table_destroy(table);
}

static void merging(void **state)
{
	struct profile_table *a = profile_table_create(PROFILE_ROWS_MAX), *b = profile_table_create(PROFILE_ROWS_MAX);

	(void)state;
	add_times(a, 1, 0, 1, 4, 3);
	add_times(b, 1, 0, 1, 9, 2);
	add_times(b, 2, 0, 1, 9, 1);
	profile_table_merge(a, b);
	assert_int_equal(b->count, 2);
	profile_table_clear(b);
	profile_table_merge(a, b);
	assert_int_equal(b->count, 0);
	assert_int_equal(a->count, 2);
	assert_int_equal(find(a, 1, 0, 1)->count, 5);
	assert_int_equal(find(a, 1, 0, 1)->ticks, 30);
	assert_int_equal(profile_row_quantile(find(a, 1, 0, 1), 0.6), 4);
	assert_int_equal(profile_row_quantile(find(a, 1, 0, 1), 0.7), 9);
	add_times(b, 3, 0, 1, 9, 1);
	assert_int_equal(b->count, 1);
	profile_table_destroy(a);
	profile_table_destroy(b);
}

static double exits(const struct profile_lines *lines, uint32_t operation, uint8_t level,
		    uint32_t reason, uint8_t isa, bool estimated)
{
	const struct profile_key key = {.operation = operation, .level = level, .reason = reason,
					.isa = isa};
	const struct profile_line *line = profile_lines_find(lines, &key);

	assert_non_null(line);
	assert_int_equal(line->estimated, estimated);
	return line->exits;
}

/* Operation 1 has batches, with 900 exits, and 2 has 50 of which none was recorded; 3 and what has no
 * operation share the other 1000 - 950 as they were recorded. */
static void division(void **state)
{
	struct profile_counts counts;
	struct profile_lines lines;

	(void)state;
	assert_int_equal(profile_counts_create(&counts, GROUP_OPERATION), 0);
	counts.l0_known = true;
	counts.l0 = 1000;
	counts.batch[1] = 900;
	counts.batch[2] = 50;
	add_times(counts.table, 1, LEVEL_L0, 28, 100, 2);
	add_times(counts.table, 1, LEVEL_L0, 30, 100, 1);
	add_times(counts.table, 3, LEVEL_L0, 10, 100, 4);
	add_times(counts.table, 0, LEVEL_L0, 10, 100, 1);
	add_times(counts.table, 1, LEVEL_VMM, 2, 100, 77);
	assert_int_equal(profile_lines_create(&lines, &counts, PROFILE_L0_PART), 0);
	assert_int_equal(lines.count, 6);
	assert_true(fabs(exits(&lines, 1, LEVEL_L0, 28, 1, true) - 600) < 1e-9);
	assert_true(fabs(exits(&lines, 1, LEVEL_L0, 30, 1, true) - 300) < 1e-9);
	assert_true(fabs(exits(&lines, 3, LEVEL_L0, 10, 1, true) - 40) < 1e-9);
	assert_true(fabs(exits(&lines, 0, LEVEL_L0, 10, 1, true) - 10) < 1e-9);
	assert_true(exits(&lines, 2, LEVEL_L0, PROFILE_REASON_OTHER, PROFILE_ISA_UNKNOWN, false) == 50);
	assert_true(exits(&lines, 1, LEVEL_VMM, 2, 1, false) == 77);
	assert_true(fabs(lines.total[LEVEL_L0] - 1000) < 1e-9);
	assert_true(lines.total[LEVEL_VMM] == 77);
	for (size_t i = 1; i < lines.count; i++)
		assert_true(lines.lines[i - 1].exits >= lines.lines[i].exits);
	profile_lines_destroy(&lines);

	/* Where every exit was recorded, the records are the counts. */
	assert_int_equal(profile_lines_create(&lines, &counts, PROFILE_L0_ALL), 0);
	assert_int_equal(lines.count, 5);
	assert_true(exits(&lines, 1, LEVEL_L0, 28, 1, false) == 2);
	assert_true(lines.total[LEVEL_L0] == 8);
	profile_lines_destroy(&lines);
	profile_counts_destroy(&counts);
}

/* Without permission to record, operations with batches have their counts, and the rest one line. */
static void nothing_recorded(void **state)
{
	struct profile_counts counts;
	struct profile_lines lines;

	(void)state;
	assert_int_equal(profile_counts_create(&counts, GROUP_OPERATION), 0);
	counts.l0_known = true;
	counts.l0 = 1000;
	counts.batch[5] = 400;
	assert_int_equal(profile_lines_create(&lines, &counts, PROFILE_L0_PART), 0);
	assert_int_equal(lines.count, 2);
	assert_true(exits(&lines, 5, LEVEL_L0, PROFILE_REASON_OTHER, PROFILE_ISA_UNKNOWN, false) == 400);
	assert_true(exits(&lines, 0, LEVEL_L0, PROFILE_REASON_OTHER, PROFILE_ISA_UNKNOWN, false) == 600);
	assert_null(lines.lines[0].row);
	profile_lines_destroy(&lines);

	/* A host that interprets has one reason only. */
	assert_int_equal(profile_lines_create(&lines, &counts, PROFILE_L0_SINGLE), 0);
	assert_true(exits(&lines, 5, LEVEL_L0, 0, 0, false) == 400);
	profile_lines_destroy(&lines);

	/* A batch that began in an earlier interval: more inside batches than there were. */
	counts.batch[5] = 2000;
	assert_int_equal(profile_lines_create(&lines, &counts, PROFILE_L0_PART), 0);
	assert_int_equal(lines.count, 1);
	profile_lines_destroy(&lines);

	/* Nobody counts: what was recorded is all there is to tell. */
	profile_counts_clear(&counts);
	add_times(counts.table, 1, LEVEL_L0, 28, 100, 2);
	assert_int_equal(profile_lines_create(&lines, &counts, PROFILE_L0_PART), 0);
	assert_int_equal(lines.count, 1);
	assert_true(exits(&lines, 1, LEVEL_L0, 28, 1, true) == 2);
	profile_lines_destroy(&lines);
	profile_counts_destroy(&counts);
}

/* What exits are counted by is all that tells rows apart. */
static void keys(void **state)
{
	const struct profile_exit named = {.rip = 0x1234, .symbol = 0x1200, .operation = 7, .reason = 30, .vm = 1,
					   .vcpu = 2, .level = LEVEL_L0, .isa = 1};
	struct profile_exit other = named, unnamed = named;
	struct profile_key a, b;

	(void)state;
	other.rip = 0x1238;
	other.operation = 8;
	other.reason = 28;
	other.vcpu = 3;
	a = profile_key_of(GROUP_SYMBOL, &named);
	b = profile_key_of(GROUP_SYMBOL, &other);
	assert_true(profile_key_same(&a, &b));
	assert_int_equal(a.value, 0x1200);
	assert_int_equal(a.reason, PROFILE_SYMBOL);
	/* Without a name, all of one block are together, and apart from a function at the same address. */
	unnamed.symbol = 0;
	b = profile_key_of(GROUP_SYMBOL, &unnamed);
	assert_int_equal(b.value, 0x1200);
	assert_false(profile_key_same(&a, &b));
	b = profile_key_of(GROUP_RIP, &other);
	assert_int_equal(b.value, 0x1238);
	assert_int_equal(b.operation, 0);
	assert_int_equal(profile_key_of(GROUP_VCPU, &other).value, profile_vcpu_value(1, 3));
	a = profile_key_of(GROUP_REASON, &named);
	assert_int_equal(a.reason, 30);
	assert_int_equal(a.isa, 1);
	assert_int_equal(a.operation, 0);
	a = profile_key_of(GROUP_LEVEL, &named);
	b = profile_key_of(GROUP_LEVEL, &other);
	assert_true(profile_key_same(&a, &b));
	other.nested = 1;
	b = profile_key_of(GROUP_LEVEL, &other);
	assert_false(profile_key_same(&a, &b));
	/* Of a guest that says what it does the function is of no matter. */
	assert_int_equal(profile_key_of(GROUP_OPERATION, &named).value, 0);
	other.operation = 0;
	assert_int_equal(profile_key_of(GROUP_OPERATION, &other).value, 0x1200);
	for (int by = 0; by < GROUP_KEY_COUNT; by++)
		assert_int_equal(profile_by_known((enum group_key)by), by <= GROUP_INSTRUCTION);
}

/* A vCPU that is watched, and what code is fetched. */
static struct plan plan;
static struct ss_vcpu_page page;
static struct vm vm;
static struct vcpu vcpu;
static struct profile profile;
static struct profile_counts counted;
static unsigned fetched;
static const char *code_now; /* what is in front of an address, two bytes of code from there on */

/* A vCPU's thread may not. */
static bool sealed;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	assert_false(sealed);
	return __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	assert_false(sealed);
	return __real_calloc(count, size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
	assert_false(sealed);
	return __real_realloc(old, size);
}

static void fetch(void *opaque, bool outer, struct record_code *record)
{
	(void)outer;
	assert_ptr_equal(opaque, &vcpu);
	fetched++;
	if (!code_now)
		return;
	record->before = 1;
	record->count = 4;
	memcpy(record->bytes, code_now, record->count);
}

#define CPUID "\x90\x0f\xa2\x90"
#define CLTS "\x90\x0f\x06\x90"
#define BEHIND_HLT "\xf4\x0f\xa2\x90"
#define FROM_CR0 "\x90\x0f\x20\xc0"

static void watch(enum group_key by)
{
	sealed = false;
	vm = (struct vm){.plan = &plan};
	vcpu = (struct vcpu){.vm = &vm, .page = &page};
	fetched = 0;
	vcpu.recorder = recorder_create(0, 0, &plan.image, &page);
	assert_non_null(vcpu.recorder);
	assert_int_equal(profile_create(&profile, HOST_BACKEND_VMX, by, -1), 0);
	assert_int_equal(profile_counts_create(&counted, by), 0);
	assert_int_equal(profile_attach(&profile, &vcpu), 0);
	assert_int_equal(vcpu.recorder->capture.fetch != NULL, by == GROUP_INSTRUCTION);
	if (by == GROUP_INSTRUCTION)
		vcpu.recorder->capture.fetch = fetch;
	sealed = true;
}

static void watch_no_more(void)
{
	sealed = false;
	profile_detach(&vcpu);
	recorder_destroy(vcpu.recorder);
	profile_counts_destroy(&counted);
	profile_destroy(&profile);
}

static void exit_at(uint64_t rip, enum level level, uint16_t reason)
{
	struct record_exit exit = {.record = {.type = RECORD_EXIT, .size = sizeof(exit), .level = (uint16_t)level},
				   .rip = rip, .reason = reason};

	recorder_exit(vcpu.recorder, &exit);
}

static void l0_exit_at(uint64_t rip)
{
	struct record_l0_exit exit = {.record = {.type = RECORD_L0_EXIT, .size = sizeof(exit), .level = LEVEL_L0},
				      .rip = rip, .reason = 10};

	recorder_add(vcpu.recorder, &exit.record);
}

static uint64_t exits_of(const char *instruction, enum level level)
{
	uint64_t sum = 0;

	vcpu.recorder->watch->ended(vcpu.recorder->watch);
	profile_take(&profile, &counted);
	for (size_t i = 0; i < counted.table->count; i++) {
		const struct profile_row *row = &counted.table->rows[i];
		const struct cell name = exit_groups_instruction(row->key.value);

		if (row->key.level == level && strcmp(name.buffer, instruction) == 0)
			sum += row->count;
	}
	return sum;
}

/* Exits at any level have the name of what they are at, or behind, and addresses are of no matter. */
static void instructions(void **state)
{
	(void)state;
	watch(GROUP_INSTRUCTION);
	code_now = CPUID;
	exit_at(0x1000, LEVEL_VMM, EXIT_REASON_IO);
	exit_at(0x1000, LEVEL_VMM, EXIT_REASON_IO);
	exit_at(0x1100, LEVEL_VMM, EXIT_REASON_MMIO);
	l0_exit_at(0x1000);
	code_now = FROM_CR0;
	exit_at(0x2000, LEVEL_MONITOR, 28);
	code_now = BEHIND_HLT;
	exit_at(0x3001, LEVEL_VMM, EXIT_REASON_HLT);
	l0_exit_at(0x3001);
	code_now = NULL;
	exit_at(0x4000, LEVEL_VMM, EXIT_REASON_IO);
	l0_exit_at(0x5000);
	assert_int_equal(fetched, 5);
	assert_int_equal(exits_of("cpuid", LEVEL_VMM), 3);
	assert_int_equal(exits_of("cpuid", LEVEL_L0), 2);
	assert_int_equal(exits_of("mov from cr0", LEVEL_MONITOR), 1);
	assert_int_equal(exits_of("hlt", LEVEL_VMM), 1);
	assert_int_equal(exits_of("?", LEVEL_VMM), 1);
	assert_int_equal(exits_of("?", LEVEL_L0), 1);
	assert_int_equal(counted.table->count, 6);
	watch_no_more();
}

/* What a guest puts at an address later is called what was there first, as in a report. */
static void changed_code(void **state)
{
	(void)state;
	watch(GROUP_INSTRUCTION);
	code_now = CLTS;
	exit_at(0x1000, LEVEL_MONITOR, 28);
	code_now = CPUID;
	exit_at(0x1000, LEVEL_MONITOR, 28);
	exit_at(0x1000, LEVEL_VMM, EXIT_REASON_IO);
	assert_int_equal(exits_of("clts", LEVEL_MONITOR), 2);
	assert_int_equal(exits_of("clts", LEVEL_VMM), 1);
	assert_int_equal(counted.table->count, 2);
	watch_no_more();
}

/* However many addresses a guest exits at, and however many ways, none is lost and no memory is asked for. */
static void too_many_addresses(void **state)
{
	const unsigned addresses = CODE_CAPTURES_MAX + 1000;

	(void)state;
	watch(GROUP_INSTRUCTION);
	code_now = CPUID;
	for (uint16_t reason = 0; reason < 4; reason++)
		for (unsigned i = 0; i < addresses; i++)
			exit_at(0x1000 + i, LEVEL_MONITOR, reason);
	assert_int_equal(fetched, CODE_CAPTURES_MAX);
	assert_int_equal(exits_of("cpuid", LEVEL_MONITOR), 4 * CODE_CAPTURES_MAX);
	assert_int_equal(exits_of("?", LEVEL_MONITOR), 4 * 1000);
	watch_no_more();
}

/* By anything else nobody reads code, and that which a ledger has is no exit. */
static void code_is_for_instructions_only(void **state)
{
	struct record_code code = {.record = {.type = RECORD_CODE, .size = sizeof(code)}, .rip = 0x1000};

	(void)state;
	watch(GROUP_REASON);
	exit_at(0x1000, LEVEL_VMM, EXIT_REASON_IO);
	recorder_add(vcpu.recorder, &code.record);
	vcpu.recorder->watch->ended(vcpu.recorder->watch);
	profile_take(&profile, &counted);
	assert_int_equal(counted.table->count, 1);
	assert_int_equal(counted.table->rows[0].key.reason, EXIT_REASON_IO);
	watch_no_more();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),	    cmocka_unit_test(too_many_rows),
		cmocka_unit_test(quantiles), cmocka_unit_test(untimed),
		cmocka_unit_test(merging),   cmocka_unit_test(division),
		cmocka_unit_test(nothing_recorded), cmocka_unit_test(keys),
		cmocka_unit_test(instructions), cmocka_unit_test(changed_code),
		cmocka_unit_test(too_many_addresses), cmocka_unit_test(code_is_for_instructions_only),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
