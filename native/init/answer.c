/* The subset of classic BPF that policies may use: forward jumps only, so every program ends. */
#include "answer.h"

#include <string.h>

#define MAX_ERRNO 4095

#define LOAD (BPF_LD | BPF_W | BPF_ABS)
#define AND (BPF_ALU | BPF_AND | BPF_K)
#define JUMP (BPF_JMP | BPF_JA)
#define BRANCH(condition) (BPF_JMP | (condition) | BPF_K)
#define RETURN (BPF_RET | BPF_K)

/* Errno 0 would be a call that seems to have worked; of one over the maximum the kernel makes the maximum. */
static bool refusal(uint32_t value)
{
	uint32_t data = value & SECCOMP_RET_DATA;

	return (value & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && data >= 1 && data <= MAX_ERRNO;
}

static bool filter_value(uint32_t value)
{
	return value == SECCOMP_RET_ALLOW || value == SECCOMP_RET_USER_NOTIF || refusal(value);
}

static bool answer_value(uint32_t value)
{
	return value == SECCOMP_RET_ALLOW || value == SECCOMP_RET_KILL_PROCESS || refusal(value);
}

/* `after`: instructions that a jump may reach. */
static bool instruction_valid(const struct sock_filter *in, size_t after, bool (*value_allowed)(uint32_t))
{
	switch (in->code) {
	case LOAD: return in->k % 4 == 0 && in->k < sizeof(struct seccomp_data) && after > 0;
	case AND: return after > 0;
	case JUMP: return in->k < after;
	case BRANCH(BPF_JEQ): case BRANCH(BPF_JGT): case BRANCH(BPF_JGE): case BRANCH(BPF_JSET):
		return in->jt < after && in->jf < after;
	case RETURN: return value_allowed(in->k);
	default: return false;
	}
}

static bool valid(const struct program *program, bool (*value_allowed)(uint32_t))
{
	bool held = program->length > 0 && program->length <= MAX_INSTRUCTIONS;

	for (size_t i = 0; held && i < program->length; i++)
		held = instruction_valid(&program->instructions[i], program->length - i - 1, value_allowed);
	return held;
}

bool filter_valid(const struct program *program)
{
	return valid(program, filter_value);
}

bool answer_valid(const struct program *program)
{
	return valid(program, answer_value);
}

uint32_t answer_run(const struct program *program, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < program->length; pc++) {
		const struct sock_filter *in = &program->instructions[pc];

		switch (in->code) {
		case LOAD: memcpy(&a, (const char *)data + in->k, sizeof(a)); break;
		case AND: a &= in->k; break;
		case JUMP: pc += in->k; break;
		case BRANCH(BPF_JEQ): pc += a == in->k ? in->jt : in->jf; break;
		case BRANCH(BPF_JGT): pc += a > in->k ? in->jt : in->jf; break;
		case BRANCH(BPF_JGE): pc += a >= in->k ? in->jt : in->jf; break;
		case BRANCH(BPF_JSET): pc += (a & in->k) != 0 ? in->jt : in->jf; break;
		default: return in->k; /* RETURN: answer_valid knows no other */
		}
	}
	return SECCOMP_RET_KILL_PROCESS; /* not reached after answer_valid */
}
