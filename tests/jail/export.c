/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * export [--check] DIRECTORY: writes the filter of every role as libseccomp prints it to
 * DIRECTORY/jail-ROLE.pfc, so that a change shows in review; with --check it compares instead. A filter
 * holds numbers of descriptors that differ between runs; here they are 1000 and the subject's place in
 * the list of jail.h. The disk has 16 MiB.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/jail/reference.h"
#include "vmm/ledger/ledger.h"

#define FIRST_SUBJECT 1000
#define DISK_SIZE (16u << 20)

static char header[160];

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(99);
}

/* Every rule that an ordinary build has for the role. */
static void *whole_filter(enum jail_role role)
{
	struct jail_thread thread = jail_thread(role, JAIL_ON);

	thread.when = JAIL_WHEN_EVERY;
	for (int i = 0; i < JAIL_SUBJECT_COUNT; i++)
		thread.subject[i] = FIRST_SUBJECT + i;
	thread.size[JAIL_SUBJECT_DISK] = DISK_SIZE;
	thread.size[JAIL_SUBJECT_LEDGER] = LEDGER_FILE_MAX;
	return reference_filter(&thread);
}

static char *text_of(enum jail_role role)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	void *filter = whole_filter(role);
	struct stat status;
	char *text;

	if (fd < 0 || !filter || write(fd, header, strlen(header)) < 0 ||
	    seccomp_export_pfc(filter, fd) != 0 || fstat(fd, &status) != 0)
		fail("export");
	seccomp_release(filter);
	text = calloc(1, (size_t)status.st_size + 1);
	if (!text || pread(fd, text, (size_t)status.st_size, 0) != status.st_size)
		fail("export");
	close(fd);
	return text;
}

static char *contents(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		fail(path);
	if (getdelim(&text, &size, '\0', file) < 0)
		fail(path);
	fclose(file);
	return text;
}

static int check(const char *path, const char *text)
{
	char *known = contents(path);
	int result = 0;

	if (strncmp(known, header, strlen(header)) != 0) {
		printf("skipped: needs: the libseccomp that wrote %s; host: %s", path, header);
		result = 77;
	} else if (strcmp(known, text) != 0) {
		printf("%s is not the filter of today, which is:\n%s", path, text);
		result = 1;
	}
	free(known);
	return result;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		fail(path);
}

int main(int argc, char **argv)
{
	const struct scmp_version *version = seccomp_version();
	bool checking = argc == 3 && strcmp(argv[1], "--check") == 0;
	int result = 0;

	if (argc != 2 && !checking) {
		fputs("usage: export [--check] DIRECTORY\n", stderr);
		return 2;
	}
	snprintf(header, sizeof(header), "# libseccomp %u.%u.%u\n", version->major, version->minor,
		 version->micro);
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++) {
		char *text = text_of((enum jail_role)role), path[512];
		int one = 0;

		snprintf(path, sizeof(path), "%s/jail-%s.pfc", argv[argc - 1], jail_role_keys[role]);
		if (checking)
			one = check(path, text);
		else
			write_file(path, text);
		if (result == 0 || one == 1)
			result = one;
		free(text);
	}
	return result;
}
