/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Each distinct use of a file or an address: counted in a map, and told to the loader when it is new. */

#define AT_FDCWD (-100)
#define AT_SYMLINK_FOLLOW 0x400
#define O_TMPFILE_BIT 0x400000 /* __O_TMPFILE, asm-generic/fcntl.h */

/* Set before the programs are loaded. A payload that does not know the seed cannot make two paths look the same. */
const volatile unsigned int max_file_uses = MAX_FILE_USES;
const volatile unsigned long long hash_seed;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_FILE_USE_ENTRIES);
	__type(key, struct file_use_key);
	__type(value, u64);
} file_uses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, FILE_RING_BYTES);
} file_events SEC(".maps");

static __always_inline void add_unresolved(struct scratch *scratch)
{
	if (scratch->use.error == 0)
		__sync_fetch_and_add(&recording_of(scratch->use.slot)->unresolved, 1);
}

static long step_to_slash(u32 index, struct scratch **context)
{
	struct scratch *scratch = *context;

	if (scratch->hashing.at >= scratch->use.end)
		return 1;
	if (scratch->bytes[scratch->hashing.at & SCRATCH_MASK] == '/')
		return 1;
	scratch->hashing.at += 1;
	return 0;
}

/*
 * The loader is woken for a name in another directory, which it must find before the payload takes it away. Everything
 * else is complete, and waits until there is much of it.
 */
static __always_inline u64 wakeup_for(struct scratch *scratch)
{
	if (scratch->use.flags & EVENT_TEXT && scratch->use.error == 0) {
		scratch->hashing.at = scratch->use.text_at;
		bpf_loop(MAX_PATH_BYTES, step_to_slash, &scratch, 0);
		if (scratch->hashing.at < scratch->use.end)
			return BPF_RB_FORCE_WAKEUP;
	}
	return bpf_ringbuf_query(&file_events, BPF_RB_AVAIL_DATA) < bpf_ringbuf_query(&file_events, BPF_RB_RING_SIZE) / 4
		       ? BPF_RB_NO_WAKEUP
		       : BPF_RB_FORCE_WAKEUP;
}

/* False when it did not get out: then the use is taken back, and may come again. */
static __always_inline bool send_event(struct scratch *scratch, const struct file_use_key *key)
{
	struct file_event event = {
		.key = *key,
		.root_length = scratch->use.base_at - scratch->use.root_at,
		.base_length = scratch->use.text_at - scratch->use.base_at,
		.text_length = scratch->use.end - scratch->use.text_at,
	};
	u32 at = scratch->use.root_at - sizeof event;
	u32 length = scratch->use.end - at;

	__builtin_memcpy(&scratch->bytes[at & SCRATCH_MASK], &event, sizeof event);
	return length <= MAX_EVENT_BYTES &&
	       !bpf_ringbuf_output(&file_events, &scratch->bytes[at & SCRATCH_MASK], length, wakeup_for(scratch));
}

static __noinline void add_new_file_use(struct scratch *scratch, const struct file_use_key *key)
{
	struct recording_state *recording = recording_of(scratch->use.slot);
	u64 one = 1;
	u64 *count;

	if (__sync_fetch_and_add(&recording->file_uses, 1) >= max_file_uses) {
		__sync_fetch_and_sub(&recording->file_uses, 1);
		__sync_fetch_and_add(&recording->overflows, 1);
		return;
	}
	if (bpf_map_update_elem(&file_uses, key, &one, BPF_NOEXIST)) {
		__sync_fetch_and_sub(&recording->file_uses, 1);
		/* Another CPU may have been first with the same use. */
		count = bpf_map_lookup_elem(&file_uses, key);
		if (count)
			__sync_fetch_and_add(count, 1);
		else
			__sync_fetch_and_add(&recording->map_failures, 1);
		return;
	}
	if (send_event(scratch, key))
		return;
	bpf_map_delete_elem(&file_uses, key);
	__sync_fetch_and_sub(&recording->file_uses, 1);
	__sync_fetch_and_add(&recording->ring_failures, 1);
}

static __noinline void add_file_use(struct scratch *scratch)
{
	struct file_use_key key = {
		.slot = scratch->use.slot,
		.access = scratch->use.access,
		.error = scratch->use.error,
		.flags = scratch->use.flags,
	};
	u64 lengths = (u64)(scratch->use.base_at - scratch->use.root_at) << 32 | (scratch->use.text_at - scratch->use.base_at);
	u64 *count;

	key.hash = hash_bytes(scratch, hash_seed ^ lengths, scratch->use.root_at, scratch->use.end);
	count = bpf_map_lookup_elem(&file_uses, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		add_new_file_use(scratch, &key);
}

/* The file itself: what the kernel resolved. */
static __noinline void add_path(struct scratch *scratch, struct dentry *dentry, struct vfsmount *mount)
{
	u32 at = write_path(scratch, dentry, mount, TEXT_AT);

	if (at == 0) {
		if (scratch->walk.end != WALK_INTERNAL)
			add_unresolved(scratch);
		return;
	}
	scratch->use.root_at = scratch->use.base_at = at;
	scratch->use.text_at = scratch->use.end = TEXT_AT;
	scratch->use.flags = 0;
	add_file_use(scratch);
}

static __always_inline struct file *file_of(u32 descriptor)
{
	struct fdtable *table = bpf_get_current_task_btf()->files->fdt;
	struct file *file = NULL;

	if (descriptor < table->max_fds)
		bpf_probe_read_kernel(&file, sizeof file, table->fd + descriptor);
	return file;
}

/* What the process asked for, which lies at TEXT_AT: with the directory and the root from which the kernel went. */
static __noinline void add_text(struct scratch *scratch, u32 directory, u32 length)
{
	struct fs_struct *fs = bpf_get_current_task_btf()->fs;
	struct dentry *dentry = fs->pwd.dentry;
	struct vfsmount *mount = fs->pwd.mnt;
	struct file *file;

	scratch->use.text_at = scratch->use.base_at = TEXT_AT;
	scratch->use.end = TEXT_AT + length;
	scratch->use.flags |= EVENT_TEXT;
	if (scratch->bytes[TEXT_AT] != '/') {
		if ((s32)directory != AT_FDCWD) {
			file = file_of(directory);
			dentry = BPF_CORE_READ(file, f_path.dentry);
			mount = BPF_CORE_READ(file, f_path.mnt);
		}
		scratch->use.base_at = write_path(scratch, dentry, mount, TEXT_AT);
	}
	if (scratch->use.base_at != 0)
		scratch->use.root_at = write_path(scratch, fs->root.dentry, fs->root.mnt, scratch->use.base_at);
	if (scratch->use.base_at == 0 || scratch->use.root_at == 0)
		add_unresolved(scratch);
	else
		add_file_use(scratch);
}

static __always_inline void add_opened(struct scratch *scratch, const struct opened *opened)
{
	struct dentry *dentry = opened->dentry;

	/* A file without a name counts as its directory. */
	if (opened->flags & O_TMPFILE_BIT)
		dentry = BPF_CORE_READ(dentry, d_parent);
	add_path(scratch, dentry, opened->mount);
}

static __noinline void add_descriptor(struct scratch *scratch, u32 descriptor)
{
	struct opened opened;

	if (read_file(scratch, file_of(descriptor), &opened))
		add_opened(scratch, &opened);
	else
		add_unresolved(scratch);
}

/* A name in the process' memory, of at most `size` bytes with its end. The kernel has just read it, so it is there. */
static __noinline void add_name_of(struct scratch *scratch, u64 name, u32 size, u32 directory)
{
	long length;

	length = bpf_probe_read_user_str(&scratch->bytes[TEXT_AT], size & SCRATCH_MASK, (void *)name);
	if (length <= 0)
		add_unresolved(scratch);
	else if (length > 1)
		add_text(scratch, directory, (u32)length - 1);
	else if (scratch->use.error == 0)
		add_descriptor(scratch, directory); /* AT_EMPTY_PATH */
}

static __always_inline void add_name(struct scratch *scratch, u64 name, u32 directory)
{
	add_name_of(scratch, name, MAX_PATH_BYTES, directory);
}

static __always_inline u32 directory_of(const struct pt_regs *registers, const volatile struct name_argument *name)
{
	return name->directory == WORKING_DIRECTORY ? AT_FDCWD : (u32)argument_of(registers, name->directory);
}
