/* Sockets of families beside the internet's, abstract names, services, and porin-init's control socket. */
#include "attack.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void socket_of(const char *step, int family, int type, int protocol)
{
	said(step, syscall(SYS_socket, family, type, protocol));
}

static void families(void)
{
	socket_of("AF_NETLINK", AF_NETLINK, SOCK_RAW, 0);
	socket_of("AF_ALG", AF_ALG, SOCK_SEQPACKET, 0);
	socket_of("AF_KEY", AF_KEY, SOCK_RAW, 2);
	socket_of("AF_XDP", AF_XDP, SOCK_RAW, 0);
}

static void hypervisor(void) { socket_of("AF_VSOCK", AF_VSOCK, SOCK_STREAM, 0); }

static long unix_connect(const char *name, size_t length)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!said("socket", fd))
		return -1;
	memcpy(to.sun_path, name, length);
	said("connect", syscall(SYS_connect, fd, &to, offsetof(struct sockaddr_un, sun_path) + length));
	return fd;
}

/* A name that the test listens on outside the container. */
static void abstract(void) { unix_connect("\0porin-attack", sizeof("\0porin-attack") - 1); }

/* Until somebody listens on the name, who is outside of this process' domain but in its network namespace. */
static void abstract_neighbour(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "\0porin-neighbour" };
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + sizeof("\0porin-neighbour") - 1;
	long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	if (!said("socket", fd))
		return;
	do
		result = syscall(SYS_connect, fd, &to, length);
	while (result < 0 && errno == ECONNREFUSED);
	said("connect", result);
}

static void service(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(8080) };
	long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!said("socket", fd))
		return;
	said("bind", syscall(SYS_bind, fd, &here, sizeof(here)));
	said("listen", syscall(SYS_listen, fd, 1));
}

/* porin-init's own directory has a name that only a listing tells. */
static void control_socket(void)
{
	char path[108];
	struct dirent *entry;
	DIR *runs = opendir("/run/porin");
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (!said("list", runs ? 0 : -1))
		return;
	while ((entry = readdir(runs)) && entry->d_name[0] == '.')
		;
	closedir(runs);
	snprintf(path, sizeof(path), "/run/porin/%.36s/init", entry ? entry->d_name : "none");
	said("write-init", open_path(path, O_WRONLY));
	snprintf(to.sun_path, sizeof(to.sun_path), "/run/porin/%.36s/control.sock", entry ? entry->d_name : "none");
	said("connect", syscall(SYS_connect, syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &to, sizeof(to)));
}

int listen_for_neighbour(void)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX, .sun_path = "\0porin-neighbour" };
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + sizeof("\0porin-neighbour") - 1;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&here, length) != 0 || listen(fd, 1) != 0)
		return 1;
	if (accept(fd, NULL, NULL) >= 0)
		told("neighbour", "reached");
	return 0;
}

const struct attack socket_attacks[] = {
	{ "families", families },
	{ "hypervisor", hypervisor },
	{ "abstract", abstract },
	{ "abstract-neighbour", abstract_neighbour },
	{ "service", service },
	{ "control-socket", control_socket },
	{ 0 },
};
