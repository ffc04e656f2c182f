/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/base/printable.h"

#define COUNT(words) (int)(sizeof(words) / sizeof((words)[0]))

/* Bash takes them as they were: tests/report/run.sh asks it. */
static void words(void **state)
{
	char plain[] = "run", option[] = "--own=ts,mp", empty[] = "", blank[] = "a b", pattern[] = "cr0.*", quote[] = "it's",
	     bytes[] = "\x1b[2J\xff'\\", tilde[] = "~";
	char *const given[] = {plain, option, empty, blank, pattern, quote, bytes, tilde};
	char text[200], small[8];

	(void)state;
	printable_words(text, sizeof(text), given, COUNT(given));
	assert_string_equal(text, "run --own=ts,mp '' 'a b' 'cr0.*' 'it'\\''s' $'\\x1b[2J\\xff\\'\\\\' '~'");
	printable_words(text, sizeof(text), given, 0);
	assert_string_equal(text, "");
	memset(small, 'x', sizeof(small));
	printable_words(small, sizeof(small) - 1, given, COUNT(given));
	assert_string_equal(small, "run --");
	assert_int_equal(small[7], 'x');
}

static void times(void **state)
{
	char text[PRINTABLE_TIME_SIZE];

	(void)state;
	/* Wherever this is. */
	setenv("TZ", "Asia/Kathmandu", 1);
	printable_time(text, 0);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	printable_time(text, 1769903998);
	assert_string_equal(text, "2026-01-31T23:59:58Z");
}

static void xml(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	assert_non_null(stream);
	printable_xml(stream, "a <b> & \"c\" \x1b\n\xff~");
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(text, "a &lt;b&gt; &amp; &quot;c&quot; ???~");
	free(text);
}

static void appended_whole_or_not_at_all(void **state)
{
	char text[8] = "abc";

	(void)state;
	printable_append(text, sizeof(text), "defgh");
	assert_string_equal(text, "abc");
	printable_append(text, sizeof(text), "defg");
	assert_string_equal(text, "abcdefg");
	printable_append(text, sizeof(text), "");
	assert_string_equal(text, "abcdefg");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(times),
		cmocka_unit_test(xml),
		cmocka_unit_test(appended_whole_or_not_at_all),
	};

	return cmocka_run_group_tests_name("printable", tests, NULL, NULL);
}
