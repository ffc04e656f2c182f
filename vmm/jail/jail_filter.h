/* SPDX-License-Identifier: GPL-2.0-only */
/* Which system calls a thread may make: the rules of jail.def, and the filter they become. */
#ifndef VMM_JAIL_JAIL_FILTER_H
#define VMM_JAIL_JAIL_FILTER_H

#include <linux/filter.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes a vCPU's thread leave KVM_RUN. The main thread may send no other. */
#define KICK_SIGNAL SIGUSR1

/* What becomes of a system call that is not listed: MODE(NAME, key). Of the rest of the jail nothing depends on
 * it, except with NONE. */
#define JAIL_MODES(X)                                                                              \
	X(NONE, "none") /* no jail at all: tests that run a guest within their own process */      \
	X(ON, "on")     /* ends the process */                                                     \
	X(LOG, "log")   /* is carried out and written to the kernel's log */                       \
	X(OFF, "off")   /* is carried out */

enum jail_mode {
#define X(name, key) JAIL_##name,
	JAIL_MODES(X)
#undef X
	JAIL_MODE_COUNT
};

extern const char *const jail_mode_keys[JAIL_MODE_COUNT];

#define JAIL_ROLES(X)                                                                              \
	X(INVALID, "")                                                                             \
	X(MAIN, "main")                                                                            \
	X(VCPU, "vcpu")                                                                            \
	X(WRITER, "writer")                                                                        \
	X(GUARD, "guard")                                                                          \
	X(READER, "reader")

enum jail_role {
#define X(name, key) JAIL_ROLE_##name,
	JAIL_ROLES(X)
#undef X
	JAIL_ROLE_COUNT
};

extern const char *const jail_role_keys[JAIL_ROLE_COUNT];

/* What argument 0 of a system call may have to be: SUBJECT(NAME, "in words"). */
#define JAIL_SUBJECTS(X)                                                                           \
	X(ANY, "")                                                                                 \
	X(SIGNAL, "signalfd")                                                                      \
	X(DONE, "eventfd of the threads")                                                          \
	X(STDERR, "standard error")                                                                \
	X(OUTPUT, "the report's descriptor")                                                       \
	X(VERDICT, "pipe to the writer")                                                           \
	X(WRITER, "the writer's process")                                                          \
	X(REMOVER, "the process of --pid-file")                                                    \
	X(KEYS, "standard input")                                                                  \
	X(SELF, "this process")                                                                    \
	X(LEDGER, "the ledger")                                                                    \
	X(CONSOLE, "where guest output goes")                                                      \
	X(IRQ, "eventfd of an interrupt line")                                                     \
	X(DISK, "the guest's disk")                                                                \
	X(VM, "the VM")                                                                            \
	X(VCPU, "the thread's own vCPU")                                                           \
	X(STATS, "counters of this vCPU")                                                          \
	X(TRACE, "tracepoints of this vCPU")

enum jail_subject {
#define X(name, words) JAIL_SUBJECT_##name,
	JAIL_SUBJECTS(X)
#undef X
	JAIL_SUBJECT_COUNT
};

/* Kinds of runs, for the columns WHEN and SEEN of jail.def. */
enum jail_when {
	JAIL_WHEN_ALWAYS = 0,
	JAIL_WHEN_FLAT = 1 << 0,
	JAIL_WHEN_VMX = 1 << 1,
	JAIL_WHEN_SVM = 1 << 2,
	JAIL_WHEN_NESTED = JAIL_WHEN_VMX | JAIL_WHEN_SVM,
	JAIL_WHEN_TRACED = 1 << 3, /* kvm tracepoints can be counted */
	JAIL_WHEN_RUN = 1 << 4,    /* any run on this host's KVM */
	JAIL_WHEN_WATCHED = 1 << 6, /* sidestep profile */
	JAIL_WHEN_SHARED = 1 << 7,  /* several VMs share a vCPU */
	JAIL_WHEN_PC = 1 << 8,      /* the platform pc */
	JAIL_WHEN_TESTED = 1 << 9,  /* the same, with kvm-unit-tests' test device */
	JAIL_WHEN_ALL_VMS = 1 << 10, /* sidestep profile --all */
	/* All that a rule of an ordinary build may be there for. */
	JAIL_WHEN_EVERY = JAIL_WHEN_FLAT | JAIL_WHEN_NESTED | JAIL_WHEN_WATCHED | JAIL_WHEN_SHARED | JAIL_WHEN_PC |
			  JAIL_WHEN_TESTED | JAIL_WHEN_ALL_VMS,
	JAIL_WHEN_INSTRUMENTED = 1 << 5, /* a build with sanitizers or coverage */
};

/* How an argument compares. */
enum jail_test {
	JAIL_EQUALS, /* its bits in `mask` are `value` */
	JAIL_INSIDE, /* an offset, and `value` bytes from there on are within the largest size of the subject's file */
};

/* A demand on argument `argument`. Mask 0: none. */
struct jail_condition {
	unsigned argument;
	uint64_t mask, value;
	enum jail_test test;
};

struct jail_rule {
	enum jail_role role;
	int number;
	const char *name;
	unsigned when, seen;
	enum jail_subject subject;
	struct jail_condition conditions[2];
	const char *conditions_text; /* as in jail.def */
	const char *purpose;
};

extern const struct jail_rule jail_rules[];
extern const size_t jail_rule_count;

#define JAIL_OUTPUT_MAX (UINT64_C(1) << 30)

/* A thread about to be sealed. */
struct jail_thread {
	enum jail_role role;
	enum jail_mode mode;
	unsigned when;                   /* what this run is, JAIL_WHEN_* */
	int subject[JAIL_SUBJECT_COUNT]; /* -1: there is none */
	uint64_t size[JAIL_SUBJECT_COUNT]; /* that its file may have at most; a rule that needs more is left out */
	int directory; /* files may be made and removed below this one; -1: nowhere */
	bool looks_out; /* at other processes, which Landlock lets nobody do whom it confines: it is left out */
	uint64_t capabilities; /* 1 << CAP_...: those that it keeps, if it has them */
	/* Limits of the whole process are set too: no core file, no descriptor beyond `descriptors`, no file longer than
	 * `file_size`, but for standard output and error, which may grow by JAIL_OUTPUT_MAX. */
	bool limits;
	uint64_t file_size;
	uint64_t descriptors; /* as many more may be opened as make this in all; 0: hardly any */
};

/* A thread without any subject. */
struct jail_thread jail_thread(enum jail_role role, enum jail_mode mode);

/* Whether a rule is part of a thread's filter. */
bool jail_rule_applies(const struct jail_rule *rule, const struct jail_thread *thread);

#if defined(__SANITIZE_ADDRESS__)
#define JAIL_SANITIZERS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JAIL_SANITIZERS
#endif
#endif

/* A build that needs more system calls than jail.def lists: what for; NULL: an ordinary one. */
extern const char *const jail_instrumented;

/* Instructions: twice what all rules of a role take, with those of sanitizers. */
#define JAIL_FILTER_MAX 1024

/* A program of the kernel's for struct seccomp_data. */
struct jail_filter {
	unsigned length; /* in instructions */
	struct sock_filter code[JAIL_FILTER_MAX];
};

/*
 * Writes the filter of a thread. Which rules are in it and what they compare with is known only when the thread is
 * about to be sealed; all else is in the table that the compiler has made of jail.def. No memory is allocated. Returns
 * 0 or -E2BIG: jail.def has become too long.
 */
int jail_filter(const struct jail_thread *thread, struct jail_filter *filter);

/* Has the kernel hold the calling thread to it from now on. Returns 0 or a negative errno. */
int jail_filter_load(struct jail_filter *filter);

#endif
