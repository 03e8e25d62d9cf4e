#include "cli/keys.h"

#include <errno.h>
#include <string.h>

static int read_one(const char *name, size_t n, char *ret_byte)
{
	static const char prefix[] = "ctrl-";
	size_t prefix_n = sizeof(prefix) - 1;
	char key = name[n - 1];
	if (n == 1 && key > ' ' && key < 0x7f) {
		*ret_byte = key;
		return 0;
	}
	if (n != prefix_n + 1 || memcmp(name, prefix, prefix_n) != 0)
		return -EINVAL;
	if (key >= 'a' && key <= 'z')
		key = (char)(key - 'a' + 'A');
	if (key < '@' || key > '_')
		return -EINVAL;
	*ret_byte = (char)(key - '@');
	return 0;
}

int keys_read(const char *text, char ret_bytes[KEYS_MAX], size_t *ret_n)
{
	size_t count = 0;
	while (*text) {
		size_t n = strcspn(text, ",");
		if (n == 0 || count == KEYS_MAX || read_one(text, n, &ret_bytes[count++]) < 0)
			return -EINVAL;
		text += n;
		if (*text && !*++text)
			return -EINVAL;
	}
	*ret_n = count;
	return 0;
}
