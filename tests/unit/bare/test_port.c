/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions that access ports: INS and OUTS against one that goes element by element, by the manual. */
#include "tests/unit/cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "guestfw/bare/port.c"

#define PAGES 32
#define WINDOW (PAGES * PAGE)
#define START UINT64_C(0x00400000) /* of what is mapped */
#define LENGTH 3
#define UPPER UINT64_C(0xabcdef0100000000)

/* What the instruction works on: linear pages lie anywhere in memory. */
struct world {
	uint8_t memory[WINDOW];
	char text[WINDOW];
	size_t text_size;
	uint64_t requests[8];
	unsigned request_count;
};

static struct world seen, wanted;
static unsigned place_of[PAGES];
static bool forbidden[PAGES];
static uint64_t rflags, fault_at;
static int exit_status;

static uint64_t linear_page(uint64_t linear)
{
	return linear - START < WINDOW ? (linear - START) / PAGE : PAGES;
}

static uint8_t *memory_at(struct world *world, uint64_t linear)
{
	const uint64_t page = linear_page(linear);

	return page < PAGES && !forbidden[page] ? &world->memory[place_of[page] * PAGE + linear % PAGE] : NULL;
}

int bare_linear_pages(struct relay_vcpu *vcpu, const struct bare_exit *exit, uint64_t linear, unsigned size,
		      unsigned right, uint8_t *ret_pages[2])
{
	const uint64_t last = bare_in_mode(exit, linear + size - 1);

	assert_int_equal(size, exit->size);
	assert_int_equal(right, exit->in ? VIEW_WRITE : VIEW_READ);
	fault_at = memory_at(&seen, linear) ? last - last % PAGE : linear;
	if (!memory_at(&seen, linear) || !memory_at(&seen, last)) {
		vcpu->action = RELAY_INJECT;
		return 0;
	}
	ret_pages[0] = memory_at(&seen, linear - linear % PAGE);
	ret_pages[1] = memory_at(&seen, last - last % PAGE);
	return 1;
}

uint64_t vendor_rflags(const struct relay_vcpu *vcpu)
{
	(void)vcpu;
	return rflags;
}

void guest_text(char c)
{
	assert_true(seen.text_size < sizeof(seen.text));
	seen.text[seen.text_size++] = c;
}

int bare_request(struct relay_vcpu *vcpu, unsigned cpl, uint64_t address)
{
	(void)vcpu;
	assert_int_equal(cpl, 0);
	assert_true(seen.request_count < ARRAY_SIZE(seen.requests));
	seen.requests[seen.request_count++] = address;
	return 0;
}

static jmp_buf stopped;

void bare_stop(struct relay_vcpu *vcpu, enum stop_cause cause, int status, const char *text)
{
	assert_non_null(vcpu);
	assert_int_equal(cause, STOP_EXIT);
	assert_string_equal(text, "");
	exit_status = status;
	longjmp(stopped, 1);
}

static void shuffle(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		place_of[i] = i;
	for (unsigned i = PAGES; i > 1; i--) {
		const unsigned with = (unsigned)rand() % i, kept = place_of[i - 1];

		place_of[i - 1] = place_of[with];
		place_of[with] = kept;
	}
	for (unsigned i = 0; i < PAGES; i++)
		forbidden[i] = rand() % 8 == 0;
	for (size_t i = 0; i < sizeof(seen.memory); i++)
		seen.memory[i] = (uint8_t)rand();
	seen.text_size = seen.request_count = 0;
	wanted = seen;
}

/* The lowest `size` bytes of a register, as instructions of that size write it. */
static void write_part(uint64_t *reg, uint64_t value, unsigned size)
{
	if (size == 2)
		*reg = (*reg & ~UINT64_C(0xffff)) | (uint16_t)value;
	else
		*reg = size == 4 ? (uint32_t)value : value;
}

static uint64_t read_part(uint64_t reg, unsigned size)
{
	return size == 2 ? (uint16_t)reg : size == 4 ? (uint32_t)reg : reg;
}

/* One element of `wanted`. Returns false, with the address, if it faults. */
static bool perform_element(const struct bare_exit *exit, uint64_t linear, uint64_t *ret_fault)
{
	uint8_t *bytes[4];

	for (unsigned i = 0; i < exit->size; i++) {
		const uint64_t at = exit->is_64 ? linear + i : (uint32_t)(linear + i);

		bytes[i] = memory_at(&wanted, at);
		*ret_fault = at;
		if (!bytes[i])
			return false;
	}
	for (unsigned i = 0; exit->in && i < exit->size; i++)
		*bytes[i] = i ? 0 : LSR_EMPTY;
	if (!exit->in)
		wanted.text[wanted.text_size++] = (char)*bytes[0];
	return true;
}

/* All of it. Returns false, with the address, if an element faults. */
static bool perform(uint64_t *regs, const struct bare_exit *exit, uint64_t *ret_fault)
{
	uint64_t *index = &regs[exit->in ? RDI : RSI];

	while (!exit->repeats || read_part(regs[RCX], exit->address_size) != 0) {
		const uint64_t offset = read_part(*index, exit->address_size), linear = exit->base + offset;

		if (!perform_element(exit, exit->is_64 ? linear : (uint32_t)linear, ret_fault))
			return false;
		write_part(index, rflags & RFLAGS_DF ? offset - exit->size : offset + exit->size, exit->address_size);
		if (!exit->repeats)
			return true;
		write_part(&regs[RCX], read_part(regs[RCX], exit->address_size) - 1, exit->address_size);
	}
	return true;
}

/* Exits as long as the guest stays at the instruction. Returns false if it faults. */
static bool run(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	for (unsigned exits = 0;; exits++) {
		const uint64_t before = vcpu->regs[RCX];

		assert_true(exits <= 0x20000);
		vcpu->length = LENGTH;
		bare_port(vcpu, exit);
		if (vcpu->action == RELAY_INJECT)
			return false;
		if (vcpu->length == LENGTH) {
			assert_int_equal(vcpu->action, RELAY_STEP);
			return true;
		}
		assert_int_equal(vcpu->length, 0);
		assert_int_equal(vcpu->action, rflags & RFLAGS_TF ? RELAY_STEP : RELAY_RESUME);
		assert_int_not_equal(vcpu->regs[RCX], before);
		assert_true(!(rflags & RFLAGS_TF) || read_part(before - vcpu->regs[RCX], exit->address_size) == 1);
	}
}

static uint64_t random64(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
}

/* Near the end of a page, or of all that is mapped. */
static uint64_t random_linear(void)
{
	return START + (uint64_t)(rand() % (PAGES + 1)) * PAGE + (uint64_t)(rand() % 16) - 8;
}

static struct bare_exit random_exit(struct relay_vcpu *vcpu)
{
	struct bare_exit exit = {
		.is_port = 1, .is_string = 1, .in = rand() % 2, .size = 1u << rand() % 3, .repeats = rand() % 4 != 0};
	uint64_t *index = &vcpu->regs[exit.in ? RDI : RSI];

	exit.port = exit.in ? SS_PORT_SERIAL + SERIAL_LSR : SS_PORT_SERIAL;
	exit.is_64 = rand() % 2;
	exit.address_size = exit.is_64 ? 4u << rand() % 2 : 2u << rand() % 2;
	for (unsigned i = 0; i < 16; i++)
		vcpu->regs[i] = random64();
	/* Near where addresses of that size wrap, now and then. */
	if (rand() % 4 == 0)
		*index = (*index & UPPER) + (uint64_t)(rand() % 16) - 8;
	exit.base = random_linear() - (*index & bare_address_mask(exit.address_size));
	write_part(&vcpu->regs[RCX], (uint64_t)(rand() % 4 == 0 ? rand() % 20000 : rand() % 40), exit.address_size);
	return exit;
}

static void strings_are_as_by_the_manual(void **state)
{
	unsigned faulted = 0;

	(void)state;
	srand(1);
	shuffle();
	for (unsigned n = 0; n < 8000; n++) {
		struct relay_vcpu vcpu = {0};
		const struct bare_exit exit = random_exit(&vcpu);
		uint64_t regs[16], fault;
		bool done;

		if (n % 100 == 0)
			shuffle();
		seen.text_size = wanted.text_size = 0;
		rflags = (rand() % 2 ? RFLAGS_DF : 0) | (rand() % 8 == 0 ? RFLAGS_TF : 0);
		memcpy(regs, vcpu.regs, sizeof(regs));
		done = perform(regs, &exit, &fault);
		faulted += !done;
		assert_int_equal(run(&vcpu, &exit), done);
		assert_true(done || fault_at == fault);
		assert_memory_equal(vcpu.regs, regs, sizeof(regs));
		assert_memory_equal(seen.memory, wanted.memory, sizeof(seen.memory));
		assert_int_equal(seen.text_size, wanted.text_size);
		assert_memory_equal(seen.text, wanted.text, wanted.text_size);
	}
	assert_in_range(faulted, 400, 7600);
}

static void all_mapped(void)
{
	shuffle();
	memset(forbidden, 0, sizeof(forbidden));
	rflags = 0;
}

static struct bare_exit string_at(struct relay_vcpu *vcpu, unsigned port, unsigned in, unsigned size, uint64_t count)
{
	vcpu->regs[in ? RDI : RSI] = START + 8;
	vcpu->regs[RCX] = count;
	vcpu->length = LENGTH;
	return (struct bare_exit){.is_port = 1, .is_string = 1, .repeats = 1, .is_64 = 1, .address_size = 8,
				  .port = port, .in = (int)in, .size = size};
}

static void one_exit_is_a_page(void **state)
{
	struct relay_vcpu vcpu = {0};
	const struct bare_exit exit = string_at(&vcpu, SS_PORT_UNCLAIMED, 1, 1, 2 * PAGE);

	(void)state;
	all_mapped();
	bare_port(&vcpu, &exit);
	assert_int_equal(vcpu.regs[RDI], START + PAGE);
	assert_int_equal(vcpu.regs[RCX], PAGE + 8);
	assert_int_equal(vcpu.action, RELAY_RESUME);
	assert_int_equal(vcpu.length, 0);
}

/* What memory is after a request nobody knows before. */
static void one_exit_is_a_request(void **state)
{
	struct relay_vcpu vcpu = {0};
	const struct bare_exit exit = string_at(&vcpu, SS_PORT_CONTROL, 0, 4, 2);
	const uint32_t addresses[] = {0x1000, 0xfffff000};

	(void)state;
	all_mapped();
	memcpy(memory_at(&seen, START + 8), addresses, sizeof(addresses));
	bare_port(&vcpu, &exit);
	assert_int_equal(seen.request_count, 1);
	assert_int_equal(vcpu.action, RELAY_RESUME);
	bare_port(&vcpu, &exit);
	assert_int_equal(seen.request_count, 2);
	assert_int_equal(vcpu.action, RELAY_STEP);
	assert_int_equal(seen.requests[0], addresses[0]);
	assert_int_equal(seen.requests[1], addresses[1]);
}

static void the_first_byte_ends(void **state)
{
	struct relay_vcpu vcpu = {0};
	const struct bare_exit exit = string_at(&vcpu, SS_PORT_EXIT, 0, 1, 600);

	(void)state;
	all_mapped();
	exit_status = -1;
	*memory_at(&seen, START + 8) = 200;
	if (setjmp(stopped) == 0) {
		bare_port(&vcpu, &exit);
		fail();
	}
	assert_int_equal(exit_status, 200);
}

/* By size: 1, 2 and 4 bytes. */
static void ports_are_those_of_the_contract(void **state)
{
	static const struct {
		unsigned port;
		uint64_t value[3];
	} rows[] = {
		{SS_PORT_UNCLAIMED, {0xff, 0xffff, 0xffffffff}},
		{SS_PORT_DEBUG, {SS_PORT_DEBUG, 0xffff, 0xffffffff}},
		{SS_PORT_SERIAL + 5, {0x60, 0x60, 0x60}},
		{SS_PORT_CONTROL, {0xff, 0xffff, 0xffffffff}},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned s = 0; s < 3; s++) {
			const struct bare_exit exit = {.is_port = 1, .in = 1, .port = rows[i].port, .size = 1u << s};
			struct relay_vcpu vcpu = {.regs = {UINT64_C(0x1122334455667788)}};
			const uint64_t kept[] = {UINT64_C(0x1122334455667700), UINT64_C(0x1122334455660000), 0};

			bare_port(&vcpu, &exit);
			assert_int_equal(vcpu.action, RELAY_STEP);
			assert_true(vcpu.regs[RAX] == (kept[s] | rows[i].value[s]));
		}
}

/* The others print, end and request nothing. */
static void writes_of_other_sizes_are_lost(void **state)
{
	static const struct {
		unsigned port, sizes; /* that do something */
	} rows[] = {{SS_PORT_DEBUG, 1}, {SS_PORT_EXIT, 1}, {SS_PORT_CONTROL, 4}, {SS_PORT_SERIAL, 7}, {SS_PORT_SERIAL + 1, 0}};

	(void)state;
	all_mapped();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned size = 1; size <= 4; size *= 2) {
			const struct bare_exit exit = {.is_port = 1, .port = rows[i].port, .size = size};
			struct relay_vcpu vcpu = {.regs = {'x'}};

			seen.text_size = seen.request_count = 0;
			exit_status = -1;
			if (setjmp(stopped) == 0)
				bare_port(&vcpu, &exit);
			assert_int_equal(seen.text_size + seen.request_count + (exit_status == 'x'),
					 (rows[i].sizes & size) != 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_as_by_the_manual),
		cmocka_unit_test(one_exit_is_a_page),
		cmocka_unit_test(one_exit_is_a_request),
		cmocka_unit_test(the_first_byte_ends),
		cmocka_unit_test(ports_are_those_of_the_contract),
		cmocka_unit_test(writes_of_other_sizes_are_lost),
	};

	return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
