/* SPDX-License-Identifier: GPL-2.0-only */
/* The line that says what a command does, on a pipe that passes for a terminal of 60 columns, by a clock of the test's. */
#include "tests/unit/cmocka_prelude.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vmm/base/error.h"
#include "vmm/base/progress.h"
#include "vmm/base/stream.h"

#define ERASE "\r\033[K"

static uint64_t now_ms;
static unsigned looked; /* at the clock */
static int screen[2], before;

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	looked++;
	*time = (struct timespec){.tv_sec = (time_t)(now_ms / 1000), .tv_nsec = (long)(now_ms % 1000 * 1000000)};
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;

	(void)fd;
	assert_int_equal(request, TIOCGWINSZ);
	va_start(args, request);
	*va_arg(args, struct winsize *) = (struct winsize){.ws_row = 24, .ws_col = 60};
	va_end(args);
	return 0;
}

int __wrap_isatty(int fd);
int __wrap_isatty(int fd)
{
	return fd == screen[1];
}

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(pipe2(screen, O_NONBLOCK | O_CLOEXEC), 0);
	before = dup(STDERR_FILENO);
	assert_int_equal(dup2(screen[1], STDERR_FILENO), STDERR_FILENO);
	now_ms = 5000;
	progress_start("report", true);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	progress_stop();
	dup2(before, STDERR_FILENO);
	close(before);
	close(screen[0]);
	close(screen[1]);
	return 0;
}

/* What has been drawn since the last time. */
static const char *drawn(void)
{
	static char text[4096];
	ssize_t n = read(screen[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void nothing_for_a_second(void **state)
{
	(void)state;
	progress_step("reading %s", "run.ledger");
	now_ms += 999;
	progress_at(1, 2);
	progress_end();
	assert_string_equal(drawn(), "");
}

static void a_step_and_how_far_it_is(void **state)
{
	(void)state;
	progress_step("reading %s", "run.ledger");
	now_ms += 1000;
	progress_at(43, 100);
	assert_string_equal(drawn(), ERASE "report: reading run.ledger, 43 %");
	now_ms += 1000;
	progress_at(12 * PROGRESS_BYTES, 0);
	assert_string_equal(drawn(), ERASE "report: reading run.ledger, 12 MiB");
	now_ms += 1000;
	progress_step("counting");
	assert_string_equal(drawn(), ERASE "report: counting");
	progress_end();
	assert_string_equal(drawn(), ERASE);
	progress_end();
	assert_string_equal(drawn(), "");
}

/* Whatever comes between two steps is in none. */
static void no_step_no_line(void **state)
{
	(void)state;
	progress_step("reading");
	progress_end();
	now_ms += 5000;
	progress_at(1, 2);
	assert_string_equal(drawn(), "");
}

static void a_few_times_a_second(void **state)
{
	unsigned lines = 0;

	(void)state;
	now_ms += 1000;
	progress_step("reading");
	for (unsigned i = 0; i < 1000; i++, now_ms++)
		progress_at(i, 1000);
	for (const char *text = drawn(); (text = strstr(text, ERASE)) != NULL; text++)
		lines++;
	assert_in_range(lines, 2, 5);
}

static void no_longer_than_the_screen_is_wide(void **state)
{
	char name[200];
	const char *text;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	now_ms += 1000;
	progress_step("reading %s", name);
	progress_at(0, 1);
	now_ms += 1000;
	progress_at(43, 100);
	text = strstr(drawn() + 1, ERASE) + strlen(ERASE);
	assert_in_range(strlen(text), 50, 59);
	assert_memory_equal(text, "report: reading xxx", 19);
	assert_string_equal(text + strlen(text) - 9, "xxx, 43 %");
}

static void a_name_does_not_speak_to_the_terminal(void **state)
{
	(void)state;
	now_ms += 1000;
	progress_step("reading a\033[2Jb\nc");
	assert_string_equal(drawn(), ERASE "report: reading a\\x1b[2Jb\\x0ac");
}

static void gone_before_a_message(void **state)
{
	struct error error = {0};

	(void)state;
	now_ms += 1000;
	progress_step("reading");
	drawn();
	error_set(&error, -1, STATUS_USAGE, "no");
	error_report(&error);
	assert_string_equal(drawn(), ERASE "sidestep: no\n");
}

static void gone_for_good_before_data(void **state)
{
	FILE *file;

	(void)state;
	now_ms += 1000;
	progress_step("reading");
	drawn();
	file = stream_open(screen[1], false);
	assert_non_null(file);
	fputs("data", file);
	assert_string_equal(drawn(), "");
	fflush(file);
	assert_string_equal(drawn(), ERASE "data");
	now_ms += 1000;
	progress_step("adding up");
	progress_show("shown at once");
	assert_string_equal(drawn(), "");
	assert_false(progress_is_shown());
	stream_finish(file);
}

/* Who reads it may have the same screen. */
static void gone_for_good_before_data_for_a_pager(void **state)
{
	int ends[2], out = dup(STDOUT_FILENO);
	const char *text;
	FILE *file;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	now_ms += 1000;
	progress_step("reading");
	drawn();
	/* Nothing is asserted while the test's own output would go there. */
	dup2(ends[1], STDOUT_FILENO);
	file = stream_open(STDOUT_FILENO, false);
	if (file) {
		fputs("data", file);
		stream_finish(file);
	}
	dup2(out, STDOUT_FILENO);
	text = drawn();
	close(out);
	close(ends[0]);
	close(ends[1]);
	assert_non_null(file);
	assert_string_equal(text, ERASE);
	assert_false(progress_is_shown());
}

/* Data that goes elsewhere does not meet it. */
static void stays_beside_data_in_a_file(void **state)
{
	int fd = memfd_create("data", MFD_CLOEXEC);
	FILE *file = stream_open(fd, false);

	(void)state;
	assert_non_null(file);
	now_ms += 1000;
	fputs("data", file);
	fflush(file);
	progress_step("writing");
	assert_string_equal(drawn(), ERASE "report: writing");
	stream_finish(file);
	close(fd);
}

static void a_line_of_another_kind_at_once(void **state)
{
	(void)state;
	progress_show("[%u/%u] %s", 3u, 80u, "cr0.ts.clts");
	assert_string_equal(drawn(), ERASE "[3/80] cr0.ts.clts");
	progress_abandon();
	assert_string_equal(drawn(), ERASE);
}

static void no_screen_no_line_and_no_clock(void **state)
{
	(void)state;
	progress_stop();
	progress_start("report", false);
	looked = 0;
	now_ms += 2000;
	progress_step("reading");
	progress_at(1, 2);
	progress_show("shown at once");
	progress_abandon();
	progress_end();
	assert_string_equal(drawn(), "");
	assert_int_equal(looked, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_for_a_second),
		TEST(a_step_and_how_far_it_is),
		TEST(no_step_no_line),
		TEST(a_few_times_a_second),
		TEST(no_longer_than_the_screen_is_wide),
		TEST(a_name_does_not_speak_to_the_terminal),
		TEST(gone_before_a_message),
		TEST(gone_for_good_before_data),
		TEST(gone_for_good_before_data_for_a_pager),
		TEST(stays_beside_data_in_a_file),
		TEST(a_line_of_another_kind_at_once),
		TEST(no_screen_no_line_and_no_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
