/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/host.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "vmm/plan/kvm_device.h"

#define CPUID_ENTRIES_MAX 256
#define CPUID_ADDRESS_SIZES 0x80000008
#define CPUID_HYPERVISOR_ECX (1u << 31)
#define CPUID_HYPERVISOR_NAME 0x40000000
#define CPUID_SVM 0x8000000a
#define CPUID_SVM_DECODE_ASSISTS_EDX (1u << 7)
#define CPUID_SVM_ADDRESS_CHECK_EDX (1u << 28)
#define QEMU_TRANSLATOR "TCGTCGTCGTCG"

const char *const host_capability_names[HOST_CAP_COUNT] = {
#define X(name, constant, number, required, use) #constant,
	HOST_CAPABILITIES(X)
#undef X
};

const char *const host_capability_uses[HOST_CAP_COUNT] = {
#define X(name, constant, number, required, use) use,
	HOST_CAPABILITIES(X)
#undef X
};

static const struct {
	int number;
	bool required;
} capability_rows[HOST_CAP_COUNT] = {
#define X(name, constant, number, required, use) {number, required},
	HOST_CAPABILITIES(X)
#undef X
};

static int ask_capabilities(struct host *host, struct error *error)
{
	host->api_version = ioctl(host->kvm, KVM_GET_API_VERSION, 0);
	if (host->api_version < 0)
		return error_set(error, -errno, STATUS_INTERNAL,
				 "%s does not answer KVM_GET_API_VERSION (%s); is it the KVM device?",
				 kvm_device_path(), strerror(errno));
	if (host->api_version != KVM_API_VERSION)
		return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
				 "%s speaks API version %d, needed is %d; use a kernel of 2.6.22 or "
				 "later",
				 kvm_device_path(), host->api_version, KVM_API_VERSION);
	for (int i = 0; i < HOST_CAP_COUNT; i++) {
		int value = ioctl(host->kvm, KVM_CHECK_EXTENSION, capability_rows[i].number);

		host->capability[i] = value < 0 ? 0 : value;
		if (host->capability[i] == 0 && capability_rows[i].required)
			return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
					 "this KVM lacks %s, needed for %s; use a newer kernel",
					 host_capability_names[i], host_capability_uses[i]);
	}
	return 0;
}

static int ask_cpuid(struct host *host, struct error *error)
{
	const struct kvm_cpuid_entry2 *first;

	host->cpuid = calloc(1, sizeof(*host->cpuid) +
					CPUID_ENTRIES_MAX * sizeof(host->cpuid->entries[0]));
	if (!host->cpuid)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	host->cpuid->nent = CPUID_ENTRIES_MAX;
	if (ioctl(host->kvm, KVM_GET_SUPPORTED_CPUID, host->cpuid) != 0)
		return error_set(error, -errno, STATUS_INTERNAL, "KVM_GET_SUPPORTED_CPUID: %s",
				 strerror(errno));
	first = cpuid_leaf(host->cpuid, 0, 0);
	memcpy(host->vendor, &first->ebx, 4);
	memcpy(host->vendor + 4, &first->edx, 4);
	memcpy(host->vendor + 8, &first->ecx, 4);
	return 0;
}

static bool processor_has_svm(void)
{
	uint32_t eax, ebx, ecx, edx;

	return __get_cpuid(CPUID_SVM, &eax, &ebx, &ecx, &edx) && ebx != 0;
}

/* The module that drives the hardware; the CPU's vendor would not tell (a KVM without hardware
 * support runs on any). Where both are built into the kernel, both are there on any processor. */
enum host_backend host_backend_loaded(void)
{
	static const struct {
		const char *path;
		enum host_backend backend;
	} modules[] = {
		{"/sys/module/kvm_pvm", HOST_BACKEND_PVM},
		{"/sys/module/kvm_intel", HOST_BACKEND_VMX},
		{"/sys/module/kvm_amd", HOST_BACKEND_SVM},
	};

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		if (access(modules[i].path, F_OK) == 0 &&
		    !(modules[i].backend == HOST_BACKEND_VMX && processor_has_svm()))
			return modules[i].backend;
	return HOST_BACKEND_UNKNOWN;
}

/* A parameter of the module, which is there and on only where the processor can do it. */
static bool uses(const char *parameter)
{
	FILE *file = fopen(parameter, "re");
	bool on = file && getc(file) == 'Y';

	if (file)
		fclose(file);
	return on;
}

/* Of the processor itself, not of what KVM offers to guests. */
static uint32_t find_traits(void)
{
	uint32_t eax, ebx, ecx, edx, traits = 0;
	char hypervisor[12];

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & CPUID_HYPERVISOR_ECX) {
		__cpuid(CPUID_HYPERVISOR_NAME, eax, ebx, ecx, edx);
		memcpy(hypervisor, &ebx, 4);
		memcpy(hypervisor + 4, &ecx, 4);
		memcpy(hypervisor + 8, &edx, 4);
		if (memcmp(hypervisor, QEMU_TRANSLATOR, sizeof(hypervisor)) == 0)
			traits |= 1u << TRAIT_LMSW_SELECTIVE;
	}
	if (__get_cpuid(CPUID_SVM, &eax, &ebx, &ecx, &edx) && ebx != 0) {
		if (!(edx & CPUID_SVM_ADDRESS_CHECK_EDX))
			traits |= 1u << TRAIT_GP_INTERCEPTED;
		if (edx & CPUID_SVM_DECODE_ASSISTS_EDX)
			traits |= 1u << TRAIT_DECODE_ASSISTS;
	}
	if (uses("/sys/module/kvm_intel/parameters/enable_shadow_vmcs"))
		traits |= 1u << TRAIT_VMCS_SHADOWING;
	if (uses("/sys/module/kvm_intel/parameters/preemption_timer"))
		traits |= 1u << TRAIT_PREEMPTION_TIMER;
	return traits;
}

int host_open(struct host *host, struct error *error)
{
	long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
	struct utsname name;
	int rc;

	*host = (struct host){.kvm = kvm_device_open(error)};
	if (host->kvm < 0)
		return host->kvm;
	host->memory = pages > 0 && page_size > 0 ? (uint64_t)pages * (uint64_t)page_size : 0;
	host->backend = host_backend_loaded();
	host->traits = find_traits();
	jail_probe(&host->jail);
	jail_landlock_text(&host->jail, host->landlock);
	if (uname(&name) == 0)
		snprintf(host->kernel, sizeof(host->kernel), "%s", name.release);
	rc = ask_capabilities(host, error);
	if (rc == 0)
		rc = ask_cpuid(host, error);
	if (rc != 0)
		host_close(host);
	return rc;
}

void host_release(struct host *host)
{
	if (host->kvm >= 0)
		close(host->kvm);
	host->kvm = -1;
}

void host_close(struct host *host)
{
	if (host->kvm >= 0)
		close(host->kvm);
	free(host->cpuid);
	*host = (struct host){.kvm = -1};
}

const struct kvm_cpuid_entry2 *cpuid_leaf(const struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t subleaf)
{
	static const struct kvm_cpuid_entry2 none;

	for (uint32_t i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == leaf &&
		    (entry->index == subleaf || !(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return entry;
	}
	return &none;
}

uint8_t host_maxphyaddr(const struct host *host)
{
	uint32_t widths = cpuid_leaf(host->cpuid, CPUID_ADDRESS_SIZES, 0)->eax;

	return widths ? (uint8_t)widths : 36;
}

bool host_has_nested(const struct host *host, bool intel, char *reason, size_t size)
{
	const char *what = intel ? "VMX" : "SVM";

	if (host->capability[HOST_CAP_nested_state] == 0)
		snprintf(reason, size, "no nested %s (KVM_CAP_NESTED_STATE is 0)", what);
	else if (host->capability[HOST_CAP_msr_filter] == 0)
		snprintf(reason, size, "no KVM_CAP_X86_MSR_FILTER; use Linux 5.10 or later");
	else if (!(cpuid_leaf(host->cpuid, intel ? CPUID_VMX_LEAF : CPUID_SVM_LEAF, 0)->ecx &
		   (intel ? CPUID_VMX_ECX : CPUID_SVM_ECX)))
		snprintf(reason, size, "no nested %s (its CPUID bit is not offered to guests)", what);
	else
		return true;
	return false;
}
