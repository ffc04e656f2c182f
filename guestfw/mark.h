/* SPDX-License-Identifier: MIT */
/*
 * Names for what a guest of sidestep does that has no catalogue: in Linux, for programs after ioperm(SIDESTEP_MARK_PORT,
 * 4, 1) and for the kernel and its modules, and in other kernels. Needs nothing but a compiler. A mark is of the vCPU
 * that sets it: stay there meanwhile. Where nobody answers at the port, nothing happens. docs/guest-abi.md, "Markers for
 * a kernel of your own".
 */
#ifndef SIDESTEP_MARK_H
#define SIDESTEP_MARK_H

#define SIDESTEP_MARK_PORT 0x5e8

/* From here on the vCPU performs operation `name`, once more; with "" none. An exit to the host a character. */
static inline void sidestep_mark(const char *name)
{
	do
		__asm__ volatile("outb %b0, %w1" : : "a"(*name), "Nd"(SIDESTEP_MARK_PORT) : "memory");
	while (*name++);
}

/* The number of the name that this vCPU has given last; 0: it was refused, ~0: nobody answers. */
static inline unsigned int sidestep_mark_number(void)
{
	unsigned int number;

	__asm__ volatile("inl %w1, %0" : "=a"(number) : "Nd"(SIDESTEP_MARK_PORT) : "memory");
	return number;
}

/* The same as giving the name of that number again, in one exit. */
static inline void sidestep_mark_again(unsigned int number)
{
	__asm__ volatile("outl %0, %w1" : : "a"(number), "Nd"(SIDESTEP_MARK_PORT) : "memory");
}

#endif
