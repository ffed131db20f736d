/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Value sets of the arguments that tell one use of a call from another, and what failed with which errno. */

/* Each one that is lost was won by another CPU with a higher count. */
#define PEAK_ATTEMPTS 64

/* Distinct uses of one recording; set before the programs are loaded. */
const volatile unsigned int max_uses = MAX_USES;
/* By number; `count` 0 where nothing is told apart. */
const volatile struct aware_call aware_by_number[MAX_NUMBERS];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_USE_ENTRIES);
	__type(key, struct use_key);
	__type(value, u64);
} uses SEC(".maps");

static __always_inline void add_use(const struct use_key *key)
{
	struct recording_state *recording = recording_of(key->slot);
	u64 *count = bpf_map_lookup_elem(&uses, key);
	u64 one = 1;

	if (!count) {
		if (__sync_fetch_and_add(&recording->uses, 1) >= max_uses) {
			__sync_fetch_and_sub(&recording->uses, 1);
			__sync_fetch_and_add(&recording->overflows, 1);
			return;
		}
		if (!bpf_map_update_elem(&uses, key, &one, BPF_NOEXIST))
			return;
		__sync_fetch_and_sub(&recording->uses, 1);
		/* Another CPU may have been first with the same use. */
		count = bpf_map_lookup_elem(&uses, key);
		if (!count) {
			__sync_fetch_and_add(&recording->map_failures, 1);
			return;
		}
	}
	__sync_fetch_and_add(count, 1);
}

static __always_inline const volatile struct aware_call *aware_of(u32 number)
{
	return &aware_by_number[place_of(number)];
}

static __always_inline void read_values(struct use_key *key, const volatile struct aware_call *call,
				       struct task_struct *task)
{
	const struct pt_regs *registers = (const struct pt_regs *)bpf_task_pt_regs(task);

	for (u32 at = 0; at < AWARE_ARGUMENTS_MAXIMUM; at++) {
		if (at >= call->count)
			break;
		key->values[at] = argument_of(registers, call->arguments[at]) & call->masks[at];
	}
}

static __always_inline void add_entered(u32 slot, struct task_struct *task, u32 number)
{
	const volatile struct aware_call *call = aware_of(number);
	struct use_key key = { .slot = (u16)slot, .number = (u16)number };

	if (call->count == 0)
		return;
	read_values(&key, call, task);
	add_use(&key);
}

/* A call that seccomp answered with an errno has this and no use as an entered one. */
static __always_inline void add_use_of_failed(u32 slot, struct task_struct *task, u32 number, u32 error)
{
	struct use_key key = { .slot = (u16)slot, .number = (u16)number, .error = (u16)error };

	read_values(&key, aware_of(number), task);
	add_use(&key);
}

/* Of a task that is forked into the recording; the kernel counts it from here on, and so do we. */
static __always_inline void add_task(struct recording_state *recording, struct task_struct *child)
{
	s32 alive, peak;

	if (BPF_CORE_READ(child, tgid) == (s32)recording->supervisor)
		return;
	alive = __sync_fetch_and_add(&recording->tasks, 1) + 1;
	for (u32 attempt = 0; attempt < PEAK_ATTEMPTS; attempt++) {
		peak = recording->peak_tasks;
		if (alive <= peak || __sync_val_compare_and_swap(&recording->peak_tasks, peak, alive) == peak)
			return;
	}
	__sync_fetch_and_add(&recording->map_failures, 1);
}

SEC("raw_tp/sched_process_exit")
int arguments_task_end(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 slot = slot_of(task->cgroups->dfl_cgrp->kn->id);
	struct recording_state *recording;

	if (slot >= MAX_RECORDINGS)
		return 0;
	recording = recording_of(slot);
	if (recording->kind >= KIND_ARGUMENTS && (u32)task->tgid != recording->supervisor)
		__sync_fetch_and_sub(&recording->tasks, 1);
	return 0;
}
