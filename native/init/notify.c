/* The user-notification end of the filter: seccomp_unotify(2). */
#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base64.h"
#include "clock.h"
#include "detail.h"

/* Linux 6.6; not in every linux/seccomp.h. */
#define NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define NOTIF_SYNC_WAKE_UP (1UL << 0)

/* How old a batch of the trace and a count may become before they are sent. */
#define TRACE_INTERVAL_US 100000
#define COUNT_INTERVAL_US 1000000

/* The kernel copies as many bytes as it knows, which may be more than this was compiled with. */
#define ROOM 512
static struct seccomp_notif_sizes sizes;
static union { struct seccomp_notif value; char room[ROOM]; } request;
static union { struct seccomp_notif_resp value; char room[ROOM]; } response;

bool notify_open(struct notifier *notifier, int listener)
{
	notifier->listener = listener;
	notifier->trace.maximum = notifier->policy->trace_maximum;
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return false;
	/*
	 * Each side wakes the other on the core that it is about to leave: a tenth of the latency. It holds for who waits
	 * in poll, not in epoll_wait, and where both may run on one core. Without it everything works, slower.
	 */
	(void)ioctl(listener, NOTIF_SET_FLAGS, NOTIF_SYNC_WAKE_UP);
	errno = E2BIG;
	return sizes.seccomp_notif <= ROOM && sizes.seccomp_notif_resp <= ROOM;
}

/* What the child does once its filter is loaded: the execve that starts the payload, and before it what it measures by. */
static bool is_start(const struct notifier *notifier)
{
	const struct seccomp_data *data = &request.value.data;

	if (notifier->started || (pid_t)request.value.pid != notifier->child || foreign_call(data))
		return false;
	return data->nr == SYS_getrusage || data->nr == SYS_clock_gettime ||
	       (data->nr == SYS_execve && data->args[0] == (uintptr_t)notifier->executable);
}

/* False if there is nobody to take it: a call that a signal took back comes again, and is then another one. */
static bool respond(struct notifier *notifier, uint32_t verdict)
{
	if (verdict == SECCOMP_RET_KILL_PROCESS) /* the blocked call never goes on: its thread dies in it */
		return ioctl(notifier->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.value.id) == 0 && kill(-1, SIGKILL) == 0;
	response.value.id = request.value.id;
	response.value.error = verdict == SECCOMP_RET_ALLOW ? 0 : -(int)(verdict & SECCOMP_RET_DATA);
	response.value.flags = verdict == SECCOMP_RET_ALLOW ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
	return ioctl(notifier->listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

/* A held call goes on only in a trace, and never under another ABI's numbers, whatever the program answers. */
static uint32_t decide(const struct policy *policy)
{
	uint32_t verdict = answer_run(&policy->answer, &request.value.data);

	if (verdict == SECCOMP_RET_ALLOW && (policy->trace_maximum == 0 || foreign_call(&request.value.data)))
		return SECCOMP_RET_ERRNO | ENOSYS;
	return verdict;
}

static void report(struct notifier *notifier, const struct call *call)
{
	const __u64 *args = call->data.args;
	char words[MAX_POINTED_TO * (BASE64_LENGTH(MAX_POINTED) + 16)] = "", *to = words;

	for (size_t i = 0; i < call->pointed_count; i++) {
		const struct pointed *pointed = &call->pointed[i];

		to += sprintf(to, " %s:%d:%s", pointed_word(pointed), pointed->argument, pointed->length == 0 ? "-" : "");
		to += base64_encode(to, pointed->bytes, pointed->length);
	}
	control_printf(notifier->control,
		       "denial %zu 0x%x %u %s %u 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx%s\n",
		       notifier->ledger.length - 1, call->data.arch, (uint32_t)call->data.nr,
		       call->verdict == SECCOMP_RET_KILL_PROCESS ? "killed" : "refused",
		       call->verdict & SECCOMP_RET_DATA, args[0], args[1], args[2], args[3], args[4], args[5], words);
}

void notify_program(struct control *control, const struct foreign_program *program)
{
	char path[BASE64_LENGTH(PATH_MAX) + 1];

	base64_encode(path, program->path, strlen(program->path));
	control_printf(control, "foreign-program %s %s\n", program->abi, path);
}

static void note_foreign(struct notifier *notifier, const struct seccomp_data *data, const struct foreign_program *program)
{
	foreign_count(&notifier->foreign_calls, data);
	if (notifier->program_told || !program->abi)
		return;
	notifier->program_told = true;
	notify_program(notifier->control, program);
}

bool notify_answer(struct notifier *notifier)
{
	static struct foreign_program program;
	struct call call;
	bool foreign, traced, written, denied;
	pid_t tid;

	memset(&request, 0, sizes.seccomp_notif);
	if (ioctl(notifier->listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
		return false;
	if (is_start(notifier)) {
		notifier->started_us = clock_us(); /* of the last one held: what waited before is not the payload's time */
		respond(notifier, SECCOMP_RET_ALLOW);
		return true;
	}
	tid = (pid_t)request.value.pid;
	call.data = request.value.data;
	foreign = foreign_call(&call.data);
	call.verdict = decide(notifier->policy);
	traced = notifier->trace.maximum > 0 && notifier->started;
	written = traced && notifier->trace.beyond == 0;
	denied = call.verdict != SECCOMP_RET_ALLOW;
	/* These bytes are used only once the answer has arrived, which proves that the thread was there all the time. */
	if (denied || written)
		detail_read(&call, tid, !foreign);
	if (foreign && !notifier->program_told)
		foreign_find(&program, tid);
	if (written)
		trace_prepare(&notifier->trace, clock_us() - notifier->started_us, tid, &call);
	if (!respond(notifier, call.verdict))
		return true;
	if (foreign)
		note_foreign(notifier, &call.data, &program);
	if (traced)
		trace_commit(&notifier->trace);
	if (denied && ledger_add(&notifier->ledger, &call) == LEDGER_NEW)
		report(notifier, &call);
	if (!trace_has_room(&notifier->trace))
		notify_send_due(notifier);
	return true;
}

static void send_trace(struct notifier *notifier)
{
	char text[BASE64_LENGTH(MAX_TRACE_BATCH) + 1];

	if (base64_encode(text, notifier->trace.text, notifier->trace.length) > 0)
		control_printf(notifier->control, "trace %s\n", text);
	notifier->trace.length = 0;
}

static void send_counts(struct notifier *notifier, bool all)
{
	struct ledger *ledger = &notifier->ledger;

	for (size_t i = 0; i < ledger->length; i++) {
		if (all || ledger->sent[i] != ledger->counts[i])
			control_printf(notifier->control, "count %zu %" PRIu64 "\n", i, ledger->counts[i]);
		ledger->sent[i] = ledger->counts[i];
	}
	ledger->unsent = false;
}

/* The lines before a tally are everything that happened until now. */
static void send_tally(const struct notifier *notifier, int64_t now_us)
{
	const struct ledger *ledger = &notifier->ledger;
	char last[8] = "-";

	if (ledger->last_dropped != 0)
		sprintf(last, "%d", ledger->last_dropped - 1);
	control_printf(notifier->control, "tally %" PRId64 " %" PRIu64 " %s\n", now_us - notifier->started_us,
		       ledger->dropped, last);
}

void notify_send_due(struct notifier *notifier)
{
	struct trace *trace = &notifier->trace;
	int64_t now_us;

	/* To a worker that does not read, nothing more than what is bounded. */
	if (notify_timeout_ms(notifier) < 0 || control_pending(notifier->control))
		return;
	now_us = clock_us();
	if (!trace_has_room(trace) || (trace->length > 0 && now_us - notifier->traced_us >= TRACE_INTERVAL_US)) {
		notifier->traced_us = now_us;
		send_trace(notifier);
	}
	if (notifier->started && notifier->ledger.unsent && now_us - notifier->counted_us >= COUNT_INTERVAL_US) {
		notifier->counted_us = now_us;
		send_counts(notifier, false);
		send_tally(notifier, now_us);
	}
}

int notify_timeout_ms(const struct notifier *notifier)
{
	return notifier->trace.length > 0 || notifier->ledger.unsent ? TRACE_INTERVAL_US / 1000 : -1;
}

void notify_report_end(struct notifier *notifier)
{
	send_trace(notifier);
	if (notifier->trace.maximum > 0)
		control_printf(notifier->control, "traced %" PRIu64 " %" PRIu64 "\n", notifier->trace.calls, notifier->trace.beyond);
	control_printf(notifier->control, "foreign-calls %" PRIu64 " %" PRIu64 "\n", notifier->foreign_calls.compat,
		       notifier->foreign_calls.x32);
	send_counts(notifier, true);
	control_printf(notifier->control, "dropped %" PRIu64 "\n", notifier->ledger.dropped);
}
