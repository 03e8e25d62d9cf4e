#include "egress/resign.h"

#include "egress/head.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN "cannot be signed anew with the real key, and nothing was forwarded"
#define STREAMING "STREAMING-AWS4-"
#define SIGV4A "AWS4-ECDSA-P256-SHA256 "

static bool is_for(const struct credential_aws *pair, const struct host *host, uint16_t port)
{
	for (size_t i = 0; i < pair->hosts.n; i++)
		if (domain_pattern_fits(&pair->hosts.at[i], host, port))
			return true;
	return pair->hosts.n == 0;
}

static bool holds(struct head_text text, const char *part)
{
	return memmem(text.at, text.n, part, strlen(part)) != NULL;
}

static struct head_text field_of(const struct request *request, const char *name)
{
	size_t from = 0;
	const struct head_field *field = head_next(&request->head, name, &from);

	return field ? field->value : (struct head_text){ "", 0 };
}

/* The pair whose placeholder of a key's name the text has. */
static const struct credential_aws *find_pair(const struct conn *conn, const struct host *host, uint16_t port, struct head_text text)
{
	const struct filter_rules *rules = conn->filter->rules;
	bool trusted = conn->client.secure || rules->plaintext_inject;

	for (size_t i = 0; trusted && i < rules->aws.n; i++)
		if (is_for(&rules->aws.at[i], host, port) && holds(text, rules->aws.at[i].id))
			return &rules->aws.at[i];
	return NULL;
}

static bool begins(struct head_text text, const char *prefix)
{
	return text.n >= strlen(prefix) && memcmp(text.at, prefix, strlen(prefix)) == 0;
}

static const struct credential_aws *find_signed(const struct conn *conn, const struct request *request, const struct host *host)
{
	struct head_text authorization = field_of(request, "authorization");

	return begins(authorization, "AWS4-") ? find_pair(conn, host, request->port, authorization) : NULL;
}

bool resign_is_due(const struct conn *conn, const struct request *request, const struct host *host)
{
	return find_signed(conn, request, host) != NULL;
}

static bool find_host(const struct conn *conn, const struct request *request, struct host *ret_host)
{
	*ret_host = conn->goal.host;
	return conn->direct || host_parse(request->host.at, request->host.n, ret_host) == 0;
}

/* What has a signature of another kind, and what is said about it. passes: the rules let it. */
static const char *find_odd(const struct credential_aws_passes *aws, const struct request *request, bool *ret_passes)
{
	if (begins(field_of(request, "authorization"), SIGV4A)) {
		*ret_passes = aws->sigv4a_passes;
		return "an AWS request with a SigV4A signature " AGAIN;
	}
	*ret_passes = aws->streaming_passes;
	if (begins(field_of(request, "x-amz-content-sha256"), STREAMING))
		return "an AWS request whose chunks are signed one by one (STREAMING-AWS4-HMAC-SHA256-PAYLOAD) " AGAIN
		       ": have the client send an unsigned or whole payload";
	return NULL;
}

static const char *draft(const struct credential_aws *pair, const char *head, size_t n, struct resign **ret_resign)
{
	struct resign *resign = malloc(sizeof(*resign));

	if (!resign)
		return "no memory for a signature";
	resign->pair = pair;
	sha256_init(&resign->body);
	if (sigv4_draft(head, n, &resign->theirs) < 0) {
		free(resign);
		return "an AWS signature that is malformed, or of a header that is not there, " AGAIN;
	}
	*ret_resign = resign;
	return NULL;
}

const char *resign_begin(const struct conn *conn, const struct request *request, const char *head, size_t n, struct resign **ret_resign)
{
	const struct filter_rules *rules = conn->filter->rules;
	const struct credential_aws *pair;
	struct host host;
	const char *odd;
	bool passes = rules->aws_passes.presigned_passes;

	*ret_resign = NULL;
	if (rules->aws.n == 0 || !find_host(conn, request, &host))
		return NULL;
	if (holds(request->path, "X-Amz-Signature=") && find_pair(conn, &host, request->port, request->path))
		return passes ? NULL : "a presigned AWS URL " AGAIN;
	pair = find_signed(conn, request, &host);
	if (!pair)
		return NULL;
	odd = find_odd(&rules->aws_passes, request, &passes);
	if (odd)
		return passes ? NULL : odd;
	return draft(pair, head, n, ret_resign);
}

const char *resign_take_head(struct resign *resign, const struct str *head)
{
	return sigv4_draft(head->text, head->len, &resign->ours) < 0 ? "an AWS signature of a header that does not go on " AGAIN : NULL;
}

bool resign_wants_body(const struct resign *resign, const struct request *request)
{
	return !resign->theirs.body[0] && !request->head.complete;
}

const char *resign_finish(struct resign *resign, struct str *head)
{
	uint8_t digest[SHA256_BYTES];
	char body[SIGV4_HEX + 1], signature[SIGV4_HEX + 1];

	sha256_done(&resign->body, digest);
	sha256_hex(digest, body);
	for (enum sigv4_path path = 0; path < SIGV4_PATHS; path++) {
		sigv4_sign(&resign->theirs, path, resign->pair->key, body, signature);
		if (memcmp(signature, resign->theirs.signature, SIGV4_HEX) != 0)
			continue;
		sigv4_sign(&resign->ours, path, resign->pair->secret, body, signature);
		memcpy(head->text + resign->ours.signature_at, signature, SIGV4_HEX);
		return NULL;
	}
	return "an AWS signature that does not fit its request " AGAIN;
}
