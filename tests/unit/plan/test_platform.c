/* SPDX-License-Identifier: GPL-2.0-only */
/* Which platform a guest gets, and what is refused on each, without a host that would be asked. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/plan/plan.h"

#define MIB (UINT64_C(1) << 20)
#define LOAD 0x100000
#define KERNEL_SIZE 4096

static char kernel[32], text[32], large[32];
static struct plan plan;
static struct error error;

static int make_file(char *path, const void *data, size_t size, off_t length)
{
	int fd = memfd_create("platform", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || ftruncate(fd, length) != 0)
		return -1;
	sprintf(path, "/proc/self/fd/%d", fd);
	return 0;
}

/* A kernel of HLT alone, by the address fields of its Multiboot header. */
static int make_files(void **state)
{
	const uint32_t magic = 0x1badb002, flags = 1 << 16;
	const uint32_t header[8] = {magic, flags, -(magic + flags), LOAD, LOAD, 0, 0, LOAD + 32};

	(void)state;
	return make_file(kernel, header, sizeof(header), KERNEL_SIZE) |
	       make_file(text, "ffffffff81000000 T _text\n", 25, 25) | make_file(large, "", 0, 200 * MIB);
}

static struct plan_request request_for(const char *guest)
{
	return (struct plan_request){.engine = "auto", .guest = guest, .vms = 1, .vcpus = 1};
}

static void accept(const struct plan_request *request)
{
	error = (struct error){0};
	if (plan_make(&plan, request, NULL, &error) != 0)
		fail_msg("refused: '%s'", error.text);
}

static void refuse(const struct plan_request *request, int result, int status, const char *wanted)
{
	error = (struct error){0};
	assert_int_equal(plan_make(&plan, request, NULL, &error), result);
	assert_int_equal(error.status, status);
	if (!strstr(error.text, wanted))
		fail_msg("'%s' does not say '%s'", error.text, wanted);
}

static void by_the_image(void **state)
{
	static const enum platform either[] = {PLATFORM_AUTO, PLATFORM_PC, PLATFORM_SIDESTEP};
	struct plan_request request;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		request = request_for(kernel);
		request.platform = either[i];
		accept(&request);
		assert_int_equal(plan.platform, PLATFORM_PC);
		assert_int_equal(plan.engine->id, ENGINE_FLAT);
		assert_int_equal(plan.memory, 128 * MIB);
		assert_int_equal(plan.policy.view_count, 1);
		plan_finish(&plan);
		request = request_for(NULL);
		request.platform = either[2 * i];
		accept(&request);
		assert_int_equal(plan.platform, PLATFORM_SIDESTEP);
		assert_int_equal(plan.memory, 16 * MIB);
		plan_finish(&plan);
	}
	request = request_for(kernel);
	request.memory = 64 * MIB;
	accept(&request);
	assert_int_equal(plan.memory, 64 * MIB);
	plan_finish(&plan);
	request = request_for(kernel);
	request.platform = PLATFORM_SIDESTEP;
	refuse(&request, -EINVAL, STATUS_USAGE,
	       ": a kernel with a Multiboot 1 header, which needs the platform pc; leave out --platform sidestep");
	request = request_for(NULL);
	request.platform = PLATFORM_PC;
	refuse(&request, -EINVAL, STATUS_USAGE,
	       "the built-in firmware: an x86-64 ELF executable, which needs the platform sidestep; leave out "
	       "--platform pc");
}

static void flat_alone(void **state)
{
	static const char *const keys[] = {"vmx", "svm"};
	struct plan_request request = request_for(kernel);

	(void)state;
	request.engine = "flat";
	accept(&request);
	plan_finish(&plan);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		request.engine = keys[i];
		refuse(&request, -EOPNOTSUPP, STATUS_SKIPPED, "needs: a guest for the platform sidestep");
		assert_non_null(strstr(error.text, keys[i]));
		assert_non_null(strstr(error.text, "use --engine flat"));
	}
	request.engine = "none";
	refuse(&request, -EINVAL, STATUS_USAGE, "unknown engine 'none'");
}

/* What sidestep has for its own guests, others would not find. */
static void not_for_kernels(void **state)
{
	struct plan_request requests[8];
	static const char *const options[] = {"--views", "--disk", "--own", "--shadow", "--ask",
					      "--flag-path", "--workload", "--share-vcpu"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		requests[i] = request_for(kernel);
	requests[0].views = text;
	requests[1].disk = text;
	requests[2].owned_count = 1;
	requests[3].kept_count = 1;
	requests[4].asked_count = 1;
	requests[5].flag_path = FLAG_PATH_ENLIGHTENED;
	requests[6].workload = "ref.cpuid";
	requests[7].share_vcpu = true;
	requests[7].vms = 2;
	for (size_t i = 0; i < 7; i++)
		refuse(&requests[i], -EINVAL, STATUS_USAGE, options[i]);
	refuse(&requests[7], -EOPNOTSUPP, STATUS_SKIPPED, options[7]);
	requests[5].flag_path = FLAG_PATH_CPU;
	accept(&requests[5]);
	plan_finish(&plan);
}

static void for_kernels_alone(void **state)
{
	struct plan_request request = request_for(NULL);

	(void)state;
	request.command_line = "";
	refuse(&request, -EINVAL, STATUS_USAGE,
	       "--append: not for the platform sidestep, which the built-in firmware needs; leave it out");
	request = request_for(NULL);
	request.boot_files[request.boot_file_count++] = text;
	refuse(&request, -EINVAL, STATUS_USAGE,
	       "--initrd: not for the platform sidestep, which the built-in firmware needs; leave it out");
}

static void files(void **state)
{
	struct plan_request request = request_for(kernel);

	(void)state;
	request.command_line = "one two";
	request.symbols = text;
	request.boot_files[0] = text;
	request.boot_files[1] = kernel;
	request.boot_file_count = 2;
	accept(&request);
	assert_string_equal(plan.boot.boot.command_line, "one two");
	assert_int_equal(plan.boot.boot.file_count, 2);
	assert_int_equal(plan.boot.files[1].size, KERNEL_SIZE);
	assert_int_equal(plan.symbols.count, 1);
	plan_finish(&plan);
	request.boot_files[1] = "/nonexistent";
	refuse(&request, -ENOENT, STATUS_USAGE, "/nonexistent: No such file or directory; ");
	/* More than the memory that there is. */
	request.boot_files[1] = large;
	refuse(&request, -ERANGE, STATUS_USAGE, "needs with its --initrd at least 202 MiB of memory, and has 128 MiB");
	request.memory = 256 * MIB;
	accept(&request);
	plan_finish(&plan);
	request.symbols = "/nonexistent";
	refuse(&request, -ENOENT, STATUS_USAGE, "/nonexistent: No such file or directory; ");
	request.symbols = kernel;
	refuse(&request, -EINVAL, STATUS_USAGE, ":1: no symbol; give an ELF file, a System.map");
	/* They are of any guest. */
	request = request_for(NULL);
	request.symbols = text;
	accept(&request);
	assert_int_equal(plan.symbols.count, 1);
	plan_finish(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_image),	    cmocka_unit_test(flat_alone), cmocka_unit_test(not_for_kernels),
		cmocka_unit_test(for_kernels_alone), cmocka_unit_test(files),
	};

	return cmocka_run_group_tests_name("platform", tests, make_files, NULL);
}
