/* SPDX-License-Identifier: GPL-2.0-only */
#include "pid_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "vcpu.h"

static void write_lines(const struct machine *machine, FILE *stream)
{
	fprintf(stream, "%ld\n", (long)getpid());
	for (unsigned i = 0; i < machine->vms_created; i++) {
		const struct vm *vm = &machine->vms[i];

		for (unsigned j = 0; j < vm->vcpus_created; j++) {
			char name[VCPU_NAME_SIZE];

			vcpu_thread_name(&vm->vcpus[j], name);
			fprintf(stream, "%ld %s\n", (long)vm->vcpus[j].tid, name);
		}
	}
}

int pid_file_prepare(const char *path, struct machine *machine, struct error *error)
{
	struct stat status;
	int rc;

	/* A pipe would wait for its reader, at a time when no signal is taken. */
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: not a regular file; name one for --pid-file", path);
	rc = remover_start(&machine->remover, path, machine->seal.mode);
	return rc == 0 ? 0 : error_set(error, rc, STATUS_INTERNAL, "%s: %s", path, strerror(-rc));
}

int pid_file_write(const char *path, struct machine *machine, struct error *error)
{
	struct output output;
	int rc = output_open(&output, path, machine->seal.mode, error);

	if (rc != 0)
		return rc;
	write_lines(machine, output.stream);
	rc = output_commit(&output, error);
	if (rc == 0 && (rc = remover_arm(&machine->remover)) != 0)
		error_set(error, rc, STATUS_INTERNAL, "%s: %s", path, strerror(-rc));
	return rc;
}
