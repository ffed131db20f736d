/*
 * What system calls cost, measured by the program that makes them: nanoseconds per getppid, fcntl(F_GETFL), stat, per
 * open, read and close of a small file, per byte to another process and back, and per child that exits at once. Prints
 * one line `<call> <ns>` for each call that its arguments name. A round lasts as long at every level, so that a call a
 * thousand times dearer is made a thousand times less often.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, FEWEST = 16 };
static const int64_t ROUND_NS = 4 * 1000 * 1000;
static const int64_t WARM_UP_NS = 10 * 1000 * 1000;
static const char PATH[] = "/etc/passwd";

/* The vDSO's: no system call. */
static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void require(int condition, const char *what)
{
	if (condition)
		return;
	perror(what);
	exit(1);
}

/* libc's own would do, but is free to cache. Whether it is refused is not this program's matter, as with openat. */
static void call_getppid(void)
{
	syscall(SYS_getppid);
}

static void call_openat(void)
{
	int file = open(PATH, O_RDONLY | O_CLOEXEC);

	if (file >= 0)
		close(file);
}

static void call_fcntl(void)
{
	require(fcntl(STDOUT_FILENO, F_GETFL) >= 0, "fcntl");
}

static void call_open_read_close(void)
{
	char content[64];
	int file = open(PATH, O_RDONLY | O_CLOEXEC);

	require(file >= 0 && read(file, content, sizeof content) > 0, PATH);
	close(file);
}

static void call_stat(void)
{
	struct stat status;

	require(stat(PATH, &status) == 0, PATH);
}

static int there[2], back[2];
static pid_t partner;

/* The partner sends every byte back, until there are no more. */
static void begin_ping_pong(void)
{
	char byte;

	require(pipe2(there, O_CLOEXEC) == 0 && pipe2(back, O_CLOEXEC) == 0, "pipe2");
	partner = fork();
	require(partner >= 0, "fork");
	if (partner == 0) {
		close(there[1]);
		close(back[0]);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	close(there[0]);
	close(back[1]);
}

static void call_ping_pong(void)
{
	char byte = 'x';

	require(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "pipe");
}

static void end_ping_pong(void)
{
	close(there[1]);
	close(back[0]);
	require(waitpid(partner, NULL, 0) == partner, "waitpid");
}

static void call_clone(void)
{
	pid_t child = fork();

	require(child >= 0, "fork");
	if (child == 0)
		_exit(0);
	require(waitpid(child, NULL, 0) == child, "waitpid");
}

static const struct call {
	const char *name;
	void (*call)(void);
	void (*begin)(void);
	void (*end)(void);
} CALLS[] = {
	{ "getppid", call_getppid, NULL, NULL },
	{ "fcntl(F_GETFL)", call_fcntl, NULL, NULL },
	{ "open+read+close", call_open_read_close, NULL, NULL },
	{ "stat", call_stat, NULL, NULL },
	{ "pipe-ping-pong", call_ping_pong, begin_ping_pong, end_ping_pong },
	{ "clone", call_clone, NULL, NULL },
	{ "openat", call_openat, NULL, NULL },
};

static int64_t time_of(void (*call)(void), long count)
{
	int64_t start = now_ns();

	for (long i = 0; i < count; i++)
		call();
	return now_ns() - start;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double ns_per(void (*call)(void))
{
	double ns[ROUNDS];
	long count = FEWEST;
	int64_t warm = 0, took = 0;

	while (warm < WARM_UP_NS) {
		took = time_of(call, count);
		warm += took;
		if (took < ROUND_NS / 2)
			count *= 2;
	}
	count = count * (double)ROUND_NS / took;
	if (count < FEWEST)
		count = FEWEST;
	for (int round = 0; round < ROUNDS; round++)
		ns[round] = (double)time_of(call, count) / count;
	qsort(ns, ROUNDS, sizeof *ns, ascending);
	return ns[ROUNDS / 2];
}

static void measure(const char *name)
{
	for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
		const struct call *call = &CALLS[i];

		if (strcmp(call->name, name) != 0)
			continue;
		if (call->begin)
			call->begin();
		printf("%s %.1f\n", name, ns_per(call->call));
		/* A child must not print it again. */
		fflush(stdout);
		if (call->end)
			call->end();
		return;
	}
	fprintf(stderr, "calls: there is no call \"%s\"\n", name);
	exit(2);
}

int main(int count, char **names)
{
	for (int i = 1; i < count; i++)
		measure(names[i]);
	return 0;
}
