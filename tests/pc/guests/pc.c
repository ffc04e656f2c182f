/* SPDX-License-Identifier: GPL-2.0-only */
#include "pc.h"

#define SERIAL 0x3f8
#define EXIT 0xf4
#define CODE 0x08
#define TRAMPOLINE 0x8000

extern const char trampoline[], trampoline_end[];

void *memset(void *target, int byte, size_t size)
{
	char *at = target;

	for (size_t i = 0; i < size; i++)
		at[i] = (char)byte;
	return target;
}

void *memcpy(void *target, const void *source, size_t size)
{
	char *to = target;
	const char *from = source;

	for (size_t i = 0; i < size; i++)
		to[i] = from[i];
	return target;
}

int memcmp(const void *left, const void *right, size_t size)
{
	const uint8_t *l = left, *r = right;

	for (size_t i = 0; i < size; i++)
		if (l[i] != r[i])
			return l[i] - r[i];
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

void print_char(char c)
{
	while (!(inb(SERIAL + 5) & 0x20))
		cpu_pause();
	outb(SERIAL, (uint8_t)c);
}

void print(const char *text)
{
	while (*text)
		print_char(*text++);
}

void print_number(uint32_t number)
{
	if (number >= 10)
		print_number(number / 10);
	print_char((char)('0' + number % 10));
}

void print_hex(uint64_t number)
{
	if (number >= 16)
		print_hex(number >> 4);
	print_char("0123456789abcdef"[number & 15]);
}

_Noreturn void finish(int status)
{
	outl(EXIT, (uint32_t)status);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void check(bool is, const char *what)
{
	if (is)
		return;
	print("not so: ");
	print(what);
	print("\n");
	finish(1);
}

bool has_word(const struct multiboot *told, const char *word)
{
	const char *at = told->flags & TOLD_COMMAND_LINE ? told->command_line : "";
	size_t length = strlen(word);

	while (*at) {
		size_t size = 0;

		while (at[size] && at[size] != ' ')
			size++;
		if (size == length && !memcmp(at, word, length))
			return true;
		at += size + (at[size] == ' ');
	}
	return false;
}

static uint64_t gates[256];

void set_gate(uint8_t vector, void (*handler)(void))
{
	uint32_t address = (uint32_t)(uintptr_t)handler;

	gates[vector] = (uint64_t)(address & 0xffff0000u) << 32 | UINT64_C(0x8e00) << 32 | CODE << 16 |
			(address & 0xffff);
}

static void exception(void)
{
	check(false, "no exceptions");
}

void load_gates(void)
{
	struct {
		uint16_t limit;
		void *base;
	} __attribute__((packed)) idtr = {sizeof(gates) - 1, gates};

	for (uint8_t vector = 0; vector < 32; vector++)
		if (!gates[vector])
			set_gate(vector, exception);
	__asm__ volatile("lidt %0" : : "m"(idtr), "m"(gates));
}

void pic_setup(uint16_t lines)
{
	outb(0x20, 0x11);
	outb(0x21, PIC_BASE);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0xa0, 0x11);
	outb(0xa1, PIC_BASE + 8);
	outb(0xa1, 2);
	outb(0xa1, 1);
	if (lines >> 8)
		lines |= 4;
	outb(0x21, (uint8_t)~lines);
	outb(0xa1, (uint8_t)~(lines >> 8));
}

void pic_end(unsigned line)
{
	if (line >= 8)
		outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

void pit_setup(uint32_t hertz)
{
	uint32_t divisor = 1193182 / hertz;

	outb(0x43, 0x34);
	outb(0x40, (uint8_t)divisor);
	outb(0x40, (uint8_t)(divisor >> 8));
}

static volatile uint32_t *apic_register(uint32_t offset)
{
	return (volatile uint32_t *)(uintptr_t)((uint32_t)rdmsr(MSR_APIC_BASE) & 0xfffff000u) + offset / 4;
}

uint32_t apic_read(uint32_t offset)
{
	return *apic_register(offset);
}

void apic_write(uint32_t offset, uint32_t value)
{
	*apic_register(offset) = value;
}

uint32_t apic_id(void)
{
	return apic_read(APIC_ID) >> 24;
}

static void send(uint32_t command)
{
	apic_write(APIC_ICR, command);
	while (apic_read(APIC_ICR) & 0x1000)
		cpu_pause();
}

void start_others(void)
{
	memcpy((void *)TRAMPOLINE, trampoline, (size_t)(trampoline_end - trampoline));
	apic_write(APIC_SPURIOUS, 0x1ff);
	send(0xc4500);
	send(0xc4600 | TRAMPOLINE >> 12);
}

uint32_t acpi_get(const uint8_t *at, unsigned width)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (uint32_t)at[i] << 8 * i;
	return value;
}

static uint8_t sum(const uint8_t *bytes, uint32_t size)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum;
}

static const uint8_t *find_rsdp(void)
{
	for (const uint8_t *at = (const uint8_t *)0xe0000; at < (const uint8_t *)0x100000; at += 16)
		if (!memcmp(at, "RSD PTR ", 8) && sum(at, 20) == 0)
			return at;
	return NULL;
}

const uint8_t *acpi_table(const char *signature)
{
	const uint8_t *rsdp = find_rsdp(), *rsdt;

	check(rsdp != NULL, "there is an RSDP");
	rsdt = (const uint8_t *)(uintptr_t)acpi_get(rsdp + 16, 4);
	check(!memcmp(rsdt, "RSDT", 4) && sum(rsdt, acpi_get(rsdt + 4, 4)) == 0, "the RSDT is well");
	for (uint32_t at = 36; at < acpi_get(rsdt + 4, 4); at += 4) {
		const uint8_t *table = (const uint8_t *)(uintptr_t)acpi_get(rsdt + at, 4);

		if (!memcmp(table, signature, 4)) {
			check(sum(table, acpi_get(table + 4, 4)) == 0, "the checksum of an ACPI table");
			return table;
		}
	}
	return NULL;
}

const uint8_t *madt_entry(uint8_t type, unsigned index)
{
	const uint8_t *madt = acpi_table("APIC");

	check(madt != NULL, "there is a MADT");
	for (uint32_t at = 44; at < acpi_get(madt + 4, 4); at += madt[at + 1])
		if (madt[at] == type && index-- == 0)
			return madt + at;
	return NULL;
}

unsigned madt_processors(void)
{
	unsigned count = 0;

	while (madt_entry(0, count))
		count++;
	return count;
}

uint32_t isa_pin(uint8_t line)
{
	const uint8_t *entry;

	for (unsigned i = 0; (entry = madt_entry(2, i)); i++)
		if (entry[3] == line)
			return acpi_get(entry + 4, 4);
	return line;
}

uint64_t firmware_item(uint16_t key, unsigned width)
{
	uint64_t value = 0;

	outw(0x510, key);
	for (unsigned i = 0; i < width; i++)
		value |= (uint64_t)inb(0x511) << 8 * i;
	return value;
}
