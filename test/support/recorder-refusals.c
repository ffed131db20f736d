/*
 * What recordings of refused calls are made of: behind a seccomp filter of its own, calls of a known number that the
 * filter answers, and others that enter the kernel and fail with the same errno, are interrupted, or never return. Static.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif
#define X32_BIT 0x40000000
#define REFUSED_ARGUMENT 1000
/* No call has these numbers. */
#define FIRST_WITHOUT_NAME 340
#define AFTER_WITHOUT_NAME 402

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define JUMP(test, value, yes, no) BPF_JUMP(BPF_JMP | (test) | BPF_K, value, yes, no)
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, action)
#define REFUSE(error) ANSWER(SECCOMP_RET_ERRNO | (error))
#define REFUSE_CALL(number, error) JUMP(BPF_JEQ, number, 0, 1), REFUSE(error)
#define REFUSE_ARGUMENT(number, error) \
	JUMP(BPF_JEQ, number, 0, 4), LOAD(args[0]), JUMP(BPF_JEQ, REFUSED_ARGUMENT, 0, 1), REFUSE(error), LOAD(nr)

static struct sock_filter FILTER[] = {
	LOAD(arch),
	JUMP(BPF_JEQ, NATIVE, 1, 0), REFUSE(ENOSYS),
	LOAD(nr),
	JUMP(BPF_JGE, X32_BIT, 0, 1), REFUSE(ENOSYS),
	REFUSE_CALL(SYS_mbind, EPERM),
	REFUSE_CALL(SYS_execveat, ENOSYS),
	REFUSE_ARGUMENT(SYS_setsid, EPERM),
	REFUSE_ARGUMENT(SYS_close, EBADF),
	JUMP(BPF_JEQ, SYS_getpriority, 0, 1), ANSWER(SECCOMP_RET_USER_NOTIF),
	JUMP(BPF_JGE, FIRST_WITHOUT_NAME, 0, 2), JUMP(BPF_JGE, AFTER_WITHOUT_NAME, 1, 0), REFUSE(EPERM),
	ANSWER(SECCOMP_RET_ALLOW),
};

static void require(int condition, const char *what)
{
	if (condition)
		return;
	perror(what);
	_exit(1);
}

/* Returns the end at which getpriority is answered. */
static int set_filter(void)
{
	struct sock_fprog program = { sizeof FILTER / sizeof FILTER[0], FILTER };
	int listener;

	require(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	require(listener >= 0, "seccomp");
	return listener;
}

/* A call that must fail with `error`, whoever says so. */
static void fails(int error, long number, long argument)
{
	require(syscall(number, argument, 0, 0, 0, 0, 0) == -1 && errno == error, "a call that fails otherwise");
}

/* One of each: refused, refused for its argument, and really failing with the same errno. */
static void call_each(void)
{
	fails(EPERM, SYS_mbind, 0);
	fails(EBADF, SYS_close, REFUSED_ARGUMENT);
	fails(EBADF, SYS_close, -1);
}

static int wait_for_child(pid_t child)
{
	int status = 0;

	require(waitpid(child, &status, 0) == child, "waitpid");
	return status;
}

/* Threads that hand a byte round, so that each is switched away in its calls while the others' calls are refused. */
static int ring[16][2];
static int threads, rounds;

static void *pass_on(void *at)
{
	int *from = ring[(long)at], *to = ring[((long)at + 1) % threads];
	char byte;

	for (int round = 0; round < rounds; round++) {
		require(read(from[0], &byte, 1) == 1, "read");
		call_each();
		require(write(to[1], &byte, 1) == 1, "write");
		call_each();
	}
	return NULL;
}

static void in_threads(void)
{
	pthread_t thread[16];

	require(threads > 1 && threads <= 16, "2 to 16 threads");
	for (int at = 0; at < threads; at++)
		require(!pipe(ring[at]), "pipe");
	for (int at = 0; at < threads; at += 2)
		require(write(ring[at][1], "", 1) == 1, "write");
	for (long at = 0; at < threads; at++)
		require(!pthread_create(&thread[at], NULL, pass_on, (void *)at), "pthread_create");
	for (int at = 0; at < threads; at++)
		pthread_join(thread[at], NULL);
}

/* Children that end in the middle of a call: their own, and by a signal. */
static void in_children(int count)
{
	int done[2];
	char byte;

	require(!pipe(done), "pipe");
	for (int at = 0; at < count; at++) {
		pid_t child = fork();

		if (child == 0) {
			call_each();
			require(write(done[1], "", 1) == 1, "write");
			if (at % 2 == 0)
				_exit(0);
			for (;;)
				pause();
		}
		require(read(done[0], &byte, 1) == 1, "read");
		if (at % 2 == 1)
			kill(child, SIGKILL);
		wait_for_child(child);
	}
}

static volatile sig_atomic_t handled;
static int blocked[2];
static pid_t reader;
static int interrupted;

static void handle(int signal)
{
	int error = errno;

	(void)signal;
	fails(EPERM, SYS_mbind, 0);
	fails(EBADF, SYS_close, -1);
	errno = error;
	handled++;
}

static void *read_interrupted(void *unused)
{
	char byte;

	reader = (pid_t)syscall(SYS_gettid);
	while (read(blocked[0], &byte, 1) < 0 && errno == EINTR)
		interrupted++;
	return unused;
}

/* Until the reader sleeps in its call. */
static void wait_for_reader(void)
{
	char path[64], state = '?';

	while (state != 'S') {
		FILE *file;

		snprintf(path, sizeof path, "/proc/self/task/%d/stat", reader);
		file = fopen(path, "r");
		if (!file)
			continue;
		(void)!fscanf(file, "%*d (%*[^)]) %c", &state);
		fclose(file);
	}
}

/* Signals with and without SA_RESTART, whose handler makes refused calls, in the middle of a call. */
static void with_signals(int count)
{
	struct sigaction action = { .sa_handler = handle };
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR2, &action, NULL);
	require(!pipe(blocked) && !pthread_create(&thread, NULL, read_interrupted, NULL), "a reader");
	for (int at = 0; at < count; at++) {
		wait_for_reader();
		require(!pthread_kill(thread, at % 2 == 0 ? SIGUSR1 : SIGUSR2), "pthread_kill");
		while (handled <= at)
			sched_yield();
	}
	wait_for_reader();
	require(write(blocked[1], "", 1) == 1, "write");
	pthread_join(thread, NULL);
	require(interrupted == (count + 1) / 2, "as many interruptions");
}

static void *ask_priority(void *wanted)
{
	require(syscall(SYS_getpriority, -1, 0) == -1 && errno == (int)(long)wanted, "getpriority");
	return NULL;
}

static void receive(int listener, struct seccomp_notif *notification)
{
	memset(notification, 0, sizeof *notification);
	require(!ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, notification), "receive");
}

/* Calls that a supervisor answers with an errno, one that a signal interrupts first, and one that it lets go on. */
static void with_notifications(int listener, int count)
{
	struct sigaction action = { .sa_handler = handle };
	struct seccomp_notif notification;
	struct seccomp_notif_resp answer;
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	for (int at = 0; at < count; at++) {
		require(!pthread_create(&thread, NULL, ask_priority, (void *)EACCES), "pthread_create");
		receive(listener, &notification);
		answer = (struct seccomp_notif_resp){ .id = notification.id, .error = -EACCES };
		require(!ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer), "answer");
		pthread_join(thread, NULL);
	}
	require(!pthread_create(&thread, NULL, ask_priority, (void *)EINTR), "pthread_create");
	receive(listener, &notification);
	require(!pthread_kill(thread, SIGUSR1), "pthread_kill");
	pthread_join(thread, NULL);
	require(!pthread_create(&thread, NULL, ask_priority, (void *)EINVAL), "pthread_create");
	receive(listener, &notification);
	answer = (struct seccomp_notif_resp){ .id = notification.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	require(!ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer), "answer");
	pthread_join(thread, NULL);
}

/* A program whose only segment lies where none may: its exec fails when there is no way back. */
static void write_unloadable(int file)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
	} program = {
		.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			    .e_type = ET_EXEC, .e_version = EV_CURRENT, .e_phoff = sizeof(Elf64_Ehdr),
			    .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
#if defined(__x86_64__)
			    .e_machine = EM_X86_64,
#else
			    .e_machine = EM_AARCH64,
#endif
		},
		.segment = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x7ffffffff0000000, .p_align = 4096,
			     .p_filesz = sizeof program, .p_memsz = sizeof program },
	};

	require(write(file, &program, sizeof program) == sizeof program, "write");
}

static char unloadable[] = "/tmp/porin-unloadable-XXXXXX";

static void *execute(void *unused)
{
	char *arguments[] = { unloadable, NULL };

	usleep(1000);
	execv(unloadable, arguments);
	return unused;
}

/* A thread that executes takes the first thread's number; that one is in no call. */
static void with_failing_exec(void)
{
	int file = mkostemp(unloadable, O_CLOEXEC);
	pid_t child;
	int status;

	require(file >= 0 && !fchmod(file, 0700), unloadable);
	write_unloadable(file);
	close(file);
	child = fork();
	if (child == 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, execute, NULL))
			_exit(1);
		for (;;)
			__asm__ volatile("");
	}
	status = wait_for_child(child);
	unlink(unloadable);
	require(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "an exec that fails too late");
}

#if defined(__x86_64__)
/* close(-1) by int 0x80. */
static void call_compat(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "0"(6L), "b"(-1L) : "memory", "r8", "r9", "r10", "r11");
	require(result == -ENOSYS, "int 0x80");
}
#endif

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int count = argc > 2 ? atoi(argv[2]) : 1;
	int listener = set_filter();

	if (!strcmp(mode, "threads") && argc > 3) {
		threads = count;
		rounds = atoi(argv[3]);
		in_threads();
	} else if (!strcmp(mode, "children")) {
		in_children(count);
	} else if (!strcmp(mode, "signals")) {
		with_signals(count);
	} else if (!strcmp(mode, "notifications")) {
		with_notifications(listener, count);
	} else if (!strcmp(mode, "sessions")) {
		/* The first makes it a leader, which may not do so again. */
		require(setsid() > 0, "setsid");
		fails(EPERM, SYS_setsid, 0);
		fails(EPERM, SYS_setsid, REFUSED_ARGUMENT);
		fails(EPERM, SYS_setsid, REFUSED_ARGUMENT);
	} else if (!strcmp(mode, "execs")) {
		fails(ENOSYS, SYS_execveat, -1);
		fails(EFAULT, SYS_execve, 1);
		with_failing_exec();
	} else if (!strcmp(mode, "without-name")) {
		for (int number = FIRST_WITHOUT_NAME; number < AFTER_WITHOUT_NAME; number++)
			fails(EPERM, number, 0);
#if defined(__x86_64__)
	} else if (!strcmp(mode, "compat")) {
		call_compat();
	} else if (!strcmp(mode, "x32")) {
		fails(ENOSYS, X32_BIT | SYS_getpid, 0);
#endif
	} else {
		return 2;
	}
	return 0;
}
