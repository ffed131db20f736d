/* Code that was not in the program: other programs, files without a name, memory made executable, constructors. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SCRIPT "#!/attack helper\n"

/* Executed by attacks: says who it is, and that the filter came along. By honest work: says nothing. */
int helper(char **argv)
{
	if (*argv && strcmp(*argv, "quiet") == 0)
		return 0;
	told("user", geteuid() == 0 ? "root" : "own");
	if (*argv && strcmp(*argv, "user") == 0)
		return 7;
	said("bpf", syscall(SYS_bpf, 0, NULL, 0));
	return 7;
}

static void in_child(const char *step, const char *path, char **arguments)
{
	pid_t child = fork();

	if (child == 0) {
		syscall(SYS_execve, path, arguments, (char *[]){ NULL });
		said(step, -1);
		_exit(95);
	}
	told_end("child", child);
}

static void exec_shell(void) { in_child("execve", "/bin/sh", (char *[]){ "sh", "-c", "exit 7", NULL }); }

static void exec_setuid(void) { in_child("execve", "/attack-setuid", (char *[]){ "attack", "helper", "user", NULL }); }

static void write_script(const char *path)
{
	long fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	said("write", syscall(SYS_write, fd, SCRIPT, sizeof(SCRIPT) - 1));
	close((int)fd);
}

static void exec_temporary(void)
{
	write_script("/tmp/program");
	in_child("execve", "/tmp/program", (char *[]){ "program", NULL });
}

static void exec_output(void)
{
	write_script("/out/program");
	in_child("execve", "/out/program", (char *[]){ "program", NULL });
}

static void exec_memory(void)
{
	long fd = syscall(SYS_memfd_create, "program", 0);
	pid_t child;

	if (said("memfd_create", fd))
		said("write", syscall(SYS_write, fd, SCRIPT, sizeof(SCRIPT) - 1));
	child = fork();
	if (child == 0) {
		syscall(SYS_execveat, fd, "", (char *[]){ "program", NULL }, (char *[]){ NULL }, AT_EMPTY_PATH);
		said("execveat", -1);
		_exit(95);
	}
	told_end("child", child);
}

/* A program that it left in memory must not outlive it: nothing to say but that it was made. */
static void leave_daemon(void)
{
	pid_t child = fork();

	if (child == 0) {
		/* Whether or not it may have a session of its own. */
		syscall(SYS_setsid);
		for (;;)
			syscall(SYS_futex, &child, 0, child, NULL, NULL, 0);
	}
	said("fork", child);
}

/* Runs before main, and so before anything that a program might do to protect itself. */
__attribute__((constructor)) static void before_main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[argc - 1], "constructor") == 0) {
		said("socket", syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
		said("unshare", syscall(SYS_unshare, 0x10000000));
	}
}

static void constructor(void) {}

const struct attack code_attacks[] = {
	{ "exec-shell", exec_shell },
	{ "exec-setuid", exec_setuid },
	{ "exec-temporary", exec_temporary },
	{ "exec-output", exec_output },
	{ "exec-memory", exec_memory },
	{ "leave-daemon", leave_daemon },
	{ "constructor", constructor },
	{ 0 },
};
