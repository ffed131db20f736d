/* Answers the calls that the filter sends to the supervisor, and reports them. */
#ifndef PORIN_NOTIFY_H
#define PORIN_NOTIFY_H

#include <stdbool.h>
#include <sys/types.h>

#include "control.h"
#include "policy.h"
#include "shapes.h"

struct notifier {
	int listener;
	const struct policy *policy;
	struct control *control;
	pid_t child;
	bool start_continued; /* no further execve can be the one that starts the payload */
	struct ledger ledger;
};

/* Takes over the listener. False with errno set if the kernel's structures are larger than any known. */
bool notify_open(struct notifier *notifier, int listener);

/* Answers one pending call. False if the worker is gone. */
bool notify_answer(struct notifier *notifier);

/* Reports the exact counts, which end the list of denials. */
bool notify_report_counts(struct notifier *notifier);

#endif
