/* Answers the calls that the filter sends to the supervisor, and reports them. */
#pragma once

#include "control.h"
#include "foreign.h"
#include "policy.h"
#include "trace.h"

struct notifier {
	int listener;
	const struct policy *policy;
	struct control *control;
	pid_t child;
	const char *executable; /* the path that the child gives to execve, at the same address in both */
	bool started;	    /* the payload has been executed: every further call is its own */
	int64_t started_us; /* when its execve was made, or went on where it had to wait for that */
	int64_t counted_us, traced_us; /* when counts and trace were last sent */
	bool program_told; /* a program of another ABI: the first is enough */
	struct foreign_calls foreign_calls;
	struct ledger ledger;
	struct trace trace;
};

/* Takes over the listener. False with errno set if the kernel's structures are larger than any known. */
bool notify_open(struct notifier *notifier, int listener);

/*
 * Waits for a call and answers it. False if a signal or a process's end came first. Only while the trace has room: as
 * long as the worker does not take it, calls wait in the kernel.
 */
bool notify_answer(struct notifier *notifier);

/* Reports a program of another ABI. */
void notify_program(struct control *control, const struct foreign_program *program);

/* Sends what is due of counts and trace. */
void notify_send_due(struct notifier *notifier);

/* After how long notify_send_due has to be called again; -1: not before something happens. */
int notify_timeout_ms(const struct notifier *notifier);

/* Reports the rest of the trace, the calls of other ABIs, and the exact counts, which end the list of denials. */
void notify_report_end(struct notifier *notifier);
