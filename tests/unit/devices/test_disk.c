/* SPDX-License-Identifier: GPL-2.0-only */
/* The disk: what it moves, what it refuses, and that it then moves nothing. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/disk.h"

#define SECTOR SS_DISK_SECTOR_SIZE
#define SECTORS 8u
#define PORT 0x5c0
#define HANDLE 0x101u
#define IN_ONLY 0x202u  /* may be filled by devices only */
#define OUT_ONLY 0x303u /* may be read by devices only */
#define BUFFER_SIZE (4u * SECTOR)

static uint8_t buffer[BUFFER_SIZE], before[BUFFER_SIZE];
static unsigned raised;
static uint32_t raised_vector;
static struct disk disk;
static struct bus bus;
static int fd;

/* What pread() and pwrite(), called so where offsets have 64 bits, do next: so many bytes at most, an
 * errno, EINTR so many times; 0: as they are. */
static size_t io_at_most;
static int io_error;
static unsigned io_interrupted;

ssize_t __real_pread64(int file, void *data, size_t size, off_t at);
ssize_t __real_pwrite64(int file, const void *data, size_t size, off_t at);
ssize_t __wrap_pread64(int file, void *data, size_t size, off_t at);
ssize_t __wrap_pwrite64(int file, const void *data, size_t size, off_t at);

static bool io_fails(void)
{
	if (io_interrupted > 0) {
		io_interrupted--;
		errno = EINTR;
		return true;
	}
	errno = io_error;
	return io_error != 0;
}

static size_t io_size(size_t size)
{
	return io_at_most != 0 && size > io_at_most ? io_at_most : size;
}

ssize_t __wrap_pread64(int file, void *data, size_t size, off_t at)
{
	return io_fails() ? -1 : __real_pread64(file, data, io_size(size), at);
}

ssize_t __wrap_pwrite64(int file, const void *data, size_t size, off_t at)
{
	return io_fails() ? -1 : __real_pwrite64(file, data, io_size(size), at);
}

static int memory_of(void *opaque, uint32_t handle, bool to_memory, uint8_t **ret_memory,
		     uint64_t *ret_size)
{
	assert_ptr_equal(opaque, &bus);
	if (handle == (to_memory ? OUT_ONLY : IN_ONLY))
		return -EACCES;
	if (handle != HANDLE && handle != IN_ONLY && handle != OUT_ONLY)
		return -ENOENT;
	*ret_memory = buffer;
	*ret_size = sizeof(buffer);
	return 0;
}

static void take_interrupt(void *opaque, uint32_t vector)
{
	assert_ptr_equal(opaque, &bus);
	raised++;
	raised_vector = vector;
}

static uint8_t sector_byte(unsigned sector, unsigned at)
{
	return (uint8_t)(sector * 31 + at * 7 + 1);
}

static int setup(void **state)
{
	const struct disk_owner owner = {memory_of, take_interrupt, &bus};

	(void)state;
	io_at_most = 0;
	io_error = 0;
	io_interrupted = raised = 0;
	bus = (struct bus){0};
	fd = memfd_create("disk", MFD_CLOEXEC);
	for (unsigned i = 0; i < SECTORS * SECTOR; i++) {
		uint8_t byte = sector_byte(i / SECTOR, i % SECTOR);

		if (__real_pwrite64(fd, &byte, 1, i) != 1)
			return -1;
	}
	memset(buffer, 0xee, sizeof(buffer));
	disk_init(&disk, &owner, fd, SECTORS * SECTOR, false);
	return bus_claim(&bus, PORT, 4 * SS_DISK_REGISTER_COUNT, &disk_bus_ops, &disk);
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	return 0;
}

static void set(enum ss_disk_register reg, uint32_t value)
{
	assert_int_equal(bus_write(&bus, PORT + 4u * reg, &value, 4), 1);
}

static uint32_t get(enum ss_disk_register reg)
{
	uint32_t value = 0x55555555;

	assert_int_equal(bus_read(&bus, PORT + 4u * reg, &value, 4), 1);
	return value;
}

static uint32_t command(uint32_t number, uint32_t handle, uint32_t offset, uint32_t sector,
			uint32_t count)
{
	set(SS_DISK_REG_BUFFER, handle);
	set(SS_DISK_REG_OFFSET, offset);
	set(SS_DISK_REG_SECTOR, sector);
	set(SS_DISK_REG_COUNT, count);
	set(SS_DISK_REG_COMMAND, number);
	return get(SS_DISK_REG_STATUS);
}

static void storage_is_untouched(void)
{
	for (unsigned i = 0; i < SECTORS * SECTOR; i++) {
		uint8_t byte;

		assert_int_equal(__real_pread64(fd, &byte, 1, i), 1);
		assert_int_equal(byte, sector_byte(i / SECTOR, i % SECTOR));
	}
	assert_int_equal(lseek(fd, 0, SEEK_END), SECTORS * SECTOR);
}

/* Every extent that fits, at several offsets: exactly these bytes of the buffer become those sectors. */
static void reads(void **state)
{
	static const uint32_t offsets[] = {0, 1, 511, SECTOR, 1000};

	(void)state;
	assert_int_equal(get(SS_DISK_REG_STATUS), SS_DISK_STATUS_IDLE);
	assert_int_equal(get(SS_DISK_REG_SECTORS), SECTORS);
	for (unsigned first = 0; first < SECTORS; first++)
		for (unsigned count = 1; first + count <= SECTORS; count++)
			for (size_t o = 0; o < ARRAY_SIZE(offsets); o++) {
				uint32_t offset = offsets[o], size = count * SECTOR;
				bool fits = offset + size <= BUFFER_SIZE;

				memset(buffer, 0xee, sizeof(buffer));
				assert_int_equal(command(SS_DISK_COMMAND_READ, HANDLE, offset, first,
							 count),
						 fits ? SS_DISK_STATUS_DONE
						      : SS_DISK_STATUS_BAD_OFFSET);
				for (unsigned i = 0; i < BUFFER_SIZE; i++) {
					unsigned at = i - offset;
					bool inside = fits && i >= offset && at < size;

					assert_int_equal(buffer[i],
							 inside ? sector_byte(first + at / SECTOR,
									      at % SECTOR)
								: 0xee);
				}
			}
	storage_is_untouched();
}

static void writes(void **state)
{
	uint8_t storage[SECTORS * SECTOR];

	(void)state;
	for (unsigned i = 0; i < BUFFER_SIZE; i++)
		buffer[i] = (uint8_t)(i ^ 0x5a);
	memcpy(before, buffer, sizeof(buffer));
	assert_int_equal(command(SS_DISK_COMMAND_WRITE, HANDLE, 100, 3, 2), SS_DISK_STATUS_DONE);
	assert_int_equal(__real_pread64(fd, storage, sizeof(storage), 0), sizeof(storage));
	for (unsigned i = 0; i < sizeof(storage); i++) {
		bool inside = i >= 3 * SECTOR && i < 5 * SECTOR;

		assert_int_equal(storage[i], inside ? buffer[i - 3 * SECTOR + 100]
						    : sector_byte(i / SECTOR, i % SECTOR));
	}
	assert_memory_equal(buffer, before, sizeof(buffer));
}

static void refusals(void **state)
{
	const struct {
		uint32_t command, handle, offset, sector, count, status;
	} rows[] = {
		{0, HANDLE, 0, 0, 1, SS_DISK_STATUS_BAD_COMMAND},
		{3, HANDLE, 0, 0, 1, SS_DISK_STATUS_BAD_COMMAND},
		{UINT32_MAX, HANDLE, 0, 0, 1, SS_DISK_STATUS_BAD_COMMAND},
		{1, HANDLE, 0, 0, 0, SS_DISK_STATUS_BAD_COUNT},
		{2, HANDLE, 0, 0, 0, SS_DISK_STATUS_BAD_COUNT},
		{1, HANDLE, 0, SECTORS, 1, SS_DISK_STATUS_BAD_SECTOR},
		{1, HANDLE, 0, SECTORS - 1, 2, SS_DISK_STATUS_BAD_SECTOR},
		{2, HANDLE, 0, SECTORS, 1, SS_DISK_STATUS_BAD_SECTOR},
		{1, HANDLE, 0, UINT32_MAX, 1, SS_DISK_STATUS_BAD_SECTOR},
		{1, HANDLE, 0, 1, UINT32_MAX, SS_DISK_STATUS_BAD_SECTOR},
		{1, HANDLE, 0, UINT32_MAX, UINT32_MAX, SS_DISK_STATUS_BAD_SECTOR},
		{2, HANDLE, 0, UINT32_MAX, UINT32_MAX, SS_DISK_STATUS_BAD_SECTOR},
		/* 2^32 / 512: the size in bytes would wrap in 32 bits */
		{1, HANDLE, 0, 0, 0x800000, SS_DISK_STATUS_BAD_SECTOR},
		{1, HANDLE, 0, 0x800000, 1, SS_DISK_STATUS_BAD_SECTOR},
		{1, 0, 0, 0, 1, SS_DISK_STATUS_BAD_BUFFER},
		{2, 0, 0, 0, 1, SS_DISK_STATUS_BAD_BUFFER},
		{1, UINT32_MAX, 0, 0, 1, SS_DISK_STATUS_BAD_BUFFER},
		{1, OUT_ONLY, 0, 0, 1, SS_DISK_STATUS_BAD_ACCESS},
		{2, IN_ONLY, 0, 0, 1, SS_DISK_STATUS_BAD_ACCESS},
		{1, HANDLE, BUFFER_SIZE, 0, 1, SS_DISK_STATUS_BAD_OFFSET},
		{1, HANDLE, BUFFER_SIZE - SECTOR + 1, 0, 1, SS_DISK_STATUS_BAD_OFFSET},
		{1, HANDLE, UINT32_MAX, 0, 1, SS_DISK_STATUS_BAD_OFFSET},
		{2, HANDLE, UINT32_MAX - SECTOR + 1, 0, 1, SS_DISK_STATUS_BAD_OFFSET},
		{2, HANDLE, UINT32_MAX, 0, SECTORS, SS_DISK_STATUS_BAD_OFFSET},
		{1, HANDLE, 0, 0, BUFFER_SIZE / SECTOR + 1, SS_DISK_STATUS_BAD_OFFSET},
	};

	(void)state;
	memcpy(before, buffer, sizeof(buffer));
	set(SS_DISK_REG_VECTOR, 0x41);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(command(rows[i].command, rows[i].handle, rows[i].offset,
					 rows[i].sector, rows[i].count),
				 rows[i].status);
		assert_memory_equal(buffer, before, sizeof(buffer));
		/* An end is told, whatever it was. */
		assert_int_equal(raised, i + 1);
		assert_int_equal(raised_vector, 0x41);
	}
	storage_is_untouched();
	/* The directions that these buffers are for. */
	assert_int_equal(command(1, IN_ONLY, 0, 0, 1), SS_DISK_STATUS_DONE);
	assert_int_equal(command(2, OUT_ONLY, 0, 0, 1), SS_DISK_STATUS_DONE);
}

static void vectors(void **state)
{
	static const struct {
		uint32_t vector;
		bool good;
	} rows[] = {{0, true},    {1, false},   {31, false},      {32, true},
		    {255, true}, {256, false}, {UINT32_MAX, false}};

	(void)state;
	memcpy(before, buffer, sizeof(buffer));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		raised = 0;
		memcpy(buffer, before, sizeof(buffer));
		set(SS_DISK_REG_VECTOR, rows[i].vector);
		assert_int_equal(command(SS_DISK_COMMAND_READ, HANDLE, 0, 0, 1),
				 rows[i].good ? SS_DISK_STATUS_DONE : SS_DISK_STATUS_BAD_VECTOR);
		assert_int_equal(raised, rows[i].good && rows[i].vector != 0);
		assert_int_equal(memcmp(buffer, before, sizeof(buffer)) != 0, rows[i].good);
	}
}

static void read_only(void **state)
{
	(void)state;
	disk.read_only = true;
	assert_int_equal(command(SS_DISK_COMMAND_WRITE, HANDLE, 0, 0, 1), SS_DISK_STATUS_READ_ONLY);
	assert_int_equal(command(SS_DISK_COMMAND_READ, HANDLE, 0, 0, 1), SS_DISK_STATUS_DONE);
	storage_is_untouched();
}

/* Parts and interruptions are gone on with; errors and an early end are told. */
static void storage_fails(void **state)
{
	(void)state;
	io_at_most = 100;
	io_interrupted = 3;
	assert_int_equal(command(SS_DISK_COMMAND_READ, HANDLE, 0, 1, 2), SS_DISK_STATUS_DONE);
	for (unsigned i = 0; i < 2 * SECTOR; i++)
		assert_int_equal(buffer[i], sector_byte(1 + i / SECTOR, i % SECTOR));
	io_interrupted = 3;
	assert_int_equal(command(SS_DISK_COMMAND_WRITE, HANDLE, 0, 1, 2), SS_DISK_STATUS_DONE);
	storage_is_untouched();
	io_at_most = 0;
	io_error = EIO;
	assert_int_equal(command(SS_DISK_COMMAND_READ, HANDLE, 0, 0, 1), SS_DISK_STATUS_IO_ERROR);
	assert_int_equal(command(SS_DISK_COMMAND_WRITE, HANDLE, 0, 0, 1), SS_DISK_STATUS_IO_ERROR);
	io_error = 0;
	storage_is_untouched();
	assert_int_equal(ftruncate(fd, 5 * SECTOR + 17), 0);
	assert_int_equal(command(SS_DISK_COMMAND_READ, HANDLE, 0, 5, 1), SS_DISK_STATUS_IO_ERROR);
	assert_int_equal(command(SS_DISK_COMMAND_READ, HANDLE, 0, 4, 1), SS_DISK_STATUS_DONE);
}

/* Registers are whole: no other size, no other place, and not those that are not for writing. */
static void registers(void **state)
{
	const uint64_t ones = UINT64_MAX;

	(void)state;
	for (enum ss_disk_register reg = SS_DISK_REG_BUFFER; reg <= SS_DISK_REG_VECTOR; reg++)
		set(reg, 0x12345600u + reg);
	for (unsigned at = 0; at < 4 * SS_DISK_REGISTER_COUNT; at++)
		for (unsigned size = 1; size <= 8; size++) {
			uint64_t value = 0;

			if ((size == 4 && at % 4 == 0) || at + size > 4 * SS_DISK_REGISTER_COUNT)
				continue;
			bus_write(&bus, PORT + at, &ones, size);
			bus_read(&bus, PORT + at, &value, size);
			assert_memory_equal(&value, &ones, size);
		}
	for (enum ss_disk_register reg = SS_DISK_REG_BUFFER; reg <= SS_DISK_REG_VECTOR; reg++)
		assert_int_equal(get(reg), 0x12345600u + reg);
	set(SS_DISK_REG_STATUS, 77);
	set(SS_DISK_REG_SECTORS, 77);
	assert_int_equal(get(SS_DISK_REG_STATUS), SS_DISK_STATUS_IDLE);
	assert_int_equal(get(SS_DISK_REG_SECTORS), SECTORS);
	assert_int_equal(get(SS_DISK_REG_COMMAND), UINT32_MAX);
	assert_int_equal(raised, 0);
	storage_is_untouched();
}

/* Beyond 4 GiB there is another sector, full of zeros, where 32 bits would come round to sector 1. A disk
 * with more sectors than its register can tell shows as many as can be named. */
static void large(void **state)
{
	const struct disk_owner owner = {memory_of, take_interrupt, &bus};
	const uint64_t size = (UINT64_C(4) << 30) + SECTORS * SECTOR;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	disk_init(&disk, &owner, fd, size, false);
	assert_int_equal(command(SS_DISK_COMMAND_READ, HANDLE, 0, 0x800001, 1), SS_DISK_STATUS_DONE);
	for (unsigned i = 0; i < SECTOR; i++)
		assert_int_equal(buffer[i], 0);
	disk_init(&disk, &owner, fd, (UINT64_C(1) << 33) * SECTOR, false);
	assert_int_equal(get(SS_DISK_REG_SECTORS), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads, setup, teardown),
		cmocka_unit_test_setup_teardown(writes, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(storage_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(registers, setup, teardown),
		cmocka_unit_test_setup_teardown(large, setup, teardown),
	};

	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
