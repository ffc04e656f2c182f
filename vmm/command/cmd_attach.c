/* SPDX-License-Identifier: GPL-2.0-only */
/* sidestep profile --pid: the exits of VMs that others run. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "vmm/attach/attachment.h"
#include "vmm/base/printable.h"
#include "vmm/base/stream.h"
#include "vmm/base/words.h"
#include "vmm/command/commands.h"
#include "vmm/command/profile_watch.h"
#include "vmm/command/session.h"
#include "vmm/output/terminal.h"
#include "vmm/run/seal.h"
#include "vmm/table/json.h"
#include "vmm/table/table.h"

struct attach_watch {
	const struct settings *settings;
	struct attachment attachment;
	struct symbol_set symbols;
	struct output output;
	struct profile_counts interval, total;
	struct utsname system;
	enum group_key by;
	bool interactive, attached;
	int keys_fd, signal_fd, signal;
	uint64_t start, last, due; /* ms */
	int failure;               /* a negative errno: the output could not be written */
};

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static int check_options(const struct settings *settings, enum group_key by, struct error *error)
{
	static const char *const known[] = {"pid",    "all",     "vcpu",   "by",     "format",
					    "output", "ledger", "symbols", "interval", "timeout", "guestkallsyms", "guestmodules"};

	for (unsigned i = 0; i < settings->given_count; i++)
		if (words_find(known, sizeof(known) / sizeof(known[0]), settings->given[i].name) < 0)
			return error_set(error, -EINVAL, STATUS_USAGE,
					 "--%s is for a guest of sidestep's own, not for --pid and --all",
					 settings->given[i].name);
	if (settings->operand_count)
		return error_set(error, -EINVAL, STATUS_USAGE, "profile takes --pid or a GUEST, not both");
	if (settings->pid_count && settings->all)
		return error_set(error, -EINVAL, STATUS_USAGE, "profile takes --pid or --all, not both");
	if (by == GROUP_OPERATION || by == GROUP_INSTRUCTION || !profile_by_known(by))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "--by %s: of somebody else's VM exits are counted by reason, rip, symbol, level or vcpu%s",
				 group_key_names[by],
				 by == GROUP_INSTRUCTION ? "; nobody can read its memory from outside, take rip" : "");
	return cli_check_format(settings, FORMATS_PROFILE, error);
}

static const char *find_symbol(const void *opaque, uint64_t address, uint64_t *ret_start)
{
	struct symbol_place place;

	if (!symbol_set_find(opaque, address, &place))
		return NULL;
	*ret_start = place.start;
	return place.name;
}

static struct cell name_of(const void *opaque, const struct profile_key *key)
{
	const struct attach_watch *watch = opaque;
	const struct followed *followed = &watch->attachment.followed;
	const uint64_t process = key->value >> 32;
	uint64_t start;

	if (watch->by == GROUP_SYMBOL)
		return cell_of_foreign(find_symbol(&watch->symbols, key->value, &start));
	/* The reader may be adding processes now, but not this one: it has counted something for it. */
	if (watch->settings->pid_count == 1)
		return cell_of_format("%" PRIu64, key->value & UINT32_MAX);
	return cell_of_format("%d:%" PRIu64, process < ATTACH_PROCESSES_MAX ? followed->processes[process].pid : 0,
			      key->value & UINT32_MAX);
}

/* Whether hardly any exit of Linux, which has the upper half of addresses, is in a function of the files. */
static bool kernel_is_elsewhere(const struct profile_table *table)
{
	uint64_t named = 0, unnamed = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct profile_row *row = &table->rows[i];

		if (row->key.value >> 63 && !row->key.nested)
			*(row->key.reason == PROFILE_SYMBOL ? &named : &unnamed) += row->count;
	}
	return unnamed > 100 * named;
}

/* What explains why there is nothing, or not what was expected. */
static void print_found(const struct attach_watch *watch, size_t count, FILE *stream)
{
	const struct followed *followed = &watch->attachment.followed;

	if (count == 0 && watch->settings->one_vcpu)
		fprintf(stream, "no vCPU with the number %" PRIu32 " was seen to run\n", watch->settings->vcpu);
	else if (count == 0)
		fputs("no vCPU was seen to run\n", stream);
	else if (followed->plan.interpreted)
		fputs("vcpu: numbers in the order in which threads were seen to run; this KVM does not tell its own\n", stream);
	if (followed->blind)
		fprintf(stream, "threads and processes that came later and could not be looked at: %u\n", followed->blind);
}

/* "process 1234 (qemu-system-x86), vcpu 0, thread 1236: 123456 exits recorded, 0 lost" */
static void vcpus_text(const void *opaque, FILE *stream)
{
	const struct attach_watch *watch = opaque;
	const struct followed *followed = &watch->attachment.followed;
	size_t count = 0;

	for (size_t i = 0; i < followed->thread_count; i++) {
		const struct attached_thread *thread = followed->threads[i];
		const struct vm_process *process = &followed->processes[thread->process];

		if (!thread->active || thread->unwanted)
			continue;
		fprintf(stream, "process %d (", process->pid);
		printable_put(stream, process->name);
		fprintf(stream, "), vcpu %" PRIu32 ", thread %d: %" PRIu64 " %s recorded, %" PRIu64 " lost\n", thread->vcpu,
			thread->id, thread->exits, followed->plan.interpreted ? "instructions" : "exits", thread->lost);
		count++;
	}
	print_found(watch, count, stream);
	if (watch->by == GROUP_SYMBOL && !watch->settings->plan.symbol_count)
		fputs("functions have no names: in the guest, as root, cat /proc/kallsyms; then --symbols FILE\n", stream);
	else if (watch->by == GROUP_SYMBOL && kernel_is_elsewhere(watch->total.table))
		fputs("hardly any exit of the guest's kernel is in a function of --symbols: is it moved (KASLR)? "
		      "take its /proc/kallsyms, or FILE@0xADDRESS with that of _text\n",
		      stream);
}

static void vcpus_json(const void *opaque, json_t *root)
{
	const struct attach_watch *watch = opaque;
	const struct followed *followed = &watch->attachment.followed;
	json_t *vcpus = json_array();

	for (size_t i = 0; i < followed->thread_count; i++) {
		const struct attached_thread *thread = followed->threads[i];
		const struct vm_process *process = &followed->processes[thread->process];

		if (!thread->active || thread->unwanted)
			continue;
		json_array_append_new(vcpus, json_pack("{s:i,s:o,s:i,s:i,s:I,s:I}", "pid", process->pid, "name",
						       json_text(process->name), "thread", thread->id, "vcpu",
						       (int)thread->vcpu, "recorded", (json_int_t)thread->exits, "lost",
						       (json_int_t)thread->lost));
	}
	json_object_set_new(root, "vcpus", vcpus);
	json_object_set_new(root, "blind", json_integer(followed->blind));
	json_object_set_new(root, "kernel", json_string(watch->system.release));
}

static int write_lines(struct attach_watch *watch, bool summary)
{
	const bool interpreted = watch->attachment.followed.plan.interpreted;
	const enum profile_l0 how = interpreted ? PROFILE_L0_PART : PROFILE_L0_ALL;
	uint64_t now = now_ms(), since = summary ? watch->start : watch->last;
	struct profile_view view = {
		.summary = summary,
		.by = watch->by,
		.attached = true,
		.interpreted = interpreted,
		.name = name_of,
		.more_text = vcpus_text,
		.more_json = vcpus_json,
		.opaque = watch,
		.time = (double)(now - watch->start) / 1000,
		.seconds = (double)(now - since) / 1000,
		.tsc_khz = ATTACH_CLOCK_KHZ,
		.missing = watch->attachment.followed.missing,
		.l0_source = interpreted ? "interpreted instructions, all counted, one in 97 recorded"
					 : "every exit, by tracepoints",
	};

	attachment_take(&watch->attachment, &watch->interval);
	profile_counts_merge(&watch->total, &watch->interval);
	watch->last = now;
	return profile_show(&view, &watch->interval, &watch->total, how, watch->settings->format, watch->interactive,
			    watch->output.stream);
}

static void take_signal(struct attach_watch *watch)
{
	struct signalfd_siginfo info;

	if (read(watch->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGTSTP)
		terminal_suspend();
	else
		watch->signal = (int)info.ssi_signo;
}

static void watch_all(struct attach_watch *watch)
{
	struct pollfd fds[] = {
		{watch->attachment.done_fd, POLLIN, 0},
		{watch->signal_fd, POLLIN, 0},
		{watch->keys_fd, POLLIN, 0},
	};

	while (watch->failure == 0 && watch->signal == 0) {
		const uint64_t now = now_ms();

		if (now >= watch->due) {
			watch->failure = write_lines(watch, false);
			watch->due += watch->settings->interval_ms;
			if (watch->due <= now)
				watch->due = now + watch->settings->interval_ms;
			continue;
		}
		if (poll(fds, 3, (int)(watch->due - now)) <= 0)
			continue;
		if (fds[0].revents || (fds[2].revents && terminal_quit()))
			return;
		if (fds[1].revents)
			take_signal(watch);
	}
}

static int hold_signals(struct attach_watch *watch, struct error *error)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGALRM); /* --timeout (deadline.h) */
	startup_leave_out_ignored(&signals);
	terminal_signals(&signals);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	watch->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return watch->signal_fd >= 0 ? 0 : error_set(error, -errno, STATUS_INTERNAL, "signalfd: %s", strerror(errno));
}

static int open_all(struct attach_watch *watch, struct error *error)
{
	const struct settings *settings = watch->settings;
	struct attach_request request = {
		.pids = settings->pids,
		.pid_count = settings->pid_count,
		.all = settings->all,
		.by = watch->by,
		.one_vcpu = settings->one_vcpu,
		.vcpu = settings->vcpu,
		.backend = host_backend_loaded(),
		.jail = JAIL_ON,
		.kernel = watch->system.release,
		.command = settings->plan.command,
		.date = settings->plan.date,
	};
	int rc = table_prepare(settings->format, error);

	if (rc == 0)
		rc = output_open(&watch->output, settings->output, JAIL_ON, error);
	if (rc == 0 && settings->plan.symbol_count) {
		rc = symbol_set_open(&watch->symbols, settings->plan.symbols, settings->plan.symbol_count, error);
		request.symbol = find_symbol;
		request.symbols = &watch->symbols;
	}
	if (rc == 0 && (profile_counts_create(&watch->interval, watch->by) != 0 ||
			profile_counts_create(&watch->total, watch->by) != 0))
		rc = error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	if (rc == 0) {
		watch->attached = true;
		rc = attachment_open(&watch->attachment, &request, error);
	}
	/* Last: a file that is there already is replaced only by one that will have something in it. */
	if (rc == 0 && settings->plan.ledger)
		rc = attachment_record(&watch->attachment, settings->plan.ledger, error);
	return rc;
}

static void begin(struct attach_watch *watch)
{
	const struct settings *settings = watch->settings;
	FILE *stream = watch->output.stream;

	watch->interactive = strcmp(settings->format, "text") == 0 && stream_is_screen(stream_fd(stream));
	if (watch->interactive)
		watch->keys_fd = terminal_enter(false);
	if (strcmp(settings->format, "csv") == 0)
		profile_csv_header(&(struct profile_view){.by = watch->by, .attached = true}, stream);
	watch->start = watch->last = now_ms();
	watch->due = watch->start + settings->interval_ms;
}

/* Who scripts this has to know when nothing that the VM does will be missed. */
static void tell_attached(const struct attach_watch *watch)
{
	const struct followed *followed = &watch->attachment.followed;

	for (size_t i = 0; i < followed->process_count && !watch->interactive; i++) {
		const struct vm_process *process = &followed->processes[i];
		const int vcpus = vm_process_vcpus(process);

		if (followed->ended[i])
			continue;
		fprintf(stderr, "sidestep: attached to %d (", process->pid);
		printable_put(stderr, process->name);
		fprintf(stderr, "), %d vCPU%s\n", vcpus, vcpus == 1 ? "" : "s");
	}
}

static void tell_losses(const struct attach_watch *watch)
{
	if (watch->attachment.recorded && watch->attachment.ledger.lost)
		fprintf(stderr, "sidestep: %s: %s; %" PRIu64 " records found no room in the ledger\n",
			watch->settings->plan.ledger, strerror(-watch->attachment.ledger.error), watch->attachment.ledger.lost);
}

/* This thread shows what the other one counts, and needs no right to anything. */
static int seal(const struct attach_watch *watch, struct error *error)
{
	struct jail_thread thread = jail_thread(JAIL_ROLE_MAIN, watch->attachment.request.jail);

	seal_prepare_sorting();
	thread.when |= JAIL_WHEN_WATCHED;
	thread.subject[JAIL_SUBJECT_SIGNAL] = watch->signal_fd;
	thread.subject[JAIL_SUBJECT_STDERR] = STDERR_FILENO;
	thread.subject[JAIL_SUBJECT_SELF] = getpid();
	thread.subject[JAIL_SUBJECT_KEYS] = watch->keys_fd;
	thread.subject[JAIL_SUBJECT_OUTPUT] = stream_fd(watch->output.stream);
	if (watch->output.writer.pid > 0) {
		thread.subject[JAIL_SUBJECT_VERDICT] = watch->output.writer.verdict;
		thread.subject[JAIL_SUBJECT_WRITER] = watch->output.writer.pid;
	}
	if (watch->attachment.recorded) {
		thread.subject[JAIL_SUBJECT_LEDGER] = watch->attachment.ledger.fd;
		thread.size[JAIL_SUBJECT_LEDGER] = LEDGER_FILE_MAX;
		thread.file_size = LEDGER_FILE_MAX;
	}
	thread.limits = true;
	/* The other thread opens tracepoints of vCPUs that come. */
	thread.descriptors = UINT64_MAX;
	return jail_enter(&thread, error);
}

static int watch_vms(struct attach_watch *watch, struct error *error)
{
	int rc = hold_signals(watch, error);

	if (rc != 0)
		return rc;
	begin(watch);
	rc = attachment_start(&watch->attachment, error);
	if (rc != 0)
		return rc;
	tell_attached(watch);
	rc = seal(watch, error);
	if (rc != 0)
		return rc;
	watch_all(watch);
	attachment_stop(&watch->attachment);
	tell_losses(watch);
	if (watch->failure == 0)
		watch->failure = write_lines(watch, true);
	if (watch->failure == -ENOMEM || watch->attachment.failure == -ENOMEM)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "out of memory");
	/* What could not be written, the stream remembers. */
	return output_commit(&watch->output, error);
}

/* That whoever watches has seen enough is no failure. */
static int status_of(const struct attach_watch *watch)
{
	return watch->signal == 0 || watch->signal == SIGINT || watch->signal == SIGALRM ? STATUS_SUCCESS
										     : STATUS_SIGNAL + watch->signal;
}

int command_attach(const struct settings *settings)
{
	struct attach_watch *watch = calloc(1, sizeof(*watch));
	struct error error = {0};
	int rc, status;

	if (!watch) {
		error_set(&error, -ENOMEM, STATUS_INTERNAL, "out of memory");
		return error_report(&error);
	}
	watch->settings = settings;
	watch->by = cli_given(settings, "by") ? settings->by : GROUP_REASON;
	watch->keys_fd = watch->signal_fd = -1;
	uname(&watch->system);
	rc = check_options(settings, watch->by, &error);
	if (rc == 0)
		rc = open_all(watch, &error);
	if (rc == 0)
		rc = watch_vms(watch, &error);
	status = rc == 0 ? status_of(watch) : error.status;
	terminal_leave();
	if (watch->attached)
		attachment_finish(&watch->attachment);
	output_discard(&watch->output);
	symbol_set_close(&watch->symbols);
	profile_counts_destroy(&watch->interval);
	profile_counts_destroy(&watch->total);
	if (watch->signal_fd >= 0)
		close(watch->signal_fd);
	free(watch);
	if (error.text[0])
		error_report(&error);
	return status;
}
