/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Executions: the program, the script that led to it, and the dynamic linker. */

#define FILE_OF_EXEC 0x20 /* __FMODE_EXEC in f_flags: the kernel opened it to execute it */
#define MAX_TASK_WORKS 4096

/* A file that is let go by a task is closed when the task leaves the kernel: until then it waits in the task's works. */
extern const void ____fput __ksym __weak;

struct file___before_6_8 {
	struct callback_head f_rcuhead;
};

/* Since Linux 6.8 a mapping of an overlay's file refers to the file below, on a mount of no namespace, and beside it is the path in the overlay. */
struct backing_file___since_6_8 {
	struct path user_path;
};

struct script_search {
	struct callback_head *work;
	struct file *script;
};

static __always_inline struct file *file_of_work(struct callback_head *work)
{
	u32 offset = bpf_core_field_exists(struct file, f_task_work)
			     ? bpf_core_field_offset(struct file, f_task_work)
			     : bpf_core_field_offset(struct file___before_6_8, f_rcuhead);

	return (struct file *)((char *)work - offset);
}

static long step_to_script(u32 index, struct script_search *search)
{
	struct callback_head *work = search->work;
	struct file *file;

	if (!work)
		return 1;
	if ((u64)BPF_CORE_READ(work, func) == (u64)&____fput) {
		file = file_of_work(work);
		if (BPF_CORE_READ(file, f_flags) & FILE_OF_EXEC)
			search->script = file;
	}
	search->work = BPF_CORE_READ(work, next);
	return 0;
}

/* The first that was let go in this call: the works are a stack, and the kernel goes from script to interpreter. */
static __always_inline struct file *script_of(struct task_struct *task)
{
	struct script_search search = { .work = task->task_works };

	if (!&____fput)
		return NULL;
	bpf_loop(MAX_TASK_WORKS, step_to_script, &search, 0);
	return search.script;
}

static long take_file(struct task_struct *task, struct vm_area_struct *area, struct file **file)
{
	*file = area->vm_file;
	return 0;
}

static __always_inline void add_executed(struct scratch *scratch, struct dentry *dentry, struct vfsmount *mount)
{
	u32 length;

	add_path(scratch, dentry, mount);
	if (scratch->walk.end != WALK_INTERNAL)
		return;
	/* "memfd:name" stands for itself. */
	length = BPF_CORE_READ(dentry, d_name.len) & 255;
	bpf_probe_read_kernel(&scratch->bytes[TEXT_AT], length, BPF_CORE_READ(dentry, d_name.name));
	scratch->use.root_at = scratch->use.base_at = scratch->use.text_at = TEXT_AT;
	scratch->use.end = TEXT_AT + length;
	add_file_use(scratch);
}

/* The program's first instruction is that of its dynamic linker, unless it has none. */
static __always_inline void add_linker(struct scratch *scratch, struct dentry *program)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = (struct pt_regs *)bpf_task_pt_regs(task);
	struct file *linker = NULL;
	struct dentry *dentry;
	struct vfsmount *mount;

#if defined(__TARGET_ARCH_x86)
	bpf_find_vma(task, registers->ip, take_file, &linker, 0);
#else
	bpf_find_vma(task, registers->pc, take_file, &linker, 0);
#endif
	if (!linker) {
		add_unresolved(scratch);
		return;
	}
	dentry = BPF_CORE_READ(linker, f_path.dentry);
	mount = BPF_CORE_READ(linker, f_path.mnt);
	if (bpf_core_field_exists(struct backing_file___since_6_8, user_path) && !has_namespace(mount) && !(BPF_CORE_READ(mount, mnt_flags) & MOUNT_INTERNAL)) {
		struct backing_file___since_6_8 *backing = (struct backing_file___since_6_8 *)linker;

		dentry = BPF_CORE_READ(backing, user_path.dentry);
		mount = BPF_CORE_READ(backing, user_path.mnt);
	}
	if (dentry != program)
		add_executed(scratch, dentry, mount);
}

/* As note_exec, which starts the recording: the payload's first program is in it too. */
SEC("raw_tp/sched_process_exec")
int files_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 slot = slot_of(task->cgroups->dfl_cgrp->kn->id);
	struct linux_binprm *program = (struct linux_binprm *)ctx->args[2];
	struct scratch *scratch = scratch_of_cpu();
	struct file *file, *script;

	if (slot >= MAX_RECORDINGS || recording_of(slot)->kind < KIND_FILES ||
	    (u32)task->tgid == recording_of(slot)->supervisor || !scratch)
		return 0;
	scratch->use = (struct file_use){ .slot = slot, .access = ACCESS_EXECUTE };
	file = BPF_CORE_READ(program, file);
	add_executed(scratch, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	add_linker(scratch, BPF_CORE_READ(file, f_path.dentry));
	if (BPF_CORE_READ(program, interp) == BPF_CORE_READ(program, filename))
		return 0;
	script = BPF_CORE_READ(program, executable);
	if (!script)
		script = script_of(task);
	if (script)
		add_executed(scratch, BPF_CORE_READ(script, f_path.dentry), BPF_CORE_READ(script, f_path.mnt));
	else
		add_unresolved(scratch);
	return 0;
}
