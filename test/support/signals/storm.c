/*
 * The C program of the signal tests: calls that the kernel never interrupts, while a timer without SA_RESTART interrupts
 * the program all the time. In every run that loses nothing it says the same, and ends with 0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMER_US 50
/* Signals in a run, at least: with fewer of them it proves nothing. */
#define OFTEN 500
#define OPEN_FILES 20
#define ANY LONG_MIN

/* Beyond those that children end with. */
enum { EXIT_RETURNED = 97, EXIT_NO_THREAD, EXIT_NOT_CLOSED };

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
	(void)number;
	signals++;
}

static void set_timer(int us)
{
	struct itimerval timer = { { 0, us }, { 0, us } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void start_timer(void)
{
	struct sigaction action = { .sa_handler = count_signal };

	sigaction(SIGALRM, &action, NULL);
	set_timer(TIMER_US);
}

/* A call, and how often it did not do what it must. */
struct step {
	const char *name;
	long wrong;
	int last_errno;
};

enum { OPEN, MISSING, FSTAT, FCNTL, PREAD, LSEEK, DUP, MMAP, MUNMAP, CLOSE, CLOSED, GETPPID, UNAME, GETCWD, THREAD,
       STEPS_OF_CALLS, GET_POLICY = STEPS_OF_CALLS, SET_POLICY, BIND, STEPS };

static struct step steps[STEPS] = {
	[OPEN] = { .name = "open" },         [MISSING] = { .name = "open of nothing" }, [FSTAT] = { .name = "fstat" },
	[FCNTL] = { .name = "fcntl" },       [PREAD] = { .name = "pread" },             [LSEEK] = { .name = "lseek" },
	[DUP] = { .name = "dup" },           [MMAP] = { .name = "mmap" },               [MUNMAP] = { .name = "munmap" },
	[CLOSE] = { .name = "close" },       [CLOSED] = { .name = "close of nothing" }, [GETPPID] = { .name = "getppid" },
	[UNAME] = { .name = "uname" },       [GETCWD] = { .name = "getcwd" },
	[THREAD] = { .name = "a thread" },
	[GET_POLICY] = { .name = "get_mempolicy" }, [SET_POLICY] = { .name = "set_mempolicy" }, [BIND] = { .name = "mbind" },
};

/* `expected`: a result, an errno as a negative number, or ANY result. */
static long made(int step, long expected, long result)
{
	long outcome = result == -1 ? -errno : result;

	if (expected == ANY ? outcome < 0 : outcome != expected) {
		steps[step].wrong++;
		steps[step].last_errno = outcome < 0 ? (int)-outcome : 0;
	}
	return outcome;
}

/* From `step` to before `end`. */
static int say_steps(int step, int end)
{
	long wrong = 0;

	set_timer(0);
	for (; step < end; step++) {
		printf("%s: %ld wrong", steps[step].name, steps[step].wrong);
		printf(steps[step].wrong ? ", the last %s\n" : "\n", strerrorname_np(steps[step].last_errno));
		wrong += steps[step].wrong;
	}
	return wrong > 0;
}

static void *end_at_once(void *nothing)
{
	return nothing;
}

static int run_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, end_at_once, NULL);

	if (error == 0)
		error = pthread_join(thread, NULL);
	errno = error;
	return error == 0 ? 0 : -1;
}

static int calls(int rounds)
{
	/* Raw, so that no C library repeats or replaces a call. */
	const char *self = "/proc/self/exe";
	long parent = syscall(SYS_getppid), page = sysconf(_SC_PAGESIZE);
	char bytes[4096];

	start_timer();
	for (int round = 0; round < rounds || signals < OFTEN; round++) {
		long fd = made(OPEN, ANY, syscall(SYS_openat, AT_FDCWD, self, O_RDONLY)), copy, address;
		struct stat status;

		made(MISSING, -ENOENT, syscall(SYS_openat, AT_FDCWD, "/nothing", O_RDONLY));
		if (fd >= 0) {
			made(FSTAT, 0, syscall(SYS_fstat, fd, &status));
			made(FCNTL, 0, syscall(SYS_fcntl, fd, F_GETFD));
			made(PREAD, 64, syscall(SYS_pread64, fd, bytes, 64, 0));
			made(LSEEK, 7, syscall(SYS_lseek, fd, 7, SEEK_SET));
			copy = made(DUP, ANY, syscall(SYS_dup, fd));
			address = made(MMAP, ANY, syscall(SYS_mmap, NULL, page, PROT_READ, MAP_PRIVATE, fd, 0));
			if (address >= 0)
				made(MUNMAP, 0, syscall(SYS_munmap, address, page));
			if (copy >= 0)
				made(CLOSE, 0, syscall(SYS_close, copy));
			made(CLOSE, 0, syscall(SYS_close, fd));
		}
		made(CLOSED, -EBADF, syscall(SYS_close, -1));
		made(GETPPID, parent, syscall(SYS_getppid));
		made(UNAME, 0, syscall(SYS_uname, bytes));
		made(GETCWD, ANY, syscall(SYS_getcwd, bytes, sizeof(bytes)));
		if (round % 20 == 0)
			made(THREAD, 0, run_thread());
	}
	return say_steps(OPEN, STEPS_OF_CALLS);
}

/* Calls that container engines refuse whatever the profile. */
static int quiet(int rounds)
{
	int mode;

	start_timer();
	for (int round = 0; round < rounds || signals < OFTEN; round++) {
		made(GET_POLICY, -EPERM, syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0));
		made(SET_POLICY, -EPERM, syscall(SYS_set_mempolicy, 0, NULL, 0));
		made(BIND, -EPERM, syscall(SYS_mbind, NULL, 0, 0, NULL, 0, 0));
	}
	return say_steps(GET_POLICY, STEPS);
}

static void mask_signal(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(how, &set, NULL);
}

static void *end_under_signals(void *nothing)
{
	mask_signal(SIG_UNBLOCK);
	start_timer();
	while (signals < 3)
		;
	syscall(SYS_exit, 0);
	_exit(EXIT_RETURNED);
	return nothing;
}

/*
 * Under signals it makes no call but rt_sigreturn, close, exit and exit_group, every other child exit too: threads are made
 * and joined by one that has its signals blocked.
 */
static _Noreturn void end_child(int child, int status, const int *fds)
{
	pthread_t thread;
	bool closed = true;

	if (child % 2 == 0) {
		mask_signal(SIG_BLOCK);
		if (pthread_create(&thread, NULL, end_under_signals, NULL) != 0 || pthread_join(thread, NULL) != 0)
			_exit(EXIT_NO_THREAD);
		mask_signal(SIG_UNBLOCK);
	} else {
		start_timer();
	}
	for (int i = 0; i < OPEN_FILES; i++)
		closed &= syscall(SYS_close, fds[i]) == 0;
	while (signals < 6)
		;
	syscall(SYS_exit_group, closed ? status : EXIT_NOT_CLOSED);
	__builtin_trap(); /* as in C libraries, which do not expect it to return either */
}

static int ends(int children)
{
	int returned = 0, not_closed = 0, killed = 0, other = 0, fds[OPEN_FILES];

	for (int i = 0; i < OPEN_FILES; i++)
		fds[i] = open("/proc/self/exe", O_RDONLY);
	for (int child = 0; child < children; child++) {
		int status = child % 50, ended = 0;
		pid_t pid = fork();

		if (pid == 0)
			end_child(child, status, fds);
		if (pid < 0 || waitpid(pid, &ended, 0) != pid)
			other++;
		else if (WIFSIGNALED(ended))
			killed++;
		else if (WEXITSTATUS(ended) == EXIT_RETURNED)
			returned++;
		else if (WEXITSTATUS(ended) == EXIT_NOT_CLOSED)
			not_closed++;
		else
			other += WEXITSTATUS(ended) != status;
	}
	printf("%d children, of these exit returned to: %d, killed: %d", children, returned, killed);
	printf(", close failed in: %d, ended otherwise: %d\n", not_closed, other);
	return returned + killed + not_closed + other > 0;
}

static long call_refused(const char *name)
{
	struct statx status;
	int mode;

	if (strcmp(name, "statx") == 0)
		return syscall(SYS_statx, AT_FDCWD, "/", 0, STATX_BASIC_STATS, &status);
	if (strcmp(name, "get_mempolicy") == 0)
		return syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0);
	errno = EINVAL;
	return -1;
}

/* How often which answer came. */
static int refused(const char *name, int rounds)
{
	static long answers[134];

	start_timer();
	for (int round = 0; round < rounds || signals < OFTEN; round++)
		answers[call_refused(name) < 0 ? errno : 0]++;
	set_timer(0);
	for (int number = 0; number < 134; number++) {
		if (answers[number] > 0)
			printf("%s %ld\n", number == 0 ? "done" : strerrorname_np(number), answers[number]);
	}
	return 0;
}

/* SIGUSR1 for a process that has no timer of its own, as shells, until it is gone. */
static int ping(pid_t pid, long us)
{
	struct timespec pause = { .tv_nsec = us * 1000 };

	while (kill(pid, SIGUSR1) == 0)
		nanosleep(&pause, NULL);
	return 0;
}

int main(int count, char **words)
{
	const char *mode = count > 1 ? words[1] : "";

	if (strcmp(mode, "idle") == 0)
		return puts("idle") < 0;
	if (strcmp(mode, "calls") == 0 && count == 3)
		return calls(atoi(words[2]));
	if (strcmp(mode, "ends") == 0 && count == 3)
		return ends(atoi(words[2]));
	if (strcmp(mode, "quiet") == 0 && count == 3)
		return quiet(atoi(words[2]));
	if (strcmp(mode, "refused") == 0 && count == 4)
		return refused(words[2], atoi(words[3]));
	if (strcmp(mode, "ping") == 0 && count == 4)
		return ping(atoi(words[2]), atol(words[3]));
	fprintf(stderr, "usage: storm idle|calls ROUNDS|ends CHILDREN|quiet ROUNDS|refused CALL ROUNDS|ping PID MICROSECONDS\n");
	return 2;
}
