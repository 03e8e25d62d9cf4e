/* judge.h: a program while it is judged; what the languages' files share. */
#ifndef COFFER_VERIFY_JUDGE_H
#define COFFER_VERIFY_JUDGE_H

#include "verify/tree.h"
#include "verify/verify.h"

struct judge {
	const struct verify_request *request;
	struct arena *arena;
	struct verify_report *report;
	struct tree tree;
	bool failed; /* no memory */
};

/* Bytes of the source. */
struct place {
	uint32_t start, end;
};

static inline struct place judge_place(const struct judge *judge, uint32_t i)
{
	return (struct place){ tree_at(&judge->tree, i)->start, tree_at(&judge->tree, i)->end };
}

/* Adds a finding, unless its rule is allowed. The text is copied. */
void judge_find(struct judge *judge, enum verify_rule rule, struct place place, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void judge_need(struct judge *judge, enum verify_need need, const char *value, struct place place);

void python_anvil(struct judge *judge);
void python_strict(struct judge *judge);

#endif
