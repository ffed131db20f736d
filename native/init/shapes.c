/* Call shapes, after the kernel's SYSCALL_DEFINEs. */
#include "shapes.h"

#include <stddef.h>
#include <sys/syscall.h>

enum { A0 = 1, A1 = 2, A2 = 4, A3 = 8, A4 = 16 };

#define PATH(paths) { 0, paths, 0 }
#define SCALAR(scalars) { scalars, 0, 0 }

static const struct call_shape shapes[] = {
	/* scalars, paths, address */
	[SYS_openat] = { A2, A1, 0 }, [SYS_execveat] = { A4, A1, 0 }, [SYS_mknodat] = { A2, A1, 0 },
	[SYS_unlinkat] = { A2, A1, 0 }, [SYS_fchmodat] = { A2, A1, 0 }, [SYS_fchownat] = { A2 | A3, A1, 0 },
	[SYS_faccessat] = { A2, A1, 0 }, [SYS_faccessat2] = { A2, A1, 0 }, [SYS_open_tree] = { A2, A1, 0 },
	[SYS_renameat2] = { A4, A1 | A3, 0 }, [SYS_linkat] = { A4, A1 | A3, 0 }, [SYS_move_mount] = { A4, A1 | A3, 0 },
	[SYS_mount] = { A3, A0 | A1, 0 }, [SYS_umount2] = { A1, A0, 0 }, [SYS_memfd_create] = { A1, A0, 0 },
	[SYS_connect] = { 0, 0, A1 }, [SYS_bind] = { 0, 0, A1 }, [SYS_sendto] = { 0, 0, A4 },

	[SYS_execve] = PATH(A0), [SYS_truncate] = PATH(A0), [SYS_statfs] = PATH(A0), [SYS_chdir] = PATH(A0),
	[SYS_chroot] = PATH(A0), [SYS_swapon] = PATH(A0), [SYS_swapoff] = PATH(A0), [SYS_acct] = PATH(A0),
	[SYS_setxattr] = PATH(A0), [SYS_getxattr] = PATH(A0), [SYS_listxattr] = PATH(A0), [SYS_removexattr] = PATH(A0),
	[SYS_lsetxattr] = PATH(A0), [SYS_lgetxattr] = PATH(A0), [SYS_llistxattr] = PATH(A0), [SYS_lremovexattr] = PATH(A0),
	[SYS_openat2] = PATH(A1), [SYS_mkdirat] = PATH(A1), [SYS_readlinkat] = PATH(A1), [SYS_newfstatat] = PATH(A1),
	[SYS_statx] = PATH(A1), [SYS_utimensat] = PATH(A1), [SYS_name_to_handle_at] = PATH(A1),
	[SYS_inotify_add_watch] = PATH(A1), [SYS_symlinkat] = PATH(A0 | A2), [SYS_pivot_root] = PATH(A0 | A1),

	[SYS_socket] = SCALAR(A0 | A1 | A2), [SYS_socketpair] = SCALAR(A0 | A1 | A2), [SYS_ptrace] = SCALAR(A0 | A1),
	[SYS_setsockopt] = SCALAR(A1 | A2), [SYS_getsockopt] = SCALAR(A1 | A2), [SYS_mmap] = SCALAR(A2 | A3),
	[SYS_clone] = SCALAR(A0), [SYS_unshare] = SCALAR(A0), [SYS_setns] = SCALAR(A1), [SYS_bpf] = SCALAR(A0),
	[SYS_seccomp] = SCALAR(A0 | A1), [SYS_prctl] = SCALAR(A0), [SYS_personality] = SCALAR(A0), [SYS_keyctl] = SCALAR(A0),
	[SYS_ioctl] = SCALAR(A1), [SYS_fcntl] = SCALAR(A1), [SYS_futex] = SCALAR(A1), [SYS_madvise] = SCALAR(A2),
	[SYS_mprotect] = SCALAR(A2), [SYS_kill] = SCALAR(A0 | A1), [SYS_tgkill] = SCALAR(A2), [SYS_prlimit64] = SCALAR(A0 | A1),
	[SYS_setpriority] = SCALAR(A0 | A1), [SYS_ioprio_set] = SCALAR(A0 | A1), [SYS_sched_setscheduler] = SCALAR(A0 | A1),
	[SYS_sched_setparam] = SCALAR(A0), [SYS_sched_setattr] = SCALAR(A0), [SYS_sched_setaffinity] = SCALAR(A0),
#ifdef __x86_64__ /* calls that newer architectures have only in their *at form */
	[SYS_open] = { A1, A0, 0 }, [SYS_mknod] = { A1, A0, 0 }, [SYS_chmod] = { A1, A0, 0 }, [SYS_access] = { A1, A0, 0 },
	[SYS_chown] = { A1 | A2, A0, 0 }, [SYS_lchown] = { A1 | A2, A0, 0 }, [SYS_arch_prctl] = SCALAR(A0),
	[SYS_creat] = PATH(A0), [SYS_mkdir] = PATH(A0), [SYS_rmdir] = PATH(A0), [SYS_unlink] = PATH(A0),
	[SYS_readlink] = PATH(A0), [SYS_stat] = PATH(A0), [SYS_lstat] = PATH(A0), [SYS_utime] = PATH(A0),
	[SYS_utimes] = PATH(A0), [SYS_futimesat] = PATH(A1), [SYS_rename] = PATH(A0 | A1), [SYS_link] = PATH(A0 | A1),
	[SYS_symlink] = PATH(A0 | A1), [SYS_renameat] = PATH(A1 | A3),
#endif
};

struct call_shape call_shape(uint32_t number)
{
	return number < sizeof(shapes) / sizeof(shapes[0]) ? shapes[number] : (struct call_shape){ 0 };
}
