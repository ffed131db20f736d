/*
 * The program of the attack suite: an honest one, taken over. `attack [wide] [name]...` makes the attacks named and then
 * does its honest work, so that a run shows both what an attack got and that the program goes on.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void told(const char *step, const char *word)
{
	char line[256];
	int length = snprintf(line, sizeof(line), "%s %s\n", step, word);

	if (syscall(SYS_write, 1, line, length) != length)
		_exit(98);
}

bool said(const char *step, long result)
{
	const char *name = result < 0 ? strerrorname_np(errno) : "ok";

	told(step, name ? name : "unknown-errno");
	return result >= 0;
}

void told_end(const char *step, long child)
{
	char word[32];
	int status;

	while (waitpid((pid_t)child, &status, 0) < 0)
		if (errno != EINTR) {
			said(step, -1);
			return;
		}
	if (WIFEXITED(status))
		snprintf(word, sizeof(word), "exit-%d", WEXITSTATUS(status));
	else
		snprintf(word, sizeof(word), "signal-%d", WTERMSIG(status));
	told(step, word);
}

long open_path(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

int *new_gate(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

void wait_at(int *gate)
{
	while (__atomic_load_n(gate, __ATOMIC_SEQ_CST) == 0)
		syscall(SYS_futex, gate, FUTEX_WAIT, 0, NULL, NULL, 0);
}

void open_gate(int *gate)
{
	__atomic_store_n(gate, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, gate, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static const struct attack *const families[] = {
	paper_attacks,  namespace_attacks, supervisor_attacks, kernel_attacks,   abi_attacks,
	socket_attacks, file_attacks,      code_attacks,       resource_attacks, argument_attacks,
};

static bool run_attack(const char *name)
{
	for (size_t family = 0; family < sizeof(families) / sizeof(families[0]); family++)
		for (const struct attack *attack = families[family]; attack->name; attack++)
			if (strcmp(attack->name, name) == 0) {
				attack->run();
				return true;
			}
	return false;
}

int main(int argc, char **argv)
{
	bool wide = argc > 1 && strcmp(argv[1], "wide") == 0;

	if (argc > 1 && strcmp(argv[1], "helper") == 0)
		return helper(argv + 2);
	if (argc > 1 && strcmp(argv[1], "neighbour") == 0)
		return listen_for_neighbour();
	for (char **name = argv + 1 + wide; *name; name++)
		if (!run_attack(*name)) {
			told(*name, "is-no-attack");
			return 97;
		}
	return honest_work(wide);
}
