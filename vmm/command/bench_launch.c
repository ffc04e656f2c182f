/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/command/bench_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "views/list.h"
#include "vmm/command/session.h"
#include "vmm/table/json.h"

#define LAUNCH_VERSION 1
#define LAUNCHES 41

/* The least that a program must do to run a guest: tools/sidestep-bare.c. */
#define BARE_PROGRAM "sidestep-bare"

/* PROGRAM(ID, key, "in words"). */
#define PROGRAMS(X)                                                                                \
	X(NOTHING, "nothing", "a program that ends at once")                                       \
	X(VERSION, "version", "sidestep --version")                                                \
	X(BARE, "bare", "a bare KVM program")                                                      \
	X(RUN, "run", "sidestep run -q")

enum program_id {
#define X(id, key, words) PROGRAM_##id,
	PROGRAMS(X)
#undef X
	PROGRAM_COUNT
};

static const char *const program_keys[PROGRAM_COUNT] = {PROGRAMS(LIST_KEY)};
static const char *const program_words[PROGRAM_COUNT] = {PROGRAMS(LIST_MEANING)};

#define LAUNCH_COLUMNS(X)                                                                          \
	X(PROGRAM, "PROGRAM", "program", TABLE_NO_JSON)                                            \
	X(KEY, "", "program", TABLE_ONLY_JSON)                                                     \
	X(MINIMUM, "MIN us", "minimum_us", TABLE_RIGHT)                                            \
	X(MEDIAN, "MEDIAN us", "median_us", TABLE_RIGHT)                                           \
	X(RATIO, "RATIO", "ratio", TABLE_RIGHT | TABLE_NO_JSON)                                    \
	X(RATIO_IN_JSON, "", "ratio", TABLE_ONLY_JSON)

enum launch_column {
#define X(id, header, key, flags) LAUNCH_COLUMN_##id,
	LAUNCH_COLUMNS(X)
#undef X
	LAUNCH_COLUMN_COUNT
};

static const struct table_column columns[LAUNCH_COLUMN_COUNT] = {
#define X(id, header, key, flags) TABLE_PLAIN(header, key, flags),
	LAUNCH_COLUMNS(X)
#undef X
};

struct launch {
	size_t count;
	double *us[PROGRAM_COUNT]; /* of each launch; in order at the end */
	char sidestep[PATH_MAX], bare[PATH_MAX], guest[32];
	int guest_fd;
};

/* xor %eax, %eax; out %al, $0xf4. Where it begins is where sidestep puts a flat binary. */
static const unsigned char guest[] = {0x31, 0xc0, 0xe6, 0xf4};

/* Beside the program, where it was built, or where it was installed. */
static int find_bare(struct launch *launch, struct error *error)
{
	static const char *const places[] = {".", "tools", SIDESTEP_PROGRAMS};
	const ssize_t length = readlink("/proc/self/exe", launch->sidestep, sizeof(launch->sidestep) - 1);
	const char *slash;

	launch->sidestep[length > 0 ? length : 0] = '\0';
	slash = strrchr(launch->sidestep, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		int size = snprintf(launch->bare, sizeof(launch->bare), "%.*s/%s/" BARE_PROGRAM,
				    (int)(slash - launch->sidestep), launch->sidestep, places[i]);

		if (size < (int)sizeof(launch->bare) && access(launch->bare, X_OK) == 0)
			return 0;
	}
	return error_set(error, -ENOENT, STATUS_INTERNAL,
			 BARE_PROGRAM " is not there; it is installed with the labs, by the package sidestep-tools");
}

/* A file without a name, which the programs inherit. */
static int make_guest(struct launch *launch, struct error *error)
{
	launch->guest_fd = memfd_create("guest", 0);
	if (launch->guest_fd < 0 || write(launch->guest_fd, guest, sizeof(guest)) != sizeof(guest))
		return error_set(error, -errno, STATUS_INTERNAL, "a guest to launch: %s", strerror(errno));
	snprintf(launch->guest, sizeof(launch->guest), "/proc/self/fd/%d", launch->guest_fd);
	return 0;
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Its exit status, or a negative errno. What it prints on standard error stays visible. */
static int launch_once(const char *const argv[], double *ret_us)
{
	const double start = now_us();
	posix_spawn_file_actions_t actions;
	int rc, status = 0;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	rc = -posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	while (rc == 0 && waitpid(pid, &status, 0) < 0)
		rc = errno == EINTR ? 0 : -errno;
	*ret_us = now_us() - start;
	return rc != 0 ? rc : WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL + WTERMSIG(status);
}

static int launch_program(struct launch *launch, enum program_id id, double *ret_us, struct error *error)
{
	const char *const lines[PROGRAM_COUNT][5] = {
		[PROGRAM_NOTHING] = {launch->bare},
		[PROGRAM_VERSION] = {launch->sidestep, "--version"},
		[PROGRAM_BARE] = {launch->bare, launch->guest},
		[PROGRAM_RUN] = {launch->sidestep, "run", "-q", launch->guest},
	};
	const int status = launch_once(lines[id], ret_us);

	if (status == 0)
		return 0;
	if (status < 0)
		return error_set(error, status, STATUS_INTERNAL, "%s: %s", lines[id][0], strerror(-status));
	return error_set(error, -ENODEV, status == STATUS_SKIPPED ? STATUS_SKIPPED : STATUS_INTERNAL,
			 "%s ends with status %d", program_words[id], status);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* In turn, so that whatever else this host does disturbs all of them. The first time each is read from the disk. */
static int launch_all(struct launch *launch, struct error *error)
{
	double first;
	int rc = 0;

	for (int id = PROGRAM_COUNT - 1; id >= 0 && rc == 0; id--)
		rc = launch_program(launch, (enum program_id)id, &first, error);
	for (size_t i = 0; i < launch->count && rc == 0; i++)
		for (int id = 0; id < PROGRAM_COUNT && rc == 0; id++)
			rc = launch_program(launch, (enum program_id)id, &launch->us[id][i], error);
	for (int id = 0; id < PROGRAM_COUNT && rc == 0; id++)
		qsort(launch->us[id], launch->count, sizeof(double), by_value);
	return rc;
}

static struct cell cell_at(const void *data, size_t row, size_t column)
{
	const struct launch *launch = data;
	const double median = launch->us[row][launch->count / 2];
	const double ratio = median / launch->us[PROGRAM_BARE][launch->count / 2];

	switch ((enum launch_column)column) {
	case LAUNCH_COLUMN_PROGRAM:
		return cell_of_text(program_words[row]);
	case LAUNCH_COLUMN_KEY:
		return cell_of_text(program_keys[row]);
	case LAUNCH_COLUMN_MINIMUM:
		return cell_of_number(CELL_NUMBER, true, launch->us[row][0]);
	case LAUNCH_COLUMN_MEDIAN:
		return cell_of_number(CELL_NUMBER, true, median);
	case LAUNCH_COLUMN_RATIO:
		return cell_of_format("%.2f", ratio);
	default:
		return cell_of_number(CELL_NUMBER, true, ratio);
	}
}

static int write_launches(const void *data, const struct settings *settings, FILE *stream)
{
	const struct launch *launch = data;
	const struct table table = {columns, LAUNCH_COLUMN_COUNT, PROGRAM_COUNT, cell_at, data, .fit = false};
	json_t *root;

	if (strcmp(settings->format, "json") != 0) {
		fprintf(stream, "launch to the end of a guest of two instructions, %zu each, RATIO of medians\n\n",
			launch->count);
		return table_text(&table, stream);
	}
	root = json_begin("sidestep.launch", LAUNCH_VERSION);
	json_object_set_new(root, "launches", json_count(launch->count));
	json_object_set_new(root, "programs", table_json(&table));
	return json_finish(root, stream);
}

/* Nothing else would have an effect. */
static int check_options(const struct settings *settings, struct error *error)
{
	static const char *const names[] = {"launch", "count", "format", "output"};

	if (settings->operand_count > 0)
		return error_set(error, -EINVAL, STATUS_USAGE, "--launch performs no operation; leave out '%s'",
				 settings->operands[0]);
	for (unsigned i = 0; i < settings->given_count; i++) {
		size_t n = 0;

		while (n < sizeof(names) / sizeof(names[0]) && strcmp(names[n], settings->given[i].name) != 0)
			n++;
		if (n == sizeof(names) / sizeof(names[0]))
			return error_set(error, -EINVAL, STATUS_USAGE, "--launch performs no operation; leave out --%s",
					 settings->given[i].name);
	}
	return 0;
}

static int prepare(struct launch *launch, const struct settings *settings, struct error *error)
{
	int rc = check_options(settings, error);

	if (rc == 0)
		rc = find_bare(launch, error);
	if (rc == 0)
		rc = make_guest(launch, error);
	launch->count = settings->plan.iterations ? settings->plan.iterations : LAUNCHES;
	for (int id = 0; id < PROGRAM_COUNT && rc == 0; id++) {
		launch->us[id] = calloc(launch->count, sizeof(double));
		if (!launch->us[id])
			rc = error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	}
	return rc;
}

int bench_launch(const struct settings *settings)
{
	struct launch launch = {.guest_fd = -1};
	struct error error = {0};
	int rc = prepare(&launch, settings, &error);

	if (rc == 0)
		rc = launch_all(&launch, &error);
	if (rc == 0)
		output_emit(write_launches, &launch, settings, &error);
	for (int id = 0; id < PROGRAM_COUNT; id++)
		free(launch.us[id]);
	if (launch.guest_fd >= 0)
		close(launch.guest_fd);
	/* The program that has found no KVM has said why. */
	if (error.text[0] && error.status == STATUS_SKIPPED)
		return STATUS_SKIPPED;
	return error.text[0] ? error_report(&error) : STATUS_SUCCESS;
}
