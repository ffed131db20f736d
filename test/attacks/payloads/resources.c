/* More of everything than a job may have: processes, threads, memory, disk, descriptors, output, denials. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1024 * 1024)
#define MOST 20000

static char block[MIB];

static void fork_bomb(void)
{
	int *gate = new_gate();
	int made = 0;
	pid_t child;

	while (made < MOST && (child = fork()) >= 0) {
		if (child == 0) {
			wait_at(gate);
			_exit(0);
		}
		made++;
	}
	said("fork", child);
	told("bounded", made < 64 ? "yes" : "no");
	open_gate(gate);
	for (; made > 0; made--)
		wait4(-1, NULL, 0, NULL);
}

static void fork_bomb_dies(void)
{
	fork_bomb();
	_exit(9);
}

static void *in_thread(void *gate)
{
	wait_at(gate);
	return NULL;
}

static void thread_bomb(void)
{
	static pthread_t threads[MOST];
	int *gate = new_gate();
	int made = 0, problem;

	while (made < MOST && (problem = pthread_create(&threads[made], NULL, in_thread, gate)) == 0)
		made++;
	errno = problem;
	said("thread", problem ? -1 : 0);
	told("bounded", made < 64 ? "yes" : "no");
	open_gate(gate);
	for (int i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
}

/* In a child: the kernel takes the largest. */
static void memory(void)
{
	pid_t child = fork();

	if (child == 0) {
		for (int i = 0; i < 1024; i++) {
			char *more = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (more != MAP_FAILED)
				memset(more, 1, MIB);
		}
		_exit(0);
	}
	told_end("child", child);
}

static void fill(const char *path)
{
	long fd = open_path(path, O_WRONLY | O_CREAT | O_CLOEXEC), written = 0, result = 0;

	while (written < 1024L * MIB && (result = syscall(SYS_write, fd, block, MIB)) > 0)
		written += result;
	said("write", result);
	told("bounded", written <= 64L * MIB ? "yes" : "no");
	close((int)fd);
}

static void fill_shared(void)
{
	fill("/dev/shm/fill");
	unlink("/dev/shm/fill");
}

static void fill_temporary(void)
{
	fill("/tmp/fill");
	unlink("/tmp/fill");
}

/* It ends with an error, as a program does that cannot write its result. */
static void fill_disk(void)
{
	fill("/out/fill");
	_exit(9);
}

static void many_files(void)
{
	char path[64];
	long fd = 0;
	int made;

	for (made = 0; made < 1000000 && fd >= 0; made++) {
		snprintf(path, sizeof(path), "/out/file-%d", made);
		fd = open_path(path, O_WRONLY | O_CREAT | O_CLOEXEC);
		if (fd >= 0)
			close((int)fd);
	}
	said("create", fd);
	_exit(9);
}

static void descriptors(void)
{
	long fd, last = 0;

	while ((fd = open_path("/in/data", O_RDONLY | O_CLOEXEC)) >= 0)
		last = fd;
	said("open", fd);
	told("bounded", last < 1024 ? "yes" : "no");
	for (fd = 3; fd <= last; fd++)
		close((int)fd);
}

static void huge_file(void)
{
	long fd = open_path("/out/huge", O_WRONLY | O_CREAT | O_CLOEXEC);
	pid_t child = fork();

	if (child == 0) {
		said("write", syscall(SYS_pwrite64, fd, "x", 1, 1L << 40));
		_exit(0);
	}
	told_end("child", child);
	close((int)fd);
	unlink("/out/huge");
}

static void lock_memory(void)
{
	void *much = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	said("mlock", syscall(SYS_mlock, much, 64 * MIB));
	munmap(much, 64 * MIB);
}

static void flood_output(void)
{
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 8; i++)
		if (syscall(SYS_write, 2, block, sizeof(block)) < 0)
			break;
	told("flood", "ended");
}

static void flood_denials(void)
{
	for (int i = 0; i < 20000; i++)
		if (syscall(SYS_unshare, 0x10000000) == 0)
			told("unshare", "ok");
	told("flood", "ended");
}

static void many_denials(void)
{
	char path[64];

	for (int i = 0; i < 400; i++) {
		snprintf(path, sizeof(path), "/shape/%d", i);
		syscall(SYS_chroot, path);
	}
	told("flood", "ended");
}

const struct attack resource_attacks[] = {
	{ "fork-bomb", fork_bomb },
	{ "fork-bomb-dies", fork_bomb_dies },
	{ "thread-bomb", thread_bomb },
	{ "memory", memory },
	{ "fill-shared", fill_shared },
	{ "fill-temporary", fill_temporary },
	{ "fill-disk", fill_disk },
	{ "many-files", many_files },
	{ "descriptors", descriptors },
	{ "huge-file", huge_file },
	{ "lock-memory", lock_memory },
	{ "flood-output", flood_output },
	{ "flood-denials", flood_denials },
	{ "many-denials", many_denials },
	{ 0 },
};
