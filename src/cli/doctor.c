#include "cli/command.h"
#include "cli/say.h"
#include "sys/fd.h"

#include <string.h>
#include <unistd.h>

enum { REPORT_MAX = 256 << 10, NAME_COLUMN = 22 };

/* The report while it is written. */
struct consultation {
	struct str text;
	bool json, missing;
	size_t count;
};

static const struct {
	const char *name, *mark;
	enum say_tone tone;
} healths[] = {
	[COFFER_FINE] = { "fine", "ok", SAY_GOOD },
	[COFFER_WEAK] = { "weak", "weak", SAY_DOUBTFUL },
	[COFFER_MISSING] = { "missing", "missing", SAY_BAD },
};

static void add_json(struct str *s, const char *name, const char *value)
{
	str_printf(s, ",\"%s\":", name);
	str_add_json_text(s, value);
}

static void tell_json(struct consultation *consultation, const struct coffer_finding *finding)
{
	struct str *s = &consultation->text;
	str_printf(s, "%s{\"health\":\"%s\"", consultation->count ? "," : "", healths[finding->health].name);
	add_json(s, "name", finding->name);
	add_json(s, "text", finding->text);
	add_json(s, "fix", finding->fix);
	str_add_char(s, '}');
}

static void tell_person(struct consultation *consultation, const struct coffer_finding *finding)
{
	struct str *s = &consultation->text;
	str_printf(s, "%s%-8s%s%-*s", say_tone(STDOUT_FILENO, healths[finding->health].tone), healths[finding->health].mark,
	           say_tone(STDOUT_FILENO, SAY_PLAIN), NAME_COLUMN, finding->name);
	str_add_escaped(s, finding->text, strlen(finding->text));
	str_add_char(s, '\n');
	if (finding->fix)
		str_printf(s, "%-8s%-*s%s%s%s\n", "", NAME_COLUMN, "  to get it", say_tone(STDOUT_FILENO, SAY_STRONG), finding->fix,
		           say_tone(STDOUT_FILENO, SAY_PLAIN));
}

static void on_finding(void *context, const struct coffer_finding *finding)
{
	struct consultation *consultation = context;
	if (consultation->json)
		tell_json(consultation, finding);
	else
		tell_person(consultation, finding);
	consultation->missing = consultation->missing || finding->health == COFFER_MISSING;
	consultation->count++;
}

static int examine(struct consultation *consultation, struct coffer_error *error)
{
	struct coffer *coffer = NULL;
	int r = coffer_new(&coffer, error);
	if (r == 0)
		r = coffer_doctor(coffer, on_finding, consultation, error);
	coffer_free(coffer);
	return r;
}

int command_doctor(const struct options *options)
{
	struct consultation consultation = { .json = options->given[OPTION_JSON] };
	struct coffer_error error;
	str_init(&consultation.text, REPORT_MAX);
	str_add(&consultation.text, consultation.json ? "{\"findings\":[" : "");
	int r = examine(&consultation, &error);
	if (r < 0)
		say_error(&error);
	if (consultation.json)
		str_printf(&consultation.text, "],\"healthy\":%s}\n", r < 0 || consultation.missing ? "false" : "true");
	(void)fd_write_all(STDOUT_FILENO, consultation.text.text, consultation.text.len);
	str_done(&consultation.text);
	if (r < 0)
		return EXIT_FAILED;
	return consultation.missing ? EXIT_UNWELL : EXIT_FINE;
}
