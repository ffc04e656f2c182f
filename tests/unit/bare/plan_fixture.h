/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of plans for computer images share: a plan, the same VMs without one, and the block as the loader leaves
 * it. */
#ifndef TESTS_PLAN_FIXTURE_H
#define TESTS_PLAN_FIXTURE_H

#include <stdbool.h>

#include "guestfw/bare/plan.h"
#include "vmm/bare/bare_plan.h"
#include "vmm/engine/engines.h"
#include "vmm/plan/host.h"
#include "vmm/vm/vm.h"

#define PAGE UINT64_C(4096)
#define LARGE_PAGE UINT64_C(0x200000)
#define BASE UINT64_C(0x10000000) /* where the loader finds memory */
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)
#define FIXTURE_VENDORS 2
#define FIXTURE_VMS_MAX 3

struct fixture_vendor {
	const char *name;
	enum engine_id id;
	enum bare_vendor vendor;
};

extern const struct fixture_vendor fixture_vendors[FIXTURE_VENDORS];

struct fixture {
	const struct fixture_vendor *engine;
	struct blob blob;
	const struct bare_plan *plan;
	uint8_t *block;
	struct host host;
	struct plan run;
	struct vm vms[FIXTURE_VMS_MAX]; /* as many as the plan has */
	const struct engine_ops *ops;
};

/* One guest with one vCPU, by this engine. */
struct plan_request fixture_request(const char *engine);

/* Makes all of it, of up to FIXTURE_VMS_MAX VMs; the test fails if that cannot be. fixture_destroy() is due. */
struct fixture *fixture_create(const struct fixture_vendor *engine, struct plan_request request, bool judged);
struct fixture *fixture_create_usual(const struct fixture_vendor *engine);
void fixture_destroy(struct fixture *f);

/* Fills the block as the loader does; `moved`: to BASE. */
void fixture_load(struct fixture *f, bool moved);

/* Bytes of the plan, which has them. */
const void *fixture_part(const struct fixture *f, uint64_t offset, uint64_t size);

/* What a guest begins with. */
const struct bare_guest_plan *fixture_guest(const struct fixture *f, unsigned guest);

/* A place of the monitor in the block, by its address in L1. */
void *fixture_monitor(const struct fixture *f, uint64_t address);

/* Whether a place in the block is code of the monitor's, which is no data. */
bool fixture_is_code(const struct fixture *f, uint64_t place);

/* A field of a control structure, by its encoding, or by an offset and a width. */
uint64_t fixture_field(const struct fixture *f, const uint8_t *control, uint64_t field);

/* The test fails unless the engine puts in place for an operation (NULL: none) what the monitor does by the setup. */
void fixture_same_setup(struct fixture *f, struct vcpu *vcpu, const struct ss_operation *op,
			const struct bare_setup *setup);

#endif
