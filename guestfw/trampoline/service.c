/* SPDX-License-Identifier: MIT */
/* The service: what it may use is in its own sections. */
#include "layout.h"

#define SERVICE_TEXT __attribute__((section(".service.text"), noinline))
#define SERVICE_DATA __attribute__((section(".service.data")))

SERVICE_DATA volatile uint64_t service_secret = SERVICE_SECRET;
SERVICE_DATA static volatile uint64_t service_sum = 0;

SERVICE_TEXT uint64_t service_main(uint64_t command, uint64_t argument)
{
	if (command == COMMAND_STEAL)
		*(volatile uint64_t *)argument = 2;
	else
		service_sum += argument;
	return service_sum + service_secret;
}
