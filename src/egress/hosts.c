#include "egress/lookup.h"

#include <string.h>

static size_t word_length(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n && text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
		i++;
	return i;
}

/* The next word of a line, which is made shorter. */
static const char *next_word(const char **line, size_t *n, size_t *ret_n)
{
	const char *word;

	while (*n > 0 && word_length(*line, 1) == 0) {
		(*line)++;
		(*n)--;
	}
	word = *line;
	*ret_n = word_length(*line, *n);
	*line += *ret_n;
	*n -= *ret_n;
	return *ret_n > 0 ? word : NULL;
}

static int read_address(const char *word, size_t n, struct host *ret_address)
{
	char bracketed[64];
	int r = host_parse(word, n, ret_address);

	if (r < 0 && n + 2 <= sizeof(bracketed)) {
		bracketed[0] = '[';
		memcpy(bracketed + 1, word, n);
		bracketed[n + 1] = ']';
		r = host_parse(bracketed, n + 2, ret_address);
	}
	return r == 0 && ret_address->kind != HOST_NAME ? 0 : -1;
}

static size_t find_in_line(const char *line, size_t n, const struct host *name, const struct lookup_sink *sink)
{
	struct host address, alias;
	size_t word_n;
	const char *word = next_word(&line, &n, &word_n);

	if (!word || read_address(word, word_n, &address) < 0)
		return 0;
	while ((word = next_word(&line, &n, &word_n)))
		if (host_parse(word, word_n, &alias) == 0 && host_is_same(&alias, name)) {
			sink->found(sink, &address);
			return 1;
		}
	return 0;
}

size_t hosts_find(const char *text, size_t n, const struct host *name, const struct lookup_sink *sink)
{
	size_t found = 0;

	while (n > 0) {
		const char *end = memchr(text, '\n', n);
		size_t line_n = end ? (size_t)(end - text) : n;
		const char *comment = memchr(text, '#', line_n);

		found += find_in_line(text, comment ? (size_t)(comment - text) : line_n, name, sink);
		text += line_n + (end ? 1 : 0);
		n -= line_n + (end ? 1 : 0);
	}
	return found;
}
