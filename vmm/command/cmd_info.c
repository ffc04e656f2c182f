/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep info: what this host offers, and why not. */
#include <errno.h>
#include <string.h>

#include "vmm/command/commands.h"
#include "vmm/command/session.h"
#include "vmm/table/json.h"

#define INFO_VERSION 1

static void print_tracepoints(FILE *stream)
{
	static const struct {
		enum trace_mode mode;
		const char *words;
	} rows[] = {{TRACING_COUNT, "counted"}, {TRACING_SAMPLE, "recorded one by one"}};
	struct trace_formats formats;

	trace_formats_load(&formats);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trace_plan plan = {.mode = rows[i].mode, .formats = &formats};
		struct trace trace;
		char reason[240];

		trace_open(&trace, &plan, reason, sizeof(reason));
		if (trace.mode == rows[i].mode)
			fprintf(stream, "          kvm tracepoints, %s%s%s\n", rows[i].words,
				reason[0] ? "; " : "", reason);
		else
			fprintf(stream, "          kvm tracepoints not %s: %s\n", rows[i].words,
				reason);
		trace_close(&trace);
	}
}

static void print_text(const struct host *host, FILE *stream)
{
	fprintf(stream, "KVM         API version %d, module %s, Linux %s\n", host->api_version,
		host_backend_modules[host->backend], host->kernel);
	fprintf(stream, "guest CPU   %s\n", host->vendor);
	fprintf(stream, "memory      %llu MiB\n", (unsigned long long)host->memory >> 20);
	for (int i = 0; i < TRAIT_COUNT; i++)
		if (host->traits >> i & 1)
			fprintf(stream, "processor   %s: %s\n", processor_trait_keys[i],
				processor_trait_meanings[i]);
	fputs("\nengines\n", stream);
	for (size_t i = 0; i < engine_count; i++) {
		const struct engine_offer offer = engine_ask(engines[i], host);

		fprintf(stream, "  %-5s %-4s %s\n", engine_keys[engines[i]->id], offer.rc == 0 ? "yes" : "no",
			offer.rc == 0 ? engine_meanings[engines[i]->id] : offer.reason);
	}
	fputs("\nevidence of exits\n", stream);
	fprintf(stream, "  l0      %s\n",
		host->capability[HOST_CAP_binary_stats_fd]
			? "KVM_GET_STATS_FD"
			: "not observed: no KVM_CAP_BINARY_STATS_FD; use Linux 5.14 or later");
	print_tracepoints(stream);
	fputs("  monitor ring of the relay, in engines that have one\n", stream);
	fputs("  vmm     run loop\n", stream);
	fputs("\njail\n", stream);
	fprintf(stream, "  seccomp  %-4s %s\n", host->jail.seccomp[0] ? "no" : "yes",
		host->jail.seccomp[0] ? host->jail.seccomp : "filters of system calls");
	fprintf(stream, "  landlock %-4s %s\n", host->jail.landlock[0] ? "no" : "yes",
		host->jail.landlock[0] ? host->jail.landlock : host->landlock);
	fputs("\ncapabilities\n", stream);
	for (int i = 0; i < HOST_CAP_COUNT; i++)
		fprintf(stream, "  %-36s %-6d %s\n", host_capability_names[i], host->capability[i],
			host_capability_uses[i]);
}

static json_t *engines_json(const struct host *host)
{
	json_t *array = json_array();

	for (size_t i = 0; i < engine_count; i++) {
		const struct engine_offer offer = engine_ask(engines[i], host);

		json_array_append_new(array, json_pack("{s:s,s:b,s:s?}", "engine", engine_keys[engines[i]->id],
						       "usable", offer.rc == 0, "reason",
						       offer.rc == 0 ? NULL : offer.reason));
	}
	return array;
}

static json_t *traits_json(const struct host *host)
{
	json_t *array = json_array();

	for (int i = 0; i < TRAIT_COUNT; i++)
		if (host->traits >> i & 1)
			json_array_append_new(array, json_string(processor_trait_keys[i]));
	return array;
}

static json_t *jail_json(const struct host *host)
{
	return json_pack("{s:b,s:i}", "seccomp", host->jail.seccomp[0] == '\0', "landlock_abi",
			 host->jail.landlock_abi);
}

static int print_json(const struct host *host, FILE *stream)
{
	json_t *root = json_begin("sidestep.info", INFO_VERSION), *capabilities = json_object();

	json_object_set_new(root, "kernel", json_string(host->kernel));
	json_object_set_new(root, "api_version", json_integer(host->api_version));
	json_object_set_new(root, "backend", json_string(host_backend_keys[host->backend]));
	json_object_set_new(root, "module", json_string(host_backend_modules[host->backend]));
	json_object_set_new(root, "guest_cpu", json_string(host->vendor));
	json_object_set_new(root, "memory_bytes", json_count(host->memory));
	json_object_set_new(root, "processor_traits", traits_json(host));
	json_object_set_new(root, "engines", engines_json(host));
	json_object_set_new(root, "jail", jail_json(host));
	for (int i = 0; i < HOST_CAP_COUNT; i++)
		json_object_set_new(capabilities, host_capability_names[i],
				    json_integer(host->capability[i]));
	json_object_set_new(root, "capabilities", capabilities);
	return json_finish(root, stream);
}

static int write_info(const void *data, const struct settings *settings, FILE *stream)
{
	if (strcmp(settings->format, "json") == 0)
		return print_json(data, stream);
	print_text(data, stream);
	return 0;
}

int command_info(const struct settings *settings)
{
	struct error error = {0};
	struct host host;

	if (settings->operand_count != 0)
		error_set(&error, -EINVAL, STATUS_USAGE, "info takes no operand");
	else if (cli_check_format(settings, FORMATS_PLAIN, &error) == 0 && host_open(&host, &error) == 0) {
		output_emit(write_info, &host, settings, &error);
		host_close(&host);
	}
	return error.text[0] ? error_report(&error) : STATUS_SUCCESS;
}
