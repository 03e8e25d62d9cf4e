/*
 * Theory of operation. All call numbers are one line from 0 to 2^32 - 1. syscalls.def cuts it into ranges whose calls come to
 * the same place, and a balanced tree of comparisons finds the range:
 *
 *   the architecture's word ── foreign ──▶ killed
 *   the number's word
 *   ≥ ?  ≥ ?  ≥ ?          about eight comparisons, so that loading is cheap too: the kernel runs a new filter once for
 *   each number, to remember those that it always allows
 *   ├──▶ a verdict
 *   └──▶ an argument rule ──▶ a verdict
 *
 * The program is written from its end (bpf_code.h): verdicts, then argument rules, then the tree, then the first two words.
 */
#include "compile/bpf.h"

#include "compile/bpf_code.h"
#include "compile/bpf_number.h"
#include "compile/bpf_rules.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#if defined(__x86_64__)
enum { NATIVE = (int)AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__) && defined(__AARCH64EL__)
enum { NATIVE = (int)AUDIT_ARCH_AARCH64 };
#else
#error "the filter rules know x86_64 and little-endian aarch64"
#endif

/* Numbers above the table are unknown; it is as long as the longest x86_64 list of 6.18, with room. */
enum { NUMBERS = 512, RANGES_MAX = NUMBERS + 8 };

static const uint8_t rule_of[NUMBERS] = {
#define CALL(name, rule, init, reason) [__NR_##name] = RULE_##rule,
#include "compile/syscalls.def"
#undef CALL
};

static const uint8_t init_rule_of[NUMBERS] = {
#define CALL(name, rule, init, reason) [__NR_##name] = INIT_##init,
#include "compile/syscalls.def"
#undef CALL
};

/* Each range ends where the next one starts. */
struct ranges {
	struct {
		uint32_t first;
		unsigned place;
	} at[RANGES_MAX];
	size_t n;
};

static void ranges_add(struct ranges *ranges, uint32_t first, unsigned place)
{
	if (ranges->n && ranges->at[ranges->n - 1].place == place)
		return;
	ranges->at[ranges->n].first = first;
	ranges->at[ranges->n].place = place;
	ranges->n++;
}

static void cut(struct ranges *ranges, const uint8_t rules[NUMBERS], const unsigned *place)
{
	ranges->n = 0;
	for (uint32_t nr = 0; nr < NUMBERS; nr++)
		ranges_add(ranges, nr, place[rules[nr]]);
	ranges_add(ranges, NUMBERS, place[0]);
}

/* x32 calls come as x86_64 with this bit. The number -1 has it too: the kernel's own mark of a call that a tracer skipped. */
static void cut_x32(struct ranges *ranges, unsigned missing, unsigned kill)
{
#ifdef __x86_64__
	const uint32_t bit = 0x40000000; /* __X32_SYSCALL_BIT */

	ranges_add(ranges, bit, kill);
	ranges_add(ranges, 2 * bit, missing);
	ranges_add(ranges, 3 * bit, kill);
	ranges_add(ranges, UINT32_MAX, missing);
#else
	(void)ranges, (void)missing, (void)kill;
#endif
}

/* The tree over ranges from .. to - 1. As deep as the logarithm of their number. */
static unsigned branch(struct bpf_code *code, const struct ranges *ranges, size_t from, size_t to)
{
	size_t middle = from + (to - from) / 2;
	unsigned above, below;

	if (to - from == 1)
		return ranges->at[from].place;
	above = branch(code, ranges, middle, to);
	below = branch(code, ranges, from, middle);
	return bpf_if(code, BPF_JGE, ranges->at[middle].first, above, below);
}

static void finish(struct bpf_code *code, const struct ranges *ranges, unsigned kill)
{
	unsigned number = bpf_load(code, offsetof(struct seccomp_data, nr), branch(code, ranges, 0, ranges->n));

	bpf_load(code, offsetof(struct seccomp_data, arch), bpf_if(code, BPF_JEQ, (uint32_t)NATIVE, number, kill));
}

static int hand_over(struct arena *arena, const struct bpf_code *code, const void **ret_filter, size_t *ret_bytes, struct err *err)
{
	size_t bytes = code->n * sizeof(struct sock_filter);
	void *filter;

	if (code->full)
		return err_set(err, ERR_INTERNAL, EOVERFLOW, "system call filter: more than %d instructions", BPF_CODE_MAX);
	filter = arena_alloc(arena, bytes);
	if (!filter)
		return err_set(err, ERR_LIMIT, ENOMEM, "system call filter: no memory");
	memcpy(filter, bpf_code_start(code), bytes);
	*ret_filter = filter;
	*ret_bytes = bytes;
	return 0;
}

int bpf_build(struct arena *arena, const struct bpf_request *request, const void **ret_filter, size_t *ret_bytes, struct err *err)
{
	struct bpf_code code;
	struct ranges ranges;
	unsigned place[RULES_END], kill;

	if (!request->notify && (request->act_names || request->act_opens || request->act_sockets))
		return err_set(err, ERR_INTERNAL, EINVAL, "system call filter: init cannot perform calls without listening");
	bpf_code_init(&code);
	kill = bpf_return(&code, SECCOMP_RET_KILL_PROCESS);
	bpf_rules_put(&code, request, place);
	cut(&ranges, rule_of, place);
	cut_x32(&ranges, place[RULE_MISSING], kill);
	finish(&code, &ranges, kill);
	return hand_over(arena, &code, ret_filter, ret_bytes, err);
}

int bpf_build_init(struct arena *arena, const void **ret_filter, size_t *ret_bytes, struct err *err)
{
	struct bpf_code code;
	struct ranges ranges;
	unsigned place[INIT_RULES_END];

	bpf_code_init(&code);
	bpf_init_rules_put(&code, place);
	cut(&ranges, init_rule_of, place);
	finish(&code, &ranges, place[INIT_NO]);
	return hand_over(arena, &code, ret_filter, ret_bytes, err);
}
