/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * small_vmm [-m MIB] [-i INITRD] [-a COMMAND-LINE] BZIMAGE, or
 * small_vmm [-c VCPUS] [-l CPUIDS,OUTS] [-k]: a VMM that is none of sidestep's, for others to attach to.
 *
 * It boots a Linux kernel by the 64-bit boot protocol, with KVM's interrupt controllers, KVM's timer and an 8250, on
 * one vCPU; or a guest of a few instructions on each vCPU, which executes CPUID so often and OUT so often, and tells
 * the ticks of both; with -k in 64-bit mode, where Linux has its kernel. Every vCPU has a thread. When all are there,
 * "waiting: vcpu0 TID ..." is on stderr, and the guest starts once a line, or the end of the file, has come from
 * stdin. When it has ended, stderr has each vCPU's statistics, those of KVM that are not zero and `runs`, how often
 * KVM_RUN has returned: "vcpu0 exits 12345".
 * Status: 0 the guest has ended itself; 1 it failed; 99 the host did.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define VCPUS_MAX 8
#define CPUID_MAX 128
#define STATUS_HOST 99

/* Guest-physical. */
#define ZERO_PAGE 0x10000u
#define COMMAND_LINE 0x20000u
#define PAGE_TABLES 0x30000u
#define GDT 0x40000u
#define KERNEL 0x1000000u
#define LOOP 0x1000u
#define HIGH_HALF 0xffffffff80000000u /* where the first memory is once more */
#define STACK 0x8000u
#define TSS 0xfffbd000u

#define CODE_SELECTOR 0x10
#define DATA_SELECTOR 0x18

#define PORT_RESULT 0xe0
#define PORT_END 0xf4
#define PORT_SERIAL 0x3f8
#define PORT_KEYBOARD 0x64
#define PORT_CLOCK 0x71
#define KEYBOARD_RESET 0xfe
#define IRQ_SERIAL 4

enum outcome { GOES_ON, ENDED, FAILED };

struct serial {
	uint8_t ier, fcr, lcr, mcr, scratch;
	bool empty_pending; /* the interrupt that says so has not been asked for yet */
};

struct vcpu {
	unsigned index;
	int fd, stats;
	struct kvm_run *run;
	pthread_t thread;
	pid_t tid;
	uint64_t runs;
	enum outcome outcome;
};

static int kvm, vm;
static uint8_t *memory;
static size_t memory_size = 128u << 20;
static unsigned vcpu_count = 1;
static struct vcpu vcpus[VCPUS_MAX];
static struct serial serial;
static bool linux_guest, high_loop;
static unsigned cpuids = 1000, outs = 100;
static pthread_barrier_t created, started;

/* EAX on entry: how many CPUIDs; EBX: how many OUTs. Tells the ticks of either loop, and ends. Once for each mode. */
extern const uint8_t loop_begin[], high_loop_begin[], loop_end[];
__asm__(".pushsection .rodata\n"
	".macro loop\n"
	"	mov %eax, %esi\n"
	"	mov %ebx, %ebp\n"
	"	rdtsc\n"
	"	mov %eax, %edi\n"
	"1:	test %esi, %esi\n"
	"	jz 2f\n"
	"	xor %eax, %eax\n"
	"	cpuid\n"
	"	dec %esi\n"
	"	jmp 1b\n"
	"2:	rdtsc\n"
	"	sub %edi, %eax\n"
	"	out %eax, $0xe0\n"
	"	rdtsc\n"
	"	mov %eax, %edi\n"
	"3:	test %ebp, %ebp\n"
	"	jz 4f\n"
	"	out %al, $0x80\n"
	"	dec %ebp\n"
	"	jmp 3b\n"
	"4:	rdtsc\n"
	"	sub %edi, %eax\n"
	"	out %eax, $0xe0\n"
	"	out %al, $0xf4\n"
	"	hlt\n"
	".endm\n"
	".code16\n"
	"loop_begin:\n"
	"	loop\n"
	".code64\n"
	"high_loop_begin:\n"
	"	loop\n"
	"loop_end:\n"
	".popsection\n");

static void fail(const char *what)
{
	fprintf(stderr, "small_vmm: %s: %s\n", what, strerror(errno));
	exit(STATUS_HOST);
}

static int check(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

#define DO(fd, request, argument) check(ioctl(fd, request, argument), #request)

/* --- what the guest starts with ------------------------------------------------------------------------------------ */

/* Returns the size; `where` gets the file as it is. */
static size_t load(const char *path, uint8_t *where, size_t room)
{
	int fd = check(open(path, O_RDONLY | O_CLOEXEC), path);
	size_t size = 0;
	ssize_t got;

	while (size < room && (got = read(fd, where + size, room - size)) > 0)
		size += (size_t)got;
	close(fd);
	if (size == 0 || size == room) {
		fprintf(stderr, "small_vmm: %s: empty, or too large\n", path);
		exit(STATUS_HOST);
	}
	return size;
}

/* At the end of memory. */
static void load_initrd(const char *path, struct boot_params *params)
{
	struct stat status;
	size_t place;

	check(stat(path, &status), path);
	if (status.st_size <= 0 || (uint64_t)status.st_size > memory_size / 2) {
		fprintf(stderr, "small_vmm: %s: empty, or too large\n", path);
		exit(STATUS_HOST);
	}
	place = (memory_size - (size_t)status.st_size - 1) & ~0xfffull;
	params->hdr.ramdisk_size = (uint32_t)load(path, memory + place, memory_size - place);
	params->hdr.ramdisk_image = (uint32_t)place;
}

static void load_linux(const char *image, const char *initrd, const char *command_line)
{
	struct boot_params *params = (void *)(memory + ZERO_PAGE);
	uint8_t *kernel = memory + KERNEL;
	size_t size = load(image, kernel, memory_size / 2 - KERNEL), real;

	memcpy(&params->hdr, kernel + 0x1f1, sizeof(params->hdr));
	real = (params->hdr.setup_sects ? params->hdr.setup_sects + 1u : 5u) * 512;
	if (params->hdr.header != 0x53726448 || real > size || !(params->hdr.xloadflags & XLF_KERNEL_64)) {
		fprintf(stderr, "small_vmm: %s: no bzImage of 64 bits\n", image);
		exit(STATUS_HOST);
	}
	memmove(kernel, kernel + real, size - real);
	params->hdr.type_of_loader = 0xff;
	params->hdr.cmd_line_ptr = COMMAND_LINE;
	snprintf((char *)memory + COMMAND_LINE, 2048, "%s", command_line);
	params->e820_entries = 2;
	params->e820_table[0] = (struct boot_e820_entry){0, 0x9fc00, 1};
	params->e820_table[1] = (struct boot_e820_entry){0x100000, memory_size - 0x100000, 1};
	if (initrd)
		load_initrd(initrd, params);
}

/* The first 4 GiB, one to one, by pages of 2 MiB; and the first of them at HIGH_HALF. */
static void write_page_tables(void)
{
	uint64_t *tables = (void *)(memory + PAGE_TABLES);

	tables[0] = tables[511] = (PAGE_TABLES + 0x1000) | 3;
	tables[512 + 510] = (PAGE_TABLES + 0x2000) | 3;
	for (unsigned i = 0; i < 4; i++)
		tables[512 + i] = (PAGE_TABLES + 0x2000 + i * 0x1000) | 3;
	for (uint64_t i = 0; i < 2048; i++)
		tables[1024 + i] = i << 21 | 0x83;
}

static void set_long_mode(int fd)
{
	const struct kvm_segment code = {.limit = ~0u, .selector = CODE_SELECTOR, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
	const struct kvm_segment data = {.limit = ~0u, .selector = DATA_SELECTOR, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
	uint64_t *gdt = (void *)(memory + GDT);
	struct kvm_sregs sregs;

	gdt[2] = 0x00af9b000000ffff;
	gdt[3] = 0x00cf93000000ffff;
	DO(fd, KVM_GET_SREGS, &sregs);
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt.base = GDT;
	sregs.gdt.limit = 4 * 8 - 1;
	sregs.cr3 = PAGE_TABLES;
	sregs.cr4 |= 0x20;
	sregs.cr0 |= 0x80000001;
	sregs.efer |= 0x500;
	DO(fd, KVM_SET_SREGS, &sregs);
}

static void set_linux_registers(int fd)
{
	const struct kvm_regs regs = {.rip = KERNEL + 0x200, .rsi = ZERO_PAGE, .rsp = STACK, .rflags = 2};

	set_long_mode(fd);
	DO(fd, KVM_SET_REGS, &regs);
}

static void set_loop_registers(int fd)
{
	const uint64_t high = HIGH_HALF + LOOP + (uint64_t)(high_loop_begin - loop_begin);
	const struct kvm_regs regs = {
		.rip = high_loop ? high : LOOP, .rsp = STACK, .rflags = 2, .rax = cpuids, .rbx = outs};
	struct kvm_sregs sregs;

	if (high_loop) {
		set_long_mode(fd);
	} else {
		DO(fd, KVM_GET_SREGS, &sregs);
		sregs.cs.selector = 0;
		sregs.cs.base = 0;
		DO(fd, KVM_SET_SREGS, &sregs);
	}
	DO(fd, KVM_SET_REGS, &regs);
}

/* What KVM has, and where the processor's own number is. */
static void set_cpuid(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + CPUID_MAX * sizeof(cpuid->entries[0]));
	bool deadline = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;

	if (!cpuid)
		fail("memory");
	cpuid->nent = CPUID_MAX;
	DO(kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
	for (unsigned i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == 1) {
			entry->ebx = (entry->ebx & 0xffffff) | vcpu->index << 24;
			entry->ecx |= 1u << 31 | (deadline ? 1u << 24 : 0);
		}
		if (entry->function == 0xb)
			entry->edx = vcpu->index;
	}
	DO(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
}

static void create_vm(void)
{
	const struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	struct kvm_userspace_memory_region region = {.memory_size = memory_size};

	kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	vm = DO(kvm, KVM_CREATE_VM, 0);
	memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		fail("memory");
	region.userspace_addr = (uintptr_t)memory;
	DO(vm, KVM_SET_USER_MEMORY_REGION, &region);
	if (ioctl(vm, KVM_SET_TSS_ADDR, TSS) < 0 && linux_guest)
		fail("KVM_SET_TSS_ADDR");
	if (linux_guest) {
		DO(vm, KVM_CREATE_IRQCHIP, 0);
		DO(vm, KVM_CREATE_PIT2, &pit);
	}
}

/* --- devices ------------------------------------------------------------------------------------------------------- */

static void serial_update(void)
{
	struct kvm_irq_level level = {.irq = IRQ_SERIAL, .level = (serial.ier & 2) && serial.empty_pending};

	DO(vm, KVM_IRQ_LINE, &level);
}

static void serial_out(unsigned reg, uint8_t value)
{
	bool divisor = serial.lcr & 0x80;

	switch (reg) {
	case 0:
		if (divisor)
			break;
		if (!(serial.mcr & 0x10))
			putchar(value);
		serial.empty_pending = true;
		break;
	case 1:
		if (divisor)
			break;
		serial.empty_pending |= (value & ~serial.ier & 2) != 0;
		serial.ier = value & 0xf;
		break;
	case 2: serial.fcr = value; break;
	case 3: serial.lcr = value; break;
	case 4: serial.mcr = value; break;
	case 7: serial.scratch = value; break;
	default: break;
	}
	serial_update();
}

/* Nothing is ever received, and what was written has gone. */
static uint8_t serial_in(unsigned reg)
{
	uint8_t fifos = serial.fcr & 1 ? 0xc0 : 0, mcr = serial.mcr;

	switch (reg) {
	case 1: return serial.ier;
	case 2:
		if (!(serial.ier & 2) || !serial.empty_pending)
			return fifos | 1;
		serial.empty_pending = false;
		serial_update();
		return fifos | 2;
	case 3: return serial.lcr;
	case 4: return mcr;
	case 5: return 0x60;
	case 6: return mcr & 0x10 ? (uint8_t)((mcr & 2u) << 3 | (mcr & 1u) << 5 | (mcr & 0xcu) << 4) : 0xb0u;
	case 7: return serial.scratch;
	default: return 0;
	}
}

static enum outcome port_out(const struct vcpu *vcpu, unsigned port, unsigned size, const uint8_t *data)
{
	uint32_t value = 0;

	memcpy(&value, data, size);
	if (linux_guest && port - PORT_SERIAL < 8)
		serial_out(port - PORT_SERIAL, data[0]);
	else if (port == PORT_RESULT)
		fprintf(stderr, "vcpu%u told %u\n", vcpu->index, value);
	else if (port == PORT_END || (port == PORT_KEYBOARD && value == KEYBOARD_RESET))
		return ENDED;
	return GOES_ON;
}

/* What is not there reads as ones; a keyboard controller with bit 1 clear takes commands, a clock of zeros can be read. */
static void port_in(unsigned port, unsigned size, uint8_t *data)
{
	memset(data, 0xff, size);
	if (linux_guest && port - PORT_SERIAL < 8)
		data[0] = serial_in(port - PORT_SERIAL);
	else if (port == PORT_KEYBOARD)
		data[0] = 0xfd;
	else if (port == PORT_CLOCK)
		data[0] = 0;
}

static enum outcome handle_io(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	enum outcome outcome = GOES_ON;

	for (uint32_t i = 0; i < run->io.count && outcome == GOES_ON; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			outcome = port_out(vcpu, run->io.port, run->io.size, data);
		else
			port_in(run->io.port, run->io.size, data);
	}
	return outcome;
}

/* --- running ------------------------------------------------------------------------------------------------------- */

static enum outcome handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO: return handle_io(vcpu);
	case KVM_EXIT_MMIO:
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		return GOES_ON;
	case KVM_EXIT_INTR: return GOES_ON;
	case KVM_EXIT_HLT:
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_SYSTEM_EVENT: return ENDED;
	default:
		fprintf(stderr, "small_vmm: vcpu%u: exit %u\n", vcpu->index, run->exit_reason);
		return FAILED;
	}
}

static void create_vcpu(struct vcpu *vcpu)
{
	size_t size = (size_t)DO(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vcpu->fd = DO(vm, KVM_CREATE_VCPU, vcpu->index);
	/* While the vCPU runs this would wait for it. */
	vcpu->stats = ioctl(vcpu->fd, KVM_GET_STATS_FD, NULL);
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		fail("kvm_run");
	set_cpuid(vcpu);
	if (linux_guest)
		set_linux_registers(vcpu->fd);
	else
		set_loop_registers(vcpu->fd);
}

static void *vcpu_main(void *opaque)
{
	struct vcpu *vcpu = opaque;
	char name[16];

	snprintf(name, sizeof(name), "kvm-vcpu-%u", vcpu->index);
	pthread_setname_np(pthread_self(), name);
	vcpu->tid = gettid();
	create_vcpu(vcpu);
	pthread_barrier_wait(&created);
	pthread_barrier_wait(&started);
	while (vcpu->outcome == GOES_ON) {
		int result = ioctl(vcpu->fd, KVM_RUN, NULL);

		vcpu->runs++;
		if (result == 0)
			vcpu->outcome = handle_exit(vcpu);
		else if (errno != EINTR && errno != EAGAIN)
			fail("KVM_RUN");
	}
	return NULL;
}

static void *read_at(int fd, uint64_t offset, size_t size)
{
	void *data = calloc(1, size + 1);

	if (!data || pread(fd, data, size, (off_t)offset) != (ssize_t)size)
		fail("statistics");
	return data;
}

static void print_stats(const struct vcpu *vcpu)
{
	struct kvm_stats_header *header;
	size_t each;

	fprintf(stderr, "vcpu%u runs %llu\n", vcpu->index, (unsigned long long)vcpu->runs);
	if (vcpu->stats < 0)
		return;
	header = read_at(vcpu->stats, 0, sizeof(*header));
	each = sizeof(struct kvm_stats_desc) + header->name_size;
	for (uint32_t i = 0; i < header->num_desc; i++) {
		struct kvm_stats_desc *description = read_at(vcpu->stats, header->desc_offset + i * each, each);
		uint64_t *value = read_at(vcpu->stats, header->data_offset + description->offset, sizeof(*value));

		if (description->size == 1 && *value)
			fprintf(stderr, "vcpu%u %s %llu\n", vcpu->index, description->name, (unsigned long long)*value);
		free(value);
		free(description);
	}
	free(header);
}

static void start_threads(void)
{
	char line[256] = "waiting:";

	pthread_barrier_init(&created, NULL, vcpu_count + 1);
	pthread_barrier_init(&started, NULL, vcpu_count + 1);
	for (unsigned i = 0; i < vcpu_count; i++) {
		vcpus[i].index = i;
		if (pthread_create(&vcpus[i].thread, NULL, vcpu_main, &vcpus[i]) != 0)
			fail("a thread");
	}
	pthread_barrier_wait(&created);
	/* At once: whoever sees the line sees all of it. */
	for (unsigned i = 0; i < vcpu_count; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " vcpu%u %d", i, vcpus[i].tid);
	fprintf(stderr, "%s\n", line);
	if (!fgets(line, sizeof(line), stdin))
		clearerr(stdin);
	pthread_barrier_wait(&started);
}

static int usage(void)
{
	fprintf(stderr, "usage: small_vmm [-m MIB] [-i INITRD] [-a COMMAND-LINE] BZIMAGE\n"
			"       small_vmm [-c VCPUS] [-l CPUIDS,OUTS] [-k]\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *initrd = NULL, *command_line = "console=ttyS0 pci=off reboot=k panic=-1";
	bool failed = false;
	int option;

	while ((option = getopt(argc, argv, "m:i:a:c:l:k")) != -1) {
		switch (option) {
		case 'm': memory_size = (size_t)atoi(optarg) << 20; break;
		case 'i': initrd = optarg; break;
		case 'a': command_line = optarg; break;
		case 'k': high_loop = true; break;
		case 'c': vcpu_count = (unsigned)atoi(optarg); break;
		case 'l':
			if (sscanf(optarg, "%u,%u", &cpuids, &outs) != 2)
				return usage();
			break;
		default: return usage();
		}
	}
	linux_guest = optind < argc;
	if (argc - optind > 1 || vcpu_count < 1 || vcpu_count > (linux_guest ? 1 : VCPUS_MAX) || memory_size < 64u << 20)
		return usage();
	create_vm();
	write_page_tables();
	if (linux_guest)
		load_linux(argv[optind], initrd, command_line);
	else
		memcpy(memory + LOOP, loop_begin, (size_t)(loop_end - loop_begin));
	start_threads();
	for (unsigned i = 0; i < vcpu_count; i++) {
		pthread_join(vcpus[i].thread, NULL);
		failed |= vcpus[i].outcome != ENDED;
		print_stats(&vcpus[i]);
	}
	fflush(stdout);
	return failed ? 1 : 0;
}
