/* SPDX-License-Identifier: MIT */
/* The module with something to lose. */
#include "isolated.h"

uint64_t vault_key = 0x5ec2e7;

uint64_t vault_sign(uint64_t value)
{
	return value * vault_key;
}
