/* SPDX-License-Identifier: GPL-2.0-only */
/* The time of day of the CMOS clock, its second, and how far ACPI's timer and the TSC come in one. */
#include "pc.h"

#define TIMER_HZ 3579545u

static uint8_t cmos(uint8_t index)
{
	outb(0x70, index);
	return inb(0x71);
}

static uint32_t decimal(uint8_t value, uint8_t status_b)
{
	return status_b & 4 ? value : (uint32_t)(value >> 4) * 10 + (value & 15);
}

static void print_two(uint32_t number, const char *after)
{
	print_number(number / 10);
	print_number(number % 10);
	print(after);
}

/* Waits for the second that comes next. */
static uint8_t next_second(void)
{
	uint8_t second = cmos(0), next;

	do {
		while (cmos(10) & 0x80)
			cpu_pause();
		next = cmos(0);
	} while (next == second);
	return next;
}

/* They are short: a guest that is slow may miss some. */
static void see_update(void)
{
	outb(0x70, 10);
	while (!(inb(0x71) & 0x80))
		;
	print("update\n");
}

static uint16_t timer_port;
static uint32_t timer_mask;

static uint32_t timer(void)
{
	return inl(timer_port) & timer_mask;
}

static void find_timer(void)
{
	const uint8_t *fadt = acpi_table("FACP");

	check(fadt != NULL, "there is a FADT");
	timer_port = (uint16_t)acpi_get(fadt + 76, 4);
	check(timer_port != 0 && fadt[91] == 4, "the FADT tells of a timer");
	timer_mask = acpi_get(fadt + 112, 4) & 1 << 8 ? 0xffffffff : 0xffffff;
}

int guest(const struct multiboot *told)
{
	uint8_t status_b = cmos(11), second, next;
	uint32_t hour, day, month, year, start, last;
	uint64_t start_tsc, tsc;

	(void)told;
	find_timer();
	check(cmos(13) & 0x80, "the clock has its battery");
	check(status_b & 2, "the clock counts 24 hours");
	second = next_second();
	start = last = timer();
	start_tsc = rdtsc();
	hour = decimal(cmos(4), status_b);
	day = decimal(cmos(7), status_b);
	month = decimal(cmos(8), status_b);
	year = decimal(cmos(9), status_b);
	check(hour < 24 && day >= 1 && day <= 31 && month >= 1 && month <= 12 && year >= 24 && year < 100,
	      "the time of day is one");
	print("time 20");
	print_two(year, "-");
	print_two(month, "-");
	print_two(day, "T");
	print_two(hour, ":");
	print_two(decimal(cmos(2), status_b), ":");
	print_two(decimal(second, status_b), "Z\n");
	for (int i = 0; i < 1000; i++) {
		uint32_t now = timer();

		check(((now - last) & timer_mask) < timer_mask / 2, "the timer runs forward");
		last = now;
	}
	next = next_second();
	last = (timer() - start) & timer_mask;
	tsc = rdtsc() - start_tsc;
	check(decimal(next, status_b) == (decimal(second, status_b) + 1) % 60, "a second is followed by the next");
	print("timer ");
	print_number(last);
	print(" tsc ");
	print_number((uint32_t)(tsc >> 10));
	print(" Ki\n");
	check(last > TIMER_HZ / 4 * 3 && last < TIMER_HZ / 4 * 5, "the timer has its frequency");
	check(tsc > 1000000, "so has the TSC");
	see_update();
	return 0;
}
