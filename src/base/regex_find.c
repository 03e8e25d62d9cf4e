#include "base/regex_part.h"

#include <string.h>

struct search {
	struct regex *regex;
	const char *text;
	size_t n, at; /* where in the text */
};

static bool is_word(const struct search *s, size_t at)
{
	unsigned char c = at < s->n ? (unsigned char)s->text[at] : 0;

	return (c >= '0' && c <= '9') || ((c | ' ') >= 'a' && (c | ' ') <= 'z') || c == '_';
}

static bool holds(const struct search *s, enum op op)
{
	bool border = (s->at > 0 && is_word(s, s->at - 1)) != is_word(s, s->at);

	switch (op) {
	case OP_START:
		return s->at == 0;
	case OP_END:
		return s->at == s->n;
	case OP_WORD:
		return border;
	default:
		return !border;
	}
}

/* Follows a way to where it needs a byte. The other halves of splits wait, never more than there are steps: each step is left once. */
static void follow(const struct search *s, struct ways *ways, struct way start)
{
	struct regex *re = s->regex;
	struct way *waiting = re->waiting;
	size_t n = 0;

	waiting[n++] = start;
	while (n > 0) {
		struct way way = waiting[--n];
		const struct step *step = &re->step[way.at];

		if (re->seen[way.at] == s->at + 1)
			continue;
		re->seen[way.at] = s->at + 1;
		if (step->op == OP_SPLIT) {
			waiting[n] = waiting[n + 1] = way;
			waiting[n++].at += step->y;
			waiting[n++].at += step->x;
		} else if (step->op == OP_SET || step->op == OP_MATCH) {
			ways->way[ways->n++] = way;
		} else if (step->op == OP_JUMP || step->op == OP_SAVE || holds(s, step->op)) {
			if (step->op == OP_SAVE)
				way.slot[step->x] = s->at;
			way.at += step->op == OP_JUMP ? step->x : 1;
			waiting[n++] = way;
		}
	}
}

/* One byte on. True when a way of those before has matched, which those behind it cannot better. */
static bool advance(struct search *s, struct regex_match *match)
{
	struct regex *re = s->regex;
	struct search next = { re, s->text, s->n, s->at + 1 };

	re->next.n = 0;
	for (size_t i = 0; i < re->now.n; i++) {
		struct way way = re->now.way[i];
		const struct step *step = &re->step[way.at];

		if (step->op == OP_MATCH) {
			*match = (struct regex_match){ way.slot[0], s->at, way.slot[2], way.slot[3] };
			return true;
		}
		if (s->at < s->n && has(&re->set[step->x], (unsigned char)s->text[s->at])) {
			way.at++;
			follow(&next, &re->next, way);
		}
	}
	return false;
}

bool regex_find(struct regex *regex, const char *text, size_t n, size_t from, struct regex_match *ret_match)
{
	struct search s = { regex, text, n, from };
	bool found = false;

	memset(regex->seen, 0, sizeof(regex->seen));
	regex->now.n = 0;
	for (; s.at <= n; s.at++) {
		struct ways done = regex->now;

		if (!found)
			follow(&s, &regex->now, (struct way){ .at = 0, .slot = { s.at, REGEX_NONE, REGEX_NONE, REGEX_NONE } });
		if (regex->now.n == 0 && found)
			break;
		found |= advance(&s, ret_match);
		regex->now = regex->next;
		regex->next = (struct ways){ done.way, 0 };
	}
	return found;
}
