/*
 * Theory of operation. What a session of the channel has beyond other sessions is kept among its labels, under names that clients cannot use: so it is found again by any
 * later channel, and `coffer session ls` knows nothing of it.
 */
#include "channel/do_session.h"

#include "base/json.h"
#include "base/own.h"
#include "channel/params.h"
#include "sys/sock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PORTS_MAX = 64, LABELS_MAX = 1 << 20 };

static const char reserved[] = "coffer.", label_workspace[] = "coffer.workspace", label_metadata[] = "coffer.metadata",
		  label_ports[] = "coffer.ports";

struct workspace_wish {
	const char *kind; /* "ephemeral", "persistent"; "directory" where there is none */
	const char *id;   /* of a persistent one */
};

/* ---- what one is ---- */

static void add_member(struct str *out, const char *name, const json_t *value, const char *otherwise)
{
	autofree char *text = value && !json_is_null(value) ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	str_printf(out, ",\"%s\":%s", name, text ? text : otherwise);
}

static void add_labels(struct str *out, const json_t *labels)
{
	const char *key, *separator = "";
	json_t *value;

	str_add(out, ",\"labels\":{");
	json_object_foreach ((json_t *)(uintptr_t)labels, key, value) {
		if (strncmp(key, reserved, strlen(reserved)) == 0)
			continue;
		str_add(out, separator);
		str_add_json_text(out, key);
		str_add_char(out, ':');
		str_add_json_text(out, json_string_value(value));
		separator = ",";
	}
	str_add_char(out, '}');
}

static void add_workspace(struct str *out, const char *text)
{
	const char *colon = text ? strchr(text, ':') : NULL;

	str_add(out, ",\"workspace\":{\"kind\":");
	str_add_json(out, text ? text : "directory", text ? strcspn(text, ":") : 9);
	str_add(out, ",\"id\":");
	str_add_json_text(out, colon ? colon + 1 : NULL);
	str_add_char(out, '}');
}

static const char *document(const json_t *labels, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(labels, name));

	return text ? text : otherwise;
}

void session_add(struct str *out, const json_t *entry)
{
	const json_t *labels = json_object_get(entry, "labels");
	json_int_t created = json_integer_value(json_object_get(entry, "created"));
	const char *state = json_string_value(json_object_get(entry, "state"));

	str_add(out, "{\"id\":");
	str_add_json_text(out, json_string_value(json_object_get(entry, "id")));
	add_member(out, "state", json_object_get(entry, "state"), "null");
	add_member(out, "workdir", json_object_get(entry, "workdir"), "null");
	str_printf(out, ",\"created_at_ms\":%lld", (long long)created * 1000);
	add_member(out, "ttl_ms", json_object_get(entry, "ttl_ms"), "0");
	add_member(out, "idle_ms", json_object_get(entry, "idle_ms"), "0");
	add_labels(out, labels);
	str_printf(out, ",\"metadata\":%s", document(labels, label_metadata, "{}"));
	add_workspace(out, json_string_value(json_object_get(labels, label_workspace)));
	str_printf(out, ",\"ports\":%s", document(labels, label_ports, "[]"));
	if (json_object_get(entry, "fault"))
		add_member(out, "fault", json_object_get(entry, "fault"), "null");
	if (state && (strcmp(state, "running") == 0 || strcmp(state, "paused") == 0)) {
		add_member(out, "execs", json_object_get(entry, "execs"), "0");
		add_member(out, "memory_bytes", json_object_get(entry, "memory_bytes"), "null");
		add_member(out, "ends_in_ms", json_object_get(entry, "ends_in_ms"), "null");
		add_member(out, "idle_for_ms", json_object_get(entry, "idle_for_ms"), "0");
	}
	str_add_char(out, '}');
}

int session_read(struct coffer_session *session, json_t **ret_entry, struct err *err)
{
	struct coffer_error error;
	char *text = NULL;
	int r = coffer_session_text(session, &text, &error);

	if (r < 0)
		return work_failed(err, &error);
	r = json_read(text, strlen(text), "session", ret_entry, err);
	coffer_text_free(text);
	return r;
}

int do_session_info(struct work *work, struct str *result, struct err *err)
{
	autojson json_t *entry = NULL;
	struct coffer_session *session = NULL;
	int r = work_session(work, &session, err);

	if (r == 0)
		r = session_read(session, &entry, err);
	if (r == 0)
		session_add(result, entry);
	return r;
}

static bool has_all(const json_t *entry, const json_t *wanted)
{
	const json_t *labels = json_object_get(entry, "labels");
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)wanted, key, value) {
		if (!json_equal(value, json_object_get(labels, key)))
			return false;
	}
	return true;
}

int do_session_list(struct work *work, struct str *result, struct err *err)
{
	autojson json_t *all = NULL;
	const char *separator = "";
	struct coffer_error error;
	char *text = NULL;
	json_t *one;
	size_t i;

	if (coffer_sessions_text(work->coffer, COFFER_JSON, &text, &error) < 0)
		return work_failed(err, &error);
	if (json_read(text, strlen(text), "sessions", &all, err) < 0)
		return -EINVAL;
	coffer_text_free(text);
	str_add(result, "{\"sessions\":[");
	json_array_foreach (all, i, one) {
		if (!has_all(one, params_get(work->params, "labels")))
			continue;
		str_add(result, separator);
		session_add(result, one);
		separator = ",";
	}
	str_add(result, "]}");
	return 0;
}

/* ---- making one ---- */

/* Takes the ports of the host, all at once, so that none is given twice; they are free again before they are needed. */
static int choose_port(const json_t *wish, int *ret_held, uint16_t *ret_port, uint16_t *ret_host, struct err *err)
{
	json_int_t port = json_is_integer(wish) ? json_integer_value(wish) : json_integer_value(json_object_get(wish, "port"));
	json_int_t host = json_is_integer(wish) ? 0 : json_integer_value(json_object_get(wish, "host_port"));
	uint16_t free_port = (uint16_t)host;

	if (port < 1 || port > UINT16_MAX || host < 0 || host > UINT16_MAX) {
		int r = err_set(err, ERR_USAGE, EINVAL, "ports: each is a number from 1 to 65535, or {\"port\", \"host_port\"} of such");

		err_at(err, "ports");
		return r;
	}
	*ret_held = sock_loopback(AF_INET, SOCK_STREAM, &free_port);
	*ret_port = (uint16_t)port;
	*ret_host = free_port;
	return *ret_held < 0 ? err_set(err, ERR_BUSY, -*ret_held, "port %d of the host: %s", (int)host, strerror(-*ret_held)) : 0;
}

static int add_port(struct coffer_policy *policy, uint16_t port, uint16_t host, struct err *err)
{
	struct coffer_error error;
	autostr struct str text = { 0 };

	str_init(&text, 64);
	str_printf(&text, "127.0.0.1:%u:%u", host, port);
	return coffer_policy_set_why(policy, "network.publish", text.text, "ports", &error) < 0 ? work_failed(err, &error) : 0;
}

static int publish(const struct work *work, struct coffer_policy *policy, struct str *label, struct err *err)
{
	const json_t *ports = params_get(work->params, "ports"), *wish;
	int held[PORTS_MAX], r = 0;
	size_t i, n = 0;

	if (json_array_size(ports) > PORTS_MAX)
		return err_set(err, ERR_USAGE, E2BIG, "ports: at most %d", PORTS_MAX);
	str_add_char(label, '[');
	json_array_foreach (ports, i, wish) {
		uint16_t port = 0, host = 0;

		if (r == 0)
			r = choose_port(wish, &held[n], &port, &host, err);
		if (r == 0) {
			n++;
			str_printf(label, "%s{\"port\":%u,\"host\":\"127.0.0.1\",\"host_port\":%u,\"protocol\":\"tcp\"}", i ? "," : "",
			           port, host);
			r = add_port(policy, port, host, err);
		}
	}
	str_add_char(label, ']');
	while (n > 0)
		own_close(&held[--n]);
	return r;
}

static int set_variables(const struct work *work, struct coffer_policy *policy, struct err *err)
{
	struct coffer_error error;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)params_get(work->params, "env"), key, value) {
		if (coffer_policy_variable(policy, key, json_string_value(value), &error) < 0)
			return work_failed(err, &error);
	}
	return 0;
}

static int make_policy(const struct work *work, struct coffer_policy **ret_policy, struct err *err)
{
	const json_t *settings = params_get(work->params, "policy");
	autofree char *text = settings ? json_dumps(settings, JSON_COMPACT) : NULL;
	struct coffer_policy *policy = NULL;
	struct coffer_error error;

	if (settings && !text)
		return work_no_memory(err);
	if (coffer_policy_new(&policy, &error) < 0 || (text && coffer_policy_read(policy, text, strlen(text), "policy", &error) < 0))
		return work_failed(err, &error);
	*ret_policy = policy;
	return set_variables(work, policy, err);
}

static int read_workspace(const struct work *work, struct workspace_wish *wish, struct err *err)
{
	const json_t *given = params_get(work->params, "workspace");
	const char *kind = json_string_value(json_object_get(given, "kind")), *id = json_string_value(json_object_get(given, "id"));
	int r = 0;

	*wish = (struct workspace_wish){ .kind = given ? kind : "ephemeral", .id = id };
	if (params_flag(work->params, "copy", false) && !params_get(work->params, "directory"))
		r = err_set(err, ERR_USAGE, EINVAL, "copy: of a directory; a workspace is the session's own already");
	else if (given && params_get(work->params, "directory"))
		r = err_set(err, ERR_USAGE, EINVAL, "workspace: not together with directory");
	else if (!wish->kind || (strcmp(wish->kind, "ephemeral") != 0 && strcmp(wish->kind, "persistent") != 0))
		r = err_set(err, ERR_USAGE, EINVAL, "workspace: kind is \"ephemeral\" or \"persistent\"");
	else if ((strcmp(wish->kind, "persistent") == 0) != (id != NULL))
		r = err_set(err, ERR_USAGE, EINVAL, "workspace: a persistent one has an id, and an ephemeral one has none");
	if (r < 0)
		err_at(err, "workspace");
	return r;
}

static int make_labels(const struct work *work, const struct workspace_wish *workspace, const char *ports, struct str *out, struct err *err)
{
	const json_t *metadata = params_get(work->params, "metadata");
	autofree char *text = metadata ? json_dumps(metadata, JSON_COMPACT) : NULL;
	autostr struct str kind = { 0 };
	const char *key;
	json_t *value;

	str_init(&kind, LABELS_MAX);
	str_printf(&kind, "%s%s%s", workspace->kind, workspace->id ? ":" : "", workspace->id ? workspace->id : "");
	str_printf(out, "{\"%s\":", label_workspace);
	str_add_json_text(out, kind.text);
	str_printf(out, ",\"%s\":", label_ports);
	str_add_json_text(out, ports);
	if (text) {
		str_printf(out, ",\"%s\":", label_metadata);
		str_add_json_text(out, text);
	}
	json_object_foreach ((json_t *)(uintptr_t)params_get(work->params, "labels"), key, value) {
		if (strncmp(key, reserved, strlen(reserved)) == 0)
			return err_set(err, ERR_USAGE, EINVAL, "labels: names that begin with \"%s\" are reserved", reserved);
		str_add_char(out, ',');
		str_add_json_text(out, key);
		str_add_char(out, ':');
		str_add_json_text(out, json_string_value(value));
	}
	str_add_char(out, '}');
	return out->failed ? err_set(err, ERR_LIMIT, E2BIG, "labels and metadata: at most %d bytes", LABELS_MAX) : 0;
}

static enum coffer_session_tree tree_of(const struct work *work)
{
	if (!params_get(work->params, "directory"))
		return COFFER_SESSION_EMPTY;
	return params_flag(work->params, "copy", false) ? COFFER_SESSION_COPY : COFFER_SESSION_HOST;
}

int do_session_create(struct work *work, struct str *result, struct err *err)
{
	struct workspace_wish workspace = { 0 };
	struct coffer_policy *policy = NULL;
	struct coffer_session *session = NULL;
	struct coffer_error error;
	autostr struct str labels = { 0 }, ports = { 0 };
	autojson json_t *entry = NULL;
	struct coffer_session_options options = { .size = sizeof(options),
		                                  .name = params_text(work->params, "id"),
		                                  .directory = params_text(work->params, "directory"),
		                                  .ttl_ms = params_count(work->params, "ttl_ms", 0),
		                                  .idle_ms = params_count(work->params, "idle_ms", 0) };
	int r = read_workspace(work, &workspace, err);

	str_init(&labels, LABELS_MAX);
	str_init(&ports, LABELS_MAX);
	if (r == 0)
		r = make_policy(work, &policy, err);
	if (r == 0)
		r = publish(work, policy, &ports, err);
	options.history = params_flag(work->params, "history", false);
	options.tree = tree_of(work);
	if (r == 0 && options.directory)
		workspace = (struct workspace_wish){ .kind = "directory" };
	options.workspace = workspace.id;
	if (r == 0)
		r = make_labels(work, &workspace, ports.text, &labels, err);
	options.labels = labels.text;
	if (r == 0 && coffer_session_create(work->coffer, policy, &options, &session, &error) < 0)
		r = work_failed(err, &error);
	if (r == 0)
		r = session_read(session, &entry, err);
	if (r == 0)
		session_add(result, entry);
	return r;
}

/* ---- the rest of its life ---- */

static int do_one(struct work *work, int (*deed)(struct coffer_session *, struct coffer_error *), struct str *result, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r == 0 && deed(session, &error) < 0)
		r = work_failed(err, &error);
	str_add(result, "{}");
	return r;
}

int do_session_pause(struct work *work, struct str *result, struct err *err)
{
	return do_one(work, coffer_session_pause, result, err);
}

int do_session_resume(struct work *work, struct str *result, struct err *err)
{
	return do_one(work, coffer_session_resume, result, err);
}

int do_session_remove(struct work *work, struct str *result, struct err *err)
{
	autojson json_t *entry = NULL;
	struct coffer_session *session = NULL;
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r == 0)
		r = session_read(session, &entry, err);
	if (r == 0)
		r = do_one(work, coffer_session_remove, result, err);

	const char *label = json_string_value(json_object_get(json_object_get(entry, "labels"), label_workspace));
	const char *id = label && strncmp(label, "persistent:", 11) == 0 ? label + 11 : NULL;

	const char *own = json_string_value(json_object_get(entry, "workspace")); /* a fork has the labels, and another */

	if (r == 0 && id && own && strcmp(id, own) == 0 && params_flag(work->params, "workspace", false) &&
	    coffer_workspace_remove(work->coffer, id, &error) < 0)
		r = work_failed(err, &error);
	return r;
}
