/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>

#include "cli.h"
#include "named_files.h"

/* A descriptor that the caller closed must not become the KVM device or a ledger, into which a message
 * would then go. Opened the wrong way round, it still fails like a closed one. */
static void occupy_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

/* One heap for all threads, of which no thread but the main one needs to map more, and no limit that moves
 * between it and separate mappings: what malloc asks the kernel for is then the same in every run. A thread
 * that ends gives small chunks back, which must not make malloc shrink the heap: a sealed thread of a vCPU
 * has no call for it. */
static void settle_malloc(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	mallopt(M_TRIM_THRESHOLD, -1);
}

static int printed(void)
{
	struct error error = {0};

	if (fflush(stdout) == 0 && !ferror(stdout))
		return STATUS_SUCCESS;
	error_set(&error, -errno, STATUS_INTERNAL, "standard output: %s", strerror(errno));
	return error_report(&error);
}

int main(int argc, char **argv)
{
	const struct command_row *command;
	struct settings settings;
	struct error error = {0};

	occupy_standard_descriptors();
	settle_malloc();
	/* A reader that goes away is a failed write, reported like any other; so is a file that must not grow. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		printf("sidestep %s\n", SIDESTEP_VERSION);
		return printed();
	}
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		cli_usage(stdout);
		return printed();
	}
	if (argc < 2) {
		cli_usage(stderr);
		return STATUS_USAGE;
	}
	command = command_by_name(argv[1]);
	if (!command) {
		error_set(&error, -1, STATUS_USAGE, "'%s' is no command; see `sidestep --help`", argv[1]);
		return error_report(&error);
	}
	if (cli_parse(command, argc - 1, argv + 1, &settings, &error) != 0)
		return error_report(&error);
	if (settings.help) {
		cli_help(command, stdout);
		return printed();
	}
	if (named_files_check(command, &settings, &error) != 0)
		return error_report(&error);
	return command->run(&settings);
}
