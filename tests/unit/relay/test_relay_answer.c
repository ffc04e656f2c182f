/* SPDX-License-Identifier: GPL-2.0-only */
/* What the VMM and the bare monitor have in common: what an exit is about, by the tables of the manuals, and writes of
 * control registers that the VMM carries out. */
#include "tests/unit/cmocka_prelude.h"

#include <string.h>

#include "guestfw/relay/answer.h"
#include "guestfw/relay/events.h"
#include "views/control.h"
#include "views/effect.h"
#include "views/policy.h"

#define VALID 0x80000000u
#define TS UINT64_C(8)
#define MP UINT64_C(2)
#define DE UINT64_C(8)
#define TSD UINT64_C(4)
#define CR0 UINT64_C(0x80000031)
#define CR4 UINT64_C(0x620)

/* Types of an event (Intel SDM vol. 3C, table 25-17; AMD APM vol. 2, 15.20). */
enum { TYPE_INTERRUPT = 0, TYPE_NMI = 2, TYPE_EXCEPTION = 3, TYPE_SOFTWARE = 4, TYPE_PRIVILEGED = 5,
       TYPE_SOFTWARE_EXCEPTION = 6 };

static uint64_t during(unsigned type, unsigned vector)
{
	return fault_during(VALID | type << 8 | vector);
}

/* Intel SDM vol. 3A, table 6-5, the column of page faults: only behind one of its own class, which #VE belongs to, it is a
 * double fault, and behind a double fault the end. */
static void a_page_fault_during_an_exception(void **state)
{
	(void)state;
	for (unsigned vector = 0; vector < 32; vector++) {
		const uint64_t got = during(TYPE_EXCEPTION, vector);

		if (vector == 8)
			assert_true(got == NO_VECTOR);
		else
			assert_int_equal(got, vector == 14 || vector == 20 ? 8 : 14);
	}
}

/* No exception has been raised yet: interrupts, NMIs and what an instruction asks for are benign. */
static void a_page_fault_during_anything_else_is_one(void **state)
{
	static const unsigned types[] = {TYPE_INTERRUPT, 1, TYPE_NMI, TYPE_SOFTWARE, TYPE_PRIVILEGED, TYPE_SOFTWARE_EXCEPTION, 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		for (unsigned vector = 0; vector < 256; vector++)
			assert_int_equal(during(types[i], vector), 14);
	for (unsigned vector = 0; vector < 256; vector++)
		assert_int_equal(fault_during(TYPE_EXCEPTION << 8 | vector), 14);
	assert_int_equal(fault_during(0), 14);
}

/* Whether it had an error code, and reserved bits, says nothing of it. */
static void only_vector_type_and_valid_count(void **state)
{
	(void)state;
	for (unsigned bit = 11; bit < 31; bit++) {
		assert_true(fault_during(VALID | 1u << bit | TYPE_EXCEPTION << 8 | 8) == NO_VECTOR);
		assert_int_equal(fault_during(VALID | 1u << bit | TYPE_EXCEPTION << 8 | 14), 8);
		assert_int_equal(fault_during(VALID | 1u << bit | TYPE_EXCEPTION << 8 | 13), 14);
	}
}

/* Intel SDM vol. 3C, table 28-7: bits 0, 1 and 2 are the access, 7 and 8 say what of the linear address. What the
 * processor does to set a flag in a table is a read and a write. */
static void the_qualification_of_an_ept_violation(void **state)
{
	(void)state;
	for (unsigned bits = 1; bits < 8; bits++) {
		const unsigned access = bits & 2 ? VIEW_WRITE : bits & 4 ? VIEW_EXECUTE : VIEW_READ;

		/* What the view grants, in bits 5:3, is none of it. */
		for (unsigned others = 0; others < 8; others++)
			assert_int_equal(vmx_access(bits | others << 3), access);
	}
	for (uint64_t q = 0; q < 8; q++) {
		const uint64_t valid = q & 1, final = q >> 1 & 1;
		const uint64_t qualification = valid << 7 | final << 8 | (q >> 2 & 1);

		assert_int_equal(vmx_gla_known(qualification), valid);
		/* Bit 8 is undefined without bit 7. */
		assert_int_equal(vmx_walk(qualification), valid && !final);
	}
}

/* AMD APM vol. 2, 15.25.6: a page-fault error code, with bit 32 for the address itself and bit 33 for a walk to it. */
static void the_error_code_of_a_nested_page_fault(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 32; bits++)
		for (unsigned where = 32; where <= 33; where++) {
			const uint64_t code = bits | UINT64_C(1) << where;

			assert_int_equal(svm_access(code), bits & 2 ? VIEW_WRITE : bits & 16 ? VIEW_EXECUTE : VIEW_READ);
			assert_int_equal(svm_walk(code), where == 33);
		}
}

/* Intel SDM vol. 3C, table 28-3: bits 3:0 are the register. */
static void accesses_of_other_control_registers_are_not_made(void **state)
{
	(void)state;
	for (uint64_t number = 0; number < 16; number++)
		for (uint64_t others = 0; others < 0x1000; others += 0x10)
			assert_int_equal(vmx_register_event(others | number), number == 0   ? EVENT_CR0_WRITE
									      : number == 4 ? EVENT_CR4_WRITE
											    : EVENT_PROTECTED);
}

/* Intel SDM vol. 3A, 4.7: P, W/R, U/S and I/D. */
static void the_error_code_of_a_page_fault_for_a_view(void **state)
{
	static const unsigned accesses[] = {VIEW_READ, VIEW_WRITE, VIEW_EXECUTE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++)
		for (unsigned user = 0; user < 2; user++)
			for (unsigned walk = 0; walk < 2; walk++) {
				const uint32_t got = view_fault_code(accesses[i], walk, user);

				assert_int_equal(got & 1, 1);
				assert_int_equal(got >> 1 & 1, accesses[i] == VIEW_WRITE && !walk);
				assert_int_equal(got >> 2 & 1, user);
				assert_int_equal(got >> 4 & 1, accesses[i] == VIEW_EXECUTE);
				assert_int_equal(got & ~0x17u, 0);
			}
}

/* The guest owns all flags but these, of which `kept` stay in the shadow, and of the others the VMM is asked. */
static struct relay_vcpu with_masks(uint64_t masked, uint64_t kept)
{
	struct relay_vcpu relay = {
		.cr0 = {.words = {.embodiment = SS_EMBODIMENT_TWO_WORDS, .value = CR0, .shadow = CR0}, .fixed1 = UINT32_MAX},
		.cr4 = {.words = {.embodiment = SS_EMBODIMENT_TWO_WORDS, .value = CR4, .shadow = CR4}, .fixed1 = UINT32_MAX},
	};

	flags_encode(SS_EMBODIMENT_TWO_WORDS, FLAGS_ALL & ~masked, kept, FLAGS_ALL, relay.cr0.words.words);
	flags_encode(SS_EMBODIMENT_TWO_WORDS, FLAGS_ALL & ~masked, kept, FLAGS_ALL, relay.cr4.words.words);
	return relay;
}

static void a_flag_in_no_place_goes_to_the_register(void **state)
{
	static const struct {
		unsigned number;
		uint64_t base, asked, kept;
	} rows[] = {{0, CR0, TS, MP}, {4, CR4, DE, TSD}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned set = 0; set < 4; set++) {
			struct relay_vcpu relay = with_masks(rows[i].asked | rows[i].kept, rows[i].kept);
			const struct ss_flag_words *words = rows[i].number == 4 ? &relay.cr4.words : &relay.cr0.words;
			const struct relay_vcpu before = relay;
			uint64_t value = 0;

			relay.wanted = rows[i].base | (set & 1 ? rows[i].asked : 0) | (set & 2 ? rows[i].kept : 0);
			assert_int_equal(relay_answer_write(&relay, rows[i].number, 0, &value), 1);
			assert_int_equal(value, rows[i].base | (set & 1 ? rows[i].asked : 0));
			assert_int_equal(words->shadow & rows[i].kept, set & 2 ? rows[i].kept : 0);
			/* The other register is none of it. */
			assert_memory_equal(rows[i].number == 4 ? &relay.cr0 : &relay.cr4,
					    rows[i].number == 4 ? &before.cr0 : &before.cr4, sizeof(before.cr0));
		}
}

static void a_flag_in_no_place_is_refused_and_nothing_has_changed(void **state)
{
	static const unsigned numbers[] = {0, 4};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct relay_vcpu relay = with_masks(TS | MP | TSD, MP | TSD), before;
		uint64_t value = 77;

		relay.wanted = (numbers[i] ? CR4 : CR0) | TS | MP | TSD;
		before = relay;
		assert_int_equal(relay_answer_write(&relay, numbers[i], 1, &value), 0);
		assert_int_equal(value, 77);
		assert_memory_equal(&relay, &before, sizeof(relay));
		/* A write that changes none of these is carried out. */
		relay.wanted = (numbers[i] ? CR4 : CR0) | MP | TSD;
		assert_int_equal(relay_answer_write(&relay, numbers[i], 1, &value), 1);
	}
}

/* Intel SDM vol. 2B, MOV to control registers: NW without CD, PE or PG off in 64-bit mode, a reserved half. */
static void what_the_processor_does_not_load_is_refused(void **state)
{
	static const uint64_t illegal[] = {CR0 | CR0_NW, CR0 & ~UINT64_C(1), CR0 & ~(uint64_t)CR0_PG, CR0 | UINT64_C(1) << 32};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(illegal); i++) {
		struct relay_vcpu relay = with_masks(FLAGS_ALL, 0), before;

		relay.wanted = illegal[i];
		before = relay;
		assert_int_equal(relay_answer_write(&relay, 0, 0, &value), 0);
		assert_memory_equal(&relay, &before, sizeof(relay));
	}
	/* What VMX operation fixes, in the register (Intel SDM vol. 3D, A.7). */
	for (int fixed1 = 0; fixed1 < 2; fixed1++) {
		struct relay_vcpu relay = with_masks(TS, 0);

		relay.wanted = fixed1 ? CR0 | TS : CR0;
		relay.cr0.fixed0 = fixed1 ? 0 : TS;
		relay.cr0.fixed1 = fixed1 ? UINT32_MAX & ~TS : UINT32_MAX;
		assert_int_equal(relay_answer_write(&relay, 0, 0, &value), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_fault_during_an_exception),
		cmocka_unit_test(a_page_fault_during_anything_else_is_one),
		cmocka_unit_test(only_vector_type_and_valid_count),
		cmocka_unit_test(the_qualification_of_an_ept_violation),
		cmocka_unit_test(the_error_code_of_a_nested_page_fault),
		cmocka_unit_test(accesses_of_other_control_registers_are_not_made),
		cmocka_unit_test(the_error_code_of_a_page_fault_for_a_view),
		cmocka_unit_test(a_flag_in_no_place_goes_to_the_register),
		cmocka_unit_test(a_flag_in_no_place_is_refused_and_nothing_has_changed),
		cmocka_unit_test(what_the_processor_does_not_load_is_refused),
	};

	return cmocka_run_group_tests_name("relay_answer", tests, NULL, NULL);
}
