/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/service/service.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "vmm/emulate/guest_access.h"
#include "vmm/guest/boot.h"
#include "vmm/observe/recorder.h"
#include "vmm/service/differential.h"
#include "vmm/service/interrupt.h"
#include "vmm/service/vm_function.h"
#include "vmm/vm/vcpu.h"

#define VECTOR_UD 6
#define VECTOR_GP 13

/* Handlers act for who has made the request, which only code at CPL 0 can. */
static struct guest_access requester(struct vcpu *vcpu, unsigned rights)
{
	return (struct guest_access){.vcpu = vcpu, .cpl = 0, .rights = rights};
}

static bool known_operation(const struct vcpu *vcpu, uint64_t number)
{
	return number >= 1 && number <= vcpu->vm->plan->image.operation_count;
}

static int service_hello(struct vcpu *vcpu, struct ss_request *request)
{
	(void)vcpu;
	request->ret[0] = SS_ABI_VERSION;
	return request->arg[0] == SS_ABI_VERSION ? 0 : -EPROTONOSUPPORT;
}

static int service_batch_begin(struct vcpu *vcpu, struct ss_request *request)
{
	if (!known_operation(vcpu, request->arg[0]) || request->arg[1] == 0 ||
	    request->arg[1] > UINT32_MAX)
		return -EINVAL;
	recorder_batch_begin(vcpu->recorder, (uint32_t)request->arg[0], (uint32_t)request->arg[1],
			     vcpu->exit.time);
	return 0;
}

int service_end_batch(struct vcpu *vcpu, uint64_t operation, uint64_t time)
{
	const struct engine_ops *ops = vcpu->vm->ops;
	int rc = recorder_batch_close(vcpu->recorder, operation, time);
	int view;

	if (rc != 0)
		return rc;
	view = ops->view_current(vcpu);
	if (ops->drain)
		ops->drain(vcpu);
	recorder_batch_end(vcpu->recorder, (uint32_t)view);
	return 0;
}

static int service_batch_end(struct vcpu *vcpu, struct ss_request *request)
{
	return service_end_batch(vcpu, request->arg[0], vcpu->exit.time);
}

static int service_result(struct vcpu *vcpu, struct ss_request *request)
{
	struct record_result record = {
		.record = {.type = RECORD_RESULT, .size = sizeof(record)},
	};
	const struct guest_access access = requester(vcpu, VIEW_READ);
	uint64_t at = boot_vcpu_page(vcpu->index).v + offsetof(struct ss_vcpu_page, result);
	int rc = guest_access_read(&access, at, &record.result, sizeof(record.result));

	if (rc != 0)
		return rc;
	if (!known_operation(vcpu, request->arg[0]) ||
	    record.result.operation != request->arg[0] ||
	    record.result.samples > SS_MAX_SAMPLES)
		return -EINVAL;
	recorder_add(vcpu->recorder, &record.record);
	return 0;
}

static int service_setup(struct vcpu *vcpu, struct ss_request *request)
{
	const struct guest_access access = requester(vcpu, VIEW_WRITE);
	const struct ss_operation *op = NULL;
	struct ss_flag_words words;
	struct guest_span span;
	int rc;

	if (request->arg[0] != 0 && !known_operation(vcpu, request->arg[0]))
		return -EINVAL;
	rc = guest_access(&access, boot_words_address(vcpu->index).v, sizeof(words), &span);
	if (rc != 0)
		return rc;
	if (request->arg[0] != 0)
		op = &vcpu->vm->plan->image.operations[request->arg[0] - 1];
	words = vm_words(vcpu->vm, op);
	rc = vcpu->vm->ops->setup(vcpu, op && op->flags & SS_OP_ENLIGHTENED ? NULL : op);
	if (rc == 0 || !op)
		guest_span_write(&span, 0, &words, sizeof(words));
	return rc;
}

static int service_program(struct vcpu *vcpu, struct ss_request *request)
{
	bool more;
	int rc = differential_step(vcpu, &more);

	request->ret[0] = more;
	return rc;
}

static enum service_mode caller_mode(uint32_t caller)
{
	if (caller & SS_CALLER_REAL)
		return SERVICE_MODE_REAL;
	return caller & SS_CALLER_PROTECTED ? SERVICE_MODE_PROTECTED : SERVICE_MODE_64;
}

static int service_vmfunc(struct vcpu *vcpu, struct ss_request *request)
{
	const struct invocation invocation = {
		.number = (uint32_t)request->arg[0],
		.index = (uint32_t)request->arg[1],
		.arg = {request->arg[2], request->arg[3]},
		.cpl = request->cpl & 3,
		.mode = caller_mode(request->cpl),
	};
	uint64_t rax;
	unsigned vector;
	int rc;

	if (request->cpl & ~(3u | SS_CALLER_PROTECTED | SS_CALLER_REAL))
		return -EINVAL;
	rc = vm_function_execute(vcpu, &invocation, &vector, &rax);
	request->ret[0] = vector == VECTOR_UD   ? SS_VMFUNC_UD
			  : vector == VECTOR_GP ? SS_VMFUNC_GP
						: SS_VMFUNC_STEP;
	request->ret[1] = rax;
	return rc;
}

static int service_null_service(struct vcpu *vcpu, struct ss_request *request)
{
	(void)vcpu;
	(void)request;
	return 0;
}

static int service_interrupt(struct vcpu *vcpu, struct ss_request *request)
{
	return interrupt_at_halts(vcpu, request->arg[0], request->arg[1]);
}

static int service_raise(struct vcpu *vcpu, struct ss_request *request)
{
	return interrupt_raise(vcpu, request->arg[0]);
}

static int service_fatal(struct vcpu *vcpu, struct ss_request *request)
{
	const struct image *image = &vcpu->vm->plan->image;
	const struct image_symbol *symbol = image_symbol_at(image, request->arg[1]);

	vm_stop(vcpu->vm, STOP_GUEST, STATUS_FAILED,
		"the guest gave up: exception %llu at rip 0x%llx (%.60s), error code 0x%llx, cr2 0x%llx, "
		"in operation %s",
		(unsigned long long)request->arg[0], (unsigned long long)request->arg[1],
		symbol ? symbol->name : "?", (unsigned long long)request->arg[2],
		(unsigned long long)request->arg[3],
		image_operation_name(image, vcpu_operation(vcpu)));
	return 0;
}

static int service_log(struct vcpu *vcpu, struct ss_request *request)
{
	const struct guest_access access = requester(vcpu, VIEW_READ);
	char text[SS_LOG_MAX];
	int rc;

	if (request->arg[1] > SS_LOG_MAX)
		return -EMSGSIZE;
	rc = guest_access_read(&access, request->arg[0], text, request->arg[1]);
	if (rc == 0)
		console_write(vcpu->vm->console, text, request->arg[1]);
	return rc;
}

static int (*const handlers[])(struct vcpu *vcpu, struct ss_request *request) = {
#define X(name, number, key, text) [number] = service_##key,
	SS_REQUESTS(X)
#undef X
};

static int perform(struct vcpu *vcpu, struct ss_request *request)
{
	if (request->size != sizeof(*request))
		return -EMSGSIZE;
	if (request->number >= sizeof(handlers) / sizeof(handlers[0]) || !handlers[request->number])
		return -ENOSYS;
	return handlers[request->number](vcpu, request);
}

int service_perform(struct vcpu *vcpu, unsigned cpl, uint32_t address)
{
	const struct guest_access access = {vcpu, cpl, VIEW_READ | VIEW_WRITE};
	struct ss_request request;
	struct guest_span span;
	char where[160];
	int rc;

	/* They are about a catalogue, and about what guests of the other platform have in their memory. */
	if (vcpu->vm->pc)
		return -ENOSYS;
	rc = guest_access(&access, address, sizeof(request), &span);
	if (rc == -EFAULT) {
		vcpu_describe(vcpu, where, sizeof(where));
		vm_stop(vcpu->vm, STOP_GUEST, STATUS_FAILED,
			"a control request at 0x%x, which is outside its memory; %s", address, where);
	}
	if (rc != 0)
		return rc;
	/* One copy is taken and used; only the results go back. */
	guest_span_read(&span, 0, &request, sizeof(request));
	request.status = perform(vcpu, &request);
	guest_span_write(&span, offsetof(struct ss_request, status), &request.status,
			 sizeof(request.status));
	guest_span_write(&span, offsetof(struct ss_request, ret), request.ret, sizeof(request.ret));
	return 0;
}

void service_request(void *opaque, uint32_t address)
{
	struct vm *vm = opaque;

	service_perform(vm->active, guest_access_port_cpl(vm->active), address);
}
