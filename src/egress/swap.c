#include "egress/swap.h"

#include <string.h>

static char room[SWAP_BYTES_MAX];

static bool is_for(const struct credential_secret *secret, const struct host *host, uint16_t port)
{
	for (size_t i = 0; i < secret->hosts.n; i++)
		if (domain_pattern_fits(&secret->hosts.at[i], host, port))
			return true;
	return secret->hosts.n == 0;
}

void swap_init(struct swap *swap, const struct credential_secret_vec *secrets, const struct host *host, uint16_t port)
{
	*swap = (struct swap){ .keeps_length = true };
	str_init(&swap->held, SWAP_BYTES_MAX);
	for (size_t i = 0; i < secrets->n && swap->n < SWAP_SECRETS_MAX; i++) {
		size_t length = strlen(secrets->at[i].placeholder);

		if (!is_for(&secrets->at[i], host, port))
			continue;
		swap->secret[swap->n++] = &secrets->at[i];
		swap->longest = length > swap->longest ? length : swap->longest;
		swap->keeps_length = swap->keeps_length && length == strlen(secrets->at[i].value);
	}
}

void swap_done(struct swap *swap)
{
	str_done(&swap->held);
}

/* The first placeholder in the text. NULL: none. */
static const char *find(const struct swap *swap, const char *text, size_t n, const struct credential_secret **ret_secret)
{
	const char *first = NULL;

	for (size_t i = 0; i < swap->n; i++) {
		const char *placeholder = swap->secret[i]->placeholder;
		const char *at = memmem(text, n, placeholder, strlen(placeholder));

		if (at && (!first || at < first)) {
			first = at;
			*ret_secret = swap->secret[i];
		}
	}
	return first;
}

static bool is_one_line(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
			return false;
	return true;
}

void swap_write(const struct swap *swap, const char *text, size_t n, struct str *out)
{
	const struct credential_secret *secret;
	const char *at;

	while ((at = find(swap, text, n, &secret))) {
		size_t length = strlen(secret->placeholder), before = (size_t)(at - text);

		str_add_n(out, text, before);
		if (is_one_line(secret->value))
			str_add(out, secret->value);
		else
			str_add_n(out, at, length);
		text = at + length;
		n -= before + length;
	}
	str_add_n(out, text, n);
}

static size_t put(size_t used, const char *bytes, size_t n)
{
	memcpy(room + used, bytes, n);
	return used + n;
}

size_t swap_feed(struct swap *swap, const char *bytes, size_t n, bool last, const char **ret_bytes)
{
	const struct credential_secret *secret;
	const char *text, *at;
	size_t left, keep, used = 0;

	*ret_bytes = room;
	str_add_n(&swap->held, bytes, n);
	if (swap->held.failed)
		return 0;
	text = swap->held.text;
	left = swap->held.len;
	while ((at = find(swap, text, left, &secret))) {
		used = put(used, text, (size_t)(at - text));
		used = put(used, secret->value, strlen(secret->value));
		left -= (size_t)(at - text) + strlen(secret->placeholder);
		text = at + strlen(secret->placeholder);
	}
	keep = last ? 0 : swap->longest - 1;
	keep = keep < left ? keep : left;
	used = put(used, text, left - keep);
	memmove(swap->held.text, text + left - keep, keep);
	swap->held.len = keep;
	swap->held.text[keep] = '\0';
	return used;
}
