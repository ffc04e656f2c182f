/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/run/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/vm/vcpu.h"

static void write_lines(const struct vcpu_thread *threads, unsigned count, FILE *stream)
{
	fprintf(stream, "%ld\n", (long)getpid());
	for (unsigned i = 0; i < count; i++) {
		char name[VCPU_NAME_SIZE];

		vcpu_thread_name(threads[i].vcpu, name);
		fprintf(stream, "%ld %s\n", (long)threads[i].tid, name);
	}
}

static int cannot(const struct pid_file *file, int rc, struct error *error)
{
	return error_set(error, rc, STATUS_USAGE, "%s: %s; name a file that can be written", file->name,
			 strerror(-rc));
}

int pid_file_prepare(struct pid_file *file, const char *name, enum jail_mode mode, struct error *error)
{
	int rc = output_target_find(name, &file->target);

	file->name = name;
	if (rc != 0)
		return cannot(file, rc, error);
	/* A pipe would wait for its reader, at a time when no signal is taken. */
	if (!file->target.replaced)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: not a regular file; name one for --pid-file", name);
	rc = file_remover_start(&file->remover, file->target.path, file->target.temporary, mode);
	return rc == 0 ? 0 : error_set(error, rc, STATUS_INTERNAL, "%s: %s", name, strerror(-rc));
}

static int write_temporary(const struct pid_file *file, const struct vcpu_thread *threads, unsigned count)
{
	int fd = open(file->target.temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), rc = 0;
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");

	if (!stream) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	write_lines(threads, count, stream);
	if (ferror(stream) || fflush(stream) != 0)
		rc = -errno;
	return fclose(stream) != 0 && rc == 0 ? -errno : rc;
}

int pid_file_write(struct pid_file *file, const struct vcpu_thread *threads, unsigned count,
		   struct error *error)
{
	int rc = write_temporary(file, threads, count);

	/* Told first: whatever ends this process in between, nothing is left behind. */
	if (rc == 0)
		rc = file_remover_arm(&file->remover);
	if (rc == 0 && rename(file->target.temporary, file->target.path) != 0) {
		rc = -errno;
		file_remover_disarm(&file->remover);
	}
	return rc == 0 ? 0 : cannot(file, rc, error);
}

void pid_file_finish(struct pid_file *file)
{
	file_remover_finish(&file->remover);
}
