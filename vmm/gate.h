/* SPDX-License-Identifier: GPL-2.0-only */
/* Holds threads back until all of them are there and somebody lets them go. */
#ifndef VMM_GATE_H
#define VMM_GATE_H

#include <pthread.h>
#include <stdbool.h>

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned waiting;
	bool open;
};

void gate_init(struct gate *gate);
void gate_finish(struct gate *gate);

/* Of the threads: waits until the gate is open. */
void gate_pass(struct gate *gate);

/* Waits until `count` threads wait at the gate. */
void gate_await(struct gate *gate, unsigned count);

/* Lets all threads go on, those that come later too. */
void gate_open(struct gate *gate);

#endif
