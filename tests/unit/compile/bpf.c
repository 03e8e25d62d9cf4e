/*
 * The filter against its meaning: every call number, every architecture, arguments at and around every edge, for every request.
 * The sweep runs the program in a machine of our own (bpf_machine.h); bpf_kernel.c asks the kernel.
 */
#include "compile/bpf.h"

#include "base/own.h"
#include "unit/compile/bpf_machine.h"
#include "unit/compile/bpf_meaning.h"
#include "unit/unit.h"

enum { REQUESTS = 2048 };

static meaning *const meaning_of[MEANING_NUMBERS] = {
#define CALL(name, rule, init, reason) [__NR_##name] = mean_##rule,
#include "compile/syscalls.def"
#undef CALL
};

/* What the filter must answer. */
static uint32_t meaning_of_call(const struct bpf_request *q, const struct seccomp_data *data)
{
	uint32_t number = (uint32_t)data->nr;

	if (data->arch != native_arch)
		return killed;
#ifdef __x86_64__
	if (number & 0x40000000 && data->nr != -1)
		return killed;
#endif
	if (number >= MEANING_NUMBERS || !meaning_of[number])
		return missing;
	return meaning_of[number](q, data->args);
}

struct subject {
	struct arena arena;
	struct bpf_request request;
	const struct sock_filter *program;
	size_t n;
};

static struct bpf_request request_number(unsigned bits)
{
	return (struct bpf_request){
		.notify = bits & 1,
		.tell_writes = bits & 2,
		.tell_reads = bits & 4,
		.act_names = bits & 8,
		.act_opens = bits & 16,
		.inet = bits & 32,
		.unix_sockets = bits & 64,
		.ptrace = bits & 128,
		.nested_userns = bits & 256,
		.host_ipc = bits & 512,
		.act_sockets = bits & 1024,
	};
}

/* False for a request that cannot be. */
static bool subject_init(struct subject *s, unsigned bits)
{
	const void *program;
	size_t bytes;

	arena_init(&s->arena, 1 << 20);
	s->request = request_number(bits);
	if (bpf_build(&s->arena, &s->request, &program, &bytes, NULL) < 0) {
		arena_done(&s->arena);
		return false;
	}
	s->program = program;
	s->n = bytes / sizeof(struct sock_filter);
	return true;
}

static struct machine check(const struct subject *s, const struct seccomp_data *data)
{
	struct machine m = machine_run(s->program, s->n, data);
	uint32_t wanted = meaning_of_call(&s->request, data);

	if (m.broken || m.verdict != wanted)
		fail_msg("call %d, arch %#x, arguments %#llx %#llx %#llx %#llx %#llx: %#x instead of %#x", data->nr, data->arch,
		         data->args[0], data->args[1], data->args[2], data->args[3], data->args[4], m.verdict, wanted);
	return m;
}

static void for_every_request(void (*test)(const struct subject *s))
{
	for (unsigned bits = 0; bits < REQUESTS; bits++) {
		struct subject s;

		if (!subject_init(&s, bits))
			continue;
		test(&s);
		arena_done(&s.arena);
	}
}

/* Numbers 0 to 1023, those with x32's bit, negative ones and the like, on native and foreign architectures. */

static void every_native_number(const struct subject *s, __u64 filling)
{
	static const uint32_t above[] = { 0, 0x40000000, 0x80000000, 0xc0000000, 0x3ffffc00, 0x7ffffc00, 0xbffffc00, 0xfffffc00, 0x10000 };

	for (size_t i = 0; i < ARRAY_LEN(above); i++) {
		for (uint32_t low = 0; low < 1024; low++) {
			struct seccomp_data data = { .nr = (int)(above[i] | low), .arch = native_arch };

			for (unsigned k = 0; k < 6; k++)
				data.args[k] = filling;
			check(s, &data);
		}
	}
}

static void every_number(const struct subject *s)
{
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64, AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_X86_64 ^ 1, 0,
		                           UINT32_MAX };

	every_native_number(s, 0);
	every_native_number(s, UINT64_MAX);
	for (size_t i = 0; i < ARRAY_LEN(arches); i++) {
		struct seccomp_data data = { .arch = arches[i] };

		for (data.nr = -1; data.nr < 1024; data.nr++)
			check(s, &data);
	}
}

static void test_every_number(void **state)
{
	(void)state;
	for_every_request(every_number);
}

/* One argument at a time takes every value that some rule knows, plain, one off, and with the upper half set. */

static const uint32_t edges[] = {
	0,          1,          2,          3,          4,          5,          6,          7,          8,          9,          0xf,
	0x10,       0x11,       0x1f,       0x22,       0x23,       0x24,       0x40,       0x4e,       0x4f,       0x80,       0xc1,
	0x200,      0x400,      0x5ed,      0x800,      0x9ed,      0xc00,      0x1000,     0x2000,     0x2180,     0x4000,     0x4aff,
	0x4b00,     0x4b3a,     0x4b94,     0x4bff,     0x4c00,     0x5401,     0x5412,     0x5413,     0x541b,     0x541c,     0x541d,
	0x541e,     0x5423,     0x5424,     0x55ff,     0x5600,     0x56ff,     0x5700,     0x6000,     0x8000,     0x9409,     0xa000,
	0xc000,     0xc1ed,     0xe000,     0x10000,    0x12180,    0x18000,    0x20000,    0x20008,    0x40000,    0x60000,    0x80000,
	0x200000,   0x3d0f00,   0x410002,   0x1200011,  0x2000000,  0x4000000,  0x8000000,  0x10000000, 0x20000000, 0x40000000, 0x40049409,
	0x40186f04, 0x40186f05, 0x40086602, 0x401c5820, 0x4008bc10, 0x4020940d, 0x41555856, 0x50009401, 0x5000940e, 0x50009417, 0x53564d41,
	0x59616d61, 0x59616d62, 0x80000000, 0x80005412, 0xc0189436, 0xd0009412, 0xfffffffc, 0xffffffff
};

static void every_edge_of(const struct subject *s, int nr)
{
	struct seccomp_data data = { .nr = nr, .arch = native_arch };

	for (size_t i = 0; i < 6 * ARRAY_LEN(edges); i++) {
		__u64 *arg = &data.args[i % 6], edge = edges[i / 6];

		*arg = edge;
		check(s, &data);
		*arg = edge | 0x100000000;
		check(s, &data);
		*arg = edge << 32;
		check(s, &data);
		*arg = 0;
	}
}

static void every_edge(const struct subject *s)
{
	for (int nr = 0; nr < MEANING_NUMBERS; nr++) {
		if (meaning_of[nr] && meaning_of[nr] != mean_ALLOW && meaning_of[nr] != mean_REFUSE && meaning_of[nr] != mean_MISSING)
			every_edge_of(s, nr);
	}
}

static void test_every_edge(void **state)
{
	(void)state;
	for_every_request(every_edge);
}

/* Families × types × protocols, and the options stacked on TCP. */

static void every_socket_of(const struct subject *s, int nr, __u64 family)
{
	static const __u64 flags[] = { 0, SOCK_CLOEXEC, SOCK_CLOEXEC | SOCK_NONBLOCK, 0x10, 0x40000000, 0x100000000 };
	static const __u64 protocols[] = { 0, 1, 2, 6, 17, 33, 58, 132, 136, 255, 256, 262, 0x100000006 };
	struct seccomp_data data = { .nr = nr, .arch = native_arch, .args = { family } };

	for (size_t i = 0; i < 16 * ARRAY_LEN(flags) * ARRAY_LEN(protocols); i++) {
		data.args[1] = i % 16 | flags[i / 16 % ARRAY_LEN(flags)];
		data.args[2] = protocols[i / 16 / ARRAY_LEN(flags)];
		check(s, &data);
	}
}

static void every_socket(const struct subject *s)
{
	/* These decide by the sockets' own bits alone. */
	if (s->request.ptrace || s->request.nested_userns || s->request.host_ipc || s->request.act_names || s->request.tell_reads)
		return;
	for (__u64 family = 0; family < 48; family++) {
		every_socket_of(s, __NR_socket, family);
		every_socket_of(s, __NR_socketpair, family);
	}
	every_socket_of(s, __NR_socket, 0x100000000 | AF_INET);
	every_socket_of(s, __NR_socket, 0xffffffff);
	every_socket_of(s, __NR_setsockopt, 6);
}

static void test_every_socket(void **state)
{
	(void)state;
	for_every_request(every_socket);
}

static void every_pair(const struct subject *s)
{
	/* Two arguments at once: a limit of another process and its new value, a TCP option, a pointer's halves. */
	static const __u64 values[] = { 0, 1, 4, 6, 31, 0x100000000, 0x100000004, 0x100000006, 0x10000001f, UINT64_MAX };
	static const int calls[] = { __NR_prlimit64, __NR_setrlimit, __NR_setsockopt, __NR_sendto, __NR_seccomp };

	for (size_t i = 0; i < ARRAY_LEN(calls) * 1000; i++) {
		__u64 a = values[i % 10], b = values[i / 10 % 10], c = values[i / 100 % 10];
		struct seccomp_data data = { .nr = calls[i / 1000], .arch = native_arch, .args = { a, b, c, 0, a, b } };

		check(s, &data);
	}
}

static void test_every_pair(void **state)
{
	(void)state;
	for_every_request(every_pair);
}

/* Open flags × modes, in each pair of neighbours. */
static void every_mode(const struct subject *s)
{
	static const __u64 flags[] = { 0,         O_WRONLY,           O_CREAT, O_CREAT | O_WRONLY,
		                       020000000, O_TMPFILE | O_RDWR, O_TRUNC, 0x100000000 | O_CREAT };
	static const __u64 modes[] = {
		0, 0777, 01777, 02000, 02755, 04000, 04755, 06755, S_IFREG | 04755, 0x10000 | 04755, 0x100000000 | 0755, 0x80000000
	};
	static const int calls[] = { __NR_open, __NR_openat, __NR_creat, __NR_openat2 };

	for (size_t i = 0; i < ARRAY_LEN(calls) * ARRAY_LEN(flags) * ARRAY_LEN(modes); i++) {
		__u64 flag = flags[i % ARRAY_LEN(flags)], mode = modes[i / ARRAY_LEN(flags) % ARRAY_LEN(modes)];
		struct seccomp_data data = { .nr = calls[i / ARRAY_LEN(flags) / ARRAY_LEN(modes)], .arch = native_arch };

		for (unsigned k = 0; k < 4; k++) {
			data.args[k] = flag;
			data.args[k + 1] = mode;
			check(s, &data);
			data.args[k] = 0;
		}
	}
}

static void test_every_mode(void **state)
{
	(void)state;
	for_every_request(every_mode);
}

/* What the kernel must be able to skip, and what makes loading cheap. */

static void shape(const struct subject *s)
{
	for (int nr = 0; nr < MEANING_NUMBERS; nr++) {
		struct seccomp_data data = { .nr = nr, .arch = native_arch };
		struct machine m = check(s, &data);

		assert_in_range(m.steps, 1, 26);
		if (!meaning_of[nr] || meaning_of[nr] == mean_ALLOW)
			assert_int_equal(m.arguments_read, 0);
	}
	assert_in_range(s->n, 1, 400);
#ifdef __x86_64__ /* elsewhere no call follows the rules of the older spellings */
	assert_true(machine_all_reached(s->program, s->n));
#endif
}

static void test_shape(void **state)
{
	(void)state;
	for_every_request(shape);
}

/* The same request gives the same bytes. */
static void test_deterministic(void **state)
{
	(void)state;
	for (unsigned bits = 1; bits < REQUESTS; bits += 7) {
		struct subject one, two;

		if (!subject_init(&one, bits))
			continue;
		assert_true(subject_init(&two, bits));
		assert_int_equal(one.n, two.n);
		assert_memory_equal(one.program, two.program, one.n * sizeof(*one.program));
		arena_done(&one.arena);
		arena_done(&two.arena);
	}
}

static void test_refuses_acting_unheard(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < REQUESTS; bits++) {
		struct bpf_request q = request_number(bits);
		struct subject s;
		bool built = subject_init(&s, bits);

		assert_int_equal(built, q.notify || !(q.act_names || q.act_opens || q.act_sockets));
		if (built)
			arena_done(&s.arena);
	}
}

static void test_no_memory(void **state)
{
	struct bpf_request q = { .inet = true };
	const void *program = &q;
	size_t bytes = 7;
	struct err err = { .code = ERR_NONE };
	struct arena arena;

	(void)state;
	arena_init(&arena, 64);
	assert_int_equal(bpf_build(&arena, &q, &program, &bytes, &err), -ENOMEM);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_ptr_equal(program, &q);
	assert_int_equal(bytes, 7);
	arena_done(&arena);
}

/* The list itself: no call of the kernel was forgotten, none has another's number. */

static void test_every_known_call_is_listed(void **state)
{
	static const struct {
		const char *name;
		int number, ours;
	} known[] = {
#define KNOWN(name, number) { #name, number, __NR_##name },
#include "unit/compile/bpf_known.def"
#undef KNOWN
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		assert_int_equal(known[i].number, known[i].ours);
		if (!meaning_of[known[i].number])
			fail_msg("%s is not in syscalls.def", known[i].name);
	}
}

/* Whatever the policy asks, never these. */
static void never(const struct subject *s)
{
	static const int calls[] = { __NR_io_uring_setup,
		                     __NR_io_uring_enter,
		                     __NR_io_uring_register,
		                     __NR_bpf,
		                     __NR_perf_event_open,
		                     __NR_userfaultfd,
		                     __NR_keyctl,
		                     __NR_add_key,
		                     __NR_request_key,
		                     __NR_kcmp,
		                     __NR_pidfd_getfd,
		                     __NR_fanotify_init,
		                     __NR_open_by_handle_at,
		                     __NR_name_to_handle_at,
		                     __NR_quotactl,
		                     __NR_quotactl_fd,
		                     __NR_swapon,
		                     __NR_swapoff,
		                     __NR_reboot,
		                     __NR_init_module,
		                     __NR_finit_module,
		                     __NR_delete_module,
		                     __NR_kexec_load,
		                     __NR_kexec_file_load,
		                     __NR_acct,
		                     __NR_vhangup,
		                     __NR_syslog,
		                     __NR_remap_file_pages,
		                     __NR_lookup_dcookie,
		                     __NR_settimeofday,
		                     __NR_clock_settime,
		                     __NR_adjtimex,
		                     __NR_clock_adjtime,
		                     __NR_process_madvise,
		                     __NR_process_mrelease,
		                     __NR_move_pages,
		                     __NR_migrate_pages,
		                     __NR_clone3,
		                     __NR_openat2,
		                     __NR_vmsplice,
		                     __NR_lsm_set_self_attr };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct seccomp_data data = { .nr = calls[i], .arch = native_arch };

		assert_int_not_equal(check(s, &data).verdict, SECCOMP_RET_ALLOW);
	}
}

/* A program must be able to tighten itself further; by Landlock only where it would hold (test_every_number knows when). */
static void always(const struct subject *s)
{
	static const int calls[] = { __NR_landlock_add_rule,
		                     __NR_landlock_restrict_self,
		                     __NR_seccomp,
		                     __NR_prctl,
		                     __NR_execve,
		                     __NR_clone,
		                     __NR_mmap,
		                     __NR_mprotect,
		                     __NR_read,
		                     __NR_write,
		                     __NR_futex,
		                     __NR_rseq,
		                     __NR_membarrier,
		                     __NR_statx,
		                     __NR_close_range,
		                     __NR_getrandom,
		                     __NR_memfd_create,
		                     __NR_prlimit64,
		                     __NR_sched_setaffinity,
		                     __NR_exit_group };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct seccomp_data data = { .nr = calls[i], .arch = native_arch };

		assert_int_equal(check(s, &data).verdict, SECCOMP_RET_ALLOW);
	}
}

static void test_never_and_always(void **state)
{
	(void)state;
	for_every_request(never);
	for_every_request(always);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_known_call_is_listed),
		cmocka_unit_test(test_every_number),
		cmocka_unit_test(test_every_edge),
		cmocka_unit_test(test_every_socket),
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_every_mode),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_refuses_acting_unheard),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_never_and_always),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
