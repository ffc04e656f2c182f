/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/observe/stats.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Bounds on what a kernel may say, so that a surprise cannot make us allocate without limit. */
#define DESCRIPTORS_MAX 1024
#define NAME_SIZE_MAX 256
#define SPAN_MAX (64 << 10)

static int stat_by_name(const char *name)
{
	for (int i = 0; i < STAT_FD_COUNT; i++)
		if (strcmp(stat_names[i], name) == 0)
			return i;
	return -1;
}

static void adopt_descriptor(struct stats *stats, const struct kvm_stats_desc *descriptor,
			     uint32_t *ret_low, uint32_t *ret_high)
{
	int id = stat_by_name(descriptor->name);

	if (id < 0 || descriptor->size != 1 || descriptor->offset > SPAN_MAX)
		return;
	stats->present[id] = true;
	stats->offset[id] = descriptor->offset;
	if (descriptor->offset < *ret_low)
		*ret_low = descriptor->offset;
	if (descriptor->offset + 8 > *ret_high)
		*ret_high = descriptor->offset + 8;
}

static int read_descriptors(struct stats *stats, const struct kvm_stats_header *header)
{
	size_t stride = sizeof(struct kvm_stats_desc) + header->name_size;
	size_t size = stride * header->num_desc;
	char *table = malloc(size + 1);
	uint32_t low = UINT32_MAX, high = 0;

	if (!table)
		return -ENOMEM;
	if (pread(stats->fd, table, size, header->desc_offset) != (ssize_t)size) {
		free(table);
		return -EIO;
	}
	table[size] = '\0';
	for (uint32_t i = 0; i < header->num_desc; i++)
		adopt_descriptor(stats, (const void *)(table + stride * i), &low, &high);
	free(table);
	if (high == 0)
		return -ENOENT;
	for (int i = 0; i < STAT_FD_COUNT; i++)
		stats->offset[i] -= stats->present[i] ? low : 0;
	stats->first = (off_t)header->data_offset + low;
	stats->span = high - low;
	stats->buffer = malloc(stats->span);
	return stats->buffer ? 0 : -ENOMEM;
}

int stats_open(struct stats *stats, int vcpu_fd)
{
	struct kvm_stats_header header;
	int rc;

	*stats = (struct stats){.fd = ioctl(vcpu_fd, KVM_GET_STATS_FD, 0)};
	if (stats->fd < 0)
		return -errno;
	if (pread(stats->fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		rc = -EIO;
	else if (header.num_desc > DESCRIPTORS_MAX || header.name_size > NAME_SIZE_MAX)
		rc = -EOVERFLOW;
	else
		rc = read_descriptors(stats, &header);
	if (rc != 0)
		stats_close(stats);
	return rc;
}

void stats_close(struct stats *stats)
{
	if (stats->fd >= 0)
		close(stats->fd);
	free(stats->buffer);
	*stats = (struct stats){.fd = -1};
}

void stats_read(const struct stats *stats, struct stat_values *values)
{
	*values = (struct stat_values){0};
	if (stats->fd < 0 ||
	    pread(stats->fd, stats->buffer, stats->span, stats->first) != (ssize_t)stats->span)
		return;
	for (int i = 0; i < STAT_FD_COUNT; i++) {
		if (!stats->present[i])
			continue;
		memcpy(&values->value[i], stats->buffer + stats->offset[i], 8);
		values->observed |= UINT64_C(1) << i;
	}
}
