/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kicks at random instants, each sent once and shown to take effect before the next: the vCPU leaves
 * KVM_RUN, and its loop has looked whether it is to stop before it goes on. At the end of each life of a
 * guest the kick is one that must end it. A kick that is lost would leave the vCPU in the guest for ever.
 *
 * kicks [-n KICKS] GUEST...
 *
 * The linker puts the wrapper of ioctl() here between the run loop and KVM_RUN. It lingers now and then
 * where a kick is lost most easily: before KVM_RUN, when the loop has looked, and behind it.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../patience.h"
#include "kvm.h"

#define KICKS 10000
#define LIVES 8          /* of each guest */
#define PAUSE_BITS 9     /* a kick comes within 2^8 us, half of them within 16 */
#define LINGER_EVERY 4
#define LINGER_US 16

static sem_t begun; /* the vCPU enters the guest for the first time */
static sem_t taken; /* it has left because of a kick, and enters again */
static sem_t ended; /* the run is over */
static unsigned long sent;

/* Good enough to choose instants by; a state for each thread. */
static uint32_t chance(uint32_t below)
{
	static _Thread_local uint64_t state;

	if (state == 0)
		state = UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)gettid();
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % below;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void pause_ns(uint64_t ns)
{
	for (uint64_t end = now_ns() + ns; now_ns() < end;)
		;
}

static void linger(void)
{
	if (chance(LINGER_EVERY) == 0)
		pause_ns(chance(LINGER_US * 1000));
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	static _Thread_local bool entered, interrupted;
	va_list arguments;
	void *argument;
	int rc, number;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request != KVM_RUN)
		return __real_ioctl(fd, request, argument);
	if (!entered)
		sem_post(&begun);
	else if (interrupted)
		sem_post(&taken);
	entered = true;
	linger();
	rc = __real_ioctl(fd, request, argument);
	number = errno;
	interrupted = rc != 0 && number == EINTR;
	linger();
	errno = number;
	return rc;
}

static bool await(sem_t *event)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += patient(10);
	while (sem_timedwait(event, &limit) != 0)
		if (errno != EINTR)
			return false;
	return true;
}

__attribute__((noreturn)) static void lost(const char *what, const struct session *session)
{
	printf("not ok - %s: kick %lu was lost: %s %u s later\n", session->plan.guest, sent, what,
	       patient(10));
	fflush(stdout);
	_exit(STATUS_FAILED);
}

struct kicker {
	struct session *session;
	unsigned long kicks; /* the last one ends the run */
};

static void *kick(void *argument)
{
	const struct kicker *kicker = argument;
	struct session *session = kicker->session;

	if (!await(&begun))
		lost("the guest has not begun", session);
	for (unsigned long i = 1; i < kicker->kicks; i++) {
		pause_ns(chance(1000u << chance(PAUSE_BITS)));
		sent++;
		machine_kick(&session->machine);
		if (!await(&taken))
			lost("the vCPU is still in the guest", session);
	}
	pause_ns(chance(1000u << chance(PAUSE_BITS)));
	sent++;
	machine_quit(&session->machine);
	machine_kick(&session->machine);
	if (!await(&ended))
		lost("the run has not ended", session);
	return NULL;
}

/* Returns whether the guest ran until the last kick. */
static bool live(const char *guest, unsigned long kicks)
{
	const struct settings settings = {
		.plan = {.engine = "flat", .guest = guest, .vcpus = 1, .vms = 1, .trace = TRACING_OFF}};
	struct session session;
	struct kicker kicker = {&session, kicks};
	struct error error = {0};
	pthread_t thread;
	bool good = false;

	sem_init(&begun, 0, 0);
	sem_init(&taken, 0, 0);
	sem_init(&ended, 0, 0);
	if (session_start(&session, &settings, -1, &error) == 0) {
		if (pthread_create(&thread, NULL, kick, &kicker) != 0)
			exit(STATUS_INTERNAL);
		good = session_run(&session, false, &error) == 0 &&
		       session.machine.why.cause == STOP_QUIT;
		sem_post(&ended);
		pthread_join(thread, NULL);
	}
	if (!good)
		printf("not ok - %s: %s%s\n", guest, error.text, session.machine.why.text);
	session_finish(&session);
	return good;
}

int main(int argc, char **argv)
{
	unsigned long kicks = KICKS, lives, remaining;
	int option;

	while ((option = getopt(argc, argv, "n:")) != -1)
		kicks = option == 'n' ? strtoul(optarg, NULL, 10) : 0;
	if (optind == argc || kicks == 0) {
		fprintf(stderr, "usage: kicks [-n KICKS] GUEST...\n");
		return STATUS_USAGE;
	}
	if (needs_kvm() != 0)
		return STATUS_SKIPPED;
	lives = remaining = (unsigned long)(argc - optind) * LIVES;
	for (; remaining > 0; remaining--) {
		const char *guest = argv[optind + (int)((lives - remaining) / LIVES)];

		if (!live(guest, (kicks - sent) / remaining))
			return STATUS_FAILED;
	}
	printf("figure: signal-kicks %lu\n", sent);
	return sent == kicks ? 0 : STATUS_FAILED;
}
