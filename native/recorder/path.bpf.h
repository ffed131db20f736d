/* Paths as the kernel holds them: from a dentry and its mount up to the root of the mount namespace. */

/* A power of two, beyond every place below: an offset that is masked by it stays in the scratch, and so does an event. */
#define SCRATCH_MASK 16383
#define MAX_EVENT_BYTES (3 * MAX_PATH_BYTES + 64)
/* Paths grow backwards from here, two of them at most, and what a process asked for grows forwards. */
#define TEXT_AT (2 * MAX_PATH_BYTES + 64)
/* Nobody nests more directories and mounts in MAX_PATH_BYTES. */
#define MAX_STEPS (MAX_PATH_BYTES / 2 + 64)
#define MOUNT_INTERNAL 0x4000 /* MNT_INTERNAL, linux/mount.h */

enum walk_end { WALK_GOES_ON, WALK_AT_ROOT, WALK_UNREACHABLE, WALK_TOO_LONG };

struct walk {
	struct dentry *dentry;
	struct dentry *mount_root;
	struct mount *mount;
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

static __always_inline void step_out_of_mount(struct walk *walk)
{
	struct mount *mount = walk->mount;
	struct mount *parent = BPF_CORE_READ(mount, mnt_parent);

	if (parent == mount) {
		walk->end = has_namespace(&mount->mnt) ? WALK_AT_ROOT : WALK_UNREACHABLE;
		return;
	}
	walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
	walk->mount = parent;
	walk->mount_root = BPF_CORE_READ(parent, mnt.mnt_root);
}

/* Names are freed after a grace period, and the kernel reads them without a lock in the same way (d_path). */
static long step_up(u32 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct walk *walk = &scratch->walk;
	struct {
		struct dentry *parent;
		u64 hash_and_length;
		const void *name;
	} entry;
	u32 length, at;

	if (walk->dentry == walk->mount_root) {
		step_out_of_mount(walk);
		return walk->end != WALK_GOES_ON;
	}
	/* d_parent and d_name are neighbours in every kernel: one read for the three. */
	if (bpf_probe_read_kernel(&entry, sizeof entry, (char *)walk->dentry + bpf_core_field_offset(struct dentry, d_parent)) ||
	    entry.parent == walk->dentry) {
		walk->end = WALK_UNREACHABLE;
		return 1;
	}
	length = entry.hash_and_length >> 32 & 255;
	at = walk->at - length;
	if (at <= walk->limit) {
		walk->end = WALK_TOO_LONG;
		return 1;
	}
	bpf_probe_read_kernel(&scratch->bytes[at & SCRATCH_MASK], length, entry.name);
	at -= 1;
	scratch->bytes[at & SCRATCH_MASK] = '/';
	walk->at = at;
	walk->dentry = entry.parent;
	return 0;
}

/* Writes the path so that it ends before `at`. Returns where it begins (the root's path is empty), or 0. */
static __noinline u32 write_path(struct scratch *scratch, struct dentry *dentry, struct vfsmount *mount, u32 at)
{
	struct walk *walk = &scratch->walk;

	if (!dentry || !mount)
		return 0;
	walk->dentry = dentry;
	walk->mount_root = BPF_CORE_READ(mount, mnt_root);
	walk->mount = mount_of(mount);
	walk->at = at;
	walk->limit = at - MAX_PATH_BYTES;
	walk->end = WALK_GOES_ON;
	bpf_loop(MAX_STEPS, step_up, &scratch, 0);
	return walk->end == WALK_AT_ROOT ? walk->at : 0;
}

/* Pipes, sockets, memfds and the like have no place in the tree. */
static __always_inline bool is_in_tree(struct vfsmount *mount)
{
	return mount && !(BPF_CORE_READ(mount, mnt_flags) & MOUNT_INTERNAL);
}

static __always_inline u64 mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

/* In one instruction: the compiler would load it byte by byte. */
static __always_inline u64 word_at(const char *bytes)
{
	u64 word;

	__asm__ volatile("%0 = *(u64 *)(%1 + 0)" : "=r"(word) : "r"(bytes) : "memory");
	return word;
}

static long hash_word(u32 index, struct scratch **context)
{
	struct scratch *scratch = *context;
	struct hashing *hashing = &scratch->hashing;
	u32 left = hashing->end - hashing->at;
	u64 word = word_at(&scratch->bytes[hashing->at & SCRATCH_MASK]);

	if (left < 8)
		word &= (1ULL << (left & 7) * 8) - 1;
	hashing->hash = mix(hashing->hash, word);
	hashing->at += 8;
	return left <= 8;
}

static __always_inline u64 hash_bytes(struct scratch *scratch, u64 seed, u32 at, u32 end)
{
	scratch->hashing.hash = seed;
	scratch->hashing.at = at;
	scratch->hashing.end = end;
	bpf_loop(MAX_EVENT_BYTES / 8, hash_word, &scratch, 0);
	return mix(scratch->hashing.hash, end - at);
}
