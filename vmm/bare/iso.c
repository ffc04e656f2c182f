/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/bare/iso.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/base/progress.h"
#include "vmm/output/helper_process.h"
#include "vmm/output/work_directory.h"

#define PROGRAM "grub-mkrescue"
#define LOOK_MS 100
#define TRIES 3
#define NEEDS "an .iso needs the Debian packages grub-common, grub-pc-bin, grub-efi-amd64-bin, xorriso and mtools; " \
	      "a name without .iso gets the kernel alone"

/* BIOS has text everywhere, UEFI only pixels. */
static const char configuration[] = "if serial --unit=0 --speed=115200; then terminal_output --append serial; fi\n"
				    "insmod all_video\n"
				    "multiboot2 /boot/sidestep.bin\n"
				    "if [ \"$grub_platform\" = pc ]; then set gfxpayload=text; fi\n"
				    "boot\n";

static int put_file(int directory, const char *name, const void *data, size_t size)
{
	const int fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int rc;

	if (!file)
		return -errno;
	rc = fwrite(data, 1, size, file) == size ? 0 : -errno;
	return fclose(file) != 0 && rc == 0 ? -errno : rc;
}

/* With a zero behind it. */
static int get_file(int directory, const char *name, struct blob *ret_file)
{
	const int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	struct stat status;
	int rc;

	if (!file || fstat(fd, &status) != 0)
		return -errno;
	blob_append(ret_file, NULL, (size_t)status.st_size + 1);
	rc = ret_file->error;
	if (rc == 0) {
		ret_file->size--;
		rc = fread(ret_file->data, 1, ret_file->size, file) == ret_file->size ? 0 : -EIO;
	}
	fclose(file);
	return rc;
}

static int put_tree(int directory, const struct blob *image)
{
	int rc;

	if (mkdirat(directory, "root", 0777) != 0 || mkdirat(directory, "root/boot", 0777) != 0 ||
	    mkdirat(directory, "root/boot/grub", 0777) != 0)
		return -errno;
	rc = put_file(directory, "root/boot/grub/grub.cfg", configuration, sizeof(configuration) - 1);
	return rc == 0 ? put_file(directory, "root/boot/sidestep.bin", image->data, image->size) : rc;
}

/* It takes a second or more, and does not say how far it is. */
static void await(pid_t pid)
{
	struct pollfd end = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};

	progress_step("having " PROGRAM " make a medium");
	while (end.fd >= 0 && progress_is_shown() && poll(&end, 1, LOOK_MS) == 0)
		progress_at(0, 0);
	if (end.fd >= 0)
		close(end.fd);
}

/* Returns the exit status, or a negative errno if it could not be started. Its messages go into a file, and what it
 * leaves behind when it fails is in the directory. */
static int run(int directory)
{
	static const char *const arguments[] = {PROGRAM, "--fonts=", "--locales=", "--themes=", "-o", "iso", "root", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t ignored;
	pid_t pid;
	int rc;

	sigemptyset(&ignored);
	sigaddset(&ignored, SIGPIPE);
	sigaddset(&ignored, SIGXFSZ);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &ignored);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addfchdir_np(&actions, directory);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "messages", O_WRONLY | O_CREAT | O_TRUNC, 0666);
	posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
	setenv("TMPDIR", ".", 1);
	setenv("LC_ALL", "C", 1);
	rc = posix_spawnp(&pid, PROGRAM, &actions, &attributes, (char *const *)arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (rc != 0)
		return -rc;
	await(pid);
	rc = -helper_wait(pid);
	progress_end();
	return rc;
}

/* What it calls, xorriso, may crash on a busy machine when all is written: a thread of libburn looks at a drive that has
 * been released (write_disc_worker_func() of its async.c, 1.5.4). */
static bool has_crashed(int directory)
{
	static const char sign[] = "UNIX-SIGNAL: ";
	struct blob messages = {0};
	const bool crashed = get_file(directory, "messages", &messages) == 0 &&
			     memmem(messages.data, messages.size, sign, sizeof(sign) - 1);

	blob_finish(&messages);
	return crashed;
}

/* Its last line is what it has failed of. */
static int tell_failure(int directory, struct error *error)
{
	struct blob messages = {0};
	const char *last = PROGRAM " failed";

	if (get_file(directory, "messages", &messages) == 0 && messages.size > 1) {
		char *text = (char *)messages.data, *line;

		text[strlen(text) - 1] = '\0';
		line = strrchr(text, '\n');
		last = line ? line + 1 : text;
	}
	error_set(error, -EIO, STATUS_INTERNAL, "%s; " NEEDS, last);
	blob_finish(&messages);
	return -EIO;
}

/* GRUB leaves out what it has no files for. */
static int check_parts(const struct blob *iso, struct error *error)
{
	const char *missing = !memmem(iso->data, iso->size, "eltorito.img", 12) ? "BIOS (grub-pc-bin)"
			      : !memmem(iso->data, iso->size, "efi.img", 7)     ? "UEFI (grub-efi-amd64-bin)"
										: NULL;

	return missing ? error_set(error, -ENOENT, STATUS_INTERNAL, PROGRAM " has no files for %s; " NEEDS, missing) : 0;
}

static int make(const struct work_directory *directory, const struct blob *image, struct blob *iso, struct error *error)
{
	int rc = put_tree(directory->fd, image);

	if (rc == 0) {
		int tries = TRIES;

		do
			rc = run(directory->fd);
		while (rc > 0 && --tries > 0 && has_crashed(directory->fd));
		if (rc < 0)
			return error_set(error, rc, STATUS_INTERNAL, PROGRAM ": %s; " NEEDS, strerror(-rc));
		if (rc > 0)
			return tell_failure(directory->fd, error);
		rc = get_file(directory->fd, "iso", iso);
	}
	return rc == 0 ? check_parts(iso, error)
		       : error_set(error, rc, STATUS_INTERNAL, "%s: %s; TMPDIR can name another directory",
				   directory->path, strerror(-rc));
}

int iso_make(struct blob *image, struct error *error)
{
	struct work_directory directory;
	struct blob iso = {0};
	int rc = work_directory_open(&directory);

	if (rc != 0)
		return error_set(error, rc, STATUS_INTERNAL, "%s: %s; TMPDIR can name another directory", directory.path,
				 strerror(-rc));
	rc = make(&directory, image, &iso, error);
	work_directory_close(&directory);
	if (rc == 0) {
		const struct blob kernel = *image;

		*image = iso;
		iso = kernel;
	}
	blob_finish(&iso);
	return rc;
}
