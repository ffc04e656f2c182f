/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/console.h"

static bool reluctant;

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	static unsigned calls;

	if (reluctant && ++calls % 2) {
		errno = EINTR;
		return -1;
	}
	return __real_write(fd, data, reluctant && size > 3 ? 3 : size);
}

static int memory_file(void)
{
	int fd = memfd_create("console", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void expect_file(int fd, const void *text, size_t size)
{
	char data[4096];

	assert_true(size <= sizeof(data));
	assert_int_equal(lseek(fd, 0, SEEK_END), size);
	assert_int_equal(pread(fd, data, sizeof(data), 0), size);
	assert_memory_equal(data, text, size);
}

static void every_byte(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		for (int keep = 0; keep < 2; keep++) {
			bool plain = (byte >= 0x20 && byte < 0x7f) ||
				     (keep && (byte == '\n' || byte == '\t'));
			char out[5] = {0}, wanted[8];

			if (plain)
				snprintf(wanted, sizeof(wanted), "%c", byte);
			else
				snprintf(wanted, sizeof(wanted), "\\x%02x", byte);
			assert_int_equal(console_escape(out, (unsigned char)byte, keep),
					 plain ? 1 : 4);
			assert_string_equal(out, wanted);
		}
	}
}

/* A file gets what the guest wrote, byte by byte. */
static void raw(void **state)
{
	struct console console;
	unsigned char all[256];
	int fd = memory_file();

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		all[i] = (unsigned char)i;
	console_init(&console, fd, CONSOLE_LIMIT);
	assert_false(console.escape);
	console_write(&console, (char *)all, sizeof(all));
	console_finish(&console);
	expect_file(fd, all, sizeof(all));
	close(fd);
}

/* A terminal gets no control character but newline and tab. */
static void terminal(void **state)
{
	static const char text[] = "a\033[31m\n\tb\x9b\x7f\n";
	static const char wanted[] = "a\\x1b[31m\n\tb\\x9b\\x7f\n";
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct console console;
	char data[128];
	size_t got = 0;

	(void)state;
	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
		skip();
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave < 0)
		skip();
	console_init(&console, slave, CONSOLE_LIMIT);
	assert_true(console.escape);
	console_write(&console, text, sizeof(text) - 1);
	console_finish(&console);
	/* The line discipline writes a newline as two characters. */
	while (got < sizeof(wanted) - 1 + 2) {
		ssize_t n = read(master, data + got, sizeof(data) - got);

		assert_true(n > 0);
		got += (size_t)n;
	}
	for (size_t i = 0, j = 0; j < sizeof(wanted) - 1; i++)
		if (data[i] != '\r')
			assert_int_equal(data[i], wanted[j++]);
	close(slave);
	close(master);
}

static void limit(void **state)
{
	for (uint64_t bound = 0; bound <= 12; bound++) {
		struct console console;
		int fd = memory_file();

		console_init(&console, fd, bound);
		console_write(&console, "0123", 4);
		console_write(&console, "4567", 4);
		assert_int_equal(console.written, bound < 8 ? bound : 8);
		assert_int_equal(console.dropped, bound < 8 ? 8 - bound : 0);
		console_finish(&console);
		expect_file(fd, "01234567", bound < 8 ? bound : 8);
		close(fd);
	}
	(void)state;
}

/* Complete lines are passed on at once, the rest when there is a line or no room. */
static void lines(void **state)
{
	char long_line[1300];
	struct console console;
	int fd = memory_file();

	(void)state;
	console_init(&console, fd, CONSOLE_LIMIT);
	console_write(&console, "one\ntw", 6);
	expect_file(fd, "one\n", 4);
	console_write(&console, "o\n", 2);
	expect_file(fd, "one\ntwo\n", 8);
	assert_int_equal(ftruncate(fd, 0), 0);
	lseek(fd, 0, SEEK_SET);
	memset(long_line, 'x', sizeof(long_line));
	console_write(&console, long_line, sizeof(long_line));
	console_flush(&console);
	expect_file(fd, long_line, sizeof(long_line));
	console_finish(&console);
	close(fd);
}

/* What somebody else writes next begins in a line of its own, also where the guest may print no more. */
static void ends_a_line(void **state)
{
	static const struct {
		const char *printed, *seen;
		uint64_t limit;
	} cases[] = {
		{"", "", CONSOLE_LIMIT},
		{"one\n", "one\n", CONSOLE_LIMIT},
		{"one", "one\n", CONSOLE_LIMIT},
		{"one\ntwo", "one\ntwo\n", CONSOLE_LIMIT},
		{"one\n", "on\n", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct console console;
		int fd = memory_file();

		console_init(&console, fd, cases[i].limit);
		console_write(&console, cases[i].printed, strlen(cases[i].printed));
		console_end_line(&console);
		console_end_line(&console);
		expect_file(fd, cases[i].seen, strlen(cases[i].seen));
		console_finish(&console);
		close(fd);
	}
}

/* Whoever answers sees at once what there is to answer to, by as many bytes as came together. */
static void prompts(void **state)
{
	struct console console;
	int fd = memory_file();

	(void)state;
	console_init(&console, fd, CONSOLE_LIMIT);
	assert_false(console.prompt);
	console_write(&console, "log", 3);
	expect_file(fd, "", 0);
	console.prompt = true;
	console_write(&console, "in", 2);
	expect_file(fd, "login", 5);
	console_write(&console, ":", 1);
	expect_file(fd, "login:", 6);
	console_write(&console, " \nx\033", 4);
	expect_file(fd, "login: \nx\033", 10);
	console_finish(&console);
	expect_file(fd, "login: \nx\033", 10);
	close(fd);
}

/* Nobody answers at the end, so nobody is waited for. */
static void prompts_until_the_end(void **state)
{
	atomic_bool stop = false;
	struct console console;
	int fd = memory_file();

	(void)state;
	console_init(&console, fd, CONSOLE_LIMIT);
	console.prompt = true;
	console.stop = &stop;
	console_write(&console, "$ ", 2);
	expect_file(fd, "$ ", 2);
	stop = true;
	console_write(&console, "more", 4);
	expect_file(fd, "$ ", 2);
	console_finish(&console);
	expect_file(fd, "$ more", 6);
	close(fd);
}

/* Where what is no text is made visible, the ends of lines are none of that; they count as output all the same. */
static void returns(void **state)
{
	static const char text[] = "one\r\ntwo\rthree\r\r\n";
	static const struct {
		bool escape, returns;
		const char *wanted;
	} rows[] = {
		{false, false, text},
		{false, true, text},
		{true, false, "one\\x0d\ntwo\\x0dthree\\x0d\\x0d\n"},
		{true, true, "one\ntwothree\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct console console;
		int fd = memory_file();

		console_init(&console, fd, CONSOLE_LIMIT);
		assert_false(console.lines_end_in_cr);
		console.escape = rows[i].escape;
		console.lines_end_in_cr = rows[i].returns;
		for (size_t j = 0; text[j]; j++)
			console_write(&console, text + j, 1);
		assert_int_equal(console.written, sizeof(text) - 1);
		console_finish(&console);
		expect_file(fd, rows[i].wanted, strlen(rows[i].wanted));
		close(fd);
	}
}

static void nowhere(void **state)
{
	struct console console;

	(void)state;
	console_init(&console, -1, 3);
	console_write(&console, "abcdef\n", 7);
	assert_int_equal(console.written, 3);
	assert_int_equal(console.dropped, 4);
	assert_int_equal(console.error, 0);
	console_finish(&console);
	console_finish(NULL);
}

static void write_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	struct console console;

	(void)state;
	assert_true(fd >= 0);
	console_init(&console, fd, CONSOLE_LIMIT);
	console_write(&console, "a\n", 2);
	assert_int_equal(console.error, ENOSPC);
	/* Once is enough: the rest is dropped without a system call. */
	close(fd);
	console_write(&console, "b\n", 2);
	assert_int_equal(console.error, ENOSPC);
	console_finish(&console);
}

/* A device that takes three bytes at a time, and every other time is interrupted first. */
static void partial(void **state)
{
	struct console console;
	char text[1000];
	int fd = memory_file();

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	reluctant = true;
	console_init(&console, fd, CONSOLE_LIMIT);
	console_write(&console, text, sizeof(text));
	console_finish(&console);
	reluctant = false;
	assert_int_equal(console.error, 0);
	expect_file(fd, text, sizeof(text));
	close(fd);
}

/* What was printed before the end reaches a reader who is there. */
static void last_words(void **state)
{
	atomic_bool stop = true;
	struct console console;
	char text[16] = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	console_init(&console, fds[1], CONSOLE_LIMIT);
	console.stop = &stop;
	console_write(&console, "the\nend", 7);
	console_finish(&console);
	assert_int_equal(read(fds[0], text, sizeof(text)), 7);
	assert_string_equal(text, "the\nend");
	close(fds[0]);
	close(fds[1]);
}

static atomic_bool alarmed;

static void on_alarm(int signal)
{
	(void)signal;
	alarmed = true;
}

/* Nobody reads: a write that waits is given up when a signal comes and `stop` is set, and no other begins. */
static void stuck(void **state)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct console console;
	char many[2000];
	int fds[2], size;

	(void)state;
	memset(many, 'x', sizeof(many));
	assert_int_equal(pipe(fds), 0);
	size = fcntl(fds[1], F_GETPIPE_SZ);
	assert_true(size > 0);
	for (int i = 0; i < size; i += 512) {
		static const char block[512];

		assert_int_equal(write(fds[1], block, sizeof(block)), sizeof(block));
	}
	sigaction(SIGALRM, &action, NULL);
	console_init(&console, fds[1], CONSOLE_LIMIT);
	console.stop = &alarmed;
	ualarm(50000, 0);
	console_write(&console, "never read\n", 11);
	assert_true(alarmed);
	console_write(&console, many, sizeof(many));
	console_finish(&console);
	assert_int_equal(console.error, 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte),  cmocka_unit_test(raw),     cmocka_unit_test(terminal),
		cmocka_unit_test(limit),       cmocka_unit_test(lines),   cmocka_unit_test(nowhere),
		cmocka_unit_test(ends_a_line),
		cmocka_unit_test(write_error), cmocka_unit_test(partial), cmocka_unit_test(stuck),
		cmocka_unit_test(last_words),  cmocka_unit_test(prompts), cmocka_unit_test(prompts_until_the_end),
		cmocka_unit_test(returns),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
