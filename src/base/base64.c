#include "base/base64.h"

#include <errno.h>
#include <stdint.h>

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, of which the last `pads` are '='. */
static int read_group(const char *text, unsigned pads, unsigned char *bytes)
{
	uint32_t all = 0;

	for (unsigned i = 0; i < 4; i++) {
		int value = i < 4 - pads ? value_of(text[i]) : 0;

		if (value < 0)
			return -EINVAL;
		all = all << 6 | (uint32_t)value;
	}
	if (all & ((1U << 8 * pads) - 1)) /* bits that are thrown away are zero */
		return -EINVAL;
	for (unsigned i = 0; i < 3 - pads; i++)
		bytes[i] = (unsigned char)(all >> (16 - 8 * i));
	return 0;
}

ssize_t base64_read(const char *text, size_t n, void *ret_bytes)
{
	unsigned char *bytes = ret_bytes;
	size_t done = 0;

	if (n % 4)
		return -EINVAL;
	for (size_t at = 0; at < n; at += 4) {
		unsigned pads = at + 4 < n || text[at + 3] != '=' ? 0 : text[at + 2] == '=' ? 2 : 1;

		if (read_group(text + at, pads, bytes + done) < 0)
			return -EINVAL;
		done += 3 - pads;
	}
	return (ssize_t)done;
}
