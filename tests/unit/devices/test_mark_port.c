/* SPDX-License-Identifier: GPL-2.0-only */
/* What the port for markers makes of bytes, numbers, and accesses that are neither. */
#include "tests/unit/cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "devices/mark_port.h"

/* What the owner was told, in words, one behind the other. */
static char told[1024];
static unsigned writing;
static uint32_t known;
static struct mark_port port;
static struct bus bus;

static void tell(const char *text)
{
	assert_true(strlen(told) + strlen(text) + 2 < sizeof(told));
	strcat(strcat(told, text), " ");
}

static void expect_told(const char *wanted)
{
	assert_string_equal(told, wanted);
	told[0] = '\0';
}

static unsigned writer(void *opaque)
{
	assert_ptr_equal(opaque, told);
	return writing;
}

static void end(void *opaque)
{
	assert_ptr_equal(opaque, told);
	tell("end");
}

/* Numbers in the order of the names. */
static uint32_t name(void *opaque, const char *text)
{
	assert_ptr_equal(opaque, told);
	tell(text);
	return strcmp(text, "full") == 0 ? 0 : ++known;
}

static bool number(void *opaque, uint32_t value)
{
	char text[16];

	assert_ptr_equal(opaque, told);
	assert_int_not_equal(value, 0);
	snprintf(text, sizeof(text), "#%u", value);
	tell(text);
	return value <= known;
}

static void refuse(void *opaque, const char *what)
{
	assert_ptr_equal(opaque, told);
	tell(strstr(what, "39")	      ? "(long)"
	     : strstr(what, "blank")  ? "(odd)"
	     : strstr(what, "256")    ? "(many)"
	     : strstr(what, "number") ? "(number)"
				      : what);
}

static int setup(void **state)
{
	static const struct mark_owner owner = {writer, end, name, number, refuse, told};

	(void)state;
	told[0] = '\0';
	writing = 0;
	known = 0;
	bus = (struct bus){0};
	memset(&port, 0xa5, sizeof(port));
	mark_port_init(&port, &owner);
	return bus_claim(&bus, SS_PORT_MARK, SS_MARK_PORTS, &mark_port_ops, &port);
}

static void out(unsigned offset, unsigned size, uint64_t value)
{
	bus_write(&bus, SS_PORT_MARK + offset, &value, size);
}

static uint64_t in(unsigned offset, unsigned size)
{
	uint64_t value = 0;

	bus_read(&bus, SS_PORT_MARK + offset, &value, size);
	return value;
}

static void write_bytes(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out(0, 1, (uint8_t)bytes[i]);
}

static void write_name(const char *text)
{
	write_bytes(text, strlen(text) + 1);
}

/* What went before ends with the first byte, what comes begins with the last one. */
static void names(void **state)
{
	(void)state;
	assert_int_equal(in(0, 4), 0);
	write_bytes("one", 3);
	expect_told("end ");
	write_bytes("", 1);
	expect_told("one ");
	assert_int_equal(in(0, 4), 1);
	write_bytes("two\n", 4);
	expect_told("end two ");
	assert_int_equal(in(0, 4), 2);
	write_name("");
	expect_told("end ");
	write_bytes("\n\n", 2);
	expect_told("end end ");
	assert_int_equal(in(0, 4), 2);
}

static void every_character(void **state)
{
	for (unsigned byte = 1; byte < 256; byte++) {
		const char text[] = {'a', (char)byte, 'b'};
		char wanted[32];

		setup(state);
		if (byte == '\n')
			continue;
		write_name("first");
		told[0] = '\0';
		write_bytes(text, sizeof(text));
		write_bytes("", 1);
		snprintf(wanted, sizeof(wanted), byte > ' ' && byte < 0x7f ? "end a%cb " : "end (odd) ", (char)byte);
		expect_told(wanted);
		assert_int_equal(in(0, 4), byte > ' ' && byte < 0x7f ? 2 : 0);
	}
}

static void lengths(void **state)
{
	static const char forty[] = "1234567890123456789012345678901234567890";
	char wanted[64];

	(void)state;
	_Static_assert(sizeof(forty) - 1 == SS_MARK_NAME_MAX + 1, "one too many");
	write_bytes(forty, SS_MARK_NAME_MAX);
	write_bytes("", 1);
	snprintf(wanted, sizeof(wanted), "end %.*s ", SS_MARK_NAME_MAX, forty);
	expect_told(wanted);
	write_name(forty);
	expect_told("end (long) ");
	assert_int_equal(in(0, 4), 0);
	for (unsigned i = 0; i < 100000; i++)
		write_bytes("x", 1);
	expect_told("end ");
	write_bytes("", 1);
	expect_told("(long) ");
	/* The next one is well. */
	write_name("y");
	expect_told("end y ");
}

static void one_too_many(void **state)
{
	(void)state;
	write_name("full");
	expect_told("end full (many) ");
	assert_int_equal(in(0, 4), 0);
}

static void numbers(void **state)
{
	(void)state;
	write_name("one");
	told[0] = '\0';
	out(0, 4, 1);
	expect_told("end #1 ");
	assert_int_equal(in(0, 4), 1);
	out(0, 4, 0);
	expect_told("end ");
	assert_int_equal(in(0, 4), 1);
	out(0, 4, 2);
	expect_told("end #2 (number) ");
	assert_int_equal(in(0, 4), 0);
	out(0, 4, UINT32_MAX);
	expect_told("end #4294967295 (number) ");
	/* A name that was begun is forgotten. */
	write_bytes("abc", 3);
	out(0, 4, 1);
	write_name("d");
	expect_told("end end #1 end d ");
}

static void writers_are_apart(void **state)
{
	static const char *const texts[] = {"even", "odd-one"};

	(void)state;
	for (size_t i = 0; i < 8; i++)
		for (writing = 0; writing < SS_MAX_VCPUS; writing += SS_MAX_VCPUS - 1)
			if (i <= strlen(texts[writing & 1]))
				write_bytes(&texts[writing & 1][i], 1);
	expect_told("end end even odd-one ");
	writing = 0;
	assert_int_equal(in(0, 4), 1);
	writing = SS_MAX_VCPUS - 1;
	assert_int_equal(in(0, 4), 2);
}

static void other_accesses(void **state)
{
	(void)state;
	for (unsigned offset = 0; offset < SS_MARK_PORTS; offset++)
		for (unsigned size = 1; size <= 8; size *= 2) {
			const uint64_t ones = size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;

			if (offset == 0 && size == 4)
				continue;
			assert_int_equal(in(offset, size), ones);
			if (offset != 0 || size != 1)
				out(offset, size, UINT64_C(0x6100610061006100));
		}
	expect_told("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names, setup),
		cmocka_unit_test_setup(every_character, setup),
		cmocka_unit_test_setup(lengths, setup),
		cmocka_unit_test_setup(one_too_many, setup),
		cmocka_unit_test_setup(numbers, setup),
		cmocka_unit_test_setup(writers_are_apart, setup),
		cmocka_unit_test_setup(other_accesses, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
