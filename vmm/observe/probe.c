/* SPDX-License-Identifier: GPL-2.0-only */
/* Parameters are in registers. */
#define STAP_SDT_ARG_CONSTRAINT r
#include "vmm/observe/probe.h"

const struct probe_row probes[] = {
#define ARGUMENT(name, meaning) {#name, meaning},
#define PROBE(name, meaning, arguments) {#name, meaning, {arguments}},
#include "vmm/observe/probe.def"
#undef PROBE
#undef ARGUMENT
};
const size_t probe_count = sizeof(probes) / sizeof(probes[0]);

void probe_view_switch(uint32_t vcpu, uint32_t level, int32_t from, int32_t to, uint32_t vm)
{
	PROBE_FIRE(view_switch, vcpu, level, from, to, vm);
}

void probe_control_flag_write(uint32_t vcpu, uint32_t level, uint64_t wanted, uint64_t owned,
			      uint32_t vm)
{
	PROBE_FIRE(control_flag_write, vcpu, level, wanted, owned, vm);
}

void probe_operation_begin(uint32_t vcpu, uint32_t operation, const char *name, uint32_t count,
			   uint32_t vm)
{
	PROBE_FIRE(operation_begin, vcpu, operation, name, count, vm);
}

void probe_operation_end(uint32_t vcpu, uint32_t operation, const char *name, uint32_t count,
			 uint32_t vm)
{
	PROBE_FIRE(operation_end, vcpu, operation, name, count, vm);
}
