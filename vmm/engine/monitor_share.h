/* SPDX-License-Identifier: GPL-2.0-only */
/* What a monitor needs whose guests share a vCPU. */
#ifndef VMM_ENGINE_MONITOR_SHARE_H
#define VMM_ENGINE_MONITOR_SHARE_H

#include "vmm/engine/monitor.h"

/* For the leader's monitor: the group, and the MSR bitmap, which leaves a guest only those that are switched. */
void monitor_share(struct vm *leader, const struct monitor *monitor);

/* For each guest: its state before it has run. */
void monitor_share_vcpu(struct vcpu *vcpu);

#endif
