/* porin-init: the first process of every container. Takes a policy from the worker, and runs one payload under it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base64.h"
#include "control.h"
#include "exits.h"
#include "landlock.h"
#include "policy.h"
#include "supervisor.h"

#define DRAIN_TIMEOUT_MS 10000

static struct control control;
static struct policy policy;

static _Noreturn void stop(int code, const char *message)
{
	dprintf(STDERR_FILENO, "porin-init: %s\n", message);
	exit(code);
}

/* Signals are read, never delivered: nothing in here is asynchronous. */
static int block_signals(void)
{
	sigset_t all;
	int signals;

	sigfillset(&all);
	signals = sigprocmask(SIG_SETMASK, &all, NULL) < 0 ? -1 : signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		stop(EXIT_USAGE, "cannot block and read signals");
	return signals;
}

static void protect(void)
{
	/* Standard streams only, whatever the runtime left open: the payload inherits what is open here. */
	if (syscall(SYS_close_range, 3U, ~0U, 0U) < 0)
		stop(EXIT_USAGE, "close_range is not available: Linux 5.9 or newer is needed");
	/* Not dumpable: /proc/1 is closed to processes of the same user, ptrace and pidfd_getfd too. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		stop(EXIT_USAGE, "cannot protect itself");
}

static void say_hello(const char *token)
{
	struct utsname names;
	char kernel[BASE64_LENGTH(sizeof(names.release)) + 1];

	uname(&names);
	base64_encode(kernel, names.release, strlen(names.release));
	control_printf(&control, "hello %d %s %s %s %ld %d\n", PORIN_PROTOCOL, token, PORIN_INIT_VERSION, kernel,
		       landlock_abi(), getpid());
}

/* The next line from the worker, however long it takes: the worker has the time limits, and hangs up. */
static void next_line(int signals, const char **line, size_t *length)
{
	struct pollfd sources[] = { { .fd = control.fd, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	int number;

	for (;;) {
		enum control_read result = control_line(&control, line, length);

		if (result == CONTROL_LINE)
			return;
		if (result == CONTROL_LOST)
			stop(EXIT_CONTROL, "the worker hung up or sent too long a line; nothing was run");
		poll(sources, 2, -1);
		if (supervisor_outside_signal(signals, &number))
			exit(128 + number);
	}
}

static _Noreturn void refuse(const char *stage)
{
	control_printf(&control, "failed %s %d\n", stage, EPROTO);
	control_drain(&control, DRAIN_TIMEOUT_MS);
	stop(EXIT_CONTROL, "the worker's message was not understood; nothing was run");
}

/* Returns when the gate opens. */
static void take_policy(int signals)
{
	enum policy_step step = POLICY_MORE;
	const char *line;
	size_t length;

	while (step == POLICY_MORE) {
		next_line(signals, &line, &length);
		step = policy_line(&policy, line, length);
	}
	if (step == POLICY_INVALID)
		refuse("policy");
	control_printf(&control, "ready\n");
	next_line(signals, &line, &length);
	if (length != 2 || memcmp(line, "go", 2) != 0)
		refuse("go");
}

int main(int argc, char **argv)
{
	const char *path = getenv("PORIN_CONTROL");
	const char *token = getenv("PORIN_TOKEN");
	int signals;

	/* For the worker, on the host: what every hello on this node will say. */
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("porin-init %s landlock %ld\n", PORIN_INIT_VERSION, landlock_abi());
		return 0;
	}
	if (getpid() != 1)
		stop(EXIT_USAGE, "must be the first process of a container (PID 1)");
	if (!path || !token || token[0] == '\0' || strpbrk(token, " \n"))
		stop(EXIT_USAGE, "PORIN_CONTROL and PORIN_TOKEN must be set");
	protect();
	signals = block_signals();
	if (!control_connect(&control, path))
		stop(EXIT_CONTROL, "cannot connect to the control socket");
	say_hello(token);
	take_policy(signals);
	return supervisor_run(&policy, &control, signals);
}
