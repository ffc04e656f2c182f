/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of the guest, as vmm/service/service.c serves them elsewhere. */
#include "bare.h"
#include "console.h"
#include "guestfw/relay/insn.h"
#include "memory.h"
#include "views/policy.h"

#define EPERM 1
#define EFAULT 14
#define EINVAL 22
#define ENOSYS 38
#define EMSGSIZE 90
#define EPROTONOSUPPORT 93

static int is_operation(uint64_t number)
{
	return number >= 1 && number <= bare.plan->operation_count;
}

static int request_hello(struct relay_vcpu *vcpu, struct ss_request *request)
{
	(void)vcpu;
	request->ret[0] = SS_ABI_VERSION;
	return request->arg[0] == SS_ABI_VERSION ? 0 : -EPROTONOSUPPORT;
}

static int request_batch_begin(struct relay_vcpu *vcpu, struct ss_request *request)
{
	struct bare_vcpu *state = bare_vcpu_of(vcpu);

	if (!is_operation(request->arg[0]) || request->arg[1] == 0 || request->arg[1] > UINT32_MAX)
		return -EINVAL;
	log_flush();
	summary_begin(state);
	state->batch = (struct record_batch){
		.record = {.type = RECORD_BATCH, .size = sizeof(state->batch)},
		.operation = (uint32_t)request->arg[0],
		.count = (uint32_t)request->arg[1],
		.begin = read_tsc(),
	};
	return 0;
}

static int request_batch_end(struct relay_vcpu *vcpu, struct ss_request *request)
{
	struct bare_vcpu *state = bare_vcpu_of(vcpu);

	if (state->batch.operation == 0 || request->arg[0] != state->batch.operation)
		return -EINVAL;
	log_drain(vcpu, 0);
	summary_end(state);
	state->batch.end = read_tsc();
	state->batch.view = bare_view(vcpu);
	log_record(vcpu, &state->batch);
	state->batch.operation = 0;
	return 0;
}

static int request_vmfunc(struct relay_vcpu *vcpu, struct ss_request *request)
{
	(void)vcpu;
	(void)request;
	return -ENOSYS; /* with a relay the instruction works */
}

static int request_null_service(struct relay_vcpu *vcpu, struct ss_request *request)
{
	(void)vcpu;
	(void)request;
	return 0;
}

static int request_interrupt(struct relay_vcpu *vcpu, struct ss_request *request)
{
	return interrupt_at_halts(vcpu, request->arg[0], request->arg[1]);
}

static int request_fatal(struct relay_vcpu *vcpu, struct ss_request *request)
{
	guest_text_end();
	console_text("the guest gave up: exception ");
	console_hex(request->arg[0]);
	console_text(" at rip ");
	console_hex(request->arg[1]);
	console_text(", error code ");
	console_hex(request->arg[2]);
	console_text(", cr2 ");
	console_hex(request->arg[3]);
	console_put('\n');
	bare_stop(vcpu, STOP_GUEST, 1, "the guest gave up; the exception is in the log, in front of this");
}

static int request_log(struct relay_vcpu *vcpu, struct ss_request *request)
{
	const uint64_t end = request->arg[0] + request->arg[1];

	if (request->arg[1] > SS_LOG_MAX)
		return -EMSGSIZE;
	for (uint64_t at = request->arg[0]; at < end; at++) {
		const char *c = bare_guest(vcpu, at, 1, VIEW_READ);

		if (!c)
			return -EFAULT;
		guest_text(*c);
	}
	return 0;
}

static int request_result(struct relay_vcpu *vcpu, struct ss_request *request)
{
	const uint64_t at = bare_page(vcpu, __builtin_offsetof(struct ss_vcpu_page, result));
	const struct ss_result *result = bare_guest(vcpu, at, sizeof(*result), VIEW_READ);
	struct record_result record = {.record = {.type = RECORD_RESULT, .size = sizeof(record)}};

	if (!result)
		return -EFAULT;
	memcpy(&record.result, result, sizeof(record.result));
	if (!is_operation(request->arg[0]) || record.result.operation != request->arg[0] ||
	    record.result.samples > SS_MAX_SAMPLES)
		return -EINVAL;
	log_record(vcpu, &record);
	log_flush();
	summary_result(bare_vcpu_of(vcpu), &record.result);
	return 0;
}

static int request_setup(struct relay_vcpu *vcpu, struct ss_request *request)
{
	const uint64_t at = bare_page(vcpu, __builtin_offsetof(struct ss_vcpu_page, cr0));
	struct ss_flag_words *words = bare_guest(vcpu, at, sizeof(*words), VIEW_WRITE);
	const struct bare_setup *setup = bare_setup_of(vcpu, is_operation(request->arg[0]) ? request->arg[0] : 0);

	if (request->arg[0] != 0 && !is_operation(request->arg[0]))
		return -EINVAL;
	if (!words)
		return -EFAULT;
	bare_set_up(vcpu, setup);
	*words = setup->words;
	return 0;
}

static int request_program(struct relay_vcpu *vcpu, struct ss_request *request)
{
	return program_step(vcpu, &request->ret[0]);
}

static int request_raise(struct relay_vcpu *vcpu, struct ss_request *request)
{
	return interrupt_raise(vcpu, request->arg[0]);
}

static int perform(struct relay_vcpu *vcpu, struct ss_request *request)
{
	if (request->size != sizeof(*request))
		return -EMSGSIZE;
	switch (request->number) {
#define X(name, number, key, text)                                                                 \
	case number:                                                                               \
		return request_##key(vcpu, request);
		SS_REQUESTS(X)
#undef X
	default:
		return -ENOSYS;
	}
}

/* One copy is taken and used; only the results go back, to where the request was. */
int bare_request(struct relay_vcpu *vcpu, unsigned cpl, uint64_t address)
{
	struct ss_request *request = bare_guest(vcpu, address, sizeof(*request), VIEW_READ | VIEW_WRITE);
	struct ss_request copy;

	if (cpl != 0)
		return -EPERM;
	if (!request)
		return -EFAULT;
	memcpy(&copy, request, sizeof(copy));
	copy.status = perform(vcpu, &copy);
	request->status = copy.status;
	request->ret[0] = copy.ret[0];
	request->ret[1] = copy.ret[1];
	return 0;
}
