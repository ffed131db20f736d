/* Against porin-init, which shares the payload's user: its memory, its limits, its scheduling, its signals. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_WHO_PGRP 2
#define IOPRIO_WHO_USER 3
#define IOPRIO_IDLE (3 << 13)

static void trace_attach(void) { said("attach", syscall(SYS_ptrace, PTRACE_ATTACH, SUPERVISOR, 0, 0)); }
static void trace_seize(void) { said("seize", syscall(SYS_ptrace, PTRACE_SEIZE, SUPERVISOR, 0, 0)); }

static void foreign_memory(void)
{
	char byte = 0;
	struct iovec here = { &byte, 1 }, there = { (void *)0x400000, 1 };

	said("process_vm_readv", syscall(SYS_process_vm_readv, SUPERVISOR, &here, 1, &there, 1, 0));
	said("process_vm_writev", syscall(SYS_process_vm_writev, SUPERVISOR, &here, 1, &there, 1, 0));
}

static void init_files(void)
{
	said("mem", open_path("/proc/1/mem", O_RDWR));
	said("environ", open_path("/proc/1/environ", O_RDONLY));
	said("maps", open_path("/proc/1/maps", O_RDONLY));
	said("descriptors", open_path("/proc/1/fd", O_RDONLY | O_DIRECTORY));
	said("oom", open_path("/proc/1/oom_score_adj", O_WRONLY));
}

static void init_descriptor(void)
{
	long pidfd = syscall(SYS_pidfd_open, SUPERVISOR, 0);

	said("pidfd_open", pidfd);
	said("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 3, 0));
	if (pidfd >= 0)
		said("pidfd_send_signal", syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0));
}

static void compare(void) { said("kcmp", syscall(SYS_kcmp, SUPERVISOR, SUPERVISOR, KCMP_VM, 0, 0)); }

static void limit_of(const char *step, unsigned long pid, int resource)
{
	struct rlimit zero = { 0, 0 };

	said(step, syscall(SYS_prlimit64, pid, resource, &zero, NULL));
}

static void init_limits(void)
{
	limit_of("cpu", SUPERVISOR, RLIMIT_CPU);
	limit_of("nofile", SUPERVISOR, RLIMIT_NOFILE);
}

/* The kernel reads the low word alone. */
static void init_limits_wide(void) { limit_of("cpu", 0xdead00000001UL, RLIMIT_CPU); }

static void init_scheduling(void)
{
	struct sched_param idle = { 0 };
	unsigned long cpus = 1;
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t times[3];
	} attributes = { .size = 48, .policy = SCHED_IDLE };

	said("scheduler", syscall(SYS_sched_setscheduler, SUPERVISOR, SCHED_IDLE, &idle));
	said("parameters", syscall(SYS_sched_setparam, SUPERVISOR, &idle));
	said("attributes", syscall(SYS_sched_setattr, SUPERVISOR, &attributes, 0));
	said("affinity", syscall(SYS_sched_setaffinity, SUPERVISOR, sizeof(cpus), &cpus));
}

static void init_priority(void)
{
	said("process", syscall(SYS_setpriority, PRIO_PROCESS, SUPERVISOR, 19));
	said("group", syscall(SYS_setpriority, PRIO_PGRP, SUPERVISOR, 19));
	said("user", syscall(SYS_setpriority, PRIO_USER, 0, 19));
	said("disk-process", syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, SUPERVISOR, IOPRIO_IDLE));
	said("disk-group", syscall(SYS_ioprio_set, IOPRIO_WHO_PGRP, SUPERVISOR, IOPRIO_IDLE));
	said("disk-user", syscall(SYS_ioprio_set, IOPRIO_WHO_USER, 0, IOPRIO_IDLE));
}

static void init_signals(void)
{
	said("kill", syscall(SYS_kill, SUPERVISOR, SIGKILL));
	said("stop", syscall(SYS_kill, SUPERVISOR, SIGSTOP));
}

/* As if the worker or the kernel had sent them. */
static void forge_signals(void)
{
	siginfo_t forged = { .si_signo = SIGTERM, .si_code = SI_USER };

	said("tgkill", syscall(SYS_tgkill, SUPERVISOR, SUPERVISOR, SIGKILL));
	said("forge", syscall(SYS_rt_sigqueueinfo, SUPERVISOR, SIGTERM, &forged));
}

/* Everybody whom it may signal: in its PID namespace, that is porin-init alone, which is never meant by -1. */
static void signal_all(void) { said("kill", syscall(SYS_kill, -1, SIGKILL)); }

/* Each lets others look into this process, or hides it from them; none may reach porin-init. */
static void process_controls(void)
{
	said("PR_SET_DUMPABLE", syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0));
	said("PR_SET_PTRACER", syscall(SYS_prctl, PR_SET_PTRACER, -1, 0, 0, 0));
	said("PR_SET_CHILD_SUBREAPER", syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	said("PR_CAP_AMBIENT", syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0));
	said("PR_SET_SECUREBITS", syscall(SYS_prctl, PR_SET_SECUREBITS, 1, 0, 0, 0));
	said("PR_SET_NO_NEW_PRIVS", syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

const struct attack supervisor_attacks[] = {
	{ "ptrace-attach", trace_attach },
	{ "ptrace-seize", trace_seize },
	{ "foreign-memory", foreign_memory },
	{ "init-files", init_files },
	{ "init-descriptor", init_descriptor },
	{ "kcmp", compare },
	{ "init-limits", init_limits },
	{ "init-limits-wide", init_limits_wide },
	{ "init-scheduling", init_scheduling },
	{ "init-priority", init_priority },
	{ "init-signals", init_signals },
	{ "forge-signals", forge_signals },
	{ "signal-all", signal_all },
	{ "process-controls", process_controls },
	{ 0 },
};
