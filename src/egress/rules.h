/*
 * rules.h: what the engine hands over, sealed: a JSON document, and perhaps a second one behind a NUL, which is read like the first.
 *
 *   {"allowed": [{"text": "*.example.com:443", "why": "settings.json /network/allowedDomains/0"}],
 *    "denied": [{"text": "*:25", "why": "…", "reason": "no mail"}],
 *    "denied_addresses": ["10.0.0.0/8"], "allow_private": false, "dialect": "coffer", "uid": 65534}
 *
 * and where TLS is opened, or requests are judged:
 *
 *   "tls": {"ca_cert": PEM, "ca_key": PEM, "excluded": ["pinned.example.com"], "tunnels_max": 256, "handshake_ms": 10000},
 *   "requests": [{"layer": 0, "deny": false, "hosts": […], "methods": […], "paths": […], "reason": "…", "headers": {"X": "y", "Z": null}, "why": "…"}],
 *   "secrets": [{"placeholder": "…", "value": "…", "hosts": […]}], "stripped_headers": […], "ambiguous_target": "refuse",
 *   "refuse_opaque_tunnels": false, "require_host_match": false, "plaintext_header_set": false, "plaintext_inject": false,
 *   "asks": false, "asks_hosts": false, "asks_requests": false
 *
 *   "aws": [{"id": placeholder, "key": placeholder, "secret": "…", "hosts": […]}], "sigv4": ["streaming", "presigned", "sigv4a"] (what passes)
 *   "roots": PEM, "parent_roots": PEM (the first is wanted where a server or a proxy is spoken to with TLS)
 *
 *   "fixed": {"tlsTerminate": "…", "credentials": "…"}: what stands for parts that are read at the start alone. Rules that come later (renew.c)
 *   have the same, and no authority, roots, secrets and parent.
 *
 * and the members of ways.h. Every member may be missing; others are refused.
 */
#ifndef COFFER_EGRESS_RULES_H
#define COFFER_EGRESS_RULES_H

#include "base/err.h"
#include "egress/secure.h"
#include "egress/ways.h"
#include "policy/access.h"
#include "policy/address.h"
#include "policy/credential.h"
#include "policy/domain.h"

#include <stdint.h>

enum { FILTER_FIXED_MAX = 8, RULES_BYTES_MAX = 8 << 20, RULES_ARENA_MAX = 64 << 20 };

struct filter_tls {
	bool opens;
	struct secure_trust trust;
	struct domain_vec excluded;
	unsigned tunnels_max, handshake_ms;
};
enum filter_target { FILTER_TARGET_REFUSE, FILTER_TARGET_AS_SPELLED, FILTER_TARGET_NORMALIZE };

struct filter_rules {
	struct domain_rules domains;
	struct address_rules addresses; /* own is left empty */
	struct ways ways;
	bool is_srt;
	uint32_t uid; /* who to become when started as root; 0: nobody else, where a user namespace has only one id */

	struct filter_tls tls;
	struct access_rule_vec requests;
	struct credential_secret_vec secrets;
	struct credential_aws_vec aws;
	struct credential_aws_passes aws_passes;
	struct text_vec stripped_headers; /* of answers */
	enum filter_target ambiguous_target;
	bool refuse_opaque_tunnels, require_host_match, plaintext_header_set, plaintext_inject;
	/* A decider (decider.h): all by itself, about each request; in a sandbox, about hosts on no list, and requests. */
	bool asks, asks_hosts, asks_requests;
	struct filter_fixed {
		const char *name, *digest;
	} fixed[FILTER_FIXED_MAX]; /* name NULL behind the last */
};

/* Texts are copied into the arena. err names the member: "/denied/0/text". */
int filter_rules_read(const char *text, size_t n, struct arena *arena, struct filter_rules *ret_rules, struct err *err);
/* Takes over what is read at the start alone: authority, roots, secrets, ways. The name of what is not as it was there; NULL: it is. */
const char *filter_rules_keep(struct filter_rules *rules, const struct filter_rules *old);
/* From a memfd that nobody can change any more. */
int filter_rules_load(int fd, struct arena *arena, struct filter_rules *ret_rules, struct err *err);

#endif
