/* What makes a program valid, and what each instruction does. */
#include "../answer.h"

#include <errno.h>
#include <string.h>

#include "test.h"

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define JUMP(operation, k, jt, jf) BPF_JUMP(BPF_JMP | (operation) | BPF_K, k, jt, jf)
#define RET(value) BPF_STMT(BPF_RET | BPF_K, value)
#define REFUSE(error) RET(SECCOMP_RET_ERRNO | (error))
#define ALLOW RET(SECCOMP_RET_ALLOW)

static struct program program;

static const struct program *make(const struct sock_filter *instructions, size_t length)
{
	memset(&program, 0, sizeof(program));
	program.length = length;
	memcpy(program.instructions, instructions, length * sizeof(*instructions));
	return &program;
}

#define PROGRAM(...)                                                                     \
	make((const struct sock_filter[]){ __VA_ARGS__ },                                \
	     sizeof((const struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter))

static void validity(void)
{

	CHECK(answer_valid(PROGRAM(ALLOW)));
	CHECK(answer_valid(PROGRAM(RET(SECCOMP_RET_KILL_PROCESS))));
	CHECK(answer_valid(PROGRAM(REFUSE(1))));
	CHECK(answer_valid(PROGRAM(REFUSE(4095))));
	CHECK(!answer_valid(PROGRAM(REFUSE(0)))); /* would be a call that seems to have worked */
	CHECK(!answer_valid(PROGRAM(REFUSE(4096))));
	CHECK(!answer_valid(PROGRAM(RET(SECCOMP_RET_USER_NOTIF))));
	CHECK(!answer_valid(PROGRAM(RET(SECCOMP_RET_LOG))));
	CHECK(!answer_valid(PROGRAM(RET(SECCOMP_RET_ALLOW | 1))));
	CHECK(filter_valid(PROGRAM(RET(SECCOMP_RET_USER_NOTIF))));
	CHECK(filter_valid(PROGRAM(REFUSE(1)))); /* a quiet refusal */
	CHECK(filter_valid(PROGRAM(REFUSE(4095))));
	CHECK(!filter_valid(PROGRAM(REFUSE(0))));
	CHECK(!filter_valid(PROGRAM(REFUSE(4096))));
	CHECK(!filter_valid(PROGRAM(RET(SECCOMP_RET_KILL_PROCESS))));
	CHECK(!filter_valid(PROGRAM(RET(SECCOMP_RET_LOG))));
	CHECK(!filter_valid(PROGRAM(RET(SECCOMP_RET_TRACE))));

	/* The end. */
	CHECK(!answer_valid(PROGRAM(LOAD(0))));
	CHECK(!answer_valid(PROGRAM(ALLOW, LOAD(0))));
	CHECK(!answer_valid(PROGRAM(ALLOW, BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 1))));

	/* Jumps: into the program, never past its last instruction. */
	CHECK(answer_valid(PROGRAM(JUMP(BPF_JEQ, 0, 1, 0), ALLOW, ALLOW)));
	CHECK(!answer_valid(PROGRAM(JUMP(BPF_JEQ, 0, 2, 0), ALLOW, ALLOW)));
	CHECK(!answer_valid(PROGRAM(JUMP(BPF_JEQ, 0, 0, 2), ALLOW, ALLOW)));
	CHECK(answer_valid(PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 1), ALLOW, ALLOW)));
	CHECK(!answer_valid(PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 2), ALLOW, ALLOW)));
	CHECK(!answer_valid(PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), ALLOW, ALLOW)));

	/* Loads: aligned words inside seccomp_data. */
	CHECK(answer_valid(PROGRAM(LOAD(60), ALLOW)));
	CHECK(!answer_valid(PROGRAM(LOAD(64), ALLOW)));
	CHECK(!answer_valid(PROGRAM(LOAD(2), ALLOW)));
	CHECK(!answer_valid(PROGRAM(LOAD(0xfffffffc), ALLOW)));

	/* Everything else of classic BPF. */
	CHECK(!answer_valid(PROGRAM(BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), ALLOW)));
	CHECK(!answer_valid(PROGRAM(BPF_STMT(BPF_LD | BPF_W | BPF_MEM, 0), ALLOW)));
	CHECK(!answer_valid(PROGRAM(BPF_STMT(BPF_ST, 0), ALLOW)));
	CHECK(!answer_valid(PROGRAM(BPF_STMT(BPF_MISC | BPF_TAX, 0), ALLOW)));
	CHECK(!answer_valid(PROGRAM(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW)));
	CHECK(!answer_valid(PROGRAM(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 0), ALLOW)));
	CHECK(!answer_valid(PROGRAM(BPF_STMT(BPF_RET | BPF_A, 0))));

	memset(&program, 0, sizeof(program));
	CHECK(!answer_valid(&program));
	for (size_t i = 0; i < MAX_INSTRUCTIONS; i++)
		program.instructions[i] = (struct sock_filter)ALLOW;
	program.length = MAX_INSTRUCTIONS;
	CHECK(answer_valid(&program));
	program.length = MAX_INSTRUCTIONS + 1;
	CHECK(!answer_valid(&program));
}

/* Whether `operation` with `k` holds for `value`. */
static bool holds(unsigned short operation, uint32_t k, uint32_t value)
{
	struct seccomp_data data = { .nr = (int)value };
	const struct program *test = PROGRAM(LOAD(0), JUMP(operation, k, 0, 1), ALLOW, REFUSE(1));

	return answer_valid(test) && answer_run(test, &data) == SECCOMP_RET_ALLOW;
}

static void instructions(void)
{
	struct seccomp_data data = { .nr = 7, .arch = 0xc000003e, .args = { 0x1122334455667788, 0, 0, 0, 0, 0xff } };

	CHECK(holds(BPF_JEQ, 5, 5) && !holds(BPF_JEQ, 5, 6));
	CHECK(holds(BPF_JGT, 5, 6) && !holds(BPF_JGT, 5, 5));
	CHECK(holds(BPF_JGE, 5, 5) && !holds(BPF_JGE, 5, 4));
	CHECK(holds(BPF_JSET, 6, 2) && !holds(BPF_JSET, 6, 9));
	/* Comparisons are unsigned: number -1 is the largest. */
	CHECK(holds(BPF_JGE, 0x40000000, 0xffffffff));

	CHECK(answer_run(PROGRAM(LOAD(4), JUMP(BPF_JEQ, 0xc000003e, 0, 1), ALLOW, REFUSE(1)), &data) == SECCOMP_RET_ALLOW);
	/* The low word of an argument comes first. */
	CHECK(answer_run(PROGRAM(LOAD(16), JUMP(BPF_JEQ, 0x55667788, 0, 1), ALLOW, REFUSE(1)), &data) ==
	      SECCOMP_RET_ALLOW);
	CHECK(answer_run(PROGRAM(LOAD(56), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x0f), JUMP(BPF_JEQ, 0x0f, 0, 1), ALLOW,
				 REFUSE(1)),
			 &data) == SECCOMP_RET_ALLOW);
	CHECK(answer_run(PROGRAM(BPF_STMT(BPF_JMP | BPF_JA, 1), REFUSE(1), REFUSE(EACCES)), &data) ==
	      (SECCOMP_RET_ERRNO | EACCES));
	/* The accumulator begins as zero, as in the kernel. */
	CHECK(answer_run(PROGRAM(JUMP(BPF_JEQ, 0, 0, 1), ALLOW, REFUSE(1)), &data) == SECCOMP_RET_ALLOW);
}

void test_answer(void)
{
	validity();
	instructions();
}
