/* SPDX-License-Identifier: MIT */
/*
 * The way from main to the parser and back. It is a module of its own, because the instruction behind a switch is
 * fetched in the new view: this code has to be executable in both.
 */
#include "guest.h"
#include "isolated.h"

static uint64_t has_vmfunc;
static struct ss_request gate_request;

void gate_prepare(const struct ss_context *context)
{
	has_vmfunc = context->flags & SS_CONTEXT_MONITOR;
}

/* Returns 0, or a negative errno if there is no such view. Without VMFUNC for this guest the VMM is asked. */
static int64_t switch_view(uint32_t view)
{
	uint64_t rax = 0;

	if (has_vmfunc) {
		__asm__ volatile(".byte 0x0f, 0x01, 0xd4 # vmfunc" : "+a"(rax) : "c"(view) : "memory");
		return (int64_t)rax;
	}
	gate_request = (struct ss_request){.size = sizeof(gate_request), .number = SS_REQUEST_VMFUNC, .arg = {0, view}};
	out32(SS_PORT_CONTROL, (uint32_t)(uint64_t)&gate_request);
	return gate_request.status ? gate_request.status : (int64_t)gate_request.ret[1];
}

uint64_t gate_parse(int64_t *ret_status)
{
	int64_t status = switch_view(VIEW_PARSER);
	uint64_t field = parser_field();

	switch_view(VIEW_MAIN);
	*ret_status = status;
	return field;
}
