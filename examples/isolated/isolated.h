/* SPDX-License-Identifier: MIT */
/* What the modules of this guest have for one another. */
#ifndef ISOLATED_H
#define ISOLATED_H

#include <stdint.h>

/* In the order of isolated.views. */
#define VIEW_MAIN 0
#define VIEW_PARSER 1

/* A message as somebody out there sends it: it says itself which of its fields is wanted. */
struct message {
	uint64_t wanted;
	uint64_t fields[4];
};

/* parser.c */
extern struct message parser_message;
uint64_t parser_field(void);

/* vault.c */
extern uint64_t vault_key;
uint64_t vault_sign(uint64_t value);

/* gate.c */
struct ss_context;
void gate_prepare(const struct ss_context *context);
uint64_t gate_parse(int64_t *ret_status);
#endif
