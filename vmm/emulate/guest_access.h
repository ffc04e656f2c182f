/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory on behalf of a guest. Whatever the VMM reads or writes because code of a guest has asked it
 * to, by an address that this code has chosen, goes through here: the view that is active for that code
 * has to grant the right, and the code must run at CPL 0 if the address is a guest-physical one, which
 * page tables do not protect. What guest_ram.h has is for memory that the VMM itself owns, by
 * guestfw/abi.h; tests/unit/emulate/guest_memory.sh knows who may use it.
 */
#ifndef VMM_EMULATE_GUEST_ACCESS_H
#define VMM_EMULATE_GUEST_ACCESS_H

#include <string.h>

#include "vmm/vm/vm.h"

/* For whom. */
struct guest_access {
	struct vcpu *vcpu; /* vm->active, that is with the VM's lock held */
	unsigned cpl;      /* of the code that asks */
	unsigned rights;   /* VIEW_READ, VIEW_WRITE: all that are needed */
};

/* Where the bytes are: in one piece of the host's memory, or in two. Once it is found it stays good
 * for the exit, also if the guest switches to another view by what it asks for. */
struct guest_span {
	uint8_t *part[2];
	size_t size[2];
};

/*
 * Finds up to a page of memory by guest-physical address. Returns 0; -EPERM: the code does not run at CPL
 * 0; -EFAULT: not all of it is memory; -EACCES: the active view withholds it, which has been recorded as
 * a violation, and has ended the VM with --on-violation stop.
 */
int guest_access(const struct guest_access *access, uint64_t gpa, size_t size,
		 struct guest_span *ret_span);

/* For a span in two parts: copies out to `read`, or in from `write`. */
void guest_span_split(const struct guest_span *span, size_t offset, void *read, const void *write,
		      size_t size);

/* Copies from or to a span, from `offset` on; the caller knows that it is long enough. */
static inline void guest_span_read(const struct guest_span *span, size_t offset, void *data, size_t size)
{
	if (offset + size <= span->size[0])
		memcpy(data, span->part[0] + offset, size);
	else
		guest_span_split(span, offset, data, NULL, size);
}

static inline void guest_span_write(const struct guest_span *span, size_t offset, const void *data,
				    size_t size)
{
	if (offset + size <= span->size[0])
		memcpy(span->part[0] + offset, data, size);
	else
		guest_span_split(span, offset, NULL, data, size);
}

/* Both at once. */
int guest_access_read(const struct guest_access *access, uint64_t gpa, void *data, size_t size);
int guest_access_write(const struct guest_access *access, uint64_t gpa, const void *data, size_t size);

/* Memory that a device uses in place, of any size: the view must show the pages themselves too, as a device
 * knows no view. Results as above. */
int guest_access_device(const struct guest_access *access, uint64_t gpa, uint64_t size,
			uint8_t **ret_memory);

/* The same for an access of an instruction, whose page tables have been walked: no privilege is asked for,
 * nothing recorded. Returns 0, -EFAULT or -EACCES. */
int guest_access_through(const struct vm *vm, uint32_t view, gpa_t gpa, size_t size, unsigned rights,
			 struct guest_span *ret_span);

/*
 * CPL of code that has written a port. It is asked for where code outside CPL 0 can have done so: RFLAGS.IOPL
 * is 3, or the guest has a task register of its own, since the TSS that it starts with is too short for a
 * bitmap of ports (vm->own_tss). Asking takes as long as the exit itself.
 */
unsigned guest_access_port_cpl(const struct vcpu *vcpu);

#endif
