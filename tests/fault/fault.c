/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program with one call failing: for every scenario, call and plausible errno the first, the
 * second, ... such call fails, until there is none left to fail. Whatever fails, sidestep ends by a
 * documented status; if that is not success it says why in one line, and it leaves no file that is not
 * complete. The linker puts the wrappers here between the program and the C library.
 *
 * fault [-s EVERY] DIRECTORY GUEST POLICY [CALL...]; -s tries only every EVERY-th call, from the first on.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/observe/trace.h"
#include "../hostile/kvm.h"
#include "../patience.h"

#define ERRNO_MAX 4

enum call {
#define FAULT(result, name, parameters, arguments, failure, ...) CALL_##name,
#define FAULT_CODE(result, name, parameters, arguments, ...) CALL_##name,
#include "fault.def"
#undef FAULT
#undef FAULT_CODE
	CALL_COUNT
};

static const struct {
	const char *name;
	int errnos[ERRNO_MAX];
} calls[CALL_COUNT] = {
#define FAULT(result, name, parameters, arguments, failure, ...) [CALL_##name] = {#name, {__VA_ARGS__}},
#define FAULT_CODE(result, name, parameters, arguments, ...) [CALL_##name] = {#name, {__VA_ARGS__}},
#include "fault.def"
#undef FAULT
#undef FAULT_CODE
};

/* Shared with the child that is tested. */
struct injection {
	enum call call;
	int number;
	atomic_ulong left; /* calls until the one that fails; counts down to 0 */
	atomic_bool armed, failed;
};

static struct injection *injection;

static bool fails_now(enum call call)
{
	if (!injection || !atomic_load(&injection->armed) || injection->call != call)
		return false;
	if (atomic_fetch_sub(&injection->left, 1) != 1)
		return false;
	atomic_store(&injection->failed, true);
	return true;
}

#define WRAPPER(result, name, parameters, arguments, failed)                                       \
	result __real_##name parameters;                                                           \
	result __wrap_##name parameters;                                                           \
	result __wrap_##name parameters                                                            \
	{                                                                                          \
		if (fails_now(CALL_##name))                                                        \
			return failed;                                                             \
		return __real_##name arguments;                                                    \
	}
#define FAULT(result, name, parameters, arguments, failure, ...)                                   \
	WRAPPER(result, name, parameters, arguments, (errno = injection->number, failure))
#define FAULT_CODE(result, name, parameters, arguments, ...)                                       \
	WRAPPER(result, name, parameters, arguments, injection->number)
#include "fault.def"

int sidestep_main(int argc, char **argv);

static const struct scenario {
	const char *name;
	const char *arguments[12]; /* @o: an output file, @l: a ledger, @g: the guest, @p: a policy */
	const char *end;           /* of a complete output; NULL: that of a JSON document */
} scenarios[] = {
	{"info", {"info", "--format", "json", "-o", "@o"}, NULL},
	{"run", {"run", "-q", "--timeout", "10", "--ledger", "@n", "@g"}, NULL},
	{"vms", {"run", "-q", "--timeout", "10", "--vms", "3", "@g"}, NULL},
	{"test", {"test", "--engine", "flat", "--format", "json", "-o", "@o", "ref.nothing"}, NULL},
	{"report", {"report", "--format", "json", "-o", "@o", "@l"}, NULL},
	{"several", {"report", "--format", "json", "-o", "@o", "@l", "@l", "@l"}, NULL},
	{"rip", {"report", "--by", "rip", "--format", "json", "-o", "@o", "@l"}, NULL},
	{"page", {"report", "--format", "html", "-o", "@o", "@l"}, "</html>\n"},
	{"trace", {"report", "--format", "trace", "-o", "@o", "@l"}, NULL},
	{"folded", {"report", "--format", "folded", "-o", "@o", "@l"}, "\n"},
	{"diff", {"report", "--diff", "--by", "reason", "--format", "json", "-o", "@o", "@l", "@l"}, NULL},
	{"views", {"views", "--format", "json", "-o", "@o", "@p", "@g"}, NULL},
	{"policy", {"run", "-q", "--timeout", "10", "--views", "@p", "@g"}, NULL},
	{"random", {"test", "--engine", "flat", "--random", "3", "--format", "json", "-o", "@o"}, NULL},
	{"bench", {"bench", "--engine", "flat", "--count", "2", "--format", "json", "-o", "@o", "ref.nothing"},
	 NULL},
	{"profile",
	 {"profile", "--engine", "flat", "--trace", "off", "--interval", "1", "--format", "json", "@g"},
	 NULL},
};

static char directory[200], output_path[256], new_ledger[256], old_ledger[256], text_path[256];
static const char *guest, *policy;
static unsigned long runs, faults;

static const char *expand(const char *word)
{
	if (strcmp(word, "@o") == 0)
		return output_path;
	if (strcmp(word, "@n") == 0)
		return new_ledger;
	if (strcmp(word, "@l") == 0)
		return old_ledger;
	if (strcmp(word, "@p") == 0)
		return policy;
	return strcmp(word, "@g") == 0 ? guest : word;
}

__attribute__((noreturn)) static void child(const struct scenario *scenario)
{
	char *argv[16] = {(char *)"sidestep"};
	int argc = 1, text, status;

	for (int i = 0; scenario->arguments[i]; i++)
		argv[argc++] = (char *)expand(scenario->arguments[i]);
	text = open(text_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(text, STDERR_FILENO);
	dup2(open("/dev/null", O_RDWR), STDOUT_FILENO);
	alarm(patient(10));
	atomic_store(&injection->armed, true);
	status = sidestep_main(argc, argv);
	/* What a build with coverage does at the end is not the program's. */
	atomic_store(&injection->armed, false);
	exit(status);
}

static int run(const struct scenario *scenario)
{
	int status;
	pid_t pid;

	unlink(output_path);
	unlink(new_ledger);
	runs++;
	fflush(stdout); /* what waits there is not the child's to write */
	pid = fork();
	if (pid == 0)
		child(scenario);
	while (pid < 0 || waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			exit(99);
	atomic_store(&injection->armed, false);
	return status;
}

static size_t read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t got = file ? fread(text, 1, size - 1, file) : 0;

	if (file)
		fclose(file);
	text[got] = 0;
	return got;
}

/* Anything but the files that are meant to be there is a left-over of something unfinished. */
static const char *left_over(void)
{
	static char name[300];
	DIR *listing = opendir(directory);
	struct dirent *entry;
	const char *found = NULL;

	while (listing && (entry = readdir(listing)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "output") != 0 && strcmp(entry->d_name, "ledger") != 0 &&
		    strcmp(entry->d_name, "old") != 0 && strcmp(entry->d_name, "text") != 0) {
			snprintf(name, sizeof(name), "%s", entry->d_name);
			found = name;
		}
	if (listing)
		closedir(listing);
	return found;
}

/* 128 + SIGPIPE: what it writes nobody reads any more, and there is nothing to explain. */
#define READER_GONE 141

static const char *fault_of(const struct scenario *scenario, int status, char *text)
{
	static const int documented[] = {0, 1, 2, 77, 99, 124, READER_GONE};
	const char *end = scenario->end ? scenario->end : "}\n";
	static char output[1 << 20];
	bool known = false;
	size_t size;
	char *line;

	size = read_text(text_path, text, 4096);
	if (strstr(text, "Sanitizer") || strstr(text, "runtime error:"))
		return "a sanitizer reports";
	if (!WIFEXITED(status))
		return WTERMSIG(status) == SIGALRM ? "it hung" : "it crashed";
	for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++)
		known |= WEXITSTATUS(status) == documented[i];
	if (!known)
		return "an undocumented status";
	line = strstr(text, "sidestep: ");
	if (WEXITSTATUS(status) == READER_GONE) {
		if (injection->call != CALL_write || injection->number != EPIPE || size != 0)
			return "it says that nobody reads";
	} else if (WEXITSTATUS(status) != 0 && (line != text || strchr(text, '\n') != text + size - 1))
		return "not one line of explanation";
	if (left_over())
		return "a file is left over";
	if (access(output_path, F_OK) == 0) {
		size = read_text(output_path, output, sizeof(output));
		if (size <= strlen(end) ||
		    memcmp(output + size - strlen(end), end, strlen(end)) != 0)
			return "an incomplete output file";
	}
	return NULL;
}

/* Returns whether everything was as it should be; *ret_more tells that the fault occurred. */
static bool try_one(const struct scenario *scenario, enum call call, int number, unsigned long nth,
		    bool *ret_more)
{
	const char *fault;
	char text[4096];
	int status;

	injection->call = call;
	injection->number = number;
	atomic_store(&injection->left, nth);
	atomic_store(&injection->failed, false);
	status = run(scenario);
	*ret_more = atomic_load(&injection->failed);
	faults += *ret_more;
	fault = fault_of(scenario, status, text);
	if (!fault && !*ret_more && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		fault = "it fails without a fault";
	if (fault)
		printf("%s, %s number %lu failing with %s: %s: wait status 0x%x%s%s\n%s",
		       scenario->name, calls[call].name, nth, strerrorname_np(number), fault,
		       (unsigned)status, left_over() ? ", left: " : "", left_over() ? left_over() : "",
		       text);
	return !fault;
}

static bool try_all(const struct scenario *scenario, enum call call, unsigned long every)
{
	bool good = true, more;

	for (int i = 0; i < ERRNO_MAX && calls[call].errnos[i]; i++) {
		unsigned long nth = 1;

		do {
			good &= try_one(scenario, call, calls[call].errnos[i], nth, &more);
			nth += every;
		} while (more);
	}
	return good;
}

static bool wanted(enum call call, char *const *names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (strcmp(*names, calls[call].name) == 0)
			return true;
	return false;
}

/* As tests/keep_tracepoints.c: so that the thousands of runs do not wait for the kernel to let go. */
static void keep_tracepoints(void)
{
	static const struct trace_plan plan = {.mode = TRACING_COUNT};
	static struct trace trace;
	char reason[240];

	trace_open(&trace, &plan, reason, sizeof(reason));
}

static void prepare(const char *parent)
{
	static const struct scenario records = {"ledger", {"run", "-q", "--ledger", "@l", "@g"}, NULL};

	snprintf(directory, sizeof(directory), "%s/fault.XXXXXX", parent);
	if (!mkdtemp(directory)) {
		perror(directory);
		exit(99);
	}
	snprintf(output_path, sizeof(output_path), "%s/output", directory);
	snprintf(new_ledger, sizeof(new_ledger), "%s/ledger", directory);
	snprintf(old_ledger, sizeof(old_ledger), "%s/old", directory);
	snprintf(text_path, sizeof(text_path), "%s/text", directory);
	injection = mmap(NULL, sizeof(*injection), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	if (injection == MAP_FAILED)
		exit(99);
	injection->call = CALL_COUNT;
	if (run(&records) != 0) {
		char text[4096];

		read_text(text_path, text, sizeof(text));
		fprintf(stderr, "fault: the guest cannot be run: %s", text);
		exit(99);
	}
}

static void clean_up(void)
{
	const char *left;
	char path[600];

	unlink(output_path);
	unlink(new_ledger);
	unlink(old_ledger);
	unlink(text_path);
	while ((left = left_over())) {
		snprintf(path, sizeof(path), "%s/%s", directory, left);
		if (unlink(path) != 0)
			break;
	}
	rmdir(directory);
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	unsigned long every = 1;
	bool good = true;
	int option;

	while ((option = getopt(argc, argv, "+s:")) != -1)
		every = option == 's' ? strtoul(optarg, NULL, 10) : 0;
	if (every == 0 || optind + 3 > argc) {
		fprintf(stderr, "usage: fault [-s EVERY] DIRECTORY GUEST POLICY [CALL...]\n");
		return 2;
	}
	if (needs_kvm() != 0)
		return STATUS_SKIPPED;
	setrlimit(RLIMIT_CORE, &no_core);
	keep_tracepoints();
	guest = argv[optind + 1];
	policy = argv[optind + 2];
	prepare(argv[optind]);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		for (enum call call = 0; call < CALL_COUNT; call++)
			if (wanted(call, argv + optind + 3))
				good &= try_all(&scenarios[i], call, every);
	clean_up();
	printf("faults: %lu injected in %lu runs\n", faults, runs);
	printf("figure: faults %lu\n", faults);
	return good ? 0 : 1;
}
