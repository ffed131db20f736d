/*
 * What the recorder's tests run: as the first process a gate, which waits for /gate/go (in containers) or for the end of
 * its input, and executes the rest of its command line; behind it programs whose system calls are known. Static, so that
 * an image needs no more.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long calls;

static void wait_for(const char *path)
{
	while (access(path, F_OK))
		usleep(1000);
}

static void wait_for_end_of_input(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static int wait_for_child(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) < 0)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int gate(char **argv)
{
	pid_t child = fork();

	if (child == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	return wait_for_child(child);
}

static void *call(void *unused)
{
	for (long at = 0; at < calls; at++)
		syscall(SYS_getppid);
	return unused;
}

static pthread_barrier_t all_started;

/* Not before all threads are there, so that they are alive at once. */
static void *ask_flags(void *unused)
{
	pthread_barrier_wait(&all_started);
	for (long at = 0; at < calls; at++)
		syscall(SYS_fcntl, STDIN_FILENO, F_GETFL);
	return unused;
}

/* `run` in `threads` threads at once. */
static int in_threads(int threads, void *(*run)(void *))
{
	pthread_t thread[16];

	for (int at = 0; at < threads; at++)
		if (pthread_create(&thread[at], NULL, run, NULL))
			return 1;
	for (int at = 0; at < threads; at++)
		pthread_join(thread[at], NULL);
	return 0;
}

/* `calls` getppid in each of `threads` threads of each of `processes` children. */
static int count(int processes, int threads)
{
	int status = 0;

	for (int process = 0; process < processes; process++) {
		pid_t child = fork();

		if (child == 0)
			_exit(in_threads(threads, call));
		status |= wait_for_child(child);
	}
	return status;
}

/* The pipes of `together`: each task writes a byte to the first when it is there, and reads the second to its end. */
static int arrived[2], released[2];

static void *arrive(void *unused)
{
	char byte = 0;

	if (write(arrived[1], &byte, 1) == 1)
		(void)!read(released[0], &byte, 1);
	return unused;
}

/* `processes` children with `threads` further threads each, all of them alive at the same time. */
static int together(int processes, int threads)
{
	int status = pipe(arrived) | pipe(released);
	char byte;

	for (int process = 0; process < processes; process++) {
		if (fork() == 0) {
			close(released[1]);
			_exit(in_threads(threads, arrive));
		}
	}
	for (int at = 0; at < processes * threads; at++)
		status |= read(arrived[0], &byte, 1) != 1;
	close(released[1]);
	for (int process = 0; process < processes; process++)
		status |= wait_for_child(-1);
	return status;
}

/* As many uses of fcntl as `count`, each of which fails. */
static int commands(long count)
{
	for (long at = 0; at < count; at++)
		syscall(SYS_fcntl, -1, 5000 + at);
	return 0;
}

/* The kernel reads 32 bits of fcntl's command. */
static int high_bits(void)
{
	syscall(SYS_fcntl, STDIN_FILENO, F_GETFL);
	syscall(SYS_fcntl, STDIN_FILENO, 0x5eed00000000L | F_GETFL);
	syscall(SYS_fcntl, STDIN_FILENO, 0x5eed00000000L | F_GETFD);
	return 0;
}

/* A 32-bit call, with -1 as its argument. */
static int compat(long number)
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(-1L) : "memory", "r8", "r9", "r10", "r11");
	return 0;
#else
	(void)number;
	return 1;
#endif
}

/* On the host: a child that starts in another cgroup than its parent's (clone3, CLONE_INTO_CGROUP). */
static int into_cgroup(const char *directory)
{
	struct clone_args arguments = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int cgroup = open(directory, O_PATH | O_DIRECTORY);
	pid_t child;

	if (cgroup < 0)
		return 1;
	arguments.cgroup = (uint64_t)cgroup;
	child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
	if (child == 0)
		_exit(0);
	return wait_for_child(child);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "gate") && argc > 2) {
		wait_for("/gate/go");
		return gate(argv + 2);
	}
	if (!strcmp(mode, "gate-of-input") && argc > 2) {
		wait_for_end_of_input();
		return gate(argv + 2);
	}
	if (!strcmp(mode, "count") && argc == 5 && atoi(argv[3]) <= 16) {
		calls = atol(argv[4]);
		return count(atoi(argv[2]), atoi(argv[3]));
	}
	if (!strcmp(mode, "flags") && argc == 4 && atoi(argv[2]) <= 16) {
		calls = atol(argv[3]);
		if (pthread_barrier_init(&all_started, NULL, (unsigned int)atoi(argv[2])))
			return 1;
		return in_threads(atoi(argv[2]), ask_flags);
	}
	if (!strcmp(mode, "together") && argc == 4 && atoi(argv[3]) <= 16)
		return together(atoi(argv[2]), atoi(argv[3]));
	if (!strcmp(mode, "commands") && argc == 3)
		return commands(atol(argv[2]));
	if (!strcmp(mode, "high-bits"))
		return high_bits();
	if (!strcmp(mode, "number") && argc >= 3) {
		for (long at = argc == 4 ? atol(argv[3]) : 1; at > 0; at--)
			syscall(strtol(argv[2], NULL, 0), -1, 0, 0, 0, 0, 0);
		return 0;
	}
	if (!strcmp(mode, "compat") && argc == 3)
		return compat(atol(argv[2]));
	if (!strcmp(mode, "hold")) {
		wait_for("/gate/end");
		calls = argc > 2 ? atol(argv[2]) : 0;
		call(NULL);
		return 0;
	}
	if (!strcmp(mode, "into-cgroup") && argc == 3)
		return into_cgroup(argv[2]);
	return strcmp(mode, "nothing") ? 2 : 0;
}
