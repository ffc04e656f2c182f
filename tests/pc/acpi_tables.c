/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * acpi_tables VCPUS: writes the ACPI tables of the platform `pc` for so many processors into files of the working
 * directory, each named after its signature, and prints the names. The root pointer, which is no table, is left out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guestfw/abi.h"
#include "vmm/pc/acpi.h"

#define MEMORY (UINT64_C(1) << 20)

static uint64_t get(const struct guest_ram *ram, uint64_t gpa, size_t width)
{
	uint64_t value = 0;

	if (guest_ram_read(ram, gpa_at(gpa), &value, width)) {
		fprintf(stderr, "acpi_tables: nothing is at 0x%" PRIx64 "\n", gpa);
		exit(1);
	}
	return value;
}

static void dump(const struct guest_ram *ram, uint64_t gpa, const char *name, uint64_t length)
{
	void *data = guest_ram_at(ram, gpa_at(gpa), length);
	FILE *file = fopen(name, "wb");

	if (!data || !file || fwrite(data, length, 1, file) != 1 || fclose(file)) {
		fprintf(stderr, "acpi_tables: %s of %" PRIu64 " bytes cannot be written\n", name, length);
		exit(1);
	}
	puts(name);
}

static uint64_t dump_table(const struct guest_ram *ram, uint64_t gpa)
{
	uint32_t signature = (uint32_t)get(ram, gpa, 4);
	char name[5] = {0};

	memcpy(name, &signature, sizeof(signature));
	dump(ram, gpa, name, get(ram, gpa + 4, 4));
	return gpa;
}

int main(int argc, char **argv)
{
	bool timer = argc != 3 || strcmp(argv[2], "no-timer") != 0;
	unsigned vcpus = argc == 2 || !timer ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	struct guest_ram ram;
	uint64_t rsdp, xsdt;

	if (vcpus < 1 || vcpus > SS_MAX_VCPUS || guest_ram_create(&ram, MEMORY)) {
		fprintf(stderr, "usage: acpi_tables VCPUS [no-timer]\n");
		return 1;
	}
	rsdp = acpi_write(&ram, vcpus, timer);
	dump_table(&ram, get(&ram, rsdp + 16, 4));
	xsdt = dump_table(&ram, get(&ram, rsdp + 24, 8));
	for (uint64_t at = 36; at < get(&ram, xsdt + 4, 4); at += 8) {
		uint64_t table = dump_table(&ram, get(&ram, xsdt + at, 8));

		if (get(&ram, table, 4) == 0x50434146) { /* "FACP" */
			dump_table(&ram, get(&ram, table + 36, 4));
			dump_table(&ram, get(&ram, table + 40, 4));
		}
	}
	guest_ram_destroy(&ram);
	return 0;
}
