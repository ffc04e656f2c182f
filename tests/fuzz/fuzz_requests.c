/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control requests, and the services that they invoke, on the engine flat with a KVM that only says yes or
 * no. Whatever stands in guest memory: the answer is the one that guestfw/abi.h gives, nothing but it is
 * written, and what the VMM keeps about the VM stays sound.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "vmm/engine/engines.h"
#include "vmm/guest/boot.h"
#include "vmm/guest/image_file.h"
#include "vmm/observe/recorder.h"
#include "vmm/plan/service_list.h"
#include "vmm/service/pin.h"
#include "vmm/service/service.h"
#include "vmm/service/services.h"

#define MEMORY (UINT64_C(8) << 20)
#define REQUEST 0x200000u
#define ARGS 0x200100u
#define PAGES 0x201000u /* some to be pinned */
#define TEXT_MAX 256

static unsigned calls_left; /* of KVM until one fails; 0: none does */
static uint64_t locked;

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	(void)request;
	errno = EINVAL;
	return calls_left > 0 && --calls_left == 0 ? -1 : 0;
}

int __wrap_mlock(const void *address, size_t size);
int __wrap_mlock(const void *address, size_t size)
{
	(void)address;
	locked += size;
	return 0;
}

int __wrap_munlock(const void *address, size_t size);
int __wrap_munlock(const void *address, size_t size)
{
	(void)address;
	MUST(size <= locked);
	locked -= size;
	return 0;
}

struct fake {
	struct plan plan;
	struct vm vm;
	struct services services;
	struct vcpu vcpu;
	struct console console;
	struct kvm_run run;
};

static void add_views(struct view_policy *policy)
{
	const struct gpa_range own = {gpa_at(PAGES), 2 * GPA_PAGE_SIZE};

	MUST(policy_add_region(policy, "pages", own.start, own.size, NULL) == 0);
	MUST(policy_add_region(policy, "device", gpa_at(SS_MMIO_GPA), GPA_PAGE_SIZE, NULL) == 0);
	MUST(policy_add_view(policy, "all", VIEW_RIGHTS_ALL, NULL) == 0);
	MUST(policy_add_view(policy, "read", VIEW_READ | VIEW_EXECUTE, NULL) == 0);
	MUST(policy_add_view(policy, "nothing", 0, NULL) == 0);
}

static void start(struct fake *fake, struct fuzz_input *input)
{
	uint8_t how = (uint8_t)fuzz_take(input, 1);
	struct error error;

	*fake = (struct fake){.plan = {.engine = engine_by_key("flat"), .vcpus = 1, .vms = 1}};
	MUST(image_builtin(&fake->plan.image, &error) == 0);
	fake->plan.services[0] = service_list_default();
	if (how & 1)
		fake->plan.services[0] = (struct service_table){.enabled = fuzz_take(input, 1),
								.cpl0 = fuzz_take(input, 1),
								.home = fuzz_take(input, 1)};
	if (how & 4) {
		fake->plan.services[0].mode64 = fuzz_take(input, 1);
		fake->plan.services[0].protected = fuzz_take(input, 1);
		fake->plan.services[0].exits = fuzz_take(input, 1);
	}
	fake->vm = (struct vm){.plan = &fake->plan, .flags = &fake->plan.flags[0],
			       .service_table = &fake->plan.services[0], .fd = -1,
			       .ops = engine_ops(ENGINE_FLAT), .services = &fake->services,
			       .console = &fake->console, .vcpus = &fake->vcpu, .vcpus_created = 1,
			       .active = &fake->vcpu, .lock = PTHREAD_MUTEX_INITIALIZER,
			       .stop_lock = PTHREAD_MUTEX_INITIALIZER};
	fake->vcpu = (struct vcpu){.vm = &fake->vm, .fd = -1, .run = &fake->run};
	console_init(&fake->console, -1, TEXT_MAX);
	fake->vcpu.interrupts = &fake->vcpu.own_interrupts;
	interrupts_init(fake->vcpu.interrupts);
	MUST(guest_ram_create(&fake->vm.ram, MEMORY) == 0);
	fake->vcpu.page = guest_ram_at(&fake->vm.ram, boot_vcpu_page(0), sizeof(*fake->vcpu.page));
	fake->vcpu.recorder = recorder_create(0, 0, &fake->plan.image, fake->vcpu.page);
	MUST(fake->vcpu.recorder);
	add_views(&fake->vm.policy);
	calls_left = 0;
	MUST(fake->vm.ops->vm_init(&fake->vm, &error) == 0);
	if (how & 2)
		calls_left = (unsigned)fuzz_take(input, 1);
}

static void finish(struct fake *fake)
{
	pin_release_all(&fake->vm);
	MUST(locked == 0);
	fake->vm.ops->vm_finish(&fake->vm);
	policy_finish(&fake->vm.policy);
	guest_ram_destroy(&fake->vm.ram);
	recorder_destroy(fake->vcpu.recorder);
	console_finish(&fake->console);
	image_close(&fake->plan.image);
}

/* Small numbers, addresses that are something, and anything. */
static uint64_t take_argument(struct fuzz_input *input)
{
	uint8_t what = (uint8_t)fuzz_take(input, 1);

	if (what < 0x70)
		return what;
	if (what < 0x78)
		return PAGES + (what - 0x70) * GPA_PAGE_SIZE;
	if (what < 0x7c)
		return (what - 0x77) * GPA_PAGE_SIZE;
	if (what < 0x80)
		return what == 0x7f ? SS_SERVICE_IN_MEMORY : ARGS;
	return fuzz_take(input, 1 + (what & 7));
}

static void write_guest(struct fake *fake, uint64_t at, const void *data, size_t size)
{
	MUST(guest_ram_write(&fake->vm.ram, gpa_at(at), data, size) == 0);
}

static void write_page(struct fake *fake, struct fuzz_input *input)
{
	volatile struct ss_vcpu_page *page = fake->vcpu.page;

	page->marker.operation = (uint32_t)fuzz_take(input, 2);
	page->result.operation = (uint32_t)fuzz_take(input, 2);
	page->result.count = (uint32_t)fuzz_take(input, 4);
	page->result.samples = (uint32_t)fuzz_take(input, 1);
}

static void write_args(struct fake *fake, struct fuzz_input *input, bool odd)
{
	struct ss_service_args args = {.size = sizeof(args)};

	if (odd)
		args.size = (uint32_t)fuzz_take(input, 4);
	args.index = (uint32_t)take_argument(input);
	args.arg[0] = take_argument(input);
	args.arg[1] = take_argument(input);
	write_guest(fake, ARGS, &args, sizeof(args));
}

/* A VMFUNC of a service other than the switch of views, which the table decides. */
static void check_vmfunc(const struct ss_request *asked, const struct ss_request *got,
			 const struct vmfunc_state *state, unsigned view)
{
	uint32_t number = (uint32_t)asked->arg[0];
	uint64_t bit = UINT64_C(1) << number % SERVICE_NUMBERS;
	bool enabled = number < SERVICE_NUMBERS && state->services.enabled & bit && state->enabled;
	bool permitted = !(state->services.cpl0 & bit && (asked->cpl & 3) > 0) &&
			 !(state->services.home & bit && view != 0) &&
			 !(state->services.mode64 & bit && asked->cpl & 0x300) &&
			 !(state->services.protected & bit && asked->cpl & SS_CALLER_REAL);
	bool exits = number < SERVICE_NUMBERS && state->services.exits & bit && state->enabled;

	if (asked->cpl & ~0x303u) {
		MUST(got->status == -EINVAL);
		return;
	}
	MUST(got->ret[0] == SS_VMFUNC_STEP || got->ret[0] == SS_VMFUNC_UD ||
	     got->ret[0] == SS_VMFUNC_GP);
	if (number == SS_SERVICE_VIEW)
		return;
	MUST(got->status == 0);
	MUST((got->ret[0] == SS_VMFUNC_UD) == (!enabled && !exits));
	MUST((got->ret[0] == SS_VMFUNC_GP) == (enabled && !permitted && !exits));
	if (exits && !enabled)
		MUST(got->ret[1] == (uint64_t)-ENOSYS);
	else if (exits && !permitted)
		MUST(got->ret[1] == (uint64_t)-EPERM);
	if (got->ret[0] != SS_VMFUNC_STEP)
		MUST(got->ret[1] == 0);
}

/* What a view lets the VMM do for the guest there. */
static bool granted(const struct fake *fake, unsigned view, uint64_t at, uint64_t size, unsigned rights)
{
	for (uint64_t i = 0; i < size; i++) {
		struct view_effect effect = policy_effect(&fake->vm.policy, view, gpa_at(at + i));

		if ((effect.rights & rights) != rights)
			return false;
	}
	return true;
}

static void check_known(const struct fake *fake, const struct ss_request *asked,
			const struct ss_request *got, unsigned view)
{
	uint64_t operations = fake->plan.image.operation_count;
	const uint64_t *arg = asked->arg;
	bool vector = arg[0] >= INTERRUPT_VECTOR_MIN && arg[0] < INTERRUPT_VECTORS;

	switch (asked->number) {
	case SS_REQUEST_HELLO:
		MUST(got->ret[0] == SS_ABI_VERSION);
		MUST((got->status == 0) == (arg[0] == SS_ABI_VERSION));
		break;
	case SS_REQUEST_BATCH_BEGIN:
		MUST((got->status == 0) == (arg[0] - 1 < operations && arg[1] - 1 < UINT32_MAX));
		break;
	case SS_REQUEST_NULL_SERVICE:
		MUST(got->status == 0);
		break;
	case SS_REQUEST_INTERRUPT:
	case SS_REQUEST_RAISE:
		MUST(got->status == (vector ? 0 : -EINVAL));
		break;
	case SS_REQUEST_FATAL:
		MUST(atomic_load(&fake->vm.stop) && fake->vm.why.cause != STOP_NONE);
		break;
	case SS_REQUEST_LOG:
		MUST(got->status == (arg[1] > SS_LOG_MAX ? -EMSGSIZE
				     : !guest_ram_contains(MEMORY, gpa_at(arg[0]), arg[1]) ? -EFAULT
				     : granted(fake, view, arg[0], arg[1], VIEW_READ)     ? 0
											  : -EACCES));
		break;
	case SS_REQUEST_SETUP:
		MUST(got->status == 0 || arg[0] != 0);
		MUST(got->status != 0 || arg[0] <= operations);
		break;
	case SS_REQUEST_PROGRAM:
		MUST(got->status == -ENOSYS); /* there are none in this run */
		break;
	default:
		break;
	}
}

static void check_answer(const struct fake *fake, const struct ss_request *asked,
			 const struct vmfunc_state *state, unsigned view)
{
	struct ss_request got, rest;

	MUST(guest_ram_read(&fake->vm.ram, gpa_at(REQUEST), &got, sizeof(got)) == 0);
	if (!granted(fake, view, REQUEST, sizeof(got), VIEW_READ | VIEW_WRITE)) {
		MUST(memcmp(&got, asked, sizeof(got)) == 0);
		return;
	}
	rest = got;
	rest.status = asked->status;
	memcpy(rest.ret, asked->ret, sizeof(rest.ret));
	MUST(memcmp(&rest, asked, sizeof(rest)) == 0);
	MUST(got.status <= 0 && got.status > -4096);
	if (asked->size != sizeof(*asked))
		MUST(got.status == -EMSGSIZE);
	else if (asked->number == 0 || asked->number > SS_REQUEST_RAISE)
		MUST(got.status == -ENOSYS);
	else if (asked->number == SS_REQUEST_VMFUNC)
		check_vmfunc(asked, &got, state, view);
	else
		check_known(fake, asked, &got, view);
}

/* What the VMM keeps. */
static void check_vm(const struct fake *fake)
{
	const struct vm *vm = &fake->vm;
	unsigned next = interrupts_next(fake->vcpu.interrupts);
	uint64_t bytes = 0;

	MUST(next == 0 || (next >= INTERRUPT_VECTOR_MIN && next < INTERRUPT_VECTORS));
	MUST(vm->view < vm->policy.view_count);
	MUST(vm->active == &fake->vcpu);
	MUST(fake->console.written <= TEXT_MAX);
	MUST(fake->vcpu.recorder->batch.operation <= fake->plan.image.operation_count);
	for (unsigned i = 0; i < PINS_MAX; i++) {
		const struct pinned *pinned = &vm->services->pins.buffers[i];

		if (pinned->handle == 0)
			continue;
		MUST(guest_ram_contains(MEMORY, pinned->gpa, pinned->size));
		for (unsigned j = 0; j < i; j++) {
			const struct pinned *other = &vm->services->pins.buffers[j];

			MUST(other->handle == 0 || other->gpa.v >= pinned->gpa.v + pinned->size ||
			     pinned->gpa.v >= other->gpa.v + other->size);
		}
		bytes += pinned->size;
	}
	MUST(bytes == vm->services->pins.bytes && bytes == locked && bytes <= PINS_BYTES_MAX);
}

static void request(struct fake *fake, struct fuzz_input *input)
{
	uint8_t how = (uint8_t)fuzz_take(input, 1);
	struct ss_request asked = {.size = sizeof(asked), .number = (uint32_t)fuzz_take(input, 1) % 14,
				   .status = 0x55};
	const struct vmfunc_state state = fake->vm.vmfunc;
	unsigned view = fake->vm.view;
	uint32_t at = REQUEST;

	if (how & 1)
		asked.size = (uint32_t)fuzz_take(input, 4);
	if (how & 2)
		asked.cpl = (uint32_t)fuzz_take(input, 1);
	/* Its two upper bits are the mode. */
	asked.cpl = (asked.cpl & 0x3f) | (asked.cpl & 0xc0) << 2;
	if (how & 4)
		at = (uint32_t)fuzz_take(input, 4);
	if (how & 8)
		write_args(fake, input, how & 16);
	if (how & 32)
		write_page(fake, input);
	if (how & 64)
		asked.number = (uint32_t)fuzz_take(input, 4);
	for (int i = 0; i < 4; i++)
		asked.arg[i] = take_argument(input);
	write_guest(fake, REQUEST, &asked, sizeof(asked));
	service_request(&fake->vm, at);
	if (at == REQUEST)
		check_answer(fake, &asked, &state, view);
	else if (!guest_ram_contains(MEMORY, gpa_at(at), sizeof(asked)))
		MUST(atomic_load(&fake->vm.stop) && fake->vm.why.cause == STOP_GUEST);
	check_vm(fake);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	static struct fake fake;

	start(&fake, &input);
	while (input.size >= 4 && !atomic_load(&fake.vm.stop))
		request(&fake, &input);
	finish(&fake);
	return 0;
}
