/* SPDX-License-Identifier: GPL-2.0-only */
/* The local APIC of a processor, by which processors start one another (Intel SDM vol. 3A, 11; AMD APM vol. 2, 16). */
#ifndef SIDESTEP_BARE_APIC_H
#define SIDESTEP_BARE_APIC_H

#include <stdint.h>

/* Commands to another processor, as the interrupt command register has them. */
#define APIC_INIT 0x4500u
#define APIC_START 0x4600u /* in real mode, at the page that is added */
#define APIC_NMI 0x4400u
#define APIC_OTHERS 0xc0000u /* added: to all but the sender */

#define APIC_VECTORS 0xf0

/* Switches that of this processor off: no interrupt of the computer reaches it. */
void apic_disable(void);

/* Has it send commands and take them, but no interrupts: what the firmware has left of these cannot come. */
void apic_listen(void);

/* Has it take interrupts of the vectors from APIC_VECTORS on too. */
void apic_enable(void);

/* Of this processor. */
uint32_t apic_id(void);

/* To the processor with this number, unless it is to others. */
void apic_send(uint32_t id, uint32_t command);

/* Has the timer count down from here again and again, raising an interrupt at 0; without a vector it counts only. And
 * where it is. */
void apic_time(uint8_t vector, uint32_t count);
uint32_t apic_time_left(void);

/* The interrupt that has come is over. */
void apic_end_interrupt(void);

#endif
