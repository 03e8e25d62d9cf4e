#include "policy/places.h"

#include "base/own.h"

static const struct place places[] = {
#define PLACE(class, anchor, reach, kind, path, reason) { PLACE_##class, PLACE_##anchor, PLACE_##reach, PLACE_##kind, path, reason },
#include "policy/places.def"
#undef PLACE
};

static const struct {
	const char *name, *why;
} classes[PLACE_CLASSES_END] = {
	[PLACE_TOOLCHAIN] = { "toolchain", "default: toolchain" },
	[PLACE_CREDENTIAL] = { "credential", "default: credential" },
	[PLACE_SHOWN] = { "shown", "default: not a credential" },
	[PLACE_PROTECTED] = { "protected", "default: protected" },
	[PLACE_GIT_CONFIG] = { "git config", "default: protected, allowGitConfig is off" },
	[PLACE_INSTRUCTION] = { "agent instruction", "default: protected, allowAgentInstructions is off" },
	[PLACE_FREE] = { "free", "default: not protected" },
	[PLACE_SRT_WRITABLE] = { "srt writable", "default: srt" },
};

const struct place *place_next(const struct place *previous)
{
	const struct place *next = previous ? previous + 1 : places;

	return next < places + ARRAY_LEN(places) ? next : NULL;
}

const char *place_why(enum place_class class)
{
	return classes[class].why;
}

const char *place_class_name(enum place_class class)
{
	return classes[class].name;
}
