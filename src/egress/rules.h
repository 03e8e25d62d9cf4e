/*
 * rules.h: what the engine hands over: one JSON document, sealed.
 *
 *   {"allowed": [{"text": "*.example.com:443", "why": "settings.json /network/allowedDomains/0"}],
 *    "denied": [{"text": "*:25", "why": "…", "reason": "no mail"}],
 *    "denied_addresses": ["10.0.0.0/8"], "allow_private": false, "dialect": "coffer", "uid": 65534}
 *
 * and the members of ways.h. Every member may be missing; others are refused.
 */
#ifndef COFFER_EGRESS_RULES_H
#define COFFER_EGRESS_RULES_H

#include "base/err.h"
#include "egress/ways.h"
#include "policy/address.h"
#include "policy/domain.h"

#include <stdint.h>

enum { RULES_BYTES_MAX = 4 << 20, RULES_ARENA_MAX = 64 << 20 };

struct filter_rules {
	struct domain_rules domains;
	struct address_rules addresses; /* own is left empty */
	struct ways ways;
	bool is_srt;
	uint32_t uid; /* who to become when started as root; 0: nobody else, where a user namespace has only one id */
};

/* Texts are copied into the arena. err names the member: "/denied/0/text". */
int filter_rules_read(const char *text, size_t n, struct arena *arena, struct filter_rules *ret_rules, struct err *err);
/* From a memfd that nobody can change any more. */
int filter_rules_load(int fd, struct arena *arena, struct filter_rules *ret_rules, struct err *err);

#endif
