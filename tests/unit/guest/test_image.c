/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/unit/guest/image_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/patience.h"

#define MIB (UINT64_C(1) << 20)

static void valid(void **state)
{
	static struct elf_file file;
	const struct image_symbol *symbol;
	struct image image;
	struct error error;
	void *copy;

	(void)state;
	elf_valid(&file);
	elf_write(&file);
	assert_int_equal(parse(file.data, file.size, &image, &error, &copy), 0);
	assert_string_equal(error.text, "");
	assert_int_equal(image.format, IMAGE_ELF64);
	assert_int_equal(image.entry, SS_IMAGE_GPA);
	assert_int_equal(image.segment_count, 1);
	assert_int_equal(image.segments[0].gpa.v, SS_IMAGE_GPA);
	assert_int_equal(image.segments[0].memory_size, 4096);
	assert_int_equal(image.segments[0].file_size, ELF_CODE_SIZE);
	assert_int_equal(image.operation_count, 2);
	assert_string_equal(image_operation_name(&image, 0), "-");
	assert_string_equal(image_operation_name(&image, 1), "one.first");
	assert_string_equal(image_operation_name(&image, 2), "two.second");
	assert_null(image_operation_name(&image, 3));
	assert_null(image_operation_name(&image, UINT32_MAX));
	assert_null(image_symbol_at(&image, SS_IMAGE_GPA - 1));
	for (uint64_t i = 0; i < 8; i++) {
		symbol = image_symbol_at(&image, SS_IMAGE_GPA + i);
		assert_non_null(symbol);
		assert_string_equal(symbol->name, "_start");
	}
	for (uint64_t i = 8; i < 12; i++)
		assert_null(image_symbol_at(&image, SS_IMAGE_GPA + i));
	/* A label of assembly code has no size. */
	for (uint64_t i = 12; i < 4096; i++) {
		symbol = image_symbol_at(&image, SS_IMAGE_GPA + i);
		assert_non_null(symbol);
		assert_string_equal(symbol->name, "after");
	}
	/* An address that no loaded byte has belongs to no function. */
	assert_null(image_symbol_at(&image, SS_IMAGE_GPA + 4096));
	assert_null(image_symbol_at(&image, UINT64_MAX));
	image_close(&image);
	free(copy);
}

static void loads(void **state)
{
	static struct elf_file file;
	struct guest_ram ram;
	struct image image;
	struct error error;
	void *copy;

	(void)state;
	elf_valid(&file);
	elf_write(&file);
	assert_int_equal(parse(file.data, file.size, &image, &error, &copy), 0);
	assert_int_equal(guest_ram_create(&ram, 4 * MIB), 0);
	assert_int_equal(image_check_fit(&image, 4 * MIB, &error), 0);
	assert_int_equal(image_load(&image, &ram, &error), 0);
	assert_memory_equal(ram.host + SS_IMAGE_GPA, file.data + file.segments[0].p_offset,
			    ELF_CODE_SIZE);
	assert_int_equal(ram.host[SS_IMAGE_GPA + ELF_CODE_SIZE], 0);
	guest_ram_destroy(&ram);
	image_close(&image);
	free(copy);
}

static void flat(void **state)
{
	static const uint8_t code[] = {0xb0, 7, 0xe6, 0xf4};
	struct image image;
	struct error error;
	void *copy;

	(void)state;
	for (size_t size = 1; size <= sizeof(code); size++) {
		assert_int_equal(parse(code, size, &image, &error, &copy), 0);
		assert_int_equal(image.format, IMAGE_FLAT);
		assert_int_equal(image.entry, SS_IMAGE_GPA);
		assert_int_equal(image.segment_count, 1);
		assert_int_equal(image.segments[0].gpa.v, SS_IMAGE_GPA);
		assert_int_equal(image.segments[0].memory_size, size);
		assert_int_equal(image.operation_count, 0);
		assert_null(image_symbol_at(&image, SS_IMAGE_GPA));
		image_close(&image);
		free(copy);
	}
}

/* Truncated at every length: never accepted with a segment that is not there, never read past. */
static void truncated(void **state)
{
	static struct elf_file file;
	Elf64_Off code_end;

	(void)state;
	elf_valid(&file);
	elf_write(&file);
	code_end = file.segments[0].p_offset + ELF_CODE_SIZE;
	for (size_t size = 0; size < file.size; size++) {
		struct image image;
		struct error error;
		void *copy;
		int rc = parse(file.data, size, &image, &error, &copy);

		if (size < SELFMAG) {
			assert_int_equal(rc, 0);
			assert_int_equal(image.format, IMAGE_FLAT);
		} else if (size < code_end) {
			assert_true(rc < 0);
			assert_int_equal(error.status, STATUS_USAGE);
			if (!strstr(error.text, "truncated"))
				fail_msg("%zu bytes: '%s'", size, error.text);
		} else if (rc == 0) {
			assert_int_equal(image.segment_count, 1);
		}
		image_close(&image);
		free(copy);
	}
}

/* Every byte of the headers at a few values, and random bytes anywhere: no crash, no leak. */
static void spoilt(void **state)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	static struct elf_file file;
	struct image image;
	struct error error;
	void *copy;

	(void)state;
	elf_valid(&file);
	elf_write(&file);
	for (size_t at = 0; at < file.size; at++) {
		uint8_t saved = file.data[at];

		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			file.data[at] = values[i];
			if (parse(file.data, file.size, &image, &error, &copy) == 0)
				image_symbol_at(&image, SS_IMAGE_GPA + 1);
			image_close(&image);
			free(copy);
		}
		file.data[at] = saved;
	}
	srand(1);
	for (int run = 0; run < 20000; run++) {
		elf_write(&file);
		for (int i = 0; i < 1 + run % 8; i++)
			file.data[(size_t)rand() % file.size] = (uint8_t)rand();
		memcpy(file.data, ELFMAG, SELFMAG);
		if (parse(file.data, file.size, &image, &error, &copy) != 0)
			assert_string_not_equal(error.text, "");
		image_close(&image);
		free(copy);
	}
}

static void not_for_us(void **state)
{
	static struct elf_file file;

	(void)state;
	elf_valid(&file);
	file.header.e_machine = EM_AARCH64;
	refused_file(&file, "not an x86-64 image");
	elf_valid(&file);
	file.header.e_ident[EI_CLASS] = ELFCLASS32;
	refused_file(&file, "not an x86-64 image");
	elf_valid(&file);
	file.header.e_machine = EM_386;
	file.header.e_ident[EI_CLASS] = ELFCLASS32;
	refused_file(&file, "not an x86-64 image");
	elf_valid(&file);
	file.header.e_type = ET_DYN;
	refused_file(&file, "not a static executable");
	elf_valid(&file);
	file.header.e_type = ET_REL;
	refused_file(&file, "not a static executable");
	elf_valid(&file);
	file.header.e_entry = SS_IMAGE_GPA + 4096;
	refused_file(&file, "entry point");
	elf_valid(&file);
	file.header.e_entry = 0;
	refused_file(&file, "entry point");
	elf_valid(&file);
	file.segment_count = 0;
	refused_file(&file, "nothing to load");
	elf_valid(&file);
	file.segments[0].p_type = PT_NOTE;
	refused_file(&file, "no loadable segment");
}

/* A real big-endian file with the right machine number: every field is swapped. */
static void big_endian(void **state)
{
	static struct elf_file file;
	Elf64_Ehdr *header = &file.header;
	Elf64_Phdr *segment = &file.segments[0];

	(void)state;
	elf_valid(&file);
	elf_write(&file);
	header->e_ident[EI_DATA] = ELFDATA2MSB;
	header->e_type = __builtin_bswap16(header->e_type);
	header->e_machine = __builtin_bswap16(header->e_machine);
	header->e_version = __builtin_bswap32(header->e_version);
	header->e_entry = __builtin_bswap64(header->e_entry);
	header->e_ehsize = __builtin_bswap16(header->e_ehsize);
	header->e_phentsize = __builtin_bswap16(header->e_phentsize);
	header->e_phnum = __builtin_bswap16(header->e_phnum);
	header->e_shnum = header->e_shstrndx = 0;
	segment->p_type = __builtin_bswap32(segment->p_type);
	segment->p_offset = __builtin_bswap64(segment->p_offset);
	segment->p_vaddr = segment->p_paddr = __builtin_bswap64(segment->p_paddr);
	segment->p_filesz = __builtin_bswap64(segment->p_filesz);
	segment->p_memsz = __builtin_bswap64(segment->p_memsz);
	elf_rewrite_headers(&file);
	memmove(file.data + 32, &(uint64_t){__builtin_bswap64(header->e_phoff)}, 8);
	memset(file.data + 40, 0, 8);
	refused(file.data, file.size, "not an x86-64 image");
}

static void bad_segments(void **state)
{
	static const struct {
		Elf64_Addr address;
		uint64_t memory, file;
		const char *fragment;
	} rows[] = {
		{SS_IMAGE_GPA, 8, 9, "larger in the file than in memory"},
		{SS_IMAGE_GPA - 1, 4096, 16, "below 0x100000"},
		{0, 4096, 16, "below 0x100000"},
		{UINT64_MAX, 4096, 16, "outside any guest memory"},
		{UINT64_MAX - 4095, 4096, 0, "outside any guest memory"},
		{SS_IMAGE_GPA, UINT64_MAX, 16, "outside any guest memory"},
		{SS_IMAGE_GPA, UINT64_C(1) << 47, 16, "outside any guest memory"},
		{SS_IMAGE_GPA, ELF_MAX, ELF_MAX, "truncated"},
		{SS_IMAGE_GPA, UINT64_MAX, UINT64_MAX, "truncated"},
	};
	static struct elf_file file;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		elf_valid(&file);
		file.segments[0].p_paddr = rows[i].address;
		file.segments[0].p_memsz = rows[i].memory;
		file.segments[0].p_filesz = rows[i].file;
		refused_file(&file, rows[i].fragment);
	}
	elf_valid(&file);
	elf_write(&file);
	file.segments[0].p_offset = UINT64_MAX - 7;
	elf_rewrite_headers(&file);
	refused(file.data, file.size, "truncated");
}

/* The second segment slides over the first: refused exactly where a byte is in both. */
static void overlapping(void **state)
{
	static struct elf_file file;

	(void)state;
	for (int delta = -40; delta <= 40; delta++) {
		struct image image;
		struct error error;
		void *copy;
		bool overlap = delta > -24 && delta < 16;
		int rc;

		elf_valid(&file);
		file.segments[1] = file.segments[0];
		file.segments[0].p_paddr = SS_IMAGE_GPA + 4096;
		file.segments[0].p_memsz = file.segments[0].p_filesz = 16;
		file.segments[1].p_paddr = SS_IMAGE_GPA + 4096 + (uint64_t)(int64_t)delta;
		file.segments[1].p_memsz = 24;
		file.segment_count = 2;
		file.header.e_entry = file.segments[0].p_paddr;
		elf_write(&file);
		rc = parse(file.data, file.size, &image, &error, &copy);
		assert_int_equal(rc != 0, overlap);
		if (overlap)
			assert_non_null(strstr(error.text, "overlap"));
		image_close(&image);
		free(copy);
	}
}

static void memory_fit(void **state)
{
	static const struct {
		uint64_t address, size, memory;
		bool fits;
	} rows[] = {
		{4 * MIB - 4096, 4096, 4 * MIB, true},
		{4 * MIB - 4096, 4097, 4 * MIB, false},
		{4 * MIB, 1, 4 * MIB, false},
		{RAM_HOLE_BASE - 4096, 4096, 8 * RAM_HOLE_BASE, true},
		{RAM_HOLE_BASE - 4096, 4097, 8 * RAM_HOLE_BASE, false},
		{RAM_HIGH_BASE, 4096, RAM_HOLE_BASE + 4096, true},
		{RAM_HIGH_BASE, 4097, RAM_HOLE_BASE + 4096, false},
		{RAM_HIGH_BASE, 4096, RAM_HOLE_BASE, false},
	};
	static struct elf_file file;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image image;
		struct error error;
		void *copy;

		elf_valid(&file);
		file.segments[0].p_paddr = file.header.e_entry = rows[i].address;
		file.segments[0].p_memsz = rows[i].size;
		file.segments[0].p_filesz = 1;
		elf_write(&file);
		assert_int_equal(parse(file.data, file.size, &image, &error, &copy), 0);
		assert_int_equal(image_check_fit(&image, rows[i].memory, &error),
				 rows[i].fits ? 0 : -ERANGE);
		if (!rows[i].fits) {
			assert_int_equal(error.status, STATUS_USAGE);
			assert_non_null(strstr(error.text, "outside its memory"));
		}
		image_close(&image);
		free(copy);
	}
}

/* Names of functions end up in messages on a terminal. */
static void symbol_names(void **state)
{
	static struct elf_file file;
	const struct image_symbol *symbol;
	struct image image;
	struct error error;
	void *copy;

	(void)state;
	elf_valid(&file);
	memcpy(file.names + 1, "\033]0;\a", 5);
	elf_write(&file);
	assert_int_equal(parse(file.data, file.size, &image, &error, &copy), 0);
	symbol = image_symbol_at(&image, SS_IMAGE_GPA);
	if (symbol)
		for (const char *c = symbol->name; *c; c++)
			assert_true(*c >= ' ' && *c <= '~');
	image_close(&image);
	free(copy);
}

/* libelf decompresses a string table into memory that it frees with the file: a symbol must not
 * point there. The zlib stream holds one stored block (RFC 1950, RFC 1951 section 3.2.4). */
static void compressed_names(void **state)
{
	static struct elf_file file;
	const struct image_symbol *symbol;
	uint8_t stream[sizeof(Elf64_Chdr) + 64] = {0};
	Elf64_Chdr header = {.ch_type = ELFCOMPRESS_ZLIB, .ch_addralign = 1};
	struct image image;
	struct error error;
	uint32_t a = 1, b = 0;
	void *copy;
	size_t n, used = sizeof(header);

	(void)state;
	elf_valid(&file);
	n = file.names_size;
	header.ch_size = n;
	memcpy(stream, &header, sizeof(header));
	stream[used++] = 0x78;
	stream[used++] = 0x01;
	stream[used++] = 1; /* final, stored */
	stream[used++] = (uint8_t)n;
	stream[used++] = 0;
	stream[used++] = (uint8_t)~n;
	stream[used++] = 0xff;
	for (size_t i = 0; i < n; i++) {
		stream[used++] = (uint8_t)file.names[i];
		a = (a + (uint8_t)file.names[i]) % 65521;
		b = (b + a) % 65521;
	}
	for (int shift = 24; shift >= 0; shift -= 8)
		stream[used++] = (uint8_t)((b << 16 | a) >> shift);
	memcpy(file.names, stream, used);
	file.names_size = used;
	elf_write(&file);
	file.sections[ELF_SECTION_STRTAB].sh_flags = SHF_COMPRESSED;
	elf_rewrite_headers(&file);
	/* In place: memory of libelf's is above that of the program, a copy could be on either side. */
	copy = NULL;
	error = (struct error){0};
	assert_int_equal(image_from_memory(&image, file.data, file.size, "guest.elf", &error), 0);
	symbol = image_symbol_at(&image, SS_IMAGE_GPA);
	/* Either no name or the right one; a sanitizer sees memory that is gone. */
	if (symbol)
		assert_string_equal(symbol->name, "_start");
	for (size_t i = 0; i < image.symbol_count; i++) {
		assert_true((const uint8_t *)image.symbols[i].name >= image.data);
		assert_true((const uint8_t *)image.symbols[i].name < image.data + image.size);
	}
	image_close(&image);
	free(copy);
}

static void refused_path(const char *path, int rc, const char *fragment)
{
	struct error error = {0};
	struct image image;

	assert_int_equal(image_open(&image, path, &error), rc);
	assert_int_equal(error.status, STATUS_USAGE);
	assert_ptr_equal(strstr(error.text, path), error.text);
	if (!strstr(error.text, fragment))
		fail_msg("'%s' does not say '%s'", error.text, fragment);
	image_close(&image);
}

static void files(void **state)
{
	char directory[] = "/tmp/sidestep-image-XXXXXX", path[64];
	struct error error = {0};
	struct image image;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/guest", directory);
	refused_path(path, -ENOENT, "No such file");
	refused_path(directory, -EINVAL, "not a regular file");
	refused_path("/dev/null", -EINVAL, "not a regular file");
	/* Nobody writes to it: must not wait for a writer. */
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(patient(5));
	refused_path(path, -EINVAL, "not a regular file");
	alarm(0);
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	refused_path(path, -ENOEXEC, "empty file");
	assert_int_equal(ftruncate(fd, (off_t)IMAGE_SIZE_MAX + 1), 0);
	refused_path(path, -EFBIG, "too large");
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(image_open(&image, path, &error), 0);
	/* The file may shrink while the image is in use. */
	assert_int_equal(ftruncate(fd, 0), 0);
	for (size_t i = 0; i < image.size; i++)
		assert_int_equal(image.data[i], 0);
	image_close(&image);
	close(fd);
	unlink(path);
	rmdir(directory);
}

static const struct image_section *section_named(const struct image *image, const char *name)
{
	for (size_t i = 0; i < image->section_count; i++)
		if (strcmp(image->sections[i].name, name) == 0)
			return &image->sections[i];
	return NULL;
}

/* Where the guest's code takes a segment to be that is loaded elsewhere. */
#define MOVED UINT64_C(0x700000)

/* Sections by name, and where in memory addresses of the guest lie. */
static void sections(void **state)
{
	static struct elf_file file;
	const struct image_section *section;
	struct image image;
	struct error error;
	gpa_t gpa = {1};
	void *copy;

	(void)state;
	elf_valid(&file);
	file.segment_count = 2;
	file.segments[1] = file.segments[0];
	file.segments[1].p_vaddr = MOVED;
	file.segments[1].p_paddr = SS_IMAGE_GPA + 0x5000;
	elf_write(&file);
	file.sections[ELF_SECTION_TEXT].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
	file.sections[ELF_SECTION_TEXT].sh_addr = MOVED;
	elf_rewrite_headers(&file);
	assert_int_equal(parse(file.data, file.size, &image, &error, &copy), 0);
	section = section_named(&image, ".text");
	assert_non_null(section);
	assert_true(section->loaded);
	assert_int_equal(section->address, MOVED);
	assert_int_equal(section->size, ELF_CODE_SIZE);
	section = section_named(&image, ".symtab");
	assert_non_null(section);
	assert_false(section->loaded);
	assert_null(section_named(&image, ""));
	assert_int_equal(image_gpa(&image, MOVED + 8, 4088, &gpa), 0);
	assert_int_equal(gpa.v, SS_IMAGE_GPA + 0x5008);
	assert_int_equal(image_gpa(&image, MOVED + 8, 4089, &gpa), -ENOENT);
	assert_int_equal(image_gpa(&image, MOVED - 1, 1, &gpa), -ENOENT);
	assert_int_equal(image_gpa(&image, MOVED + 4096, 0, &gpa), -ENOENT);
	assert_int_equal(image_gpa(&image, MOVED, UINT64_MAX, &gpa), -ENOENT);
	image_close(&image);
	free(copy);
}

/* Intel SDM vol. 2A, LTR: 0f 00 /3, whatever the operand; not SLDT, STR, LLDT, VERR, VERW. */
static void finds_ltr(void **state)
{
	static const uint8_t filler[] = {0x0f, 0x0f, 0x90, 0x0f, 0x01};
	struct image image;
	struct error error;

	(void)state;
	for (unsigned modrm = 0; modrm <= 0xff; modrm++)
		for (size_t before = 0; before <= sizeof(filler); before++) {
			uint8_t code[sizeof(filler) + 3];
			size_t size = before + 3;

			memcpy(code, filler, before);
			memcpy(code + before, (const uint8_t[]){0x0f, 0x00, (uint8_t)modrm}, 3);
			assert_int_equal(image_from_memory(&image, code, size, "code", &error), 0);
			assert_int_equal(image_loads_tss(&image), (modrm >> 3 & 7) == 3);
			image_close(&image);
			assert_int_equal(image_from_memory(&image, code, size - 1, "code", &error), 0);
			assert_false(image_loads_tss(&image));
			image_close(&image);
		}
	assert_false(image_loads_tss(&(struct image){0}));
	assert_int_equal(image_builtin(&image, &error), 0);
	assert_false(image_loads_tss(&image));
	image_close(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_ltr),
		cmocka_unit_test(valid),
		cmocka_unit_test(loads),
		cmocka_unit_test(flat),
		cmocka_unit_test(truncated),
		cmocka_unit_test(spoilt),
		cmocka_unit_test(not_for_us),
		cmocka_unit_test(big_endian),
		cmocka_unit_test(bad_segments),
		cmocka_unit_test(overlapping),
		cmocka_unit_test(memory_fit),
		cmocka_unit_test(symbol_names),
		cmocka_unit_test(compressed_names),
		cmocka_unit_test(files),
		cmocka_unit_test(sections),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
