/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process can no longer do once it is in the jail, apart from system calls that are refused. Each test
 * in a child: there is no way back. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/jail/jail.h"
#include "vmm/jail/landlock.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			dprintf(2, "line %d: not so: %s (errno %d)\n", __LINE__, #condition, errno); \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static char directory[] = "/tmp/sidestep-jail-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

static struct jail_thread main_thread(void)
{
	struct jail_thread thread = jail_thread(JAIL_ROLE_MAIN, JAIL_OFF);

	thread.limits = true;
	thread.file_size = 1 << 20;
	return thread;
}

static void in_child(void (*check)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		check();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void enter(const struct jail_thread *thread)
{
	struct error error = {0};

	CHECK(jail_enter(thread, &error) == 0);
	CHECK(error.text[0] == '\0');
}

static void without_privileges(void)
{
	const struct jail_thread thread = main_thread();
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	bool could;

	CHECK(syscall(SYS_capget, &header, data) == 0);
	could = data[0].effective >> CAP_SETPCAP & 1;
	enter(&thread);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(syscall(SYS_capget, &header, data) == 0);
	for (int i = 0; i < 2; i++)
		CHECK((data[i].effective | data[i].permitted | data[i].inheritable) == 0);
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		CHECK(!could || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0);
		CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 0);
	}
}

static void privileges(void **state)
{
	(void)state;
	in_child(without_privileges);
}

static void without_files(void)
{
	const struct jail_thread thread = main_thread();
	struct sockaddr_in address = {.sin_family = AF_INET};
	int open_before = open("/dev/null", O_WRONLY), tcp;

	enter(&thread);
	CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
	CHECK(open("/proc/self/mem", O_RDWR) < 0 && errno == EACCES);
	CHECK(open(directory, O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
	CHECK(chdir(directory) == 0);
	CHECK(open("new", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
	CHECK(mkdir("new", 0700) < 0 && errno == EACCES);
	CHECK(mkfifo("new", 0700) < 0 && errno == EACCES);
	CHECK(symlink("/", "new") < 0 && errno == EACCES);
	CHECK(rmdir(directory) < 0 && errno == EACCES);
	CHECK(write(open_before, "x", 1) == 1);
	tcp = socket(AF_INET, SOCK_STREAM, 0);
	if (tcp >= 0 && landlock_abi() >= 4) {
		CHECK(bind(tcp, (struct sockaddr *)&address, sizeof(address)) < 0 && errno == EACCES);
		address.sin_port = htons(1);
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		CHECK(connect(tcp, (struct sockaddr *)&address, sizeof(address)) < 0 && errno == EACCES);
	}
}

static void needs_landlock(void)
{
	struct jail_support support;

	jail_probe(&support);
	if (support.landlock[0]) {
		print_message("skipped: needs: landlock; host: %s\n", support.landlock);
		skip();
	}
}

static void files(void **state)
{
	(void)state;
	needs_landlock();
	in_child(without_files);
}

/* The process that makes a file may do so in one directory. */
static void only_there(void)
{
	struct jail_thread thread = jail_thread(JAIL_ROLE_WRITER, JAIL_OFF);
	int fd;

	thread.directory = open(directory, O_PATH);
	CHECK(chdir(directory) == 0);
	enter(&thread);
	fd = open("new", O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0);
	CHECK(write(fd, "x", 1) == 1);
	CHECK(rename("new", "old") == 0);
	CHECK(open("old", O_RDONLY) < 0 && errno == EACCES);
	CHECK(rename("old", "../sidestep-jail-escaped") < 0 && (errno == EACCES || errno == EXDEV));
	CHECK(open("../sidestep-jail-escaped", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
	CHECK(mkdir("new", 0700) < 0 && errno == EACCES);
	CHECK(unlink("old") == 0);
}

static void one_directory(void **state)
{
	(void)state;
	needs_landlock();
	in_child(only_there);
}

/* How long files may be, with standard output in one of that length (-1: in none). */
static void expect_limit(uint64_t file_size, off_t output, uint64_t wanted)
{
	struct jail_thread thread = main_thread();
	int fd = memfd_create("output", 0), null = open("/dev/null", O_WRONLY);
	struct rlimit limit;

	CHECK(fd >= 0 && null >= 0 && ftruncate(fd, output < 0 ? 0 : output) == 0);
	CHECK(dup2(output < 0 ? null : fd, STDOUT_FILENO) == STDOUT_FILENO);
	CHECK(dup2(null, STDERR_FILENO) == STDERR_FILENO);
	thread.file_size = file_size;
	enter(&thread);
	CHECK(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= 16);
	CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur == wanted && limit.rlim_max == wanted);
	/* Refused like a full device, not ended by SIGXFSZ. */
	CHECK(pwrite(fd, "x", 1, (off_t)wanted) < 0 && errno == EFBIG);
	CHECK(wanted == 0 || pwrite(fd, "x", 1, (off_t)wanted - 1) == 1);
}

static void nothing_to_write(void)
{
	expect_limit(0, -1, 0);
}

static void small_disk(void)
{
	expect_limit(12288, -1, 12288);
}

static void large_disk(void)
{
	expect_limit(UINT64_C(3) << 30, -1, UINT64_C(3) << 30);
}

static void output_grows(void)
{
	expect_limit(12288, 12345, 12345 + JAIL_OUTPUT_MAX);
}

static void disk_is_larger(void)
{
	expect_limit(UINT64_C(3) << 30, 12345, UINT64_C(3) << 30);
}

/* What the user has set is not raised. */
static void given_limit(void)
{
	const struct rlimit given = {1000, 1000};

	CHECK(setrlimit(RLIMIT_FSIZE, &given) == 0);
	expect_limit(12288, -1, 1000);
}

static void limits(void **state)
{
	(void)state;
	in_child(nothing_to_write);
	in_child(small_disk);
	in_child(large_disk);
	in_child(output_grows);
	in_child(disk_is_larger);
	in_child(given_limit);
}

/* Nothing at all: for tests that run a guest in their own process. */
static void not_entered(void)
{
	struct jail_thread thread = main_thread();
	struct rlimit limit;

	thread.mode = JAIL_NONE;
	enter(&thread);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	CHECK(open("/", O_RDONLY) >= 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 16);
}

static void none(void **state)
{
	(void)state;
	in_child(not_entered);
}

static void dies(void)
{
	struct jail_thread thread = jail_thread(JAIL_ROLE_VCPU, JAIL_ON);

	enter(&thread);
	syscall(SYS_getppid);
}

/* jail_enter() installs the filter that jail_filter() describes, and its violation ends the process. */
static void filter(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		dies();
		for (;;)
			syscall(SYS_exit, 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(privileges), cmocka_unit_test(files), cmocka_unit_test(one_directory),
		cmocka_unit_test(limits), cmocka_unit_test(none), cmocka_unit_test(filter),
	};

	return cmocka_run_group_tests_name("enter", tests, make_directory, remove_directory);
}
