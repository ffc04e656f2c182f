/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this host offers: the KVM device, its capabilities, the module behind it, and for everything
 * that is missing the reason in words.
 */
#ifndef VMM_PLAN_HOST_H
#define VMM_PLAN_HOST_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "views/expect.h"
#include "vmm/base/error.h"
#include "vmm/jail/jail.h"

/* Capabilities that sidestep looks at: CAPABILITY(name, constant, number, required, use). Numbers
 * that Debian 12's headers lack are given here. */
#define HOST_CAPABILITIES(X)                                                                       \
	X(user_memory, KVM_CAP_USER_MEMORY, 3, true, "guest memory")                               \
	X(immediate_exit, KVM_CAP_IMMEDIATE_EXIT, 136, true, "ending a run without losing a kick") \
	X(sync_regs, KVM_CAP_SYNC_REGS, 74, true, "RIP of an exit without a system call")          \
	X(readonly_mem, KVM_CAP_READONLY_MEM, 81, true, "read-only pages in a view")               \
	X(disable_quirks2, KVM_CAP_DISABLE_QUIRKS2, 213, false,                                    \
	  "#UD instead of a rewritten hypercall instruction")                                      \
	X(exit_on_emulation_failure, KVM_CAP_EXIT_ON_EMULATION_FAILURE, 204, false,                \
	  "reporting instructions that KVM cannot interpret")                                      \
	X(binary_stats_fd, KVM_CAP_BINARY_STATS_FD, 203, false, "exits seen by the hypervisor")    \
	X(nested_state, KVM_CAP_NESTED_STATE, 157, false, "the engines vmx and svm")               \
	X(user_space_msr, KVM_CAP_X86_USER_SPACE_MSR, 188, false, "the engine svm")                \
	X(msr_filter, KVM_CAP_X86_MSR_FILTER, 189, false, "the engines vmx and svm")               \
	X(nr_memslots, KVM_CAP_NR_MEMSLOTS, 10, false, "regions of guest memory")                  \
	X(max_vcpus, KVM_CAP_MAX_VCPUS, 66, false, "vCPUs of a guest")                             \
	X(irqchip, KVM_CAP_IRQCHIP, 0, false, "the platform pc")                                   \
	X(pit2, KVM_CAP_PIT2, 33, false, "the platform pc")                                        \
	X(irqfd, KVM_CAP_IRQFD, 32, false, "the platform pc")                                      \
	X(tsc_deadline_timer, KVM_CAP_TSC_DEADLINE_TIMER, 72, false, "a timer that follows the TSC, on the platform pc")

enum host_capability {
#define X(name, constant, number, required, use) HOST_CAP_##name,
	HOST_CAPABILITIES(X)
#undef X
	HOST_CAP_COUNT
};

struct host {
	int kvm; /* descriptor of /dev/kvm */
	int api_version;
	int capability[HOST_CAP_COUNT];
	enum host_backend backend;
	uint32_t traits;          /* 1 << enum processor_trait */
	struct kvm_cpuid2 *cpuid; /* what KVM_GET_SUPPORTED_CPUID gives */
	uint64_t memory;          /* bytes of memory of the host */
	char kernel[65];          /* release of the running kernel */
	char vendor[13];          /* CPUID leaf 0 as a guest sees it */
	struct jail_support jail;
	char landlock[80]; /* the same in words */
};

/*
 * Opens the KVM device (kvm_device.h) and asks. Returns 0 or a negative errno with the reason and the remedy in `error`.
 */
int host_open(struct host *host, struct error *error);
void host_close(struct host *host);

/* Which of KVM's modules this host has, without asking KVM. */
enum host_backend host_backend_loaded(void);

/*
 * What a computer image is planned for, without asking this computer anything: a processor of which only that is assumed
 * which the bare monitor asks for when it starts. Returns 0 or -ENOMEM; host_close() is due.
 */
int host_bare(struct host *host, struct error *error);

/* Closes the device: nothing more will be created. What host_open() found out stays. */
void host_release(struct host *host);

/* Whether a guest could use nested virtualization; if not, why, in `reason`. */
bool host_has_nested(const struct host *host, bool intel, char *reason, size_t size);

/* An entry of what KVM offers guests; all zero if there is none. */
const struct kvm_cpuid_entry2 *cpuid_leaf(const struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t subleaf);

/* Width of a guest's physical addresses. */
uint8_t host_maxphyaddr(const struct host *host);

extern const char *const host_capability_names[HOST_CAP_COUNT];
extern const char *const host_capability_uses[HOST_CAP_COUNT];

#endif
