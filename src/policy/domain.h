/* domain.h: patterns of domain names, as srt's settings write them. */
#ifndef COFFER_POLICY_DOMAIN_H
#define COFFER_POLICY_DOMAIN_H

#include <stdbool.h>

/*
 * "example.com", "localhost", "*.example.com" (two labels at least behind the star), "[::1]", an IPv4 address; each with ":port" if
 * wanted. No scheme, no path, no other wildcard; a deny list may also hold "*" alone. Case does not matter.
 */
bool domain_pattern_is_valid(const char *text, bool deny);

#endif
