/* SPDX-License-Identifier: GPL-2.0-only */
/* How a guest can be run, as far as a plan has to know. One constant row per engine. What an engine does
 * with a VM is in vm/engine_ops.h. */
#ifndef VMM_PLAN_ENGINE_H
#define VMM_PLAN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "guestfw/abi.h"
#include "views/expect.h"
#include "views/paging.h"
#include "vmm/base/error.h"
#include "vmm/plan/host.h"

/* What a host offers for the views of an engine. It does not change: a plan asks once. */
struct engine_offer {
	int rc;			 /* 0, or a negative errno: this host cannot run the engine */
	char reason[160];	 /* why not, in words */
	struct paging_caps caps; /* if not: what every KVM offers that has the engine */
};

struct engine {
	enum engine_id id;

	/* What views become, and what of it the host offers: 0, or a negative errno and why it cannot run
	 * the engine, in words. */
	const struct paging_format *format;
	int (*paging_caps)(const struct host *host, struct paging_caps *ret_caps, char *reason,
			   size_t size);

	/* A view is a layout of memory slots, which the VMM changes; elsewhere processor or relay switch. */
	bool views_are_slots;

	/* What an exit that reached the relay is called; the number is that of the ledger. NULL in an engine
	 * without a monitor. */
	const char *(*reason_name)(uint64_t reason);

	uint32_t context_flags; /* SS_CONTEXT_* */
};

static inline bool engine_has_monitor(const struct engine *engine)
{
	return engine->context_flags & SS_CONTEXT_MONITOR;
}

/* Ascending preference: `auto` takes the last that the host can run. */
extern const struct engine *const engines[];
extern const size_t engine_count;

/* `host` may be NULL: no KVM. */
struct engine_offer engine_ask(const struct engine *engine, const struct host *host);

const struct engine *engine_by_key(const char *key);

/* What engine a guest asks for. */
struct engine_wish {
	const char *key; /* or "auto" */
	bool kernel;	 /* of the platform pc, which gets the engine flat unless `monitor` is set */
	bool starts_64;	 /* the kernel begins in 64-bit mode */
	bool monitor;	 /* it is to have what only a monitor gives */
	unsigned vcpus;
};

/* The engine that it gets on this host, and what the host offers; NULL: a host that can run any. Returns 0, or a negative
 * errno with the reason in `error`. */
int engine_choose(const struct engine_wish *wish, const struct host *host, const struct engine **ret_engine,
		  struct engine_offer *ret_offer, struct error *error);

#endif
