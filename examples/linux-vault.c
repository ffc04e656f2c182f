/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program for a Linux guest with the views of linux-vault.views, to be run as root: enters the view that shows the
 * vault, puts a secret there, and leaves it again. Then it breaks the policy, itself and by the kernel. VMFUNC may be
 * executed by any code: which view is active the policy decides, not who switches.
 *
 *	gcc -O2 -static -o linux-vault linux-vault.c
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define VAULT 0x6000000
#define SECRET UINT64_C(0x5ec2e7)

enum { OUTSIDE, INSIDE };

static void no_vmfunc(int signal)
{
	static const char text[] = "linux-vault: this guest has no VMFUNC: run it with --engine vmx or svm\n";

	(void)signal;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static void switch_view(uint32_t view)
{
	uint32_t result = 0; /* service 0: switch to the view whose number is in ECX */

	__asm__ volatile(".byte 0x0f, 0x01, 0xd4" : "+a"(result) : "c"(view) : "memory");
}

static uint64_t read_by_kernel(int memory)
{
	uint64_t value = 0;

	if (pread(memory, &value, sizeof(value), VAULT) != sizeof(value))
		perror("linux-vault: /dev/mem");
	return value;
}

int main(void)
{
	const int memory = open("/dev/mem", O_RDWR | O_SYNC);
	volatile uint64_t *vault;

	if (memory < 0) {
		perror("linux-vault: /dev/mem");
		return 1;
	}
	vault = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, VAULT);
	if (vault == MAP_FAILED) {
		perror("linux-vault: the vault: is memmap=4K$0x6000000 on the kernel's command line?");
		return 1;
	}
	signal(SIGILL, no_vmfunc);
	switch_view(INSIDE);
	*vault = SECRET;
	printf("inside: 0x%" PRIx64 "\n", *vault);
	switch_view(OUTSIDE);
	printf("outside: 0x%" PRIx64 "\n", *vault);
	*vault = 0;
	printf("outside, by the kernel: 0x%" PRIx64 "\n", read_by_kernel(memory));
	switch_view(INSIDE);
	printf("inside: 0x%" PRIx64 "\n", *vault);
	switch_view(OUTSIDE);
	return 0;
}
