#include "policy/schema.h"

#include "base/own.h"

#include <string.h>

#define AT(member) POLICY_SET, offsetof(struct policy, member)
#define IGNORED POLICY_IGNORED, 0
#define REFUSED POLICY_UNSUPPORTED, 0
#define WHY(member) offsetof(struct policy, member)
#define NO_WHY 0
#define COFFER POLICY_OF_COFFER
#define SRT POLICY_OF_SRT
#define NEEDED POLICY_NEEDED_BY_SRT

static const struct policy_field fields[] = {
#define FIELD(pointer, kind, place, why, origin, option, alias, choices, sentence, example) \
	{ pointer, POLICY_##kind, place, why, origin, option, alias, choices, sentence, example },
#include "policy/schema.def"
#undef FIELD
};

_Static_assert(ARRAY_LEN(fields) <= 8 * sizeof(((struct policy *)0)->given), "policy.given has a bit for each field");

static const struct policy_kind_info kinds[POLICY_KINDS_END] = {
	[POLICY_BOOL] = { "true or false", NULL, "\"type\": \"boolean\"" },
	[POLICY_CHOICE] = { NULL, "WORD", NULL },
	[POLICY_SIZE] = { "a size such as 512M, or \"unlimited\"", "SIZE", "\"type\": [\"integer\", \"string\"], \"minimum\": 0" },
	[POLICY_DURATION] = { "a duration such as 30s, or \"unlimited\"", "DURATION",
	                      "\"type\": [\"number\", \"string\"], \"minimum\": 0" },
	[POLICY_COUNT] = { "a count such as 64, or \"unlimited\"", "COUNT", "\"type\": [\"integer\", \"string\"], \"minimum\": 0" },
	[POLICY_SHARE] = { "a number of processors such as 0.5 or 2, or \"unlimited\"", "CPUS",
	                   "\"type\": [\"number\", \"string\"], \"minimum\": 0" },
	[POLICY_DEPTH] = { "a whole number from 1 to 10", "DEPTH", "\"type\": \"integer\", \"minimum\": 1, \"maximum\": 10" },
	[POLICY_MODE] = { "octal permission bits such as \"022\"", "BITS", "\"type\": \"string\", \"pattern\": \"^[0-7]{1,4}$\"" },
	[POLICY_HOSTNAME] = { "letters, digits and hyphens, 64 at most", "NAME",
	                      "\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?$\"" },
	[POLICY_PROFILE] = { "the name of a profile", "NAME", "\"type\": \"string\"" },
	[POLICY_PATH] = { "a path", "PATH", "\"type\": \"string\", \"minLength\": 1" },
	[POLICY_PATHS] = { "a list of paths, each a string or {\"path\": \"…\", \"literal\": true}", "PATH",
	                   "\"type\": \"array\", \"items\": {\"anyOf\": [{\"type\": \"string\", \"minLength\": 1}, "
	                   "{\"type\": \"object\", \"properties\": {\"path\": {\"type\": \"string\", \"minLength\": 1}, "
	                   "\"literal\": {\"const\": true}}, \"required\": [\"path\", \"literal\"], \"additionalProperties\": false}]}" },
	[POLICY_NAMES] = { "a list of names of variables; one may end in \"*\"", "NAME",
	                   "\"type\": \"array\", \"items\": {\"type\": \"string\", \"pattern\": \"^([A-Za-z_][A-Za-z0-9_]*\\\\*?|\\\\*)$\"}" },
	[POLICY_VARIABLES] = { "an object of texts or null, by names of variables", "NAME[=VALUE]",
	                       "\"type\": \"object\", \"propertyNames\": {\"pattern\": \"^[A-Za-z_][A-Za-z0-9_]*$\"}, "
	                       "\"additionalProperties\": {\"type\": [\"string\", \"null\"]}" },
	[POLICY_DOMAINS] = { "a list of domains such as \"example.com\", \"*.example.com\" or \"example.com:443\"", "DOMAIN",
	                     "\"type\": \"array\", \"items\": {\"type\": \"string\", \"minLength\": 1}" },
	[POLICY_ADDRESSES] = { "a list of addresses, or ranges such as \"10.0.0.0/8\"", "ADDRESS",
	                       "\"type\": \"array\", \"items\": {\"type\": \"string\", \"minLength\": 1}" },
	[POLICY_PUBLISH] = { "a list of ports such as \"8080\", \"8080:80\" or \"192.0.2.1:8080:80\"", "[HOST:]PORT[:INNER]",
	                     "\"type\": \"array\", \"items\": {\"type\": \"string\", \"minLength\": 1}" },
	[POLICY_REASONS] = { "an object of texts, by entries of deniedDomains", NULL,
	                     "\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\"}" },
	[POLICY_PORT] = { "a port from 1 to 65535", NULL, "\"type\": \"integer\", \"minimum\": 1, \"maximum\": 65535" },
	[POLICY_PARENT] = { "an object of http, https, noProxy and caCertPath, all texts", NULL,
	                    "\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"http\": {\"type\": \"string\"}, "
	                    "\"https\": {\"type\": \"string\"}, \"noProxy\": {\"type\": \"string\"}, "
	                    "\"caCertPath\": {\"type\": \"string\", \"minLength\": 1}}" },
	[POLICY_MITM] = { "an object of socketPath, an absolute path, and domains, a list", NULL,
	                  "\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"socketPath\", \"domains\"], \"properties\": "
	                  "{\"socketPath\": {\"type\": \"string\", \"pattern\": \"^/\"}, \"domains\": {\"type\": \"array\", \"minItems\": 1, "
	                  "\"items\": {\"type\": \"string\"}}}" },
	[POLICY_TLS] = { "an object of caCertPath, caKeyPath, excludeDomains, extraCaCertPaths, maxTunnels and handshakeTimeoutMs", NULL,
	                 "\"type\": \"object\", \"properties\": {\"caCertPath\": {\"type\": \"string\", \"minLength\": 1}, "
	                 "\"caKeyPath\": {\"type\": \"string\", \"minLength\": 1}, "
	                 "\"excludeDomains\": {\"type\": \"array\", \"items\": {\"type\": \"string\", \"minLength\": 1}}, "
	                 "\"extraCaCertPaths\": {\"type\": \"array\", \"items\": {\"type\": \"string\", \"minLength\": 1}}, "
	                 "\"maxTunnels\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 65536}, "
	                 "\"handshakeTimeoutMs\": {\"type\": \"integer\", \"minimum\": 100, \"maximum\": 600000}}, "
	                 "\"additionalProperties\": false" },
	[POLICY_REQUESTS] = { "a list of rules, each an object of action, hosts, methods, paths, reason and setHeaders", NULL,
	                      "\"type\": \"array\", \"items\": {\"type\": \"object\", \"properties\": {"
	                      "\"action\": {\"enum\": [\"allow\", \"deny\"]}, "
	                      "\"hosts\": {\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\", \"minLength\": 1}}, "
	                      "\"methods\": {\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\", \"minLength\": 1}}, "
	                      "\"paths\": {\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\", \"pattern\": \"^/\"}}, "
	                      "\"reason\": {\"type\": \"string\"}, "
	                      "\"setHeaders\": {\"type\": \"object\", \"additionalProperties\": {\"type\": [\"string\", \"null\"]}}}, "
	                      "\"required\": [\"action\"], \"additionalProperties\": false}" },
	[POLICY_HEADERS] = { "a list of names of headers", NULL,
	                     "\"type\": \"array\", \"items\": {\"type\": \"string\", \"minLength\": 1}" },
	[POLICY_CREDENTIALS] = { "a list of credentials, each an object of name or path, mode, extract, onExtractNoMatch, decode, maskClaims, "
	                         "maskDuplicates and injectHosts",
	                         NULL,
	                         "\"type\": \"array\", \"items\": {\"type\": \"object\", \"properties\": {"
	                         "\"name\": {\"type\": \"string\"}, \"path\": {\"type\": \"string\"}, "
	                         "\"mode\": {\"enum\": [\"deny\", \"mask\"]}, \"extract\": {\"type\": \"string\"}, "
	                         "\"onExtractNoMatch\": {\"enum\": [\"warn\", \"deny\", \"error\"]}, \"decode\": {\"enum\": [\"jwt\"]}, "
	                         "\"maskClaims\": {\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\"}}, "
	                         "\"maskDuplicates\": {\"type\": \"boolean\"}, "
	                         "\"injectHosts\": {\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\", \"minLength\": 1}}}, "
	                         "\"required\": [\"mode\"], \"additionalProperties\": false}" },
	[POLICY_AWS_PAIRS] = { "a list of objects of accessKeyIdVar, secretAccessKeyVar and, where there is one, sessionTokenVar", NULL,
	                       "\"type\": \"array\", \"items\": {\"type\": \"object\", \"properties\": {"
	                       "\"accessKeyIdVar\": {\"type\": \"string\"}, \"secretAccessKeyVar\": {\"type\": \"string\"}, "
	                       "\"sessionTokenVar\": {\"type\": \"string\"}}, "
	                       "\"required\": [\"accessKeyIdVar\", \"secretAccessKeyVar\"], \"additionalProperties\": false}" },
	[POLICY_SIGV4] = { "an object of streaming, presigned and sigv4a, each \"deny\" or \"passthrough\"", NULL,
	                   "\"type\": \"object\", \"properties\": {\"streaming\": {\"enum\": [\"deny\", \"passthrough\"]}, "
	                   "\"presigned\": {\"enum\": [\"deny\", \"passthrough\"]}, \"sigv4a\": {\"enum\": [\"deny\", \"passthrough\"]}}, "
	                   "\"additionalProperties\": false" },
	[POLICY_TEXT] = { "a text", NULL, "\"type\": \"string\"" },
	[POLICY_TEXTS] = { "a list of texts", NULL, "\"type\": \"array\", \"items\": {\"type\": \"string\"}" },
	[POLICY_TEXT_LISTS] = { "an object of lists of texts", NULL,
	                        "\"type\": \"object\", \"additionalProperties\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}}" },
	[POLICY_OBJECT] = { "an object", NULL, "\"type\": \"object\"" },
	[POLICY_ARRAY] = { "a list", NULL, "\"type\": \"array\"" },
};

const struct policy_field *policy_field_next(const struct policy_field *previous)
{
	const struct policy_field *next = previous ? previous + 1 : fields;

	return next < fields + ARRAY_LEN(fields) ? next : NULL;
}

size_t policy_field_index(const struct policy_field *field)
{
	return (size_t)(field - fields);
}

const struct policy_field *policy_field_by_pointer(const char *pointer)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strcmp(fields[i].pointer, pointer) == 0)
			return &fields[i];
	return NULL;
}

static bool spells(const char *pointer, const char *name)
{
	for (pointer++; *pointer && *name; pointer++, name++)
		if (*pointer != *name && !(*pointer == '/' && *name == '.'))
			return false;
	return *pointer == *name;
}

const struct policy_field *policy_field_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (spells(fields[i].pointer, name))
			return &fields[i];
	return NULL;
}

const struct policy_field *policy_field_by_option(const char *option)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (fields[i].option && strcmp(fields[i].option, option) == 0)
			return &fields[i];
		if (fields[i].alias && strcmp(fields[i].alias, option) == 0)
			return &fields[i];
	}
	return NULL;
}

const struct policy_kind_info *policy_kind_info(enum policy_kind kind)
{
	return &kinds[kind];
}

bool policy_field_is_given(const struct policy *policy, const struct policy_field *field)
{
	size_t index = policy_field_index(field);

	return policy->given[index / 64] >> index % 64 & 1;
}

const char *policy_choice(const char *choices, unsigned index, size_t *ret_len)
{
	for (; index > 0; index--) {
		choices = strchr(choices, '|');
		if (!choices)
			return NULL;
		choices++;
	}
	*ret_len = strcspn(choices, "|");
	return choices;
}
