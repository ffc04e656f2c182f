/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/command/typed_console.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "vmm/output/terminal.h"
#include "vmm/vm/pc.h"

#define CTRL_A 1
#define LISTENS_MS 1000
/* The terminal no longer adds the return. */
#define KEYS_HELP "sidestep: the terminal is the guest's serial line; Ctrl-A x ends the guest\r\n"

static uint64_t due(const struct machine *machine, void *opaque)
{
	const struct typed_console *typed = opaque;

	(void)machine;
	return typed->terminal && typed->count ? typed->deaf_from : UINT64_MAX;
}

/* Takes the keys that are meant for us out of what was typed. Returns whether one of them ends the guest. */
static bool take_commands(struct typed_console *typed)
{
	size_t kept = 0;

	for (size_t i = 0; i < typed->count; i++) {
		uint8_t byte = typed->bytes[i];
		bool command = typed->escaped;

		typed->escaped = !command && byte == CTRL_A;
		if (command && (byte == 'x' || byte == 'X'))
			return true;
		if (!typed->escaped && (!command || byte == CTRL_A))
			typed->bytes[kept++] = byte;
	}
	typed->count = kept;
	return false;
}

/* Returns whether there was something. A terminal without keys gives nothing, a file or pipe that gives nothing has
 * ended. */
static bool read_bytes(struct typed_console *typed)
{
	struct pollfd input = {typed->input, POLLIN, 0};
	ssize_t n;

	if (typed->input < 0 || poll(&input, 1, 0) <= 0)
		return false;
	n = read(typed->input, typed->bytes, sizeof(typed->bytes));
	if (n > 0)
		typed->count = (size_t)n;
	else if (n == 0 ? !typed->terminal || input.revents & POLLHUP : errno != EINTR && errno != EAGAIN)
		typed->input = -1;
	return n > 0;
}

/* What the guest has no room for is kept, and nothing more is read until it has: the platform wakes this thread then. But
 * Ctrl-A x has to be seen behind whatever a guest does not listen to: keys for one that takes none are lost. */
static void give(struct typed_console *typed, struct machine *machine)
{
	size_t taken = pc_type(&machine->vms[0], typed->bytes, typed->count);
	uint64_t now = machine_now(machine);

	if (taken)
		typed->deaf_from = now + LISTENS_MS;
	typed->count -= taken;
	memmove(typed->bytes, typed->bytes + taken, typed->count);
	if (typed->terminal && now >= typed->deaf_from)
		typed->count = 0;
}

static void type(struct typed_console *typed, struct machine *machine)
{
	if (typed->count == 0) {
		if (!read_bytes(typed))
			return;
		if (typed->terminal && take_commands(typed)) {
			machine_quit(machine);
			typed->count = 0;
			return;
		}
	}
	give(typed, machine);
}

static void look(struct machine *machine, void *opaque)
{
	struct typed_console *typed = opaque;

	type(typed, machine);
	typed->hook.fd = typed->count ? -1 : typed->input;
	/* Nobody waits for the beginning of a line any more. */
	if (typed->input < 0)
		machine->console.prompt = false;
}

void typed_console_begin(struct typed_console *typed, struct session *session)
{
	struct machine *machine = &session->machine;

	*typed = (struct typed_console){0};
	if (session->plan.platform != PLATFORM_PC)
		return;
	typed->session = session;
	typed->terminal = isatty(STDIN_FILENO);
	typed->input = typed->terminal ? terminal_enter(true) : STDIN_FILENO;
	typed->hook = (struct machine_watch){
		.fd = typed->input,
		.due = due,
		.look = look,
		.signals = terminal_signals,
		.suspend = terminal_suspend,
		.opaque = typed,
	};
	machine->watch = &typed->hook;
	machine->vms[0].pc->wake_fd = machine->done_fd;
	machine->console.prompt = true;
	if (!typed->terminal || typed->input < 0)
		return;
	machine->console.escape = false;
	/* Whoever started us and is killed leaves nobody who could end the guest from this terminal. */
	prctl(PR_SET_PDEATHSIG, SIGHUP);
	if (isatty(STDERR_FILENO))
		fputs(KEYS_HELP, stderr);
}

void typed_console_end(struct typed_console *typed)
{
	struct stop *why;
	size_t used;

	if (!typed->session)
		return;
	why = &typed->session->machine.why;
	used = strlen(why->text);
	terminal_leave();
	typed->session->machine.watch = NULL;
	/* A guest may have waited for just that. */
	if (why->cause == STOP_TIMEOUT && typed->input < 0 && !typed->terminal)
		snprintf(why->text + used, sizeof(why->text) - used, "; standard input has ended");
}
