/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * used [OPTION]... -- SIDESTEP ARGUMENT...
 * Runs a command with ptrace and finds out which rules of jail.def its sealed threads use.
 *
 *	--record FILE        add the rules used to FILE
 *	--interrupt          send SIGINT when the sealed main thread waits for the run's end
 *	--disturb            make it begin to wait anew, as SIGSTOP and SIGCONT do
 *	--inject RULE CALL   instead of the first call that RULE allows, make the system call CALL, a number
 *	--list ENVIRONMENT   no command: print the rules that tests must see used there
 *	--build              no command: print what more this build allows: nothing, sanitizers, coverage
 *
 * RULE is ROLE/call/SUBJECT as --list prints it. Exit status: that of the command, 128+n for signal n;
 * 99 if it cannot be traced.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* After <sys/ptrace.h>, which defines the same. */
#include <linux/ptrace.h>

#include "vmm/jail/jail.h"

#define THREADS_MAX 256
#define RULES_MAX 128

struct traced {
	pid_t id;
	enum jail_role role; /* INVALID: not sealed yet */
	bool started;        /* its first stop has been seen */
};

static struct {
	struct traced threads[THREADS_MAX];
	size_t count;
	pid_t leader;
	bool used[RULES_MAX];
	bool interrupt, disturb;
	const char *inject;
	long call;
	int status;
} state;

static const char *const subjects[] = {
#define X(name, words) #name,
	JAIL_SUBJECTS(X)
#undef X
};

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void rule_name(const struct jail_rule *rule, char name[64])
{
	const struct jail_condition *first = &rule->conditions[0];
	bool whole = first->mask == UINT32_MAX;

	snprintf(name, 64, "%s/%s/%s", jail_role_keys[rule->role], rule->name, subjects[rule->subject]);
	if (first->mask)
		snprintf(name + strlen(name), 64 - strlen(name), whole ? "/%u=0x%llx" : "/%u&0x%llx",
			 first->argument, (unsigned long long)(whole ? first->value : ~first->mask));
}

static struct traced *find(pid_t id)
{
	for (size_t i = 0; i < state.count; i++)
		if (state.threads[i].id == id)
			return &state.threads[i];
	if (state.count == THREADS_MAX)
		die("too many threads");
	state.threads[state.count] = (struct traced){.id = id};
	return &state.threads[state.count++];
}

/* What a descriptor is open on starts so, and ends so. */
static bool link_is(pid_t id, uint64_t fd, const char *start, const char *end)
{
	char path[64], target[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)id, (unsigned)fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strncmp(target, start, strlen(start)) == 0 && (size_t)n >= strlen(end) &&
	       strcmp(target + n - strlen(end), end) == 0;
}

/* That of the threads is made first, and those of interrupt lines with their VM. */
static bool is_eventfd(pid_t id, uint64_t fd, bool first)
{
	bool lower = false;

	for (uint64_t i = 0; i < fd && !lower; i++)
		lower = link_is(id, i, "anon_inode:[eventfd]", "");
	return lower != first && link_is(id, fd, "anon_inode:[eventfd]", "");
}

/* Whether argument 0 may be this subject. Which it is, the filter in the kernel has decided. */
static bool is_subject(pid_t id, enum jail_subject subject, const uint64_t *args)
{
	switch (subject) {
	case JAIL_SUBJECT_SIGNAL:
		return link_is(id, args[0], "anon_inode:[signalfd]", "");
	case JAIL_SUBJECT_DONE:
		return is_eventfd(id, args[0], true);
	case JAIL_SUBJECT_IRQ:
		return is_eventfd(id, args[0], false);
	case JAIL_SUBJECT_KEYS:
		return args[0] == STDIN_FILENO;
	case JAIL_SUBJECT_STDERR:
		return args[0] == STDERR_FILENO;
	case JAIL_SUBJECT_VERDICT:
		return args[0] > 2 && link_is(id, args[0], "pipe:", "") && args[2] == 1;
	case JAIL_SUBJECT_OUTPUT:
		return args[0] == STDOUT_FILENO || (link_is(id, args[0], "pipe:", "") && args[2] != 1);
	case JAIL_SUBJECT_CONSOLE:
		return args[0] == STDOUT_FILENO || args[0] == STDERR_FILENO;
	case JAIL_SUBJECT_DISK:
		return link_is(id, args[0], "/memfd:sidestep-disk", "") || link_is(id, args[0], "/", "/disk");
	case JAIL_SUBJECT_LEDGER:
		return link_is(id, args[0], "/", "/ledger");
	case JAIL_SUBJECT_VM:
		return link_is(id, args[0], "anon_inode:kvm-vm", "");
	case JAIL_SUBJECT_STATS:
		return link_is(id, args[0], "anon_inode:kvm-vcpu-stats", "");
	case JAIL_SUBJECT_VCPU:
		return link_is(id, args[0], "anon_inode:kvm-vcpu:", "");
	case JAIL_SUBJECT_TRACE:
		return link_is(id, args[0], "anon_inode:[perf_event]", "");
	default:
		return true;
	}
}

/* Of a disk the file is as long as it may be. A ledger is shorter by far. */
static bool is_inside(pid_t id, uint64_t fd, uint64_t offset, uint64_t size)
{
	struct stat status;
	char path[64];

	if (!is_subject(id, JAIL_SUBJECT_DISK, &fd))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)id, (unsigned)fd);
	return stat(path, &status) == 0 && offset + size <= (uint64_t)status.st_size;
}

static bool meets(pid_t id, const struct jail_condition *condition, const uint64_t *args)
{
	uint64_t value = args[condition->argument];

	return condition->test == JAIL_INSIDE ? is_inside(id, args[0], value, condition->value)
					      : (value & condition->mask) == condition->value;
}

static bool matches(const struct traced *thread, const struct jail_rule *rule, uint64_t number,
		    const uint64_t *args)
{
	if (rule->role != thread->role || (uint64_t)rule->number != number)
		return false;
	for (size_t i = 0; i < 2; i++)
		if (!meets(thread->id, &rule->conditions[i], args))
			return false;
	return is_subject(thread->id, rule->subject, args);
}

static void inject(const struct traced *thread, const struct jail_rule *rule)
{
	char name[64];

	rule_name(rule, name);
	if (!state.inject || strcmp(state.inject, name) != 0)
		return;
	state.inject = NULL;
	if (ptrace(PTRACE_POKEUSER, thread->id, offsetof(struct user_regs_struct, orig_rax),
		   state.call) != 0)
		die("PTRACE_POKEUSER");
}

/* Signals for the main thread, when it waits for the run's end. */
static void poke(const struct traced *thread, uint64_t number)
{
	if (thread->role != JAIL_ROLE_MAIN || number != SYS_poll)
		return;
	/* Any signal that has no effect will do; this one is ignored by default. */
	if (state.disturb)
		syscall(SYS_tgkill, thread->id, thread->id, SIGWINCH);
	else if (state.interrupt)
		kill(thread->id, SIGINT);
	state.disturb = state.interrupt = false;
}

static void enter(const struct traced *thread, uint64_t number, const uint64_t *args)
{
	for (size_t i = 0; i < jail_rule_count; i++)
		if (matches(thread, &jail_rules[i], number, args)) {
			state.used[i] = true;
			inject(thread, &jail_rules[i]);
			break;
		}
	poke(thread, number);
}

static pid_t process_of(pid_t id)
{
	char path[64], line[128];
	FILE *file;
	int tgid = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)id);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			break;
	if (file)
		fclose(file);
	return tgid;
}

static void seal(struct traced *thread)
{
	if (process_of(thread->id) != state.leader)
		thread->role = JAIL_ROLE_WRITER;
	else
		thread->role = thread->id == state.leader ? JAIL_ROLE_MAIN : JAIL_ROLE_VCPU;
}

static void system_call(struct traced *thread)
{
	static struct {
		pid_t id;
		bool filter;
	} last[THREADS_MAX];
	size_t slot = (size_t)(thread - state.threads);
	struct ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->id, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		last[slot].filter = info.entry.nr == SYS_seccomp &&
				    info.entry.args[0] == SECCOMP_SET_MODE_FILTER;
		enter(thread, info.entry.nr, (const uint64_t *)info.entry.args);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && last[slot].filter &&
		   info.exit.rval == 0) {
		seal(thread);
	}
}

/* Returns the signal to pass on. */
static int stopped(struct traced *thread, int status)
{
	int signal = WSTOPSIG(status);

	if (signal == (SIGTRAP | 0x80)) {
		system_call(thread);
		return 0;
	}
	if (status >> 16 != 0 || (signal == SIGSTOP && !thread->started))
		signal = 0;
	thread->started = true;
	return signal == SIGTRAP ? 0 : signal;
}

static void follow(void)
{
	int status;
	pid_t id;

	while ((id = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			if (id == state.leader)
				state.status = status;
			continue;
		}
		ptrace(PTRACE_SYSCALL, id, NULL, stopped(find(id), status));
	}
}

static void start(char **command)
{
	int status;

	state.leader = fork();
	if (state.leader < 0)
		die("fork");
	if (state.leader == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(command[0], command);
		die(command[0]);
	}
	if (waitpid(state.leader, &status, 0) != state.leader || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, state.leader, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			   PTRACE_O_EXITKILL) != 0)
		die("ptrace");
	find(state.leader)->started = true;
	ptrace(PTRACE_SYSCALL, state.leader, NULL, 0);
}

static void list(const char *environment)
{
	static const struct {
		const char *name;
		unsigned seen;
	} environments[] = {
		{"flat", JAIL_WHEN_RUN | JAIL_WHEN_FLAT},
		{"pc", JAIL_WHEN_PC},
		{"traced", JAIL_WHEN_TRACED},
		{"vmx", JAIL_WHEN_VMX},
		{"svm", JAIL_WHEN_SVM},
	};
	char name[64];

	for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++)
		for (size_t rule = 0; rule < jail_rule_count; rule++)
			if (strcmp(environment, environments[i].name) == 0 &&
			    jail_rules[rule].seen & environments[i].seen) {
				rule_name(&jail_rules[rule], name);
				puts(name);
			}
}

static void record(const char *path)
{
	FILE *file = fopen(path, "a");
	char name[64];

	if (!file)
		die(path);
	for (size_t i = 0; i < jail_rule_count; i++)
		if (state.used[i]) {
			rule_name(&jail_rules[i], name);
			fprintf(file, "%s\n", name);
		}
	fclose(file);
}

int main(int argc, char **argv)
{
	const char *path = NULL;
	int i;

	if (jail_rule_count > RULES_MAX)
		return 99;
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--interrupt") == 0) {
			state.interrupt = true;
		} else if (strcmp(argv[i], "--disturb") == 0) {
			state.disturb = true;
		} else if (strcmp(argv[i], "--record") == 0 && i + 1 < argc) {
			path = argv[++i];
		} else if (strcmp(argv[i], "--inject") == 0 && i + 2 < argc) {
			state.inject = argv[++i];
			state.call = strtol(argv[++i], NULL, 10);
		} else if (strcmp(argv[i], "--list") == 0 && i + 1 < argc) {
			list(argv[++i]);
			return 0;
		} else if (strcmp(argv[i], "--build") == 0) {
			puts(jail_instrumented ? jail_instrumented : "nothing");
			return 0;
		} else {
			break;
		}
	}
	if (i + 1 >= argc || strcmp(argv[i], "--") != 0) {
		fputs("usage: used [--record FILE] [--interrupt] [--disturb] [--inject RULE CALL] -- "
		      "COMMAND...\n       used --list ENVIRONMENT\n       used --build\n", stderr);
		return 2;
	}
	start(argv + i + 1);
	follow();
	if (path)
		record(path);
	return WIFSIGNALED(state.status) ? 128 + WTERMSIG(state.status) : WEXITSTATUS(state.status);
}
