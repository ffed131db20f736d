/* Everything the child does; after the filter is loaded, one execve and nothing else. */
#include "payload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "landlock.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define EXIT_NOT_EXECUTED 127

const char *payload_stage_name(enum payload_stage stage)
{
	static const char *const names[] = { "session", "rlimit", "directory", "stdin", "lookup", "landlock", "filter", "exec" };

	return names[stage];
}

static _Noreturn void fail(struct payload_state *state, int error)
{
	atomic_store(&state->error, error);
	_exit(EXIT_NOT_EXECUTED);
}

/* The parent blocks every signal; the payload starts with none blocked and every one at its default. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Before Landlock, because the payload opens nothing for it: so a link, which an earlier payload may have left, must not lead
 * to what the profile keeps from this one. A FIFO must not block. Returns 0 or an errno.
 */
static int open_standard_input(const char *path)
{
	const struct open_how how = { .flags = O_RDONLY | O_NOCTTY | O_NONBLOCK, .resolve = RESOLVE_NO_SYMLINKS };
	struct stat status;

	/* The lowest descriptor that is free is the next one. */
	close(STDIN_FILENO);
	if (syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)) < 0 || fstat(STDIN_FILENO, &status) < 0)
		return errno;
	if (!S_ISREG(status.st_mode))
		return S_ISDIR(status.st_mode) ? EISDIR : EACCES;
	return fcntl(STDIN_FILENO, F_SETFL, 0) < 0 ? errno : 0;
}

static const char *search_path(const struct policy *policy)
{
	for (size_t i = 0; i < policy->environment_count; i++)
		if (strncmp(policy->environment[i], "PATH=", 5) == 0)
			return policy->environment[i] + 5;
	return DEFAULT_PATH;
}

static int executable_error(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return errno;
	if (!S_ISREG(status.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

/* Makes a path of a directory in PATH, the current one if empty, and a name. False if it has no room. */
static bool join(char *path, const char *directory, size_t length, const char *name)
{
	size_t name_size = strlen(name) + 1;

	if (length + 2 + name_size > PATH_MAX)
		return false;
	memcpy(path, directory, length);
	if (length == 0)
		path[length++] = '.';
	path[length++] = '/';
	memcpy(path + length, name, name_size);
	return true;
}

/* As execvp, but before the filter, so that looking is no part of the payload. Returns 0 or an errno. */
static int look_up(const struct policy *policy, char *path)
{
	const char *name = policy->arguments[0];
	int result = ENOENT, error;

	if (strchr(name, '/')) {
		if (strlen(name) >= PATH_MAX)
			return ENAMETOOLONG;
		strcpy(path, name);
		return 0;
	}
	for (const char *entry = search_path(policy), *end; entry; entry = *end ? end + 1 : NULL) {
		end = strchrnul(entry, ':');
		if (!join(path, entry, (size_t)(end - entry), name))
			continue;
		error = executable_error(path);
		if (error == 0)
			return 0;
		if (error == EACCES)
			result = EACCES;
	}
	return result;
}

static int load_filter(const struct program *program)
{
	struct sock_fprog fprog = { (unsigned short)program->length, (struct sock_filter *)program->instructions };
	/* Once the supervisor has a call, only a fatal signal takes it back: fewer calls end in EINTR (Linux 5.19). */
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog);

	if (listener < 0 && errno == EINVAL)
		listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &fprog);
	return listener;
}

/* The stage is over: it has failed where there is an errno, and else the next one begins. */
static void go_on(struct payload_state *state, int error, enum payload_stage next)
{
	if (error != 0)
		fail(state, error);
	atomic_store(&state->stage, next);
}

_Noreturn void payload_run(const struct policy *policy, struct payload_state *state)
{
	go_on(state, setsid() < 0 ? errno : 0, STAGE_RLIMIT);
	reset_signals();
	for (size_t i = 0; i < policy->rlimit_count; i++)
		if (setrlimit((__rlimit_resource_t)policy->rlimits[i].resource, &policy->rlimits[i].limit) < 0)
			fail(state, errno);
	go_on(state, 0, STAGE_DIRECTORY);
	go_on(state, chdir(policy->directory) < 0 ? errno : 0, STAGE_STDIN);
	go_on(state, policy->standard_input ? open_standard_input(policy->standard_input) : 0, STAGE_LOOKUP);
	go_on(state, look_up(policy, state->program.path), STAGE_LANDLOCK);
	state->program.abi = foreign_abi(state->program.path);
	go_on(state, landlock_confine(policy), STAGE_FILTER);
	int listener = load_filter(&policy->filter);
	go_on(state, listener < 0 ? errno : 0, STAGE_EXEC);
	atomic_store(&state->listener, listener);
	/* The supervisor lets these go on where the filter would not, and then counts from the last of them: notify.c. */
	state->started_us = clock_us();
	getrusage(RUSAGE_SELF, &state->before);
	execve(state->program.path, (char *const *)policy->arguments, (char *const *)policy->environment);
	fail(state, errno);
}
