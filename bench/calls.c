/*
 * What one system call costs, measured by the program that makes it: nanoseconds per getppid, and per open, read and
 * close of a small file. Prints one line `<call> <ns>` each. A round lasts as long at every level, so that a call a
 * thousand times dearer is made a thousand times less often.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15 };
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

/* libc's own would do, but is free to cache. */
static void call_getppid(void)
{
	syscall(SYS_getppid);
}

static void call_open_read_close(void)
{
	char content[64];
	int file = open(PATH, O_RDONLY | O_CLOEXEC);

	if (file < 0 || read(file, content, sizeof content) <= 0) {
		perror(PATH);
		exit(1);
	}
	close(file);
}

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

static void measure(const char *name, void (*call)(void))
{
	double ns[ROUNDS];
	long count = 16;
	int64_t warm = 0, took = 0;

	while (warm < WARM_UP_NS) {
		took = time_of(call, count);
		warm += took;
		if (took < ROUND_NS / 2)
			count *= 2;
	}
	count = count * (double)ROUND_NS / took;
	if (count < 16)
		count = 16;
	for (int round = 0; round < ROUNDS; round++)
		ns[round] = (double)time_of(call, count) / count;
	qsort(ns, ROUNDS, sizeof *ns, ascending);
	printf("%s %.1f\n", name, ns[ROUNDS / 2]);
}

int main(void)
{
	measure("getppid", call_getppid);
	measure("open+read+close", call_open_read_close);
	return 0;
}
