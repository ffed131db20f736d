/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Paths and addresses, with their results, of recordings of kind `files`. */
#include "files_layout.h"

#include "file_calls.bpf.h"
#include "path.bpf.h"
#include "hash.bpf.h"
#include "file_uses.bpf.h"
#include "opens.bpf.h"
#include "executions.bpf.h"
#include "sockets.bpf.h"

static __always_inline void add_names(struct scratch *scratch, const struct pt_regs *registers,
				      const volatile struct file_call *call)
{
	for (u32 at = 0; at < 2; at++) {
		const volatile struct name_argument *name = &call->names[at];
		bool followed = name->follow == FOLLOW_ALWAYS ||
				(name->follow == FOLLOW_IF_ASKED && argument_of(registers, 4) & AT_SYMLINK_FOLLOW);

		/* An execve that succeeded has no arguments left; files_exec has seen it. */
		if (name->access == 0 || (name->access == ACCESS_EXECUTE && scratch->use.error == 0))
			break;
		scratch->use.access = name->access;
		scratch->use.flags = followed ? EVENT_FOLLOW : name->follow == MAKES_SYMLINK ? EVENT_SYMLINK : 0;
		add_name(scratch, argument_of(registers, name->path), directory_of(registers, name));
	}
}

/* Asks first what settles it for most calls. */
SEC("raw_tp/sys_exit")
int files_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct pt_regs *registers = (const struct pt_regs *)bpf_task_pt_regs(task);
	const volatile struct file_call *call;
	struct recording_state *recording;
	s64 result = (s64)ctx->args[1];
	u32 number = number_of(registers);
	struct scratch *scratch;
	u32 slot;

	if (number >= MAX_NUMBERS)
		return 0;
	call = &FILE_CALLS[place_of(number)];
	if (call->kind == CALL_OTHER)
		return 0;
	slot = slot_of(task->cgroups->dfl_cgrp->kn->id);
	if (slot >= MAX_RECORDINGS)
		return 0;
	recording = recording_of(slot);
	if (recording->kind < KIND_FILES || !recording->started || (u32)task->tgid == recording->supervisor ||
	    is_compat(task) || is_restart((u64)result))
		return 0;
	scratch = scratch_of_cpu();
	if (!scratch)
		return 0;
	scratch->use = (struct file_use){
		.slot = slot,
		.error = result < 0 && result >= -MAX_ERRNO ? -result : 0,
	};
	switch (call->kind) {
	case CALL_OPEN:
	case CALL_OPEN_HANDLE:
		add_open(scratch, registers, call, (u32)result);
		break;
	case CALL_NAMES:
		add_names(scratch, registers, call);
		break;
	case CALL_DESCRIPTOR:
		scratch->use.access = ACCESS_TRUNCATE;
		if (scratch->use.error == 0)
			add_descriptor(scratch, (u32)argument_of(registers, 0));
		break;
	default:
		add_addresses(scratch, registers, call->kind, result);
	}
	return 0;
}
