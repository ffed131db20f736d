/* The loop around one payload, from its clone to the last process of the container. */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "exits.h"
#include "landlock.h"
#include "notify.h"
#include "payload.h"

#define DRAIN_TIMEOUT_MS 10000
#define HANG_UP_TIMEOUT_MS 10000
#define LISTENER_POLL_NS 50000
/* So many calls in so short a time are a burst, and so much longer may everything else wait while it lasts. */
#define BURST_CALLS 64
#define BURST_US 5000
#define MAX_BURST_CALLS 1000

/*
 * The listener comes first: poll looks at them in this order, and the payload's first call after its start must never be
 * seen before the end of the exec pipe.
 */
enum source { LISTENER, EXEC_PIPE, SIGNALS, CONTROL, SOURCES };

struct supervisor {
	struct control *control;
	struct payload_state *state;
	pid_t child;
	int exec_pipe[2];
	struct pollfd sources[SOURCES]; /* those with a negative descriptor are over */
	unsigned calls;			/* answered since calls_us */
	int64_t calls_us;
	bool ended;
	int status;
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

static void reap(struct supervisor *supervisor, int options)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, options)) > 0)
		if (pid == supervisor->child) {
			supervisor->status = status;
			supervisor->ended = true;
		}
}

/* One kill reaches everything: the kernel lets no fork slip by it. RUSAGE_CHILDREN is complete after the last wait. */
static void end_container(struct supervisor *supervisor)
{
	kill(-1, SIGKILL);
	reap(supervisor, 0);
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

	while (atomic_load(&supervisor->state->listener) < 0) {
		siginfo_t info = { 0 };

		if (waitid(P_PID, (id_t)supervisor->child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0)
			return atomic_load(&supervisor->state->listener) >= 0;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* End of file on the exec pipe: the child has executed, or it is dead. */
static bool handle_exec_pipe(struct supervisor *supervisor)
{
	supervisor->sources[EXEC_PIPE].fd = -1;
	if (atomic_load(&supervisor->state->error) != 0)
		return false;
	notifier.started = true;
	if (notifier.started_us < supervisor->state->started_us)
		notifier.started_us = supervisor->state->started_us;
	control_printf(supervisor->control, "started %s\n", landlock_status(notifier.policy, landlock_abi()));
	return true;
}

/* One signal a turn: a payload that floods PID 1 with them must not keep it from its other work. */
static void handle_signals(struct supervisor *supervisor)
{
	int number;

	if (supervisor_outside_signal(supervisor->sources[SIGNALS].fd, &number))
		kill(supervisor->child, number);
	reap(supervisor, WNOHANG);
}

static void handle_control(struct supervisor *supervisor)
{
	const char *line;
	size_t length;
	enum control_read result;

	/* Nothing else may be said while the payload runs. */
	while ((result = control_line(supervisor->control, &line, &length)) == CONTROL_LINE && length == 4 &&
	       memcmp(line, "kill", 4) == 0)
		kill(-1, SIGKILL);
	supervisor->control->lost |= result != CONTROL_AGAIN;
	control_flush(supervisor->control);
}

static void on_tick(int number) { (void)number; }

/*
 * Waits for calls in RECV itself: poll would be a sixth of what a call costs. A timer takes it out of there when no more
 * come, again and again, for it may tick before RECV waits.
 */
static void answer_burst(struct supervisor *supervisor)
{
	const struct itimerval ticking = { { 0, BURST_US }, { 0, BURST_US } }, still = { { 0, 0 }, { 0, 0 } };
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	setitimer(ITIMER_REAL, &ticking, NULL);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
	for (int i = 0; i < MAX_BURST_CALLS && trace_has_room(&notifier.trace) && notify_answer(&notifier); i++)
		notify_send_due(&notifier);
	sigprocmask(SIG_BLOCK, &alarm, NULL);
	setitimer(ITIMER_REAL, &still, NULL);
	/* If the next call comes as soon, the burst goes on with it. */
	supervisor->calls = BURST_CALLS - 1;
	supervisor->calls_us = clock_us();
}

static void handle_listener(struct supervisor *supervisor)
{
	int64_t before_us = supervisor->calls_us;

	if (!notify_answer(&notifier) || ++supervisor->calls < BURST_CALLS)
		return;
	supervisor->calls = 0;
	supervisor->calls_us = clock_us();
	if (supervisor->calls_us - before_us < BURST_US)
		answer_burst(supervisor);
}

/* Returns false if the payload could not be executed. */
static bool loop(struct supervisor *supervisor)
{
	struct pollfd *sources = supervisor->sources;

	while (!supervisor->ended && !supervisor->control->lost) {
		sources[LISTENER].events = trace_has_room(&notifier.trace) ? POLLIN : 0;
		sources[CONTROL].events = (short)(POLLIN | POLLRDHUP | (control_pending(supervisor->control) ? POLLOUT : 0));
		if (poll(sources, SOURCES, notify_timeout_ms(&notifier)) < 0)
			continue;
		/* Before the signals: a payload's end must not overtake its start. */
		if (sources[EXEC_PIPE].revents && !handle_exec_pipe(supervisor))
			return false;
		if (sources[SIGNALS].revents)
			handle_signals(supervisor);
		/* A listener without processes hangs up for good; before Linux 6.11 it waits for the zombies too. */
		if (sources[LISTENER].revents & POLLHUP)
			sources[LISTENER].fd = -1;
		else if (sources[LISTENER].revents & POLLIN)
			handle_listener(supervisor);
		if (sources[CONTROL].revents)
			handle_control(supervisor);
		notify_send_due(&notifier);
	}
	return true;
}

static int64_t since_us(struct timeval before, struct timeval now)
{
	return (int64_t)(now.tv_sec - before.tv_sec) * 1000000 + now.tv_usec - before.tv_usec;
}

/*
 * The clock is read before the first use that is counted and after the last one, on every path between the payload's
 * execve and its last process: so the processor time is never more than the wall time of all cores.
 */
static int finish(struct supervisor *supervisor)
{
	const struct rusage *before = &supervisor->state->before;
	struct rusage usage;
	int64_t ended_us;
	bool exited;

	end_container(supervisor);
	ended_us = clock_us();
	getrusage(RUSAGE_CHILDREN, &usage);
	notify_report_end(&notifier);
	exited = WIFEXITED(supervisor->status);
	control_printf(supervisor->control,
		       "exited %s %d %" PRId64 " %" PRId64 " %" PRId64 " %ld %ld %ld\n", exited ? "code" : "signal",
		       exited ? WEXITSTATUS(supervisor->status) : WTERMSIG(supervisor->status),
		       ended_us - notifier.started_us, since_us(before->ru_utime, usage.ru_utime),
		       since_us(before->ru_stime, usage.ru_stime), usage.ru_maxrss, usage.ru_nvcsw - before->ru_nvcsw,
		       usage.ru_nivcsw - before->ru_nivcsw);
	if (!control_drain(supervisor->control, DRAIN_TIMEOUT_MS))
		return EXIT_CONTROL;
	/* The worker may look at the cgroup, which goes with this process. */
	control_wait_for_hang_up(supervisor->control, HANG_UP_TIMEOUT_MS);
	return exited ? WEXITSTATUS(supervisor->status) : 128 + WTERMSIG(supervisor->status);
}

int supervisor_run(const struct policy *policy, struct control *control, int signals)
{
	struct supervisor supervisor = { .control = control };

	supervisor.state = mmap(NULL, sizeof(*supervisor.state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (supervisor.state == MAP_FAILED || pipe2(supervisor.exec_pipe, O_CLOEXEC) < 0)
		return failed(&supervisor, "supervisor", errno);
	atomic_store(&supervisor.state->listener, -1);
	signal(SIGALRM, on_tick);

	/* As fork, but the file table is shared, so that the listener the child gets is the parent's too. */
	supervisor.child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (supervisor.child < 0)
		return failed(&supervisor, "supervisor", errno);
	if (supervisor.child == 0)
		payload_run(policy, supervisor.state);
	if (!wait_for_listener(&supervisor)) {
		int error = atomic_load(&supervisor.state->error), stage = atomic_load(&supervisor.state->stage);

		return failed(&supervisor, payload_stage_name((enum payload_stage)stage), error ? error : ESRCH);
	}
	/* From here on the table is this process's own, without the pipe's write end: the child has the last one. */
	if (syscall(SYS_close_range, supervisor.exec_pipe[1], supervisor.exec_pipe[1], CLOSE_RANGE_UNSHARE) < 0)
		return failed(&supervisor, "supervisor", errno);
	notifier.policy = policy;
	notifier.control = control;
	notifier.child = supervisor.child;
	notifier.executable = supervisor.state->program.path;
	if (!notify_open(&notifier, atomic_load(&supervisor.state->listener)))
		return failed(&supervisor, "supervisor", errno);

	supervisor.sources[LISTENER].fd = notifier.listener;
	supervisor.sources[EXEC_PIPE] = (struct pollfd){ .fd = supervisor.exec_pipe[0], .events = POLLIN };
	supervisor.sources[SIGNALS] = (struct pollfd){ .fd = signals, .events = POLLIN };
	supervisor.sources[CONTROL].fd = control->fd;
	if (!loop(&supervisor)) {
		int error = atomic_load(&supervisor.state->error);

		/* The kernel runs no programs of that ABI, or has not found this one's dynamic linker: the program itself is there. */
		if ((error == ENOEXEC || error == ENOENT) && supervisor.state->program.abi)
			notify_program(control, &supervisor.state->program);
		return failed(&supervisor, payload_stage_name(STAGE_EXEC), error);
	}
	return finish(&supervisor);
}
