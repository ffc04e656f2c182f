/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What guests of the platform `pc` share. They learn from the computer what any kernel would: nothing here is
 * sidestep's. A guest ends by its exit status through port 0xf4, as kvm-unit-tests do; 0 is "as it should be".
 */
#ifndef TESTS_PC_GUESTS_PC_H
#define TESTS_PC_GUESTS_PC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Multiboot Specification 0.6.96, section 3.3. */
struct multiboot {
	uint32_t flags;
	uint32_t memory_lower, memory_upper; /* KiB from 0, KiB from 1 MiB */
	uint32_t boot_device;
	const char *command_line;
	uint32_t modules;
	const struct multiboot_module *module;
	uint32_t symbols[4];
	uint32_t map_length;
	const struct multiboot_range *map;
	uint32_t drives_length, drives, config_table;
	const char *loader;
};

enum {
	TOLD_MEMORY = 1 << 0,
	TOLD_COMMAND_LINE = 1 << 2,
	TOLD_MODULES = 1 << 3,
	TOLD_MAP = 1 << 6,
	TOLD_LOADER = 1 << 9,
};

struct multiboot_module {
	const char *start, *end;
	const char *text;
	uint32_t reserved;
};

struct multiboot_range {
	uint32_t size; /* of what follows */
	uint64_t base, length;
	uint32_t type;
} __attribute__((packed));

#define RANGE_AVAILABLE 1

static inline const struct multiboot_range *next_range(const struct multiboot_range *range)
{
	return (const struct multiboot_range *)((const char *)range + range->size + sizeof(range->size));
}

static inline bool is_in_map(const struct multiboot *told, const struct multiboot_range *range)
{
	return (uintptr_t)range < (uintptr_t)told->map + told->map_length;
}

/* The guest. What it returns is its exit status. */
int guest(const struct multiboot *told);
/* What the other processors do, once start_others() has been called; they halt after it. */
void other(void);

/* Where the guest is in memory. */
extern char image_start[], image_data_end[], image_end[];

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid id;

	__asm__ volatile("cpuid" : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx) : "a"(leaf), "c"(0));
	return id;
}

static inline void cpu_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Waits for an interrupt with interrupts on, which are off before and after. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

void *memset(void *target, int byte, size_t size);
void *memcpy(void *target, const void *source, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);

/* Output to the serial line, by polling. */
void print(const char *text);
void print_char(char c);
void print_number(uint32_t number); /* decimal */
void print_hex(uint64_t number);

_Noreturn void finish(int status);
/* Ends with status 1 unless `is`; says `what`. */
void check(bool is, const char *what);

/* Whether `word` is one of the command line. */
bool has_word(const struct multiboot *told, const char *word);

/*
 * Interrupts by vector. INTERRUPT(name) is followed by the body of a handler. It returns without IRET, which a KVM that
 * interprets has in real mode only: flags first, so another interrupt may come between. Exceptions end the guest.
 */
#define INTERRUPT(name)                                                                            \
	extern void name(void);                                                                    \
	__asm__(".text\n" #name ": pushal; cld; call " #name "_body; popal; pushl 8(%esp); popfl; lret $4"); \
	__attribute__((used)) static void name##_body(void)

void set_gate(uint8_t vector, void (*handler)(void));
void load_gates(void);

/* The two 8259: lines 0 to 15 give vectors PIC_BASE on; all are masked but those of `lines`. */
#define PIC_BASE 0x20
void pic_setup(uint16_t lines);
void pic_end(unsigned line);
/* The 8254's counter 0, so many Hz. */
void pit_setup(uint32_t hertz);

/* The local APIC's registers in memory. */
uint32_t apic_read(uint32_t offset);
void apic_write(uint32_t offset, uint32_t value);
uint32_t apic_id(void);

#define APIC_ID 0x20
#define APIC_END 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_ICR 0x300
#define MSR_APIC_BASE 0x1b

/* INIT and SIPI to all other processors. */
void start_others(void);

/* ACPI: the table with a signature by way of RSDP and RSDT, or NULL. Tables are checked. */
const uint8_t *acpi_table(const char *signature);
uint32_t acpi_get(const uint8_t *at, unsigned width);
/* The entry number `index` of a type in the MADT, or NULL. */
const uint8_t *madt_entry(uint8_t type, unsigned index);
unsigned madt_processors(void);
/* To which pin of the IOAPICs a line of the ISA bus goes. */
uint32_t isa_pin(uint8_t line);

/* An item of the firmware's configuration, `width` bytes, by its key. */
uint64_t firmware_item(uint16_t key, unsigned width);

#endif
