/* Exit codes of porin-init itself; otherwise it ends with the payload's, or 128 and its signal's number. */
#pragma once

#define EXIT_USAGE 64        /* not PID 1, or started without a control socket */
#define EXIT_CONTROL 76      /* the worker was not understood, or is gone */
#define EXIT_NOT_STARTED 127 /* the payload could not be executed */
