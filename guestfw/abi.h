/* SPDX-License-Identifier: MIT */
/*
 * The contract between a guest and sidestep, version 2. Both sides include this file; it compiles
 * as C and as assembly (the constants). docs/guest-abi.md explains it in prose.
 *
 * Every structure here lives in guest memory and is written by code that the VMM does not trust:
 * the VMM copies it once, validates the copy and uses only the copy. Guest addresses are plain
 * 64-bit numbers so that the host cannot dereference one by accident.
 */
#ifndef SIDESTEP_ABI_H
#define SIDESTEP_ABI_H

#define SS_ABI_MAGIC 0x5045545345444953 /* "SIDESTEP", little endian */
#define SS_ABI_VERSION 2

/*
 * Entry state of every vCPU: 64-bit mode, CPL 0, interrupts off, all memory mapped one to one
 * except page 0 and user-accessible, RDI = address of the context area, RSI = index of the vCPU,
 * CR0 = SS_CR0_BASE, CR4 = SS_CR4_BASE, no IDT. The GDT holds the selectors below. Each vCPU owns
 * 2 * SS_STACK_SIZE bytes, so aligned: RSP starts at the middle, and RSP0 of the TSS is the top, so
 * that a fault from CPL 3 does not overwrite what CPL 0 has on its stack.
 */
#define SS_CR0_BASE 0x80000031 /* PG, NE, ET, PE */
#define SS_CR4_BASE 0x620      /* OSXMMEXCPT, OSFXSR, PAE */
#define SS_SEL_CODE 0x08
#define SS_SEL_DATA 0x10
#define SS_SEL_USER_CODE 0x1b
#define SS_SEL_USER_DATA 0x23
#define SS_SEL_TSS 0x28
#define SS_STACK_SIZE 4096
#define SS_MAX_VCPUS 64

/* Lowest address an image may occupy; everything below belongs to the VMM's own boot structures. */
#define SS_IMAGE_GPA 0x100000

/* Ports. A 4-byte write of a request's address to SS_PORT_CONTROL performs the request; a byte
 * written to SS_PORT_EXIT ends the VM, and the byte is the exit status of `sidestep run`. */
#define SS_PORT_CONTROL 0x5e0
#define SS_PORT_EXIT 0xf4
#define SS_PORT_DEBUG 0xe9
#define SS_PORT_SERIAL 0x3f8
#define SS_PORT_UNCLAIMED 0x80

/*
 * Where a guest without a catalogue says what it does, on either platform; one with a catalogue has nothing here. A byte
 * written is one of a name, which NUL or newline ends: from then on the vCPU that has written it performs the operation
 * of that name, once more each time. An empty name says that it performs none any more. So does the first byte of any
 * other, until that is complete. Read as 4 bytes the port gives the number of the name that this vCPU has given last,
 * 0 if it was refused, and to write this number as 4 bytes is to give the name again; 0 is the empty one.
 */
#define SS_PORT_MARK 0x5e8
#define SS_MARK_PORTS 4
#define SS_MARK_NAME_MAX 39 /* printable characters of ASCII, no blanks; up to SS_MAX_OPERATIONS different names */

/*
 * A disk at SS_PORT_DISK, if there is one (else reads give all ones, as of any port that nobody claims):
 * X(NAME, number, "access", "meaning"). Register n is four bytes wide, at port SS_PORT_DISK + 4 * n, and
 * is accessed as a whole. COMMAND carries the command out; when OUT is done, so is the command.
 */
#define SS_PORT_DISK 0x5c0
#define SS_DISK_SECTOR_SIZE 512
#define SS_DISK_REGISTERS(X)                                                                       \
	X(BUFFER, 0, "read, write", "handle of a pinned buffer")                                   \
	X(OFFSET, 1, "read, write", "byte of the buffer where the first sector starts")            \
	X(SECTOR, 2, "read, write", "first sector")                                                \
	X(COUNT, 3, "read, write", "how many sectors, from 1")                                     \
	X(VECTOR, 4, "read, write", "interrupt raised when a command has ended, well or not; 0: none") \
	X(COMMAND, 5, "write", "a command: starts it")                                             \
	X(STATUS, 6, "read", "how the last command ended")                                         \
	X(SECTORS, 7, "read", "size of the disk in sectors")

/* X(NAME, number, "what it does"). */
#define SS_DISK_COMMANDS(X)                                                                        \
	X(READ, 1, "moves sectors of the disk to the buffer")                                      \
	X(WRITE, 2, "moves what is in the buffer to sectors of the disk")

/* X(NAME, "meaning"), checked in this order. After IO_ERROR a part may have been moved, after the others
 * nothing has. */
#define SS_DISK_STATUSES(X)                                                                        \
	X(IDLE, "no command was given yet")                                                        \
	X(DONE, "all of it was moved")                                                             \
	X(BAD_VECTOR, "VECTOR is neither 0 nor 32 to 255; no interrupt is raised")                 \
	X(BAD_COMMAND, "there is no such command")                                                 \
	X(READ_ONLY, "the disk cannot be written")                                                 \
	X(BAD_COUNT, "COUNT is 0")                                                                 \
	X(BAD_SECTOR, "the sectors are not all on the disk")                                       \
	X(BAD_BUFFER, "BUFFER is no handle of a pinned buffer")                                    \
	X(BAD_ACCESS, "the buffer is not pinned for this, or who commands may not do it himself")  \
	X(BAD_OFFSET, "the sectors do not fit into the buffer at OFFSET")                          \
	X(IO_ERROR, "the storage failed")

/* One 8-byte scratch register: reads give back what was written last, SS_MMIO_RESET at first. */
#define SS_MMIO_GPA 0xd0000000
#define SS_MMIO_RESET 0x5c4a7c4200c0ffee

/* CR0 flags named here because operations speak about them (Intel SDM vol. 3A, 2.5). */
#define SS_CR0_PE 0x1
#define SS_CR0_MP 0x2
#define SS_CR0_EM 0x4
#define SS_CR0_TS 0x8

/* Pages of the view window, and what view v shows on its tag page. */
#define SS_WINDOW_TAG 0
#define SS_WINDOW_SHARED 1
#define SS_WINDOW_PRIVATE 2
#define SS_WINDOW_PAGES 3
/* Not in the window: a page of the built-in firmware's read-only part, its "kernel". */
#define SS_PAGE_KERNEL 3
#define SS_PAGE_UNKNOWN 0xff /* for operations that name no region */
#define SS_VIEW_TAG 0x7a67000000000000
#define SS_WINDOW_SHARED_VALUE 0x7368617265640000
#define SS_WINDOW_PRIVATE_VALUE 0x7072697661746500
#define SS_PAGE_KERNEL_VALUE 0x6b65726e656c0000

/*
 * Requests through SS_PORT_CONTROL: X(NAME, number, json key, "arguments and results").
 * `status` becomes 0 or a negative errno; what is not named as a result stays as it was.
 */
#define SS_REQUESTS(X)                                                                             \
	X(HELLO, 1, hello, "arg0 = SS_ABI_VERSION; ret0 = the VMM's version")                      \
	X(BATCH_BEGIN, 2, batch_begin, "arg0 = operation, arg1 = repetitions")                     \
	X(BATCH_END, 3, batch_end, "arg0 = operation")                                             \
	X(VMFUNC, 4, vmfunc, "arg = EAX, ECX, RDX, RBX; ret0 = SS_VMFUNC_*, ret1 = RAX")           \
	X(NULL_SERVICE, 5, null_service, "nothing: what a service through a port costs")           \
	X(INTERRUPT, 6, interrupt, "arg0 = vector, arg1 = how many HLTs shall raise it")    \
	X(FATAL, 7, fatal, "arg0 = vector, arg1 = RIP, arg2 = error code, arg3 = CR2")             \
	X(LOG, 8, log, "arg0 = address of text, arg1 = length, at most SS_LOG_MAX")                \
	X(RESULT, 9, result, "arg0 = operation; its struct ss_result is in the vCPU page")         \
	X(SETUP, 10, setup, "arg0 = operation whose masks and list to put in place; 0: none")      \
	X(PROGRAM, 11, program, "the last program's results are there; ret0 = 1: the next one is") \
	X(RAISE, 12, raise, "arg0 = vector that is raised on this vCPU, as by a device")

#define SS_LOG_MAX 1024

/*
 * How the virtual interrupts of a vector are handled, for each vCPU by itself: X(NAME, "what becomes of
 * one that is raised"). A vCPU starts with all vectors delivered.
 */
#define SS_DISPOSITIONS(X)                                                                         \
	X(DELIVER, "injected as soon as the guest can take it")                                    \
	X(HOLD, "kept pending; delivered, once, when the vector is set to be delivered again")     \
	X(DROP, "discarded, and so is one that is pending already")

/*
 * Hypercalls by VMCALL or VMMCALL, where a monitor is in front of the VMM (SS_CONTEXT_MONITOR):
 * X(NAME, RAX, "what it does"). RAX becomes 0 or a negative errno; any other number is -ENOSYS.
 */
#define SS_HYPERCALLS(X)                                                                           \
	X(NULL, 0x53530000, "nothing, answered by the monitor")                                    \
	X(VIEW, 0x53530002, "makes view RCX active; done by the monitor")                          \
	X(NULL_VMM, 0x53530003, "nothing, answered by the VMM")                                    \
	X(REQUEST, 0x53530004, "performs the request at address RDI, as the control port does")     \
	X(YIELD, 0x53530005, "lets the next guest of the vCPU run; done by the monitor")

/* In `cpl` of SS_REQUEST_VMFUNC, beside the CPL: the mode of the caller. Neither: 64-bit mode. */
#define SS_CALLER_PROTECTED 0x100 /* protected mode, or compatibility mode */
#define SS_CALLER_REAL 0x200      /* real-address or virtual-8086 mode */

/* ret0 of SS_REQUEST_VMFUNC: step over the instruction, or let the guest see an exception. */
#define SS_VMFUNC_STEP 0
#define SS_VMFUNC_UD 1 /* #UD */
#define SS_VMFUNC_GP 2 /* #GP, error code 0 */

/*
 * Services that the VMM configures for a guest, invoked by VMFUNC with the number in EAX and the index
 * in ECX: X(NAME, number, key, usual callers, "arguments; what it does"). The numbers are below 64, as
 * those of VM functions; 0 is the processor's own. RAX becomes 0 or a negative errno. A service that is
 * not enabled is #UD, one that is not for the caller #GP(0); or, where the VMM wants to know of them, an
 * exit to the VMM, and then -ENOSYS or -EPERM in RAX.
 */
#define SS_SERVICES(X)                                                                             \
	X(VIEW, 0, view, ANY, "ECX = view; makes it active")                                       \
	X(MAP, 1, map, KERNEL,                                                                     \
	  "ECX = region, RDX = view, RBX = SS_RIGHT_*; sets the rights of the region there")       \
	X(INTERRUPT, 2, interrupt, CPL0,                                                           \
	  "ECX = vector, RDX = SS_INTERRUPT_*; sets how its interrupts are handled on this vCPU")  \
	X(PIN, 3, pin, CPL0,                                                                       \
	  "ECX = SS_RIGHT_* of devices, RDX = address, RBX = bytes; pins them, RAX = handle")      \
	X(UNPIN, 4, unpin, CPL0, "ECX = handle; gives the buffer back")

/* Usual callers of a service. */
#define SS_PRIVILEGE_ANY 0
#define SS_PRIVILEGE_CPL0 1
#define SS_PRIVILEGE_HOME 2 /* in view 0 */
#define SS_PRIVILEGE_KERNEL (SS_PRIVILEGE_CPL0 | SS_PRIVILEGE_HOME)

/* In ECX: index and arguments are in memory, in a struct ss_service_args whose guest-physical address
 * is in RDX. For service 0 too: to the processor that is no index of its list. */
#define SS_SERVICE_IN_MEMORY 0xffffffff

/* Rights of a region in a view; none: it is not there. */
#define SS_RIGHT_READ 1
#define SS_RIGHT_WRITE 2
#define SS_RIGHT_EXECUTE 4

/*
 * What an operation is, for the reference model: X(NAME, json key, "meaning of cr0 and arg").
 * `cr0` of an operation is always the set of CR0 flags that are loaded before it starts; masks, and `shadow`,
 * are those of the register that the operation is about: of CR4 if the kind says so, else of CR0.
 */
#define SS_OPERATION_KINDS(X)                                                                      \
	X(NOTHING, nothing, "the empty loop")                                                      \
	X(CR0_WRITE, cr0_write, "arg = flags that each repetition inverts")                        \
	X(CR0_READ, cr0_read, "no arg")                                                            \
	X(CR4_READ, cr4_read, "no arg")                                                            \
	X(FPU, fpu, "no arg")                                                                      \
	X(VMFUNC, vmfunc, "arg = leaf << 32 | index")                                              \
	X(HYPERCALL, hypercall, "no arg")                                                          \
	X(CPUID, cpuid, "no arg")                                                                  \
	X(RDTSC, rdtsc, "no arg")                                                                  \
	X(RDMSR, rdmsr, "no arg")                                                                  \
	X(INVLPG, invlpg, "no arg")                                                                \
	X(WBINVD, wbinvd, "no arg")                                                                \
	X(PORT, port, "no arg")                                                                    \
	X(MMIO, mmio, "no arg")                                                                    \
	X(HLT, hlt, "arg = interrupt vector that is pending")                                      \
	X(SERVICE, service, "arg = request")                                                       \
	X(HYPERCALL_SERVICE, hypercall_service, "arg = enum ss_hypercall")                         \
	X(VIEW_ACCESS, view_access, "arg = view << 8 | page")                                      \
	X(FAULT, fault, "arg = vector")                                                            \
	X(MAP, map, "arg = rights << 16 | view << 8 | page; what they are before is put back")     \
	X(INTERRUPT, interrupt, "arg = enum ss_disposition << 8 | vector")                         \
	X(PIN, pin, "arg = SS_RIGHT_* << 16 | view << 8 | page of the window, or SS_PIN_*")        \
	X(DISK, disk, "arg = enum ss_disk_command, with SS_DISK_UNPINNED, SS_DISK_INTERRUPT")       \
	X(CR4_WRITE, cr4_write, "arg = flags that each repetition inverts")

/* What an operation of kind PIN pins, other than a page of the window. */
#define SS_PIN_OWN 0x10     /* a page of the vCPU's own */
#define SS_PIN_ODD 0x11     /* parts of two pages */
#define SS_PIN_OUTSIDE 0x12 /* where there is no memory */

/* Of kind DISK. */
#define SS_DISK_UNPINNED 0x100  /* the buffer is not pinned */
#define SS_DISK_INTERRUPT 0x200 /* the disk interrupts, and the outcome is how often */
#define SS_DISK_INTERRUPT_VECTOR 0x51
#define SS_DISK_PATTERN 0x6469736b00000000

/* The instruction under test: X(NAME, "mnemonic"). */
#define SS_INSTRUCTIONS(X)                                                                         \
	X(NONE, "-")                                                                               \
	X(MOV, "mov")                                                                              \
	X(CLTS, "clts")                                                                            \
	X(LMSW, "lmsw")                                                                            \
	X(SMSW, "smsw")                                                                            \
	X(FXSAVE, "fxsave")                                                                        \
	X(WAIT, "wait")                                                                            \
	X(VMFUNC, "vmfunc")                                                                        \
	X(VMCALL, "vmcall")                                                                        \
	X(VMMCALL, "vmmcall")                                                                      \
	X(IN, "in")                                                                                \
	X(OUT, "out")                                                                              \
	X(LOAD, "load")                                                                            \
	X(STORE, "store")                                                                          \
	X(CALL, "call")                                                                            \
	X(CPUID, "cpuid")                                                                          \
	X(RDTSC, "rdtsc")                                                                          \
	X(RDMSR, "rdmsr")                                                                          \
	X(WRMSR, "wrmsr")                                                                          \
	X(INVLPG, "invlpg")                                                                        \
	X(WBINVD, "wbinvd")                                                                        \
	X(HLT, "hlt")                                                                              \
	X(UD2, "ud2")

/*
 * How it is written down who owns the flags of a control register and which of them are kept in the shadow
 * location: X(NAME, "key", function prefix, "meaning"). All decide the same; they differ in what they can
 * say, and in which words a decision reads. A pair has two bits for each of flags 31:0: bit 2n says that
 * the guest owns flag n, bit 2n + 1 that flag n is kept.
 */
#define SS_EMBODIMENTS(X)                                                                          \
	X(TWO_WORDS, "two-words", two_words, "owned flags in one word, kept flags in another")     \
	X(ONE_WORD, "one-word", one_word, "one word with a pair of bits for each flag")            \
	X(SINGLE_MASK, "single-mask", single_mask, "one word of owned flags; all others are kept") \
	X(OWNED_FIRST, "owned-first", owned_first,                                                 \
	  "two words, the second read only for flags that are not owned")                          \
	X(SHADOW_FIRST, "shadow-first", shadow_first,                                              \
	  "two words, the first read only for writes of flags that are not kept")

/* Operation flags. */
#define SS_OP_CPL3 0x1   /* the instruction runs at CPL 3 */
#define SS_OP_ROTATE 0x2 /* VMFUNC: alternate between the index and the next view after it */
#define SS_OP_PAIR 0x4   /* two steps: set by MOV, then the instruction; or there and back */
#define SS_OP_ENLIGHTENED 0x10 /* the guest consults struct ss_flag_words; no mask is put in place */
#define SS_OP_TRAP 0x40 /* the VMM carries out every write of a masked flag, also of a kept one */
#define SS_OP_FPU 0x80  /* CR0_WRITE: the flags are inverted and put back, with FXSAVE after each write */
#define SS_OP_IN_MEMORY 0x20 /* MAP: by SS_SERVICE_IN_MEMORY */
#define SS_OP_CYCLE 0x8  /* VMFUNC: through as many views as arg's low half says */

/*
 * What the VMM changes before an operation and puts back afterwards: X(NAME, json key, "meaning").
 */
#define SS_SETUPS(X)                                                                               \
	X(NONE, none, "nothing")                                                                   \
	X(LIST_EMPTY, list_empty, "the list entry of the operation's index is 0")                  \
	X(LIST_RESERVED, list_reserved, "that entry has a reserved bit set")                       \
	X(LIST_MEMTYPE, list_memtype, "that entry names a reserved memory type")                   \
	X(LIST_WALK, list_walk, "that entry names a page-walk length of 1")                        \
	X(LEAF_OFF, leaf_off, "the service of that number is not enabled")                                     \
	X(VMFUNC_OFF, vmfunc_off, "VM functions are not enabled at all")                           \
	X(LIST_UNBACKED, list_unbacked, "the list lies where there is no memory")                  \
	X(LEAF_OFF_EXIT, leaf_off_exit, "the service of that number is not enabled, which exits")  \
	X(LEAF_EXIT, leaf_exit, "the service of that number exits if it is not for the caller")    \
	X(MSR, msr, "WRMSR of a number of ours reaches the monitor, which on Intel it always does") \
	X(VE, ve, "what a view forbids is #VE, without an exit, where the view says so")

/* Name of the ELF section that holds the catalogue: an array of struct ss_operation. */
#define SS_OPERATION_SECTION ".sidestep.operations"

/* Flags of the context area. */
#define SS_CONTEXT_MONITOR 0x1 /* hypercalls are answered, and VMFUNC is no concern of #UD */
#define SS_CONTEXT_VMMCALL 0x2 /* hypercalls are made by VMMCALL, not VMCALL */

#define SS_CONTEXT_ENLIGHTENED 0x8 /* CR0 flags shall be written by way of struct ss_flag_words */
#define SS_CONTEXT_PROGRAMS 0x4 /* run programs of CR0 or CR4 accesses, not the catalogue */
#define SS_CONTEXT_WORKLOAD 0x10 /* perform the selected operations again and again, for ever */

/* Accesses in a program at most. */
#define SS_PROGRAM_STEPS 64

/* Kinds of access, and what is known of one that a view forbids. */
#define SS_ACCESS_READ 1
#define SS_ACCESS_WRITE 2
#define SS_ACCESS_FETCH 4
#define SS_VIOLATION_GVA_KNOWN 1

#define SS_MAX_OPERATIONS 256
#define SS_MAX_SAMPLES 128
#define SS_EARLY 3
#define SS_EARLY_BITS 10 /* of each, from the lowest on */
#define SS_EARLY_TOLD 0x200u
#define SS_EARLY_FAULT 0x100u
#define SS_EARLY_VALUE 0xffu
#define SS_NO_VECTOR 0xff

#ifndef __ASSEMBLER__
#include <stdint.h>

enum ss_request_number {
	SS_REQUEST_INVALID,
#define X(name, number, key, text) SS_REQUEST_##name = number,
	SS_REQUESTS(X)
#undef X
};

enum ss_service_number {
#define X(name, number, key, privilege, text) SS_SERVICE_##name = number,
	SS_SERVICES(X)
#undef X
};

enum ss_operation_kind {
	SS_KIND_INVALID,
#define X(name, key, text) SS_KIND_##name,
	SS_OPERATION_KINDS(X)
#undef X
	SS_KIND_COUNT
};

enum ss_setup {
#define X(name, key, text) SS_SETUP_##name,
	SS_SETUPS(X)
#undef X
	SS_SETUP_COUNT
};

enum ss_embodiment {
	SS_EMBODIMENT_INVALID,
#define X(name, key, function, text) SS_EMBODIMENT_##name,
	SS_EMBODIMENTS(X)
#undef X
	SS_EMBODIMENT_COUNT
};

enum ss_disposition {
	SS_INTERRUPT_INVALID,
#define X(name, text) SS_INTERRUPT_##name,
	SS_DISPOSITIONS(X)
#undef X
	SS_INTERRUPT_COUNT
};

enum ss_disk_register {
#define X(name, number, access, text) SS_DISK_REG_##name = (number),
	SS_DISK_REGISTERS(X)
#undef X
	SS_DISK_REGISTER_COUNT
};

enum ss_disk_command {
	SS_DISK_COMMAND_INVALID,
#define X(name, number, text) SS_DISK_COMMAND_##name = (number),
	SS_DISK_COMMANDS(X)
#undef X
};

enum ss_disk_status {
#define X(name, text) SS_DISK_STATUS_##name,
	SS_DISK_STATUSES(X)
#undef X
	SS_DISK_STATUS_COUNT
};

enum ss_hypercall {
#define X(name, number, text) SS_HYPERCALL_##name = (number),
	SS_HYPERCALLS(X)
#undef X
};

enum ss_instruction {
	SS_INSN_INVALID,
#define X(name, text) SS_INSN_##name,
	SS_INSTRUCTIONS(X)
#undef X
	SS_INSN_COUNT
};

/* One entry of the catalogue: read by the VMM from the image, never from guest memory. */
struct ss_operation {
	char name[40];     /* unique, NUL-terminated: a-z 0-9 . - */
	char needs[24];    /* words separated by spaces, see docs/guest-abi.md; empty: nothing */
	char meaning[96];  /* one line for people */
	uint64_t entry;    /* guest address of the routine, for the guest itself */
	uint64_t end;      /* first guest address after it, for attribution by RIP */
	uint64_t arg;      /* operand, by kind */
	uint32_t kind;     /* enum ss_operation_kind */
	uint32_t insn;     /* enum ss_instruction */
	uint32_t cr0;      /* CR0 flags loaded before the operation, beyond SS_CR0_BASE */
	uint32_t count;    /* repetitions unless the context area says otherwise */
	uint32_t flags;    /* SS_OP_* */
	uint32_t setup;    /* enum ss_setup */
	uint32_t masked;   /* CR0 flags that the guest does not own: the guest/host mask */
	uint32_t kept;     /* of these, the ones that the monitor keeps in the shadow */
	uint32_t shadow;   /* initial value of the shadow; counts for masked flags */
	uint32_t compared; /* number of the operation whose cost it is compared with; 0: none */
};

/* What the guest says it is doing. Stored without an exit; 0 means nothing under test. Operations
 * are numbered from 1 in the order of the catalogue. */
struct ss_marker {
	uint32_t operation;
	uint32_t sequence; /* increases with every change of `operation` */
};

struct ss_request {
	uint32_t size;   /* sizeof(struct ss_request) */
	uint32_t number; /* enum ss_request_number */
	int32_t status;  /* result: 0 or negative errno */
	uint32_t cpl;    /* of VMFUNC: where the instruction was executed, with SS_CALLER_*; else 0 */
	uint64_t arg[4];
	uint64_t ret[2];
};

/* Parameters of a service in memory: what ECX, RDX and RBX hold otherwise. */
struct ss_service_args {
	uint32_t size; /* sizeof(struct ss_service_args) */
	uint32_t index;
	uint64_t arg[2];
};

/* Outcome of one operation, filled by the guest before SS_REQUEST_RESULT. */
struct ss_result {
	uint32_t operation;
	uint32_t count;       /* repetitions done */
	uint32_t faults;      /* repetitions that raised an exception */
	uint32_t vector;      /* the exception, or SS_NO_VECTOR */
	uint64_t error_code;  /* of the last exception */
	uint64_t value;       /* what the operation yielded, by kind */
	uint32_t sample_size; /* repetitions per sample */
	uint32_t samples;     /* how many entries of `ticks` count */
	uint32_t overhead;    /* ticks of a sample with no repetition, to subtract */
	uint32_t early;       /* ss_early() of each of SS_EARLY repetitions that were performed one at a time
				 before those that count; 0: not told */
	uint32_t ticks[SS_MAX_SAMPLES]; /* TSC ticks of each sample, saturated */
};

/* What a repetition has yielded, in SS_EARLY_BITS: whether it raised an exception, and a value, in which one bit that
 * differs always shows. */
static inline uint32_t ss_early(uint64_t value, int faulted)
{
	uint32_t folded = 0;

	for (; value; value >>= 8)
		folded ^= value & SS_EARLY_VALUE;
	return SS_EARLY_TOLD | (faulted ? SS_EARLY_FAULT : 0) | folded;
}

/* Words by which a guest that knows of them writes CR0 flags without an exit: a flag it owns goes to
 * the register, one that is kept goes to `shadow`, for any other it executes the instruction and the
 * VMM decides. A read gives `shadow` for kept flags and `value` for the rest. The VMM fills them in
 * before control passes to the guest, and at SS_REQUEST_SETUP. */
struct ss_flag_words {
	uint64_t embodiment; /* enum ss_embodiment: what the words mean */
	uint64_t words[2];
	uint64_t shadow;
	uint64_t value; /* of the register: the guest's own note, to save a read */
};

/* One access: SS_INSN_MOV writes SS_CR0_BASE or SS_CR4_BASE with the flags in `operand` and one bit more inverted,
 * SS_INSN_LOAD reads by MOV; CLTS, LMSW, SMSW and FXSAVE are what they are called. */
struct ss_step {
	uint8_t insn;
	uint8_t inverted; /* the number of that bit, plus 1; 0: none */
	uint16_t operand; /* flags: of CR0 in bits 3:0, of CR4 in bits 8, 3 and 2 */
};

/* A program, put there by the VMM, with the masks in place; and what the guest saw, by the guest. */
struct ss_program {
	uint32_t count;                  /* of steps */
	uint32_t start;                  /* flags that are loaded before it */
	uint32_t masked, kept, shadow;   /* as of struct ss_operation */
	uint32_t cr;                     /* the register that all this is about, 0 or 4 */
	struct ss_step steps[SS_PROGRAM_STEPS];
	uint64_t seen[SS_PROGRAM_STEPS]; /* what each step read, or the exception it raised; else 0 */
};

/* Why the last #PF that stands for a violation was raised, written by the VMM before the guest sees it:
 * what the guest's page tables allow and the active view does not. */
struct ss_violation {
	uint32_t sequence; /* increases with every one */
	uint32_t view;     /* that was active */
	uint32_t access;   /* SS_ACCESS_* */
	uint32_t flags;    /* SS_VIOLATION_* */
	uint64_t gpa;
	uint64_t gva;      /* CR2 has the same; 0 if not known */
};

/* Where the processor says what a #VE is about (Intel SDM vol. 3C, 25.5.7.2): at the start of a page for each vCPU, at
 * ss_context.ve_gpa. While `busy` is not 0 no violation is #VE; whoever handles one clears it. */
struct ss_ve {
	uint32_t reason; /* 48, EPT violation */
	uint32_t busy;   /* all ones, from the processor */
	uint64_t qualification;
	uint64_t gva;
	uint64_t gpa;
	uint16_t view;
};

/* One page per vCPU, shared by that vCPU and the VMM. */
struct ss_vcpu_page {
	struct ss_marker marker;
	uint64_t done; /* set by a vCPU that has finished, for its siblings */
	struct ss_request request;
	struct ss_result result;
	struct ss_flag_words cr0;
	struct ss_program program;
	struct ss_violation violation;
};

/* How often an operation of a workload is performed, by each vCPU. */
struct ss_pace {
	uint32_t count;     /* repetitions at a time */
	uint32_t period_us; /* from one such batch to the next; 0: as soon as all others had theirs */
};

/* The table of services, as --services gives it: bit n of each word is about service n. A copy, for the guest to
 * know what it may ask for: what decides is the VMM's, out of the guest's reach. */
struct ss_service_words {
	uint64_t enabled;
	uint64_t cpl0;      /* at CPL 0 only */
	uint64_t home;      /* in view 0 only */
	uint64_t mode64;    /* in 64-bit mode only */
	uint64_t protected; /* not in real-address or virtual-8086 mode */
	uint64_t exits;     /* if not enabled or not permitted: an exit to the VMM, not an exception */
};

/* One page per VM, filled by the VMM before entry. What later versions add comes last: `size` tells. */
struct ss_context {
	uint64_t magic;
	uint32_t version;
	uint32_t size; /* sizeof(struct ss_context) */
	uint32_t vcpu_count;
	uint32_t vm_index;
	uint64_t vcpu_page_gpa; /* page of vCPU n is at vcpu_page_gpa + 4096 * n */
	uint64_t memory_size;   /* bytes of guest memory */
	uint64_t window_gpa;    /* SS_WINDOW_PAGES pages that differ between views */
	uint32_t view_count;
	uint32_t iterations; /* repetitions of every operation; 0: as the catalogue says */
	uint32_t flags;      /* SS_CONTEXT_* */
	uint32_t reserved;
	uint64_t selected[SS_MAX_OPERATIONS / 64]; /* bit n - 1: perform operation n */
	uint64_t tsc_khz; /* frequency of the time stamp counter; 0: not known */
	struct ss_pace workload[SS_MAX_OPERATIONS]; /* of operation n at n - 1; SS_CONTEXT_WORKLOAD */
	struct ss_service_words services;
	uint64_t ve_gpa; /* struct ss_ve of vCPU n is at ve_gpa + 4096 * n; 0: no violation is #VE here */
};

#ifdef __STDC_VERSION__
_Static_assert(sizeof(struct ss_operation) == 224, "ABI");
_Static_assert(sizeof(struct ss_request) == 64, "ABI");
_Static_assert(sizeof(struct ss_service_args) == 24, "ABI");
_Static_assert(sizeof(struct ss_result) == 48 + 4 * SS_MAX_SAMPLES, "ABI");
_Static_assert(sizeof(struct ss_flag_words) == 40, "ABI");
_Static_assert(sizeof(struct ss_step) == 4, "ABI");
_Static_assert(sizeof(struct ss_program) == 24 + 12 * SS_PROGRAM_STEPS, "ABI");
_Static_assert(sizeof(struct ss_violation) == 32, "ABI");
_Static_assert(sizeof(struct ss_ve) == 40, "ABI");
_Static_assert(sizeof(struct ss_vcpu_page) <= 4096, "ABI");
_Static_assert(sizeof(struct ss_context) == 160 + 8 * SS_MAX_OPERATIONS, "ABI");
_Static_assert(sizeof(struct ss_context) <= 4096, "ABI");
#endif

#endif /* __ASSEMBLER__ */
#endif
