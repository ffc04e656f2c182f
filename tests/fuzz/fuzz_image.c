/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest image: whatever is accepted can be loaded, within its bounds. */
#include "fuzz.h"
#include "vmm/guest/image_file.h"

#define MEMORY (UINT64_C(4) << 20)

static void use(const struct image *image)
{
	struct guest_ram ram = {0};
	struct error error = {0};

	for (size_t i = 0; i < image->operation_count; i++)
		MUST(strnlen(image->operations[i].name, sizeof(image->operations[i].name)) <
		     sizeof(image->operations[i].name));
	for (size_t i = 1; i < image->symbol_count; i++)
		MUST(image->symbols[i - 1].address <= image->symbols[i].address);
	MUST(!image_format_is_kernel(image->format) || image_segment_at(image, image->entry));
	image_symbol_at(image, image->entry);
	image_symbol_at(image, UINT64_MAX);
	image_operation_name(image, (uint32_t)image->operation_count + 1);
	image_read_only(image);
	if (image_check_fit(image, MEMORY, &error) != 0)
		return;
	if (guest_ram_create(&ram, MEMORY) == 0) {
		MUST(image_load(image, &ram, &error) == 0);
		guest_ram_destroy(&ram);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = {0};
	struct image image;

	if (image_from_memory(&image, data, size, "input", &error) != 0) {
		MUST(error.text[0] && !image.segments && !image.operations);
		return 0;
	}
	use(&image);
	image_close(&image);
	return 0;
}
