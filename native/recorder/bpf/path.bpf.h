/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Paths as the kernel holds them: from a dentry and its mount up to the root of the mount namespace. */

/* A power of two, beyond every place below: an offset that is masked by it stays in the scratch, and so does an event. */
#define SCRATCH_MASK 16383
#define MAX_EVENT_BYTES (3 * MAX_PATH_BYTES + 64)
/* Paths grow backwards from here, two of them at most, and what a process asked for grows forwards. */
#define TEXT_AT (2 * MAX_PATH_BYTES + 64)
/* Nobody nests more directories and mounts in MAX_PATH_BYTES. */
#define MAX_STEPS (MAX_PATH_BYTES / 2 + 64)
#define MOUNT_INTERNAL 0x4000 /* MNT_INTERNAL, linux/mount.h */

#define MAX_FILE_BYTES 256 /* more than struct file has */

enum walk_end {
	WALK_GOES_ON,
	WALK_AT_ROOT,
	WALK_UNREACHABLE,
	WALK_TOO_LONG,
	WALK_INTERNAL, /* a pipe, a socket, a memfd or the like, which has no place in the tree */
};

/* What stands side by side in every kernel, so that one read takes it. */
struct dentry_part {
	struct dentry *parent;
	u64 hash_and_length;
	const void *name;
};

struct mount_part {
	struct mount *parent;
	struct dentry *mountpoint;
	struct dentry *root;
	struct super_block *super_block;
	int flags;
};

struct walk {
	struct dentry *dentry;
	struct mount *mount;
	struct mount_part mount_part;
	/* Where the task's mount namespace begins. */
	struct mount *first_mount;
	struct dentry *first_root;
	u32 at;	   /* where the path begins */
	u32 limit; /* where it may begin at the earliest */
	u32 end;   /* enum walk_end */
};

struct hashing {
	u64 hash;
	u32 at;
	u32 end;
};

/* One call of one task, and what it does to the path or address that lies in the scratch. */
struct file_use {
	u32 slot;
	u32 access;
	u32 error; /* 0: it succeeded */
	u32 flags; /* enum file_event_flags */
	/* Where the root, the base and the text begin, and where the text ends. */
	u32 root_at;
	u32 base_at;
	u32 text_at;
	u32 end;
};

/* Here, not on the stack, the verifier takes an offset for any number, and so is done with a loop after one turn. */
struct scratch {
	struct file_use use;
	struct walk walk;
	struct hashing hashing;
	char file[MAX_FILE_BYTES];
	char bytes[SCRATCH_MASK + 1 + MAX_EVENT_BYTES];
};

/* Programs run with preemption off, and none of those that use it interrupts another. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct scratch *scratch_of_cpu(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

static __always_inline struct mount *mount_of(struct vfsmount *mount)
{
	return (struct mount *)((char *)mount - bpf_core_field_offset(struct mount, mnt));
}

/* Not detached, nor the kernel's own: those have none, or an error in its place. */
static __always_inline bool has_namespace(struct vfsmount *mount)
{
	s64 mount_namespace = (s64)BPF_CORE_READ(mount_of(mount), mnt_ns);

	return mount_namespace != 0 && (mount_namespace < -MAX_ERRNO || mount_namespace >= 0);
}

/* A kernel that was built to lay its structures out at random is told from here on that no path can be resolved. */
static __always_inline bool are_neighbours(void)
{
	return bpf_core_field_offset(struct dentry, d_name) == bpf_core_field_offset(struct dentry, d_parent) + 8 &&
	       bpf_core_field_offset(struct mount, mnt_mountpoint) == bpf_core_field_offset(struct mount, mnt_parent) + 8 &&
	       bpf_core_field_offset(struct mount, mnt) == bpf_core_field_offset(struct mount, mnt_parent) + 16 &&
	       bpf_core_field_offset(struct vfsmount, mnt_root) == 0 && bpf_core_field_offset(struct vfsmount, mnt_flags) == 16;
}

static __always_inline void enter_mount(struct walk *walk, struct mount *mount)
{
	const char *from = (const char *)mount + bpf_core_field_offset(struct mount, mnt_parent);

	walk->mount = mount;
	if (bpf_probe_read_kernel(&walk->mount_part, sizeof walk->mount_part, from))
		walk->end = WALK_UNREACHABLE;
	else if (walk->mount_part.flags & MOUNT_INTERNAL)
		walk->end = WALK_INTERNAL;
}

static __always_inline void leave_mount(struct walk *walk)
{
	struct mount *mount = walk->mount;
	struct mount *parent = walk->mount_part.parent;

	if (mount == walk->first_mount || (parent == walk->first_mount && walk->mount_part.mountpoint == walk->first_root)) {
		walk->end = WALK_AT_ROOT;
	} else if (parent == mount) {
		walk->end = has_namespace(&mount->mnt) ? WALK_AT_ROOT : WALK_UNREACHABLE;
	} else {
		walk->dentry = walk->mount_part.mountpoint;
		enter_mount(walk, parent);
	}
}

/* Names are freed after a grace period, and the kernel reads them without a lock in the same way (d_path). */
static long step_up(u32 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct walk *walk = &scratch->walk;
	struct dentry *dentry = walk->dentry;
	struct dentry_part part;
	u32 length, at;

	if (dentry == walk->mount_part.root) {
		leave_mount(walk);
		return walk->end != WALK_GOES_ON;
	}
	if (bpf_probe_read_kernel(&part, sizeof part, (char *)dentry + bpf_core_field_offset(struct dentry, d_parent)) ||
	    part.parent == dentry) {
		walk->end = WALK_UNREACHABLE;
		return 1;
	}
	length = part.hash_and_length >> 32 & 255;
	at = walk->at - length;
	if (at <= walk->limit) {
		walk->end = WALK_TOO_LONG;
		return 1;
	}
	bpf_probe_read_kernel(&scratch->bytes[at & SCRATCH_MASK], length, part.name);
	at -= 1;
	scratch->bytes[at & SCRATCH_MASK] = '/';
	walk->at = at;
	walk->dentry = part.parent;
	return 0;
}

/* Writes the path so that it ends before `at`. Returns where it begins (the root's path is empty), or 0: see walk.end. */
static __noinline u32 write_path(struct scratch *scratch, struct dentry *dentry, struct vfsmount *mount, u32 at)
{
	struct mount *first = bpf_get_current_task_btf()->nsproxy->mnt_ns->root;
	struct walk *walk = &scratch->walk;

	walk->end = WALK_UNREACHABLE;
	if (!dentry || !mount || !are_neighbours())
		return 0;
	walk->first_mount = first;
	walk->first_root = first->mnt.mnt_root;
	walk->dentry = dentry;
	walk->at = at;
	walk->limit = at - MAX_PATH_BYTES;
	walk->end = WALK_GOES_ON;
	enter_mount(walk, mount_of(mount));
	if (walk->end == WALK_GOES_ON)
		bpf_loop(MAX_STEPS, step_up, &scratch, 0);
	return walk->end == WALK_AT_ROOT ? walk->at : 0;
}

/* What is asked of an open file. */
struct opened {
	u32 mode;
	u32 flags;
	struct inode *inode;
	struct dentry *dentry;
	struct vfsmount *mount;
};

static __always_inline bool read_file(struct scratch *scratch, struct file *file, struct opened *opened)
{
	const char *bytes = scratch->file;

	if (!file || bpf_probe_read_kernel(scratch->file, bpf_core_type_size(struct file) & (MAX_FILE_BYTES - 1), file))
		return false;
	opened->mode = *(u32 *)(bytes + bpf_core_field_offset(struct file, f_mode));
	opened->flags = *(u32 *)(bytes + bpf_core_field_offset(struct file, f_flags));
	opened->inode = *(struct inode **)(bytes + bpf_core_field_offset(struct file, f_inode));
	opened->dentry = *(struct dentry **)(bytes + bpf_core_field_offset(struct file, f_path.dentry));
	opened->mount = *(struct vfsmount **)(bytes + bpf_core_field_offset(struct file, f_path.mnt));
	return true;
}
