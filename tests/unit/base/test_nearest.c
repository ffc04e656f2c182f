/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "vmm/base/nearest.h"

static const char *among(const char *given, const char *const *words)
{
	struct nearest nearest = {.given = given};

	for (; *words; words++)
		nearest_offer(&nearest, *words);
	return nearest.word ? nearest.word : "";
}

static void one_mistake_is_found(void **state)
{
	static const char *const words[] = {"report", "run", "views", NULL};

	(void)state;
	assert_string_equal(among("repot", words), "report");   /* missing */
	assert_string_equal(among("repoort", words), "report"); /* too many */
	assert_string_equal(among("rebort", words), "report");  /* another */
	assert_string_equal(among("reoprt", words), "report");  /* exchanged */
	assert_string_equal(among("veiws", words), "views");
	assert_string_equal(among("rn", words), "run");
	assert_string_equal(among("run", words), "run");
}

static void what_is_far_away_is_not(void **state)
{
	static const char *const words[] = {"report", "run", "views", NULL};

	(void)state;
	assert_string_equal(among("", words), "");
	assert_string_equal(among("r", words), "");
	assert_string_equal(among("test", words), "");
	assert_string_equal(among("rub a dub", words), "");
	assert_string_equal(among("ledger", words), "");
}

static void the_nearest_wins_and_the_first_of_equals(void **state)
{
	static const char *const words[] = {"cr0.ts.set", "cr0.mp.set", "cr0.ts.get", NULL};

	(void)state;
	assert_string_equal(among("cr0.mp.sett", words), "cr0.mp.set");
	assert_string_equal(among("cr0.ts.bet", words), "cr0.ts.set");
}

/* Words of any length are taken; those that nobody types are near to none. */
static void long_words(void **state)
{
	char given[200], word[200];
	const char *const words[] = {word, NULL};

	(void)state;
	for (size_t length = 2; length < sizeof(given); length++) {
		memset(given, 'a', sizeof(given));
		given[length] = '\0';
		memcpy(word, given, sizeof(word));
		word[length - 1] = 'b';
		assert_string_equal(among(given, words), length <= 40 ? word : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_mistake_is_found),
		cmocka_unit_test(what_is_far_away_is_not),
		cmocka_unit_test(the_nearest_wins_and_the_first_of_equals),
		cmocka_unit_test(long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
