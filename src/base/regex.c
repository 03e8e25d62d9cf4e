/*
 * Theory of operation. An expression becomes a program for a machine that follows all ways at once (Thompson, Pike): at each byte there is a list of
 * places in the program, the preferred first, none of them twice. So no expression can make the search slow, whoever wrote the text.
 *
 * Jumps are relative, which lets a part of the program be moved when a quantifier turns up behind it, and copied when it counts.
 */
#include "base/regex_part.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

struct parse {
	struct regex *regex;
	const char *at;
	const char *fault;
	unsigned depth;
};

static bool fail(struct parse *p, const char *fault)
{
	if (!p->fault)
		p->fault = fault;
	return false;
}

/* ---- the program ---- */

static bool insert(struct parse *p, size_t at, struct step step)
{
	struct regex *re = p->regex;

	if (re->steps_n == REGEX_STEPS_MAX - 1)
		return fail(p, "is too long");
	memmove(&re->step[at + 1], &re->step[at], (re->steps_n - at) * sizeof(step));
	re->step[at] = step;
	re->steps_n++;
	return true;
}

static bool add(struct parse *p, enum op op, int x, int y)
{
	return insert(p, p->regex->steps_n, (struct step){ op, x, y });
}

static bool add_split(struct parse *p, size_t at, int in, int out, bool lazy)
{
	return insert(p, at, lazy ? (struct step){ OP_SPLIT, out, in } : (struct step){ OP_SPLIT, in, out });
}

/* ---- sets of bytes ---- */

static void put_range(struct set *set, unsigned first, unsigned last)
{
	for (unsigned c = first; c <= last; c++)
		set->bits[c / 8] |= (unsigned char)(1u << c % 8);
}

static void invert(struct set *set)
{
	for (size_t i = 0; i < SET_BYTES; i++)
		set->bits[i] = (unsigned char)~set->bits[i];
}

static bool add_set(struct parse *p, const struct set *set)
{
	if (p->regex->sets_n == SETS_MAX)
		return fail(p, "is too long");
	p->regex->set[p->regex->sets_n] = *set;
	return add(p, OP_SET, (int)p->regex->sets_n++, 0);
}

static void put_spaces(struct set *set)
{
	put_range(set, '\t', '\r');
	put_range(set, ' ', ' ');
}

static void put_word(struct set *set)
{
	put_range(set, '0', '9');
	put_range(set, 'A', 'Z');
	put_range(set, 'a', 'z');
	put_range(set, '_', '_');
}

/* \d and its like; false for other letters. */
static bool put_class(struct set *set, char letter)
{
	struct set class = { { 0 } };

	if (letter == 'd' || letter == 'D')
		put_range(&class, '0', '9');
	else if (letter == 'w' || letter == 'W')
		put_word(&class);
	else if (letter == 's' || letter == 'S')
		put_spaces(&class);
	else
		return false;
	if (letter < 'a')
		invert(&class);
	for (size_t i = 0; i < SET_BYTES; i++)
		set->bits[i] |= class.bits[i];
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= ' ';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that is meant by what follows a backslash, or -1. */
static int read_escape(struct parse *p)
{
	static const char letters[] = "tnrfv0", meant[] = "\t\n\r\f\v";
	char c = *p->at;
	const char *found = c ? strchr(letters, c) : NULL;

	if (!c)
		return -1;
	p->at++;
	if (found)
		return meant[found - letters];
	if (c == 'x' && hex_digit(p->at[0]) >= 0 && hex_digit(p->at[1]) >= 0) {
		p->at += 2;
		return hex_digit(p->at[-2]) * 16 + hex_digit(p->at[-1]);
	}
	return (c >= '0' && c <= '9') || ((c | ' ') >= 'a' && (c | ' ') <= 'z') ? -1 : (unsigned char)c;
}

/* One byte of a set, or a class, which is put at once: then -2. -1 is an error. */
static int read_member(struct parse *p, struct set *set)
{
	if (*p->at != '\\')
		return *p->at ? (unsigned char)*p->at++ : -1;
	p->at++;
	if (put_class(set, *p->at)) {
		p->at++;
		return -2;
	}
	if (*p->at == 'b') {
		p->at++;
		return '\b';
	}
	return read_escape(p);
}

static bool read_range(struct parse *p, struct set *set)
{
	int first = read_member(p, set), last;

	if (first == -1)
		return fail(p, "has a set without an end, or an escape that is not supported");
	if (first == -2)
		return true;
	if (p->at[0] != '-' || p->at[1] == ']') {
		put_range(set, (unsigned)first, (unsigned)first);
		return true;
	}
	p->at++;
	last = read_member(p, set);
	if (last < first)
		return fail(p, "has a range that goes backwards");
	put_range(set, (unsigned)first, (unsigned)last);
	return true;
}

static bool parse_set(struct parse *p)
{
	struct set set = { { 0 } };
	bool inverted = *p->at == '^';

	p->at += inverted;
	while (*p->at != ']')
		if (!read_range(p, &set))
			return false;
	p->at++;
	if (inverted)
		invert(&set);
	return add_set(p, &set);
}

/* ---- atoms ---- */

static bool add_byte(struct parse *p, unsigned char c)
{
	struct set set = { { 0 } };

	put_range(&set, c, c);
	return add_set(p, &set);
}

static bool parse_escaped(struct parse *p)
{
	struct set set = { { 0 } };
	int c;

	if (put_class(&set, *p->at)) {
		p->at++;
		return add_set(p, &set);
	}
	if (*p->at == 'b' || *p->at == 'B')
		return add(p, *p->at++ == 'b' ? OP_WORD : OP_NO_WORD, 0, 0);
	c = read_escape(p);
	return c < 0 ? fail(p, "has an escape that is not supported") : add_byte(p, (unsigned char)c);
}

static bool parse_any(struct parse *p)
{
	struct set set = { { 0 } };

	put_range(&set, '\n', '\n');
	put_range(&set, '\r', '\r');
	invert(&set);
	return add_set(p, &set);
}

static bool parse_alternatives(struct parse *p);

static bool parse_group(struct parse *p)
{
	bool captures = *p->at != '?';
	bool first;

	if (!captures && p->at[1] != ':')
		return fail(p, "has a group that is not supported: (?: is the only one with a question mark");
	if (!captures)
		p->at += 2;
	first = captures && ++p->regex->groups == 1;
	if (first && !add(p, OP_SAVE, 2, 0))
		return false;
	if (!parse_alternatives(p))
		return false;
	if (*p->at++ != ')')
		return fail(p, "has a group without an end");
	return !first || add(p, OP_SAVE, 3, 0);
}

static bool parse_atom(struct parse *p)
{
	char c = *p->at++;

	switch (c) {
	case '(':
		return parse_group(p);
	case '[':
		return parse_set(p);
	case '.':
		return parse_any(p);
	case '\\':
		return parse_escaped(p);
	case '^':
		return add(p, OP_START, 0, 0);
	case '$':
		return add(p, OP_END, 0, 0);
	case '*':
	case '+':
	case '?':
		return fail(p, "has a quantifier with nothing before it");
	default:
		return add_byte(p, (unsigned char)c);
	}
}

/* ---- quantifiers ---- */

static int read_number(struct parse *p)
{
	int number = 0;

	if (*p->at < '0' || *p->at > '9')
		return -1;
	for (; *p->at >= '0' && *p->at <= '9'; p->at++)
		if (number <= COUNT_MAX)
			number = number * 10 + (*p->at - '0');
	return number;
}

/* "{2}", "{2,}", "{2,5}". What looks otherwise is text, as in JavaScript. */
static bool read_counts(struct parse *p, int *ret_least, int *ret_most)
{
	const char *start = p->at++;

	*ret_least = *ret_most = read_number(p);
	if (*ret_least >= 0 && *p->at == ',') {
		p->at++;
		*ret_most = *p->at == '}' ? UNBOUNDED : read_number(p);
		if (*ret_most < 0 && *p->at != '}')
			*ret_least = -1;
	}
	if (*ret_least >= 0 && *p->at++ == '}')
		return true;
	p->at = start;
	return false;
}

static bool add_copy(struct parse *p, const struct step *atom, size_t n)
{
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++)
		ok = insert(p, p->regex->steps_n, atom[i]);
	return ok;
}

static bool repeat(struct parse *p, size_t start, int least, int most, bool lazy)
{
	struct regex *re = p->regex;
	int n = (int)(re->steps_n - start);
	struct step atom[REGEX_STEPS_MAX];
	bool ok = true;

	if (least > COUNT_MAX || most > COUNT_MAX || (most != UNBOUNDED && most < least))
		return fail(p, "counts too far, or backwards");
	memcpy(atom, &re->step[start], (size_t)n * sizeof(atom[0]));
	re->steps_n = start;
	for (int i = 0; i < least && ok; i++)
		ok = add_copy(p, atom, (size_t)n);
	if (most == UNBOUNDED)
		return ok && add_split(p, re->steps_n, 1, n + 2, lazy) && add_copy(p, atom, (size_t)n) && add(p, OP_JUMP, -n - 1, 0);
	for (int i = least; i < most && ok; i++)
		ok = add_split(p, re->steps_n, 1, n + 1, lazy) && add_copy(p, atom, (size_t)n);
	return ok;
}

static bool parse_quantifier(struct parse *p, size_t start)
{
	int least = 0, most = UNBOUNDED;
	bool lazy;

	if (*p->at == '{') {
		if (!read_counts(p, &least, &most))
			return true;
	} else if (*p->at == '*' || *p->at == '+' || *p->at == '?') {
		least = *p->at == '+';
		most = *p->at == '?' ? 1 : UNBOUNDED;
		p->at++;
	} else {
		return true;
	}
	lazy = *p->at == '?';
	p->at += lazy;
	return repeat(p, start, least, most, lazy);
}

static bool parse_sequence(struct parse *p)
{
	while (*p->at && *p->at != '|' && *p->at != ')') {
		size_t start = p->regex->steps_n;

		if (!parse_atom(p) || !parse_quantifier(p, start))
			return false;
	}
	return true;
}

static bool parse_alternatives(struct parse *p)
{
	size_t start = p->regex->steps_n, jump;
	bool ok = p->depth < REGEX_DEPTH_MAX ? parse_sequence(p) : fail(p, "is nested too deeply");

	if (!ok || *p->at != '|')
		return ok;
	p->at++;
	p->depth++;
	jump = p->regex->steps_n + 1;
	ok = add_split(p, start, 1, (int)(jump - start) + 1, false) && add(p, OP_JUMP, 0, 0) && parse_alternatives(p);
	if (ok)
		p->regex->step[jump].x = (int)(p->regex->steps_n - jump);
	p->depth--;
	return ok;
}

int regex_compile(const char *text, struct arena *arena, struct regex **ret_regex, const char **ret_fault)
{
	struct regex *re = ARENA_NEW(arena, struct regex);
	struct parse p = { .regex = re, .at = text };

	if (!re)
		return -ENOMEM;
	if (!parse_alternatives(&p) || (*p.at && !fail(&p, "has a closing parenthesis too many")) || !add(&p, OP_MATCH, 0, 0)) {
		*ret_fault = p.fault;
		return -EINVAL;
	}
	re->now.way = arena_array(arena, re->steps_n, sizeof(struct way));
	re->next.way = arena_array(arena, re->steps_n, sizeof(struct way));
	re->waiting = arena_array(arena, re->steps_n + 2, sizeof(struct way));
	if (!re->now.way || !re->next.way || !re->waiting)
		return -ENOMEM;
	*ret_regex = re;
	return 0;
}

size_t regex_groups(const struct regex *regex)
{
	return regex->groups;
}
