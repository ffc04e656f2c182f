/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports of the guest: what they do, and the instructions that access them. Of a string instruction, INS or OUTS, one
 * exit performs what is in the page of its first element; if that is not all, the guest goes on at the instruction, and
 * exits again.
 */
#include "bare.h"
#include "views/policy.h"

#define SERIAL_LSR 5
#define LSR_EMPTY 0x60
#define RFLAGS_TF 0x100u
#define RFLAGS_DF 0x400u
#define PAGE UINT64_C(4096)
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* Wider accesses of ports of a byte are nobody's. */
static uint64_t read_port(const struct bare_exit *exit)
{
	if (exit->port == SS_PORT_SERIAL + SERIAL_LSR)
		return LSR_EMPTY;
	return exit->port == SS_PORT_DEBUG && exit->size == 1 ? SS_PORT_DEBUG : UINT64_MAX;
}

static void write_guest_port(struct relay_vcpu *vcpu, const struct bare_exit *exit, uint64_t value)
{
	if (exit->port == SS_PORT_CONTROL && exit->size == 4)
		bare_request(vcpu, exit->cpl, (uint32_t)value);
	else if (exit->port == SS_PORT_EXIT && exit->size == 1)
		bare_stop(vcpu, STOP_EXIT, (uint8_t)value, "");
	else if ((exit->port == SS_PORT_DEBUG && exit->size == 1) || exit->port == SS_PORT_SERIAL)
		guest_text((char)value);
}

/* A register of the string instruction after an addition: 16-bit results keep what is above them, 32-bit ones clear it
 * (Intel SDM vol. 1, 3.4.1.1). */
static uint64_t add(uint64_t value, uint64_t addend, unsigned address_size)
{
	const uint64_t mask = bare_address_mask(address_size);

	return (address_size == 2 ? value & ~mask : 0) | ((value + addend) & mask);
}

static unsigned index_register(const struct bare_exit *exit)
{
	return exit->in ? RDI : RSI;
}

/* Of the next element. */
static uint64_t linear_address(const struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	return bare_in_mode(exit, exit->base + (vcpu->regs[index_register(exit)] & bare_address_mask(exit->address_size)));
}

/* A fault leaves the element as it was. */
static int find_pages(struct relay_vcpu *vcpu, const struct bare_exit *exit, uint64_t linear, uint8_t *ret_pages[2])
{
	return bare_linear_pages(vcpu, exit, linear, exit->size, exit->in ? VIEW_WRITE : VIEW_READ, ret_pages);
}

static void move_element(struct relay_vcpu *vcpu, const struct bare_exit *exit, uint8_t *const pages[2],
			 uint64_t offset)
{
	uint64_t value = exit->in ? read_port(exit) : 0;

	for (unsigned i = 0; i < exit->size; i++) {
		uint8_t *byte = bare_byte(pages, offset + i);

		if (exit->in)
			*byte = (uint8_t)(value >> 8 * i);
		else
			value |= (uint64_t)*byte << 8 * i;
	}
	if (!exit->in)
		write_guest_port(vcpu, exit, value);
}

/* Registers say what is left, also when a later element faults. */
static void count_element(struct relay_vcpu *vcpu, const struct bare_exit *exit, uint64_t rflags)
{
	uint64_t *index = &vcpu->regs[index_register(exit)];

	*index = add(*index, rflags & RFLAGS_DF ? -(uint64_t)exit->size : exit->size, exit->address_size);
	if (exit->repeats)
		vcpu->regs[RCX] = add(vcpu->regs[RCX], -UINT64_C(1), exit->address_size);
}

/* Whether another element needs nothing that the first one of the exit did not. A request may change what memory is. */
static int goes_on(const struct bare_exit *exit, uint64_t rflags, uint64_t first, uint64_t next)
{
	return !(rflags & RFLAGS_TF) && exit->port != SS_PORT_CONTROL && first / PAGE == next / PAGE &&
	       next % PAGE + exit->size <= PAGE;
}

static void answer_string(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	const uint64_t rflags = vendor_rflags(vcpu), first = linear_address(vcpu, exit);
	uint64_t count = exit->repeats ? vcpu->regs[RCX] & bare_address_mask(exit->address_size) : 1;
	uint64_t linear = first;
	uint8_t *pages[2];

	vcpu->action = RELAY_STEP;
	if (count == 0 || !find_pages(vcpu, exit, first, pages))
		return;
	do {
		move_element(vcpu, exit, pages, linear % PAGE);
		count_element(vcpu, exit, rflags);
		linear = linear_address(vcpu, exit);
	} while (--count && goes_on(exit, rflags, first, linear));
	if (count == 0)
		return;
	/* A guest that steps has a trap behind every repetition. */
	vcpu->action = rflags & RFLAGS_TF ? RELAY_STEP : RELAY_RESUME;
	vcpu->length = 0;
}

void bare_port(struct relay_vcpu *vcpu, const struct bare_exit *exit)
{
	const uint64_t mask = exit->size == 4 ? UINT32_MAX : (UINT64_C(1) << 8 * exit->size) - 1;

	if (exit->is_string) {
		answer_string(vcpu, exit);
		return;
	}
	vcpu->action = RELAY_STEP;
	if (!exit->in)
		write_guest_port(vcpu, exit, vcpu->regs[RAX]);
	else if (exit->size == 4)
		vcpu->regs[RAX] = (uint32_t)read_port(exit);
	else
		vcpu->regs[RAX] = (vcpu->regs[RAX] & ~mask) | (read_port(exit) & mask);
}
