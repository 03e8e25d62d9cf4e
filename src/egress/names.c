#include "egress/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* 198.18.1.0 and on: 198.18.0.1 is the sandbox's own. */
enum { WAYS = 8, FIRST = (198 << 24) + (18 << 16) + (1 << 8), IPV4_AT = HOST_ADDRESS_BYTES - NAMES_ADDRESS_BYTES };

/* FNV-1a, RFC 9923. */
static uint32_t hash(const char *text)
{
	uint32_t value = 2166136261U;

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 16777619U;
	return value;
}

static void write_address(uint32_t address, unsigned char ret[NAMES_ADDRESS_BYTES])
{
	for (unsigned i = 0; i < NAMES_ADDRESS_BYTES; i++)
		ret[i] = (unsigned char)(address >> 8 * (NAMES_ADDRESS_BYTES - 1 - i));
}

/* Its place, or the one to take: an empty one, else the longest unused. */
static uint32_t find_place(const struct names *names, const char *name)
{
	uint32_t first = hash(name), place = first % NAMES_MAX;

	for (uint32_t i = 0; i < WAYS; i++) {
		uint32_t at = (first + i) % NAMES_MAX;

		if (!names->at[at].text || strcmp(names->at[at].text, name) == 0)
			return at;
		if (names->turn - names->at[at].used > names->turn - names->at[place].used)
			place = at;
	}
	return place;
}

int names_give(struct names *names, const char *name, unsigned char ret_address[NAMES_ADDRESS_BYTES])
{
	uint32_t place = find_place(names, name);
	char *text = names->at[place].text;

	if (!text || strcmp(text, name) != 0) {
		text = strdup(name);
		if (!text)
			return -ENOMEM;
		free(names->at[place].text);
		names->at[place].text = text;
	}
	names->at[place].used = ++names->turn;
	write_address((uint32_t)FIRST + place, ret_address);
	return 0;
}

const char *names_of_address(struct names *names, const struct host *address)
{
	uint32_t number = 0, place;

	if (address->kind != HOST_IPV4)
		return NULL;
	for (unsigned i = 0; i < NAMES_ADDRESS_BYTES; i++)
		number = number << 8 | address->address[IPV4_AT + i];
	place = number - (uint32_t)FIRST;
	if (place >= NAMES_MAX || !names->at[place].text)
		return NULL;
	names->at[place].used = ++names->turn;
	return names->at[place].text;
}
