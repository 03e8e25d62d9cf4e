#include "workspace/keep.h"

#include "base/hash.h"
#include "base/own.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_ROOM = 64 };

int keep_write(int dirfd, const char *name, const char *text, size_t n)
{
	autofd int dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* one that can be synced */

	return dir < 0 ? -errno : file_replace_at(dir, name, text, n, true);
}

int keep_read(int dirfd, const char *name, size_t max, struct arena *arena, struct keep_text *ret_text)
{
	autofd int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	size_t n = 0;
	ssize_t got = 1;

	if (fd < 0)
		return errno == ELOOP ? -EBADMSG : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022)
		return -EBADMSG;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	char *text = arena_alloc(arena, (size_t)st.st_size + 1);

	if (!text)
		return -ENOMEM;
	while (n < (size_t)st.st_size && got > 0) {
		got = read(fd, text + n, (size_t)st.st_size - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return -errno;
	*ret_text = (struct keep_text){ .at = text, .left = n };
	return 0;
}

void keep_list_start(struct str *list, const char *what)
{
	str_printf(list, "coffer %s 1\n", what);
}

static size_t count_lines(const char *text, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += text[i] == '\n';
	return count;
}

static void sum(const char *text, size_t n, char ret_hex[SHA256_BYTES * 2 + 1])
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, text, n);
	sha256_done(&h, digest);
	sha256_hex(digest, ret_hex);
}

int keep_list_write(int dirfd, const char *name, struct str *list)
{
	char hex[SHA256_BYTES * 2 + 1];

	if (list->failed)
		return -ENOMEM;
	sum(list->text, list->len, hex);
	str_printf(list, "end %zu %s\n", count_lines(list->text, list->len), hex);
	return list->failed ? -ENOMEM : keep_write(dirfd, name, list->text, list->len);
}

int keep_list_read(int dirfd, const char *name, const char *what, struct arena *arena, struct keep_text *ret_lines)
{
	char hex[SHA256_BYTES * 2 + 1], expected[SHA256_BYTES * 2 + 64], head[NAME_ROOM];
	struct keep_text whole;
	size_t tail;
	int r = keep_read(dirfd, name, KEEP_LIST_MAX, arena, &whole);

	if (r < 0)
		return r;
	char *text = whole.at;
	size_t n = whole.left;

	snprintf(head, sizeof(head), "coffer %s 1\n", what);
	if (n == 0 || text[n - 1] != '\n' || strlen(text) != n || strncmp(text, head, strlen(head)) != 0)
		return -EBADMSG;
	for (tail = n - 1; tail > 0 && text[tail - 1] != '\n'; tail--)
		;
	sum(text, tail, hex);
	snprintf(expected, sizeof(expected), "end %zu %s\n", count_lines(text, tail), hex);
	if (strcmp(text + tail, expected) != 0)
		return -EBADMSG;
	text[tail] = '\0';
	*ret_lines = (struct keep_text){ .at = text + strlen(head), .left = tail - strlen(head) };
	return 0;
}

char *keep_line(struct keep_text *lines)
{
	char *line = lines->at, *end = lines->left ? memchr(line, '\n', lines->left) : NULL;

	if (!end)
		return NULL;
	*end = '\0';
	lines->at = end + 1;
	lines->left -= (size_t)(end + 1 - line);
	return line;
}

void keep_put_path(struct str *s, const char *path)
{
	if (!*path)
		str_add_char(s, '%');
	for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
		if (*p > ' ' && *p < 0x7f && *p != '%')
			str_add_char(s, (char)*p);
		else
			str_printf(s, "%%%02X", *p);
	}
}

/* Cuts the next word off the line. */
static char *take_word(char **line)
{
	char *word = *line;

	if (!word || !*word)
		return NULL;
	char *blank = strchr(word, ' ');

	*line = blank ? blank + 1 : NULL;
	if (blank)
		*blank = '\0';
	return *word ? word : NULL;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *found = c ? strchr(digits, c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c) : NULL;

	return found ? (int)(found - digits) : -1;
}

char *keep_take_path(char **line)
{
	char *word = take_word(line), *out = word;

	if (!word)
		return NULL;
	if (strcmp(word, "%") == 0) {
		*word = '\0';
		return word;
	}
	for (char *p = word; *p; p++) {
		if (*p != '%') {
			*out++ = *p;
			continue;
		}
		int high = hex_digit(p[1]), low = high < 0 ? -1 : hex_digit(p[2]);

		if (low < 0 || (high == 0 && low == 0))
			return NULL;
		*out++ = (char)(high << 4 | low);
		p += 2;
	}
	*out = '\0';
	return word;
}

bool keep_take_number(char **line, int64_t *ret)
{
	char *word = take_word(line), *end;

	if (!word)
		return false;
	errno = 0;
	*ret = strtoll(word, &end, 10);
	return errno == 0 && *end == '\0';
}

bool keep_take_unsigned(char **line, uint64_t *ret)
{
	char *word = take_word(line), *end;

	if (!word || *word == '-')
		return false;
	errno = 0;
	*ret = strtoull(word, &end, 10);
	return errno == 0 && *end == '\0';
}

bool keep_take_hash(char **line, uint8_t *ret_hash)
{
	char *word = take_word(line);

	if (!word)
		return false;
	memset(ret_hash, 0, SHA256_BYTES);
	if (strcmp(word, "-") == 0)
		return true;
	if (strlen(word) != (size_t)SHA256_BYTES * 2)
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		int high = hex_digit(word[2 * i]), low = hex_digit(word[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret_hash[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void keep_put_hash(struct str *s, const uint8_t *hash)
{
	char hex[SHA256_BYTES * 2 + 1];

	sha256_hex(hash, hex);
	str_add(s, hex);
}
