#include "bpf.h"

#include "unit.h"

/* The only mode there is: 32 bits at an offset of struct seccomp_data. */
static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	assert_true(offset % sizeof word == 0 && offset <= sizeof *data - sizeof word);
	memcpy(&word, (const char *)data + offset, sizeof word);
	return word;
}

static int compare(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	case BPF_JSET:
		return (a & k) != 0;
	}
	fail_msg("unknown jump %#x", code);
	return 0;
}

uint32_t bpf_run(const struct sock_fprog *program, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < program->len; pc++) {
		const struct sock_filter *i = &program->filter[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = load(data, i->k);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			assert_int_equal(BPF_CLASS(i->code), BPF_JMP);
			assert_int_equal(BPF_SRC(i->code), BPF_K);
			pc += compare(i->code, a, i->k) ? i->jt : i->jf;
		}
	}
	fail_msg("program without an end");
	return 0;
}

uint32_t bpf_run_all(const struct filter *f, const struct seccomp_data *data)
{
	uint32_t strictest = SECCOMP_RET_ALLOW;

	/* The kernel compares actions as signed numbers: the smaller is the stricter. */
	for (uint32_t i = 0; i < f->n; i++) {
		uint32_t action = bpf_run(&f->programs[i], data);

		if ((int32_t)(action & SECCOMP_RET_ACTION_FULL) <
		    (int32_t)(strictest & SECCOMP_RET_ACTION_FULL))
			strictest = action;
	}
	return strictest;
}
