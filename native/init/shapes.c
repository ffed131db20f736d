/* Call shapes, after the kernel's SYSCALL_DEFINEs, and the ledger of distinct denials. */
#include "shapes.h"

#include <string.h>
#include <sys/syscall.h>

#define A0 1
#define A1 2
#define A2 4
#define A3 8
#define A4 16

static const struct call_shape shapes[] = {
	/* number, scalars, paths, address */
	{ SYS_openat, A2, A1, 0 },
	{ SYS_openat2, 0, A1, 0 },
	{ SYS_execve, 0, A0, 0 },
	{ SYS_execveat, A4, A1, 0 },
	{ SYS_mkdirat, 0, A1, 0 },
	{ SYS_mknodat, A2, A1, 0 },
	{ SYS_unlinkat, A2, A1, 0 },
	{ SYS_renameat2, A4, A1 | A3, 0 },
	{ SYS_linkat, A4, A1 | A3, 0 },
	{ SYS_symlinkat, 0, A0 | A2, 0 },
	{ SYS_readlinkat, 0, A1, 0 },
	{ SYS_fchmodat, A2, A1, 0 },
	{ SYS_fchownat, A2 | A3, A1, 0 },
	{ SYS_faccessat, A2, A1, 0 },
	{ SYS_faccessat2, A2, A1, 0 },
	{ SYS_newfstatat, 0, A1, 0 },
	{ SYS_statx, 0, A1, 0 },
	{ SYS_utimensat, 0, A1, 0 },
	{ SYS_truncate, 0, A0, 0 },
	{ SYS_statfs, 0, A0, 0 },
	{ SYS_chdir, 0, A0, 0 },
	{ SYS_chroot, 0, A0, 0 },
	{ SYS_mount, A3, A0 | A1, 0 },
	{ SYS_umount2, A1, A0, 0 },
	{ SYS_pivot_root, 0, A0 | A1, 0 },
	{ SYS_move_mount, A4, A1 | A3, 0 },
	{ SYS_open_tree, A2, A1, 0 },
	{ SYS_swapon, 0, A0, 0 },
	{ SYS_setxattr, 0, A0, 0 },
	{ SYS_lsetxattr, 0, A0, 0 },
	{ SYS_getxattr, 0, A0, 0 },
	{ SYS_lgetxattr, 0, A0, 0 },
	{ SYS_listxattr, 0, A0, 0 },
	{ SYS_removexattr, 0, A0, 0 },
	{ SYS_name_to_handle_at, 0, A1, 0 },
	{ SYS_inotify_add_watch, 0, A1, 0 },
	{ SYS_memfd_create, A1, A0, 0 },
	{ SYS_socket, A0 | A1 | A2, 0, 0 },
	{ SYS_socketpair, A0 | A1 | A2, 0, 0 },
	{ SYS_connect, 0, 0, A1 },
	{ SYS_bind, 0, 0, A1 },
	{ SYS_sendto, 0, 0, A4 },
	{ SYS_setsockopt, A1 | A2, 0, 0 },
	{ SYS_getsockopt, A1 | A2, 0, 0 },
	{ SYS_clone, A0, 0, 0 },
	{ SYS_unshare, A0, 0, 0 },
	{ SYS_setns, A1, 0, 0 },
	{ SYS_ptrace, A0 | A1, 0, 0 },
	{ SYS_bpf, A0, 0, 0 },
	{ SYS_seccomp, A0 | A1, 0, 0 },
	{ SYS_prctl, A0, 0, 0 },
	{ SYS_personality, A0, 0, 0 },
	{ SYS_keyctl, A0, 0, 0 },
	{ SYS_ioctl, A1, 0, 0 },
	{ SYS_fcntl, A1, 0, 0 },
	{ SYS_futex, A1, 0, 0 },
	{ SYS_mmap, A2 | A3, 0, 0 },
	{ SYS_mprotect, A2, 0, 0 },
	{ SYS_madvise, A2, 0, 0 },
	{ SYS_kill, A0 | A1, 0, 0 },
	{ SYS_tgkill, A2, 0, 0 },
	{ SYS_prlimit64, A0 | A1, 0, 0 },
	{ SYS_setpriority, A0 | A1, 0, 0 },
	{ SYS_ioprio_set, A0 | A1, 0, 0 },
	{ SYS_sched_setscheduler, A0 | A1, 0, 0 },
	{ SYS_sched_setparam, A0, 0, 0 },
	{ SYS_sched_setattr, A0, 0, 0 },
	{ SYS_sched_setaffinity, A0, 0, 0 },
#ifdef __x86_64__ /* calls that newer architectures have only in their *at form */
	{ SYS_open, A1, A0, 0 },
	{ SYS_creat, 0, A0, 0 },
	{ SYS_mkdir, 0, A0, 0 },
	{ SYS_rmdir, 0, A0, 0 },
	{ SYS_mknod, A1, A0, 0 },
	{ SYS_unlink, 0, A0, 0 },
	{ SYS_rename, 0, A0 | A1, 0 },
	{ SYS_renameat, 0, A1 | A3, 0 },
	{ SYS_link, 0, A0 | A1, 0 },
	{ SYS_symlink, 0, A0 | A1, 0 },
	{ SYS_readlink, 0, A0, 0 },
	{ SYS_chmod, A1, A0, 0 },
	{ SYS_chown, A1 | A2, A0, 0 },
	{ SYS_lchown, A1 | A2, A0, 0 },
	{ SYS_access, A1, A0, 0 },
	{ SYS_stat, 0, A0, 0 },
	{ SYS_lstat, 0, A0, 0 },
	{ SYS_utime, 0, A0, 0 },
	{ SYS_utimes, 0, A0, 0 },
	{ SYS_futimesat, 0, A1, 0 },
	{ SYS_arch_prctl, A0, 0, 0 },
#endif
};

struct call_shape call_shape(uint32_t number)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].number == number)
			return shapes[i];
	return (struct call_shape){ .number = number };
}

static bool same_shape(const struct denial *a, const struct denial *b)
{
	if (a->data.nr != b->data.nr || a->data.arch != b->data.arch || a->verdict != b->verdict)
		return false;
	for (int i = 0; i < 6; i++)
		if (a->scalars & 1 << i && (uint32_t)a->data.args[i] != (uint32_t)b->data.args[i])
			return false;
	return a->detail_length == b->detail_length && memcmp(a->detail, b->detail, a->detail_length) == 0;
}

enum ledger_result ledger_add(struct ledger *ledger, const struct denial *denial)
{
	struct denial *entry;

	for (size_t i = 0; i < ledger->length; i++)
		if (same_shape(&ledger->shapes[i], denial)) {
			ledger->counts[i]++;
			return LEDGER_KNOWN;
		}
	if (ledger->length == MAX_SHAPES) {
		ledger->dropped++;
		return LEDGER_DROPPED;
	}
	ledger->counts[ledger->length] = 1;
	entry = &ledger->shapes[ledger->length++];
	/* Not the whole structure: memory of a detail that is not there is never touched. */
	entry->data = denial->data;
	entry->verdict = denial->verdict;
	entry->scalars = denial->scalars;
	entry->detail_length = denial->detail_length;
	memcpy(entry->detail, denial->detail, denial->detail_length);
	return LEDGER_NEW;
}
