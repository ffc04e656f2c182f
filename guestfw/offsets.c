/* SPDX-License-Identifier: MIT */
/* Prints the offsets and numbers that assembly needs. Runs on the build machine: both are x86-64. */
#include <stddef.h>
#include <stdio.h>

#include "cpu.h"

#define SHOW(name, type, member) printf("#define " name " %zu\n", offsetof(struct type, member))

#define NUMBER(name) printf("#define NUMBER_" #name " %d\n", SS_##name)

int main(void)
{
	SHOW("FRAME_CR0", frame, cr0);
	SHOW("FRAME_ARG", frame, arg);
	SHOW("FRAME_FLIP", frame, flip);
	SHOW("FRAME_ADDRESS", frame, address);
	SHOW("FRAME_STORE", frame, store);
	SHOW("FRAME_TICKS", frame, ticks);
	SHOW("FRAME_VALUE", frame, value);
	SHOW("FRAME_KERNEL_RSP", frame, kernel_rsp);
	SHOW("FRAME_USER_RSP", frame, user_rsp);
	SHOW("FRAME_WORDS", frame, words);
	SHOW("WORDS_EMBODIMENT", ss_flag_words, embodiment);
	SHOW("WORDS_FIRST", ss_flag_words, words[0]);
	SHOW("WORDS_SECOND", ss_flag_words, words[1]);
	SHOW("WORDS_SHADOW", ss_flag_words, shadow);
	SHOW("WORDS_VALUE", ss_flag_words, value);
	printf("#define SERVICE_MAP %d\n", SS_SERVICE_MAP);
	SHOW("ARGS_INDEX", ss_service_args, index);
	SHOW("FRAME_VMMCALL", frame, vmmcall);
	SHOW("CPU_INTERRUPTS", cpu, interrupts);
	SHOW("CPU_VE", cpu, ve);
	SHOW("VE_BUSY", ss_ve, busy);
#define X(name, key, function, text) NUMBER(EMBODIMENT_##name);
	SS_EMBODIMENTS(X)
#undef X
	NUMBER(SERVICE_INTERRUPT);
	NUMBER(SERVICE_PIN);
	NUMBER(SERVICE_UNPIN);
	NUMBER(INTERRUPT_DELIVER);
	NUMBER(INTERRUPT_HOLD);
	NUMBER(DISK_REG_COMMAND);
	NUMBER(DISK_REG_STATUS);
	return 0;
}
