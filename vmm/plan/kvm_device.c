/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/plan/kvm_device.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP_ACCESS (S_IRGRP | S_IWGRP)

struct remedy {
	char text[256];
};

const char *kvm_device_path(void)
{
	const char *path = getenv("SIDESTEP_KVM");

	return path ? path : "/dev/kvm";
}

/* What makes the device appear, by what the processor says of itself. */
static void find_module(struct remedy *remedy)
{
	uint32_t eax, ebx, ecx, edx;
	const bool vmx = __get_cpuid(CPUID_VMX_LEAF, &eax, &ebx, &ecx, &edx) && ecx & CPUID_VMX_ECX;
	const bool svm = __get_cpuid(CPUID_SVM_LEAF, &eax, &ebx, &ecx, &edx) && ecx & CPUID_SVM_ECX;

	if (!vmx && !svm)
		snprintf(remedy->text, sizeof(remedy->text), "this processor offers neither VMX nor SVM: enable "
			 "virtualization in the firmware or the outer hypervisor");
	else if (access(vmx ? "/sys/module/kvm_intel" : "/sys/module/kvm_amd", F_OK) == 0)
		snprintf(remedy->text, sizeof(remedy->text), "KVM is loaded, so this may be a container: have it given the "
			 "device (--device /dev/kvm)");
	else
		snprintf(remedy->text, sizeof(remedy->text), "load the module: modprobe %s", vmx ? "kvm_intel" : "kvm_amd");
}

static bool in_group(gid_t group)
{
	gid_t groups[256];
	int count = getgroups(sizeof(groups) / sizeof(groups[0]), groups);

	for (int i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return getegid() == group;
}

/* Whether the user belongs to it by the files of the system, though perhaps not since the login. */
static bool is_member(const struct group *group, const struct passwd *user)
{
	if (user->pw_gid == group->gr_gid)
		return true;
	for (char **member = group->gr_mem; *member; member++)
		if (strcmp(*member, user->pw_name) == 0)
			return true;
	return false;
}

static void join_group(gid_t number, struct remedy *remedy)
{
	const struct group *group = getgrgid(number);
	const struct passwd *user = getpwuid(getuid());

	if (!group)
		snprintf(remedy->text, sizeof(remedy->text), "its group %u has no name here: run with that group (a "
			 "container: --group-add %u) or as root", number, number);
	else if (user && is_member(group, user))
		snprintf(remedy->text, sizeof(remedy->text), "you were added to its group %s after you logged in: log in "
			 "again, or: newgrp %s", group->gr_name, group->gr_name);
	else
		snprintf(remedy->text, sizeof(remedy->text), "add yourself to its group (adduser %s %s) and log in again, "
			 "or run as root", user ? user->pw_name : "USER", group->gr_name);
}

/* Whether the mode alone lets us open it: by the first that applies of owner, group and others. */
static bool is_permitted(const struct stat *status)
{
	mode_t mode = status->st_mode << 6;

	if (geteuid() == status->st_uid)
		mode = status->st_mode;
	else if (in_group(status->st_gid))
		mode = status->st_mode << 3;
	return geteuid() == 0 || (mode & S_IRUSR && mode & S_IWUSR);
}

/* Who may open a device that is there. */
static void find_permission(const char *path, struct remedy *remedy)
{
	struct stat status;
	const struct passwd *owner;

	if (stat(path, &status) != 0) {
		snprintf(remedy->text, sizeof(remedy->text), "its directory is not to be searched; run as root");
	} else if (is_permitted(&status)) {
		snprintf(remedy->text, sizeof(remedy->text), "its mode permits it, so something else refuses: device rules "
			 "of a container or unit, or a security module");
	} else if ((status.st_mode & GROUP_ACCESS) == GROUP_ACCESS && status.st_gid != 0) {
		join_group(status.st_gid, remedy);
	} else {
		owner = getpwuid(status.st_uid);
		snprintf(remedy->text, sizeof(remedy->text), "it is only for its owner; run as %s, or have it given to a "
			 "group (chgrp kvm, chmod 660)", owner ? owner->pw_name : "its owner");
	}
}

int kvm_device_open(struct error *error)
{
	const char *path = kvm_device_path();
	int fd = open(path, O_RDWR | O_CLOEXEC), rc = -errno;
	struct remedy remedy;

	if (fd >= 0)
		return fd;
	switch (-rc) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		find_module(&remedy);
		break;
	case EACCES:
	case EPERM:
		find_permission(path, &remedy);
		break;
	default:
		return error_set(error, rc, STATUS_INTERNAL, "%s: %s", path, strerror(-rc));
	}
	return error_set(error, rc, STATUS_SKIPPED, "%s: %s; %s", path, strerror(-rc), remedy.text);
}
