/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of the ledger, in memory and in the file alike (docs/ledger-format.md). Little endian;
 * every record starts with a struct record and its size is a multiple of 8.
 */
#ifndef VMM_LEDGER_RECORD_H
#define VMM_LEDGER_RECORD_H

#include <stdint.h>

#include "guestfw/abi.h"
#include "views/levels.h"
#include "vmm/ledger/stat.h"

#define LEDGER_MAGIC 0x4745444c45445353 /* "SSDELDEG": not any text file */
#define LEDGER_VERSION 2
#define LEDGER_HEADER_SIZE 4096

/* RECORD(TYPE, struct, "what it says") */
#define RECORD_TYPES(X)                                                                            \
	X(PAD, record, "nothing: fills the end of a block")                                        \
	X(META, record_meta, "one property of the run")                                            \
	X(OPERATION, record_operation, "name of an operation number")                              \
	X(EXIT, record_exit, "one exit")                                                           \
	X(BATCH, record_batch, "kernel counters over all repetitions of an operation")             \
	X(RESULT, record_result, "what the guest reports of an operation")                         \
	X(VIOLATION, record_violation, "an access that a view forbids")                            \
	X(END, record_end, "how a VM ended")                                                       \
	X(CODE, record_code, "the code around an address at which the guest exited")               \
	X(INTERRUPT, record_interrupt, "what was decided about a virtual interrupt")               \
	X(PIN, record_pin, "a buffer that was pinned, given back, or refused")                     \
	X(L0_EXIT, record_l0_exit, "one exit at l0, from the kernel's tracepoints")                \
	X(EXPECTATION, record_expectation, "what the reference model says of an operation")        \
	X(INSTRUCTION, record_instruction, "the instruction of an access that a view forbids, and what it was to write") \
	X(SOURCE, record_source, "the line of source that an instruction of such accesses is of")

enum record_type {
	RECORD_INVALID,
#define X(name, type, text) RECORD_##name,
	RECORD_TYPES(X)
#undef X
	RECORD_TYPE_COUNT
};

struct record {
	uint16_t type; /* enum record_type; 0 was never written */
	uint16_t size; /* of the whole record, in bytes */
	uint8_t vm;
	uint8_t vcpu;
	uint16_t level; /* enum level, of records that have one */
};

struct record_meta {
	struct record record;
	char text[]; /* key, NUL, value, NUL, padding */
};

struct record_operation {
	struct record record;
	uint32_t number; /* from 1 */
	uint32_t kind; /* enum ss_operation_kind; 0: of no catalogue, the guest has named it as it ran */
	char name[40];
};

/* One more than the largest exit reason of exit.def. */
enum exit_reason {
#define EXIT(number, name, handler, key) EXIT_REASON_##name = (number),
#include "vmm/ledger/exit.def"
#undef EXIT
	EXIT_REASON_COUNT
};

extern const char *const exit_reason_keys[EXIT_REASON_COUNT];
/* Key of any number, "?" if it is none of ours. */
const char *exit_reason_key(uint32_t reason);

struct record_exit {
	struct record record;
	uint64_t time; /* TSC when the exit was seen */
	uint64_t rip;
	uint64_t qualification; /* by reason: port, address, suberror */
	uint32_t operation;     /* what the guest said it was doing; 0: nothing */
	uint32_t cost;          /* TSC ticks of handling it, saturated */
	uint16_t reason;        /* KVM's exit reason at level vmm */
	uint16_t detail;        /* by reason: access size | write << 8 */
	uint16_t view;          /* the view that became active in it, plus 1; 0: none did */
	uint16_t service;       /* service_code() of a VMFUNC that ended here, else 0 */
};

/* The guest has named the operation as it began: nothing but the repetition is between `begin` and `end`. */
#define BATCH_MARKED 1

struct record_batch {
	struct record record;
	uint32_t operation;
	uint32_t count; /* repetitions */
	uint32_t view;  /* active at the end, by what the control structure says; ~0: none */
	uint32_t flags; /* BATCH_MARKED */
	uint64_t begin, end; /* TSC when the exits that bracket the repetitions were seen */
	uint64_t observed;   /* which values count: bit of enum stat_id */
	uint64_t value[STAT_COUNT];
};

struct record_result {
	struct record record;
	struct ss_result result;
};

/* What became of an access that a view forbids: ANSWER(NAME, key, "in words"). */
#define VIOLATION_ANSWERS(X)                                                                       \
	X(REFUSED, "refused", "a read gave all ones, a write was dropped")                         \
	X(FAULTED, "faulted", "the guest got an exception")                                        \
	X(STOPPED, "stopped", "the VM ended")

enum violation_answer {
#define X(name, key, text) VIOLATION_##name,
	VIOLATION_ANSWERS(X)
#undef X
	VIOLATION_ANSWER_COUNT
};

/* What a violation record knows of itself: FLAG(NAME, bit, "meaning"). */
#define VIOLATION_FLAGS(X)                                                                         \
	X(GVA_KNOWN, 0, "`gva` is the linear address of the access")                               \
	X(WALK, 1, "the processor was reading the guest's page tables, to translate `gva`")        \
	X(RIP_BEHIND, 2, "`rip` is where the guest went on after the instruction")

enum violation_flag {
#define X(name, bit, text) VIOLATION_##name = 1 << (bit),
	VIOLATION_FLAGS(X)
#undef X
};

/* "write", "fetch" or "read". */
const char *access_name(uint32_t access);

#define RECORD_NAME_SIZE 48

struct record_violation {
	struct record record;
	uint32_t operation;
	uint32_t view;
	uint64_t gpa;
	uint64_t rip;
	uint32_t access; /* VIEW_READ, VIEW_WRITE or VIEW_EXECUTE */
	uint32_t size;
	uint64_t gva;
	uint16_t answer; /* enum violation_answer */
	uint16_t flags;  /* enum violation_flag */
	uint32_t reserved;
	char region[RECORD_NAME_SIZE]; /* that holds gpa, NUL-terminated; empty: none */
	char symbol[RECORD_NAME_SIZE]; /* that holds rip, with the offset in it; empty: none */
};

#define RECORD_INSN_SIZE 16

/* Follows the record of the violation that it is of, the first of equal ones in a row. */
struct record_instruction {
	struct record record;
	uint64_t gpa, rip; /* these, and the next three, as there */
	uint64_t value;	   /* what was to be written, of `value_size` bytes */
	uint32_t operation, view, access;
	uint8_t value_size; /* 0: not known, or nothing was to be */
	uint8_t count;	    /* of the bytes of the instruction; 0: not known */
	uint16_t width;	    /* of the code, as in struct record_code */
	uint8_t bytes[RECORD_INSN_SIZE];
};

#define RECORD_SOURCE_SIZE 64

/* At the end of a run, of each instruction of a VM's violations that the image's DWARF knows. */
struct record_source {
	struct record record;
	uint64_t rip; /* of the violation */
	char text[RECORD_SOURCE_SIZE]; /* "file:line", NUL-terminated */
};

struct record_interrupt {
	struct record record;
	uint64_t time; /* TSC */
	uint32_t operation;
	uint16_t vector;
	uint16_t event; /* enum interrupt_event */
};

/* What became of a buffer: EVENT(NAME, key, meaning). */
#define PIN_EVENTS(X)                                                                              \
	X(PINNED, "pinned", "kept in memory from here on")                                         \
	X(UNPINNED, "unpinned", "given back by the guest")                                         \
	X(RELEASED, "released", "given back when the VM had ended")                                \
	X(REFUSED, "refused", "not pinned: `status` is what the guest got")                        \
	X(HOST_REFUSED, "host_refused", "not pinned: `status` is what the host said, `limit` its RLIMIT_MEMLOCK")

enum pin_event {
	PIN_INVALID,
#define X(name, key, meaning) PIN_##name,
	PIN_EVENTS(X)
#undef X
	PIN_EVENT_COUNT
};

struct record_pin {
	struct record record;
	uint64_t time; /* TSC */
	uint32_t operation;
	uint32_t handle; /* 0: none was given */
	uint64_t gpa, size;
	uint64_t total; /* bytes that the VM has pinned afterwards */
	uint64_t limit; /* in bytes, ~0: none */
	int32_t status;
	uint32_t event; /* enum pin_event */
};

/* Why a VM ended: CAUSE(NAME, key, "in words"). */
#define STOP_CAUSES(X)                                                                             \
	X(NONE, "running", "still running")                                                        \
	X(EXIT, "exit", "the guest wrote its exit status")                                         \
	X(GUEST, "guest-failure", "the guest failed")                                              \
	X(HOST, "host-failure", "the host failed")                                                 \
	X(TIMEOUT, "timeout", "the time ran out")                                                  \
	X(SIGNAL, "signal", "ended by a signal")                                                   \
	X(QUIT, "quit", "ended by somebody who was watching it")                                   \
	X(OFF, "power-off", "the guest turned its computer off")                                   \
	X(RESET, "reset", "the guest reset its computer")

enum stop_cause {
#define X(name, key, text) STOP_##name,
	STOP_CAUSES(X)
#undef X
	STOP_CAUSE_COUNT
};

struct record_end {
	struct record record;
	uint32_t cause;  /* enum stop_cause */
	int32_t status;  /* exit status */
	char text[240];  /* NUL-terminated; empty if all went well */
};

/* What else happened before the next entry: L0_FLAG(NAME, bit, tracepoint, key, "meaning"). */
#define L0_FLAGS_OF_TRACEPOINTS(X)                                                                 \
	X(NESTED, 0, kvm_nested_vmexit, "nested", "the exit was one of a nested guest")            \
	X(INJECTED, 1, kvm_nested_vmexit_inject, "injected", "it went to the relay")               \
	X(RESUMED, 2, kvm_nested_vmenter, "resumed", "it was the relay's, who entered the guest")  \
	X(USERSPACE, 3, kvm_userspace_exit, "userspace", "it went to the sidestep process")        \
	X(EMULATED, 4, kvm_emulate_insn, "emulated", "KVM interpreted an instruction")             \
	X(FAULT, 5, kvm_page_fault, "page_fault", "a second-level page fault was handled")         \
	X(CR, 6, kvm_cr, "cr", "KVM handled the access of a control register")                     \
	X(PIO, 7, kvm_pio, "pio", "KVM handled the access of a port")

/*
 * KVM_RUN also returns where it finds the interrupt window open that we have asked for: vcpu_run() of
 * arch/x86/kvm/x86.c, when vcpu_enter_guest() has turned back for the scheduler or the exit was the host's interrupt.
 */
#define L0_FLAGS(X)                                                                                \
	L0_FLAGS_OF_TRACEPOINTS(X)                                                                 \
	X(UNPROMPTED, 8, kvm_userspace_exit, "unprompted",                                         \
	  "since the exit before, KVM_RUN had returned without one of the guest")

enum l0_flag {
#define X(name, bit, tracepoint, key, text) L0_##name = 1 << (bit),
	L0_FLAGS(X)
#undef X
};

enum {
#define X(name, bit, tracepoint, key, text) L0_BIT_##name = (bit),
	L0_FLAGS(X)
#undef X
	L0_FLAG_COUNT
};

extern const char *const l0_flag_keys[L0_FLAG_COUNT];

/* AGREEMENT(NAME, key, "meaning") */
#define AGREEMENTS(X)                                                                              \
	X(AGREES, "agrees", "in the routine of the marked operation, or in none while none is marked") \
	X(ELSEWHERE, "elsewhere", "an operation is marked, in no routine: a handler of the guest, or the relay") \
	X(UNMARKED, "unmarked", "in a routine while no operation is marked: preparation")          \
	X(DIFFERS, "differs", "in the routine of another operation than the marked one")

enum agreement {
#define X(name, key, text) AGREEMENT_##name,
	AGREEMENTS(X)
#undef X
	AGREEMENT_COUNT
};

extern const char *const agreement_keys[AGREEMENT_COUNT];

struct record_l0_exit {
	struct record record;
	uint64_t time; /* TSC of the host */
	uint64_t rip;
	uint64_t info1, info2;  /* exit qualification and the like, by vendor */
	uint32_t operation;     /* what the guest said it was doing; 0: nothing, or not known */
	uint32_t routine;       /* first operation whose routine holds `rip`; 0: none */
	uint32_t cost;          /* TSC ticks until the next entry, saturated; 0: not observed */
	uint32_t reason;        /* the processor's */
	uint8_t isa;            /* whose reasons: 1 VMX, 2 SVM, 0 an interpreted instruction */
	uint8_t agreement;      /* enum agreement */
	uint16_t flags;         /* enum l0_flag */
	uint32_t reserved;
};

#define CODE_BEFORE 16
#define CODE_BYTES 32

/* Code as it was at the first exit there. An exit may come behind its instruction: see disassembly.h. */
struct record_code {
	struct record record;
	uint64_t rip;
	uint32_t offset; /* of `rip` in the function `symbol` */
	uint8_t before;  /* how many of the bytes are in front of `rip`, at most CODE_BEFORE */
	uint8_t count;   /* of all of them */
	uint16_t width;  /* of the code, enum cpu_width: 0: 64 bits, 1: 32, 2: 16 */
	uint8_t bytes[CODE_BYTES];
	char symbol[64]; /* NUL-terminated, cut if it is longer; empty: not known */
};

/* For a ledger that is judged where the model is not asked any more: of one batch. */
struct record_expectation {
	struct record record;
	uint32_t operation;
	uint32_t repetitions;
	uint32_t vector; /* or SS_NO_VECTOR */
	uint32_t view;   /* active afterwards; ~0: whatever it is */
	uint64_t faults, error_code;
	uint64_t value;
	uint32_t known; /* 1: the value counts */
	uint32_t early_due; /* 1: the guest must say what its first repetitions have come to */
	uint32_t early[SS_EARLY], early_mask[SS_EARLY]; /* ss_early() of each, and which of its bits count */
	struct {
		uint32_t how, count; /* struct expect_count */
	} exits[LEVEL_COUNT];
};

/* First page of a file. `used` and `lost` change while the run goes on. */
struct ledger_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;
	uint64_t tsc_khz;
	uint64_t used; /* bytes of complete records after the header */
	uint64_t lost; /* records that found no room */
};

_Static_assert(sizeof(struct record) == 8, "file format");
_Static_assert(sizeof(struct record_exit) == 48, "file format");
_Static_assert(sizeof(struct record_operation) == 56, "file format");
_Static_assert(sizeof(struct record_violation) == 152, "file format");
_Static_assert(sizeof(struct record_instruction) == 64, "file format");
_Static_assert(sizeof(struct record_source) == 80, "file format");
_Static_assert(sizeof(struct record_l0_exit) == 64, "file format");
_Static_assert(sizeof(struct record_code) == 120, "file format");
_Static_assert(sizeof(struct record_interrupt) == 24, "file format");
_Static_assert(sizeof(struct record_pin) == 64, "file format");
_Static_assert(sizeof(struct record_expectation) == 104, "file format");
_Static_assert(sizeof(struct ledger_header) <= LEDGER_HEADER_SIZE, "file format");

#endif
