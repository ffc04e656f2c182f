/* SPDX-License-Identifier: GPL-2.0-only */
#include "world.h"

#include "insn.h"

static uint64_t read_xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/* Whatever a guest has enabled in XCR0: state that it has disabled again stays in the registers. */
static void save_fpu(struct relay_world *world, uint64_t all)
{
	if (!all) {
		__asm__ volatile("fxsave64 %0" : "=m"(world->fpu));
		return;
	}
	world->xcr0 = read_xcr0();
	if (world->xcr0 != all)
		write_xcr0(all);
	__asm__ volatile("xsave64 %0"
			 : "+m"(world->fpu)
			 : "a"((uint32_t)all), "d"((uint32_t)(all >> 32)));
}

static void load_fpu(const struct relay_world *world, uint64_t all)
{
	if (!all) {
		__asm__ volatile("fxrstor64 %0" : : "m"(world->fpu));
		return;
	}
	__asm__ volatile("xrstor64 %0"
			 :
			 : "m"(world->fpu), "a"((uint32_t)all), "d"((uint32_t)(all >> 32)));
	if (world->xcr0 != all)
		write_xcr0(world->xcr0);
}

#define DEBUG_REGISTERS(X) X(0, "db0") X(1, "db1") X(2, "db2") X(3, "db3") X(4, "db6")

static void save(struct relay_world *world, const struct relay_group *group)
{
	__asm__ volatile("mov %%cr2, %0" : "=r"(world->cr2));
#define X(n, name) __asm__ volatile("mov %%" name ", %0" : "=r"(world->dr[n]));
	DEBUG_REGISTERS(X)
#undef X
	for (uint64_t i = 0; i < group->msr_count; i++)
		world->msr[i] = read_msr(group->msrs[i]);
	save_fpu(world, group->xcr0);
}

/* What does not differ is not written: a write may exit to L0. */
static void load(const struct relay_world *world, const struct relay_world *last,
		 const struct relay_group *group)
{
	write_cr2(world->cr2);
#define X(n, name) \
	if (world->dr[n] != last->dr[n]) \
		__asm__ volatile("mov %0, %%" name : : "r"(world->dr[n]));
	DEBUG_REGISTERS(X)
#undef X
	for (uint64_t i = 0; i < group->msr_count; i++)
		if (world->msr[i] != last->msr[i])
			write_msr(group->msrs[i], world->msr[i]);
	load_fpu(world, group->xcr0);
}

struct relay_vcpu *world_next(const struct relay_vcpu *vcpu)
{
	const struct relay_group *group = (const struct relay_group *)vcpu->group;
	uint64_t number = group->current;

	for (uint64_t i = 0; i < group->count; i++) {
		struct relay_vcpu *next;

		number = number + 1 < group->count ? number + 1 : 0;
		next = (struct relay_vcpu *)(RELAY_VCPUS + number * RELAY_VCPU_STRIDE);
		if (!next->gone)
			return next;
	}
	return (struct relay_vcpu *)vcpu;
}

void world_switch(struct relay_vcpu *from, struct relay_vcpu *to)
{
	struct relay_group *group = (struct relay_group *)from->group;
	struct relay_world *last = (struct relay_world *)from->world;

	save(last, group);
	load((const struct relay_world *)to->world, last, group);
	group->current = to->number;
	group->switches++;
}
