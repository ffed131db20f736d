/* The attacks of the paper's evaluation: files of the system, the network, a shell. */
#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void read_file(const char *path)
{
	char text[256];
	long fd = open_path(path, O_RDONLY | O_CLOEXEC);

	if (said("open", fd))
		said("read", syscall(SYS_read, fd, text, sizeof(text)));
}

static void passwd(void) { read_file("/etc/passwd"); }
static void shadow(void) { read_file("/etc/shadow"); }

static void ifconfig(void)
{
	struct ifreq request = { 0 };
	long fd = syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);

	if (!said("socket", fd))
		return;
	strcpy(request.ifr_name, "eth0");
	said("SIOCGIFADDR", syscall(SYS_ioctl, fd, SIOCGIFADDR, &request));
	strcpy(request.ifr_name, "lo");
	said("SIOCSIFFLAGS", syscall(SYS_ioctl, fd, SIOCSIFFLAGS, &request));
}

static void fetch(int type, int protocol)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(NOBODYS_ADDRESS) };
	long fd = syscall(SYS_socket, AF_INET, type | SOCK_CLOEXEC, protocol);

	if (!said("socket", fd))
		return;
	said("connect", syscall(SYS_connect, fd, &to, sizeof(to)));
}

static void web_fetch(void) { fetch(SOCK_STREAM, 0); }
static void raw_http(void) { fetch(SOCK_RAW, IPPROTO_TCP); }

/* On a socket that it never opened: an inherited one would be used so. */
static void connect_inherited(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(NOBODYS_ADDRESS) };

	said("connect", syscall(SYS_connect, 1, &to, sizeof(to)));
	said("sendto", syscall(SYS_sendto, 1, "GET / HTTP/1.0\r\n\r\n", 18, 0, &to, sizeof(to)));
}

static void packet_http(void) { said("socket", syscall(SYS_socket, AF_PACKET, SOCK_RAW, htons(3))); }

static void curl_shell(void)
{
	char *arguments[] = { "sh", "-c", "curl -s http://192.0.2.1/ 2>/dev/null || exit 6", NULL };
	char *environment[] = { "PATH=/bin:/usr/bin", NULL };
	pid_t child = fork();

	if (child == 0) {
		syscall(SYS_execve, "/bin/sh", arguments, environment);
		said("execve", -1);
		_exit(95);
	}
	told_end("shell", child);
}

const struct attack paper_attacks[] = {
	{ "passwd", passwd },
	{ "shadow", shadow },
	{ "ifconfig", ifconfig },
	{ "web-fetch", web_fetch },
	{ "raw-http", raw_http },
	{ "packet-http", packet_http },
	{ "connect-inherited", connect_inherited },
	{ "curl-shell", curl_shell },
	{ 0 },
};
