/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/jail/landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of versions later than Debian 12's headers. */
#define ACCESS_FS_TRUNCATE (1ULL << 14)
#define ACCESS_FS_IOCTL_DEV (1ULL << 15)
#define ACCESS_NET_BIND_TCP (1ULL << 0)
#define ACCESS_NET_CONNECT_TCP (1ULL << 1)

/* The kernel takes a longer structure than it knows, if what is unknown is zero. */
struct ruleset {
	uint64_t handled_access_fs, handled_access_net;
};

int landlock_abi(void)
{
	static _Atomic int known; /* 0: not yet */
	int abi = known;

	if (abi == 0) {
		abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
		known = abi = abi < 0 ? -errno : abi;
	}
	return abi;
}

/* All that a version knows: what is handled and not allowed by a rule is refused. */
static struct ruleset everything(int abi)
{
	struct ruleset ruleset = {
		/* Rights of version 1 are the bits below LANDLOCK_ACCESS_FS_REFER. */
		.handled_access_fs = LANDLOCK_ACCESS_FS_REFER - 1,
	};

	if (abi >= 2)
		ruleset.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		ruleset.handled_access_fs |= ACCESS_FS_TRUNCATE;
	if (abi >= 4)
		ruleset.handled_access_net = ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP;
	if (abi >= 5)
		ruleset.handled_access_fs |= ACCESS_FS_IOCTL_DEV;
	return ruleset;
}

static int allow_below(int ruleset, int directory)
{
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
				  LANDLOCK_ACCESS_FS_REMOVE_FILE,
		.parent_fd = directory,
	};

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int landlock_confine(int abi, int directory)
{
	struct ruleset attributes = everything(abi);
	int rc = 0, ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);

	if (ruleset < 0)
		return -errno;
	if ((directory >= 0 && allow_below(ruleset, directory) != 0) ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		rc = -errno;
	close(ruleset);
	return rc;
}
