/* SPDX-License-Identifier: GPL-2.0-only */
/* The ACPI tables as a guest finds them: by signature, physical addresses and offsets of the specification. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "devices/pc_map.h"
#include "guestfw/abi.h"
#include "vmm/pc/acpi.h"

#define MEMORY (UINT64_C(1) << 20)

static struct guest_ram ram;
static uint64_t rsdp;

static void write_tables_with(unsigned vcpus, bool timer)
{
	assert_int_equal(guest_ram_create(&ram, MEMORY), 0);
	rsdp = acpi_write(&ram, vcpus, timer);
}

static void write_tables(unsigned vcpus)
{
	write_tables_with(vcpus, true);
}

static uint64_t get(uint64_t gpa, size_t width)
{
	uint64_t value = 0;

	assert_int_equal(guest_ram_read(&ram, gpa_at(gpa), &value, width), 0);
	return value;
}

static uint8_t sum(uint64_t gpa, uint64_t size)
{
	uint8_t sum = 0;

	for (uint64_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + get(gpa + i, 1));
	return sum;
}

static bool is(uint64_t gpa, const char *text)
{
	return memcmp(ram.host + gpa, text, strlen(text)) == 0;
}

static uint64_t length(uint64_t table)
{
	return get(table + 4, 4);
}

/* What holds of every table with a header. */
static void is_table(uint64_t gpa, const char *signature, unsigned revision)
{
	assert_in_range(gpa, PC_ACPI_TABLES, PC_ACPI_TABLES_END - 36);
	assert_true(is(gpa, signature));
	assert_in_range(length(gpa), 36, PC_ACPI_TABLES_END - gpa);
	assert_int_equal(get(gpa + 8, 1), revision);
	assert_int_equal(sum(gpa, length(gpa)), 0);
	assert_true(is(gpa + 10, "SDSTEPSIDESTEP"));
}

/* The table with this signature, as the XSDT has it; the RSDT has the same. */
static uint64_t find(const char *signature)
{
	uint64_t rsdt = get(rsdp + 16, 4), xsdt = get(rsdp + 24, 8), found = 0;
	uint64_t count = (length(xsdt) - 36) / 8;

	assert_int_equal(length(rsdt), 36 + 4 * count);
	assert_int_equal(length(xsdt), 36 + 8 * count);
	assert_int_equal(count, 2);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t table = get(xsdt + 36 + 8 * i, 8);

		assert_int_equal(get(rsdt + 36 + 4 * i, 4), table);
		if (is(table, signature)) {
			assert_int_equal(found, 0);
			found = table;
		}
	}
	assert_int_not_equal(found, 0);
	return found;
}

static void roots(void **state)
{
	(void)state;
	write_tables(1);
	assert_int_equal(rsdp, PC_ACPI_TABLES);
	assert_true(is(rsdp, "RSD PTR "));
	assert_int_equal(rsdp % 16, 0);
	assert_int_equal(get(rsdp + 15, 1), 2);
	assert_int_equal(get(rsdp + 20, 4), 36);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(sum(rsdp, 36), 0);
	is_table(get(rsdp + 16, 4), "RSDT", 1);
	is_table(get(rsdp + 24, 8), "XSDT", 1);
	is_table(find("FACP"), "FACP", 6);
	is_table(find("APIC"), "APIC", 5);
	guest_ram_destroy(&ram);
}

/* A generic address at `gpa` is a port. */
static void is_port(uint64_t gpa, uint64_t port, unsigned bits, unsigned access)
{
	assert_int_equal(get(gpa, 1), 1);
	assert_int_equal(get(gpa + 1, 1), bits);
	assert_int_equal(get(gpa + 2, 1), 0);
	assert_int_equal(get(gpa + 3, 1), access);
	assert_int_equal(get(gpa + 4, 8), port);
}

static void fixed(void **state)
{
	uint64_t fadt, facs, dsdt;

	(void)state;
	write_tables(1);
	fadt = find("FACP");
	assert_int_equal(length(fadt), 276);
	facs = get(fadt + 36, 4);
	assert_true(is(facs, "FACS"));
	assert_int_equal(facs % 64, 0);
	assert_int_equal(length(facs), 64);
	assert_int_equal(get(facs + 32, 1), 2);
	assert_int_equal(get(fadt + 132, 8), 0);
	dsdt = get(fadt + 40, 4);
	is_table(dsdt, "DSDT", 2);
	assert_int_equal(get(fadt + 140, 8), dsdt);
	assert_int_equal(get(fadt + 46, 2), PC_SCI_IRQ);
	assert_int_equal(get(fadt + 48, 4), 0); /* no SMI command: in ACPI mode from the start */
	assert_int_equal(get(fadt + 56, 4), PC_PM1_EVENT);
	assert_int_equal(get(fadt + 60, 4), 0);
	assert_int_equal(get(fadt + 64, 4), PC_PM1_CONTROL);
	assert_int_equal(get(fadt + 68, 4), 0);
	assert_int_equal(get(fadt + 72, 4), 0);
	assert_int_equal(get(fadt + 76, 4), PC_PM_TIMER);
	assert_int_equal(get(fadt + 80, 8), 0);
	assert_int_equal(get(fadt + 88, 4), 4 | 2 << 8 | 0 << 16 | 4 << 24);
	assert_true(get(fadt + 96, 2) > 100);
	assert_true(get(fadt + 98, 2) > 1000);
	assert_int_equal(get(fadt + 109, 2), 0x24); /* no VGA, no CMOS clock, no 8042 */
	assert_int_equal(get(fadt + 112, 4), 0x575);
	is_port(fadt + 116, PC_ACPI_RESET, 8, 1);
	assert_int_equal(get(fadt + 128, 1), PC_ACPI_RESET_VALUE);
	assert_int_equal(get(fadt + 131, 1), 4);
	is_port(fadt + 148, PC_PM1_EVENT, 32, 2);
	is_port(fadt + 172, PC_PM1_CONTROL, 16, 2);
	is_port(fadt + 208, PC_PM_TIMER, 32, 3);
	/* Neither second blocks, general-purpose events, nor registers of ACPI without hardware. */
	assert_int_equal(sum(fadt + 160, 12) | sum(fadt + 184, 24) | sum(fadt + 220, 48), 0);
	guest_ram_destroy(&ram);
}

/* Zeros in its fields say that there is none. */
static void no_timer(void **state)
{
	uint64_t fadt;

	(void)state;
	write_tables_with(1, false);
	fadt = find("FACP");
	is_table(fadt, "FACP", 6);
	assert_int_equal(get(fadt + 76, 4), 0);
	assert_int_equal(get(fadt + 91, 1), 0);
	assert_int_equal(sum(fadt + 208, 12), 0);
	is_port(fadt + 172, PC_PM1_CONTROL, 16, 2);
	guest_ram_destroy(&ram);
}

static bool dsdt_has(const void *bytes, size_t size)
{
	uint64_t dsdt = get(find("FACP") + 40, 4);

	return memmem(ram.host + dsdt + 36, length(dsdt) - 36, bytes, size) != NULL;
}

static void namespace(void **state)
{
	/* Name (\_S5, Package (4) {5, ...}); IO (Decode16, ...) of COM1 and the panic port; IRQNoFlags () {4}. */
	static const uint8_t s5[] = {0x08, '_', 'S', '5', '_', 0x12, 8, 4, 0x0a, PC_SLEEP_TYPE_OFF};
	static const uint8_t serial[] = {0x47, 1, PC_SERIAL_PORT & 0xff, PC_SERIAL_PORT >> 8, PC_SERIAL_PORT & 0xff,
					 PC_SERIAL_PORT >> 8, 0, 8, 0x22, 1 << PC_SERIAL_IRQ, 0, 0x79};
	static const uint8_t panic[] = {0x47, 1, PC_PANIC_PORT & 0xff, PC_PANIC_PORT >> 8, PC_PANIC_PORT & 0xff,
					PC_PANIC_PORT >> 8, 0, 1, 0x79};

	(void)state;
	write_tables(1);
	assert_true(dsdt_has(s5, sizeof(s5)));
	assert_true(dsdt_has(serial, sizeof(serial)));
	assert_true(dsdt_has("QEMU0001", 9));
	assert_true(dsdt_has(panic, sizeof(panic)));
	guest_ram_destroy(&ram);
}

/* Every entry of the MADT is one that we know, and there is a local APIC for each vCPU, in order. */
static void processors(void **state)
{
	static const unsigned counts[] = {1, 2, 16, SS_MAX_VCPUS};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		unsigned seen[5] = {0};
		uint64_t madt;

		write_tables(counts[i]);
		madt = find("APIC");
		is_table(madt, "APIC", 5);
		assert_int_equal(get(madt + 36, 4), PC_LOCAL_APIC);
		assert_int_equal(get(madt + 40, 4), 1); /* there are 8259s */
		for (uint64_t at = 44; at < length(madt); at += get(madt + at + 1, 1)) {
			uint64_t entry = madt + at, type = get(entry, 1);

			assert_in_range(type, 0, 4);
			assert_int_not_equal(type, 3);
			if (type == 0) {
				assert_int_equal(get(entry + 1, 1), 8);
				assert_int_equal(get(entry + 2, 1), seen[0]);
				assert_int_equal(get(entry + 3, 1), seen[0]);
				assert_int_equal(get(entry + 4, 4), 1);
			} else if (type == 1) {
				assert_int_equal(get(entry + 1, 1), 12);
				assert_true(get(entry + 2, 1) >= counts[i]); /* no local APIC's */
				assert_int_equal(get(entry + 4, 4), PC_IOAPIC);
				assert_int_equal(get(entry + 8, 4), 0);
			} else if (type == 2) {
				assert_int_equal(get(entry + 1, 1), 10);
				assert_int_equal(get(entry + 2, 1), 0);
				assert_int_equal(get(entry + 3, 1), PC_SCI_IRQ);
				assert_int_equal(get(entry + 4, 4), PC_SCI_IRQ);
				assert_int_equal(get(entry + 8, 2), 0xd);
			} else {
				assert_int_equal(get(entry + 1, 1), 6);
				assert_int_equal(get(entry + 2, 1), 0xff);
				assert_int_equal(get(entry + 3, 2), 0);
				assert_int_equal(get(entry + 5, 1), 1);
			}
			assert_true(at + get(entry + 1, 1) <= length(madt));
			seen[type]++;
		}
		assert_int_equal(seen[0], counts[i]);
		assert_int_equal(seen[1], 1);
		assert_int_equal(seen[2], 1);
		assert_int_equal(seen[4], 1);
		guest_ram_destroy(&ram);
	}
}

struct range {
	uint64_t start, end;
};

/* No two share a byte, whatever the number of vCPUs, and nothing is written anywhere else. */
static void apart(void **state)
{
	(void)state;
	for (unsigned vcpus = 1; vcpus <= SS_MAX_VCPUS; vcpus++) {
		uint64_t tables[7];
		struct range ranges[ARRAY_SIZE(tables)];

		write_tables(vcpus);
		tables[0] = rsdp;
		tables[1] = get(rsdp + 16, 4);
		tables[2] = get(rsdp + 24, 8);
		tables[3] = find("FACP");
		tables[4] = find("APIC");
		tables[5] = get(tables[3] + 36, 4);
		tables[6] = get(tables[3] + 40, 4);
		for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
			ranges[i] = (struct range){tables[i], tables[i] + (i == 0 ? 36 : length(tables[i]))};
		for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
			for (size_t j = 0; j < i; j++)
				assert_true(ranges[i].end <= ranges[j].start || ranges[j].end <= ranges[i].start);
		for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
			memset(ram.host + ranges[i].start, 0, ranges[i].end - ranges[i].start);
		for (uint64_t gpa = 0; gpa < MEMORY; gpa += 8)
			assert_int_equal(get(gpa, 8), 0);
		guest_ram_destroy(&ram);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots),      cmocka_unit_test(fixed), cmocka_unit_test(no_timer), cmocka_unit_test(namespace),
		cmocka_unit_test(processors), cmocka_unit_test(apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
