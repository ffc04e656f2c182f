/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program of a Linux guest that names what it does (docs/guest-abi.md, "Markers for a kernel of your own"): system
 * calls, and accesses of a port.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guestfw/mark.h"

#define TIMES 20
#define UNCLAIMED 0x80

static void ask(void)
{
	for (unsigned i = 0; i < 1000; i++)
		syscall(SYS_getppid);
}

static void print(void)
{
	static const char text[] = "twenty characters..\n";

	(void)!write(STDOUT_FILENO, text, strlen(text));
	fsync(STDOUT_FILENO);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void start(void)
{
	const pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
}

static void touch(void)
{
	for (unsigned i = 0; i < 10; i++)
		outb(0, UNCLAIMED);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*perform)(void);
	} operations[] = {{"getppid-1000", ask}, {"write-console", print}, {"nanosleep-1ms", nap}, {"fork", start}, {"port-10", touch}};

	if (ioperm(SIDESTEP_MARK_PORT, 4, 1) != 0 || ioperm(UNCLAIMED, 1, 1) != 0) {
		perror("ioperm");
		return 1;
	}
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		for (unsigned n = 0; n < TIMES; n++) {
			sidestep_mark(operations[i].name);
			operations[i].perform();
			sidestep_mark("");
		}
	return 0;
}
