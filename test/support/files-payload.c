/*
 * What the tests of recorded files run in containers: its words are operations, each with its arguments, done in order.
 * "\xNN" in a word is a byte. An operation that fails is no failure of the program: what it answers is the recorder's matter.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void unescape(char *text)
{
	char *into = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] == 'x' && from[2] && from[3]) {
			const char digits[3] = { from[2], from[3], '\0' };

			*into++ = (char)strtol(digits, NULL, 16);
			from += 3;
		} else {
			*into++ = *from;
		}
	}
	*into = '\0';
}

static int flags_of(const char *letters)
{
	int flags = 0;

	for (; *letters; letters++) {
		switch (*letters) {
		case 'w': flags |= O_WRONLY; break;
		case '+': flags |= O_RDWR; break;
		case 'c': flags |= O_CREAT; break;
		case 'x': flags |= O_EXCL; break;
		case 't': flags |= O_TRUNC; break;
		case 'd': flags |= O_DIRECTORY; break;
		case 'p': flags |= O_PATH; break;
		case 'n': flags |= O_NOFOLLOW; break;
		case 'T': flags |= O_TMPFILE; break;
		case 'b': flags |= O_NONBLOCK; break;
		}
	}
	return flags;
}

static int directory_of(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY);
}

static void open_by_handle(const char *path)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[MAX_HANDLE_SZ];
	} name = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount_id;
	int mount = open(".", O_RDONLY);

	if (!name_to_handle_at(AT_FDCWD, path, &name.handle, &mount_id, 0))
		open_by_handle_at(mount, &name.handle, O_RDONLY);
}

static socklen_t address_of(const char *text, struct sockaddr_storage *storage)
{
	struct sockaddr_un *local = (struct sockaddr_un *)storage;
	struct sockaddr_in *inet = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *inet6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof *storage);
	if (!strcmp(text, "inet")) {
		*inet = (struct sockaddr_in){ AF_INET, htons(9), { htonl(INADDR_LOOPBACK) }, "padding" };
		return sizeof *inet;
	}
	if (!strcmp(text, "inet6")) {
		*inet6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = in6addr_loopback };
		return sizeof *inet6;
	}
	local->sun_family = AF_UNIX;
	memcpy(local->sun_path + (*text == '@'), text + (*text == '@'), strlen(text) - (*text == '@'));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text));
}

static void use_socket(const char *operation, const char *text)
{
	struct sockaddr_storage storage;
	socklen_t length = address_of(text, &storage);
	char byte = 'x';
	struct iovec data = { &byte, 1 };
	struct mmsghdr messages[3] = {};
	int stream = !strcmp(operation, "connect") || !strcmp(operation, "bind");
	int file = socket(storage.ss_family, stream ? SOCK_STREAM : SOCK_DGRAM, 0);

	for (int at = 0; at < 3; at++)
		messages[at].msg_hdr = (struct msghdr){ .msg_name = &storage, .msg_namelen = length, .msg_iov = &data, .msg_iovlen = 1 };
	if (!strcmp(operation, "connect"))
		connect(file, (struct sockaddr *)&storage, length);
	else if (!strcmp(operation, "bind"))
		bind(file, (struct sockaddr *)&storage, length);
	else if (!strcmp(operation, "sendto"))
		sendto(file, &byte, 1, 0, (struct sockaddr *)&storage, length);
	else if (!strcmp(operation, "sendmsg"))
		sendmsg(file, &messages[0].msg_hdr, 0);
	else
		sendmmsg(file, messages, 3, 0);
	close(file);
}

static void execute(const char *path, int file)
{
	char *arguments[] = { "program", "nothing", NULL };

	if (fork() == 0) {
		if (file >= 0)
			syscall(SYS_execveat, file, path, arguments, environ, AT_EMPTY_PATH);
		else
			execve(path, arguments, environ);
		_exit(0);
	}
	wait(NULL);
}

/* A copy of this program without a name. */
static int memory_file(const char *name)
{
	char chunk[65536];
	int from = open("/proc/self/exe", O_RDONLY);
	int file = memfd_create(name, MFD_CLOEXEC);
	ssize_t length;

	while ((length = read(from, chunk, sizeof chunk)) > 0)
		if (write(file, chunk, (size_t)length) != length)
			_exit(1);
	return file;
}

/* Directories of 200 letters, one in the other, until the path has `bytes` of them. */
static void nest(long bytes)
{
	char name[201];

	memset(name, 'n', 200);
	name[200] = '\0';
	for (long length = 0; length + 201 < bytes; length += 201) {
		mkdir(name, 0700);
		if (chdir(name))
			_exit(1);
	}
}

static void create_many(const char *directory, long count)
{
	char path[64];

	for (long at = 0; at < count; at++) {
		snprintf(path, sizeof path, "%s/%ld", directory, at);
		close(open(path, O_WRONLY | O_CREAT, 0600));
	}
}

static void *open_often(void *path)
{
	for (int at = 0; at < 1000; at++)
		close(open(path, O_RDONLY));
	return NULL;
}

static void in_threads(char *path)
{
	pthread_t threads[8];

	for (int at = 0; at < 8; at++)
		pthread_create(&threads[at], NULL, open_often, path);
	for (int at = 0; at < 8; at++)
		pthread_join(threads[at], NULL);
}

static void in_processes(char *path)
{
	for (int at = 0; at < 8; at++) {
		if (fork() == 0) {
			open_often(path);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
}

/* Not all of them use all of their words. */
static void operate(const char *name, char *const *with)
{
#define IS(text) !strcmp(name, text)
	if (IS("cd") && chdir(with[0]))
		_exit(1);
	if (IS("chroot") && chroot(with[0]))
		_exit(1);
	if (IS("open"))
		close(open(with[0], flags_of(with[1]), 0600));
	if (IS("openat"))
		close(openat(directory_of(with[0]), with[1], flags_of(with[2]), 0600));
	if (IS("openat2")) {
		struct open_how how = { .flags = (unsigned)flags_of(with[2]), .resolve = RESOLVE_IN_ROOT };

		close((int)syscall(SYS_openat2, directory_of(with[0]), with[1], &how, sizeof how));
	}
	if (IS("open-high")) /* the kernel reads 32 bits of the number */
		close((int)syscall(1L << 40 | SYS_openat, AT_FDCWD, with[0], flags_of(with[1])));
	if (IS("creat"))
		close(creat(with[0], 0600));
	if (IS("handle"))
		open_by_handle(with[0]);
	if (IS("mkdir"))
		mkdir(with[0], 0700);
	if (IS("mkdirat"))
		mkdirat(directory_of(with[0]), with[1], 0700);
	if (IS("rmdir"))
		rmdir(with[0]);
	if (IS("unlink"))
		unlink(with[0]);
	if (IS("unlinkat"))
		unlinkat(directory_of(with[0]), with[1], 0);
	if (IS("mkfifo"))
		mkfifo(with[0], 0600);
	if (IS("rename"))
		rename(with[0], with[1]);
	if (IS("link") && link(with[0], with[1]))
		perror(name);
	if (IS("symlink") && symlink(with[0], with[1]))
		perror(name);
	if (IS("link-tmpfile") && linkat(open(with[0], O_TMPFILE | O_WRONLY, 0600), "", AT_FDCWD, with[1], AT_EMPTY_PATH))
		perror(name);
	if (IS("truncate") && truncate(with[0], 0))
		perror(name);
	if (IS("ftruncate") && ftruncate(open(with[0], O_WRONLY), 0))
		perror(name);
	if (IS("execute"))
		execute(with[0], -1);
	if (IS("execute-file"))
		execute("", open(with[0], O_PATH));
	if (IS("execute-memory"))
		execute("", memory_file(with[0]));
	if (IS("socket"))
		use_socket(with[0], with[1]);
	if (IS("nest"))
		nest(atol(with[0]));
	if (IS("many"))
		create_many(with[0], atol(with[1]));
	if (IS("threads"))
		in_threads(with[0]);
	if (IS("processes"))
		in_processes(with[0]);
#undef IS
}

static const struct {
	int words;
	const char *names;
} OPERATIONS[] = {
	{ 0, " nothing " },
	{ 1, " cd chroot creat handle mkdir rmdir unlink mkfifo truncate ftruncate execute execute-file execute-memory nest "
	     "threads processes " },
	{ 2, " open open-high mkdirat unlinkat rename link symlink link-tmpfile socket many " },
	{ 3, " openat openat2 " },
};

static int words_of(const char *name)
{
	char framed[64];

	snprintf(framed, sizeof framed, " %s ", name);
	for (size_t at = 0; at < sizeof OPERATIONS / sizeof OPERATIONS[0]; at++)
		if (strstr(OPERATIONS[at].names, framed))
			return OPERATIONS[at].words;
	_exit(2);
}

int main(int argc, char **argv)
{
	for (int at = 1; at < argc;) {
		const char *name = argv[at++];
		int words = words_of(name);

		/* A script's own name comes after the program's words. */
		if (words == 0 || at + words > argc)
			return words == 0 ? 0 : 2;
		for (int word = 0; word < words; word++)
			unescape(argv[at + word]);
		operate(name, argv + at);
		at += words;
	}
	return 0;
}
