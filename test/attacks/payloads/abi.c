/* Calls by other numbers than the native ones: foreign ABIs, numbers that no table has, garbage in the number's high word. */
#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void unknown_numbers(void)
{
	said("1000", syscall(1000));
	said("minus-one", syscall(-1));
	said("last", syscall(0x7fffffff));
}

#ifdef __x86_64__
#define X32 0x40000000

static void x32(void)
{
	said("getppid", syscall(X32 | SYS_getppid));
	said("socket", syscall(X32 | SYS_socket, AF_INET, SOCK_STREAM, 0));
	said("execve", syscall(X32 | 520, "/bin/sh", NULL, NULL));
}

static long i386(long number, long first, long second)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(first), "c"(second) : "memory", "r8", "r9", "r10", "r11");
	errno = result < 0 ? (int)-result : 0;
	return result < 0 ? -1 : result;
}

/* The numbers are those of i386: 20 getpid, 11 execve, 120 clone with new namespaces, 359 socket. */
static void i386_calls(void)
{
	said("getpid", i386(20, 0, 0));
	said("execve", i386(11, 0, 0));
	said("clone", i386(120, 0x10000000, 0));
	said("socket", i386(359, AF_INET, SOCK_STREAM));
}

/* socketcall(SYS_SOCKET, {AF_INET, SOCK_STREAM, 0}): its arguments are in memory, below 4 GiB for a 32-bit call. */
static void socketcall(void)
{
	uint32_t *arguments = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	arguments[0] = AF_INET;
	arguments[1] = SOCK_STREAM;
	arguments[2] = 0;
	said("socketcall", i386(102, 1, (long)arguments));
	munmap(arguments, 4096);
}

/* The kernel takes the low word of the number. */
static void wide_number(void)
{
	said("socket", syscall(0x100000000UL | SYS_socket, AF_INET, SOCK_STREAM, 0));
	said("bpf", syscall(0xffffffff00000000UL | SYS_bpf, 0, NULL, 0));
}
#endif

const struct attack abi_attacks[] = {
	{ "unknown-numbers", unknown_numbers },
#ifdef __x86_64__
	{ "x32", x32 },
	{ "i386", i386_calls },
	{ "socketcall", socketcall },
	{ "wide-number", wide_number },
#endif
	{ 0 },
};
