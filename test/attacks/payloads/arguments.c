/* Calls that the honest program makes too, with arguments that it does not use. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GARBAGE 0xdead00000000UL

static void push_input(void)
{
	char key = '\n';

	said("TIOCSTI", syscall(SYS_ioctl, 0, TIOCSTI, &key));
	said("garbage-above", syscall(SYS_ioctl, 0, GARBAGE | TIOCSTI, &key));
	said("TIOCLINUX", syscall(SYS_ioctl, 0, TIOCLINUX, &key));
}

static void other_families(void)
{
	said("AF_INET", syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
	said("AF_INET6", syscall(SYS_socket, AF_INET6, SOCK_DGRAM, 0));
	said("AF_PACKET", syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0));
	said("AF_NETLINK", syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0));
}

/* The kernel reads 32 bits: a comparison of 64 would take this for another family. */
static void garbage_family(void)
{
	said("AF_INET", syscall(SYS_socket, GARBAGE | AF_INET, SOCK_STREAM, 0));
	said("AF_PACKET", syscall(SYS_socket, AF_PACKET | 0x100000000UL, SOCK_RAW, 0));
}

/* And an allowed value stays allowed. */
static void garbage_allowed(void)
{
	long fd = syscall(SYS_socket, GARBAGE | AF_UNIX, GARBAGE | SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (said("AF_UNIX", fd))
		close((int)fd);
}

static void executable_memory(void)
{
	void *both = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *page;

	said("mmap", both == MAP_FAILED ? -1 : 0);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	said("mprotect", syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC));
	munmap(page, 4096);
	if (both != MAP_FAILED)
		munmap(both, 4096);
}

static void other_controls(void)
{
	said("PR_SET_DUMPABLE", syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
	said("PR_SET_MM", syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_EXE_FILE, 0, 0, 0));
	said("PR_SET_SECCOMP", syscall(SYS_prctl, PR_SET_SECCOMP, 2, NULL, 0, 0));
	said("F_NOTIFY", syscall(SYS_fcntl, 1, F_NOTIFY, 0));
	said("MADV_HWPOISON", syscall(SYS_madvise, 0, 0, MADV_HWPOISON));
}

const struct attack argument_attacks[] = {
	{ "push-input", push_input },
	{ "other-families", other_families },
	{ "garbage-family", garbage_family },
	{ "garbage-allowed", garbage_allowed },
	{ "executable-memory", executable_memory },
	{ "other-controls", other_controls },
	{ 0 },
};
