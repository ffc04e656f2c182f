/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy file: whatever is accepted is a valid policy, which can be checked and shown. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "views/policy_survey.h"
#include "vmm/guest/image_file.h"
#include "vmm/policy/policy_load.h"
#include "vmm/policy/policy_warn.h"

static const struct gpa_range ranges[] = {{{0}, UINT64_C(16) << 20}, {{SS_MMIO_GPA}, 4096}};

/* libconfig 1.5 forgets a string that is being read when it finds a syntax error. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static void use(const struct policy_file *file, const struct policy_subject *subject,
		struct diagnostics *diagnostics)
{
	struct policy_survey survey;

	MUST(policy_validate(&file->policy, subject->target, NULL) == 0);
	MUST(policy_warn(file, subject, diagnostics) == 0);
	MUST(policy_survey(&survey, &file->policy, &subject->target->memory) == 0);
	policy_survey_finish(&survey);
}

/* The first byte chooses the format, whether violations can be #VE, and whether to be lenient. */
static void load(const char *path, const struct image *image, uint8_t choice)
{
	static const struct paging_format *const formats[] = {
		&paging_formats[PAGING_EPT], &paging_formats[PAGING_NPT], &paging_slots};
	const struct view_target target = {
		.memory = {ranges, sizeof(ranges) / sizeof(ranges[0])},
		.format = formats[choice % 3],
		.caps = {.maxphyaddr = 46, .ve = choice & 0x40},
	};
	const struct policy_subject subject = {image, &target, "test", choice & 0x80};
	struct diagnostics diagnostics = {0};
	struct policy_file file;
	struct error error = {0};
	int rc = policy_load(&file, path, &subject, &diagnostics, &error);

	MUST((rc == 0) == (error.text[0] == '\0'));
	if (rc == 0)
		use(&file, &subject, &diagnostics);
	for (size_t i = 0; i < diagnostics.kept; i++)
		MUST(diagnostics.list[i].place.line > 0 && diagnostics.list[i].place.column > 0);
	policy_file_finish(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("policy", MFD_CLOEXEC);
	struct image image;
	struct error error = {0};
	char path[32];

	MUST(fd >= 0 && image_builtin(&image, &error) == 0);
	if (size > 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		load(path, &image, data[0]);
	}
	image_close(&image);
	close(fd);
	return 0;
}
