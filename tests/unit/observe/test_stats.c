/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/observe/stats.h"

#define NAME_SIZE 48
#define STRIDE (sizeof(struct kvm_stats_desc) + NAME_SIZE)
#define DESC_OFFSET 256
#define DATA_OFFSET 8192

/* A file laid out as Documentation/virt/kvm/api.rst 4.133 says, handed out by the vCPU's ioctl. */
static int fake_fd;

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	assert_int_equal(request, KVM_GET_STATS_FD);
	if (fake_fd < 0) {
		errno = ENOTTY;
		return -1;
	}
	return dup(fake_fd);
}

static void put(const void *data, size_t size, off_t at)
{
	assert_int_equal(pwrite(fake_fd, data, size, at), size);
}

static void put_header(uint32_t count)
{
	struct kvm_stats_header header = {.name_size = NAME_SIZE, .num_desc = count,
					  .desc_offset = DESC_OFFSET, .data_offset = DATA_OFFSET};

	put(&header, sizeof(header), 0);
}

static void put_descriptor(unsigned index, const char *name, uint16_t size, uint32_t offset)
{
	struct kvm_stats_desc descriptor = {.size = size, .offset = offset};
	char text[NAME_SIZE] = {0};

	memcpy(text, name, strnlen(name, sizeof(text)));
	put(&descriptor, sizeof(descriptor), (off_t)(DESC_OFFSET + index * STRIDE));
	put(text, sizeof(text), (off_t)(DESC_OFFSET + index * STRIDE + sizeof(descriptor)));
}

static void put_value(uint32_t offset, uint64_t value)
{
	put(&value, sizeof(value), DATA_OFFSET + offset);
}

static int setup(void **state)
{
	(void)state;
	fake_fd = memfd_create("stats", MFD_CLOEXEC);
	return fake_fd < 0 || ftruncate(fake_fd, 1 << 20) != 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	if (fake_fd >= 0)
		close(fake_fd);
	return 0;
}

/* All counters, in another order than ours and among others. */
static void all(void **state)
{
	struct stat_values values;
	struct stats stats;
	unsigned count = 0;

	(void)state;
	put_descriptor(count++, "halt_poll_success_hist", 32, 2000);
	for (int i = STAT_FD_COUNT - 1; i >= 0; i--) {
		put_descriptor(count++, stat_names[i], 1, 104 + 24 * (uint32_t)i);
		put_value(104 + 24 * (uint32_t)i, 1000000007 * (uint64_t)(i + 1));
		put_descriptor(count++, "something_else", 1, 96 + 24 * (uint32_t)i);
		put_value(96 + 24 * (uint32_t)i, UINT64_MAX);
	}
	put_header(count);
	assert_int_equal(stats_open(&stats, 5), 0);
	stats_read(&stats, &values);
	for (int i = 0; i < STAT_FD_COUNT; i++) {
		assert_true(stat_observed(&values, (enum stat_id)i));
		assert_int_equal(values.value[i], 1000000007 * (uint64_t)(i + 1));
	}
	put_value(104 + 24 * STAT_exits, 42);
	stats_read(&stats, &values);
	assert_int_equal(values.value[STAT_exits], 42);
	stats_close(&stats);
	stats_read(&stats, &values);
	assert_int_equal(values.observed, 0);
	stats_close(&stats);
}

/* Each counter alone: the others are not observed, not zero. */
static void one_each(void **state)
{
	(void)state;
	for (int i = 0; i < STAT_FD_COUNT; i++) {
		struct stat_values values;
		struct stats stats;

		put_header(1);
		put_descriptor(0, stat_names[i], 1, 0);
		put_value(0, 7);
		assert_int_equal(stats_open(&stats, 5), 0);
		stats_read(&stats, &values);
		assert_int_equal(values.observed, UINT64_C(1) << i);
		assert_int_equal(values.value[i], 7);
		stats_close(&stats);
	}
}

static void surprises(void **state)
{
	struct kvm_stats_header header;
	struct stat_values values;
	struct stats stats;
	int kept = fake_fd;

	(void)state;
	/* No counter that we know. */
	put_header(1);
	put_descriptor(0, "unknown", 1, 0);
	assert_int_equal(stats_open(&stats, 5), -ENOENT);
	stats_read(&stats, &values);
	assert_int_equal(values.observed, 0);
	/* A known name that holds a histogram, or lies absurdly far away. */
	put_descriptor(0, "exits", 16, 0);
	assert_int_equal(stats_open(&stats, 5), -ENOENT);
	put_descriptor(0, "exits", 1, UINT32_MAX - 3);
	assert_int_equal(stats_open(&stats, 5), -ENOENT);
	put_header(0);
	assert_int_equal(stats_open(&stats, 5), -ENOENT);
	/* More than we are ready to read. */
	put_header(1025);
	assert_int_equal(stats_open(&stats, 5), -EOVERFLOW);
	header = (struct kvm_stats_header){.name_size = 257, .num_desc = 1};
	put(&header, sizeof(header), 0);
	assert_int_equal(stats_open(&stats, 5), -EOVERFLOW);
	/* A name without its end. */
	put_header(1);
	put_descriptor(0, "exitsexitsexitsexitsexitsexitsexitsexitsexitsexits", 1, 0);
	assert_int_equal(stats_open(&stats, 5), -ENOENT);
	/* Descriptors, then the header, cut off. */
	put_header(2);
	assert_int_equal(ftruncate(fake_fd, DESC_OFFSET + (off_t)STRIDE), 0);
	assert_int_equal(stats_open(&stats, 5), -EIO);
	assert_int_equal(ftruncate(fake_fd, 4), 0);
	assert_int_equal(stats_open(&stats, 5), -EIO);
	/* A kernel without the ioctl. */
	fake_fd = -1;
	assert_int_equal(stats_open(&stats, 5), -ENOTTY);
	stats_read(&stats, &values);
	assert_int_equal(values.observed, 0);
	fake_fd = kept;
}

/* Counters that cannot be read any more are not observed. */
static void read_fails(void **state)
{
	struct stat_values values;
	struct stats stats;

	(void)state;
	put_header(1);
	put_descriptor(0, "exits", 1, 8);
	assert_int_equal(stats_open(&stats, 5), 0);
	assert_int_equal(ftruncate(fake_fd, DATA_OFFSET + 12), 0);
	stats_read(&stats, &values);
	assert_int_equal(values.observed, 0);
	stats_close(&stats);
}

static void accumulate(void **state)
{
	struct stat_values before = {.observed = 7}, after = {.observed = 5}, sum = {0};

	(void)state;
	before.value[0] = UINT64_MAX; /* a counter may wrap */
	after.value[0] = 4;
	before.value[1] = 1;
	after.value[1] = 9;
	before.value[2] = 10;
	after.value[2] = 30;
	stats_accumulate(&sum, &before, &after);
	assert_int_equal(sum.observed, 5);
	assert_int_equal(sum.value[0], 5);
	assert_int_equal(sum.value[1], 0);
	assert_int_equal(sum.value[2], 20);
}

static void names(void **state)
{
	(void)state;
	for (int i = 0; i < STAT_FD_COUNT; i++) {
		assert_true(strlen(stat_names[i]) > 0 && strlen(stat_meanings[i]) > 0);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(stat_names[i], stat_names[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all, setup, teardown),
		cmocka_unit_test_setup_teardown(one_each, setup, teardown),
		cmocka_unit_test_setup_teardown(surprises, setup, teardown),
		cmocka_unit_test_setup_teardown(read_fails, setup, teardown),
		cmocka_unit_test(accumulate),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
