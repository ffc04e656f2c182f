/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every filter, live: a child for each call installs it, makes the call, and either goes on or is killed. What
 * has to happen follows from the rules by a matcher of the test's own, which knows nothing of filters.
 */
#include "tests/unit/cmocka_prelude.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/disk.h"
#include "vmm/jail/jail.h"
#include "vmm/ledger/ledger.h"

#define NUMBERS 1024
#define X32 0x40000000L
#define MAIN_CALLS_MAX 20
#define VCPU_CALLS_MAX 12
/* Of no round number, with the bit of 4 GiB set. */
#define DISK_SIZE ((UINT64_C(5) << 30) + 7 * 512)

struct call {
	long number;
	uint64_t args[6];
};

/* A filter ready to be installed, and the call that ends a process or thread under it. */
struct sealed {
	struct jail_thread thread;
	struct sock_fprog program;
	long end;
};

static struct sealed roles[JAIL_ROLE_COUNT];

static void compile(struct sealed *sealed)
{
	struct jail_filter filter;
	size_t size;

	assert_int_equal(jail_filter(&sealed->thread, &filter), 0);
	size = filter.length * sizeof(filter.code[0]);
	sealed->program.len = (unsigned short)filter.length;
	sealed->program.filter = malloc(size);
	assert_non_null(sealed->program.filter);
	memcpy(sealed->program.filter, filter.code, size);
}

/* Each subject is a descriptor of its own, which no call waits for. */
static int compile_all(void **state)
{
	(void)state;
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++) {
		struct sealed *sealed = &roles[role];

		sealed->thread = jail_thread((enum jail_role)role, JAIL_ON);
		sealed->thread.when |= JAIL_WHEN_EVERY;
		for (int i = 0; i < JAIL_SUBJECT_COUNT; i++)
			sealed->thread.subject[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		sealed->thread.size[JAIL_SUBJECT_DISK] = DISK_SIZE;
		sealed->thread.size[JAIL_SUBJECT_LEDGER] = LEDGER_FILE_MAX;
		/* Threads that end before the process does. */
		sealed->end = role == JAIL_ROLE_VCPU || role == JAIL_ROLE_READER ? SYS_exit : SYS_exit_group;
		compile(sealed);
	}
	return 0;
}

static int release_all(void **state)
{
	(void)state;
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++)
		free(roles[role].program.filter);
	return 0;
}

/* --- The matcher. */

/* With 128 bits no sum comes round. */
static bool meets(const struct jail_condition *condition, uint64_t file_size, uint64_t value)
{
	if (condition->test == JAIL_INSIDE)
		return (unsigned __int128)value + condition->value <= file_size;
	return (value & condition->mask) == condition->value;
}

/* The largest that is allowed, or the only one. */
static uint64_t good_value(const struct jail_condition *condition, uint64_t file_size)
{
	return condition->test == JAIL_INSIDE ? file_size - condition->value : condition->value;
}

static bool demand(const struct jail_rule *rule, const struct jail_thread *thread, unsigned argument,
		   uint64_t value)
{
	if (argument == 0 && rule->subject != JAIL_SUBJECT_ANY &&
	    (uint32_t)value != (uint32_t)thread->subject[rule->subject])
		return false;
	for (size_t i = 0; i < 2; i++)
		if (rule->conditions[i].mask && rule->conditions[i].argument == argument &&
		    !meets(&rule->conditions[i], thread->size[rule->subject], value))
			return false;
	return true;
}

static bool allowed(const struct jail_thread *thread, const struct call *call)
{
	for (size_t r = 0; r < jail_rule_count; r++) {
		const struct jail_rule *rule = &jail_rules[r];
		bool all = jail_rule_applies(rule, thread) && rule->number == call->number;

		for (unsigned i = 0; i < 6 && all; i++)
			all = demand(rule, thread, i, call->args[i]);
		if (all)
			return true;
	}
	return false;
}

static struct call call_of(const struct jail_rule *rule, const struct jail_thread *thread)
{
	struct call call = {.number = rule->number};

	if (rule->subject != JAIL_SUBJECT_ANY)
		call.args[0] = (uint64_t)thread->subject[rule->subject];
	for (size_t i = 0; i < 2; i++)
		if (rule->conditions[i].mask)
			call.args[rule->conditions[i].argument] =
				good_value(&rule->conditions[i], thread->size[rule->subject]);
	return call;
}

/* --- A call in a child. */

enum way { WAY_64, WAY_I386 };

static long i386_call(long number)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static _Noreturn void child(const struct sealed *sealed, const struct call *call, enum way way)
{
	const uint64_t *a = call->args;

	/* cmocka and sanitizers would handle them: rt_sigreturn without a frame, an upset kernel. */
	signal(SIGSEGV, SIG_DFL);
	signal(SIGILL, SIG_DFL);
	signal(SIGSYS, SIG_DFL);
	if (sealed &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	     syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &sealed->program) != 0))
		_exit(99);
	if (way == WAY_I386)
		i386_call(call->number);
	else
		syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	for (;;)
		syscall(sealed ? sealed->end : SYS_exit_group, 0);
}

static int status_of(const struct sealed *sealed, const struct call *call, enum way way)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		child(sealed, call, way);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 99);
	return status;
}

static unsigned long tried;

static bool killed(const struct sealed *sealed, const struct call *call, enum way way)
{
	int status = status_of(sealed, call, way);

	tried++;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

/* Linux lets uretprobe (from 6.14) and uprobe (from 6.18) pass any filter. They are made by code that the
 * kernel has put into a probed program, and do nothing from anywhere else. */
static bool beyond_filters(long number)
{
	return number == 335 || number == 336;
}

static void expect(const struct sealed *sealed, const struct call *call)
{
	bool may = allowed(&sealed->thread, call);

	if (beyond_filters(call->number) && !may)
		return;
	if (killed(sealed, call, WAY_64) == may)
		fail_msg("role %s, call %ld(0x%llx, 0x%llx, 0x%llx, 0x%llx): %s",
			 jail_role_keys[sealed->thread.role], call->number,
			 (unsigned long long)call->args[0], (unsigned long long)call->args[1],
			 (unsigned long long)call->args[2], (unsigned long long)call->args[3],
			 may ? "killed, though a rule allows it" : "not killed");
}

/* --- The tests. */

static void every_number(void **state)
{
	(void)state;
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++)
		for (long number = 0; number < NUMBERS; number++)
			expect(&roles[role], &(struct call){.number = number});
}

/* What a rule allows goes on; with any bit of an argument that it looks at flipped, it depends on the other
 * rules: an ioctl of another number, a write to another descriptor. */
static void every_rule(void **state)
{
	(void)state;
	for (size_t r = 0; r < jail_rule_count; r++) {
		const struct jail_rule *rule = &jail_rules[r];
		const struct sealed *sealed = &roles[rule->role];
		struct call call = call_of(rule, &sealed->thread);

		if (!jail_rule_applies(rule, &sealed->thread))
			continue;
		assert_true(allowed(&sealed->thread, &call));
		expect(sealed, &call);
		for (unsigned i = 0; i < 6; i++) {
			bool pinned = i == 0 && rule->subject != JAIL_SUBJECT_ANY;

			for (size_t c = 0; c < 2; c++)
				pinned |= rule->conditions[c].mask && rule->conditions[c].argument == i;
			for (unsigned bit = 0; bit < 64 && pinned; bit++) {
				call.args[i] ^= UINT64_C(1) << bit;
				expect(sealed, &call);
				call.args[i] ^= UINT64_C(1) << bit;
			}
		}
	}
}

/* Every bit of all arguments set at once. */
static void all_ones(void **state)
{
	(void)state;
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++)
		for (size_t r = 0; r < jail_rule_count; r++) {
			struct call call = {.number = jail_rules[r].number,
					    .args = {~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull}};

			/* Calls that no argument is looked at of would only do what they are told. */
			if (jail_rules[r].role == (enum jail_role)role && !allowed(&roles[role].thread, &call))
				expect(&roles[role], &call);
		}
}

static void x32(void **state)
{
	(void)state;
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++)
		for (long number = 0; number < NUMBERS; number++) {
			struct call call = {.number = number | X32};

			if (!killed(&roles[role], &call, WAY_64))
				fail_msg("role %s: x32 call %ld is not killed", jail_role_keys[role], number);
		}
}

static void i386(void **state)
{
	const struct call getpid_32 = {.number = 20};
	int status = status_of(NULL, &getpid_32, WAY_I386);

	(void)state;
	if (!WIFEXITED(status)) {
		print_message("skipped: needs: 32-bit system calls; host: this kernel has none\n");
		skip();
	}
	for (int role = JAIL_ROLE_INVALID + 1; role < JAIL_ROLE_COUNT; role++)
		for (long number = 0; number < NUMBERS; number++)
			if (!killed(&roles[role], &(struct call){.number = number}, WAY_I386))
				fail_msg("role %s: 32-bit call %ld is not killed", jail_role_keys[role], number);
}

static unsigned calls_of(enum jail_role role)
{
	bool seen[NUMBERS] = {false};
	unsigned count = 0;

	for (size_t i = 0; i < jail_rule_count; i++)
		if (jail_rules[i].role == role && !(jail_rules[i].when & JAIL_WHEN_INSTRUMENTED) &&
		    !seen[jail_rules[i].number]) {
			seen[jail_rules[i].number] = true;
			count++;
		}
	return count;
}

static void few(void **state)
{
	(void)state;
	assert_in_range(calls_of(JAIL_ROLE_MAIN), 1, MAIN_CALLS_MAX);
	assert_in_range(calls_of(JAIL_ROLE_VCPU), 1, VCPU_CALLS_MAX);
	print_message("system calls: main %u, vcpu %u, writer %u, guard %u, reader %u\n", calls_of(JAIL_ROLE_MAIN),
		      calls_of(JAIL_ROLE_VCPU), calls_of(JAIL_ROLE_WRITER), calls_of(JAIL_ROLE_GUARD),
		      calls_of(JAIL_ROLE_READER));
}

/* What the reader of `profile --pid` is there for; and with --all it opens directories and files, but never to write. */
static bool is_readers_own(const struct jail_rule *rule)
{
	const struct jail_condition *flags = &rule->conditions[0];

	if (rule->role != JAIL_ROLE_READER)
		return false;
	if (rule->number == SYS_openat)
		return rule->when == JAIL_WHEN_ALL_VMS && flags->argument == 2 && flags->value == 0 &&
		       !(~flags->mask & (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND));
	return rule->number == SYS_perf_event_open;
}

/* What no rule may ever be for, whatever else changes. */
static void never(void **state)
{
	static const int numbers[] = {
		SYS_execve, SYS_execveat, SYS_clone, SYS_clone3, SYS_fork, SYS_vfork, SYS_socket,
		SYS_connect, SYS_open, SYS_openat, SYS_openat2, SYS_creat, SYS_ptrace, SYS_bpf,
		SYS_perf_event_open, SYS_io_uring_setup, SYS_mount, SYS_setuid, SYS_capset, SYS_seccomp,
		SYS_prctl, SYS_dup, SYS_dup2, SYS_dup3, SYS_userfaultfd, SYS_process_vm_writev,
	};

	(void)state;
	for (size_t i = 0; i < jail_rule_count; i++)
		for (size_t n = 0; n < ARRAY_SIZE(numbers); n++)
			if (!(jail_rules[i].when & JAIL_WHEN_INSTRUMENTED) &&
			    jail_rules[i].role != JAIL_ROLE_WRITER && !is_readers_own(&jail_rules[i]))
				assert_int_not_equal(jail_rules[i].number, numbers[n]);
	/* No memory to execute. */
	for (size_t i = 0; i < jail_rule_count; i++) {
		struct call call = call_of(&jail_rules[i], &roles[jail_rules[i].role].thread);

		call.args[2] |= PROT_EXEC;
		if (call.number == SYS_mmap || call.number == SYS_mprotect)
			assert_false(allowed(&roles[jail_rules[i].role].thread, &call));
	}
}

static bool may_write(const struct sealed *sealed, enum jail_subject subject, uint64_t size, uint64_t at)
{
	const struct call call = {SYS_pwrite64, {(uint64_t)sealed->thread.subject[subject], 0, size, at}};

	expect(sealed, &call);
	return allowed(&sealed->thread, &call);
}

/* No write can make a file longer than it may be, whatever its size and offset. */
static void none_beyond(const struct sealed *sealed, enum jail_subject subject, uint64_t end)
{
	static const uint64_t sizes[] = {1, 2, 511, 512, 513, 1024, 4096, DISK_ROOM / 2, DISK_ROOM - 1, DISK_ROOM,
					 LEDGER_BLOCK, LEDGER_ROOM - 1, LEDGER_ROOM, UINT32_MAX,
					 UINT64_C(1) << 32};

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
		for (int more = -1; more <= 1; more++)
			if (may_write(sealed, subject, sizes[s], end - sizes[s] + (uint64_t)more))
				assert_true(more <= 0);
	assert_false(may_write(sealed, subject, 1, UINT64_MAX));
}

/* What has to be written can be, to the last byte. */
static void within_files(void **state)
{
	static const uint64_t disks[] = {512, DISK_ROOM, DISK_ROOM + 512, 3 * DISK_ROOM, DISK_SIZE};
	const struct sealed *sealed = &roles[JAIL_ROLE_VCPU];

	(void)state;
	for (size_t d = 0; d < ARRAY_SIZE(disks); d++) {
		struct sealed other = {.thread = sealed->thread, .end = SYS_exit};
		uint64_t end = disks[d];

		other.thread.size[JAIL_SUBJECT_DISK] = end;
		compile(&other);
		none_beyond(&other, JAIL_SUBJECT_DISK, end);
		assert_true(may_write(&other, JAIL_SUBJECT_DISK, 1, end - 1));
		assert_true(may_write(&other, JAIL_SUBJECT_DISK, 512, end - 512));
		if (end >= DISK_ROOM)
			assert_true(may_write(&other, JAIL_SUBJECT_DISK, DISK_ROOM / 2, end - DISK_ROOM));
		free(other.program.filter);
	}
	none_beyond(sealed, JAIL_SUBJECT_LEDGER, LEDGER_FILE_MAX);
	/* The last block that a ledger takes, in one write or two. */
	for (unsigned done = 0; done <= LEDGER_BLOCK; done += LEDGER_BLOCK / 4)
		assert_true(may_write(sealed, JAIL_SUBJECT_LEDGER, LEDGER_BLOCK - done,
				      LEDGER_HEADER_SIZE + LEDGER_LIMIT - LEDGER_BLOCK + done));
}

/* A disk that is only read has no rule to write it. */
static void read_only_disk(void **state)
{
	struct sealed sealed = {.thread = roles[JAIL_ROLE_VCPU].thread, .end = SYS_exit};

	(void)state;
	sealed.thread.size[JAIL_SUBJECT_DISK] = 0;
	compile(&sealed);
	assert_false(may_write(&sealed, JAIL_SUBJECT_DISK, 0, 0));
	assert_false(may_write(&sealed, JAIL_SUBJECT_DISK, 1, 0));
	free(sealed.program.filter);
}

/* Without a subject or in another kind of run a rule is not there. */
static void left_out(void **state)
{
	struct sealed bare = {.thread = jail_thread(JAIL_ROLE_VCPU, JAIL_ON), .end = SYS_exit};

	(void)state;
	compile(&bare);
	assert_true(killed(&bare, &(struct call){SYS_pread64, {3}}, WAY_64));
	for (size_t r = 0; r < jail_rule_count; r++)
		if (jail_rules[r].role == JAIL_ROLE_VCPU && jail_rules[r].number == SYS_ioctl) {
			struct call call = call_of(&jail_rules[r], &roles[JAIL_ROLE_VCPU].thread);

			expect(&bare, &call);
		}
	free(bare.program.filter);
}

/* A call that is not listed is carried out. */
static void logged(void **state)
{
	struct sealed lenient = {.thread = jail_thread(JAIL_ROLE_VCPU, JAIL_LOG), .end = SYS_exit};

	(void)state;
	compile(&lenient);
	assert_false(killed(&lenient, &(struct call){.number = SYS_getppid}, WAY_64));
	assert_false(killed(&lenient, &(struct call){.number = SYS_getppid | X32}, WAY_64));
	free(lenient.program.filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number), cmocka_unit_test(every_rule), cmocka_unit_test(all_ones),
		cmocka_unit_test(x32), cmocka_unit_test(i386), cmocka_unit_test(few),
		cmocka_unit_test(never), cmocka_unit_test(within_files), cmocka_unit_test(read_only_disk),
		cmocka_unit_test(left_out), cmocka_unit_test(logged),
	};

	int failed = cmocka_run_group_tests_name("rules", tests, compile_all, release_all);

	printf("figure: sealed system calls %lu\n", tried);
	return failed;
}
