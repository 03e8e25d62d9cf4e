#include "base/json.h"
#include "session/summary.h"

#include <errno.h>
#include <string.h>

/* What is absent or of another kind reads as 0, "" or false: a record is coffer's own, and only shown. */
static uint64_t number(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));
	return value > 0 ? (uint64_t)value : 0;
}

static const char *text(const json_t *object, const char *name, struct arena *arena)
{
	const json_t *value = json_object_get(object, name);
	return json_is_string(value) ? arena_dup_n(arena, json_string_value(value), json_string_length(value)) : NULL;
}

static const char *text_or_empty(const json_t *object, const char *name, struct arena *arena)
{
	const char *value = text(object, name, arena);
	return value ? value : "";
}

static bool flag(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

static enum outcome_cause cause_by_name(const char *name)
{
	for (unsigned i = 0; i < CAUSES_END; i++)
		if (strcmp(name, outcome_cause_name(i)) == 0)
			return i;
	return CAUSE_EXIT;
}

static const char *settings_text(const json_t *object, struct arena *arena)
{
	const json_t *settings = json_object_get(object, "settings");
	char buffer[8192];
	size_t n = json_is_object(settings) ? json_dumpb(settings, buffer, sizeof(buffer), 0) : 0;
	return n > 0 && n <= sizeof(buffer) ? arena_dup_n(arena, buffer, n) : NULL;
}

static int read_denial(const json_t *object, struct arena *arena, struct denial_vec *denials)
{
	struct denial *denial = denial_vec_add(denials, arena);
	if (!denial)
		return -ENOMEM;
	denial->pid = (int32_t)number(object, "pid");
	denial->process = text_or_empty(object, "process", arena);
	denial->operation = text_or_empty(object, "operation", arena);
	denial->target = text_or_empty(object, "target", arena);
	denial->errnum = (int32_t)number(object, "errno");
	denial->rule = text(object, "rule", arena);
	denial->remedy = text(object, "remedy", arena);
	denial->settings = settings_text(object, arena);
	denial->count = (uint32_t)number(object, "count");
	return 0;
}

static int read_outcome(const json_t *doc, struct arena *arena, struct outcome *outcome)
{
	outcome->exit_code = (int)number(doc, "exit_code");
	outcome->signal = (int)number(doc, "signal");
	outcome->cause = cause_by_name(text_or_empty(doc, "cause", arena));
	outcome->duration_ms = number(doc, "duration_ms");
	outcome->duration_us = number(doc, "duration_us");
	outcome->cpu_user_us = number(doc, "cpu_user_us");
	outcome->cpu_system_us = number(doc, "cpu_system_us");
	outcome->max_memory_bytes = number(doc, "max_memory_bytes");
	outcome->processes_peak = number(doc, "processes_peak");
	outcome->stdout_bytes = number(doc, "stdout_bytes");
	outcome->stderr_bytes = number(doc, "stderr_bytes");
	outcome->stdout_truncated = flag(doc, "stdout_truncated");
	outcome->stderr_truncated = flag(doc, "stderr_truncated");
	outcome->denials_dropped = number(doc, "denials_dropped");
	outcome->denials_ignored = number(doc, "denials_ignored");
	const json_t *denials = json_object_get(doc, "denials");
	for (size_t i = 0; i < json_array_size(denials); i++)
		if (read_denial(json_array_get(denials, i), arena, &outcome->denials) < 0)
			return -ENOMEM;
	return 0;
}

static int read_command(const json_t *doc, struct arena *arena, struct text_vec *command)
{
	const json_t *words = json_object_get(doc, "command");
	for (size_t i = 0; i < json_array_size(words); i++) {
		const char **word = text_vec_add(command, arena);
		if (!word)
			return -ENOMEM;
		const json_t *value = json_array_get(words, i);
		*word = json_is_string(value) ? arena_dup(arena, json_string_value(value)) : "";
		if (!*word)
			return -ENOMEM;
	}
	return 0;
}

int summary_read(struct arena *arena, const char *document, size_t n, const char *source, struct summary *ret_summary, struct err *err)
{
	autojson json_t *doc = NULL;
	struct summary summary = { 0 };
	int r = json_read(document, n, source, &doc, err);
	if (r < 0)
		return r;
	if (!json_is_object(doc))
		return err_set(err, ERR_POLICY, EINVAL, "%s: is no record of a run", source);
	summary.run_id = text_or_empty(doc, "run", arena);
	summary.cwd = text_or_empty(doc, "cwd", arena);
	summary.ended_s = number(doc, "ended");
	summary.message = text(doc, "message", arena);
	if (read_command(doc, arena, &summary.command) < 0 || read_outcome(doc, arena, &summary.outcome) < 0)
		return err_set(err, ERR_LIMIT, ENOMEM, "%s: does not fit into memory", source);
	*ret_summary = summary;
	return 0;
}
