/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of services that --services takes. */
#ifndef VMM_PLAN_SERVICE_LIST_H
#define VMM_PLAN_SERVICE_LIST_H

#include "views/service_table.h"
#include "vmm/base/error.h"

/* What a guest has unless told otherwise: all services, each for its usual callers. */
struct service_table service_list_default(void);

/*
 * Reads "none", or services by name separated by commas, each followed by words about its callers:
 * :cpl0 or :cpl3 (any CPL), :view0 or :views (any view). Without such words its usual callers. Returns
 * 0 or a negative errno with the reason in `error`.
 */
int service_list_parse(const char *text, struct service_table *ret_table, struct error *error);

#endif
