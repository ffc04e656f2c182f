/* SPDX-License-Identifier: GPL-2.0-only */
#include "views/setup.h"

#define EPTP_RESERVED_BIT (UINT64_C(1) << 8)
#define EPTP_MEMTYPE_MASK UINT64_C(7)
#define EPTP_MEMTYPE_RESERVED UINT64_C(2)
#define EPTP_WALK_MASK UINT64_C(0x38)

static const uint64_t unbacked[EPTP_LIST_ENTRIES];

static uint64_t service_of(const struct ss_operation *op)
{
	const uint32_t number = (uint32_t)(op->arg >> 32);

	return number < SERVICE_NUMBERS ? UINT64_C(1) << number : 0;
}

static void turn_off(const struct ss_operation *op, struct vmfunc_state *state)
{
	state->services.enabled &= ~service_of(op);
	state->function_controls &= state->services.enabled;
}

void setup_apply(const struct ss_operation *op, struct vmfunc_state *state,
		 uint64_t list[EPTP_LIST_ENTRIES])
{
	uint32_t index = (uint32_t)op->arg;
	uint64_t none = 0, *entry = index < EPTP_LIST_ENTRIES ? &list[index] : &none;

	switch (op->setup) {
	case SS_SETUP_LIST_EMPTY:
		*entry = 0;
		break;
	case SS_SETUP_LIST_RESERVED:
		*entry |= EPTP_RESERVED_BIT;
		break;
	case SS_SETUP_LIST_MEMTYPE:
		*entry = (*entry & ~EPTP_MEMTYPE_MASK) | EPTP_MEMTYPE_RESERVED;
		break;
	case SS_SETUP_LIST_WALK:
		*entry &= ~EPTP_WALK_MASK;
		break;
	case SS_SETUP_LEAF_OFF:
		turn_off(op, state);
		break;
	case SS_SETUP_LEAF_OFF_EXIT:
		turn_off(op, state);
		state->services.exits |= service_of(op);
		break;
	case SS_SETUP_LEAF_EXIT:
		state->services.exits |= service_of(op);
		break;
	case SS_SETUP_VMFUNC_OFF:
		state->enabled = false;
		break;
	case SS_SETUP_LIST_UNBACKED:
		state->list = unbacked;
		break;
	default:
		break;
	}
}
