/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
/*
 * Random bytes as a guest's code, one run of the program per seed. Every run has to end as a success,
 * a guest failure or a timeout, in time, without a crash, an internal error or a sanitizer's report.
 *
 * random_code [-e ENGINE] [-f FIRST] [-j WORKERS] [-n SEEDS] [-t TIMEOUT_MS] PROGRAM
 *
 * As many runs at a time as there are processors, or WORKERS.
 * Prints how the guests ended. A seed that does not keep the rule is named with what was printed; the
 * status is 1 then. `-n 1 -f SEED` repeats one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../patience.h"

#define CODE_SIZE 256
#define GUEST_MAX (CODE_SIZE + 256)
#define SLACK_MS 100
#define STATUS_SKIPPED 77
#define STATUS_INTERNAL 99
#define STATUS_TIMEOUT 124
/* A run that took too long is repeated: the machine may have been busy with something else. */
#define ATTEMPTS 4

extern char **environ;

/*
 * What comes before the random part in every other guest: gates for all vectors, whose handler goes on
 * with the next 16 bytes, so that a guest does not end with its first exception. After 64 of them it
 * exits. The table is at 0x200000, the counter at 0x201000, the stack below 0x210000.
 */
__asm__(".pushsection .rodata\n"
	"survivor:\n"
	"	lea 2f(%rip), %rax\n"
	"	mov $0x200000, %edi\n"
	"	mov $256, %ecx\n"
	"1:	mov %ax, (%rdi)\n"
	"	movl $0x8e000008, 2(%rdi)\n"
	"	mov %eax, %edx\n"
	"	shr $16, %edx\n"
	"	mov %edx, 6(%rdi)\n"
	"	movl $0, 10(%rdi)\n"
	"	add $16, %edi\n"
	"	dec %ecx\n"
	"	jnz 1b\n"
	"	pushq $0\n"
	"	pushq $0x20\n"
	"	movw $0xfff, 6(%rsp)\n"
	"	movq $0x200000, 8(%rsp)\n"
	"	lidt 6(%rsp)\n"
	"	jmp 4f\n"
	"2:	mov $0x210000, %esp\n"
	"	incl 0x201000\n"
	"	mov 0x201000, %eax\n"
	"	cmp $64, %eax\n"
	"	ja 3f\n"
	"	and $15, %eax\n"
	"	shl $4, %eax\n"
	"	lea 4f(%rip), %rcx\n"
	"	add %rcx, %rax\n"
	"	jmp *%rax\n"
	"3:	xor %eax, %eax\n"
	"	out %al, $0xf4\n"
	"	jmp 3b\n"
	"4:\n"
	"survivor_end:\n"
	".popsection\n");
extern const uint8_t survivor[], survivor_end[];

struct settings {
	const char *program, *engine;
	uint64_t first, seeds;
	unsigned timeout_ms, workers;
};

/* Of all workers, in memory that they share. */
struct tally {
	atomic_ulong taken; /* seeds that a worker has begun with */
	atomic_ulong failures, timeouts, successes, bad;
};

struct outcome {
	bool crashed, exited; /* by a signal; because the guest wrote an exit status */
	int status;
	double ms;
	char text[2000]; /* standard error */
};

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Privileged and exit-prone instructions, which mere chance seldom spells; the first byte is the
 * length. */
static const uint8_t fragments[][12] = {
	{2, 0xe6, 0xe9},			     /* out %al, $0xe9 */
	{2, 0xe5, 0x80},			     /* in $0x80, %eax */
	{1, 0xee}, {1, 0xef}, {1, 0xec}, {1, 0xed},  /* in and out by %dx */
	{2, 0xf3, 0x6e}, {2, 0xf3, 0x6c},	     /* rep outsb, rep insb */
	{2, 0xf3, 0xaa},			     /* rep stosb */
	{3, 0x0f, 0x22, 0xc0}, {3, 0x0f, 0x20, 0xc0}, /* mov to and from CR0 */
	{3, 0x0f, 0x22, 0xd8}, {3, 0x0f, 0x22, 0xe0}, /* mov to CR3 and CR4 */
	{3, 0x0f, 0x23, 0xf8},			     /* mov to DR7 */
	{2, 0x0f, 0x06},			     /* clts */
	{3, 0x0f, 0x01, 0xf0}, {3, 0x0f, 0x01, 0xe0}, /* lmsw, smsw */
	{3, 0x0f, 0x01, 0xc1}, {3, 0x0f, 0x01, 0xd9}, /* vmcall, vmmcall */
	{3, 0x0f, 0x01, 0xd4},			     /* vmfunc */
	{3, 0x0f, 0x01, 0x38},			     /* invlpg (%rax) */
	{3, 0x0f, 0x01, 0x10}, {3, 0x0f, 0x01, 0x18}, /* lgdt, lidt (%rax) */
	{2, 0x0f, 0x30}, {2, 0x0f, 0x32},	     /* wrmsr, rdmsr */
	{2, 0x0f, 0xa2}, {2, 0x0f, 0x31},	     /* cpuid, rdtsc */
	{2, 0x0f, 0x09}, {1, 0xf4}, {1, 0xfb},	     /* wbinvd, hlt, sti */
	{2, 0x48, 0xcf}, {1, 0xcc}, {1, 0xf1},	     /* iretq, int3, int1 */
	{2, 0x0f, 0x05}, {2, 0x0f, 0x34},	     /* syscall, sysenter */
	{5, 0xb8, 0x00, 0x00, 0x00, 0xd0},	     /* mov $SS_MMIO_GPA, %eax */
	{5, 0xb8, 0x00, 0x00, 0x10, 0xc0},	     /* mov $RELAY_VCPUS, %eax */
	{3, 0x48, 0x89, 0x08}, {3, 0x48, 0x8b, 0x08}, /* mov %rcx, (%rax) and back */
	{4, 0x66, 0xba, 0xe0, 0x05},		     /* mov $SS_PORT_CONTROL, %dx */
	{4, 0x66, 0xba, 0xf0, 0x05},		     /* mov $RELAY_PORT, %dx */
	{5, 0xb9, 0x80, 0x00, 0x00, 0xc0},	     /* mov $IA32_EFER, %ecx */
	{2, 0x31, 0xc0}, {2, 0xff, 0xc0}, {2, 0xff, 0xc1}, /* xor, inc */
	{2, 0xeb, 0xf0},			     /* jmp back */
};

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "random_code: %s: %s\n", what, strerror(errno));
	exit(STATUS_INTERNAL);
}

/* Even seeds are random bytes and nothing else; odd ones survive exceptions and are mostly made of
 * fragments. Returns the size. */
static size_t generate(uint64_t seed, uint8_t guest[GUEST_MAX])
{
	size_t before = seed % 2 ? (size_t)(survivor_end - survivor) : 0;
	uint8_t *code = guest + before;
	uint64_t state = seed, choice;

	memcpy(guest, survivor, before);
	for (size_t i = 0; i < CODE_SIZE; i++)
		code[i] = (uint8_t)next(&state);
	for (size_t at = 0; before && at < CODE_SIZE - sizeof(fragments[0]);) {
		const uint8_t *fragment;

		choice = next(&state);
		fragment = fragments[choice % (sizeof(fragments) / sizeof(fragments[0]))];
		memcpy(code + at, fragment + 1, fragment[0]);
		at += fragment[0] + (choice >> 32 & 7 ? 0u : choice >> 40 & 3);
	}
	return before + CODE_SIZE;
}

static void write_guest(int fd, const void *guest, size_t size)
{
	if (ftruncate(fd, 0) != 0 || pwrite(fd, guest, size, 0) != (ssize_t)size)
		die("write");
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int memory_file(const char *name)
{
	int fd = memfd_create(name, 0);

	if (fd < 0)
		die("memfd_create");
	return fd;
}

static void perform(const char *const arguments[], int text_fd, struct outcome *outcome)
{
	posix_spawn_file_actions_t actions;
	double start = now_ms();
	int status, rc;
	ssize_t size;
	pid_t pid;

	if (ftruncate(text_fd, 0) != 0 || lseek(text_fd, 0, SEEK_SET) != 0)
		die("lseek");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, text_fd, 2);
	rc = posix_spawn(&pid, arguments[0], &actions, NULL, (char *const *)arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	errno = rc;
	if (rc != 0)
		die(arguments[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	outcome->ms = now_ms() - start;
	outcome->crashed = !WIFEXITED(status);
	outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	size = pread(text_fd, outcome->text, sizeof(outcome->text) - 1, 0);
	outcome->text[size > 0 ? size : 0] = 0;
	outcome->exited = outcome->text[0] == 0 || strstr(outcome->text, "guest exit status");
}

/* The descriptors stay open in the child, which finds its guest through /proc. */
static void run(const struct settings *settings, int code_fd, int text_fd, struct outcome *outcome)
{
	char guest[32], timeout[32];
	const char *arguments[] = {settings->program, "run",   "-q",  "--engine", settings->engine,
				   "--timeout",       timeout, guest, NULL};

	snprintf(guest, sizeof(guest), "/proc/self/fd/%d", code_fd);
	snprintf(timeout, sizeof(timeout), "%g", settings->timeout_ms / 1e3);
	perform(arguments, text_fd, outcome);
}

/* Ends as a skipped test on a host where the program has no KVM, and says what it says. */
static void need_kvm(const struct settings *settings, int text_fd)
{
	const char *arguments[] = {settings->program, "info", NULL};
	struct outcome outcome;

	perform(arguments, text_fd, &outcome);
	if (!outcome.crashed && outcome.status == 0)
		return;
	printf("skipped: needs: kvm; host: %s", outcome.text);
	exit(STATUS_SKIPPED);
}

static const char *fault_of(const struct outcome *outcome)
{
	if (strstr(outcome->text, "Sanitizer") || strstr(outcome->text, "runtime error:"))
		return "a sanitizer reports";
	if (outcome->crashed)
		return "it crashed";
	if (outcome->exited)
		return NULL; /* any number is the guest's own */
	if (outcome->status == STATUS_INTERNAL)
		return "an internal error";
	if (outcome->status != 1 && outcome->status != STATUS_TIMEOUT)
		return "an undocumented status";
	return NULL;
}

static bool judge(uint64_t seed, const char *fault, const struct outcome *outcome)
{
	if (!fault)
		return true;
	printf("seed %" PRIu64 ": %s: status %d after %.0f ms\n%s", seed, fault, outcome->status,
	       outcome->ms, outcome->text);
	fflush(stdout); /* at once and as one, so that workers do not mix */
	return false;
}

/* What an ordinary launch takes here and now, besides the guest: the least or the most of several. */
static double launch_ms(const struct settings *settings, bool most, int code_fd, int text_fd)
{
	const struct settings relaxed = {settings->program, settings->engine, 0, 0, 1000 * patient(20), 1};
	static const uint8_t exits[] = {0x30, 0xc0, 0xe6, 0xf4, 0xeb, 0xfe}; /* status 0 */
	struct outcome outcome;
	double ms = 0;

	write_guest(code_fd, exits, sizeof(exits));
	for (int i = 0; i < 5; i++) {
		run(&relaxed, code_fd, text_fd, &outcome);
		if (outcome.crashed || outcome.status != 0) {
			fprintf(stderr, "random_code: a guest that only exits fails: %s", outcome.text);
			exit(STATUS_INTERNAL);
		}
		if (i == 0 || (outcome.ms > ms) == most)
			ms = outcome.ms;
	}
	return ms;
}

static double allowed_ms(const struct settings *settings, bool busy, int code_fd, int text_fd)
{
	return launch_ms(settings, busy, code_fd, text_fd) + settings->timeout_ms + SLACK_MS;
}

static void try_seed(const struct settings *settings, double limit, uint64_t seed, int code_fd,
		     int text_fd, struct tally *tally)
{
	struct outcome outcome;
	uint8_t guest[GUEST_MAX];
	int attempt = 0;

	write_guest(code_fd, guest, generate(seed, guest));
	do
		run(settings, code_fd, text_fd, &outcome);
	while (outcome.ms > limit && ++attempt < ATTEMPTS);
	/* Or a launch takes longer than it did at the start. */
	if (outcome.ms > limit)
		limit = allowed_ms(settings, true, code_fd, text_fd);
	if (!judge(seed, fault_of(&outcome), &outcome) ||
	    !judge(seed, outcome.ms > limit ? "it hung" : NULL, &outcome))
		tally->bad++;
	else if (outcome.exited)
		tally->successes++;
	else if (outcome.status == STATUS_TIMEOUT)
		tally->timeouts++;
	else
		tally->failures++;
}

__attribute__((noreturn)) static void work(const struct settings *settings, double limit,
					   struct tally *tally)
{
	int code_fd = memory_file("guest.bin"), text_fd = memory_file("stderr");
	uint64_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((i = tally->taken++) < settings->seeds)
		try_seed(settings, limit, settings->first + i, code_fd, text_fd, tally);
	exit(0);
}

/* Returns whether all workers came to their end. */
static bool run_workers(const struct settings *settings, double limit, struct tally *tally)
{
	unsigned started = 0, ended = 0;
	int status;

	for (; started < settings->workers; started++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0)
			work(settings, limit, tally);
	}
	for (unsigned i = 0; i < started; i++)
		ended += wait(&status) > 0 && status == 0;
	return ended == started;
}

static int run_all(const struct settings *settings)
{
	int code_fd = memory_file("guest.bin"), text_fd = memory_file("stderr");
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double limit;
	bool complete;

	need_kvm(settings, text_fd);
	limit = allowed_ms(settings, false, code_fd, text_fd);
	close(code_fd);
	close(text_fd);
	if (tally == MAP_FAILED)
		die("mmap");
	complete = run_workers(settings, limit, tally);
	printf("random code: %" PRIu64 " guests: %lu failed, %lu timed out, %lu exited, %lu broke a rule\n",
	       settings->seeds, tally->failures, tally->timeouts, tally->successes, tally->bad);
	printf("figure: random guests %" PRIu64 "\n", settings->seeds);
	if (!complete)
		return STATUS_INTERNAL;
	return tally->bad ? 1 : 0;
}

static unsigned processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end) {
		fprintf(stderr, "random_code: not a number: %s\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	struct settings settings = {.engine = "flat", .seeds = 100, .timeout_ms = 50,
				    .workers = processors()};
	int option;

	while ((option = getopt(argc, argv, "e:f:j:n:t:")) != -1) {
		switch (option) {
		case 'e':
			settings.engine = optarg;
			break;
		case 'f':
			settings.first = number(optarg);
			break;
		case 'j':
			settings.workers = (unsigned)number(optarg);
			break;
		case 'n':
			settings.seeds = number(optarg);
			break;
		case 't':
			settings.timeout_ms = (unsigned)number(optarg);
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc || settings.workers == 0) {
		fprintf(stderr,
			"usage: random_code [-e ENGINE] [-f FIRST] [-j WORKERS] [-n SEEDS] "
			"[-t TIMEOUT_MS] PROGRAM\n");
		return 2;
	}
	settings.program = argv[optind];
	return run_all(&settings);
}
