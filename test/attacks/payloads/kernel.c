/* Kernel interfaces that exploits start from, and that no analysis program needs. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static long load_bpf(void)
{
	union bpf_attr map = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
}

static void bpf(void) { said("bpf", load_bpf()); }

static void perf(void)
{
	struct perf_event_attr cycles = { .type = PERF_TYPE_HARDWARE, .size = sizeof(cycles), .config = PERF_COUNT_HW_CPU_CYCLES };

	said("perf_event_open", syscall(SYS_perf_event_open, &cycles, 0, -1, -1, 0));
}

static void fault_handler(void) { said("userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC)); }

static void io_uring(void)
{
	char parameters[120] = { 0 };

	said("setup", syscall(SYS_io_uring_setup, 8, parameters));
	said("enter", syscall(SYS_io_uring_enter, 0, 1, 1, 0, NULL, 0));
	said("register", syscall(SYS_io_uring_register, 0, 0, NULL, 0));
}

static void keyring(void)
{
	said("keyctl", syscall(SYS_keyctl, 1, "porin"));
	said("add_key", syscall(SYS_add_key, "user", "porin", "x", 1, -4));
	said("request_key", syscall(SYS_request_key, "user", "porin", NULL, -4));
}

static void modules(void)
{
	said("init_module", syscall(SYS_init_module, "\177ELF", 4, ""));
	said("finit_module", syscall(SYS_finit_module, 0, "", 0));
	said("delete_module", syscall(SYS_delete_module, "loop", O_NONBLOCK));
}

static void new_kernel(void)
{
	said("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	said("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
}

static void node_wide(void)
{
	struct timeval now = { 0 };
	struct timespec then = { 0 };
	struct timex adjustment = { .modes = ADJ_OFFSET };

	said("syslog", syscall(SYS_syslog, 3, NULL, 0));
	said("settimeofday", syscall(SYS_settimeofday, &now, NULL));
	said("clock_settime", syscall(SYS_clock_settime, CLOCK_REALTIME, &then));
	said("adjtimex", syscall(SYS_adjtimex, &adjustment));
	said("sethostname", syscall(SYS_sethostname, "taken", 5));
	said("swapoff", syscall(SYS_swapoff, "/dev/sda2"));
	said("acct", syscall(SYS_acct, "/tmp/acct"));
	said("quotactl", syscall(SYS_quotactl, 0, "/dev/sda1", 0, NULL));
	said("vhangup", syscall(SYS_vhangup));
	said("fanotify_init", syscall(SYS_fanotify_init, 0, 0));
}

static void second_listener(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	said("listener", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

/* A filter of its own that allows everything: the stricter one must go on to decide. */
static void widen_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	said("filter", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	said("bpf", load_bpf());
}

/* A ruleset that allows everything below the root: a domain can only become narrower. */
static void widen_landlock(void)
{
	struct landlock_ruleset_attr all = { .handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE };
	struct landlock_path_beneath_attr root = { .allowed_access = all.handled_access_fs,
						   .parent_fd = (int)open_path("/in", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	long ruleset = syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

	if (!said("create", ruleset))
		return;
	said("add", syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &root, 0));
	root.parent_fd = (int)open_path("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	said("add-root", syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &root, 0));
	said("restrict", syscall(SYS_landlock_restrict_self, ruleset, 0));
	said("passwd", open_path("/etc/passwd", O_RDONLY));
}

/* ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC. */
static void personality(void)
{
	said("no-randomize", syscall(SYS_personality, 0x0040000));
	said("read-implies-exec", syscall(SYS_personality, 0x0400000));
	said("garbage-above", syscall(SYS_personality, 0x700040000UL));
}

/* The pages of a file into a pipe by reference, as the exploits of pipe buffers began. */
static void pipe_pages(void)
{
	int ends[2] = { -1, -1 };
	char page[16] = "page";
	struct iovec vector = { page, sizeof(page) };

	said("pipe2", syscall(SYS_pipe2, ends, 0));
	said("vmsplice", syscall(SYS_vmsplice, ends[1], &vector, 1, 0));
	said("splice", syscall(SYS_splice, open_path("/in/data", O_RDONLY), NULL, ends[1], NULL, 1, 0));
	close(ends[0]);
	close(ends[1]);
}

const struct attack kernel_attacks[] = {
	{ "bpf", bpf },
	{ "perf", perf },
	{ "userfaultfd", fault_handler },
	{ "io-uring", io_uring },
	{ "keyring", keyring },
	{ "modules", modules },
	{ "new-kernel", new_kernel },
	{ "node-wide", node_wide },
	{ "second-listener", second_listener },
	{ "widen-filter", widen_filter },
	{ "widen-landlock", widen_landlock },
	{ "personality", personality },
	{ "pipe-pages", pipe_pages },
	{ 0 },
};
