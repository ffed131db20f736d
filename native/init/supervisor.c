/* The loop around one payload, from its clone to the last process of the container. */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exits.h"
#include "notify.h"
#include "payload.h"

#define DRAIN_TIMEOUT_MS 10000
#define HANG_UP_TIMEOUT_MS 10000
#define LISTENER_POLL_NS 50000

enum source { FROM_EXEC_PIPE = 1, FROM_SIGNALS = 2, FROM_LISTENER = 4, FROM_CONTROL = 8 };

struct supervisor {
	struct control *control;
	struct payload_state *state;
	pid_t child;
	int signals;
	int exec_pipe[2];
	int epoll;
	bool ended;
	bool worker_gone;
	int status;
	struct timespec started_at, ended_at;
};

static struct notifier notifier;

bool supervisor_outside_signal(int signals, int *number)
{
	struct signalfd_siginfo info;

	/* Only the kernel writes SI_USER, and a sender outside this PID namespace has no number in it. */
	if (read(signals, &info, sizeof(info)) != sizeof(info) || info.ssi_code != SI_USER || info.ssi_pid != 0)
		return false;
	*number = (int)info.ssi_signo;
	return info.ssi_signo != SIGCHLD;
}

static int64_t microseconds(struct timespec from, struct timespec to)
{
	return (int64_t)(to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

static void note_end(struct supervisor *supervisor, pid_t pid, int status)
{
	if (pid != supervisor->child)
		return;
	clock_gettime(CLOCK_MONOTONIC, &supervisor->ended_at);
	supervisor->status = status;
	supervisor->ended = true;
}

static void reap(struct supervisor *supervisor)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		note_end(supervisor, pid, status);
}

/* One kill reaches everything: the kernel lets no fork slip by it. RUSAGE_CHILDREN is complete after the last wait. */
static void end_container(struct supervisor *supervisor)
{
	int status;
	pid_t pid;

	kill(-1, SIGKILL);
	while ((pid = waitpid(-1, &status, 0)) > 0)
		note_end(supervisor, pid, status);
}

static void watch(struct supervisor *supervisor, int fd, enum source source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u32 = source };

	if (epoll_ctl(supervisor->epoll, EPOLL_CTL_ADD, fd, &event) < 0 && errno == EEXIST)
		epoll_ctl(supervisor->epoll, EPOLL_CTL_MOD, fd, &event);
}

static int failed(struct supervisor *supervisor, const char *stage, int error)
{
	control_printf(supervisor->control, "failed %s %d\n", stage, error);
	end_container(supervisor);
	return control_drain(supervisor->control, DRAIN_TIMEOUT_MS) ? EXIT_NOT_STARTED : EXIT_CONTROL;
}

/*
 * The child cannot tell that the listener is there: every call of its own may be one that waits for an answer. It takes
 * the child well under a millisecond to come so far, so looking again is enough. False if the child died instead.
 */
static bool wait_for_listener(struct supervisor *supervisor)
{
	const struct timespec pause = { .tv_nsec = LISTENER_POLL_NS };
	siginfo_t info;

	while (atomic_load(&supervisor->state->listener) < 0) {
		memset(&info, 0, sizeof(info));
		if (waitid(P_PID, (id_t)supervisor->child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0)
			return atomic_load(&supervisor->state->listener) >= 0;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* End of file on the exec pipe: the child has executed, or it is dead. */
static bool handle_exec_pipe(struct supervisor *supervisor)
{
	epoll_ctl(supervisor->epoll, EPOLL_CTL_DEL, supervisor->exec_pipe[0], NULL);
	if (atomic_load(&supervisor->state->error) != 0)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &supervisor->started_at);
	notifier.start_continued = true;
	if (!control_printf(supervisor->control, "started\n"))
		supervisor->worker_gone = true;
	return true;
}

/* One signal a turn: a payload that floods PID 1 with them must not keep it from its other work. */
static void handle_signals(struct supervisor *supervisor)
{
	int number;

	if (supervisor_outside_signal(supervisor->signals, &number))
		kill(supervisor->child, number);
	reap(supervisor);
}

static void handle_control(struct supervisor *supervisor)
{
	const char *line;
	size_t length;
	enum control_read result;

	while ((result = control_line(supervisor->control, &line, &length)) == CONTROL_LINE) {
		/* Nothing else may be said while the payload runs. */
		if (length != 4 || memcmp(line, "kill", 4) != 0)
			break;
		kill(-1, SIGKILL);
	}
	if (result != CONTROL_AGAIN || !control_flush(supervisor->control))
		supervisor->worker_gone = true;
}

static uint32_t wait_for_events(struct supervisor *supervisor, uint32_t *hung_up)
{
	struct epoll_event events[4];
	uint32_t ready = 0;
	int count;

	watch(supervisor, supervisor->control->fd, FROM_CONTROL,
	      EPOLLIN | EPOLLRDHUP | (control_pending(supervisor->control) ? EPOLLOUT : 0));
	count = epoll_wait(supervisor->epoll, events, 4, -1);
	*hung_up = 0;
	for (int i = 0; i < count; i++) {
		ready |= events[i].data.u32;
		if (!(events[i].events & EPOLLIN) && events[i].events & (EPOLLHUP | EPOLLERR))
			*hung_up |= events[i].data.u32;
	}
	return ready;
}

/* Returns false if the payload could not be executed. */
static bool loop(struct supervisor *supervisor)
{
	while (!supervisor->ended && !supervisor->worker_gone) {
		uint32_t hung_up;
		uint32_t ready = wait_for_events(supervisor, &hung_up);

		/* Before the signals: a payload's end must not overtake its start. */
		if (ready & FROM_EXEC_PIPE && !handle_exec_pipe(supervisor))
			return false;
		if (ready & FROM_SIGNALS)
			handle_signals(supervisor);
		/* A listener without processes hangs up for good; before Linux 6.11 it waits for the zombies too. */
		if (hung_up & FROM_LISTENER)
			epoll_ctl(supervisor->epoll, EPOLL_CTL_DEL, notifier.listener, NULL);
		else if (ready & FROM_LISTENER && !notify_answer(&notifier))
			supervisor->worker_gone = true;
		if (ready & FROM_CONTROL)
			handle_control(supervisor);
	}
	return true;
}

static int finish(struct supervisor *supervisor)
{
	struct rusage usage;
	bool exited;

	end_container(supervisor);
	getrusage(RUSAGE_CHILDREN, &usage);
	if (supervisor->worker_gone || !notify_report_counts(&notifier))
		return EXIT_CONTROL;
	exited = WIFEXITED(supervisor->status);
	control_printf(supervisor->control,
		       "exited %s %d %" PRId64 " %" PRId64 " %" PRId64 " %ld %ld %ld\n", exited ? "code" : "signal",
		       exited ? WEXITSTATUS(supervisor->status) : WTERMSIG(supervisor->status),
		       microseconds(supervisor->started_at, supervisor->ended_at),
		       (int64_t)usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec,
		       (int64_t)usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec, usage.ru_maxrss, usage.ru_nvcsw,
		       usage.ru_nivcsw);
	if (!control_drain(supervisor->control, DRAIN_TIMEOUT_MS))
		return EXIT_CONTROL;
	/* The worker may look at the cgroup, which goes with this process. */
	control_wait_for_hang_up(supervisor->control, HANG_UP_TIMEOUT_MS);
	return exited ? WEXITSTATUS(supervisor->status) : 128 + WTERMSIG(supervisor->status);
}

int supervisor_run(const struct policy *policy, struct control *control, int signals)
{
	struct supervisor supervisor = { .control = control, .signals = signals };

	supervisor.state = mmap(NULL, sizeof(*supervisor.state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (supervisor.state == MAP_FAILED)
		return failed(&supervisor, "supervisor", errno);
	atomic_store(&supervisor.state->listener, -1);
	supervisor.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (supervisor.epoll < 0 || pipe2(supervisor.exec_pipe, O_CLOEXEC) < 0)
		return failed(&supervisor, "supervisor", errno);

	/* As fork, but the file table is shared, so that the listener the child gets is the parent's too. */
	supervisor.child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (supervisor.child < 0)
		return failed(&supervisor, "supervisor", errno);
	if (supervisor.child == 0)
		payload_run(policy, supervisor.state);
	if (!wait_for_listener(&supervisor)) {
		int error = atomic_load(&supervisor.state->error);

		return failed(&supervisor, payload_stage_name(atomic_load(&supervisor.state->stage)), error ? error : ESRCH);
	}
	/* From here on the table is this process's own, without the pipe's write end: the child has the last one. */
	if (syscall(SYS_close_range, supervisor.exec_pipe[1], supervisor.exec_pipe[1], CLOSE_RANGE_UNSHARE) < 0)
		return failed(&supervisor, "supervisor", errno);
	notifier.policy = policy;
	notifier.control = control;
	notifier.child = supervisor.child;
	if (!notify_open(&notifier, atomic_load(&supervisor.state->listener)))
		return failed(&supervisor, "supervisor", errno);

	watch(&supervisor, supervisor.exec_pipe[0], FROM_EXEC_PIPE, EPOLLIN);
	watch(&supervisor, signals, FROM_SIGNALS, EPOLLIN);
	watch(&supervisor, notifier.listener, FROM_LISTENER, EPOLLIN);
	if (!loop(&supervisor))
		return failed(&supervisor, payload_stage_name(STAGE_EXEC), atomic_load(&supervisor.state->error));
	return finish(&supervisor);
}
