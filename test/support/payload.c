/*
 * The payload of the sandbox tests: does what its arguments say, and prints what became of it. Static, so that it needs
 * nothing of an image.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define INIT 1

/* Calls are made raw, so that no libc turns one into another. */

static long open_file(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags);
}

static long socket_inet(void) { return syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }
static long socket_raw(void) { return syscall(SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static long open_passwd(void) { return open_file("/etc/passwd", O_RDONLY | O_CLOEXEC); }
static long open_unmapped(void) { return open_file((const char *)16, O_RDONLY); }
static long unshare_user(void) { return syscall(SYS_unshare, CLONE_NEWUSER); }
static long clone_user(void) { return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0); }
static long clone3_any(void) { return syscall(SYS_clone3, NULL, 0); }
static long persona_random(void) { return syscall(SYS_personality, 0x0040000); }
static long persona_query(void) { return syscall(SYS_personality, 0xffffffff) >= 0 ? 0 : -1; }
static long persona_mixed(void) { return syscall(SYS_personality, 0xfffffff7); }
/* In the ceiling, and not refused by engines. The number is the same on every architecture. */
static long io_uring(void) { return syscall(425, 1, NULL); }
static long getppid_call(void) { return syscall(SYS_getppid); }

static long list_etc(void) { return open_file("/etc", O_RDONLY | O_DIRECTORY); }
static long list_tmp(void) { return open_file("/tmp", O_RDONLY | O_DIRECTORY); }
static long write_null(void) { return open_file("/dev/null", O_WRONLY); }
static long make_tmp(void) { return syscall(SYS_openat, AT_FDCWD, "/tmp/made", O_WRONLY | O_CREAT, 0600); }
static long write_tmp(void) { return open_file("/tmp/made", O_WRONLY | O_TRUNC); }
static long make_directory(void) { return syscall(SYS_mkdirat, AT_FDCWD, "/tmp/directory", 0700); }
static long move_tmp(void) { return syscall(SYS_renameat2, AT_FDCWD, "/tmp/made", AT_FDCWD, "/tmp/directory/made", 0); }
static long remove_tmp(void) { return syscall(SYS_unlinkat, AT_FDCWD, "/tmp/directory/made", 0); }
static long make_device(void) { return syscall(SYS_mknodat, AT_FDCWD, "/tmp/device", S_IFCHR | 0600, 0x103); }
static long make_fifo(void) { return syscall(SYS_mknodat, AT_FDCWD, "/tmp/fifo", S_IFIFO | 0600, 0); }
static long probe_init(void) { return kill(INIT, 0); }
static long probe_self(void) { return kill(getpid(), 0); }

static long abstract_own(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0own" };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), peer = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(listener, 1) < 0)
		return -1;
	return connect(peer, (struct sockaddr *)&name, sizeof(name));
}

static long connect_inet(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(4444), .sin_addr.s_addr = htonl(0x0a000001) };

	return syscall(SYS_connect, 1, &to, sizeof(to));
}

static long ptrace_attach_init(void) { return syscall(SYS_ptrace, PTRACE_ATTACH, INIT, 0, 0); }
static long ptrace_seize_init(void) { return syscall(SYS_ptrace, PTRACE_SEIZE, INIT, 0, 0); }
static long write_init_mem(void) { return open_file("/proc/1/mem", O_RDWR); }
static long read_init_environ(void) { return open_file("/proc/1/environ", O_RDONLY); }
static long read_init_maps(void) { return open_file("/proc/1/maps", O_RDONLY); }
static long list_init_fds(void) { return open_file("/proc/1/fd", O_RDONLY | O_DIRECTORY); }

static long readv_init(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)0x400000, 1 };

	return syscall(SYS_process_vm_readv, INIT, &here, 1, &there, 1, 0);
}

static long pidfd_getfd_init(void)
{
	long pidfd = syscall(SYS_pidfd_open, INIT, 0);

	return pidfd < 0 ? pidfd : syscall(SYS_pidfd_getfd, pidfd, 3, 0);
}

static long prlimit_of(pid_t pid)
{
	struct rlimit zero = { 0, 0 };

	return syscall(SYS_prlimit64, pid, RLIMIT_CORE, &zero, NULL);
}

static long prlimit_init(void) { return prlimit_of(INIT); }
static long prlimit_self(void) { return prlimit_of(0); }
/* The kernel reads pid_t: garbage in the high word must not get past a test of the low one. */
static long prlimit_init_wide(void)
{
	struct rlimit zero = { 0, 0 };

	return syscall(SYS_prlimit64, 0x700000001UL, RLIMIT_CPU, &zero, NULL);
}

static long kill_init_kill(void) { return kill(INIT, SIGKILL); }
static long kill_init_stop(void) { return kill(INIT, SIGSTOP); }
static long kill_init_term(void) { return kill(INIT, SIGTERM); }
static long kill_init_chld(void) { return kill(INIT, SIGCHLD); }

static long spoof_signal(int code)
{
	siginfo_t info = { 0 };

	info.si_signo = SIGTERM;
	info.si_code = code;
	info.si_pid = 0;
	return syscall(SYS_rt_sigqueueinfo, INIT, SIGTERM, &info);
}

static long spoof_user(void) { return spoof_signal(SI_USER); }
static long spoof_queue(void) { return spoof_signal(SI_QUEUE); }

static long second_listener(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static long unknown_1000(void) { return syscall(1000); }
static long unknown_minus_one(void) { return syscall(-1); }

#ifdef __x86_64__
static long x32_getppid(void) { return syscall(0x40000000 | SYS_getppid); }

static long i386_getppid(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "0"(64L) : "memory", "r8", "r9", "r10", "r11");
	errno = result < 0 ? (int)-result : 0;
	return result < 0 ? -1 : result;
}
#endif

static const struct {
	const char *name;
	long (*attempt)(void);
} attempts[] = {
	{ "socket-inet", socket_inet },
	{ "socket-raw", socket_raw },
	{ "open-passwd", open_passwd },
	{ "open-unmapped", open_unmapped },
	{ "unshare-user", unshare_user },
	{ "clone-user", clone_user },
	{ "clone3", clone3_any },
	{ "personality-random", persona_random },
	{ "personality-query", persona_query },
	{ "personality-mixed", persona_mixed },
	{ "io-uring", io_uring },
	{ "getppid", getppid_call },
	{ "connect", connect_inet },
	{ "ptrace-attach-init", ptrace_attach_init },
	{ "ptrace-seize-init", ptrace_seize_init },
	{ "write-init-mem", write_init_mem },
	{ "read-init-environ", read_init_environ },
	{ "read-init-maps", read_init_maps },
	{ "list-init-fds", list_init_fds },
	{ "readv-init", readv_init },
	{ "pidfd-getfd-init", pidfd_getfd_init },
	{ "prlimit-init", prlimit_init },
	{ "prlimit-init-wide", prlimit_init_wide },
	{ "prlimit-self", prlimit_self },
	{ "kill-init-kill", kill_init_kill },
	{ "kill-init-stop", kill_init_stop },
	{ "kill-init-term", kill_init_term },
	{ "kill-init-chld", kill_init_chld },
	{ "spoof-user", spoof_user },
	{ "spoof-queue", spoof_queue },
	{ "second-listener", second_listener },
	{ "list-etc", list_etc },
	{ "list-tmp", list_tmp },
	{ "write-null", write_null },
	{ "make-tmp", make_tmp },
	{ "write-tmp", write_tmp },
	{ "make-directory", make_directory },
	{ "move-tmp", move_tmp },
	{ "remove-tmp", remove_tmp },
	{ "make-device", make_device },
	{ "make-fifo", make_fifo },
	{ "probe-init", probe_init },
	{ "probe-self", probe_self },
	{ "abstract-own", abstract_own },
	{ "unknown-1000", unknown_1000 },
	{ "unknown-minus-one", unknown_minus_one },
#ifdef __x86_64__
	{ "x32-getppid", x32_getppid },
	{ "i386-getppid", i386_getppid },
#endif
};

/* One line an attempt: "name ok" or "name ERRNO". */
static int try_all(char **names)
{
	for (; *names; names++)
		for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
			if (strcmp(attempts[i].name, *names) == 0) {
				long result;

				errno = 0;
				result = attempts[i].attempt();
				printf("%s %s\n", *names, result < 0 ? strerrorname_np(errno) : "ok");
				fflush(stdout);
			}
	return 0;
}

/* What a payload starts with: descriptors, arguments, environment, directory, session, signals, limits. */
static int describe_self(char **argv)
{
	extern char **environ;
	char directory[4096];
	struct rlimit limit;
	struct dirent *entry;
	DIR *fds = opendir("/proc/self/fd");
	sigset_t blocked;
	int odd = 0;

	while ((entry = readdir(fds)))
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(fds))
			printf("fd %s\n", entry->d_name);
	closedir(fds);
	for (; *argv; argv++)
		printf("arg [%s]\n", *argv);
	for (char **variable = environ; *variable; variable++)
		printf("env %s\n", *variable);
	printf("directory %s\n", getcwd(directory, sizeof(directory)));
	printf("session %s\n", getsid(0) == getpid() ? "own" : "other");
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int number = 1; number < NSIG; number++) {
		struct sigaction action;

		if (sigismember(&blocked, number) == 1)
			odd++;
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			odd++;
	}
	printf("signals %s\n", odd == 0 ? "default" : "changed");
	getrlimit(RLIMIT_NOFILE, &limit);
	printf("nofile %lu %lu\n", limit.rlim_cur, limit.rlim_max);
	printf("no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	return 0;
}

/* Leaves processes behind that ignore every polite signal. */
static int leave_daemons(void)
{
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			setsid();
			signal(SIGTERM, SIG_IGN);
			signal(SIGHUP, SIG_IGN);
			if (fork() == 0)
				for (;;)
					pause();
			for (;;)
				pause();
		}
	printf("left\n");
	return 7;
}

/* Forks as often as it may, every child forking too. */
static int storm(void)
{
	long made = 0;

	for (int i = 0; i < 5000; i++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0)
			break;
		made++;
	}
	printf("made %ld then %s\n", made, strerrorname_np(errno));
	return 0;
}

static volatile sig_atomic_t terminated;

static void on_term(int number)
{
	terminated = number;
}

static int wait_for_term(void)
{
	signal(SIGTERM, on_term);
	printf("waiting\n");
	fflush(stdout);
	while (!terminated)
		usleep(10000);
	printf("terminated\n");
	return 5;
}

/* Denied calls of `count` shapes, each made twice. */
static int many_shapes(int count)
{
	char path[64];

	for (int i = 0; i < 2 * count; i++) {
		snprintf(path, sizeof(path), "/shape/%d", i % count);
		open_file(path, O_RDONLY);
	}
	return 0;
}

/* Denied calls of `count` shapes, and behind them one of another call. */
static int hide(int count)
{
	char path[64];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/shape/%d", i);
		open_file(path, O_RDONLY);
	}
	return syscall(SYS_mkdirat, AT_FDCWD, "/etc/cron.d", 0700) == 0;
}

/* Renames that name two paths of 4000 bytes, which differ at their beginnings and are made of what a report escapes. */
static int long_paths(int count)
{
	char from[4001], to[4001];

	for (int i = 0; i < count; i++) {
		memset(from, 1, sizeof(from) - 1);
		memset(to, 2, sizeof(to) - 1);
		from[4000] = to[4000] = '\0';
		from[0] = '/';
		for (int place = 6, rest = i; place > 0; place--, rest /= 10)
			from[place] = (char)('0' + rest % 10);
		syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
	}
	return 0;
}

/* A path that begins at the end of a page that nothing follows: with its end on the page, or without. */
static int at_page_end(void)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(pages + 4096, 4096);
	memcpy(pages + 4096 - 4, "/ok", 4);
	open_file(pages + 4096 - 4, O_RDONLY);
	memcpy(pages + 4096 - 4, "/bad", 4);
	open_file(pages + 4096 - 4, O_RDONLY);
	return 0;
}

/* Threads, and a check of access by effective ids: what a libc makes with clone3, rseq and faccessat2 where it can. */
static void *check_access(void *result)
{
	*(int *)result = faccessat(AT_FDCWD, "/etc/passwd", R_OK, AT_EACCESS);
	return result;
}

static int threads(int count)
{
	pthread_t made[16];
	int results[16], failed = 0;

	for (int i = 0; i < count && i < 16; i++)
		failed += pthread_create(&made[i], NULL, check_access, &results[i]) != 0;
	for (int i = 0; i < count && i < 16 && !failed; i++) {
		pthread_join(made[i], NULL);
		failed += results[i] != 0;
	}
	printf("threads %s\n", failed ? "failed" : "ok");
	return failed != 0;
}

static void *burn(void *milliseconds)
{
	struct timespec used;

	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < (long)milliseconds);
	return NULL;
}

/* Uses the processor for so many milliseconds in each of so many threads. */
static int busy(long milliseconds, int count)
{
	pthread_t made[16];

	for (int i = 1; i < count && i < 16; i++)
		pthread_create(&made[i], NULL, burn, (void *)milliseconds);
	burn((void *)milliseconds);
	for (int i = 1; i < count && i < 16; i++)
		pthread_join(made[i], NULL);
	return 0;
}

/* Ends at once, and leaves processes behind that use the processor for as long as they may. */
static int leave_busy(int count)
{
	for (int i = 0; i < count; i++)
		if (fork() == 0)
			burn((void *)600000L);
	return 0;
}

static int flood_init(int count)
{
	for (int i = 0; i < count; i++)
		sigqueue(INIT, SIGRTMIN + i % 8, (union sigval){ 0 });
	printf("flooded\n");
	return 3;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int number = argc > 2 ? atoi(argv[2]) : 0;

	if (strcmp(mode, "exit") == 0)
		return number;
	if (strcmp(mode, "signal") == 0)
		return kill(getpid(), number);
	if (strcmp(mode, "try") == 0)
		return try_all(argv + 2);
	if (strcmp(mode, "self") == 0)
		return describe_self(argv + 2);
	if (strcmp(mode, "daemons") == 0)
		return leave_daemons();
	if (strcmp(mode, "storm") == 0)
		return storm();
	if (strcmp(mode, "term") == 0)
		return wait_for_term();
	if (strcmp(mode, "shapes") == 0)
		return many_shapes(number);
	if (strcmp(mode, "hide") == 0)
		return hide(number);
	if (strcmp(mode, "repeat-getppid") == 0) {
		for (int i = 0; i < number; i++)
			getppid_call();
		return 0;
	}
	if (strcmp(mode, "repeat-open") == 0) {
		for (int i = 0; i < number; i++)
			open_passwd();
		return 0;
	}
	if (strcmp(mode, "long-paths") == 0)
		return long_paths(number);
	if (strcmp(mode, "at-page-end") == 0)
		return at_page_end();
	if (strcmp(mode, "threads") == 0)
		return threads(number);
	if (strcmp(mode, "busy") == 0)
		return busy(number, argc > 3 ? atoi(argv[3]) : 1);
	if (strcmp(mode, "leave-busy") == 0)
		return leave_busy(number);
	if (strcmp(mode, "flood-init") == 0)
		return flood_init(number);
	if (strcmp(mode, "sleep") == 0)
		return (int)sleep((unsigned)number);
	if (strcmp(mode, "exec") == 0)
		return execv(argv[2], argv + 2);
	if (strcmp(mode, "undumpable-open") == 0) {
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		open_passwd();
		return 0;
	}
	return 99;
}
