/* Init's own filter: what syscalls.def marks, and nothing else. */
#include "compile/bpf.h"
#include "compile/bpf_number.h"

#include "base/own.h"
#include "unit/compile/bpf_machine.h"
#include "unit/compile/bpf_meaning.h"
#include "unit/unit.h"

enum mark { MARK_NO, MARK_YES, MARK_CLONE, MARK_IOCTL, MARK_PRCTL, MARK_SOCKET };

static const uint8_t mark_of[MEANING_NUMBERS] = {
#define CALL(name, rule, init, reason) [__NR_##name] = MARK_##init,
#include "compile/syscalls.def"
#undef CALL
};

static const uint32_t listener_ioctls[] = { 0xc0502100, 0xc0182101, 0x40082102, 0x40182103 };
static const uint32_t prctl_options[] = { 15 /* PR_SET_NAME */, 1 /* PR_SET_PDEATHSIG */ };

static bool is_one_of(const uint32_t *values, size_t n, uint32_t value)
{
	while (n--) {
		if (values[n] == value)
			return true;
	}
	return false;
}

static bool init_may(const struct seccomp_data *data)
{
	uint32_t number = (uint32_t)data->nr;

	if (data->arch != native_arch || number >= MEANING_NUMBERS)
		return false;
	if (mark_of[number] == MARK_CLONE)
		return (uint32_t)data->args[0] == (0x400 | 17); /* CLONE_FILES, SIGCHLD */
	if (mark_of[number] == MARK_IOCTL)
		return is_one_of(listener_ioctls, ARRAY_LEN(listener_ioctls), (uint32_t)data->args[1]);
	if (mark_of[number] == MARK_PRCTL)
		return is_one_of(prctl_options, ARRAY_LEN(prctl_options), (uint32_t)data->args[0]);
	if (mark_of[number] == MARK_SOCKET)
		return (uint32_t)data->args[0] == AF_UNIX;
	return mark_of[number] == MARK_YES;
}

struct fixture {
	struct arena arena;
	const struct sock_filter *program;
	size_t n;
};

static int setup(void **state)
{
	static struct fixture f;
	const void *program;
	size_t bytes;

	arena_init(&f.arena, 1 << 20);
	if (bpf_build_init(&f.arena, &program, &bytes, NULL) < 0)
		return -1;
	f.program = program;
	f.n = bytes / sizeof(struct sock_filter);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_done(&f->arena);
	return 0;
}

static void check(const struct fixture *f, const struct seccomp_data *data)
{
	struct machine m = machine_run(f->program, f->n, data);

	assert_false(m.broken);
	assert_int_equal(m.verdict, init_may(data) ? allowed : killed);
}

static void test_every_number(void **state)
{
	static const uint32_t above[] = { 0, 0x40000000, 0x80000000, 0xc0000000, 0xfffffc00 };
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64, AUDIT_ARCH_I386, 0 };

	for (uint32_t i = 0; i < 1024 * ARRAY_LEN(above) * ARRAY_LEN(arches); i++) {
		struct seccomp_data data = { .nr = (int)(above[i / 1024 % ARRAY_LEN(above)] | i % 1024) };

		data.arch = arches[i / 1024 / ARRAY_LEN(above)];
		check(*state, &data);
	}
}

static void test_arguments(void **state)
{
	for (__u64 low = 0; low < 64; low++) {
		struct seccomp_data data = { .nr = __NR_prctl, .arch = native_arch, .args = { low } };

		check(*state, &data);
		data.args[0] |= 0x500000000;
		check(*state, &data);
		data.nr = __NR_socket;
		data.args[0] = low;
		check(*state, &data);
		data.nr = __NR_clone;
		for (unsigned bit = 0; bit < 64; bit++) {
			data.args[0] = low | (__u64)1 << bit;
			check(*state, &data);
		}
	}
	for (__u64 i = 0; i < 256 * 4; i++) {
		static const __u64 shapes[] = { 0xc0502100, 0xc0182100, 0x40082100, 0x40182100 };
		struct seccomp_data data = { .nr = __NR_ioctl, .arch = native_arch, .args = { 7, shapes[i % 4] | i / 4 } };

		check(*state, &data);
		data.args[1] |= 0x100000000;
		check(*state, &data);
		data.args[1] = i;
		check(*state, &data);
	}
}

static void test_never(void **state)
{
	static const int calls[] = { __NR_execve,       __NR_execveat, __NR_clone,   __NR_clone3,
		                     __NR_socket,       __NR_accept,   __NR_ptrace,  __NR_process_vm_writev,
		                     __NR_mmap,         __NR_mprotect, __NR_mount,   __NR_unshare,
		                     __NR_setns,        __NR_setuid,   __NR_seccomp, __NR_bpf,
		                     __NR_memfd_create, __NR_chroot };
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct seccomp_data data = { .nr = calls[i], .arch = native_arch };

		assert_int_equal(machine_run(f->program, f->n, &data).verdict, killed);
	}
	assert_true(machine_all_reached(f->program, f->n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_number),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_never),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
