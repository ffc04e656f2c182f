/* SPDX-License-Identifier: GPL-2.0-only */
/* The instructions of the relay that C does not have. The tests on the host, where most of them cannot be
 * executed, have functions of the same names in their place. */
#ifndef SIDESTEP_RELAY_INSN_H
#define SIDESTEP_RELAY_INSN_H

#include <stdint.h>

static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline void write_port(uint16_t port)
{
	__asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(port) : "memory");
}

struct cpuid_registers {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_registers cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_registers r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline void write_cr2(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr2" : : "r"(value));
}

static inline void write_xcr0(uint64_t value)
{
	__asm__ volatile("xsetbv" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(0));
}

static inline uint64_t read_msr(uint32_t index)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
	return (uint64_t)high << 32 | low;
}

static inline void out_port(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in_port(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void write_msr(uint32_t index, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void vmptrld(uint64_t address)
{
	__asm__ volatile("vmptrld %0" : : "m"(address) : "cc", "memory");
}

static inline void vmsave(uint64_t vmcb)
{
	__asm__ volatile("vmsave %0" : : "a"(vmcb) : "memory");
}

static inline void vmload(uint64_t vmcb)
{
	__asm__ volatile("vmload %0" : : "a"(vmcb) : "memory");
}

/* GIF is set for a moment: what is pending comes, and goes by L1's handler. */
static inline void take_nmi(void)
{
	__asm__ volatile("stgi\n\tnop\n\tclgi" : : : "memory");
}

static inline uint64_t vmread(uint64_t field)
{
	uint64_t value;

	__asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
	return value;
}

/* As vmread(), but says when the field cannot be read. */
static inline uint64_t vmread_checked(uint64_t field, uint64_t *value)
{
	uint8_t failed;

	__asm__ volatile("vmread %2, %0; setbe %1" : "=r"(*value), "=q"(failed) : "r"(field) : "cc");
	return failed;
}

static inline void vmwrite(uint64_t field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" : : "r"(field), "r"(value) : "cc");
}

/* A word of the nested guest's tables or code, at an address of L1. */
static inline uint64_t walk_load(uint64_t address)
{
	return *(const uint64_t *)address;
}

#endif
