#include "policy/profiles.h"

#include "base/own.h"

#include <string.h>

#define DOCUMENT(name, json)                                           \
	{                                                              \
		json, sizeof(json) - 1, "profile " name, POLICY_COFFER \
	}

static const struct policy_profile_info profiles[] = {
#define PROFILE(name, sentence, ...) { #name, sentence, DOCUMENT(#name, #__VA_ARGS__) },
#include "policy/profiles/profiles.def"
#undef PROFILE
};

const struct policy_profile_info *policy_profile_at(size_t index)
{
	return index < ARRAY_LEN(profiles) ? &profiles[index] : NULL;
}

const struct policy_document *policy_profile(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i].document;
	return NULL;
}

const char *policy_profile_names(void)
{
	return "strict, agent, build or test";
}
