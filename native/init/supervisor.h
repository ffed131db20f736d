/* PID 1 while the payload runs. */
#pragma once

#include "control.h"
#include "policy.h"

/*
 * Takes at most one pending signal. True, with its number, if it came from outside the container: a payload cannot make
 * it look so.
 */
bool supervisor_outside_signal(int signals, int *number);

/* Runs the payload to its end and reports it. Returns the exit code for PID 1. */
int supervisor_run(const struct policy *policy, struct control *control, int signals);
