/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's text among the monitor's lines: whatever it writes, no line of these is its. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "guestfw/bare/guest_text.c"
#include "vmm/ledger/serial_log.h"

static char wire[4096];
static size_t wire_size;

void console_put(char c)
{
	assert_true(wire_size < sizeof(wire));
	wire[wire_size++] = c;
}

static void start(void)
{
	guest_text_end();
	wire_size = 0;
}

static void write_text(const char *text)
{
	for (; *text; text++)
		guest_text(*text);
}

static const char *written(void)
{
	console_put('\0');
	return wire;
}

/* What readers of the log look for, at the beginning of a line and anywhere. */
static bool is_line(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((c == text || c[-1] == '\n' || c[-1] == '\r') && strncmp(c, "sidestep: ", 10) == 0)
			return true;
	return strstr(text, "@ss:") != NULL;
}

/* Some leave out zeros and carriage returns before. */
static bool is_forged(const char *text)
{
	char left[sizeof(wire)];
	size_t size = 0;

	for (size_t i = 0; i < wire_size; i++)
		if (wire[i] != '\0' && wire[i] != '\r')
			left[size++] = wire[i];
	left[size] = '\0';
	return is_line(text) || is_line(left);
}

static void other_text_stays_as_it_is(void **state)
{
	static const char *const texts[] = {
		"hello\n",
		"\n\n\nside\nstep\nsidestep\nsidestep:\n",
		"a sidestep: b\n",
		"sidestep:\tx\n",
		"@\n@ s\n@S s:\nss:\n@@\n",
		"sides sidestep: \n",
		" sidestep: \n",
		"no end",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		start();
		write_text(texts[i]);
		assert_string_equal(written(), texts[i]);
	}
}

static void nobody_else_begins_a_line_of_the_monitor(void **state)
{
	static const char *const begins[] = {"", "\n", "\r", "x\n", "\r\n", "sidestep:\n", "side\r", "sidestep: \n", "@\n"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		start();
		snprintf(text, sizeof(text), "%ssidestep: end of run\n", begins[i]);
		write_text(text);
		assert_false(is_forged(written()));
		/* Nothing is lost of it. */
		assert_non_null(strstr(wire, " sidestep: end of run\n"));
	}
}

/* The decoder finds a line wherever its prefix is. */
static void nobody_else_has_the_prefix_of_a_record(void **state)
{
	static const char *const texts[] = {"@ss:0000", "x@ss:0000", "@@ss:0000", "\n@ss:0000", "@ss@ss:0000", "@s@ss:0000",
					    "sidestep@ss:0000"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		start();
		write_text(texts[i]);
		written();
		assert_false(is_forged(wire));
		assert_false(serial_log_is(wire, wire_size));
	}
}

/* Of the characters that matter, in every order. */
static void no_text_of_a_few_letters_is_forged(void **state)
{
	static const char *const pieces[] = {"s", "@", ":", "\n", "\r", "sidestep: ", "idestep: ", "sidestep:", " ", "0000"};
	const unsigned count = ARRAY_SIZE(pieces);

	(void)state;
	for (unsigned n = 0; n < count * count * count * count; n++) {
		start();
		for (unsigned rest = n, i = 0; i < 4; i++, rest /= count)
			write_text(pieces[rest % count]);
		assert_false(is_forged(written()));
	}
}

/* In whatever place these are. */
static void what_readers_leave_out_joins_nothing(void **state)
{
	static const char *const texts[] = {"sidestep: end of run\n", "@ss:0000\n"};
	static const char left_out[][3] = {{'\0'}, {'\r'}, {'\r', '\0'}, {'\0', '\r'}, {'\r', '\r'}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (size_t k = 0; k < ARRAY_SIZE(left_out); k++)
			for (size_t at = 0; at < strlen(texts[i]); at++) {
				start();
				for (size_t c = 0; texts[i][c]; c++) {
					for (unsigned n = 0; c == at && n < 2; n++)
						guest_text(left_out[k][n]);
					guest_text(texts[i][c]);
				}
				assert_null(memchr(wire, '\0', wire_size));
				assert_null(memchr(wire, '\r', wire_size));
				assert_false(is_forged(written()));
			}
}

static void a_line_ends_once_however_it_does(void **state)
{
	static const struct {
		const char *text, *wire;
	} rows[] = {{"a\nb", "a\nb"}, {"a\r\nb", "a\nb"}, {"a\rb", "a\nb"}, {"a\n\rb", "a\n\nb"},
		    {"a\r\n\r\nb", "a\n\nb"}, {"a\r\rb", "a\n\nb"}, {"a\r\n\nb", "a\n\nb"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start();
		write_text(rows[i].text);
		assert_string_equal(written(), rows[i].wire);
	}
}

static void the_monitor_has_a_line_of_its_own(void **state)
{
	static const struct {
		const char *text, *wire;
	} rows[] = {
		{"", ""}, {"x", "x\n"}, {"x\n", "x\n"}, {"side", "side\n"}, {"x\nsidestep:", "x\nsidestep:\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start();
		write_text(rows[i].text);
		guest_text_end();
		guest_text_end();
		assert_string_equal(written(), rows[i].wire);
	}
}

/* The monitor's line ends with one, so that what follows it begins one. */
static void behind_a_line_of_the_monitor_nothing_is_forged(void **state)
{
	static const char *const before[] = {"", "x", "side", "@", "x\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		start();
		write_text(before[i]);
		guest_text_end();
		wire_size = 0;
		write_text("sidestep: @ss:0000");
		assert_false(is_forged(written()));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_text_stays_as_it_is),
		cmocka_unit_test(nobody_else_begins_a_line_of_the_monitor),
		cmocka_unit_test(nobody_else_has_the_prefix_of_a_record),
		cmocka_unit_test(no_text_of_a_few_letters_is_forged),
		cmocka_unit_test(what_readers_leave_out_joins_nothing),
		cmocka_unit_test(a_line_ends_once_however_it_does),
		cmocka_unit_test(the_monitor_has_a_line_of_its_own),
		cmocka_unit_test(behind_a_line_of_the_monitor_nothing_is_forged),
	};

	return cmocka_run_group_tests_name("guest_text", tests, NULL, NULL);
}
