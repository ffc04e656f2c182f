/* SPDX-License-Identifier: GPL-2.0-only */
/* without landlock|seccomp COMMAND...: runs a command as a kernel does that lacks one of them. */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = -EINVAL;

	if (argc >= 3 && strcmp(argv[1], "landlock") == 0) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
	} else if (argc >= 3 && strcmp(argv[1], "seccomp") == 0) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0);
		if (rc == 0)
			rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
					      (struct scmp_arg_cmp){0, SCMP_CMP_EQ, PR_SET_SECCOMP, 0});
	}
	if (rc == 0)
		rc = seccomp_load(filter);
	if (rc == 0)
		execvp(argv[2], argv + 2);
	fprintf(stderr, "without: %s\n", rc ? strerror(-rc) : strerror(errno));
	return 99;
}
