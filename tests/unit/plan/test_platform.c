/* SPDX-License-Identifier: GPL-2.0-only */
/* Which platform and engine a guest gets, and what is refused on each, mostly without a host that would be asked. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/plan/plan.h"
#include "vmm/policy/diagnostic.h"

#define MIB (UINT64_C(1) << 20)
#define LOAD 0x100000
#define KERNEL_SIZE 4096

#define SETUP 0x400 /* of a Linux kernel: its header and one sector */

static char kernel[32], linux64[32], text[32], large[32], views[32];
static struct plan plan;
static struct diagnostics diagnostics;
static struct error error;

static int make_file(char *path, const void *data, size_t size, off_t length)
{
	int fd = memfd_create("platform", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || ftruncate(fd, length) != 0)
		return -1;
	sprintf(path, "/proc/self/fd/%d", fd);
	return 0;
}

/* A Linux kernel of protocol 2.15 that can be entered in 64-bit mode, with nothing but zeroes to run. */
static int make_linux(char *path)
{
	uint8_t file[2 * SETUP] = {[0x1f1] = 1, [0x236] = 1};
	static const uint32_t words[][2] = {
		{0x1f4, SETUP / 16}, {0x22c, 0x7fffffff}, {0x238, 2047}, {0x258, 0x1000000}, {0x260, SETUP},
	};

	memcpy(file + 0x1fe, "\x55\xaa\xeb\x6a" "HdrS\x0f\x02", 10);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		memcpy(file + words[i][0], &words[i][1], sizeof(words[i][1]));
	return make_file(path, file, sizeof(file), sizeof(file));
}

/* A kernel of HLT alone, by the address fields of its Multiboot header, which starts in 32-bit mode. */
static int make_files(void **state)
{
	static const char policy[] = "views: { one = { default = \"rwx\"; }; two = { default = \"rwx\"; }; };";
	const uint32_t magic = 0x1badb002, flags = 1 << 16;
	const uint32_t header[8] = {magic, flags, -(magic + flags), LOAD, LOAD, 0, 0, LOAD + 32};

	(void)state;
	return make_file(kernel, header, sizeof(header), KERNEL_SIZE) |
	       make_file(text, "ffffffff81000000 T _text\n", 25, 25) | make_file(large, "", 0, 200 * MIB) |
	       make_file(views, policy, sizeof(policy) - 1, sizeof(policy) - 1) | make_linux(linux64);
}

static struct plan_request request_for(const char *guest)
{
	return (struct plan_request){
		.engine = "auto", .guest = guest, .vms = 1, .vcpus = 1, .diagnostics = &diagnostics};
}

static void accept(const struct plan_request *request)
{
	error = (struct error){0};
	if (plan_make(&plan, request, NULL, &error) != 0)
		fail_msg("refused: '%s'", error.text);
}

static void refuse_on(const struct host *host, const struct plan_request *request, int result, int status,
		      const char *wanted)
{
	error = (struct error){0};
	assert_int_equal(plan_make(&plan, request, host, &error), result);
	assert_int_equal(error.status, status);
	if (!strstr(error.text, wanted))
		fail_msg("'%s' does not say '%s'", error.text, wanted);
}

static void refuse(const struct plan_request *request, int result, int status, const char *wanted)
{
	refuse_on(NULL, request, result, status, wanted);
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

/* Without a host that says which of them it can run, `auto` takes the one that it prefers. */
static void expect_engine(const struct plan_request *request, enum engine_id engine)
{
	accept(request);
	assert_int_equal(plan.platform, PLATFORM_PC);
	assert_int_equal(plan.engine->id, engine);
	plan_finish(&plan);
}

static void named_engines(void **state)
{
	static const struct {
		const char *key;
		enum engine_id id;
	} monitors[] = {{"vmx", ENGINE_VMX}, {"svm", ENGINE_SVM}};
	const char *const kernels[] = {kernel, linux64};
	struct plan_request request;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		request = request_for(kernels[i]);
		request.engine = "flat";
		request.vcpus = 2;
		expect_engine(&request, ENGINE_FLAT);
		request.engine = "none";
		refuse(&request, -EINVAL, STATUS_USAGE, "unknown engine 'none'");
	}
	for (size_t i = 0; i < ARRAY_SIZE(monitors); i++) {
		request = request_for(linux64);
		request.engine = monitors[i].key;
		expect_engine(&request, monitors[i].id);
		request.vcpus = 2;
		refuse(&request, -EOPNOTSUPP, STATUS_SKIPPED,
		       ": needs: one vCPU, as their monitor cannot start others yet; leave out -c, or use --engine "
		       "flat");
		assert_non_null(strstr(error.text, monitors[i].key));
		request = request_for(kernel);
		request.engine = monitors[i].key;
		refuse(&request, -EOPNOTSUPP, STATUS_SKIPPED,
		       ": needs: a kernel that starts in 64-bit mode; use --engine flat for this one");
		assert_non_null(strstr(error.text, monitors[i].key));
	}
}

/* Each asks for what only a monitor has. */
static void ask_for_a_monitor(struct plan_request *request, unsigned way)
{
	static const enum flag_path paths[] = {FLAG_PATH_MONITOR, FLAG_PATH_VMM};

	if (way == 0)
		request->views = views;
	else if (way == 1)
		request->owned[request->owned_count++] = SS_CR0_TS;
	else if (way == 2)
		request->kept[request->kept_count++] = SS_CR0_TS;
	else if (way == 3)
		request->asked[request->asked_count++] = SS_CR0_TS;
	else
		request->flag_path = paths[way - 4];
}

static void a_monitor_if_asked_for(void **state)
{
	struct plan_request request;

	(void)state;
	for (unsigned way = 0; way < 6; way++) {
		request = request_for(linux64);
		expect_engine(&request, ENGINE_FLAT);
		ask_for_a_monitor(&request, way);
		expect_engine(&request, ENGINE_VMX);
		request.engine = "svm";
		expect_engine(&request, ENGINE_SVM);
		request.engine = "flat";
		refuse(&request, -EOPNOTSUPP, STATUS_SKIPPED,
		       "engine flat: needs: a monitor, for --views, --own, --shadow, --ask and --flag-path; a kernel gets these "
		       "from the engines vmx and svm");
		/* What is at fault then is not the option, but how many vCPUs there are, or the kernel. */
		request.engine = "auto";
		request.vcpus = 2;
		refuse(&request, -EOPNOTSUPP, STATUS_SKIPPED, "engine vmx: needs: one vCPU");
		request.vcpus = 1;
		request.guest = kernel;
		refuse(&request, -EOPNOTSUPP, STATUS_SKIPPED, "engine vmx: needs: a kernel that starts in 64-bit mode");
	}
	/* The processor's own way needs none. */
	request = request_for(linux64);
	request.flag_path = FLAG_PATH_CPU;
	expect_engine(&request, ENGINE_FLAT);
}

/* On a host whose KVM has no nested guests a kernel can have nothing of the kind, and needs nothing of it. */
static void no_monitor_here(void **state)
{
	static struct kvm_cpuid2 cpuid;
	struct host host = {.kvm = -1, .cpuid = &cpuid, .memory = 1024 * MIB};
	struct plan_request request = request_for(linux64);

	(void)state;
	host.capability[HOST_CAP_irqchip] = host.capability[HOST_CAP_pit2] = host.capability[HOST_CAP_irqfd] = 1;
	assert_int_equal(plan_make(&plan, &request, &host, &error), 0);
	assert_int_equal(plan.engine->id, ENGINE_FLAT);
	plan_finish(&plan);
	for (unsigned way = 0; way < 6; way++) {
		request = request_for(linux64);
		ask_for_a_monitor(&request, way);
		refuse_on(&host, &request, -EOPNOTSUPP, STATUS_SKIPPED,
			  "--views, --own, --shadow, --ask and --flag-path: needs: the engine vmx or svm for a kernel; "
			  "host: no nested VMX or SVM");
		assert_non_null(strstr(error.text, "; leave them out"));
		request.engine = "vmx";
		refuse_on(&host, &request, -EOPNOTSUPP, STATUS_SKIPPED,
			  "engine vmx cannot run here: needs: vmx; host: no nested VMX");
	}
}

/* Views of a policy file are for the memory that a kernel gets by default. */
static void views_of_a_kernel(void **state)
{
	static const char all[] = "regions: { last = { address = 0x7fff000; size = 0x1000; };\n"
				  "boot = { address = 0x2000000; size = 0x1000; }; };\n"
				  "views: { v = { default = \"rwx\"; rights = { last = \"---\"; }; }; };";
	struct plan_request request = request_for(linux64);
	char path[32];

	(void)state;
	request.views = views;
	accept(&request);
	assert_int_equal(plan.memory, 128 * MIB);
	assert_int_equal(plan.policy.view_count, 2);
	plan_finish(&plan);
	assert_int_equal(make_file(path, all, sizeof(all) - 1, sizeof(all) - 1), 0);
	request.views = path;
	accept(&request);
	assert_int_equal(plan.policy.region_count, 2);
	plan_finish(&plan);
	request.memory = 64 * MIB;
	assert_int_equal(plan_make(&plan, &request, NULL, &error), -EINVAL);
	assert_string_equal(diagnostics.list[0].key, "region-outside");
}

/* Which engine a guest of sidestep's own gets does not depend on such options. */
static void engines_of_other_guests(void **state)
{
	struct plan_request request = request_for(NULL);

	(void)state;
	request.vcpus = 2;
	accept(&request);
	assert_int_equal(plan.engine->id, ENGINE_VMX);
	plan_finish(&plan);
	request.kept[request.kept_count++] = SS_CR0_TS;
	request.engine = "svm";
	accept(&request);
	assert_int_equal(plan.engine->id, ENGINE_SVM);
	plan_finish(&plan);
	request.engine = "flat";
	refuse(&request, -EOPNOTSUPP, STATUS_SKIPPED, "flags that the guest does not own: needs: masks");
}

/* What sidestep has for its own guests, others would not find. */
static void not_for_kernels(void **state)
{
	static const char *const options[] = {"--disk", "--share-vcpu", "--flag-path enlightened"};
	const char *const kernels[] = {kernel, linux64};
	struct plan_request requests[ARRAY_SIZE(options)];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
		struct plan_request request = request_for(kernels[k]);

		for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
			requests[i] = request;
		requests[0].disk = text;
		requests[1].share_vcpu = true;
		requests[1].vms = 2;
		requests[2].flag_path = FLAG_PATH_ENLIGHTENED;
		for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
			refuse(&requests[i], -EINVAL, STATUS_USAGE, options[i]);
			assert_non_null(strstr(error.text, ": not for the platform pc, which /proc/self/fd/"));
			assert_non_null(strstr(error.text, " needs; leave it out"));
		}
		request.workload = "ref.cpuid";
		refuse(&request, -EINVAL, STATUS_USAGE, "--workload");
	}
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
	request.symbols[0].file = text;
	request.symbol_count = 1;
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
	request.symbols[0].file = "/nonexistent";
	refuse(&request, -ENOENT, STATUS_USAGE, "/nonexistent: No such file or directory; ");
	request.symbols[0].file = kernel;
	refuse(&request, -EINVAL, STATUS_USAGE, ":1: no symbol; give an ELF file, a System.map");
	request.symbols[0].file = text;
	request.symbols[1] = (struct symbol_request){"/nonexistent@0x1000", SYMBOL_MODULES};
	request.symbol_count = 2;
	refuse(&request, -ENOENT, STATUS_USAGE, "/nonexistent: No such file or directory; ");
	/* They are of any guest. */
	request = request_for(NULL);
	request.symbols[0].file = text;
	request.symbol_count = 1;
	accept(&request);
	assert_int_equal(plan.symbols.count, 1);
	plan_finish(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_image),
		cmocka_unit_test(named_engines),
		cmocka_unit_test(a_monitor_if_asked_for),
		cmocka_unit_test(no_monitor_here),
		cmocka_unit_test(views_of_a_kernel),
		cmocka_unit_test(engines_of_other_guests),
		cmocka_unit_test(not_for_kernels),
		cmocka_unit_test(for_kernels_alone),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests_name("platform", tests, make_files, NULL);
}
