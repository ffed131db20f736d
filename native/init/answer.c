/* The subset of classic BPF that policies may use: forward jumps only, so every program ends. */
#include "answer.h"

#include <string.h>

#define MAX_ERRNO 4095

static bool filter_value(uint32_t value)
{
	return value == SECCOMP_RET_ALLOW || value == SECCOMP_RET_USER_NOTIF;
}

static bool answer_value(uint32_t value)
{
	uint32_t data = value & SECCOMP_RET_DATA;

	if ((value & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		return data >= 1 && data <= MAX_ERRNO;
	return value == SECCOMP_RET_ALLOW || value == SECCOMP_RET_KILL_PROCESS;
}

static bool valid(const struct program *program, bool (*value_allowed)(uint32_t))
{
	if (program->length == 0 || program->length > MAX_INSTRUCTIONS)
		return false;
	for (size_t i = 0; i < program->length; i++) {
		const struct sock_filter *in = &program->instructions[i];
		size_t after = program->length - i - 1; /* instructions that a jump may reach */

		switch (in->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (in->k % 4 != 0 || in->k >= sizeof(struct seccomp_data) || after == 0)
				return false;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			if (after == 0)
				return false;
			break;
		case BPF_JMP | BPF_JA:
			if (in->k >= after)
				return false;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			if (in->jt >= after || in->jf >= after)
				return false;
			break;
		case BPF_RET | BPF_K:
			if (!value_allowed(in->k))
				return false;
			break;
		default:
			return false;
		}
	}
	return true;
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
		bool taken;

		switch (in->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + in->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= in->k;
			continue;
		case BPF_JMP | BPF_JA:
			pc += in->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			taken = a == in->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			taken = a > in->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			taken = a >= in->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			taken = (a & in->k) != 0;
			break;
		case BPF_RET | BPF_K:
			return in->k;
		default:
			return SECCOMP_RET_KILL_PROCESS; /* not reached after answer_valid */
		}
		pc += taken ? in->jt : in->jf;
	}
	return SECCOMP_RET_KILL_PROCESS; /* not reached after answer_valid */
}
