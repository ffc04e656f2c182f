/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/pc/acpi.h"

#include <assert.h>
#include <string.h>

#include "devices/pc_map.h"
#include "guestfw/abi.h"

#define OEM_ID "SDSTEP"
#define OEM_TABLE_ID "SIDESTEP"
#define CREATOR_ID "SDST"

/* A generic address (5.2.3.2). */
enum { SPACE_IO = 1 };
enum { ACCESS_BYTE = 1, ACCESS_WORD = 2, ACCESS_DWORD = 3 };

/* FADT flags (5.2.9, table 5.10). Neither button is a fixed one, nor are there any; the clock wakes nobody. */
#define FADT_WBINVD (1u << 0)
#define FADT_PROC_C1 (1u << 2)
#define FADT_POWER_BUTTON (1u << 4)
#define FADT_SLEEP_BUTTON (1u << 5)
#define FADT_FIX_RTC (1u << 6)
#define FADT_TIMER_32_BITS (1u << 8)
#define FADT_RESET_REGISTER (1u << 10)
/* IAPC_BOOT_ARCH (table 5.11). No flag: no 8042, and no legacy device that is not in the DSDT. */
#define BOOT_NO_VGA (1u << 2)
#define BOOT_NO_CMOS_CLOCK (1u << 5)
/* From these on, a C2 or C3 does not exist (table 5.9). */
#define LATENCY_NO_C2 101
#define LATENCY_NO_C3 1001

/* MADT (5.2.12). */
enum { MADT_LOCAL_APIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LOCAL_APIC_NMI = 4 };
#define MADT_PCAT_COMPAT (1u << 0) /* there are two 8259 as well */
#define LOCAL_APIC_ENABLED (1u << 0)
#define OVERRIDE_ACTIVE_HIGH 0x1
#define OVERRIDE_LEVEL 0xc
#define ALL_PROCESSORS 0xff
#define NMI_LINT 1

struct rsdp {
	char signature[8];
	uint8_t checksum; /* of the part that ACPI 1.0 knows */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

#define RSDP_1_SIZE 20

struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct address {
	uint8_t space, width, offset, access;
	uint64_t address;
} __attribute__((packed));

struct fadt {
	struct header header;
	uint32_t facs, dsdt;
	uint8_t reserved_1;
	uint8_t profile;
	uint16_t sci_irq;
	uint32_t smi_command; /* 0: ACPI is on and stays so */
	uint8_t acpi_enable, acpi_disable, s4bios_request, pstate_control;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
	uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
	uint8_t gpe0_length, gpe1_length, gpe1_base, cstate_control;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved_2;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value;
	uint16_t arm_boot_flags;
	uint8_t minor_revision;
	uint64_t x_facs, x_dsdt;
	struct address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control, x_pm_timer, x_gpe0,
		x_gpe1;
	struct address sleep_control, sleep_status;
	uint64_t hypervisor;
} __attribute__((packed));

/* Has neither the header nor the checksum of a table. */
struct facs {
	char signature[4];
	uint32_t length, hardware, waking_vector, global_lock, flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} __attribute__((packed));

struct madt_local_apic {
	uint8_t type, length, processor, apic_id;
	uint32_t flags;
} __attribute__((packed));

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} __attribute__((packed));

struct madt_override {
	uint8_t type, length, bus, irq;
	uint32_t gsi;
	uint16_t flags;
} __attribute__((packed));

struct madt_local_apic_nmi {
	uint8_t type, length, processor;
	uint16_t flags;
	uint8_t lint;
} __attribute__((packed));

/* What follows is as many local APICs as there are vCPUs. */
struct madt {
	struct header header;
	uint32_t local_apic_address, flags;
	struct madt_ioapic ioapic;
	struct madt_override sci;
	struct madt_local_apic_nmi nmi;
	struct madt_local_apic local_apics[];
} __attribute__((packed));

struct rsdt {
	struct header header;
	uint32_t fadt, madt;
} __attribute__((packed));

struct xsdt {
	struct header header;
	uint64_t fadt, madt;
} __attribute__((packed));

_Static_assert(sizeof(struct rsdp) == 36, "5.2.5.3");
_Static_assert(sizeof(struct header) == 36, "5.2.6");
_Static_assert(sizeof(struct address) == 12, "5.2.3.2");
_Static_assert(sizeof(struct rsdt) == 36 + 2 * 4, "5.2.7");
_Static_assert(sizeof(struct xsdt) == 36 + 2 * 8, "5.2.8");
_Static_assert(offsetof(struct fadt, flags) == 112 && offsetof(struct fadt, x_facs) == 132 &&
	       sizeof(struct fadt) == 276, "5.2.9");
_Static_assert(sizeof(struct facs) == 64, "5.2.10");
_Static_assert(sizeof(struct madt_local_apic) == 8, "5.2.12.2");
_Static_assert(sizeof(struct madt_ioapic) == 12, "5.2.12.3");
_Static_assert(sizeof(struct madt_override) == 10, "5.2.12.5");
_Static_assert(sizeof(struct madt_local_apic_nmi) == 6, "5.2.12.7");
_Static_assert(sizeof(struct madt) == 44 + 12 + 10 + 6, "5.2.12");
/* A local APIC of this kind has an identifier of 8 bits, of which 0xff is everybody, and the IOAPIC has one too. */
_Static_assert(SS_MAX_VCPUS < ALL_PROCESSORS, "identifiers of APICs");

/* Where in guest memory each table is. All begin at a multiple of 64, which the FACS has to; the DSDT comes last. */
enum {
	AT_RSDP = PC_ACPI_TABLES,
	AT_RSDT = AT_RSDP + 64,
	AT_XSDT = AT_RSDT + 64,
	AT_FACS = AT_XSDT + 64,
	AT_FADT = AT_FACS + 64,
	AT_MADT = AT_FADT + 320,
	AT_DSDT = AT_MADT + 64 * (1 + (sizeof(struct madt) + SS_MAX_VCPUS * sizeof(struct madt_local_apic)) / 64),
};

_Static_assert(PC_ACPI_TABLES % 64 == 0, "the FACS is aligned");
_Static_assert(sizeof(struct rsdt) <= 64 && sizeof(struct xsdt) <= 64 && sizeof(struct fadt) <= 320, "tables overlap");

/* Compiled from dsdt.asl, with its checksum. */
extern const uint8_t dsdt_start[], dsdt_end[];

/* The byte that makes the sum of all 0, where there is 0 now. */
static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return (uint8_t)-sum;
}

static void put(const struct guest_ram *ram, uint64_t gpa, const void *data, size_t size)
{
	int error = guest_ram_write(ram, gpa_at(gpa), data, size);

	assert(!error && gpa + size <= PC_ACPI_TABLES_END);
	(void)error;
}

/* Completes a table, which begins with a header, and writes it. */
static void put_table(const struct guest_ram *ram, uint64_t gpa, const char *signature, uint8_t revision,
		      struct header *table, size_t size)
{
	*table = (struct header){
		.length = (uint32_t)size,
		.revision = revision,
		.oem_revision = 1,
		.creator_revision = 1,
	};
	memcpy(table->signature, signature, sizeof(table->signature));
	memcpy(table->oem_id, OEM_ID, sizeof(table->oem_id));
	memcpy(table->oem_table_id, OEM_TABLE_ID, sizeof(table->oem_table_id));
	memcpy(table->creator_id, CREATOR_ID, sizeof(table->creator_id));
	table->checksum = checksum(table, size);
	put(ram, gpa, table, size);
}

static void put_rsdp(const struct guest_ram *ram)
{
	struct rsdp rsdp = {
		.revision = 2,
		.rsdt = AT_RSDT,
		.length = sizeof(rsdp),
		.xsdt = AT_XSDT,
	};

	memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
	memcpy(rsdp.oem_id, OEM_ID, sizeof(rsdp.oem_id));
	rsdp.checksum = checksum(&rsdp, RSDP_1_SIZE);
	rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
	put(ram, AT_RSDP, &rsdp, sizeof(rsdp));
}

static void put_facs(const struct guest_ram *ram)
{
	struct facs facs = {.length = sizeof(facs), .version = 2};

	memcpy(facs.signature, "FACS", sizeof(facs.signature));
	put(ram, AT_FACS, &facs, sizeof(facs));
}

static struct address io_address(uint16_t port, uint8_t bytes, uint8_t access)
{
	return (struct address){SPACE_IO, (uint8_t)(8 * bytes), 0, access, port};
}

/* The FACS has an address of 32 bits only: one that is told twice counts as two by older kernels. */
static void put_fadt(const struct guest_ram *ram, bool timer)
{
	struct fadt fadt = {
		.facs = AT_FACS,
		.dsdt = AT_DSDT,
		.sci_irq = PC_SCI_IRQ,
		.pm1a_event = PC_PM1_EVENT,
		.pm1a_control = PC_PM1_CONTROL,
		.pm1_event_length = PC_PM1_EVENT_SIZE,
		.pm1_control_length = PC_PM1_CONTROL_SIZE,
		.c2_latency = LATENCY_NO_C2,
		.c3_latency = LATENCY_NO_C3,
		.boot_flags = BOOT_NO_VGA | BOOT_NO_CMOS_CLOCK,
		.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_POWER_BUTTON | FADT_SLEEP_BUTTON | FADT_FIX_RTC |
			 FADT_TIMER_32_BITS | FADT_RESET_REGISTER,
		.reset = io_address(PC_ACPI_RESET, 1, ACCESS_BYTE),
		.reset_value = PC_ACPI_RESET_VALUE,
		.minor_revision = 4,
		.x_dsdt = AT_DSDT,
		.x_pm1a_event = io_address(PC_PM1_EVENT, PC_PM1_EVENT_SIZE, ACCESS_WORD),
		.x_pm1a_control = io_address(PC_PM1_CONTROL, PC_PM1_CONTROL_SIZE, ACCESS_WORD),
	};

	if (timer) {
		fadt.pm_timer = PC_PM_TIMER;
		fadt.pm_timer_length = PC_PM_TIMER_SIZE;
		fadt.x_pm_timer = io_address(PC_PM_TIMER, PC_PM_TIMER_SIZE, ACCESS_DWORD);
	}
	put_table(ram, AT_FADT, "FACP", 6, &fadt.header, sizeof(fadt));
}

/* KVM connects line 0 to pin 0 of the IOAPIC, so the timer needs no override, as it does elsewhere. The SCI is told to
 * be of level and active high, because without that kernels take it for active low. */
static void put_madt(const struct guest_ram *ram, unsigned vcpus)
{
	union {
		struct madt table;
		uint8_t room[sizeof(struct madt) + SS_MAX_VCPUS * sizeof(struct madt_local_apic)];
	} madt = {.table = {
		.local_apic_address = PC_LOCAL_APIC,
		.flags = MADT_PCAT_COMPAT,
		.ioapic = {
			.type = MADT_IOAPIC,
			.length = sizeof(struct madt_ioapic),
			.id = (uint8_t)vcpus, /* the first that no local APIC has */
			.address = PC_IOAPIC,
		},
		.sci = {
			.type = MADT_OVERRIDE,
			.length = sizeof(struct madt_override),
			.irq = PC_SCI_IRQ,
			.gsi = PC_SCI_IRQ,
			.flags = OVERRIDE_ACTIVE_HIGH | OVERRIDE_LEVEL,
		},
		.nmi = {
			.type = MADT_LOCAL_APIC_NMI,
			.length = sizeof(struct madt_local_apic_nmi),
			.processor = ALL_PROCESSORS,
			.lint = NMI_LINT,
		},
	}};

	for (unsigned i = 0; i < vcpus; i++)
		madt.table.local_apics[i] = (struct madt_local_apic){
			.type = MADT_LOCAL_APIC,
			.length = sizeof(struct madt_local_apic),
			.processor = (uint8_t)i,
			.apic_id = (uint8_t)i,
			.flags = LOCAL_APIC_ENABLED,
		};
	put_table(ram, AT_MADT, "APIC", 5, &madt.table.header,
		  sizeof(madt.table) + vcpus * sizeof(struct madt_local_apic));
}

uint64_t acpi_write(const struct guest_ram *ram, unsigned vcpus, bool timer)
{
	struct rsdt rsdt = {.fadt = AT_FADT, .madt = AT_MADT};
	struct xsdt xsdt = {.fadt = AT_FADT, .madt = AT_MADT};

	assert(vcpus >= 1 && vcpus <= SS_MAX_VCPUS);
	put_rsdp(ram);
	put_table(ram, AT_RSDT, "RSDT", 1, &rsdt.header, sizeof(rsdt));
	put_table(ram, AT_XSDT, "XSDT", 1, &xsdt.header, sizeof(xsdt));
	put_facs(ram);
	put_fadt(ram, timer);
	put_madt(ram, vcpus);
	put(ram, AT_DSDT, dsdt_start, (size_t)(dsdt_end - dsdt_start));
	return AT_RSDP;
}
