/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls that a filter answered before they entered the kernel: they have an exit and no entry. */
#include <asm/unistd.h>

#define MAX_ERRNO 4095
/* The call was interrupted and will be made again, by itself or by the kernel (linux/errno.h). */
#define FIRST_RESTART 512
#define LAST_RESTART 516

#define SIGNAL_BIT(signal) (1UL << ((signal)-1))
#define DEADLY_SIGNALS (SIGNAL_BIT(9) | SIGNAL_BIT(11)) /* SIGKILL, SIGSEGV */

static __always_inline bool is_restart(u64 result)
{
	return result <= (u64)-FIRST_RESTART && result >= (u64)-LAST_RESTART;
}

/*
 * An exec by another thread than the first takes over the first one's number, and with it a mark that is not its own. When
 * it fails after that, the kernel has already sent the signal that ends it.
 */
static __always_inline bool is_lost_exec(struct task_struct *task, u32 number)
{
	return (number == __NR_execve || number == __NR_execveat) && task->pending.signal.sig[0] & DEADLY_SIGNALS;
}

/* A call by a foreign ABI counts as one that entered: either way the program is not one that a recording can tell of. */
static __always_inline void add_refused(u32 slot, struct task_struct *task, u32 number, u64 result)
{
	struct use_key key = { .slot = (u16)slot, .number = (u16)number, .error = (u16)-result, .refused = 1 };
	struct call_counts *count = bpf_map_lookup_elem(&counts, &slot);

	if (is_restart(result) || is_lost_exec(task, number))
		return;
	if (is_compat(task)) {
		if (count)
			count->compat++;
	} else if (number < MAX_NUMBERS) {
		add_use(&key);
	} else if (is_x32(number)) {
		if (count)
			count->x32++;
	}
}

static __noinline int add_failed(struct task_struct *task, u64 result, bool refused)
{
	u32 slot = slot_of(task->cgroups->dfl_cgrp->kn->id);
	u32 number = number_of((const struct pt_regs *)bpf_task_pt_regs(task));
	struct recording_state *recording;

	if (slot >= MAX_RECORDINGS)
		return 0;
	recording = recording_of(slot);
	if (!recording->started || (u32)task->tgid == recording->supervisor)
		return 0;
	if (refused)
		add_refused(slot, task, number, result);
	if (recording->kind >= KIND_ARGUMENTS && number < MAX_NUMBERS && !is_compat(task))
		add_use_of_failed(slot, task, number, (u32)-result);
	return 0;
}

/* A call that did not fail returns at once. Only calls between their entry and their exit write here. */
SEC("raw_tp/sys_exit")
int count_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	unsigned char *mark = entered_of(task->pid);
	u64 result = ctx->args[1];
	bool refused = *mark == 0;

	if (!refused)
		*mark = 0;
	if (result >= (u64)-MAX_ERRNO)
		add_failed(task, result, refused);
	return 0;
}
