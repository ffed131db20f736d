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

static char **word;

static char *next(void)
{
	char *text = *word ? *word++ : "";
	char *into = text;

	for (char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] == 'x' && from[2] && from[3]) {
			char digits[3] = { from[2], from[3], '\0' };

			*into++ = (char)strtol(digits, NULL, 16);
			from += 3;
		} else {
			*into++ = *from;
		}
	}
	*into = '\0';
	return text;
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

static int is(const char *operation, const char *name)
{
	return !strcmp(operation, name);
}

/* Arguments are taken in the order of the words, whatever order C evaluates them in. */
static void operate(const char *name)
{
	char *one = next();

	if (is(name, "cd")) { if (chdir(one)) _exit(1); return; }
	if (is(name, "chroot")) { if (chroot(one)) _exit(1); return; }
	if (is(name, "mkdir")) { mkdir(one, 0700); return; }
	if (is(name, "rmdir")) { rmdir(one); return; }
	if (is(name, "unlink")) { unlink(one); return; }
	if (is(name, "mkfifo")) { mkfifo(one, 0600); return; }
	if (is(name, "truncate")) { if (truncate(one, 0)) return; return; }
	if (is(name, "creat")) { close(creat(one, 0600)); return; }
	if (is(name, "handle")) { open_by_handle(one); return; }
	if (is(name, "execute")) { execute(one, -1); return; }
	if (is(name, "execute-file")) { execute("", open(one, O_PATH)); return; }
	if (is(name, "execute-memory")) { execute("", memory_file(one)); return; }
	if (is(name, "nest")) { nest(atol(one)); return; }
	if (is(name, "threads")) { in_threads(one); return; }
	if (is(name, "processes")) { in_processes(one); return; }

	char *two = next();

	if (is(name, "open")) { close(open(one, flags_of(two), 0600)); return; }
	if (is(name, "open-truncate")) { int file = open(one, flags_of(two), 0600); if (ftruncate(file, 0)) return; close(file); return; }
	if (is(name, "rename")) { rename(one, two); return; }
	if (is(name, "link")) { if (link(one, two)) return; return; }
	if (is(name, "symlink")) { if (symlink(one, two)) return; return; }
	if (is(name, "unlinkat")) { unlinkat(directory_of(one), two, 0); return; }
	if (is(name, "mkdirat")) { mkdirat(directory_of(one), two, 0700); return; }
	if (is(name, "many")) { create_many(one, atol(two)); return; }
	if (is(name, "socket")) { use_socket(one, two); return; }

	char *three = next();

	if (is(name, "openat")) { close(openat(directory_of(one), two, flags_of(three), 0600)); return; }
	if (is(name, "openat2")) {
		struct open_how how = { .flags = (unsigned)flags_of(three), .resolve = RESOLVE_IN_ROOT };

		close((int)syscall(SYS_openat2, directory_of(one), two, &how, sizeof how));
		return;
	}
	if (is(name, "link-tmpfile")) {
		int file = open(one, O_TMPFILE | O_WRONLY, 0600);

		snprintf(three, 1, "%s", "");
		if (linkat(file, "", AT_FDCWD, two, AT_EMPTY_PATH))
			return;
		return;
	}
	_exit(2);
}

int main(int argc, char **argv)
{
	word = argv + 1;
	if (argc > 1 && is(argv[1], "nothing"))
		return 0;
	while (*word)
		operate(*word++);
	return 0;
}
