/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep test --random: programs of CR0 or CR4 accesses and FPU instructions against the reference model. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/input_file.h"
#include "vmm/command/commands.h"
#include "vmm/command/session.h"
#include "vmm/plan/needs.h"
#include "vmm/service/differential.h"
#include "vmm/table/json.h"

#define RANDOM_VERSION 1

static int read_replay(struct differential *run, const char *path, struct error *error)
{
	/* Read as it comes, to its end or until --timeout: whoever makes the program may still be at it. */
	FILE *file = input_is_stdin(path) ? stdin : fopen(path, "r");
	int rc;

	if (!file)
		return error_set(error, -errno, STATUS_USAGE, "%s: %s; name a file with a program", path, strerror(errno));
	rc = differential_read(file, path, &run->given, error);
	if (file != stdin)
		fclose(file);
	run->replay = true;
	return rc;
}

/* What a run with this engine cannot do. */
static int check_masks(const struct differential *run, const struct plan *plan, struct error *error)
{
	if (!run->replay)
		return 0;
	for (uint32_t i = 0; i < run->given.count; i++)
		if (run->given.steps[i].insn == SS_INSN_VMCALL && !plan->share_vcpu)
			return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
					 "the program yields the vCPU: needs: shared; host: no other guest "
					 "shares it; say --vms 2 --share-vcpu");
	if (run->given.masked == 0)
		return 0;
	if (plan->embodiment == SS_EMBODIMENT_SINGLE_MASK && run->given.masked & ~run->given.kept)
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "the program masks flags that it does not keep: --embodiment single-mask "
				 "keeps every flag that is not owned; choose another embodiment");
	if (engine_has_monitor(plan->engine))
		return 0;
	return error_set(error, -EOPNOTSUPP, STATUS_SKIPPED,
			 "the program masks flags: needs: masks; host: engine %s " NEEDS_NO_MASKS,
			 engine_keys[plan->engine->id]);
}

static void write_text(const struct differential *run, const struct session *session, FILE *stream)
{
	fprintf(stream, "engine %s on %s: %" PRIu64 " programs of up to %d steps, ",
		engine_keys[session->plan.engine->id], host_backend_modules[session->host.backend],
		run->performed, run->replay ? SS_PROGRAM_STEPS : DIFFERENTIAL_STEPS);
	if (!run->differed) {
		fputs("no difference from the model\n", stream);
		return;
	}
	fputs("a difference from the model\n", stream);
	fprintf(stream, "# %s\n", run->difference);
	if (!run->replay)
		fprintf(stream, "# program %" PRIu64 " of seed %" PRIu64 ", shrunk; run it again with "
				"sidestep test --engine %s --embodiment %s --on-ask %s --replay FILE\n",
			run->failed_index, run->seed, engine_keys[session->plan.engine->id],
			embodiment_keys[session->plan.embodiment], on_ask_keys[session->plan.on_ask]);
	differential_write(&run->smallest, stream);
}

static int write_json(const struct differential *run, const struct session *session, FILE *stream)
{
	json_t *root = json_begin("sidestep.random", RANDOM_VERSION);
	char *text = NULL;
	size_t size;
	FILE *memory = run->differed ? open_memstream(&text, &size) : NULL;

	json_object_set_new(root, "engine", json_string(engine_keys[session->plan.engine->id]));
	json_object_set_new(root, "backend", json_string(host_backend_keys[session->host.backend]));
	json_object_set_new(root, "seed", json_hex(run->seed));
	json_object_set_new(root, "programs", json_count(run->performed));
	json_object_set_new(root, "difference",
			    run->differed ? json_string(run->difference) : json_null());
	if (memory) {
		differential_write(&run->smallest, memory);
		fclose(memory);
	}
	json_object_set_new(root, "program", text ? json_string(text) : json_null());
	free(text);
	return json_finish(root, stream);
}

/* What output_fill() hands through. */
struct outcome {
	const struct differential *run;
	const struct session *session;
};

static int write_outcome(const void *data, const struct settings *settings, FILE *stream)
{
	const struct outcome *outcome = data;

	if (strcmp(settings->format, "json") == 0)
		return write_json(outcome->run, outcome->session, stream);
	write_text(outcome->run, outcome->session, stream);
	return 0;
}

static int perform(struct session *session, struct differential *run,
		   const struct settings *settings, struct error *error)
{
	const struct stop *why = &session->machine.why;

	if (check_masks(run, &session->plan, error) != 0)
		return error->status;
	run->environment = session_environment(session);
	if (session_run(session, true, error) != 0 ||
	    output_fill(write_outcome, &(struct outcome){run, session}, settings, &session->output, error) != 0)
		return error->status;
	if (run->differed)
		return STATUS_FAILED;
	if (why->cause != STOP_EXIT || why->status != STATUS_SUCCESS) {
		error_set(error, -EIO, why->status, "%s", why->text);
		return why->status;
	}
	return STATUS_SUCCESS;
}

int command_random(const struct settings *given)
{
	struct settings settings = *given;
	struct session session = {0};
	struct error error = {0};
	struct differential run = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.seed = given->seed,
		.count = given->random,
		.shard = given->shard - 1,
		.shards = given->shards,
	};
	int status = STATUS_USAGE;

	settings.plan.differential = &run;
	/* Only values and exits of relay and VMM are compared. */
	settings.plan.trace = TRACING_OFF;
	if (given->operand_count != 0)
		error_set(&error, -EINVAL, STATUS_USAGE,
			  "--random and --replay take no PATTERN: programs are no operations");
	else if (cli_check_format(&settings, FORMATS_PLAIN, &error) != 0 ||
		 (given->replay && read_replay(&run, given->replay, &error) != 0))
		status = error.status;
	else if (session_start(&session, &settings, STDERR_FILENO, &error) != 0)
		status = error.status;
	else
		status = perform(&session, &run, &settings, &error);
	return session_end(&session, &error, status);
}
