/*
 * What a sandbox uses and does not have: the authority whose certificates it trusts, whose key is the filter's, and credentials, in whose place it
 * has placeholders. All that is secret goes into one operand of one operation, which the engine hands to the filter and to nobody else.
 */
#include "base/hash.h"
#include "compile/stage.h"
#include "compile/truststore.h"
#include "policy/environment.h"

#include <errno.h>

#define BUNDLE "/dev/coffer-ca.pem" /* /dev is a sandbox's own under every policy */
#define TRUSTSTORE "/dev/coffer-ca.jks"

enum { BUNDLE_MODE = 0444, FAKE_MODE = 0444, BUNDLE_BYTES_MAX = 2 << 20 };

bool secrets_open_tls(const struct compile *c)
{
	return c->policy->network.tls.terminate && network_is_filtered(c);
}

/* ---- credentials ---- */

static int refuse(struct compile *c, const struct credential *credential, const char *fault)
{
	int r = err_set(c->err, ERR_POLICY, EINVAL, "%s \"%s\" %s", credential->is_file ? "file" : "variable", credential->name, fault);

	err_at(c->err, credential->why);
	return r;
}

static enum credential_no_match no_match(const struct compile *c, const struct credential *credential)
{
	if (credential->no_match != CREDENTIAL_BY_DIALECT)
		return credential->no_match;
	return c->policy->dialect == POLICY_SRT ? CREDENTIAL_WARN : CREDENTIAL_DENY;
}

/* 0, or a negative errno. *ret_text NULL: it is not to be there; the text itself: it stays as it is. */
static int mask(struct compile *c, const struct credential *credential, struct masked *masked)
{
	struct masked given = *masked;
	const char *fault = NULL;
	int r = mask_text(&c->mask, credential, masked, &fault);

	if (r == -ENOMEM)
		return compile_no_memory(c);
	if (r < 0)
		return refuse(c, credential, fault);
	if (masked->text || given.n == 0)
		return 0;
	if (no_match(c, credential) == CREDENTIAL_ERROR)
		return refuse(c, credential, "has nothing that extract and decode find: correct them, or leave onExtractNoMatch away");
	if (no_match(c, credential) == CREDENTIAL_DENY)
		return 0;
	plan_build_note(&c->plan, "%s \"%s\" has nothing that extract and decode find, and is left UNPROTECTED",
	                credential->is_file ? "file" : "variable", credential->name);
	*masked = given;
	return 0;
}

static int choose_variable(struct compile *c, const struct credential *credential)
{
	const char *value = environment_of_caller(c, credential->name);
	struct masked masked = { value, value ? strlen(value) : 0 };
	struct policy_variable *slot;
	int r = value && credential->mask ? mask(c, credential, &masked) : 0;

	if (r < 0 || !value || (credential->mask && !*value))
		return r;
	slot = variable_vec_add(&c->placeholders, c->arena);
	if (!slot)
		return compile_no_memory(c);
	*slot = (struct policy_variable){ credential->name, credential->mask ? masked.text : NULL, credential->why };
	return 0;
}

static const struct input_file *find_file(const struct compile *c, const char *path)
{
	for (size_t i = 0; i < c->inputs->secret_files.n; i++)
		if (strcmp(c->inputs->secret_files.at[i].path, path) == 0)
			return &c->inputs->secret_files.at[i];
	return NULL;
}

static int choose_file(struct compile *c, const struct credential *credential)
{
	const struct input_file *file = find_file(c, credential->path);
	struct masked masked = { file ? file->text : NULL, file ? file->n : 0 };
	struct input_file *slot;
	int r;

	if (c->rung != COMPILE_RUNG_NAMESPACES)
		return refuse(c, credential,
		              "cannot be masked without mounts of its own, which this machine does not allow: use mode \"deny\"");
	r = file ? mask(c, credential, &masked) : 0;
	if (r < 0)
		return r;
	if (file && masked.text == file->text)
		return 0; /* left as it is */
	slot = input_file_vec_add(&c->fakes, c->arena);
	if (!slot)
		return compile_no_memory(c);
	*slot = (struct input_file){ credential->path, masked.text, masked.text ? masked.n : 0 };
	return 0;
}

int secrets_choose(struct compile *c)
{
	const struct policy_credentials *credentials = &c->policy->credentials;
	int r = 0;

	c->mask = (struct mask){ .arena = c->arena, .seed = c->inputs->seed ? c->inputs->seed : "" };
	for (size_t i = 0; i < credentials->variables.n && r == 0; i++)
		r = choose_variable(c, &credentials->variables.at[i]);
	for (size_t i = 0; i < credentials->files.n && r == 0; i++)
		r = choose_file(c, &credentials->files.at[i]);
	if (r == 0 && c->mask.secrets.n > 0 && !network_is_filtered(c))
		plan_build_note(&c->plan, "there are placeholders for credentials, and no filter to put these in: they are of no use here");
	return r;
}

/* ---- the filter's ---- */

static void add_text(struct str *out, const char *before, const char *text)
{
	str_add(out, before);
	str_add_json(out, text, strlen(text));
}

static void write_patterns(struct str *out, const char *before, const struct domain_vec *list)
{
	str_add(out, before);
	for (size_t i = 0; i < list->n; i++)
		add_text(out, i ? ", " : "", list->at[i].text);
	str_add_char(out, ']');
}

static void write_authority(const struct compile *c, struct str *out)
{
	const struct input_tls *given = &c->inputs->tls;

	add_text(out, "\"ca_cert\": ", given->ca_cert ? given->ca_cert : "");
	add_text(out, ", \"ca_key\": ", given->ca_key ? given->ca_key : "");
	str_add(out, ", ");
}

static void write_tls(const struct compile *c, bool again, struct str *out)
{
	const struct policy_tls *tls = &c->policy->network.tls;

	if (!secrets_open_tls(c))
		return;
	str_add(out, ", \"tls\": {");
	if (!again)
		write_authority(c, out);
	write_patterns(out, "\"excluded\": [", &tls->excluded);
	if (tls->tunnels_max)
		str_printf(out, ", \"tunnels_max\": %u", tls->tunnels_max);
	if (tls->handshake_ms)
		str_printf(out, ", \"handshake_ms\": %u", tls->handshake_ms);
	str_add_char(out, '}');
}

/* ---- what stays as it was at the start, for the filter to compare ---- */

static void add_value(struct str *out, const char *text)
{
	str_add_json_text(out, text);
	str_add_char(out, ' ');
}

static void describe_authority(const struct compile *c, struct str *out)
{
	const struct policy_tls *tls = &c->policy->network.tls;

	if (!secrets_open_tls(c))
		return;
	str_add(out, "opened ");
	add_value(out, tls->ca_cert);
	add_value(out, tls->ca_key);
	for (size_t i = 0; i < tls->extra_cas.n; i++)
		add_value(out, tls->extra_cas.at[i]);
}

static void describe_credential(const struct credential *credential, struct str *out)
{
	str_printf(out, "%d %d %d %d %d ", credential->is_file, credential->mask, (int)credential->no_match, credential->jwt,
	           credential->mask_duplicates);
	add_value(out, credential->is_file ? credential->path : credential->name);
	add_value(out, credential->extract);
	for (size_t i = 0; i < credential->claims.n; i++)
		add_value(out, credential->claims.at[i]);
	for (size_t i = 0; i < credential->hosts.n; i++)
		add_value(out, credential->hosts.at[i].text);
	str_add_char(out, '\n');
}

static void describe_credentials(const struct compile *c, struct str *out)
{
	const struct policy_credentials *credentials = &c->policy->credentials;

	for (size_t i = 0; i < credentials->variables.n; i++)
		describe_credential(&credentials->variables.at[i], out);
	for (size_t i = 0; i < credentials->files.n; i++)
		describe_credential(&credentials->files.at[i], out);
	for (size_t i = 0; i < credentials->aws_pairs.n; i++) {
		add_value(out, credentials->aws_pairs.at[i].id);
		add_value(out, credentials->aws_pairs.at[i].key);
		add_value(out, credentials->aws_pairs.at[i].token);
	}
	if (credentials->allow_plaintext_inject && out->len > 0)
		str_add(out, "plaintext");
}

static void describe_parents(const struct compile *c, struct str *out)
{
	network_write_parent(c, out);
}

static void describe_mitm(const struct compile *c, struct str *out)
{
	if (c->policy->network.ways.mitm.socket)
		add_value(out, c->policy->network.ways.mitm.socket);
}

static void describe_ports(const struct compile *c, struct str *out)
{
	const struct policy_ways *ways = &c->policy->network.ways;

	if (ways->http_port || ways->socks_port)
		str_printf(out, "%u %u", ways->http_port, ways->socks_port);
}

/* One member, when there is something to say. */
static void add_digest(struct str *out, const char *name, const struct str *text, bool first)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, text->text, text->len);
	sha256_done(&hash, digest);
	sha256_hex(digest, hex);
	str_printf(out, "%s\"%s\": \"%s\"", first ? ", \"fixed\": {" : ", ", name, hex);
}

static void write_fixed(const struct compile *c, struct str *out)
{
	static const struct {
		const char *name;
		void (*describe)(const struct compile *c, struct str *out);
	} parts[] = {
		{ "tlsTerminate", describe_authority }, { "credentials", describe_credentials }, { "parentProxy", describe_parents },
		{ "mitmProxy", describe_mitm },         { "httpProxyPort", describe_ports },
	};
	bool first = true;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		autostr struct str text;

		str_init(&text, COMPILE_RULES_MAX);
		parts[i].describe(c, &text);
		if (text.len > 0)
			add_digest(out, parts[i].name, &text, first);
		first = first && text.len == 0;
		out->failed |= text.failed;
	}
	if (!first)
		str_add_char(out, '}');
}

static void write_roots(const struct compile *c, struct str *out)
{
	const struct input_tls *given = &c->inputs->tls;
	bool parent = network_parent_has_tls(c);

	if (secrets_open_tls(c) || parent)
		add_text(out, ", \"roots\": ", given->roots ? given->roots : "");
	if (parent && given->parent_roots)
		add_text(out, ", \"parent_roots\": ", given->parent_roots);
}

/* The placeholder of a variable; NULL: it has none. */
static const char *placeholder_of(const struct compile *c, const char *name)
{
	for (size_t i = 0; i < c->placeholders.n; i++)
		if (strcmp(c->placeholders.at[i].name, name) == 0)
			return c->placeholders.at[i].value;
	return NULL;
}

static const struct credential_secret *secret_of(const struct compile *c, const char *name)
{
	const char *placeholder = placeholder_of(c, name);

	for (size_t i = 0; placeholder && i < c->mask.secrets.n; i++)
		if (strcmp(c->mask.secrets.at[i].placeholder, placeholder) == 0)
			return &c->mask.secrets.at[i];
	return NULL;
}

/* A key that requests are signed with goes nowhere itself, whoever writes its placeholder. */
static bool is_signing_key(const struct compile *c, const struct credential_secret *secret)
{
	const struct credential_aws_pair_vec *pairs = &c->policy->credentials.aws_pairs;

	for (size_t i = 0; i < pairs->n; i++)
		if (secret_of(c, pairs->at[i].key) == secret)
			return true;
	return false;
}

static void write_aws(const struct compile *c, struct str *out)
{
	const struct credential_aws_pair_vec *pairs = &c->policy->credentials.aws_pairs;
	bool first = true;

	for (size_t i = 0; i < pairs->n; i++) {
		const struct credential_secret *id = secret_of(c, pairs->at[i].id), *key = secret_of(c, pairs->at[i].key);

		if (!id || !key) /* the caller has none */
			continue;
		add_text(out, first ? ", \"aws\": [{\"id\": " : ", {\"id\": ", id->placeholder);
		add_text(out, ", \"key\": ", key->placeholder);
		add_text(out, ", \"secret\": ", key->value);
		write_patterns(out, ", \"hosts\": [", &key->hosts);
		str_add_char(out, '}');
		first = false;
	}
	str_add(out, first ? "" : "]");
}

static void write_sigv4(const struct compile *c, struct str *out)
{
	const struct credential_aws_passes *passes = &c->policy->credentials.sigv4;

	if (!passes->streaming_passes && !passes->presigned_passes && !passes->sigv4a_passes)
		return;
	str_printf(out, ", \"sigv4\": [%s%s%s", passes->streaming_passes ? "\"streaming\", " : "",
	           passes->presigned_passes ? "\"presigned\", " : "", passes->sigv4a_passes ? "\"sigv4a\", " : "");
	out->len -= out->failed ? 0 : 2;
	str_add_char(out, ']');
}

/* Rules for requests are among them, for they set headers. */
void secrets_write(const struct compile *c, struct str *out)
{
	const struct credential_secret_vec *secrets = &c->mask.secrets;
	bool first = true;
	size_t bare;

	str_add(out, "{\"secrets\": [");
	for (size_t i = 0; i < secrets->n; i++) {
		if (is_signing_key(c, &secrets->at[i]))
			continue;
		add_text(out, !first ? ", {\"placeholder\": " : "{\"placeholder\": ", secrets->at[i].placeholder);
		add_text(out, ", \"value\": ", secrets->at[i].value);
		write_patterns(out, ", \"hosts\": [", &secrets->at[i].hosts);
		str_add_char(out, '}');
		first = false;
	}
	str_add_char(out, ']');
	bare = out->len;
	write_tls(c, false, out);
	write_roots(c, out);
	network_write_requests(c, out);
	network_write_parent(c, out); /* with its password */
	write_fixed(c, out);
	write_aws(c, out);
	write_sigv4(c, out);
	if (secrets->n > 0 && c->policy->credentials.allow_plaintext_inject)
		str_add(out, ", \"plaintext_inject\": true");
	if (out->len == bare && secrets->n == 0)
		str_clear(out);
	else
		str_add_char(out, '}');
}

void secrets_write_again(const struct compile *c, struct str *out)
{
	str_add(out, "{\"secrets\": []");
	write_tls(c, true, out);
	write_sigv4(c, out);
	network_write_requests(c, out);
	write_fixed(c, out);
	str_add_char(out, '}');
}

/* ---- the sandbox's ---- */

/* What the caller has Java do still holds: of options that are given twice the last counts. */
static const char *java_options(const struct compile *c)
{
	static const char name[] = "JAVA_TOOL_OPTIONS", ours[] = "-Djavax.net.ssl.trustStore=" TRUSTSTORE;
	const char *theirs = environment_is_inherited(c->policy, name) ? environment_of_caller(c, name) : NULL;

	return theirs ? arena_printf(c->arena, "%s %s", ours, theirs) : ours;
}

static int add_java(const struct compile *c, struct variable_vec *list)
{
	struct policy_variable *slot = secrets_open_tls(c) ? variable_vec_add(list, c->arena) : NULL;

	if (slot)
		*slot = (struct policy_variable){ "JAVA_TOOL_OPTIONS", java_options(c), c->policy->network.tls.why };
	return !secrets_open_tls(c) || (slot && slot->value) ? 0 : -ENOMEM;
}

int secrets_add_variables(const struct compile *c, struct variable_vec *list)
{
	static const char *const names[] = {
		"SSL_CERT_FILE",
		"NODE_EXTRA_CA_CERTS",
		"CURL_CA_BUNDLE",
		"REQUESTS_CA_BUNDLE",
		"PIP_CERT",
		"GIT_SSL_CAINFO",
		"AWS_CA_BUNDLE",
		"CARGO_HTTP_CAINFO",
		"DENO_CERT",
		"NIX_SSL_CERT_FILE",
		"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && secrets_open_tls(c); i++) {
		struct policy_variable *slot = variable_vec_add(list, c->arena);

		if (slot)
			*slot = (struct policy_variable){ names[i], BUNDLE, c->policy->network.tls.why };
	}
	return add_java(c, list);
}

const char *secrets_bundle(struct compile *c)
{
	const struct input_tls *given = &c->inputs->tls;

	return arena_printf(c->arena, "%s%s", given->roots ? given->roots : "", given->ca_cert ? given->ca_cert : "");
}

static int put_truststore(struct compile *c, const char *bundle)
{
	autostr struct str store;

	str_init(&store, BUNDLE_BYTES_MAX);
	truststore_write(bundle, c->arena, &store);
	if (store.failed)
		return compile_no_memory(c);
	plan_add(&c->plan, OP_FILE, c->policy->network.tls.why, TRUSTSTORE, (uint64_t)BUNDLE_MODE, store.text, store.len);
	return 0;
}

static int put_bundle(struct compile *c)
{
	const char *bundle = secrets_bundle(c);

	if (!bundle)
		return compile_no_memory(c);
	plan_add(&c->plan, OP_FILE, c->policy->network.tls.why, BUNDLE, (uint64_t)BUNDLE_MODE, bundle, strlen(bundle));
	return put_truststore(c, bundle);
}

/* Over the file where it really is. One whose secret was not found is covered by nothing. */
static void put_fake(struct compile *c, const struct input_file *fake)
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, fake->path);

	if (entry && entry->kind == SURVEY_FILE)
		plan_add(&c->plan, OP_COVER, WHY_DEFAULT, entry->real, (uint64_t)FAKE_MODE, fake->text ? fake->text : "", fake->n);
}

uint64_t secrets_room(const struct compile *c)
{
	return secrets_open_tls(c) ? 2 * (uint64_t)BUNDLE_BYTES_MAX : 0;
}

int secrets_put_files(struct compile *c)
{
	for (size_t i = 0; i < c->fakes.n; i++)
		put_fake(c, &c->fakes.at[i]);
	return secrets_open_tls(c) ? put_bundle(c) : 0;
}
