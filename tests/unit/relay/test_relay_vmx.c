/* SPDX-License-Identifier: GPL-2.0-only */
/* The relay for VMX with a control structure in memory: what the emulated processor of the lab does by
 * itself, or lacks, and which fields are touched. */
#include "relay_fake.h"

#include "guestfw/relay/vmx.c"

#define RIP 0x100000u
#define TF 0x100u
#define RF 0x10000u
#define FLAGS 0x202u
#define STI 1u
#define MOV_SS 2u
#define BS 0x4000u
#define CR0 UINT64_C(0x80050033)
#define NE UINT64_C(0x20)
#define TS UINT64_C(8)
#define RIGHTS_64 0xa09bu
#define RIGHTS_32 0xc09bu
#define GP_INJECTED 0x80000b0du
#define UD_INJECTED 0x80000306u
#define MOV_CR0_RAX 0u
#define LENGTH_MAX 15u

static uint64_t get(enum vmcs_field field)
{
	return fake.field[field];
}

static void start(uint32_t reason, uint64_t rflags, uint64_t blocking, uint64_t length)
{
	fake_reset();
	fake.field[VMCS_vm_exit_reason] = reason;
	fake.field[VMCS_guest_rip] = RIP;
	fake.field[VMCS_guest_rflags] = rflags;
	fake.field[VMCS_guest_interruptibility_info] = blocking;
	fake.field[VMCS_vm_exit_instruction_len] = length;
	fake.field[VMCS_guest_cr0] = CR0;
	fake.field[VMCS_guest_cs_ar_bytes] = RIGHTS_64;
	relay.cr0.fixed0 = 0x80000021;
	relay.cr0.fixed1 = UINT32_MAX;
}

static void vmm_steps(struct relay_vcpu *vcpu)
{
	vcpu->action = RELAY_STEP;
}

static void vmm_injects(struct relay_vcpu *vcpu)
{
	vcpu->action = RELAY_INJECT;
	vcpu->vector = VECTOR_PF;
	vcpu->error_code = 7;
	vcpu->fault_address = 0x1234;
}

/* Each way in which the relay, or the VMM through it, completes an instruction. */
enum way { WAY_CPUID, WAY_VMCALL, WAY_VMCALL_VMM, WAY_MOV_CR0, WAY_VMFUNC, WAY_XSETBV, WAY_VIOLATION, WAYS };

static void prepare(enum way way, uint64_t rflags, uint64_t blocking, uint64_t length)
{
	static const uint32_t reasons[] = {EXIT_CPUID,	EXIT_VMCALL, EXIT_VMCALL, EXIT_CR_ACCESS,
					   EXIT_VMFUNC, EXIT_XSETBV, 48};

	start(reasons[way], rflags, blocking, length);
	fake.vmm = vmm_steps;
	switch (way) {
	case WAY_VMCALL:
		relay.regs[RAX] = SS_HYPERCALL_NULL;
		break;
	case WAY_VMCALL_VMM:
		relay.regs[RAX] = SS_HYPERCALL_NULL_VMM;
		break;
	case WAY_MOV_CR0:
		fake_words(TS);
		relay.regs[RAX] = CR0 | TS;
		break;
	case WAY_VMFUNC:
		relay.vmfunc.services.enabled = 1;
		relay.vmfunc.enabled = true;
		relay.vmfunc.function_controls = 1;
		relay.regs[RCX] = 512;
		break;
	case WAY_XSETBV:
		relay.regs[RAX] = 1;
		break;
	default:
		break;
	}
}

static void whoever_completes_an_instruction_ends_it_alike(void **state)
{
	(void)state;
	for (int way = 0; way < WAYS; way++)
		for (uint64_t length = 1; length <= LENGTH_MAX; length++)
			for (unsigned run = 0; run < 2 * 2 * 2 * 16; run++) {
				uint64_t flags = FLAGS | (run & 1 ? TF : 0) | (run & 2 ? RF : 0);
				bool trap = run & 1 && !(run & 4);

				prepare(way, flags, run >> 3, length);
				fake.field[VMCS_guest_ia32_debugctl] = run & 4 ? 2 : 1;
				fake.field[VMCS_guest_pending_dbg_exceptions] = 1;
				relay_vmx_exit(&relay);
				assert_int_equal(get(VMCS_guest_rip), RIP + length);
				assert_int_equal(get(VMCS_guest_rflags), flags & ~(uint64_t)RF);
				assert_int_equal(get(VMCS_guest_interruptibility_info),
						 run >> 3 & ~(STI | MOV_SS));
				assert_int_equal(get(VMCS_guest_pending_dbg_exceptions), trap ? BS | 1 : 1);
				assert_int_equal(fake.writes[VMCS_vm_entry_intr_info_field], 0);
			}
}

static void eip_has_32_bits_outside_64_bit_mode(void **state)
{
	static const struct {
		uint64_t rights, rip, behind;
	} rows[] = {
		{RIGHTS_64, 0xfffffffe, 0x100000000},
		{RIGHTS_32, 0xfffffffe, 0},
		{RIGHTS_64, 0x7ffffffe, 0x80000000},
		{RIGHTS_32, 0x7ffffffe, 0x80000000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(EXIT_CPUID, FLAGS, 0, 2);
		fake.field[VMCS_guest_rip] = rows[i].rip;
		fake.field[VMCS_guest_cs_ar_bytes] = rows[i].rights;
		relay_vmx_exit(&relay);
		assert_int_equal(get(VMCS_guest_rip), rows[i].behind);
	}
}

/* An access to any other field than those that KVM has in a shadow VMCS is an exit. */
static void the_usual_exit_touches_few_fields(void **state)
{
	static const enum vmcs_field usual[] = {VMCS_vm_exit_reason, VMCS_guest_rip, VMCS_guest_rflags,
						VMCS_guest_interruptibility_info,
						VMCS_vm_exit_instruction_len};

	(void)state;
	for (int way = WAY_CPUID; way <= WAY_VMCALL; way++) {
		unsigned reads = 0, writes = 0;

		prepare(way, FLAGS, 0, 3);
		relay_vmx_exit(&relay);
		for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
			assert_int_equal(fake.reads[usual[i]], 1);
		for (unsigned field = 0; field < FIELDS; field++) {
			reads += fake.reads[field];
			writes += fake.writes[field];
		}
		assert_int_equal(reads, ARRAY_SIZE(usual));
		assert_int_equal(writes, 1);
		assert_int_equal(fake.writes[VMCS_guest_rip], 1);
	}
}

/* A fault that the relay raises, or the VMM through it, is one to the guest: RF in what it pushes. */
static void faults_set_rf_and_stay_at_the_instruction(void **state)
{
	(void)state;
	prepare(WAY_VMFUNC, FLAGS | TF, STI, 3);
	relay.vmfunc.services.enabled = 0;
	relay_vmx_exit(&relay);
	assert_int_equal(get(VMCS_vm_entry_intr_info_field), UD_INJECTED);
	assert_int_equal(get(VMCS_guest_rflags), FLAGS | TF | RF);
	assert_int_equal(get(VMCS_guest_rip), RIP);
	assert_int_equal(get(VMCS_guest_pending_dbg_exceptions), 0);

	prepare(WAY_VIOLATION, FLAGS, 0, 3);
	fake.vmm = vmm_injects;
	relay_vmx_exit(&relay);
	assert_int_equal(get(VMCS_guest_rflags), FLAGS | RF);
	assert_int_equal(get(VMCS_guest_rip), RIP);
	assert_int_equal(get(VMCS_vm_entry_exception_error_code), 7);
	assert_int_equal(fake.cr2, 0x1234);
}

static unsigned calls;

static void vmm_counts(struct relay_vcpu *vcpu)
{
	calls++;
	vcpu->action = RELAY_STEP;
}

static uint64_t set_disposition(uint32_t index, uint64_t disposition)
{
	struct interrupts kept = relay.interrupts;

	start(EXIT_VMFUNC, FLAGS, 0, 3);
	relay.interrupts = kept;
	fake.vmm = vmm_counts;
	relay.vmfunc.enabled = true;
	relay.vmfunc.services.enabled = 1 << SS_SERVICE_INTERRUPT;
	relay.regs[RAX] = SS_SERVICE_INTERRUPT;
	relay.regs[RCX] = index;
	relay.regs[RDX] = disposition;
	calls = 0;
	relay_vmx_exit(&relay);
	assert_int_equal(get(VMCS_guest_rip), RIP + 3);
	assert_int_equal(ring[0].service, service_code(SS_SERVICE_INTERRUPT, SERVICE_PERFORM));
	return relay.regs[RAX];
}

/* Every vector: nobody is asked unless one is pending, or the parameters are in memory. */
static void dispositions_are_set_without_the_vmm(void **state)
{
	enum interrupt_event event;

	(void)state;
	interrupts_init(&relay.interrupts);
	for (uint32_t vector = 0; vector < 300; vector++)
		for (uint64_t to = 0; to < 6; to++) {
			const bool known = vector >= 32 && vector < 256 && to >= SS_INTERRUPT_DELIVER &&
					   to <= SS_INTERRUPT_DROP;

			assert_int_equal(set_disposition(vector, to), known ? 0 : EINVAL_RESULT);
			assert_int_equal(calls, 0);
			if (known)
				assert_int_equal(relay.interrupts.disposition[vector], to);
		}
	assert_int_equal(set_disposition(0x50, UINT64_C(1) << 32 | SS_INTERRUPT_DELIVER), EINVAL_RESULT);
	set_disposition(SS_SERVICE_IN_MEMORY, SS_INTERRUPT_HOLD);
	assert_int_equal(calls, 1);
	assert_int_equal(set_disposition(0x50, SS_INTERRUPT_HOLD), 0);
	interrupts_raise(&relay.interrupts, 0x50, &event);
	set_disposition(0x50, SS_INTERRUPT_DELIVER);
	assert_int_equal(calls, 1);
	assert_int_equal(relay.interrupts.disposition[0x50], SS_INTERRUPT_HOLD);
	assert_int_equal(set_disposition(0x51, SS_INTERRUPT_HOLD), 0);
	assert_int_equal(calls, 0);
}

static struct relay_changes changes;
static uint64_t root_entry;

static uint64_t set_rights(uint64_t view, uint32_t region, uint64_t rights)
{
	start(EXIT_VMFUNC, FLAGS, 0, 3);
	fake.vmm = vmm_counts;
	relay.vmfunc.enabled = true;
	relay.vmfunc.services.enabled = 1 << SS_SERVICE_MAP;
	relay.changes = (uint64_t)(uintptr_t)&changes;
	relay.regs[RAX] = SS_SERVICE_MAP;
	relay.regs[RCX] = region;
	relay.regs[RDX] = view;
	relay.regs[RBX] = rights;
	calls = 0;
	relay_vmx_exit(&relay);
	assert_int_equal(get(VMCS_guest_rip), RIP + 3);
	assert_int_equal(ring[0].service, service_code(SS_SERVICE_MAP, SERVICE_PERFORM));
	return relay.regs[RAX];
}

static void expect_made(uint64_t view, uint32_t region, uint64_t rights, uint64_t entry)
{
	assert_int_equal(set_rights(view, region, rights), 0);
	assert_int_equal(calls, 0);
	assert_int_equal(root_entry, entry);
	assert_int_equal(relay.untold, 1);
	assert_int_equal(ring[0].wanted, relay_told((uint32_t)view, (uint32_t)rights));
}

static void expect_asked(uint64_t view, uint32_t region, uint64_t rights)
{
	const uint64_t before = root_entry;

	set_rights(view, region, rights);
	assert_int_equal(calls, 1);
	assert_int_equal(root_entry, before);
	assert_int_equal(relay.untold, 0);
	assert_int_equal(ring[0].wanted, 0);
}

/* An entry is what it was before in spite of the processor's marks in it. */
static void rights_that_the_vmm_has_set_before_are_set_without_it(void **state)
{
	const uint64_t entry = (uint64_t)(uintptr_t)&root_entry, accessed = 0x120;

	(void)state;
	changes = (struct relay_changes){
		3,
		{{entry, 0xc2001007, 0xc2002007, 1, 5, 1},
		 {entry, 0xc2002007, 0xc2001007, 1, 5, 7},
		 {entry, 0xc2001007, 0xc2001007, 1, 5, 7}},
	};
	root_entry = 0xc2001007 | accessed;
	expect_made(1, 5, 1, 0xc2002007);
	expect_asked(1, 5, 1);
	root_entry |= accessed;
	expect_made(1, 5, 7, 0xc2001007);
	expect_made(1, 5, 7, 0xc2001007);
	expect_asked(0, 5, 1);
	expect_asked(1, 4, 1);
	expect_asked(1, 5, 3);
	expect_asked(UINT64_C(1) << 32 | 1, 5, 1);
	expect_asked(1, 5, UINT64_C(1) << 32 | 1);
	root_entry = 0xc2003007;
	expect_asked(1, 5, 1);
	expect_asked(1, 5, 7);
	root_entry = 0xc2001007;
	changes.changes[0].region = SS_SERVICE_IN_MEMORY;
	expect_asked(1, SS_SERVICE_IN_MEMORY, 1);
	changes.changes[0].region = 5;
	changes.count = 0;
	expect_asked(1, 5, 1);
	/* As many as there is room for, however many there were. */
	changes.changes[RELAY_CHANGES_MAX - 1] = changes.changes[0];
	changes.changes[0] = (struct relay_change){entry, 0, 0, 0, 0, 0};
	changes.count = UINT64_MAX;
	for (unsigned i = 0; i + 1 < RELAY_CHANGES_MAX; i++)
		changes.changes[i] = changes.changes[0];
	expect_made(1, 5, 1, 0xc2002007);
	root_entry = 0xc2003007;
	expect_asked(1, 5, 1);
}

static void vmm_empties_the_ring(struct relay_vcpu *vcpu)
{
	assert_int_equal(vcpu->reason, RELAY_REASON_RING_FULL);
	calls++;
	vcpu->tail = vcpu->head;
}

static void a_ring_without_room_is_emptied_before_the_next_record(void **state)
{
	(void)state;
	for (unsigned room = 0; room < 3; room++) {
		start(EXIT_CPUID, FLAGS, 0, 2);
		fake.vmm = vmm_empties_the_ring;
		relay.head = RELAY_RING_RECORDS + 3;
		relay.tail = 3 + room;
		ring[3] = (struct relay_record){0};
		calls = 0;
		relay_vmx_exit(&relay);
		assert_int_equal(calls, room == 0);
		assert_int_equal(relay.head, RELAY_RING_RECORDS + 4);
		assert_int_equal(ring[3].reason, EXIT_CPUID);
		assert_int_equal(get(VMCS_guest_rip), RIP + 2);
	}
}

static void vmm_switches(struct relay_vcpu *vcpu)
{
	vmm_counts(vcpu);
	vcpu->view = 2;
}

/* The mode is read only where it matters; what exits goes to the VMM, whose view is loaded. */
static void what_exits_reaches_the_vmm(void **state)
{
	static const uint64_t list[EPTP_LIST_ENTRIES] = {0x1000, 0x2000};

	(void)state;
	for (unsigned run = 0; run < 8; run++) {
		const bool conditional = run & 1, allowed = run & 2, exits = run & 4;

		start(EXIT_VMFUNC, FLAGS, 0, 3);
		fake.vmm = vmm_switches;
		relay.vmfunc.enabled = true;
		relay.vmfunc.list = list;
		relay.vmfunc.services = (struct service_table){.enabled = 2, .mode64 = conditional ? 2 : 0,
							       .exits = exits ? 2 : 0};
		relay.regs[RAX] = 1;
		fake.field[VMCS_guest_cs_ar_bytes] = allowed ? RIGHTS_64 : RIGHTS_32;
		calls = 0;
		relay_vmx_exit(&relay);
		assert_int_equal(calls, allowed || exits || !conditional);
		assert_int_equal(get(VMCS_vm_entry_intr_info_field), calls ? 0 : GP_INJECTED);
		assert_int_equal(get(VMCS_ept_pointer), calls ? 0x2000 : 0);
		assert_int_equal(fake.reads[VMCS_guest_cs_ar_bytes], conditional);
		if (calls)
			assert_int_equal(relay.service >> 8, allowed || !conditional
								     ? SERVICE_PERFORM
								     : SERVICE_EXIT_FORBIDDEN);
	}
}

/* Writes CR0 with TS and `masked` in the shadow, all else owned. */
static bool faults_on_cr0(uint64_t value, uint64_t masked, uint64_t rights)
{
	start(EXIT_CR_ACCESS, FLAGS, 0, 3);
	fake.field[VMCS_exit_qualification] = MOV_CR0_RAX;
	fake.field[VMCS_guest_cs_ar_bytes] = rights;
	fake_words(TS | masked);
	relay.cr0.words.shadow = CR0 & masked;
	relay.regs[RAX] = value;
	relay_vmx_exit(&relay);
	if (get(VMCS_guest_rip) == RIP + 3)
		return false;
	assert_int_equal(get(VMCS_guest_rip), RIP);
	assert_int_equal(get(VMCS_vm_entry_intr_info_field), GP_INJECTED);
	assert_int_equal(get(VMCS_guest_cr0), CR0);
	assert_int_equal(relay.cr0.words.shadow, CR0 & masked);
	return true;
}

static void what_vmx_fixes_in_cr0_is_gp_in_the_register_only(void **state)
{
	(void)state;
	assert_false(faults_on_cr0(CR0 | TS, 0, RIGHTS_64));
	assert_true(faults_on_cr0((CR0 & ~NE) | TS, 0, RIGHTS_64));
	assert_true(faults_on_cr0((CR0 & ~UINT64_C(1)) | TS, 0, RIGHTS_64));
	/* A shadow that says otherwise is no register. */
	assert_false(faults_on_cr0((CR0 & ~NE) | TS, NE, RIGHTS_64));
	assert_int_equal(get(VMCS_guest_cr0), CR0);
	assert_int_equal(get(VMCS_cr0_read_shadow) & (NE | TS), TS);
	relay.cr0.fixed1 = UINT32_MAX;
}

static void mov_to_cr0_has_32_bits_outside_64_bit_mode(void **state)
{
	const uint64_t stale = UINT64_C(0x1234) << 32;

	(void)state;
	assert_true(faults_on_cr0(stale | CR0 | TS, 0, RIGHTS_64));
	assert_false(faults_on_cr0(stale | CR0 | TS, 0, RIGHTS_32));
	assert_int_equal(get(VMCS_cr0_read_shadow) & TS, TS);
}

/* After any number of toggles a kept flag has reached the shadow alone, an owned one the register alone. */
static void a_kept_flag_never_reaches_the_register(void **state)
{
	(void)state;
	start(EXIT_CR_ACCESS, FLAGS, 0, 3);
	fake_words(TS);
	for (unsigned toggles = 1; toggles <= 5; toggles++) {
		relay.regs[RAX] = CR0 ^ (toggles & 1 ? TS : 0);
		fake.field[VMCS_guest_rip] = RIP;
		relay_vmx_exit(&relay);
		assert_int_equal(get(VMCS_guest_cr0), CR0);
		assert_int_equal(fake.writes[VMCS_guest_cr0], 0);
		assert_int_equal(get(VMCS_cr0_read_shadow) & TS, toggles & 1 ? TS : 0);
	}
}

static bool asked;

static void vmm_is_asked(struct relay_vcpu *vcpu)
{
	asked = true;
	vcpu->action = RELAY_RESUME;
}

static void mov_to_cr4_goes_by_its_words(void **state)
{
	const uint64_t loaded = CR4_PAE | CR4_VMXE | 0x600, seen = CR4_PAE | 0x600;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cr4_rows); i++) {
		const struct cr4_row *row = &cr4_rows[i];
		const bool nothing = row->faults || row->asks;

		start(EXIT_CR_ACCESS, FLAGS, 0, 3);
		fake_cr4_words(CR4_VMXE);
		fake.vmm = vmm_is_asked;
		asked = false;
		fake.field[VMCS_exit_qualification] = 4;
		fake.field[VMCS_guest_cr4] = loaded;
		fake.field[VMCS_guest_cr3] = row->cr3;
		fake.field[VMCS_cr4_read_shadow] = seen;
		relay.regs[RAX] = seen ^ row->inverted;
		relay_vmx_exit(&relay);
		assert_int_equal(asked, row->asks);
		assert_int_equal(get(VMCS_vm_entry_intr_info_field), row->faults ? GP_INJECTED : 0);
		assert_int_equal(get(VMCS_guest_rip), nothing ? RIP : RIP + 3);
		assert_int_equal(get(VMCS_guest_cr4), nothing ? loaded : loaded ^ (row->inverted & ~CR4_TSD));
		assert_int_equal(get(VMCS_cr4_read_shadow), nothing ? seen : seen ^ row->inverted);
		assert_int_equal(relay.cr4.words.shadow, nothing ? 0 : row->inverted & CR4_TSD);
	}
}

static void cpuid_shows_flags_of_the_guests_cr4(void **state)
{
	static const struct {
		uint32_t leaf, subleaf, ours, guests;
		uint64_t cr4;
	} rows[] = {
		/* VMX is hidden as well. */
		{1, 0, 1u << 27 | 1u << 5, 1, 0},
		{1, 0, 1u << 5, 1u << 27 | 1, CR4_OSXSAVE},
		{7, 0, 1u << 4, 1, CR4_OSXSAVE},
		{7, 0, 0, 1u << 4 | 1, CR4_PKE},
		{7, 1, 1u << 4, 1u << 4 | 1, 0},
		{2, 0, 1u << 27, 1u << 27 | 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(EXIT_CPUID, FLAGS, 0, 2);
		fake_cpuid = (struct cpuid_registers){.ecx = rows[i].ours | 1};
		fake.field[VMCS_guest_cr4] = rows[i].cr4;
		relay.regs[RAX] = rows[i].leaf;
		relay.regs[RCX] = rows[i].subleaf;
		relay_vmx_exit(&relay);
		assert_int_equal(relay.regs[RCX], rows[i].guests);
	}
}

static void xsetbv_is_carried_out_where_it_is_legal(void **state)
{
	/* Leaf 0xd of the fake has x87, SSE, AVX, AVX-512, PKRU and AMX. */
	static const struct {
		uint64_t value;
		uint32_t index;
		bool legal;
	} rows[] = {
		{1, 0, true},	    {3, 0, true},	{7, 0, true},	     {0xe7, 0, true},
		{0x201, 0, true},   {0x602e7, 0, true}, {0x60001, 0, true},  {0, 0, false},
		{2, 0, false},	    {5, 0, false},	{0x1f, 0, false},    {0x19, 0, false},
		{0xe3, 0, false},   {0x27, 0, false},	{0x67, 0, false},    {0x20001, 0, false},
		{0x100001, 0, false}, {1, 1, false},	{1, 0x80000000, false},
		{UINT64_C(1) << 62 | 1, 0, false},	{UINT64_C(1) << 32 | 1, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		prepare(WAY_XSETBV, FLAGS, 0, 3);
		/* Upper halves do not count. */
		relay.regs[RAX] = (uint32_t)rows[i].value | UINT64_C(1) << 40;
		relay.regs[RDX] = rows[i].value >> 32 | UINT64_C(1) << 40;
		relay.regs[RCX] = rows[i].index | UINT64_C(1) << 40;
		relay_vmx_exit(&relay);
		assert_int_equal(fake.xcr0_writes, rows[i].legal);
		assert_int_equal(fake.xcr0, rows[i].legal ? rows[i].value : 0);
		assert_int_equal(get(VMCS_guest_rip), rows[i].legal ? RIP + 3 : RIP);
		assert_int_equal(get(VMCS_vm_entry_intr_info_field), rows[i].legal ? 0 : GP_INJECTED);
	}
}

static void a_guest_that_yields_gets_its_answer_first(void **state)
{
	(void)state;
	start(EXIT_VMCALL, FLAGS, 0, 3);
	relay.regs[RAX] = SS_HYPERCALL_YIELD;
	assert_ptr_equal(relay_vmx_exit(&relay), &relay);
	assert_int_equal(relay.regs[RAX], ENOSYS_RESULT);
	start(EXIT_VMCALL, FLAGS, 0, 3);
	fake_share();
	relay.regs[RAX] = SS_HYPERCALL_NULL;
	assert_ptr_equal(relay_vmx_exit(&relay), &relay);
	relay.regs[RAX] = SS_HYPERCALL_YIELD;
	fake.field[VMCS_guest_rip] = RIP;
	assert_ptr_equal(relay_vmx_exit(&relay), &neighbour);
	assert_int_equal(relay.regs[RAX], 0);
	assert_int_equal(get(VMCS_guest_rip), RIP + 3);
	assert_int_equal(switches, 1);
	assert_int_equal(fake.loaded, neighbour.control);
}

/* The event that an NMI cuts short comes when it is the guest's turn again, and the exit is of no operation. */
static void an_nmi_gives_the_processor_to_the_next_guest(void **state)
{
	static const struct {
		uint32_t info;
		bool has_code;
	} rows[] = {{0, false}, {0x80000050, false}, {0x80000b0e, true}, {0x80000480, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(EXIT_EXCEPTION_OR_NMI, FLAGS, 0, 2);
		fake_share();
		marker.operation = 7;
		fake.field[VMCS_idt_vectoring_info_field] = rows[i].info | (rows[i].info ? 0x1000 : 0);
		fake.field[VMCS_idt_vectoring_error_code] = 5;
		assert_ptr_equal(relay_vmx_exit(&relay), &neighbour);
		assert_int_equal(get(VMCS_vm_entry_intr_info_field), rows[i].info);
		assert_int_equal(get(VMCS_vm_entry_exception_error_code), rows[i].has_code ? 5 : 0);
		assert_int_equal(get(VMCS_vm_entry_instruction_len), rows[i].info ? 2 : 0);
		assert_int_equal(get(VMCS_guest_rip), RIP);
		assert_int_equal(ring[0].operation, RELAY_OPERATION_TAKEN);
		marker.operation = 0;
	}
}

static void a_guest_that_has_ended_runs_no_more(void **state)
{
	(void)state;
	prepare(WAY_VMCALL_VMM, FLAGS, 0, 3);
	fake_share();
	assert_ptr_equal(relay_vmx_exit(&relay), &relay);
	prepare(WAY_VMCALL_VMM, FLAGS, 0, 3);
	fake_share();
	relay.gone = 1;
	assert_ptr_equal(relay_vmx_exit(&relay), &neighbour);
}

static struct relay_vcpu *asked_for; /* whose exit the VMM has last answered */

static void vmm_looks(struct relay_vcpu *vcpu)
{
	asked_for = vcpu;
}

/* Who comes to run with interrupts pending has the VMM ask KVM for a window again. */
static void a_pending_interrupt_is_asked_for_when_its_guest_comes_to_run(void **state)
{
	(void)state;
	for (unsigned pending = 0; pending < 2; pending++) {
		start(EXIT_EXCEPTION_OR_NMI, FLAGS, 0, 2);
		fake_share();
		neighbour.interrupts.pending[1] = pending;
		neighbour.interrupts.disposition[64] = SS_INTERRUPT_DELIVER;
		fake.vmm = vmm_looks;
		asked_for = NULL;
		assert_ptr_equal(relay_vmx_exit(&relay), &neighbour);
		assert_ptr_equal(asked_for, pending ? &neighbour : NULL);
		assert_int_equal(neighbour.reason, pending ? RELAY_REASON_TURN : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_completes_an_instruction_ends_it_alike),
		cmocka_unit_test(eip_has_32_bits_outside_64_bit_mode),
		cmocka_unit_test(the_usual_exit_touches_few_fields),
		cmocka_unit_test(faults_set_rf_and_stay_at_the_instruction),
		cmocka_unit_test(dispositions_are_set_without_the_vmm),
		cmocka_unit_test(rights_that_the_vmm_has_set_before_are_set_without_it),
		cmocka_unit_test(a_ring_without_room_is_emptied_before_the_next_record),
		cmocka_unit_test(what_exits_reaches_the_vmm),
		cmocka_unit_test(what_vmx_fixes_in_cr0_is_gp_in_the_register_only),
		cmocka_unit_test(mov_to_cr0_has_32_bits_outside_64_bit_mode),
		cmocka_unit_test(a_kept_flag_never_reaches_the_register),
		cmocka_unit_test(mov_to_cr4_goes_by_its_words),
		cmocka_unit_test(cpuid_shows_flags_of_the_guests_cr4),
		cmocka_unit_test(xsetbv_is_carried_out_where_it_is_legal),
		cmocka_unit_test(a_guest_that_yields_gets_its_answer_first),
		cmocka_unit_test(an_nmi_gives_the_processor_to_the_next_guest),
		cmocka_unit_test(a_guest_that_has_ended_runs_no_more),
		cmocka_unit_test(a_pending_interrupt_is_asked_for_when_its_guest_comes_to_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
