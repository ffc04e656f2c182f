/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/service_list.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "guestfw/abi.h"

static const struct {
	const char *name;
	unsigned number;
	unsigned privilege; /* SS_PRIVILEGE_* */
} services[] = {
#define X(name, number, key, privilege, text) {#key, number, SS_PRIVILEGE_##privilege},
	SS_SERVICES(X)
#undef X
};

static const char names[] =
#define X(name, number, key, privilege, text) ", " #key
	SS_SERVICES(X)
#undef X
	;

#define SERVICE_COUNT (sizeof(services) / sizeof(services[0]))

static void set_bit(uint64_t *word, unsigned number, bool set)
{
	*word = (*word & ~(UINT64_C(1) << number)) | (uint64_t)set << number;
}

static void enable(struct service_table *table, size_t service)
{
	unsigned number = services[service].number;

	set_bit(&table->enabled, number, true);
	set_bit(&table->cpl0, number, services[service].privilege & SS_PRIVILEGE_CPL0);
	set_bit(&table->home, number, services[service].privilege & SS_PRIVILEGE_HOME);
}

struct service_table service_list_default(void)
{
	struct service_table table = {0};

	for (size_t i = 0; i < SERVICE_COUNT; i++)
		enable(&table, i);
	return table;
}

static bool is_word(const char *word, size_t length, const char *wanted)
{
	return strlen(wanted) == length && memcmp(word, wanted, length) == 0;
}

static int unknown(const char *text, const char *word, size_t length, struct error *error)
{
	return error_set(error, -EINVAL, STATUS_USAGE,
			 "--services: '%.*s' in '%s' is none of: none, or services by name (%s) with "
			 ":cpl0, :cpl3, :view0, :views, :long, :protected, :exit or :off",
			 (int)length, word, text, names + 2);
}

/* One word about a service: who may call it, or what becomes of other calls. */
static bool apply_word(struct service_table *table, unsigned number, const char *word,
			     size_t length)
{
	if (is_word(word, length, "cpl0") || is_word(word, length, "cpl3"))
		set_bit(&table->cpl0, number, word[3] == '0');
	else if (is_word(word, length, "view0") || is_word(word, length, "views"))
		set_bit(&table->home, number, word[4] == '0');
	else if (is_word(word, length, "long"))
		set_bit(&table->mode64, number, true);
	else if (is_word(word, length, "protected"))
		set_bit(&table->protected, number, true);
	else if (is_word(word, length, "exit"))
		set_bit(&table->exits, number, true);
	else if (is_word(word, length, "off"))
		set_bit(&table->enabled, number, false);
	else
		return false;
	return true;
}

/* One service with its words, up to a comma or the end. */
static int parse_service(const char *text, const char *item, struct service_table *table,
			 struct error *error)
{
	size_t length = strcspn(item, ":,"), service = 0;
	const char *word = item + length;

	while (service < SERVICE_COUNT && !is_word(item, length, services[service].name))
		service++;
	if (service == SERVICE_COUNT)
		return unknown(text, item, length, error);
	enable(table, service);
	while (*word == ':') {
		word++;
		length = strcspn(word, ":,");
		if (!apply_word(table, services[service].number, word, length))
			return unknown(text, word, length, error);
		word += length;
	}
	return 0;
}

int service_list_parse(const char *text, struct service_table *ret_table, struct error *error)
{
	struct service_table table = {0};
	const char *item = text;

	while (strcmp(text, "none") != 0) {
		int rc = parse_service(text, item, &table, error);

		if (rc != 0)
			return rc;
		item += strcspn(item, ",");
		if (*item == '\0')
			break;
		item++;
	}
	*ret_table = table;
	return 0;
}
