/* SPDX-License-Identifier: MIT */
/* The kernel's own parts: what it keeps, how it talks to the VMM, and what it demonstrates. */
#ifndef MODULES_KERNEL_H
#define MODULES_KERNEL_H

#include "guest.h"
#include "modules.h"

/* A message of the gate that says what a driver ran into. */
struct fault {
	uint32_t count; /* of all so far */
	uint32_t vector;
	uint64_t error_code, rip, address;
	uint64_t sender; /* view, by the page that shows it */
	uint32_t confirmed; /* the VMM says so too: it is a violation, and in that view */
};

extern struct ss_context *context;
extern struct ss_vcpu_page *page;
extern struct fault last_fault;
extern volatile uint64_t kernel_sum;

#define KERNEL_SECRET 0x736563726574

/* A line of text, put together in pieces. */
void say(const char *text);
void say_number(uint64_t number);
void say_hex(uint64_t number);
void say_line(void);

/* Performs the selected operations. Returns the status to end with. */
uint8_t demonstrate(void);

#endif
