/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Opens: what the descriptor that came back stands for, or the name that could not be opened. */

/* include/linux/fs.h; the same since Linux 5.x. */
#define FMODE_READ 0x1
#define FMODE_WRITE 0x2
#define FMODE_PATH 0x4000
#define FMODE_CREATED 0x100000

/* asm-generic/fcntl.h, and where an architecture differs. */
#define O_ACCMODE 3
#define O_WRONLY 1
#define O_RDWR 2
#define O_CREAT 0x40
#define O_EXCL 0x80
#define O_TRUNC 0x200
#define O_PATH 0x200000
#if defined(__TARGET_ARCH_arm64)
#define O_DIRECTORY 0x4000
#define O_NOFOLLOW 0x8000
#else
#define O_DIRECTORY 0x10000
#define O_NOFOLLOW 0x20000
#endif

#define S_IFMT 0xf000
#define S_IFDIR 0x4000
#define S_IFREG 0x8000

struct open_request {
	u64 flags;
	u64 mode;
	u64 resolve;
};

static __always_inline struct open_request open_request_of(const struct pt_regs *registers,
							   const volatile struct file_call *call)
{
	u64 argument = argument_of(registers, call->names[0].path + 1);
	struct open_request request = {};

	if (call->flags == OPEN_FLAGS_CREAT)
		request.flags = O_CREAT | O_WRONLY | O_TRUNC;
	else if (call->flags == OPEN_FLAGS_ARGUMENT)
		request.flags = (u32)argument;
	else
		bpf_probe_read_user(&request, sizeof request, (void *)argument);
	return request;
}

/* What the kernel let the process do with the file: its mode, not what was asked for. */
static __always_inline u32 access_of_file(const struct opened *opened, u64 flags)
{
	struct inode *inode = opened->inode;
	u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	u32 access = 0;

	if (opened->mode & FMODE_PATH)
		return 0;
	if (opened->mode & FMODE_READ)
		access |= type == S_IFDIR ? ACCESS_LIST : ACCESS_READ;
	if (opened->mode & FMODE_WRITE)
		access |= ACCESS_WRITE;
	if (opened->mode & FMODE_CREATED)
		access |= ACCESS_CREATE;
	else if (flags & O_TRUNC && type == S_IFREG)
		access |= ACCESS_TRUNCATE;
	return access;
}

static __always_inline u32 access_of_flags(u64 flags)
{
	u32 access = 0;

	if (flags & O_PATH)
		return 0;
	if (flags & O_DIRECTORY && !(flags & O_TMPFILE_BIT))
		return ACCESS_LIST;
	if ((flags & O_ACCMODE) != O_WRONLY)
		access |= ACCESS_READ;
	if ((flags & O_ACCMODE) != 0)
		access |= ACCESS_WRITE;
	if (flags & O_CREAT)
		access |= ACCESS_CREATE;
	if (flags & O_TRUNC)
		access |= ACCESS_TRUNCATE;
	return access;
}

static __noinline void add_open(struct scratch *scratch, const struct pt_regs *registers,
				const volatile struct file_call *call, u32 descriptor)
{
	struct open_request request = open_request_of(registers, call);
	struct opened opened;

	if (scratch->use.error == 0) {
		/* Another thread may have closed it already. */
		if (!read_file(scratch, file_of(descriptor), &opened)) {
			add_unresolved(scratch);
			return;
		}
		scratch->use.access = access_of_file(&opened, request.flags);
		if (scratch->use.access != 0)
			add_opened(scratch, &opened);
		return;
	}
	scratch->use.access = access_of_flags(request.flags);
	if (scratch->use.access == 0 || call->kind == CALL_OPEN_HANDLE)
		return;
	if (!(request.flags & O_NOFOLLOW) && (request.flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
		scratch->use.flags |= EVENT_FOLLOW;
	if (request.resolve)
		scratch->use.flags |= EVENT_OPAQUE;
	add_name(scratch, argument_of(registers, call->names[0].path), directory_of(registers, &call->names[0]));
}
