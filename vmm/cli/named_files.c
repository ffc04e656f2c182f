/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/cli/named_files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/input_file.h"
#include "vmm/output/output.h"
#include "vmm/output/output_target.h"
#include "vmm/plan/storage.h"

struct named_file {
	char what[16]; /* the option, or the word for the operand */
	const char *name;
	bool written;
	dev_t device;
	ino_t inode;
	char entry[NAME_MAX + 1]; /* in the directory of that inode, where there is no file yet */
};

struct named_files {
	struct named_file *list;
	size_t count, room;
	char input[16]; /* what has standard input */
};

static void set_inode(struct named_file *file, const struct stat *status)
{
	file->device = status->st_dev;
	file->inode = status->st_ino;
}

/* Where a file would be made. */
static bool identify_new(struct named_file *file)
{
	char path[PATH_MAX], copy[PATH_MAX];
	struct stat status;

	if (file->name[0] == '\0' || output_target_follow(file->name, path) != 0)
		return false;
	strcpy(copy, path);
	if (stat(dirname(copy), &status) != 0)
		return false;
	set_inode(file, &status);
	strcpy(copy, path);
	snprintf(file->entry, sizeof(file->entry), "%s", basename(copy));
	return true;
}

/* Returns whether it is something that must not be there twice. Who opens what is none of that says why not. */
static bool identify(struct named_file *file)
{
	struct stat status;

	if (stat(file->name, &status) != 0)
		return identify_new(file);
	set_inode(file, &status);
	return S_ISREG(status.st_mode);
}

static void add(struct named_files *files, const struct named_file *file)
{
	if (files->count < files->room)
		files->list[files->count++] = *file;
}

/* "-": standard input, once. What is written in another way than from beginning to end must be a file. */
static int take_stdin(struct named_files *files, const char *what, bool written, struct error *error)
{
	if (written)
		return error_set(error, -EINVAL, STATUS_USAGE, "%s: '-' is not the name of a file; ./- would be", what);
	if (files->input[0])
		return error_set(error, -EINVAL, STATUS_USAGE, "%s - and %s -: there is one standard input; name a file", files->input,
				 what);
	snprintf(files->input, sizeof(files->input), "%s", what);
	return 0;
}

/* `shown`: as it was given. */
static int add_name(struct named_files *files, const char *what, const char *name, const char *shown, bool written,
		    struct error *error)
{
	struct named_file file = {.name = name, .written = written};

	if (input_is_stdin(name))
		return take_stdin(files, what, written, error);
	snprintf(file.what, sizeof(file.what), "%s", what);
	if (!identify(&file))
		return 0;
	file.name = shown;
	add(files, &file);
	return 0;
}

/* What the caller has opened, if it is a file that could be written to. */
static void add_open(struct named_files *files, int fd, const char *name)
{
	struct named_file file = {.name = name, .written = true};
	int flags = fcntl(fd, F_GETFL);
	struct stat status;

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return;
	set_inode(&file, &status);
	add(files, &file);
}

static int add_option(struct named_files *files, const struct settings_file *file, struct error *error)
{
	enum file_access access = file->option->access;
	bool read_only = access == FILE_READ || access == FILE_READ_EACH || access == FILE_PLACED_EACH;
	char what[16], *path = NULL;
	int rc;

	if (file->option->letter)
		snprintf(what, sizeof(what), "-%c", file->option->letter);
	else
		snprintf(what, sizeof(what), "--%s", file->option->name);
	if (access == FILE_OUTPUT && output_is_stdout(file->name))
		return 0;
	if (access == FILE_DISK || access == FILE_PLACED_EACH) {
		path = access == FILE_DISK ? storage_file_name(file->name, &read_only) : symbol_request_path(file->name);
		if (!path)
			return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	}
	if (access == FILE_DISK && input_is_stdin(path))
		rc = take_stdin(files, what, true, error);
	else
		rc = add_name(files, what, path ? path : file->name, file->name, !read_only, error);
	free(path);
	return rc;
}

/* "FILE [GUEST]", "LEDGER...": operands are read, unless they are patterns. */
static int add_operands(struct named_files *files, const char *words, const struct settings *settings,
			struct error *error)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < settings->operand_count && words[0]; i++) {
		size_t length;
		char what[16];

		words += strspn(words, " [");
		if (strncmp(words, "PATTERN...", strlen("PATTERN...")) == 0)
			return 0;
		length = strcspn(words, " ].");
		snprintf(what, sizeof(what), "%.*s", (int)length, words);
		if (length > 0)
			rc = add_name(files, what, settings->operands[i], settings->operands[i], false, error);
		if (strcmp(words + length, "...") != 0)
			words += length;
	}
	return rc;
}

static bool same(const struct named_file *a, const struct named_file *b)
{
	return a->device == b->device && a->inode == b->inode && strcmp(a->entry, b->entry) == 0;
}

static bool clash(const struct named_file *a, const struct named_file *b)
{
	bool both_open = a->what[0] == '\0' && b->what[0] == '\0';

	return (a->written || b->written) && !both_open && same(a, b);
}

static int compare(const struct named_files *files, struct error *error)
{
	for (size_t i = 0; i < files->count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct named_file *a = &files->list[i], *b = &files->list[j];

			if (clash(a, b))
				return error_set(error, -EINVAL, STATUS_USAGE,
						 "%s %s is the same file as %s%s%s; give each a file of its own",
						 b->what, b->name, a->what, a->what[0] ? " " : "", a->name);
		}
	return 0;
}

int named_files_check(const struct command_row *command, const struct settings *settings, struct error *error)
{
	/* A file for each option and operand, standard output and error. */
	struct named_files files = {.room = settings->file_count + (size_t)settings->operand_count + 2};
	int rc = 0;

	files.list = calloc(files.room, sizeof(*files.list));
	if (!files.list)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	for (unsigned i = 0; rc == 0 && i < settings->file_count; i++)
		rc = add_option(&files, &settings->files[i], error);
	if (rc == 0)
		rc = add_operands(&files, command->operands, settings, error);
	add_open(&files, STDOUT_FILENO, "standard output");
	add_open(&files, STDERR_FILENO, "standard error");
	if (rc == 0)
		rc = compare(&files, error);
	free(files.list);
	return rc;
}
