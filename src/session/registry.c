#include "session/registry.h"

#include "base/json.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "session/state.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REGISTRY_VERSION = 1, RECORD_BYTES_MAX = 96 << 10 };

static const char record_name[] = "record", settings_name[] = "settings";

bool registry_is_id(const char *id)
{
	size_t n = strlen(id);

	return n > 0 && n < SESSION_ID_MAX && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == n && !strchr("_.-", id[0]);
}

int registry_open_top(const char *data_dir, bool make, struct err *err)
{
	int r = make ? state_dir_make(data_dir, err) : 0;
	autofd int data = r < 0 ? -1 : open(data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (r < 0)
		return r;
	if (data >= 0 && make && mkdirat(data, "sessions", 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_SETUP, errno, "%s/sessions: %s", data_dir, strerror(errno));

	int top = data < 0 ? -1 : openat(data, "sessions", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return top < 0 ? err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_DENIED, errno, "%s/sessions: %s", data_dir, strerror(errno))
	               : top;
}

int registry_open(int top, const char *id, struct err *err)
{
	autofd int dir = openat(top, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (dir < 0)
		return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_DENIED, errno, "session %s: %s", id,
		               errno == ENOENT ? "there is none; `coffer session ls` shows those that there are" : strerror(errno));
	if (fstat(dir, &st) < 0 || st.st_uid != geteuid() || st.st_mode & 077)
		return err_set(err, ERR_DENIED, EPERM, "session %s: its directory is not this user's alone", id);
	return TAKE_FD(dir);
}

int registry_lock(int dir)
{
	const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	autofd int lock = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (lock < 0 || fcntl(lock, F_OFD_SETLK, &whole) < 0)
		return errno == EACCES ? -EWOULDBLOCK : -errno;
	return TAKE_FD(lock);
}

/* ---- writing ---- */

static void add_text(struct str *out, const char *key, const char *text)
{
	str_printf(out, ",\"%s\":", key);
	if (text)
		str_add_json_text(out, text);
	else
		str_add(out, "null");
}

int registry_write(int dir, const struct kept *kept, struct err *err)
{
	autostr struct str out = { 0 };
	int r;

	str_init(&out, JSON_DOCUMENT_MAX);
	str_printf(&out, "{\"version\":%d,\"created\":%llu,\"ttl_ms\":%llu,\"idle_ms\":%llu", REGISTRY_VERSION,
	           (unsigned long long)kept->entry.created_s, (unsigned long long)kept->entry.ttl_ms,
	           (unsigned long long)kept->entry.idle_ms);
	add_text(&out, "id", kept->entry.id);
	add_text(&out, "cwd", kept->entry.cwd);
	add_text(&out, "home", kept->home);
	add_text(&out, "tree", session_tree_name(kept->entry.tree));
	add_text(&out, "path", kept->entry.path);
	add_text(&out, "workspace", kept->entry.workspace);
	str_printf(&out, ",\"keeps_workspace\":%s,\"history\":%s", kept->entry.keeps_workspace ? "true" : "false",
	           kept->entry.history ? "true" : "false");
	str_printf(&out, ",\"has_secrets\":%s,\"labels\":%s}\n", kept->has_secrets ? "true" : "false",
	           kept->entry.labels ? kept->entry.labels : "{}");
	r = out.failed ? -ENOMEM : file_replace_at(dir, settings_name, kept->settings, strlen(kept->settings), true);
	if (r == 0)
		r = file_replace_at(dir, record_name, out.text, out.len, true);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "the record of session %s: %s", kept->entry.id, strerror(-r)) : 0;
}

/* ---- reading ---- */

static const char *document_of(const json_t *record, const char *key, struct arena *arena)
{
	const json_t *value = json_object_get(record, key);
	autofree char *text = json_is_object(value) ? json_dumps(value, JSON_COMPACT) : NULL;

	return text ? arena_dup(arena, text) : NULL;
}

static const char *const trees[] = { [SESSION_TREE_HOST] = "host", [SESSION_TREE_COPY] = "copy", [SESSION_TREE_EMPTY] = "empty" };

const char *session_tree_name(enum session_tree tree)
{
	return trees[tree];
}

static bool take_tree(const json_t *record, struct arena *arena, struct session_entry *entry)
{
	const char *name = json_string_value(json_object_get(record, "tree"));
	size_t i = 0;

	while (name && i < ARRAY_LEN(trees) && strcmp(trees[i], name) != 0)
		i++;
	if (!name || i == ARRAY_LEN(trees))
		return false;
	entry->tree = (enum session_tree)i;
	entry->path = json_text_of(record, "path", arena);
	entry->workspace = json_text_of(record, "workspace", arena);
	entry->keeps_workspace = json_is_true(json_object_get(record, "keeps_workspace"));
	entry->history = json_is_true(json_object_get(record, "history"));
	if (entry->tree == SESSION_TREE_HOST)
		return !entry->workspace;
	return entry->workspace && workspace_is_id(entry->workspace) && entry->path && path_is_normal(entry->path);
}

static bool take(const json_t *record, const char *id, struct arena *arena, struct kept *kept)
{
	const char *its_id = json_text_of(record, "id", arena);

	*kept = (struct kept){ .entry = { .id = its_id,
		                          .cwd = json_text_of(record, "cwd", arena),
		                          .labels = document_of(record, "labels", arena),
		                          .created_s = json_number_of(record, "created"),
		                          .ttl_ms = json_number_of(record, "ttl_ms"),
		                          .idle_ms = json_number_of(record, "idle_ms") },
		               .home = json_text_of(record, "home", arena),
		               .has_secrets = json_is_true(json_object_get(record, "has_secrets")) };
	return json_number_of(record, "version") == REGISTRY_VERSION && its_id && strcmp(its_id, id) == 0 && kept->entry.labels &&
	       kept->entry.cwd && path_is_normal(kept->entry.cwd) && take_tree(record, arena, &kept->entry);
}

static int read_text(int dir, const char *name, char **ret_text)
{
	autofree char *text = malloc(JSON_DOCUMENT_MAX + 1);
	ssize_t n = text ? file_read_at(dir, name, text, JSON_DOCUMENT_MAX + 1) : -ENOMEM;

	if (n >= 0)
		*ret_text = TAKE_PTR(text);
	return n < 0 ? (int)n : 0;
}

int registry_read_settings(int dir, struct arena *arena, struct kept *kept, struct err *err)
{
	autofree char *text = NULL;
	int r = read_text(dir, settings_name, &text);

	kept->settings = r < 0 ? NULL : arena_dup(arena, text);
	return kept->settings ? 0 : err_set(err, ERR_SETUP, EBADMSG, "session %s: its settings cannot be read", kept->entry.id);
}

bool registry_has_record(int dir)
{
	struct stat st;

	return fstatat(dir, record_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool registry_is_held(int dir)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	autofd int lock = openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	return lock >= 0 && fcntl(lock, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

int registry_read(int dir, const char *id, struct arena *arena, struct kept *ret_kept, struct err *err)
{
	char text[RECORD_BYTES_MAX];
	ssize_t n = file_read_at(dir, record_name, text, sizeof(text));
	autojson json_t *record = NULL;

	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "session %s: its record: %s; `coffer session rm %s` removes it", id,
		               strerror((int)-n), id);
	if (json_read(text, (size_t)n, "record", &record, err) < 0 || !take(record, id, arena, ret_kept))
		return err_set(err, ERR_SETUP, EBADMSG, "session %s: its record is damaged; `coffer session rm %s` removes it", id, id);
	return 0;
}
