/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the BPF programs ask first: is this task recorded, in which slot, and by which ABI does it call. */

#define NO_SLOT (~0U)

struct directory_entry directory[DIRECTORY_PLACES];
struct recording_state recordings[MAX_RECORDINGS];

static __always_inline u32 slot_of(u64 cgroup)
{
	for (u32 step = 0; step < DIRECTORY_REACH; step++) {
		struct directory_entry *entry = &directory[directory_place(cgroup, step)];

		if (entry->cgroup == cgroup)
			return entry->slot;
		if (entry->cgroup == CGROUP_NONE)
			break;
	}
	return NO_SLOT;
}

static __always_inline struct recording_state *recording_of(u32 slot)
{
	return &recordings[slot & (MAX_RECORDINGS - 1)];
}

/* The slot of a task that was given to a program as an address; NO_SLOT outside every recording. */
static __always_inline u32 slot_of_task(struct task_struct *task)
{
	return slot_of(BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id));
}

/* A 32-bit call, whose number and arguments mean something else. */
static __always_inline bool is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & 0x0002; /* TS_COMPAT, asm/thread_info.h */
#elif defined(__TARGET_ARCH_arm64)
	return task->thread_info.flags & (1UL << 22); /* TIF_32BIT, asm/thread_info.h */
#else
#error "unsupported architecture"
#endif
}

static __always_inline bool is_x32(u64 number)
{
#if defined(__TARGET_ARCH_x86)
	return number >> 30 == 1; /* __X32_SYSCALL_BIT, uapi/asm/unistd.h */
#else
	return false;
#endif
}

/* The call that the task is in, in the 32 bits that the kernel looks at: -1 after a sigreturn, which has no number left. */
static __always_inline u32 number_of(const struct pt_regs *registers)
{
#if defined(__TARGET_ARCH_x86)
	return (u32)registers->orig_ax;
#else
	return (u32)registers->syscallno;
#endif
}

/* A number below MAX_NUMBERS as it is. The compiler must not leave out the mask, from which the verifier takes the bound. */
static __always_inline u32 place_of(u32 number)
{
	barrier_var(number);
	return number & (MAX_NUMBERS - 1);
}

/* The same at the entry and at the exit of a call: the kernel keeps the registers that it was called with. */
static __always_inline u64 argument_of(const struct pt_regs *registers, u32 argument)
{
#if defined(__TARGET_ARCH_x86)
	switch (argument) {
	case 0:
		return registers->di;
	case 1:
		return registers->si;
	case 2:
		return registers->dx;
	case 3:
		return registers->r10;
	case 4:
		return registers->r8;
	default:
		return registers->r9;
	}
#else
	switch (argument) {
	case 0:
		return registers->orig_x0; /* x0 holds the result by then */
	case 1:
		return registers->regs[1];
	case 2:
		return registers->regs[2];
	case 3:
		return registers->regs[3];
	case 4:
		return registers->regs[4];
	default:
		return registers->regs[5];
	}
#endif
}
