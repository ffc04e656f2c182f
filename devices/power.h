/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways in which a guest ends its computer, and the ports that are for nothing else. A computer that has been reset is
 * not started again: its owner looks at the event after each access.
 */
#ifndef DEVICES_POWER_H
#define DEVICES_POWER_H

#include "devices/bus.h"

/* EVENT(NAME, "what happened", CAUSE): CAUSE is what kind of end it is, OFF, RESET or GUEST, a failure of the guest. */
#define POWER_EVENTS(EVENT)                                                                        \
	EVENT(OFF_ACPI, "power-off by ACPI", OFF)                                                  \
	EVENT(RESET_KEYBOARD, "reset by the keyboard controller (port 0x64)", RESET)               \
	EVENT(RESET_CF9, "reset by the reset control register (port 0xcf9)", RESET)                \
	EVENT(RESET_PORT_92, "reset by system control port A (port 0x92)", RESET)                  \
	EVENT(RESET_ACPI, "reset by ACPI's reset register", RESET)                                 \
	EVENT(PANIC, "panic of the guest's kernel (port 0x505)", GUEST)

enum power_event {
	POWER_NONE,
#define POWER_ENUMERATOR(name, text, cause) POWER_##name,
	POWER_EVENTS(POWER_ENUMERATOR)
#undef POWER_ENUMERATOR
	POWER_EVENT_COUNT,
};

/* Starts zeroed. The first event counts. */
struct power {
	enum power_event event;
};

void power_init(struct power *power);
void power_end(struct power *power, enum power_event event);

/* What happened; NULL for POWER_NONE and what is no event. */
const char *power_event_text(enum power_event event);

/*
 * The device of all of them is a struct power, and each is for one port.
 *
 * Keyboard controller (Intel 8042, as the IBM PC AT has it): there is none but for its command 0xfe, which pulses the
 * reset line. Its status says that it takes commands, and otherwise what drivers recognize as no controller.
 */
extern const struct bus_ops keyboard_data_ops;    /* PC_KEYBOARD_DATA */
extern const struct bus_ops keyboard_command_ops; /* PC_KEYBOARD_COMMAND */

/* System control port A of the PS/2: bit 0 written resets; bit 1 reads as set, because address line 20 is never gated. */
extern const struct bus_ops port_92_ops; /* PC_PORT_92 */

/* Reset control register of Intel's chipsets (ICH data sheets, RST_CNT): bit 2 written resets, warm or cold. */
extern const struct bus_ops reset_control_ops; /* PC_RESET_CONTROL */

/* QEMU's pvpanic (docs/specs/pvpanic.rst there), of whose events only bit 0, a panic, is served. */
extern const struct bus_ops panic_ops; /* PC_PANIC_PORT */

#endif
