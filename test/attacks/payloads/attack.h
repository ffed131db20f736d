/* What every family of attacks shares: a row of its table, and how a step says what it got. */
#ifndef ATTACK_H
#define ATTACK_H

#include <stdbool.h>

#define SUPERVISOR 1
/* Of the documentation (RFC 5737): nobody has it. */
#define NOBODYS_ADDRESS 0xc0000201

struct attack {
	const char *name;
	void (*run)(void);
};

/* Each ends with a row without a name. */
extern const struct attack paper_attacks[];
extern const struct attack namespace_attacks[];
extern const struct attack supervisor_attacks[];
extern const struct attack kernel_attacks[];
extern const struct attack abi_attacks[];
extern const struct attack socket_attacks[];
extern const struct attack file_attacks[];
extern const struct attack code_attacks[];
extern const struct attack resource_attacks[];
extern const struct attack argument_attacks[];

/* Prints "step ok" or "step ERRNO", with one write and nothing else, and gives whether it is ok. */
bool said(const char *step, long result);
/* Prints "step word". */
void told(const char *step, const char *word);
/* Waits for a child and prints "step exit-N" or "step signal-N". */
void told_end(const char *step, long child);
/* A path by openat; the descriptor stays open. */
long open_path(const char *path, int flags);

/* Shared with children and closed until one process opens it, by calls that the honest work makes too. */
int *new_gate(void);
void wait_at(int *gate);
void open_gate(int *gate);

/* The program's own, honest work: reads /in/data, writes /out/result, says what it computed. `wide`: uses more kinds of calls. */
int honest_work(bool wide);
/* What honest work and attacks execute this program for. */
int helper(char **argv);
/* On the host, in the network namespace of a container: accepts one connection to an abstract name, and says so. */
int listen_for_neighbour(void);

#endif
