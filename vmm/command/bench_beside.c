/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/command/bench_beside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vmm/command/session.h"
#include "vmm/ledger/ledger.h"
#include "vmm/table/json.h"

#define BESIDE_VERSION 1
#define PROGRAMS_MAX 4
#define ARGUMENTS_MAX 12

/* The least that a program must do to run a guest: tools/sidestep-bare.c. */
#define BARE_PROGRAM "sidestep-bare"

/* In place of arguments that are known when it runs. */
static const char the_guest[] = "GUEST", the_ledger[] = "FILE";

struct program {
	const char *key, *words; /* in JSON, and for people */
	bool bare;               /* of BARE_PROGRAM, else of this one */
	const char *arguments[ARGUMENTS_MAX - 2];
};

static const struct program launched[] = {
	{"nothing", "a program that ends at once", true, {NULL}},
	{"version", "sidestep --version", false, {"--version"}},
	{"bare", "a bare KVM program", true, {the_guest}},
	{"run", "sidestep run -q", false, {"run", "-q", the_guest}},
};

/* As an ordinary guest of KVM, which the bare program's is too. */
static const struct program exiting[] = {
	{"bare", "a bare KVM program", true, {the_guest}},
	{"run", "sidestep run -q", false, {"run", "-q", "--engine", "flat", the_guest}},
	{"ledger", "the same with a ledger", false,
	 {"run", "-q", "--engine", "flat", "--trace", "off", "--ledger", the_ledger, the_guest}},
};

struct beside;

/* What is measured. Of several guests each program runs each; the second one does more of the same. */
struct measure {
	const char *option, *schema, *counted;
	const struct program *programs;
	size_t program_count, guest_count;
	uint32_t count; /* without --count */
	const struct table_column *columns;
	size_t column_count;
	struct cell (*cell)(const void *data, size_t row, size_t column);
};

/* Of each launch of a program with a guest, in us; in order at the end. */
struct series {
	double *wall, *user; /* from start to end; of that, computed outside the kernel */
};

struct beside {
	const struct measure *measure;
	size_t count, rounds;
	struct series series[PROGRAMS_MAX][2];
	char sidestep[PATH_MAX], bare[PATH_MAX], guest[2][32], ledger[32];
	int guest_fd[2];
	FILE *ledger_file;
};

#define PORT 0x80
#define ROUNDS_OF_EXITS 5

/*
 *	mov $COUNT, %ecx
 * 1:	out %al, $PORT
 *	dec %ecx
 *	jnz 1b
 *	xor %eax, %eax		# a guest to launch is only this
 *	out %al, $0xf4
 * Where it begins is where sidestep puts a flat binary.
 */
static const unsigned char guest_code[] = {0xb9, 0,    0,    0,    0,    0xe6, PORT, 0xff,
					   0xc9, 0x75, 0xfa, 0x31, 0xc0, 0xe6, 0xf4};
#define GUEST_COUNT 1
#define GUEST_END 11

/* Beside the program, where it was built, or where it was installed. */
static int find_bare(struct beside *beside, struct error *error)
{
	static const char *const places[] = {".", "tools", SIDESTEP_PROGRAMS};
	const ssize_t length = readlink("/proc/self/exe", beside->sidestep, sizeof(beside->sidestep) - 1);
	const char *slash;

	beside->sidestep[length > 0 ? length : 0] = '\0';
	slash = strrchr(beside->sidestep, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		int size = snprintf(beside->bare, sizeof(beside->bare), "%.*s/%s/" BARE_PROGRAM,
				    (int)(slash - beside->sidestep), beside->sidestep, places[i]);

		if (size < (int)sizeof(beside->bare) && access(beside->bare, X_OK) == 0)
			return 0;
	}
	return error_set(error, -ENOENT, STATUS_INTERNAL,
			 BARE_PROGRAM " is not there; it is installed with the labs, by the package sidestep-tools");
}

static void name_descriptor(char name[32], int fd)
{
	snprintf(name, 32, "/proc/self/fd/%d", fd);
}

/* A file without a name, which the programs inherit. It writes the port `writes` times. */
static int make_guest(struct beside *beside, size_t index, uint32_t writes, struct error *error)
{
	const size_t skipped = writes ? 0 : GUEST_END, size = sizeof(guest_code) - skipped;
	unsigned char code[sizeof(guest_code)];
	const int fd = memfd_create("guest", 0);

	memcpy(code, guest_code, sizeof(code));
	memcpy(code + GUEST_COUNT, &writes, sizeof(writes));
	beside->guest_fd[index] = fd;
	if (fd < 0 || write(fd, code + skipped, size) != (ssize_t)size)
		return error_set(error, -errno, STATUS_INTERNAL, "a guest to launch: %s", strerror(errno));
	name_descriptor(beside->guest[index], fd);
	return 0;
}

/* On the file system of temporary files, and without a name, so that it is gone whatever ends us. */
static int make_ledger(struct beside *beside, struct error *error)
{
	beside->ledger_file = tmpfile();
	if (!beside->ledger_file)
		return error_set(error, -errno, STATUS_INTERNAL, "a temporary ledger: %s", strerror(errno));
	name_descriptor(beside->ledger, fileno(beside->ledger_file));
	return 0;
}

/* Whether the ledger has every one of the port writes, in order. */
static int check_ledger(const struct beside *beside, size_t writes, struct error *error)
{
	struct ledger_reader reader;
	const struct record *record;
	uint64_t found = 0, last = 0;
	bool whole = true;
	int rc = ledger_open(&reader, beside->ledger, error);

	if (rc != 0)
		return rc;
	while ((record = ledger_next(&reader)) != NULL) {
		const struct record_exit *exit = (const void *)record;

		if (record->type != RECORD_EXIT || record->level != LEVEL_VMM ||
		    exit->reason != EXIT_REASON_IO || exit->qualification != PORT)
			continue;
		found++;
		whole &= exit->time >= last;
		last = exit->time;
	}
	whole &= !reader.damaged && !reader.truncated && reader.header.lost == 0 && found == writes;
	ledger_reader_close(&reader);
	return whole ? 0
		     : error_set(error, -EIO, STATUS_INTERNAL, "the ledger has %llu of %zu port writes",
				 (unsigned long long)found, writes);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Its exit status, or a negative errno. What it prints on standard error stays visible. */
static int launch_once(const char *const argv[], double *ret_wall, double *ret_user)
{
	const double start = now_us();
	posix_spawn_file_actions_t actions;
	struct rusage usage = {0};
	int rc, status = 0;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	rc = -posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	while (rc == 0 && wait4(pid, &status, 0, &usage) < 0)
		rc = errno == EINTR ? 0 : -errno;
	*ret_wall = now_us() - start;
	*ret_user = (double)usage.ru_utime.tv_sec * 1e6 + (double)usage.ru_utime.tv_usec;
	return rc != 0 ? rc : WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status);
}

static int launch_program(struct beside *beside, size_t number, size_t guest, size_t round, struct error *error)
{
	const struct program *program = &beside->measure->programs[number];
	const struct series *series = &beside->series[number][guest];
	const char *argv[ARGUMENTS_MAX] = {program->bare ? beside->bare : beside->sidestep};
	int status;

	for (size_t i = 0; program->arguments[i]; i++)
		argv[i + 1] = program->arguments[i] == the_guest    ? beside->guest[guest]
			      : program->arguments[i] == the_ledger ? beside->ledger
								    : program->arguments[i];
	status = launch_once(argv, &series->wall[round], &series->user[round]);
	if (status == 0)
		return 0;
	if (status < 0)
		return error_set(error, status, STATUS_INTERNAL, "%s: %s", argv[0], strerror(-status));
	return error_set(error, -ENODEV, status == STATUS_SKIPPED ? STATUS_SKIPPED : STATUS_INTERNAL,
			 "%s ends with status %d", program->words, status);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* In turn, so that whatever else this host does disturbs all of them. The first time each is read from the disk, which
 * the first round does again; the last guest is the one with the most to record. */
static int launch_all(struct beside *beside, struct error *error)
{
	const struct measure *measure = beside->measure;
	int rc = 0;

	for (size_t number = measure->program_count; number-- > 0 && rc == 0;)
		rc = launch_program(beside, number, 0, 0, error);
	for (size_t round = 0; round < beside->rounds && rc == 0; round++)
		for (size_t guest = 0; guest < measure->guest_count; guest++)
			for (size_t number = 0; number < measure->program_count && rc == 0; number++)
				rc = launch_program(beside, number, guest, round, error);
	for (size_t number = 0; number < measure->program_count && rc == 0; number++)
		for (size_t guest = 0; guest < measure->guest_count; guest++) {
			qsort(beside->series[number][guest].wall, beside->rounds, sizeof(double), by_value);
			qsort(beside->series[number][guest].user, beside->rounds, sizeof(double), by_value);
		}
	return rc;
}

static const struct program *program_at(const struct beside *beside, size_t row)
{
	return &beside->measure->programs[row];
}

/* The row of the program whose key is "bare". */
static size_t measure_row(const struct beside *beside)
{
	size_t row = 0;

	while (strcmp(program_at(beside, row)->key, "bare") != 0)
		row++;
	return row;
}

#define NAME_COLUMNS(X)                                                                            \
	X(PROGRAM, "PROGRAM", "program", TABLE_NO_JSON)                                            \
	X(KEY, "", "program", TABLE_ONLY_JSON)

#define RATIO_COLUMNS(X)                                                                           \
	X(RATIO, "RATIO", "ratio", TABLE_RIGHT | TABLE_NO_JSON)                                    \
	X(RATIO_IN_JSON, "", "ratio", TABLE_ONLY_JSON)

#define LAUNCH_COLUMNS(X)                                                                          \
	NAME_COLUMNS(X)                                                                            \
	X(MINIMUM, "MIN us", "minimum_us", TABLE_RIGHT)                                            \
	X(MEDIAN, "MEDIAN us", "median_us", TABLE_RIGHT)                                           \
	RATIO_COLUMNS(X)

#define EXIT_COLUMNS(X)                                                                            \
	NAME_COLUMNS(X)                                                                            \
	X(EACH, "EXIT ns", "exit_ns", TABLE_RIGHT)                                                 \
	X(OUTSIDE, "OUTSIDE ns", "outside_ns", TABLE_RIGHT)                                        \
	X(MORE, "MORE ns", "more_ns", TABLE_RIGHT)                                                 \
	RATIO_COLUMNS(X)

#define LAUNCH_ID(id, header, key, flags) LAUNCH_##id,
#define EXIT_ID(id, header, key, flags) EXIT_##id,
#define COLUMN_ROW(id, header, key, flags) TABLE_PLAIN(header, key, flags),

static struct cell launch_cell(const void *data, size_t row, size_t column)
{
	enum { LAUNCH_COLUMNS(LAUNCH_ID) };
	const struct beside *beside = data;
	const size_t middle = beside->count / 2;
	const double median = beside->series[row][0].wall[middle];
	const double ratio = median / beside->series[measure_row(beside)][0].wall[middle];

	switch (column) {
	case LAUNCH_PROGRAM:
		return cell_of_text(program_at(beside, row)->words);
	case LAUNCH_KEY:
		return cell_of_text(program_at(beside, row)->key);
	case LAUNCH_MINIMUM:
		return cell_of_number(CELL_NUMBER, true, beside->series[row][0].wall[0]);
	case LAUNCH_MEDIAN:
		return cell_of_number(CELL_NUMBER, true, median);
	case LAUNCH_RATIO:
		return cell_of_format("%.2f", ratio);
	default:
		return cell_of_number(CELL_NUMBER, true, ratio);
	}
}

/* What one of `count` exits took, without the launch: the other guest does all but these. */
static double exit_ns(const struct beside *beside, size_t row, bool outside)
{
	const struct series *series = beside->series[row];
	const size_t middle = beside->rounds / 2;
	const double us = outside ? series[1].user[middle] - series[0].user[middle]
				  : series[1].wall[middle] - series[0].wall[middle];

	return us * 1e3 / (double)beside->count;
}

static struct cell exit_cell(const void *data, size_t row, size_t column)
{
	enum { EXIT_COLUMNS(EXIT_ID) };
	const struct beside *beside = data;
	const double each = exit_ns(beside, row, false), bare = exit_ns(beside, measure_row(beside), false);

	switch (column) {
	case EXIT_PROGRAM:
		return cell_of_text(program_at(beside, row)->words);
	case EXIT_KEY:
		return cell_of_text(program_at(beside, row)->key);
	case EXIT_EACH:
		return cell_of_number(CELL_NUMBER, true, each);
	case EXIT_OUTSIDE:
		return cell_of_number(CELL_NUMBER, true, exit_ns(beside, row, true));
	case EXIT_MORE:
		return cell_of_number(CELL_NUMBER, true, each - bare);
	case EXIT_RATIO:
		return cell_of_format("%.2f", each / bare);
	default:
		return cell_of_number(CELL_NUMBER, true, each / bare);
	}
}

static const struct table_column launch_columns[] = {LAUNCH_COLUMNS(COLUMN_ROW)};
static const struct table_column exit_columns[] = {EXIT_COLUMNS(COLUMN_ROW)};

#define ARRAY(array) (array), sizeof(array) / sizeof((array)[0])

static const struct measure launches = {
	"--launch", "sidestep.launch", "launches", ARRAY(launched), 1, 41, ARRAY(launch_columns), launch_cell,
};

static const struct measure exits = {
	"--exit", "sidestep.exit", "exits", ARRAY(exiting), 2, 300000, ARRAY(exit_columns), exit_cell,
};

static void write_heading(const struct beside *beside, FILE *stream)
{
	if (beside->measure == &exits)
		fprintf(stream, "one of %zu port writes that exit to user space, of medians of %zu; OUTSIDE: of that, outside the "
			"kernel\n\n", beside->count, beside->rounds);
	else
		fprintf(stream, "launch to the end of a guest of two instructions, %zu each, RATIO of medians\n\n", beside->count);
}

static int write_table(const void *data, const struct settings *settings, FILE *stream)
{
	const struct beside *beside = data;
	const struct measure *measure = beside->measure;
	const struct table table = {measure->columns, measure->column_count, measure->program_count, measure->cell, data,
				    .fit = false};
	json_t *root;

	if (strcmp(settings->format, "json") != 0) {
		write_heading(beside, stream);
		return table_text(&table, stream);
	}
	root = json_begin(measure->schema, BESIDE_VERSION);
	json_object_set_new(root, measure->counted, json_count(beside->count));
	json_object_set_new(root, "programs", table_json(&table));
	return json_finish(root, stream);
}

/* Nothing else would have an effect. */
static int check_options(const struct measure *measure, const struct settings *settings, struct error *error)
{
	const char *const names[] = {measure->option + 2, "count", "format", "output"};

	if (settings->operand_count > 0)
		return error_set(error, -EINVAL, STATUS_USAGE, "%s performs no operation; leave out '%s'",
				 measure->option, settings->operands[0]);
	for (unsigned i = 0; i < settings->given_count; i++) {
		size_t n = 0;

		while (n < sizeof(names) / sizeof(names[0]) && strcmp(names[n], settings->given[i].name) != 0)
			n++;
		if (n == sizeof(names) / sizeof(names[0]))
			return error_set(error, -EINVAL, STATUS_USAGE, "%s performs no operation; leave out --%s",
					 measure->option, settings->given[i].name);
	}
	return 0;
}

static int prepare(struct beside *beside, const struct settings *settings, struct error *error)
{
	const struct measure *measure = beside->measure;
	int rc = check_options(measure, settings, error);

	beside->count = settings->plan.iterations ? settings->plan.iterations : measure->count;
	beside->rounds = measure == &exits ? ROUNDS_OF_EXITS : beside->count;
	if (rc == 0)
		rc = find_bare(beside, error);
	/* One write before those that are counted, which is in a place that no exit was seen at. */
	for (size_t guest = 0; guest < measure->guest_count && rc == 0; guest++)
		rc = make_guest(beside, guest, measure == &exits ? 1 + (uint32_t)(guest * beside->count) : 0, error);
	if (rc == 0 && measure == &exits)
		rc = make_ledger(beside, error);
	for (size_t i = 0; i < measure->program_count * measure->guest_count && rc == 0; i++) {
		struct series *series = &beside->series[i / measure->guest_count][i % measure->guest_count];

		series->wall = calloc(beside->rounds, sizeof(double));
		series->user = calloc(beside->rounds, sizeof(double));
		if (!series->wall || !series->user)
			rc = error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	}
	return rc;
}

static void finish(struct beside *beside)
{
	for (size_t i = 0; i < PROGRAMS_MAX * 2; i++) {
		free(beside->series[i / 2][i % 2].wall);
		free(beside->series[i / 2][i % 2].user);
	}
	for (size_t guest = 0; guest < 2; guest++)
		if (beside->guest_fd[guest] >= 0)
			close(beside->guest_fd[guest]);
	if (beside->ledger_file)
		fclose(beside->ledger_file);
}

static int measure_beside(const struct measure *measure, const struct settings *settings)
{
	struct beside beside = {.measure = measure, .guest_fd = {-1, -1}};
	struct error error = {0};
	int rc = prepare(&beside, settings, &error);

	if (rc == 0)
		rc = launch_all(&beside, &error);
	if (rc == 0 && beside.ledger_file)
		rc = check_ledger(&beside, beside.count + 1, &error);
	if (rc == 0)
		output_emit(write_table, &beside, settings, &error);
	finish(&beside);
	/* The program that has found no KVM has said why. */
	if (error.text[0] && error.status == STATUS_SKIPPED)
		return STATUS_SKIPPED;
	return error.text[0] ? error_report(&error) : STATUS_SUCCESS;
}

int bench_launch(const struct settings *settings)
{
	return measure_beside(&launches, settings);
}

int bench_exit(const struct settings *settings)
{
	return measure_beside(&exits, settings);
}
