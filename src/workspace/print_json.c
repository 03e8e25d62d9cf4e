/* The part of print.h that makes JSON. */
#include "base/own.h"
#include "base/utf8.h"
#include "workspace/print.h"
#include "workspace/print_part.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_utf8(const char *text)
{
	size_t n = strlen(text), take;
	uint32_t code;

	for (; n > 0; text += take, n -= take) {
		take = utf8_take(text, n, &code);
		if (take == 0)
			return false;
	}
	return true;
}

static void put_path(struct str *out, const char *key, const char *path)
{
	str_printf(out, ",\"%s\":", key);
	str_add_json(out, path, strlen(path));
	if (is_utf8(path))
		return;
	str_printf(out, ",\"%sHex\":\"", key);
	for (const unsigned char *p = (const unsigned char *)path; *p; p++)
		str_printf(out, "%02x", *p);
	str_add_char(out, '"');
}

static void put_side(const struct changes *changes, const struct change *change, enum change_side side, struct str *out)
{
	const struct entry *entry = side == CHANGE_BEFORE ? &change->before : &change->after;
	autocontent struct content target = { 0 };

	str_printf(out, ",\"%s\":", side == CHANGE_BEFORE ? "before" : "after");
	if (entry->kind == ENTRY_NONE) {
		str_add(out, "null");
		return;
	}
	str_printf(out, "{\"kind\":\"%s\",\"mode\":\"%04o\",\"size\":%llu,\"mtimeNs\":%lld", entry_kind_name(entry->kind), entry->mode,
	           (unsigned long long)entry->size, (long long)entry->mtime_ns);
	if (entry->kind == ENTRY_LINK && changes_load(changes, change, side, PRINT_FILE_MAX, &target) == 0) {
		str_add(out, ",\"target\":");
		str_add_json(out, target.bytes, target.n);
	}
	str_add_char(out, '}');
}

static void put_what(unsigned what, struct str *out)
{
	static const char *const name[] = { "content", "mode", "type", "target", "attributes", "time" };
	const char *between = "";

	str_add(out, ",\"what\":[");
	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		if (what >> i & 1) {
			str_printf(out, "%s\"%s\"", between, name[i]);
			between = ",";
		}
	}
	str_add_char(out, ']');
}

static int json_one(const struct changes *changes, const struct printer *printer, const struct change *change, struct str *out)
{
	size_t lines[2];
	bool binary;
	int r = changes_print_count(changes, change, lines, &binary);

	(void)printer;
	if (r < 0)
		return r;
	str_printf(out, "{\"change\":\"%s\"", changes_print_kind(change));
	put_path(out, "path", change->path);
	if (change->from)
		put_path(out, "from", change->from);
	if (change->to)
		put_path(out, "to", change->to);
	if (change->kind == CHANGE_MODIFIED)
		put_what(change->what, out);
	str_printf(out, ",\"binary\":%s,\"added\":%zu,\"removed\":%zu", binary ? "true" : "false", lines[0], lines[1]);
	put_side(changes, change, CHANGE_BEFORE, out);
	put_side(changes, change, CHANGE_AFTER, out);
	if (change->fault) {
		str_add(out, ",\"fault\":");
		str_add_json_text(out, strerror(change->fault));
	}
	str_add_char(out, '}');
	return 0;
}

/* Puts a comma between what print_each passes on. */
struct between {
	const struct printer *to;
	bool begun;
};

static int put_between(void *data, const char *bytes, size_t n)
{
	struct between *between = data;
	int r = between->begun ? between->to->put(between->to->data, ",", 1) : 0;

	between->begun = true;
	return r < 0 ? r : between->to->put(between->to->data, bytes, n);
}

int changes_print_json(const struct changes *changes, const struct printer *printer, struct err *err)
{
	struct between between = { .to = printer };
	struct printer inner = *printer;
	static const char head[] = "{\"changes\":[";
	char tail[64];
	int r = printer->put(printer->data, head, sizeof(head) - 1);

	inner.put = put_between;
	inner.data = &between;
	if (r == 0 && (r = print_each(changes, &inner, json_one, err)) < 0)
		return r;
	snprintf(tail, sizeof(tail), "],\"tooDeep\":%zu}\n", changes->too_deep);
	if (r == 0)
		r = printer->put(printer->data, tail, strlen(tail));
	return r < 0 ? err_set(err, ERR_SETUP, -r, "cannot write the changes: %s", strerror(-r)) : 0;
}
