/*
 * Loads a filter into itself and makes calls under it, for the live test of the filter compiler.
 *
 *   live-filter FILE     FILE: struct sock_filter[]. Standard input: calls, one a line, "number a0 a1 a2 a3 a4 a5" in
 *                        hexadecimal. Prints for each, in order, "1" where the kernel made the call and "0" where it asked a
 *                        supervisor that is not there, which it answers with ENOSYS.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CALLS 100000
#define MAX_INSTRUCTIONS 4096

struct call {
	long number;
	unsigned long arguments[6];
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static size_t read_calls(struct call *calls)
{
	size_t count = 0;

	while (count < MAX_CALLS) {
		struct call *call = &calls[count];
		unsigned long *a = call->arguments;

		if (scanf("%lx %lx %lx %lx %lx %lx %lx", &call->number, a, a + 1, a + 2, a + 3, a + 4, a + 5) != 7)
			break;
		count++;
	}
	return count;
}

/* Ends by exit_group, which every filter allows; everything else it needs was made ready before. */
static void make_calls(struct sock_fprog *program, const struct call *calls, size_t count, char *results)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) != 0)
		syscall(SYS_exit_group, 1);
	for (size_t index = 0; index < count; index++) {
		const unsigned long *a = calls[index].arguments;
		long result = syscall(calls[index].number, a[0], a[1], a[2], a[3], a[4], a[5]);

		results[index] = result == -1 && errno == ENOSYS ? '0' : '1';
	}
	syscall(SYS_exit_group, 0);
}

int main(int argc, char **argv)
{
	static struct sock_filter instructions[MAX_INSTRUCTIONS];
	static struct call calls[MAX_CALLS];
	char *results = mmap(NULL, MAX_CALLS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	struct sock_fprog program = { .filter = instructions };
	size_t count = read_calls(calls);
	int status;
	pid_t child;

	if (file == NULL || results == MAP_FAILED)
		fail("live-filter");
	program.len = fread(instructions, sizeof(*instructions), MAX_INSTRUCTIONS, file);
	child = fork();
	if (child == 0)
		make_calls(&program, calls, count, results);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		fail("the process under the filter");
	for (size_t index = 0; index < count; index++)
		printf("%c\n", results[index]);
	return 0;
}
