/*
 * probe.h: tests of src/launch whose program is its own command: inside, as /probe CASE, it makes calls and prints what came of them.
 */
#ifndef COFFER_TESTS_UNIT_LAUNCH_PROBE_H
#define COFFER_TESTS_UNIT_LAUNCH_PROBE_H

#include "unit/launch/box.h"

struct probe_case {
	const char *name;
	void (*run)(void);
};

static inline void say(const char *what, long r)
{
	int saved = errno;

	printf("%s %s\n", what, r < 0 ? strerrorname_np(saved) : "ok");
}

static inline void run_case(struct box *box, const char *name, uint64_t flags, const char *const *patterns)
{
	const char *const argv[] = { "/probe", name, NULL };

	box_done(box); /* of the run before */
	box_begin(box, BOX_PROBE);
	plan_add(&box->plan, OP_DIR, "test", "/tmp/keys/deep", (uint64_t)0777);
	plan_add(&box->plan, OP_DIR, "test", "/tmp/mixed", (uint64_t)0777);
	plan_add(&box->plan, OP_DIR, "test", "/tmp/other", (uint64_t)0777);
	plan_add(&box->plan, OP_FILE, "test", "/tmp/secret.pem", (uint64_t)0666, "secret", (size_t)6);
	plan_add(&box->plan, OP_DIR, "test", "/tmp/deep/.git/hooks", (uint64_t)0777);
	plan_add(&box->plan, OP_FILE, "test", "/tmp/deep/.git/hooks/pre-commit", (uint64_t)0666, "hook", (size_t)4);
	plan_add(&box->plan, OP_FILE, "test", "/tmp/deep/plain", (uint64_t)0666, "plain", (size_t)5);
	box->filter.unix_sockets = true;
	plan_add(&box->plan, OP_FILE, "test", "/tmp/keys/deep/a", (uint64_t)0666, "secret", (size_t)6);
	box->init_flags = flags;
	*text_vec_add(&box->regions, &box->arena) = "r/";
	*text_vec_add(&box->regions, &box->arena) = "w/dev";
	*text_vec_add(&box->regions, &box->arena) = "w/tmp";
	for (; *patterns; patterns++)
		*text_vec_add(&box->patterns, &box->arena) = *patterns;
	box_end_argv(box, argv);
	box_run(box);
	assert_int_equal(box->failed_op, -1);
}

/* Inside: runs the case that is asked for. */
static inline bool probe_runs(const struct probe_case *cases, size_t n, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < n; i++) {
		if (strcmp(argv[1], cases[i].name) == 0) {
			cases[i].run();
			fflush(stdout);
			_exit(0); /* in there a sanitizer's last look round is refused */
		}
	}
	return false;
}

#endif
