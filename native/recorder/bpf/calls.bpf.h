/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every call of a recorded cgroup is counted by its number. */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_RECORDINGS);
	__type(key, u32);
	__type(value, struct call_counts);
} counts SEC(".maps");

/* PID_MAX_LIMIT of 64-bit kernels is 2^22 (linux/threads.h). */
#define PID_BITS 22
/* Threads that are numbered one after another may run on different CPUs: their bytes are two cache lines apart. */
#define PID_STRIDE_BITS 7

/* By thread: 1 from the entry of a recorded call to its exit, wherever the thread runs by then. */
unsigned char entered[1 << PID_BITS];

static __always_inline unsigned char *entered_of(u32 pid)
{
	return &entered[(pid << PID_STRIDE_BITS | pid >> (PID_BITS - PID_STRIDE_BITS)) & ((1 << PID_BITS) - 1)];
}

/*
 * The hot path. The task's own cgroup is compared, not an ancestor's: sub-cgroups enter the directory when they are
 * made. Counts are per CPU and not atomic: a program never interrupts itself on a CPU, the kernel skips such a run and
 * counts it in recursion_misses.
 */
SEC("raw_tp/sys_enter")
int count_call(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 slot = slot_of(task->cgroups->dfl_cgrp->kn->id);
	struct recording_state *recording;
	struct call_counts *count;
	u64 number = ctx->args[1];

	if (slot >= MAX_RECORDINGS)
		return 0;
	count = bpf_map_lookup_elem(&counts, &slot);
	if (!count)
		return 0;
	*entered_of(task->pid) = 1;
	recording = recording_of(slot);
	if ((u32)task->tgid == recording->supervisor) {
		count->supervisor++;
	} else if (!recording->started) {
		count->before_start++;
	} else if (is_compat(task)) {
		count->compat++;
	} else if (number < MAX_NUMBERS) {
		count->numbers[number & (MAX_NUMBERS - 1)]++;
		if (recording->kind >= KIND_ARGUMENTS)
			add_entered(slot, task, (u32)number);
	} else if (is_x32(number)) {
		count->x32++;
	} else {
		count->unknown++;
	}
	return 0;
}
