/* SPDX-License-Identifier: GPL-2.0-only */
/* What recorded exits can be counted by. */
#ifndef VMM_ANALYSIS_GROUP_KEY_H
#define VMM_ANALYSIS_GROUP_KEY_H

/* KEY(NAME, name, what comes before it in a sentence). The first and the last have tables of their own. */
#define GROUP_KEYS(X)                                                                              \
	X(OPERATION, "operation", "")                                                              \
	X(REASON, "reason", ", ")                                                                  \
	X(RIP, "rip", ", ")                                                                        \
	X(SYMBOL, "symbol", ", ")                                                                  \
	X(LEVEL, "level", ", ")                                                                    \
	X(VCPU, "vcpu", ", ")                                                                      \
	X(INSTRUCTION, "instruction", ", ")                                                        \
	X(VM, "vm", ", ")                                                                          \
	X(SERVICE, "service", ", ")                                                                \
	X(VIOLATION, "violation", " or ")

enum group_key {
#define X(name, key, before) GROUP_##name,
	GROUP_KEYS(X)
#undef X
	GROUP_KEY_COUNT
};

/* All of them, for people. */
#define GROUP_KEY_WORD(name, key, before) before key
#define GROUP_KEY_WORDS GROUP_KEYS(GROUP_KEY_WORD)

extern const char *const group_key_names[GROUP_KEY_COUNT];

#endif
