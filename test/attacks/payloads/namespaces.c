/* Ways out of a container: namespaces, mounts, roots, device nodes. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void unshare_user(void) { said("unshare", syscall(SYS_unshare, CLONE_NEWUSER)); }

static void unshare_each(void)
{
	said("mount", syscall(SYS_unshare, CLONE_NEWNS));
	said("network", syscall(SYS_unshare, CLONE_NEWNET));
	said("pid", syscall(SYS_unshare, CLONE_NEWPID));
	said("ipc", syscall(SYS_unshare, CLONE_NEWIPC));
	said("uts", syscall(SYS_unshare, CLONE_NEWUTS));
	said("cgroup", syscall(SYS_unshare, CLONE_NEWCGROUP));
}

static void set_namespace(void)
{
	long own = open_path("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	said("open-init", open_path("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC));
	said("setns", syscall(SYS_setns, own, CLONE_NEWNET));
}

static void end_child(const char *step, long result)
{
	if (result == 0)
		_exit(0);
	if (said(step, result))
		told_end("child", result);
}

static void clone_namespaces(void)
{
	end_child("user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
	end_child("pid", syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0));
}

static void clone3_namespaces(void)
{
	struct clone_args arguments = { .flags = CLONE_NEWUSER | CLONE_NEWNS, .exit_signal = SIGCHLD };

	end_child("clone3", syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

static void mount_tmpfs(void)
{
	said("mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", MS_NOSUID, NULL));
	said("remount", syscall(SYS_mount, "none", "/", NULL, MS_REMOUNT | MS_BIND, NULL));
	said("umount2", syscall(SYS_umount2, "/proc/kcore", MNT_DETACH));
}

static void mount_new(void)
{
	said("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	said("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE));
	said("move_mount", syscall(SYS_move_mount, 0, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH));
	said("mount_setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, NULL, 0));
}

static void pivot(void) { said("pivot_root", syscall(SYS_pivot_root, "/tmp", "/tmp")); }

static void change_root(void) { said("chroot", syscall(SYS_chroot, "/tmp")); }

/* The "shocker": a handle of inode 2, the root of most file systems, guessed. */
static void open_handle(void)
{
	struct {
		struct file_handle handle;
		uint32_t bytes[2];
	} root = { .handle = { .handle_bytes = 8, .handle_type = 1 }, .bytes = { 2, 0 } };
	int mount_id;

	said("name_to_handle_at", syscall(SYS_name_to_handle_at, AT_FDCWD, "/", &root, &mount_id, 0));
	said("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, &root, O_RDONLY));
}

static void make_device(void)
{
	said("block", syscall(SYS_mknodat, AT_FDCWD, "/tmp/disk", S_IFBLK | 0600, makedev(8, 0)));
	said("kernel-memory", syscall(SYS_mknodat, AT_FDCWD, "/out/mem", S_IFCHR | 0600, makedev(1, 1)));
}

/* The engine's socket, the host's disk and processes, where a careless mount would show them. */
static void host_paths(void)
{
	said("engine", open_path("/var/run/docker.sock", O_RDWR));
	said("init-root", open_path("/proc/1/root", O_RDONLY | O_DIRECTORY));
	said("cgroup-release", open_path("/sys/fs/cgroup/release_agent", O_WRONLY));
	said("other-process", open_path("/proc/2/environ", O_RDONLY));
}

const struct attack namespace_attacks[] = {
	{ "unshare-user", unshare_user },
	{ "unshare-each", unshare_each },
	{ "setns", set_namespace },
	{ "clone-namespaces", clone_namespaces },
	{ "clone3-namespaces", clone3_namespaces },
	{ "mount", mount_tmpfs },
	{ "mount-new", mount_new },
	{ "pivot-root", pivot },
	{ "chroot", change_root },
	{ "open-by-handle", open_handle },
	{ "mknod", make_device },
	{ "host-paths", host_paths },
	{ 0 },
};
