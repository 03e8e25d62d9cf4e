/* The part of entry.h about extended attributes. They are reached by the descriptor's name, for O_PATH gives no other way. */
#include "base/hash.h"
#include "base/own.h"
#include "workspace/entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

/* XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel. */
enum { LIST_MAX = 64 << 10, VALUE_MAX = 64 << 10 };

struct place {
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
};

static struct place place_of(int fd)
{
	struct place place;

	snprintf(place.path, sizeof(place.path), "/proc/self/fd/%d", fd);
	return place;
}

static bool is_kept(const char *name)
{
	return strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0;
}

/* The names, one after the other, each with its NUL; *ret_names is the caller's to free, NULL when there are none. */
static int list(int fd, char **ret_names, size_t *ret_n)
{
	struct place place = place_of(fd);
	ssize_t n = flistxattr(fd, NULL, 0);

	if (n < 0 && errno == EBADF) /* O_PATH */
		n = listxattr(place.path, NULL, 0);

	*ret_names = NULL;
	*ret_n = 0;
	if (n <= 0)
		return n == 0 || errno == ENOTSUP || errno == EPERM || errno == ENOENT ? 0 : -errno;
	autofree char *names = malloc(LIST_MAX);

	if (!names)
		return -ENOMEM;
	n = listxattr(place.path, names, LIST_MAX);
	if (n < 0)
		return -errno;
	*ret_n = (size_t)n;
	*ret_names = TAKE_PTR(names);
	return 0;
}

/* One attribute into the digest: order must not matter, so the parts are added. */
static int digest_one(const char *path, const char *name, char *value, uint64_t *digest)
{
	ssize_t n = getxattr(path, name, value, VALUE_MAX);
	uint8_t sum[SHA256_BYTES];
	struct sha256 h;
	uint64_t part;

	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	sha256_init(&h);
	sha256_add(&h, name, strlen(name) + 1);
	sha256_add(&h, value, (size_t)n);
	sha256_done(&h, sum);
	memcpy(&part, sum, sizeof(part));
	*digest += part;
	return 0;
}

int entry_attributes(int fd, uint64_t *ret_digest)
{
	struct place place = place_of(fd);
	autofree char *names = NULL;
	size_t n = 0;
	int r = list(fd, &names, &n);

	*ret_digest = 0;
	if (r < 0 || n == 0)
		return r;
	autofree char *value = malloc(VALUE_MAX);

	if (!value)
		return -ENOMEM;
	for (const char *name = names; r == 0 && name < names + n; name += strlen(name) + 1)
		if (is_kept(name))
			r = digest_one(place.path, name, value, ret_digest);
	return r;
}

int entry_copy_attributes(int from, int to)
{
	struct place source = place_of(from), target = place_of(to);
	autofree char *names = NULL;
	size_t n = 0;
	int r = list(from, &names, &n);

	if (r < 0 || n == 0)
		return r;
	autofree char *value = malloc(VALUE_MAX);

	if (!value)
		return -ENOMEM;
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		ssize_t size = is_kept(name) ? getxattr(source.path, name, value, VALUE_MAX) : -1;

		if (size >= 0 && setxattr(target.path, name, value, (size_t)size, 0) < 0 && errno != ENOTSUP)
			return -errno;
	}
	return 0;
}

bool entry_has_attribute(int fd, const char *name, char value)
{
	struct place place = place_of(fd);
	char found[4];
	ssize_t n = getxattr(place.path, name, found, sizeof(found));

	return n >= 0 && (value == '\0' || (n >= 1 && found[0] == value));
}
