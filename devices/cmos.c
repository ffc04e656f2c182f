/* SPDX-License-Identifier: GPL-2.0-only */
#include "devices/cmos.h"

#include <stdbool.h>

enum {
	REG_SECONDS = 0x00,
	REG_MINUTES = 0x02,
	REG_HOURS = 0x04,
	REG_WEEKDAY = 0x06, /* Sunday is 1 */
	REG_DAY = 0x07,
	REG_MONTH = 0x08,
	REG_YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_C = 0x0c,
	REG_D = 0x0d,
	REG_BASE_MEMORY = 0x15, /* KiB, 2 bytes; so are the next two */
	REG_EXTENDED_MEMORY = 0x17,
	REG_EXTENDED_MEMORY_2 = 0x30,
	REG_CENTURY = 0x32,
	REG_MEMORY_ABOVE_16M = 0x34, /* 64 KiB, 2 bytes */
};

#define INDEX_MASK 0x7f /* the other bit masks the NMI */
#define A_UPDATE_IN_PROGRESS 0x80
#define A_RESET_VALUE 0x26 /* 32768 Hz, interrupts at 1024 Hz */
#define B_SET 0x80
#define B_BINARY 0x04
#define B_24_HOURS 0x02
#define D_POWER_GOOD 0x80

/* Before the end of each second, as long as a driver has to read the time without a change. */
#define UPDATE_NANOSECONDS 244000

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

static uint64_t units(uint64_t memory_size, uint64_t above, uint64_t unit, uint64_t most)
{
	uint64_t count = memory_size > above ? (memory_size - above) / unit : 0;

	return count < most ? count : most;
}

static void set_word(struct cmos *cmos, unsigned reg, uint64_t value)
{
	cmos->memory[reg] = (uint8_t)value;
	cmos->memory[reg + 1] = (uint8_t)(value >> 8);
}

void cmos_init(struct cmos *cmos, const struct clock *clock, uint64_t memory_size)
{
	*cmos = (struct cmos){.clock = clock};
	cmos->memory[REG_A] = A_RESET_VALUE;
	cmos->memory[REG_B] = B_24_HOURS;
	cmos->memory[REG_D] = D_POWER_GOOD;
	set_word(cmos, REG_BASE_MEMORY, units(memory_size, 0, KIB, 640));
	set_word(cmos, REG_EXTENDED_MEMORY, units(memory_size, MIB, KIB, UINT16_MAX));
	set_word(cmos, REG_EXTENDED_MEMORY_2, units(memory_size, MIB, KIB, UINT16_MAX));
	set_word(cmos, REG_MEMORY_ABOVE_16M, units(memory_size, 16 * MIB, 64 * KIB, UINT16_MAX));
}

struct date {
	unsigned year, month, day; /* the latter two from 1 */
};

/*
 * Days since 1970 to a date of the Gregorian calendar. Years begin with March here, so that a leap day is the last of its
 * year, and eras of 400 years are alike. gmtime_r() would read the file of the time zone, which a sealed process cannot.
 */
static struct date date_of(uint64_t days)
{
	uint64_t from_era = days + 719468; /* 0000-03-01 */
	unsigned day = (unsigned)(from_era % 146097);
	unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	unsigned day_of_year = day - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * day_of_year + 2) / 153; /* March is 0 */

	return (struct date){
		.year = (unsigned)(from_era / 146097) * 400 + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
	};
}

static uint8_t bcd(uint64_t value)
{
	return (uint8_t)(value / 10 << 4 | value % 10);
}

/* False if the register is none of the time. */
static bool time_register(const struct cmos *cmos, unsigned reg, uint8_t *ret_value)
{
	uint64_t seconds = clock_now(cmos->clock) / NANOSECONDS;
	uint64_t days = seconds / 86400;
	struct date date = date_of(days);

	switch (reg) {
	case REG_SECONDS:
		*ret_value = bcd(seconds % 60);
		return true;
	case REG_MINUTES:
		*ret_value = bcd(seconds / 60 % 60);
		return true;
	case REG_HOURS:
		*ret_value = bcd(seconds / 3600 % 24);
		return true;
	case REG_WEEKDAY:
		*ret_value = bcd((days + 4) % 7 + 1); /* 1970 began with a Thursday */
		return true;
	case REG_DAY:
		*ret_value = bcd(date.day);
		return true;
	case REG_MONTH:
		*ret_value = bcd(date.month);
		return true;
	case REG_YEAR:
		*ret_value = bcd(date.year % 100);
		return true;
	case REG_CENTURY:
		*ret_value = bcd(date.year / 100);
		return true;
	}
	return false;
}

/* No update begins while a guest holds the time registers to set them. */
static bool updating(const struct cmos *cmos)
{
	return !(cmos->memory[REG_B] & B_SET) &&
	       clock_now(cmos->clock) % NANOSECONDS >= NANOSECONDS - UPDATE_NANOSECONDS;
}

static uint8_t read_data(const struct cmos *cmos)
{
	uint8_t value = cmos->memory[cmos->index];

	if (cmos->index == REG_A && updating(cmos))
		value |= A_UPDATE_IN_PROGRESS;
	else
		time_register(cmos, cmos->index, &value);
	return value;
}

/* Register C has the interrupts that are pending: with an alarm, the alarm registers and B_AIE come to bear here, there
 * and in a timer of the owner. */
static void write_data(struct cmos *cmos, uint8_t value)
{
	uint8_t unused;

	switch (cmos->index) {
	case REG_A:
		value &= (uint8_t)~A_UPDATE_IN_PROGRESS;
		break;
	case REG_B:
		value = (uint8_t)((value & ~B_BINARY) | B_24_HOURS); /* what the time is read in */
		break;
	case REG_C:
	case REG_D:
		return;
	default:
		if (time_register(cmos, cmos->index, &unused))
			return;
	}
	cmos->memory[cmos->index] = value;
}

/* The index cannot be read. */
static uint64_t cmos_read(void *device, uint64_t offset, unsigned size)
{
	(void)size;
	return offset == 1 ? read_data(device) : UINT64_MAX;
}

/* A word is an index and what to write there. */
static void cmos_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct cmos *cmos = device;

	if (offset == 0)
		cmos->index = value & INDEX_MASK;
	if (offset == 1 || size == 2)
		write_data(cmos, (uint8_t)(offset == 1 ? value : value >> 8));
}

const struct bus_ops cmos_bus_ops = {cmos_read, cmos_write};
