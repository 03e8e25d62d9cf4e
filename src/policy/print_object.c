/* Values that are objects, as settings write them. Lists that are empty say nothing, and are left out. */
#include "policy/print.h"

#include "policy/environment.h"

#include <string.h>

struct object {
	struct str *out;
	bool begun;
};

static void name_member(struct object *o, const char *name)
{
	str_add(o->out, o->begun ? ", " : "{");
	o->begun = true;
	str_add_json(o->out, name, strlen(name));
	str_add(o->out, ": ");
}

static void put_text(struct object *o, const char *name, const char *text)
{
	if (!text)
		return;
	name_member(o, name);
	str_add_json(o->out, text, strlen(text));
}

static void put_number(struct object *o, const char *name, unsigned number)
{
	if (!number)
		return;
	name_member(o, name);
	str_printf(o->out, "%u", number);
}

static void put_texts(struct object *o, const char *name, const struct text_vec *list)
{
	if (list->n == 0)
		return;
	name_member(o, name);
	for (size_t i = 0; i < list->n; i++) {
		str_add(o->out, i ? ", " : "[");
		str_add_json(o->out, list->at[i], strlen(list->at[i]));
	}
	str_add_char(o->out, ']');
}

static void put_domains(struct object *o, const char *name, const struct domain_vec *list)
{
	if (list->n == 0)
		return;
	name_member(o, name);
	for (size_t i = 0; i < list->n; i++) {
		str_add(o->out, i ? ", " : "[");
		str_add_json(o->out, list->at[i].text, strlen(list->at[i].text));
	}
	str_add_char(o->out, ']');
}

static void finish(struct object *o)
{
	str_add(o->out, o->begun ? "}" : "{}");
}

static bool is_url(const char *member)
{
	return strcmp(member, "http") == 0 || strcmp(member, "https") == 0;
}

static const char *scheme_of(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0 ? "https://" : "http://";
}

/* A proxy's password is nobody's to read. */
static void print_parent(const struct variable_vec *parent, struct str *out)
{
	struct object o = { .out = out };

	for (size_t i = 0; i < parent->n; i++) {
		const char *value = parent->at[i].value, *at = is_url(parent->at[i].name) ? strrchr(value, '@') : NULL;
		autostr struct str shown;

		str_init(&shown, out->ceiling);
		str_printf(&shown, "%s%s%s", at ? scheme_of(value) : "", at ? "•••" : "", at ? at : value);
		put_text(&o, parent->at[i].name, shown.text);
		out->failed |= shown.failed;
	}
	if (parent->n)
		finish(&o);
}

static void print_mitm(const struct policy_mitm *mitm, struct str *out)
{
	struct object o = { .out = out };

	if (!mitm->socket)
		return;
	put_text(&o, "socketPath", mitm->socket);
	put_domains(&o, "domains", &mitm->domains);
	finish(&o);
}

static void print_tls(const struct policy_tls *tls, struct str *out)
{
	struct object o = { .out = out };

	if (!tls->terminate)
		return;
	put_text(&o, "caCertPath", tls->ca_cert);
	put_text(&o, "caKeyPath", tls->ca_key);
	put_domains(&o, "excludeDomains", &tls->excluded);
	put_texts(&o, "extraCaCertPaths", &tls->extra_cas);
	put_number(&o, "maxTunnels", tls->tunnels_max);
	put_number(&o, "handshakeTimeoutMs", tls->handshake_ms);
	finish(&o);
}

static void put_headers(struct object *o, const struct access_header_vec *headers)
{
	struct object inner = { .out = o->out };

	if (headers->n == 0)
		return;
	name_member(o, "setHeaders");
	for (size_t i = 0; i < headers->n; i++) {
		const struct access_header *header = &headers->at[i];

		if (header->value) {
			put_text(&inner, header->name, "•••"); /* any may be a credential */
			continue;
		}
		name_member(&inner, header->name);
		str_add(o->out, "null");
	}
	finish(&inner);
}

static void print_rule(const void *one, struct str *out)
{
	const struct access_rule *rule = one;
	struct object o = { .out = out };

	put_text(&o, "action", rule->deny ? "deny" : "allow");
	put_domains(&o, "hosts", &rule->hosts);
	put_texts(&o, "methods", &rule->methods);
	put_texts(&o, "paths", &rule->paths);
	put_text(&o, "reason", rule->reason);
	put_headers(&o, &rule->headers);
	finish(&o);
}

static void print_credential(const void *one, struct str *out)
{
	const struct credential *credential = one;
	static const char *const no_match[] = { [CREDENTIAL_WARN] = "warn", [CREDENTIAL_DENY] = "deny", [CREDENTIAL_ERROR] = "error" };
	struct object o = { .out = out };

	put_text(&o, credential->is_file ? "path" : "name", credential->name);
	put_text(&o, "mode", credential->mask ? "mask" : "deny");
	put_text(&o, "extract", credential->extract);
	put_text(&o, "onExtractNoMatch", no_match[credential->no_match]);
	put_text(&o, "decode", credential->jwt ? "jwt" : NULL);
	put_texts(&o, "maskClaims", &credential->claims);
	if (credential->mask_duplicates) {
		name_member(&o, "maskDuplicates");
		str_add(out, "true");
	}
	put_domains(&o, "injectHosts", &credential->hosts);
	finish(&o);
}

/* n objects of `size` bytes each. */
static void print_list(const void *at, size_t n, size_t size, void (*print)(const void *one, struct str *out), struct str *out)
{
	str_add_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		str_add(out, i ? ", " : "");
		print((const char *)at + i * size, out);
	}
	str_add_char(out, ']');
}

static void print_rules(const struct access_rule_vec *rules, struct str *out)
{
	print_list(rules->at, rules->n, sizeof(*rules->at), print_rule, out);
}

static void print_credentials(const struct credential_vec *list, struct str *out)
{
	print_list(list->at, list->n, sizeof(*list->at), print_credential, out);
}

static void print_aws_pair(const void *one, struct str *out)
{
	const struct credential_aws_pair *pair = one;
	struct object o = { .out = out };

	put_text(&o, "accessKeyIdVar", pair->id);
	put_text(&o, "secretAccessKeyVar", pair->key);
	put_text(&o, "sessionTokenVar", pair->token);
	finish(&o);
}

static void print_aws_pairs(const struct credential_aws_pair_vec *list, struct str *out)
{
	print_list(list->at, list->n, sizeof(*list->at), print_aws_pair, out);
}

static void print_sigv4(const struct credential_aws_passes *passes, struct str *out)
{
	static const char passthrough[] = "passthrough";
	struct object o = { .out = out };

	put_text(&o, "streaming", passes->streaming_passes ? passthrough : NULL);
	put_text(&o, "presigned", passes->presigned_passes ? passthrough : NULL);
	put_text(&o, "sigv4a", passes->sigv4a_passes ? passthrough : NULL);
	finish(&o);
}

static void print_ignored(const struct ignored_vec *ignored, struct str *out)
{
	struct object o = { .out = out };

	for (size_t i = 0; i < ignored->n; i++)
		put_texts(&o, ignored->at[i].command, &ignored->at[i].parts);
	if (o.begun)
		finish(&o);
}

void policy_print_object(enum policy_kind kind, const void *place, struct str *out)
{
	switch (kind) {
	case POLICY_PARENT:
		print_parent(place, out);
		break;
	case POLICY_MITM:
		print_mitm(place, out);
		break;
	case POLICY_TLS:
		print_tls(place, out);
		break;
	case POLICY_REQUESTS:
		print_rules(place, out);
		break;
	case POLICY_AWS_PAIRS:
		print_aws_pairs(place, out);
		break;
	case POLICY_SIGV4:
		print_sigv4(place, out);
		break;
	case POLICY_TEXT_LISTS:
		print_ignored(place, out);
		break;
	default:
		print_credentials(place, out);
	}
}
