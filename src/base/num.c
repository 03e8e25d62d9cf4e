#include "base/num.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

#define KI UINT64_C(1024)
static const struct unit sizes[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "K", KI },
	{ "M", KI *KI },
	{ "G", KI *KI *KI },
	{ "T", KI *KI *KI *KI },
	{ "KiB", KI },
	{ "MiB", KI *KI },
	{ "GiB", KI *KI *KI },
	{ "TiB", KI *KI *KI *KI },
	{ "KB", 1000 },
	{ "MB", 1000 * 1000 },
	{ "GB", 1000 * 1000 * 1000 },
	{ "TB", UINT64_C(1000) * 1000 * 1000 * 1000 },
};

/* The largest first: that is the order in which a duration names them. */
static const struct unit durations[] = {
	{ "d", 24 * 60 * 60 * 1000 }, { "h", 60 * 60 * 1000 }, { "m", 60 * 1000 }, { "s", 1000 }, { "ms", 1 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_unlimited(const char *text)
{
	return strcmp(text, "unlimited") == 0 || strcmp(text, "none") == 0;
}

/* "12" or "12.5", as thousandths of millionths where there is a fraction; what is finer than that is dropped. */
enum { FRACTION_DIGITS = 9 };
struct decimal {
	uint64_t whole, fraction;
	bool has_fraction;
};

static int take_digits(const char **text, uint64_t *ret)
{
	uint64_t value = 0;

	if (!is_digit(**text))
		return -EINVAL;
	for (; is_digit(**text); (*text)++)
		if (__builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, (uint64_t)(**text - '0'), &value))
			return -ERANGE;
	*ret = value;
	return 0;
}

static int take_decimal(const char **text, struct decimal *ret)
{
	struct decimal d = { 0 };
	int r = take_digits(text, &d.whole);

	if (r < 0)
		return r;
	if (**text == '.') {
		d.has_fraction = true;
		if (!is_digit(*++*text))
			return -EINVAL;
		for (int i = 0; i < FRACTION_DIGITS; i++) {
			d.fraction *= 10;
			if (is_digit(**text))
				d.fraction += (uint64_t)(*(*text)++ - '0');
		}
		*text += strspn(*text, "0123456789");
	}
	*ret = d;
	return 0;
}

/* d × factor, rounded down. NUM_UNLIMITED is a word, not a number. */
static int scale(const struct decimal *d, uint64_t factor, uint64_t *ret)
{
	const uint64_t one = 1000 * 1000 * 1000;
	/* The factor is split so that no product passes 2^64: factors are at most 2^40. */
	uint64_t part = d->fraction * (factor / one) + d->fraction * (factor % one) / one;
	uint64_t value;

	if (d->has_fraction && factor == 1)
		return -EINVAL;
	if (__builtin_mul_overflow(d->whole, factor, &value) || __builtin_add_overflow(value, part, &value) || value == NUM_UNLIMITED)
		return -ERANGE;
	*ret = value;
	return 0;
}

int num_count(const char *text, uint64_t *ret)
{
	uint64_t value = NUM_UNLIMITED;

	if (!is_unlimited(text)) {
		int r = take_digits(&text, &value);

		if (r < 0)
			return r;
		if (*text)
			return -EINVAL;
		if (value == NUM_UNLIMITED)
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

int num_size(const char *text, uint64_t *ret_bytes)
{
	struct decimal d;

	if (is_unlimited(text)) {
		*ret_bytes = NUM_UNLIMITED;
		return 0;
	}

	int r = take_decimal(&text, &d);

	if (r < 0)
		return r;
	if (text[0] == ' ' && text[1]) /* as num_put_size writes it */
		text++;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (strcasecmp(text, sizes[i].name) == 0)
			return scale(&d, sizes[i].factor, ret_bytes);
	return -EINVAL;
}

/* Reads the unit at *text, one of those after `from`; a lone number without one is seconds. NULL when there is none. */
static const struct unit *take_unit(const char **text, const struct unit *from, bool alone)
{
	const struct unit *end = durations + sizeof(durations) / sizeof(durations[0]);
	size_t n = 0;

	while (is_letter((*text)[n]))
		n++;
	if (n == 0)
		return alone && **text == '\0' ? &durations[3] : NULL;
	for (const struct unit *unit = from; unit < end; unit++)
		if (strlen(unit->name) == n && memcmp(*text, unit->name, n) == 0) {
			*text += n;
			return unit;
		}
	return NULL;
}

int num_duration(const char *text, uint64_t *ret_ms)
{
	const struct unit *from = durations;
	uint64_t total = 0;

	if (is_unlimited(text)) {
		*ret_ms = NUM_UNLIMITED;
		return 0;
	}
	do {
		struct decimal d;
		uint64_t part;
		int r = take_decimal(&text, &d);
		const struct unit *unit = r < 0 ? NULL : take_unit(&text, from, from == durations);

		if (r < 0)
			return r;
		if (!unit)
			return -EINVAL;
		r = scale(&d, unit->factor, &part);
		if (r < 0)
			return r;
		if (__builtin_add_overflow(total, part, &total) || total == NUM_UNLIMITED)
			return -ERANGE;
		from = unit + 1;
	} while (*text);
	*ret_ms = total;
	return 0;
}

void num_put_size(struct str *s, uint64_t bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	uint64_t factor = 1;
	size_t i = 0;

	if (bytes == NUM_UNLIMITED) {
		str_add(s, "unlimited");
		return;
	}
	while (i + 1 < sizeof(names) / sizeof(names[0]) && bytes / factor >= 1024) {
		factor *= 1024;
		i++;
	}

	uint64_t whole = bytes / factor, tenths = 0;

	if (factor > 1)
		tenths = (bytes % factor * 10 + factor / 2) / factor;
	if (tenths == 10) {
		whole++;
		tenths = 0;
	}
	str_printf(s, "%llu", (unsigned long long)whole);
	if (tenths)
		str_printf(s, ".%llu", (unsigned long long)tenths);
	str_printf(s, " %s", names[i]);
}

/* Seconds with as many decimals as the milliseconds need. */
static void put_seconds(struct str *s, uint64_t ms)
{
	str_printf(s, "%llu", (unsigned long long)(ms / 1000));
	if (ms % 1000 == 0) {
		str_add(s, "s");
		return;
	}

	unsigned fraction = (unsigned)(ms % 1000), digits = 3;

	for (; fraction % 10 == 0; digits--)
		fraction /= 10;
	str_printf(s, ".%0*us", (int)digits, fraction);
}

void num_put_duration(struct str *s, uint64_t ms)
{
	if (ms == NUM_UNLIMITED) {
		str_add(s, "unlimited");
		return;
	}
	if (ms && ms < 1000) {
		str_printf(s, "%llums", (unsigned long long)ms);
		return;
	}

	bool any = false;

	for (size_t i = 0; i < 3; i++) {
		uint64_t count = ms / durations[i].factor;

		ms %= durations[i].factor;
		if (count)
			str_printf(s, "%llu%s", (unsigned long long)count, durations[i].name);
		any = any || count;
	}
	if (ms || !any)
		put_seconds(s, ms);
}
