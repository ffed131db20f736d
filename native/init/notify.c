/* The user-notification end of the filter: seccomp_unotify(2). */
#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "detail.h"
#include "payload.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#define FOREIGN_BIT 0x40000000 /* __X32_SYSCALL_BIT */
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#define FOREIGN_BIT 0
#else
#error "porin-init knows x86_64 and aarch64"
#endif

/* Linux 6.6; not in every linux/seccomp.h. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* The kernel copies as many bytes as it knows, which may be more than this was compiled with. */
static union {
	struct seccomp_notif value;
	char room[512];
} request;
static union {
	struct seccomp_notif_resp value;
	char room[512];
} response;

/* Too large for a stack, and only needed between one RECV and its SEND. */
static struct denial current;

bool notify_open(struct notifier *notifier, int listener)
{
	struct seccomp_notif_sizes sizes;

	notifier->listener = listener;
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return false;
	if (sizes.seccomp_notif > sizeof(request) || sizes.seccomp_notif_resp > sizeof(response)) {
		errno = E2BIG;
		return false;
	}
	/* The payload's core answers at once: a tenth of the latency. Without it everything works, slower. */
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	return true;
}

static bool is_native(const struct seccomp_data *data)
{
	return data->arch == NATIVE_ARCH && !((uint32_t)data->nr & FOREIGN_BIT);
}

static bool is_start(const struct notifier *notifier)
{
	const struct seccomp_data *data = &request.value.data;

	return !notifier->start_continued && (pid_t)request.value.pid == notifier->child && is_native(data) &&
	       data->nr == SYS_execve && data->args[0] == (uintptr_t)payload_executable;
}

static bool send_response(struct notifier *notifier, int error)
{
	memset(&response, 0, sizeof(response));
	response.value.id = request.value.id;
	if (error == 0)
		response.value.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		response.value.error = -error;
	return ioctl(notifier->listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

static uint32_t decide(const struct notifier *notifier)
{
	const struct seccomp_data *data = &request.value.data;
	uint32_t verdict = answer_run(&notifier->policy->answer, data);

	/* Whatever the program says, a call goes on only in audit, and never under another ABI's numbers. */
	if (verdict == SECCOMP_RET_ALLOW && (notifier->policy->enforcement != ENFORCEMENT_AUDIT || !is_native(data)))
		return SECCOMP_RET_ERRNO | ENOSYS;
	return verdict;
}

static bool carry_out(struct notifier *notifier, uint32_t verdict)
{
	if (verdict == SECCOMP_RET_KILL_PROCESS)
		return kill(-1, SIGKILL) == 0; /* the blocked call never goes on: its thread dies in it */
	return send_response(notifier, (int)(verdict & SECCOMP_RET_DATA)); /* ALLOW has no data: 0 is to continue */
}

static bool report(struct notifier *notifier)
{
	const __u64 *args = current.data.args;
	const char *action = "refused";

	if (current.verdict == SECCOMP_RET_ALLOW)
		action = "continued";
	else if (current.verdict == SECCOMP_RET_KILL_PROCESS)
		action = "killed";
	return control_printf(notifier->control,
			      "denial %zu 0x%x %u %s %u 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx%.*s\n",
			      notifier->ledger.length - 1, current.data.arch, (uint32_t)current.data.nr, action,
			      current.verdict & SECCOMP_RET_DATA, args[0], args[1], args[2], args[3], args[4], args[5],
			      (int)current.detail_length, current.detail);
}

bool notify_answer(struct notifier *notifier)
{
	memset(&request, 0, sizeof(request));
	if (ioctl(notifier->listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
		return true; /* ENOENT: a signal took the call back before it was received */
	if (is_start(notifier)) {
		notifier->start_continued = send_response(notifier, 0);
		return true;
	}
	current.data = request.value.data;
	current.verdict = decide(notifier);
	detail_read(&current, (pid_t)request.value.pid, is_native(&current.data));
	/* The thread may have died and its number be in use again: then what was read is another one's. */
	if (ioctl(notifier->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.value.id) < 0)
		return true;
	/* Only an answer that arrived counts: a call taken back by a signal comes again. */
	if (!carry_out(notifier, current.verdict))
		return true;
	return ledger_add(&notifier->ledger, &current) == LEDGER_NEW ? report(notifier) : true;
}

bool notify_report_counts(struct notifier *notifier)
{
	const struct ledger *ledger = &notifier->ledger;

	for (size_t i = 0; i < ledger->length; i++)
		if (!control_printf(notifier->control, "count %zu %" PRIu64 "\n", i, ledger->counts[i]))
			return false;
	return control_printf(notifier->control, "dropped %" PRIu64 "\n", ledger->dropped);
}
