/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/guest/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Guest-physical addresses above this are refused early; nothing we run has so much memory. */
#define SEGMENT_LIMIT (UINT64_C(1) << 46)

extern const uint8_t firmware_start[], firmware_end[];

static int bad(struct error *error, const char *name, const char *what, const char *remedy)
{
	return error_set(error, -ENOEXEC, STATUS_USAGE, "%s: %s; %s", name, what, remedy);
}

static bool overlaps(const struct image_segment *a, const struct image_segment *b)
{
	return a->gpa.v < b->gpa.v + b->memory_size && b->gpa.v < a->gpa.v + a->memory_size;
}

static int check_segment(const struct image *image, const struct image_segment *segment,
			 const char *name, struct error *error)
{
	if (segment->file_size > segment->memory_size)
		return bad(error, name, "a segment is larger in the file than in memory",
			   "link it again");
	if (segment->file_offset > image->size ||
	    segment->file_size > image->size - segment->file_offset)
		return bad(error, name, "truncated: a segment lies beyond the end of the file",
			   "copy or build it again");
	if (segment->gpa.v < SS_IMAGE_GPA)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: a segment at 0x%" PRIx64 " lies below 0x%x, where guests start; "
				 "link with guest.ld",
				 name, segment->gpa.v, SS_IMAGE_GPA);
	if (segment->gpa.v > SEGMENT_LIMIT || segment->memory_size > SEGMENT_LIMIT)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: a segment at 0x%" PRIx64 " of 0x%" PRIx64
				 " bytes is outside any guest memory; link with guest.ld",
				 name, segment->gpa.v, segment->memory_size);
	for (size_t i = 0; i < image->segment_count; i++)
		if (overlaps(segment, &image->segments[i]))
			return error_set(error, -ENOEXEC, STATUS_USAGE,
					 "%s: segments at 0x%" PRIx64 " and 0x%" PRIx64
					 " overlap; link with guest.ld",
					 name, image->segments[i].gpa.v, segment->gpa.v);
	return 0;
}

static int read_segments(struct image *image, Elf *elf, const char *name, struct error *error)
{
	size_t count;
	int rc;

	if (elf_getphdrnum(elf, &count) != 0 || count == 0)
		return bad(error, name, "no program headers, so nothing to load",
			   "link it as an executable");
	image->segments = calloc(count, sizeof(*image->segments));
	if (!image->segments)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;
		struct image_segment segment;

		if (!gelf_getphdr(elf, (int)i, &header))
			return bad(error, name, "truncated program headers", "copy or build it again");
		if (header.p_type != PT_LOAD || header.p_memsz == 0)
			continue;
		segment = (struct image_segment){
			.gpa = gpa_at(header.p_paddr),
			.address = header.p_vaddr,
			.memory_size = header.p_memsz,
			.file_offset = header.p_offset,
			.file_size = header.p_filesz,
			.writable = header.p_flags & PF_W,
		};
		rc = check_segment(image, &segment, name, error);
		if (rc != 0)
			return rc;
		image->segments[image->segment_count++] = segment;
	}
	if (image->segment_count == 0)
		return bad(error, name, "no loadable segment", "link it as an executable");
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct image_symbol *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static bool printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			return false;
	return true;
}

/* A string table as the file has it, up to its last NUL. A compressed one would have to be inflated to whatever
 * size it claims, and gives no names; none gives none either. */
struct names {
	const char *text;
	size_t size;
};

static struct names names_of(const struct image *image, Elf *elf, size_t section)
{
	const char *text, *last;
	GElf_Shdr header;

	if (!gelf_getshdr(elf_getscn(elf, section), &header) || header.sh_type != SHT_STRTAB ||
	    header.sh_flags & SHF_COMPRESSED || header.sh_offset > image->size ||
	    header.sh_size > image->size - header.sh_offset)
		return (struct names){0};
	text = (const char *)image->data + header.sh_offset;
	last = memrchr(text, '\0', header.sh_size);
	return (struct names){text, last ? (size_t)(last - text) + 1 : 0};
}

/* Names end up in messages, so they must not speak to a terminal. NULL: there is none that can be used. */
static const char *name_at(const struct names *names, size_t offset)
{
	const char *name = offset < names->size ? names->text + offset : "";

	return name[0] != '\0' && strnlen(name, IMAGE_NAME_MAX + 1) <= IMAGE_NAME_MAX &&
			       printable(name)
		       ? name
		       : NULL;
}

static void add_symbol(struct image *image, const GElf_Sym *symbol, const char *name)
{
	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE || !name ||
	    GELF_ST_TYPE(symbol->st_info) > STT_FUNC)
		return;
	image->symbols[image->symbol_count++] =
		(struct image_symbol){symbol->st_value, symbol->st_size, name};
}

/* Symbols are a help for messages and attribution; a file without them is fine. */
static int read_symbols(struct image *image, Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
			const char *name, struct error *error)
{
	const struct names names = names_of(image, elf, header->sh_link);
	Elf_Data *data = image->symbols ? NULL : elf_getdata(section, NULL);
	size_t count = data ? data->d_size / sizeof(Elf64_Sym) : 0;

	if (count == 0)
		return 0;
	if (count > IMAGE_SYMBOLS_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE,
				 "%s: %zu symbols, and the limit is %" PRIu64 "; strip it", name, count,
				 IMAGE_SYMBOLS_MAX);
	image->symbols = calloc(count, sizeof(*image->symbols));
	if (!image->symbols)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		GElf_Sym symbol;

		if (gelf_getsym(data, (int)i, &symbol))
			add_symbol(image, &symbol, name_at(&names, symbol.st_name));
	}
	qsort(image->symbols, image->symbol_count, sizeof(*image->symbols), by_address);
	return 0;
}

static bool terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool name_characters(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0';
}

static int check_operation(const struct ss_operation *op, size_t count, const char *name,
			   struct error *error)
{
	if (!terminated(op->name, sizeof(op->name)) || !name_characters(op->name) ||
	    !terminated(op->needs, sizeof(op->needs)) || !printable(op->needs) ||
	    !terminated(op->meaning, sizeof(op->meaning)) || !printable(op->meaning))
		return bad(error, name, "the catalogue has an entry with a malformed text",
			   "see docs/guest-abi.md");
	if (op->kind == SS_KIND_INVALID || op->kind >= SS_KIND_COUNT ||
	    op->insn == SS_INSN_INVALID || op->insn >= SS_INSN_COUNT || op->count == 0)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: operation %s has an unknown kind or instruction; build it with "
				 "this version's abi.h",
				 name, op->name);
	if (op->compared > count)
		return error_set(error, -ENOEXEC, STATUS_USAGE,
				 "%s: operation %s is compared with operation %u of %zu; see "
				 "docs/guest-abi.md",
				 name, op->name, op->compared, count);
	return 0;
}

static int read_catalogue(struct image *image, Elf_Scn *section, const char *name,
			  struct error *error)
{
	Elf_Data *data = image->operations ? NULL : elf_getdata(section, NULL);

	if (image->operations)
		return 0;
	if (!data || data->d_size % sizeof(struct ss_operation) != 0 ||
	    data->d_size / sizeof(struct ss_operation) > SS_MAX_OPERATIONS)
		return bad(error, name, "the catalogue section has the wrong size",
			   "build it with this version's abi.h");
	if (data->d_size == 0)
		return 0;
	image->operations = malloc(data->d_size);
	if (!image->operations)
		return -ENOMEM;
	memcpy(image->operations, data->d_buf, data->d_size);
	image->operation_count = data->d_size / sizeof(struct ss_operation);
	for (size_t i = 0; i < image->operation_count; i++) {
		int rc = check_operation(&image->operations[i], image->operation_count, name,
					 error);

		if (rc != 0)
			return rc;
	}
	return 0;
}

/* The caller has made room for it. */
static void add_section(struct image *image, const GElf_Shdr *header, const char *name)
{
	if (!name)
		return;
	image->sections[image->section_count++] = (struct image_section){
		.name = name,
		.address = header->sh_addr,
		.size = header->sh_size,
		.loaded = header->sh_flags & SHF_ALLOC,
	};
}

static int read_sections(struct image *image, Elf *elf, const char *name, struct error *error)
{
	Elf_Scn *section = NULL;
	size_t index, count = 1;
	struct names names;
	int rc = 0;

	if (elf_getshdrstrndx(elf, &index) != 0)
		return 0;
	names = names_of(image, elf, index);
	/* Those that there are, whatever number the header gives. */
	while ((section = elf_nextscn(elf, section)) != NULL)
		count++;
	image->sections = calloc(count, sizeof(*image->sections));
	if (!image->sections)
		return -ENOMEM;
	while (rc == 0 && (section = elf_nextscn(elf, section)) != NULL) {
		const char *section_name;
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header))
			continue;
		section_name = name_at(&names, header.sh_name);
		if (image->section_count < count)
			add_section(image, &header, section_name);
		if (header.sh_type == SHT_SYMTAB)
			rc = read_symbols(image, elf, section, &header, name, error);
		else if (header.sh_type == SHT_PROGBITS && section_name &&
			 strcmp(section_name, SS_OPERATION_SECTION) == 0)
			rc = read_catalogue(image, section, name, error);
	}
	return rc;
}

/* Of program headers and sections, those that do not fit into the header of the file are in its first section. */
static int check_counts(const struct image *image, const Elf64_Ehdr *header, const char *name,
			struct error *error)
{
	uint64_t segments = header->e_phnum, sections = header->e_shnum;
	Elf64_Shdr first;

	if (header->e_shoff != 0 && header->e_shoff <= image->size &&
	    sizeof(first) <= image->size - header->e_shoff) {
		memcpy(&first, image->data + header->e_shoff, sizeof(first));
		if (segments == PN_XNUM)
			segments = first.sh_info;
		if (sections == 0)
			sections = first.sh_size;
	}
	if (segments > IMAGE_SEGMENTS_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE,
				 "%s: %" PRIu64 " program headers, and the limit is %d; link with guest.ld",
				 name, segments, IMAGE_SEGMENTS_MAX);
	if (sections > IMAGE_SECTIONS_MAX)
		return error_set(error, -E2BIG, STATUS_USAGE,
				 "%s: %" PRIu64 " sections, and the limit is %d; link with guest.ld", name,
				 sections, IMAGE_SECTIONS_MAX);
	return 0;
}

/* Before libelf sees the file: it sets up all that the header claims. */
static int check_header(const struct image *image, const char *name, struct error *error)
{
	Elf64_Ehdr header;

	if (image->size < sizeof(header))
		return bad(error, name, "truncated ELF header", "copy or build it again");
	memcpy(&header, image->data, sizeof(header));
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64)
		return bad(error, name, "not an x86-64 image",
			   "build it for x86-64 as a 64-bit ELF file or a flat binary");
	if (header.e_type != ET_EXEC)
		return bad(error, name, "not a static executable",
			   "link it with -static -no-pie and guest.ld");
	if (header.e_phoff > image->size ||
	    header.e_phnum * sizeof(Elf64_Phdr) > image->size - header.e_phoff)
		return bad(error, name, "truncated program headers", "copy or build it again");
	return check_counts(image, &header, name, error);
}

static int read_elf(struct image *image, Elf *elf, const char *name, struct error *error)
{
	GElf_Ehdr header;
	int rc;

	if (!gelf_getehdr(elf, &header))
		return bad(error, name, "truncated ELF header", "copy or build it again");
	image->entry = header.e_entry;
	rc = read_segments(image, elf, name, error);
	if (rc == 0)
		rc = read_sections(image, elf, name, error);
	if (rc != 0)
		return rc;
	if (image_segment_at(image, image->entry))
		return 0;
	return bad(error, name, "its entry point is in no loaded segment", "link with guest.ld");
}

static int read_flat(struct image *image)
{
	image->segments = calloc(1, sizeof(*image->segments));
	if (!image->segments)
		return -ENOMEM;
	image->segments[0] = (struct image_segment){
		.gpa = gpa_at(SS_IMAGE_GPA),
		.address = SS_IMAGE_GPA,
		.memory_size = image->size,
		.file_size = image->size,
		.writable = true,
	};
	image->segment_count = 1;
	image->entry = SS_IMAGE_GPA;
	image->flat = true;
	return 0;
}

static int parse(struct image *image, const char *name, struct error *error)
{
	Elf *elf;
	int rc;

	if (image->size < SELFMAG || memcmp(image->data, ELFMAG, SELFMAG) != 0)
		return read_flat(image);
	rc = check_header(image, name, error);
	if (rc != 0)
		return rc;
	elf_version(EV_CURRENT);
	/* libelf takes a char pointer but does not write to memory it was given to read. */
	elf = elf_memory((char *)(uintptr_t)image->data, image->size);
	if (!elf)
		return bad(error, name, "damaged ELF file", "copy or build it again");
	rc = read_elf(image, elf, name, error);
	elf_end(elf);
	return rc;
}

int image_from_memory(struct image *image, const void *data, size_t size, const char *name,
		      struct error *error)
{
	int rc;

	*image = (struct image){.data = data, .size = size};
	rc = parse(image, name, error);
	if (rc == -ENOMEM)
		error_set(error, rc, STATUS_INTERNAL, "%s: out of memory", name);
	if (rc != 0)
		image_close(image);
	return rc;
}

int image_builtin(struct image *image, struct error *error)
{
	return image_from_memory(image, firmware_start, (size_t)(firmware_end - firmware_start),
				 "built-in firmware", error);
}

static int map_file(int fd, const char *path, const uint8_t **ret_data, size_t *ret_size,
		    struct error *error)
{
	struct stat status;
	void *data;

	if (fstat(fd, &status) != 0)
		return error_set(error, -errno, STATUS_USAGE, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, STATUS_USAGE,
				 "%s: not a regular file; give an ELF file or a flat binary", path);
	if (status.st_size == 0)
		return bad(error, path, "empty file", "build it again");
	if ((uint64_t)status.st_size > IMAGE_SIZE_MAX)
		return error_set(error, -EFBIG, STATUS_USAGE,
				 "%s: %jd bytes are too large for a guest image; the limit is %" PRIu64
				 " MiB",
				 path, (intmax_t)status.st_size, IMAGE_SIZE_MAX >> 20);
	/* A copy, not a mapping of the file: one that shrinks while in use must not raise SIGBUS. */
	data = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return error_set(error, -ENOMEM, STATUS_INTERNAL, "%s: out of memory", path);
	for (size_t done = 0; done < (size_t)status.st_size;) {
		ssize_t n = pread(fd, (char *)data + done, (size_t)status.st_size - done,
				  (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int result = n < 0 ? -errno : -EIO;

			munmap(data, (size_t)status.st_size);
			return error_set(error, result, STATUS_USAGE, "%s: cannot be read: %s", path,
					 strerror(-result));
		}
		done += (size_t)n;
	}
	*ret_data = data;
	*ret_size = (size_t)status.st_size;
	return 0;
}

int image_open(struct image *image, const char *path, struct error *error)
{
	/* Opening a FIFO would wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const uint8_t *data = NULL;
	size_t size = 0;
	int rc;

	*image = (struct image){0};
	if (fd < 0)
		return error_set(error, -errno, STATUS_USAGE, "%s: %s; name a guest image to run", path,
				 strerror(errno));
	rc = map_file(fd, path, &data, &size, error);
	close(fd);
	if (rc != 0)
		return rc;
	rc = image_from_memory(image, data, size, path, error);
	if (rc == 0)
		image->mapped = true;
	else
		munmap((void *)(uintptr_t)data, size);
	return rc;
}

void image_close(struct image *image)
{
	free(image->segments);
	free(image->symbols);
	free(image->sections);
	free(image->operations);
	if (image->mapped)
		munmap((void *)(uintptr_t)image->data, image->size);
	*image = (struct image){0};
}

int image_check_fit(const struct image *image, uint64_t memory_size, struct error *error)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];

		if (!guest_ram_contains(memory_size, segment->gpa, segment->memory_size))
			return error_set(error, -ERANGE, STATUS_USAGE,
					 "the guest's segment at 0x%" PRIx64 " of %" PRIu64
					 " bytes is outside its memory of %" PRIu64
					 " MiB; give it more with -m or link it lower",
					 segment->gpa.v, segment->memory_size, memory_size >> 20);
	}
	return 0;
}

int image_load(const struct image *image, const struct guest_ram *ram)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		int rc = guest_ram_write(ram, segment->gpa, image->data + segment->file_offset,
					 segment->file_size);
		if (rc != 0)
			return rc;
	}
	return 0;
}
