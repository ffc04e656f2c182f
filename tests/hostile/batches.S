/* SPDX-License-Identifier: GPL-2.0-only */
/* Batches out of order, and results that cannot be. */
#include "guest.inc"
	CATALOGUE
	mov CONTEXT_VCPU_PAGES(%rdi), %rbx
	ARGUMENT 0, 0
	REQUEST 3, -EINVAL	/* ends without a beginning */
	ARGUMENT 0, 1
	REQUEST 3, -EINVAL
	ARGUMENT 1, 0
	REQUEST 2, -EINVAL	/* no repetition */
	ARGUMENT 1, 0x100000000
	REQUEST 2, -EINVAL	/* too many */
	ARGUMENT 1, 10
	ARGUMENT 0, 0
	REQUEST 2, -EINVAL	/* no such operation */
	ARGUMENT 0, 2
	REQUEST 2, -EINVAL
	ARGUMENT 0, 0x100000001
	REQUEST 2, -EINVAL
	ARGUMENT 0, 1
	REQUEST 2, 0
	ARGUMENT 0, 2
	REQUEST 3, -EINVAL	/* the end of another one */
	ARGUMENT 0, 1
	REQUEST 3, 0
	REQUEST 3, -EINVAL	/* a second end */
	/* Results: of another operation, with too many samples, then absurd but possible ones. */
	movl $2, PAGE_RESULT(%rbx)
	REQUEST 9, -EINVAL
	movl $1, PAGE_RESULT(%rbx)
	movl $0x81, PAGE_RESULT + 36(%rbx)
	REQUEST 9, -EINVAL
	movl $0xffffffff, PAGE_RESULT + 36(%rbx)
	REQUEST 9, -EINVAL
	mov $PAGE_RESULT + 4, %ecx
1:	movb $0xff, (%rbx, %rcx)
	inc %ecx
	cmp $4096, %ecx
	jne 1b
	movl $0x80, PAGE_RESULT + 36(%rbx)
	REQUEST 9, 0
	movl $0, PAGE_RESULT + 32(%rbx)
	REQUEST 9, 0
	/* A marker that names no operation. */
	movl $0xffffffff, PAGE_MARKER(%rbx)
	REQUEST 5, 0
	EXIT 0
