/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What makes a count begin, and what would make it incomplete: foreign processes, sub-cgroups without a place. */

#define MAX_ANCESTORS 64

/* porin-init's thread group -> slot. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_RECORDINGS);
	__type(key, u32);
	__type(value, u32);
} supervisors SEC(".maps");

/* The tracepoint fires after the exec has succeeded and before the new program's first instruction. */
SEC("raw_tp/sched_process_exec")
int note_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 slot = slot_of(task->cgroups->dfl_cgrp->kn->id);
	struct recording_state *recording;

	if (slot >= MAX_RECORDINGS)
		return 0;
	recording = recording_of(slot);
	if ((u32)task->tgid == recording->supervisor)
		return 0;
	recording->started = 1;
	__sync_fetch_and_add(&recording->execs, 1);
	return 0;
}

static __always_inline void note_foreign(u32 slot)
{
	if (slot < MAX_RECORDINGS)
		__sync_fetch_and_add(&recording_of(slot)->foreign_processes, 1);
}

/* A child normally starts in its parent's cgroup; CLONE_INTO_CGROUP puts it into another without an attach event. */
SEC("raw_tp/sched_process_fork")
int note_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx->args[1];
	u32 parent = slot_of_task((struct task_struct *)ctx->args[0]);
	u32 child = slot_of_task(task);

	/* What an earlier thread of this number left when it ended in a call. */
	*entered_of(BPF_CORE_READ(task, pid)) = 0;
	if (child < MAX_RECORDINGS && recording_of(child)->kind >= KIND_ARGUMENTS)
		add_task(recording_of(child), task);
	if (parent == child)
		return 0;
	note_foreign(parent);
	note_foreign(child);
	return 0;
}

/* The recording whose porin-init the task descends from. Orphans are reparented to porin-init, so the chain holds. */
static __always_inline u32 slot_of_ancestor(struct task_struct *task)
{
	for (u32 depth = 0; depth < MAX_ANCESTORS; depth++) {
		u32 tgid = BPF_CORE_READ(task, tgid);
		u32 *slot = bpf_map_lookup_elem(&supervisors, &tgid);

		if (slot)
			return *slot;
		if (tgid <= 1)
			break;
		task = BPF_CORE_READ(task, real_parent);
	}
	return NO_SLOT;
}

static __always_inline bool is_unified(struct cgroup *cgroup)
{
	return BPF_CORE_READ(cgroup, root, hierarchy_id) == 0; /* the `0::` of /proc/PID/cgroup */
}

/* Someone moved a process: foreign where it enters a recorded cgroup from outside, or leaves one. */
SEC("raw_tp/cgroup_attach_task")
int note_attach(struct bpf_raw_tracepoint_args *ctx)
{
	struct cgroup *target = (struct cgroup *)ctx->args[0];
	u32 inside, descends;

	if (!is_unified(target))
		return 0;
	inside = slot_of(BPF_CORE_READ(target, kn, id));
	descends = slot_of_ancestor((struct task_struct *)ctx->args[2]);
	if (inside == descends)
		return 0;
	note_foreign(inside);
	note_foreign(descends);
	return 0;
}

/* The tracepoint fires before the directory can be seen, so no process enters a sub-cgroup ahead of its entry. */
SEC("raw_tp/cgroup_mkdir")
int note_mkdir(struct bpf_raw_tracepoint_args *ctx)
{
	struct cgroup *cgroup = (struct cgroup *)ctx->args[0];
	u64 id = BPF_CORE_READ(cgroup, kn, id);
	u32 slot;

	if (!is_unified(cgroup))
		return 0;
	slot = slot_of(BPF_CORE_READ(cgroup, self.parent, cgroup, kn, id));
	if (slot >= MAX_RECORDINGS)
		return 0;
	for (u32 step = 0; step < DIRECTORY_REACH; step++) {
		struct directory_entry *entry = &directory[directory_place(id, step)];

		if (__sync_val_compare_and_swap(&entry->cgroup, CGROUP_NONE, id) == CGROUP_NONE ||
		    __sync_val_compare_and_swap(&entry->cgroup, CGROUP_REMOVED, id) == CGROUP_REMOVED) {
			entry->slot = slot;
			return 0;
		}
	}
	__sync_fetch_and_add(&recording_of(slot)->map_failures, 1);
	return 0;
}
