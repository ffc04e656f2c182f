/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/vmx_caps.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define BASIC_REVISION 0x7fffffffu
#define BASIC_TRUE_CONTROLS (UINT64_C(1) << 55)
#define VMFUNC_EPTP_SWITCHING 1u

static const uint32_t indices[] = {
#define X(name, index) index,
	VMX_CAPABILITY_MSRS(X)
#undef X
};
#define MSR_COUNT (sizeof(indices) / sizeof(indices[0]))

static const struct {
	enum vmx_control_word word;
	uint32_t bit;
	bool needed;
	const char *text;
} controls[] = {
#define X(name, word, bit, needed, text) {VMX_WORD_##word, 1u << (bit), needed, text},
	VMX_CONTROLS(X)
#undef X
};

static uint64_t control_msr(const struct vmx_caps *caps, enum vmx_control_word word)
{
	const uint64_t values[VMX_WORD_COUNT] = {
		[VMX_WORD_pin] = caps->pin,
		[VMX_WORD_primary] = caps->primary,
		[VMX_WORD_secondary] = caps->secondary,
		[VMX_WORD_exit] = caps->exit,
		[VMX_WORD_entry] = caps->entry,
	};

	return values[word];
}

uint32_t vmx_allowed0(const struct vmx_caps *caps, enum vmx_control_word word)
{
	return (uint32_t)control_msr(caps, word);
}

uint32_t vmx_allowed1(const struct vmx_caps *caps, enum vmx_control_word word)
{
	return (uint32_t)(control_msr(caps, word) >> 32);
}

static int compute_controls(struct vmx_caps *caps, char *reason, size_t size)
{
	for (int word = 0; word < VMX_WORD_COUNT; word++)
		caps->controls[word] = vmx_allowed0(caps, (enum vmx_control_word)word);
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		if (vmx_allowed1(caps, controls[i].word) & controls[i].bit) {
			caps->controls[controls[i].word] |= controls[i].bit;
		} else if (controls[i].needed) {
			snprintf(reason, size, "nested VMX without the control \"%s\"",
				 controls[i].text);
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

int vmx_caps_compute(struct vmx_caps *caps, char *reason, size_t size)
{
	if (!(caps->basic & BASIC_TRUE_CONTROLS)) {
		snprintf(reason, size, "nested VMX without the TRUE control MSRs");
		return -EOPNOTSUPP;
	}
	/* KVM numbers the layout of its vmcs12 here (arch/x86/kvm/vmx/nested.c). */
	if ((caps->basic & BASIC_REVISION) != VMCS12_REVISION) {
		snprintf(reason, size, "its vmcs12 has revision 0x%x, this program knows 0x%x",
			 (unsigned)(caps->basic & BASIC_REVISION), VMCS12_REVISION);
		return -EPROTO;
	}
	if (compute_controls(caps, reason, size) != 0)
		return -EOPNOTSUPP;
	if (!(caps->vmfunc & VMFUNC_EPTP_SWITCHING)) {
		snprintf(reason, size, "nested VMX without VM function 0, EPTP switching");
		return -EOPNOTSUPP;
	}
	if (paging_caps_from_ept_msr(caps->ept_vpid, caps->maxphyaddr, &caps->paging) != 0) {
		snprintf(reason, size, "nested EPT without 4-level walks or write-back tables");
		return -EOPNOTSUPP;
	}
	return 0;
}

int vmx_caps_read(int fd, uint8_t maxphyaddr, struct vmx_caps *caps, char *reason, size_t size)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entries[MSR_COUNT];
	} *msrs = calloc(1, sizeof(*msrs));
	uint64_t values[MSR_COUNT];
	int read;

	if (!msrs) {
		snprintf(reason, size, "out of memory");
		return -ENOMEM;
	}
	msrs->header.nmsrs = MSR_COUNT;
	for (size_t i = 0; i < MSR_COUNT; i++)
		msrs->entries[i].index = indices[i];
	read = ioctl(fd, KVM_GET_MSRS, msrs);
	for (size_t i = 0; i < MSR_COUNT; i++)
		values[i] = msrs->entries[i].data;
	free(msrs);
	if (read != (int)MSR_COUNT) {
		snprintf(reason, size, "no nested VMX (capability MSR 0x%x cannot be read)",
			 indices[read < 0 ? 0 : read]);
		return -EOPNOTSUPP;
	}
	*caps = (struct vmx_caps){.maxphyaddr = maxphyaddr};
	read = 0;
#define X(name, index) caps->name = values[read++];
	VMX_CAPABILITY_MSRS(X)
#undef X
	return vmx_caps_compute(caps, reason, size);
}

/* Walks of four levels, write-back tables, pages of 2 MiB (Intel SDM vol. 3D, A.10). */
#define EPT_ASSUMED UINT64_C(0x14040)

void vmx_caps_assume(uint8_t maxphyaddr, struct vmx_caps *caps)
{
	char reason[160];

	*caps = (struct vmx_caps){
		.maxphyaddr = maxphyaddr,
		.basic = BASIC_TRUE_CONTROLS | VMCS12_REVISION,
		.cr0_fixed1 = UINT64_MAX,
		.cr4_fixed1 = UINT64_MAX,
		.ept_vpid = EPT_ASSUMED,
		.vmfunc = VMFUNC_EPTP_SWITCHING,
	};
#define X(name, word, bit, needed, text) caps->word |= UINT64_C(1) << (32 + (bit));
	VMX_CONTROLS(X)
#undef X
	vmx_caps_compute(caps, reason, sizeof(reason));
}
