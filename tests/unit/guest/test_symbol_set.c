/* SPDX-License-Identifier: GPL-2.0-only */
/* Symbols of one guest from several files: what each names, where it lies, and what is refused. */
#include "tests/unit/cmocka_prelude.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf_maker.h"
#include "vmm/guest/symbol_set.h"

#define TEXT UINT64_C(0xffffffff81000000)
#define IDT (TEXT + 0x1e03000)
#define NVME UINT64_C(0xffffffffc0100000)
#define BIG UINT64_C(0xffffffffc1000000)

static const char kallsyms[] = "ffffffff81000000 T _text\n"
			       "ffffffff81000100 t same\n"
			       "ffffffff81000200 T do_idle\n"
			       "ffffffff82e03000 D idt_table\n"
			       "ffffffffc0100010 t nvme_irq\t[nvme]\n"
			       "ffffffffc0100080 t nvme_poll\t[nvme]\n"
			       "ffffffffc0200000 t same\t[e1000]\n";
static const char modules[] = "nvme 4096 2 - Live 0xffffffffc0100000\n"
			      "amdgpu 8388608 0 - Live 0xffffffffc1000000 (OE)\n"
			      "e1000 100 1 nvme,amdgpu, Loading 0xffffffffc0200000\n";

static char directory[] = "/tmp/symbol-set.XXXXXX";
static struct symbol_set set;
static struct error error;
static struct symbol_request requests[SYMBOL_FILES_MAX];
static size_t count;

static int enter(void **state)
{
	(void)state;
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	char command[sizeof(directory) + 10];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return chdir("/") == 0 ? system(command) : -1;
}

static void write_file(const char *name, const void *data, size_t size)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(data, 1, size, stream), size);
	assert_int_equal(fclose(stream), 0);
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

static void ask(const char *file, enum symbol_kind kind)
{
	requests[count++] = (struct symbol_request){file, kind};
}

/* Of what has been asked for since. */
static int open_set(void)
{
	int rc;

	error = (struct error){0};
	rc = symbol_set_open(&set, requests, count, &error);
	count = 0;
	return rc;
}

static void accept(void)
{
	if (open_set() != 0)
		fail_msg("refused: '%s'", error.text);
}

static void refuse(int result, const char *says)
{
	assert_int_equal(open_set(), result);
	assert_int_equal(error.status, STATUS_USAGE);
	if (strncmp(error.text, says, strlen(says)) != 0)
		fail_msg("'%s' does not begin with '%s'", error.text, says);
	symbol_set_close(&set);
	assert_int_equal(set.count, 0);
}

static void expect(uint64_t address, const char *name, const char *module, uint64_t offset)
{
	struct symbol_place place = {.name = "untouched"};
	bool found = symbol_set_find(&set, address, &place);

	if (!name) {
		if (found)
			fail_msg("%#llx is in %s", (unsigned long long)address, place.name);
		assert_string_equal(place.name, "untouched");
		return;
	}
	if (!found)
		fail_msg("%#llx has no name", (unsigned long long)address);
	assert_string_equal(place.name, name);
	assert_int_equal(place.module != NULL, module != NULL);
	if (module)
		assert_string_equal(place.module, module);
	assert_int_equal(place.start, address - offset);
	assert_int_equal(place.offset, offset);
}

static void none(void **state)
{
	(void)state;
	accept();
	assert_null(set.kernel);
	expect(TEXT, NULL, NULL, 0);
	symbol_set_close(&set);
	symbol_set_close(&set);
}

/* Functions of modules are called as the kernel prints them; what is in none, as its module. */
static void kernel_and_modules(void **state)
{
	(void)state;
	write_text("kallsyms", kallsyms);
	write_text("modules", modules);
	for (unsigned order = 0; order < 2; order++) {
		ask(order ? "modules" : "kallsyms", order ? SYMBOL_MODULES : SYMBOL_FUNCTIONS);
		ask(order ? "kallsyms" : "modules", order ? SYMBOL_FUNCTIONS : SYMBOL_MODULES);
		accept();
		expect(TEXT - 1, NULL, NULL, 0);
		expect(TEXT + 0x1ff, "same", NULL, 0xff);
		expect(TEXT + 0x200, "do_idle", NULL, 0);
		expect(NVME - 1, NULL, NULL, 0);
		expect(NVME, "[nvme]", "nvme", 0);
		expect(NVME + 0xf, "[nvme]", "nvme", 0xf);
		expect(NVME + 0x10, "nvme_irq [nvme]", "nvme", 0);
		expect(NVME + 0x90, "nvme_poll [nvme]", "nvme", 0x10);
		/* Where both begin. */
		expect(0xffffffffc0200000, "same [e1000]", "e1000", 0);
		/* Farther from any function than functions are long. */
		expect(BIG - 1, NULL, NULL, 0);
		expect(BIG + 0x7fffff, "[amdgpu]", "amdgpu", 0x7fffff);
		expect(BIG + 0x800000, NULL, NULL, 0);
		/* Nothing of Linux is there. */
		expect(TEXT & INT64_MAX, NULL, NULL, 0);
		expect(0, NULL, NULL, 0);
		expect(UINT64_MAX, NULL, NULL, 0);
		symbol_set_close(&set);
	}
}

static const char *name_at(uint64_t address, const uint64_t *moved)
{
	uint64_t offset;
	const struct image_symbol *symbol = symbol_set_at(&set, address, moved, &offset);

	return symbol ? symbol->name : NULL;
}

/* Registers tell where the kernel is. Modules are elsewhere then, and nobody knows where; what the command line has
 * placed stays. */
static void moved_kernel(void **state)
{
	const uint64_t moved = 0x2000000, not_moved = 0;

	(void)state;
	write_text("kallsyms", kallsyms);
	write_text("modules", modules);
	write_text("map", "0000000000001000 T _text\n0000000000001100 T boots\n");
	ask("modules", SYMBOL_MODULES);
	ask("map@0x100000", SYMBOL_FUNCTIONS);
	ask("kallsyms", SYMBOL_FUNCTIONS);
	accept();
	assert_string_equal(set.kernel->path, "kallsyms");
	assert_string_equal(name_at(TEXT + 0x200, &not_moved), "do_idle");
	assert_string_equal(name_at(NVME + 0x10, &not_moved), "nvme_irq [nvme]");
	assert_string_equal(name_at(TEXT + 0x200 + moved, &moved), "do_idle");
	assert_null(name_at(TEXT + 0x200, &moved));
	assert_null(name_at(TEXT + 0x200, NULL));
	assert_null(name_at(NVME + 0x10, &moved));
	assert_null(name_at(NVME + 0x10 + moved, &moved));
	assert_null(name_at(NVME + 0x10, NULL));
	assert_null(name_at(BIG, &moved));
	assert_string_equal(name_at(0x100100, &moved), "boots");
	assert_string_equal(name_at(0x100100, NULL), "boots");
	symbol_set_close(&set);
	/* Without one to be looked for all is where it says. */
	ask("map", SYMBOL_FUNCTIONS);
	ask("modules", SYMBOL_MODULES);
	accept();
	assert_null(set.kernel);
	assert_string_equal(name_at(0x1100, NULL), "boots");
	assert_string_equal(name_at(NVME, NULL), "[nvme]");
	symbol_set_close(&set);
}

/* By lines: where _text is. The modules of such a file are not there then. */
static void placed_lines(void **state)
{
	(void)state;
	write_text("kallsyms", kallsyms);
	write_text("a@b", kallsyms);
	ask("kallsyms@0xffffffff90000000", SYMBOL_FUNCTIONS);
	accept();
	assert_null(set.kernel);
	expect(UINT64_C(0xffffffff90000208), "do_idle", NULL, 8);
	expect(TEXT + 0x200, NULL, NULL, 0);
	expect(NVME + 0x10, NULL, NULL, 0);
	expect(NVME + 0x10 + 0xf000000, NULL, NULL, 0);
	symbol_set_close(&set);
	ask("kallsyms@0xFFFFFFFF81000000", SYMBOL_FUNCTIONS);
	accept();
	assert_null(set.kernel);
	expect(NVME + 0x10, "nvme_irq [nvme]", "nvme", 0);
	symbol_set_close(&set);
	/* An '@' of the file's own. */
	ask("a@b", SYMBOL_FUNCTIONS);
	accept();
	assert_string_equal(set.kernel->path, "a@b");
	symbol_set_close(&set);
	ask("a@b@0x1000", SYMBOL_FUNCTIONS);
	accept();
	assert_string_equal(set.files[0].path, "a@b");
	symbol_set_close(&set);
}

static void write_elf(const char *name, struct elf_file *elf, uint64_t text_address, bool executable)
{
	elf_write(elf);
	elf->sections[ELF_SECTION_TEXT].sh_addr = text_address;
	elf->sections[ELF_SECTION_TEXT].sh_flags = SHF_ALLOC | (executable ? SHF_EXECINSTR : 0);
	elf_rewrite_headers(elf);
	write_file(name, elf->data, elf->size);
}

/* Where .text begins, and without one the first segment with code. Behind the code nothing has a name. */
static void placed_elf(void **state)
{
	static struct elf_file elf;

	(void)state;
	elf_valid(&elf);
	write_elf("program", &elf, SS_IMAGE_GPA, true);
	ask("program", SYMBOL_FUNCTIONS);
	ask("program@0x7f0000", SYMBOL_FUNCTIONS);
	accept();
	expect(SS_IMAGE_GPA + 4, "_start", NULL, 4);
	expect(SS_IMAGE_GPA + 12, "after", NULL, 0);
	expect(SS_IMAGE_GPA + ELF_CODE_SIZE, NULL, NULL, 0);
	expect(0x7effff, NULL, NULL, 0);
	expect(0x7f0001, "_start", NULL, 1);
	expect(0x7f0000 + ELF_CODE_SIZE - 1, "after", NULL, 3);
	expect(0x7f0000 + ELF_CODE_SIZE, NULL, NULL, 0);
	symbol_set_close(&set);
	/* .text is not where the segment begins. */
	elf_valid(&elf);
	write_elf("program", &elf, SS_IMAGE_GPA + 8, true);
	ask("program@0x7f0008", SYMBOL_FUNCTIONS);
	accept();
	expect(0x7f0001, "_start", NULL, 1);
	symbol_set_close(&set);
	elf_valid(&elf);
	elf_write(&elf);
	elf.sections[ELF_SECTION_TEXT].sh_name = 0;
	elf_rewrite_headers(&elf);
	write_file("program", elf.data, elf.size);
	ask("program@0x7f0000", SYMBOL_FUNCTIONS);
	accept();
	expect(0x7f0001, "_start", NULL, 1);
	symbol_set_close(&set);
	elf.segments[0].p_flags = PF_R;
	elf_rewrite_headers(&elf);
	write_file("program", elf.data, elf.size);
	ask("program@0x7f0000", SYMBOL_FUNCTIONS);
	refuse(-EINVAL, "program: does not say where its code begins, so it cannot be placed; leave @0x7f0000 away");
}

/* Whatever the order in which they are given. */
static void closest(void **state)
{
	(void)state;
	write_text("low", "0000000000100000 T _text\n");
	write_text("high", "0000000000180000 T _text\n");
	for (unsigned order = 0; order < 2; order++) {
		ask(order ? "low" : "high", SYMBOL_FUNCTIONS);
		ask(order ? "high@0x180001" : "low", SYMBOL_FUNCTIONS);
		accept();
		expect(0x17ffff, "_text", NULL, 0x7ffff);
		expect(0x180008, "_text", NULL, order ? 7 : 8);
		symbol_set_close(&set);
	}
}

/* A module: of its sections, all of which begin at 0, .text alone. */
static void module(void **state)
{
	static struct elf_file elf;

	(void)state;
	elf_valid(&elf);
	elf.header.e_type = ET_REL;
	elf.symbols[1].st_value = 0;
	elf.symbols[2].st_value = 4;
	elf.symbols[2].st_shndx = ELF_SECTION_OPERATIONS;
	write_elf("nvme.ko", &elf, 0, true);
	ask("nvme.ko@0xffffffffc0100000", SYMBOL_FUNCTIONS);
	accept();
	expect(NVME - 1, NULL, NULL, 0);
	expect(NVME + 6, "_start", NULL, 6);
	expect(NVME + ELF_CODE_SIZE - 1, "_start", NULL, ELF_CODE_SIZE - 1);
	expect(NVME + ELF_CODE_SIZE, NULL, NULL, 0);
	symbol_set_close(&set);
	ask("nvme.ko", SYMBOL_FUNCTIONS);
	refuse(-EINVAL, "nvme.ko: a module has no address of its own; write FILE@0x..., with the guest's "
			"/sys/module/NAME/sections/.text");
	elf.symbols[1].st_shndx = ELF_SECTION_OPERATIONS;
	write_elf("nvme.ko", &elf, 0, true);
	ask("nvme.ko@0xffffffffc0100000", SYMBOL_FUNCTIONS);
	refuse(-ENOENT, "nvme.ko: no function with an address; ");
}

static void refused(void **state)
{
	static const char *const lines[] = {
		"nvme",
		"nvme 4096 2 - Live",
		"nvme 4096 2 - Live ffffffffc0100000",
		"nvme 4096 2 - Live 0x",
		"nvme 4096 2 - Live 0xg",
		"nvme 4096 2 - Live 0x-1",
		"nvme 4096x 2 - Live 0xffffffffc0100000",
		"nvme -1 2 - Live 0xffffffffc0100000",
		"\033[1m 4096 2 - Live 0xffffffffc0100000",
		"ffffffff81000000 T _text",
		"\177ELF",
		"a_name_that_is_longer_than_any_module_of_linux_has_got_one_ever_0 1 2 - Live 0xffffffffc0100000",
	};
	static const struct {
		const char *file;
		enum symbol_kind kind;
		int rc;
		const char *line;
	} rows[] = {
		{"zeros", SYMBOL_FUNCTIONS, -ENOENT,
		 "zeros: no function with an address; read /proc/kallsyms as root (kernel.kptr_restrict)"},
		{"zero-modules", SYMBOL_MODULES, -ENOENT,
		 "zero-modules: no module with an address; read /proc/modules as root (kernel.kptr_restrict)"},
		{"empty", SYMBOL_MODULES, -ENOEXEC, "empty: "},
		{"no-text@0x1000", SYMBOL_FUNCTIONS, -EINVAL,
		 "no-text: does not say where its code begins, so it cannot be placed; leave @0x1000 away"},
		{"modules@0x1000", SYMBOL_MODULES, -EINVAL, "modules: does not say where its code begins"},
		{"kallsyms@0x10000000000000000", SYMBOL_FUNCTIONS, -ERANGE,
		 "kallsyms@0x10000000000000000: no address of 64 bits; write FILE@0x..."},
		/* What is no address is of the file's name. */
		{"kallsyms@0x", SYMBOL_FUNCTIONS, -ENOENT, "kallsyms@0x: No such file"},
		{"kallsyms@0x12g", SYMBOL_FUNCTIONS, -ENOENT, "kallsyms@0x12g: No such file"},
		{"kallsyms@12", SYMBOL_FUNCTIONS, -ENOENT, "kallsyms@12: No such file"},
		{"@0x12", SYMBOL_FUNCTIONS, -ENOENT, "@0x12: No such file"},
	};
	char text[200];

	(void)state;
	write_text("kallsyms", kallsyms);
	write_text("modules", modules);
	write_text("zeros", "0000000000000000 T _text\n0000000000000000 t other\n");
	write_text("zero-modules", "nvme 4096 2 - Live 0x0000000000000000\n");
	write_text("no-text", "ffffffff81000000 T _start\n");
	write_text("empty", "");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(text, sizeof(text), "nvme 4096 2 - Live 0xffffffffc0100000\n%s\n", lines[i]);
		write_text("bad", text);
		ask("bad", SYMBOL_MODULES);
		refuse(-EINVAL, "bad:2: no module; give a copy of /proc/modules");
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ask(rows[i].file, rows[i].kind);
		refuse(rows[i].rc, rows[i].line);
	}
	ask("kallsyms", SYMBOL_FUNCTIONS);
	ask("kallsyms", SYMBOL_FUNCTIONS);
	refuse(-EINVAL, "kallsyms: a kernel, as kallsyms is; give one of them, or write FILE@0x... ");
	ask("kallsyms", SYMBOL_FUNCTIONS);
	ask("missing@0x12", SYMBOL_FUNCTIONS);
	refuse(-ENOENT, "missing: No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none),		cmocka_unit_test(kernel_and_modules), cmocka_unit_test(moved_kernel),
		cmocka_unit_test(placed_lines), cmocka_unit_test(placed_elf),	      cmocka_unit_test(closest),
		cmocka_unit_test(module),	cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("symbol_set", tests, enter, leave);
}
