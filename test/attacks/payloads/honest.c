/* The honest work: a small analysis with threads, a child process, temporary files and one result that is moved into place. */
#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct part {
	const unsigned char *bytes;
	size_t length;
	uint64_t hash;
};

/* FNV-1a. */
static void *hash_part(void *argument)
{
	struct part *part = argument;

	part->hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < part->length; i++)
		part->hash = (part->hash ^ part->bytes[i]) * 0x100000001b3;
	return NULL;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "honest: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t hash_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	struct part parts[2];
	pthread_t threads[2];
	unsigned char *bytes;
	size_t length;

	if (fd < 0 || fstat(fd, &status) != 0)
		fail(path);
	length = (size_t)status.st_size;
	bytes = malloc(length + 1);
	if (!bytes || read(fd, bytes, length) != (ssize_t)length)
		fail("read");
	close(fd);
	for (int i = 0; i < 2; i++) {
		parts[i] = (struct part){ bytes + (i ? length / 2 : 0), i ? length - length / 2 : length / 2, 0 };
		if (pthread_create(&threads[i], NULL, hash_part, &parts[i]) != 0)
			fail("thread");
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	free(bytes);
	return parts[0].hash ^ (parts[1].hash << 1);
}

static void write_file(const char *path, uint64_t hash)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || dprintf(fd, "%016llx\n", (unsigned long long)hash) != 17 || close(fd) != 0)
		fail(path);
}

static void in_child(void)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(3);
	if (child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 3)
		fail("child");
}

static void use_temporary(const char *path, uint64_t hash)
{
	write_file(path, hash);
	if (unlink(path) != 0)
		fail(path);
}

/* As a user's name is looked up: a socket of the name service that is not there. */
static void ask_name_service(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/run/nscd/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		fail("name service");
	close(fd);
}

static void run_helper(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		execl("/attack", "attack", "helper", "quiet", NULL);
		_exit(96);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail("helper");
}

static void end_child(void)
{
	int *gate = new_gate(), status;
	pid_t child = fork();

	if (child == 0) {
		wait_at(gate);
		_exit(96);
	}
	if (child < 0 || kill(child, SIGTERM) != 0 || waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
		fail("kill");
}

/* Calls that programs make with few, telling argument values. */
static void work_widely(void)
{
	int pair[2], waiting = 0;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ask_name_service();
	run_helper();
	end_child();
	if (symlinkat("result", AT_FDCWD, "/out/latest") != 0)
		fail("/out/latest");
	if (page == MAP_FAILED || mprotect(page, 4096, PROT_READ) != 0 || madvise(page, 4096, MADV_DONTNEED) != 0)
		fail("memory");
	if (munmap(page, 4096) != 0 || prctl(PR_SET_NAME, "honest", 0, 0, 0) != 0)
		fail("name");
	if (personality(0xffffffff) < 0 || fcntl(1, F_GETFL) < 0 || fcntl(1, F_SETFD, 0) < 0)
		fail("descriptor");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 || ioctl(pair[0], FIONREAD, &waiting) != 0)
		fail("pair");
	close(pair[0]);
	close(pair[1]);
}

int honest_work(bool wide)
{
	uint64_t hash = hash_file("/in/data");
	DIR *inputs = opendir("/in");

	if (!inputs || !readdir(inputs) || closedir(inputs) != 0)
		fail("/in");
	in_child();
	use_temporary("/tmp/part", hash);
	use_temporary("/dev/shm/part", hash);
	if (wide)
		work_widely();
	write_file("/out/result.new", hash);
	if (rename("/out/result.new", "/out/result") != 0)
		fail("/out/result");
	printf("honest %016llx\n", (unsigned long long)hash);
	return 0;
}
