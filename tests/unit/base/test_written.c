/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/base/written.h"

#define PAGES 300
#define SIZE ((size_t)PAGES * WRITTEN_PAGE)

static uint8_t *make_memory(void)
{
	uint8_t *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	/* A large page would be there as a whole. */
	madvise(memory, SIZE, MADV_NOHUGEPAGE);
	return memory;
}

/* At both ends, side by side, and far apart. */
static void finds_what_was_written(void **state)
{
	static const size_t pages[] = {0, 1, 63, 64, 65, 200, PAGES - 1};
	uint8_t *memory = make_memory();
	int map = written_open();
	size_t at = 0;

	(void)state;
	assert_true(map >= 0);
	assert_int_equal(written_next(map, memory, 0, SIZE), SIZE);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		memory[pages[i] * WRITTEN_PAGE + 5] = 1;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++, at += WRITTEN_PAGE) {
		at = written_next(map, memory, at, SIZE);
		assert_int_equal(at, pages[i] * WRITTEN_PAGE);
	}
	assert_int_equal(written_next(map, memory, at, SIZE), SIZE);
	assert_int_equal(written_next(map, memory, 66 * (size_t)WRITTEN_PAGE, 200 * (size_t)WRITTEN_PAGE),
			 200 * (size_t)WRITTEN_PAGE);
	close(map);
	munmap(memory, SIZE);
}

static void takes_all_for_written_where_nobody_tells(void **state)
{
	uint8_t *memory = make_memory();

	(void)state;
	for (size_t at = 0; at < SIZE; at += WRITTEN_PAGE)
		assert_int_equal(written_next(-1, memory, at, SIZE), at);
	assert_int_equal(written_next(-1, memory, SIZE, SIZE), SIZE);
	munmap(memory, SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_written),
		cmocka_unit_test(takes_all_for_written_where_nobody_tells),
	};

	return cmocka_run_group_tests_name("written", tests, NULL, NULL);
}
