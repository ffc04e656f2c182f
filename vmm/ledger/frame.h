/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How records of the ledger go over a serial line: each is a line of printable characters, so that whatever takes text
 * down takes them down too, among other lines. Both ends have this file; it is freestanding.
 *
 * A line is FRAME_PREFIX and, six bits a character, these bytes: a sequence number of 32 bits, which counts the lines of
 * a run from 0; the record; the CRC-32 of both (IEEE 802.3, as in zlib); and as many zeros as make whole groups of three.
 * Numbers are little endian. A record says its own size, see vmm/ledger/record.h.
 *
 * Of exits that differ only in time and cost from one of the last FRAME_KNOWN that came as records, up to
 * FRAME_REPEATS_MAX make one line: its "record" has the type FRAME_REPEATS, and behind its header a struct frame_repeat
 * for each. A record of an exit takes the place of the oldest of those that are known; a BATCH forgets all.
 */
#ifndef VMM_LEDGER_FRAME_H
#define VMM_LEDGER_FRAME_H

#include <stdint.h>

#define FRAME_PREFIX "@ss:"
#define FRAME_PREFIX_SIZE 4
#define FRAME_FIRST '0' /* the character for 0; those for 1 to 63 follow it in ASCII */
/* What is around a record. */
#define FRAME_SEQUENCE_SIZE 4
#define FRAME_CHECK_SIZE 4

#define FRAME_KNOWN 4
#define FRAME_REPEATS 0xffff
#define FRAME_REPEATS_MAX 60

struct frame_repeat {
	int32_t ticks;	/* of its time, since that of the exit before it in the log */
	uint32_t known; /* bits 31:30: which; bits 29:0: its cost */
};
#define FRAME_COST_BITS 30

static inline uint32_t frame_check(uint32_t check, const void *data, uint32_t size)
{
	static const uint32_t nibbles[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const uint8_t *byte = (const uint8_t *)data;

	check = ~check;
	for (uint32_t i = 0; i < size; i++) {
		check = nibbles[(check ^ byte[i]) & 15] ^ check >> 4;
		check = nibbles[(check ^ byte[i] >> 4) & 15] ^ check >> 4;
	}
	return ~check;
}

/* Three bytes, as four characters. */
static inline void frame_encode(const uint8_t bytes[3], char ret_text[4])
{
	const uint32_t bits = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;

	for (unsigned i = 0; i < 4; i++)
		ret_text[i] = (char)(FRAME_FIRST + (bits >> 6 * i & 63));
}

/* The reverse; returns 0 if one of the characters is none of ours. */
static inline int frame_decode(const char text[4], uint8_t ret_bytes[3])
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < 4; i++) {
		const uint32_t value = (uint32_t)(uint8_t)text[i] - FRAME_FIRST;

		if (value > 63)
			return 0;
		bits |= value << 6 * i;
	}
	for (unsigned i = 0; i < 3; i++)
		ret_bytes[i] = (uint8_t)(bits >> 8 * i);
	return 1;
}

#endif
