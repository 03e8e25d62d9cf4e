#include "workspace/record.h"

#include "base/json.h"
#include "base/own.h"
#include "base/path.h"
#include "workspace/keep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool workspace_is_id(const char *id)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(id);

	return n > 0 && n < WORKSPACE_ID_MAX && id[0] != '.' && id[0] != '-' && strspn(id, letters) == n;
}

const struct workspace_layer *record_layer(const struct workspace_record *record, uint64_t number)
{
	for (size_t i = 0; i < record->layers_n; i++)
		if (record->layers[i].number == number)
			return &record->layers[i];
	return NULL;
}

static void put_layer(const struct workspace_layer *layer, struct str *out)
{
	str_printf(out, "{\"number\":%llu,\"parent\":%llu,\"home\":\"%s\",\"createdNs\":%lld,\"label\":", (unsigned long long)layer->number,
	           (unsigned long long)layer->parent, layer->home, (long long)layer->created_ns);
	str_add_json(out, layer->label, strlen(layer->label));
	str_add_char(out, '}');
}

static void print(const struct workspace_record *record, struct str *out)
{
	str_printf(out, "{\"version\":1,\"id\":\"%s\",\"mode\":\"%s\",\"base\":", record->id,
	           record->mode == WORKSPACE_STAGE ? "stage" : "overlay");
	if (record->base) {
		str_add_char(out, '"');
		for (const char *p = record->base; *p; p++) {
			if (*p == '"' || *p == '\\')
				str_printf(out, "%%%02X", (unsigned char)*p);
			else
				keep_put_path(out, (const char[2]){ *p, '\0' });
		}
		str_add_char(out, '"');
	} else {
		str_add(out, "null");
	}
	str_printf(out, ",\"baseIno\":%llu,\"createdNs\":%lld,\"seenNs\":%lld,\"boot\":\"%s\",\"offsetNs\":%lld",
	           (unsigned long long)record->base_ino, (long long)record->created_ns, (long long)record->seen_ns, record->clock.boot,
	           (long long)record->clock.offset_ns);
	str_printf(out, ",\"below\":%llu,\"last\":%llu,\"kept\":%s,\"layers\":[", (unsigned long long)record->below,
	           (unsigned long long)record->last, record->kept ? "true" : "false");
	for (size_t i = 0; i < record->layers_n; i++) {
		str_add(out, i ? "," : "");
		put_layer(&record->layers[i], out);
	}
	str_add(out, "]}\n");
}

int record_store(int dirfd, const struct workspace_record *record, struct err *err)
{
	autostr struct str out = { 0 };

	str_init(&out, KEEP_TEXT_MAX);
	print(record, &out);
	int r = out.failed ? -ENOMEM : keep_write(dirfd, "record", out.text, out.len);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "workspace %s: its record cannot be written: %s", record->id, strerror(-r)) : 0;
}

/* Reading: the first thing that is wrong is remembered, and nothing is used unless all is right. */
struct reading {
	const json_t *from;
	struct arena *arena;
	const char *fault; /* the member that is wrong */
};

static const json_t *take(struct reading *reading, const char *key)
{
	const json_t *value = json_object_get(reading->from, key);

	if (!value && !reading->fault)
		reading->fault = key;
	return value;
}

static int64_t take_number(struct reading *reading, const char *key)
{
	const json_t *value = take(reading, key);

	if (value && !json_is_integer(value) && !reading->fault)
		reading->fault = key;
	return value ? json_integer_value(value) : 0;
}

static uint64_t take_count(struct reading *reading, const char *key)
{
	int64_t number = take_number(reading, key);

	if (number < 0 && !reading->fault)
		reading->fault = key;
	return (uint64_t)number;
}

static bool take_truth(struct reading *reading, const char *key)
{
	const json_t *value = take(reading, key);

	if (value && !json_is_boolean(value) && !reading->fault)
		reading->fault = key;
	return json_is_true(value);
}

static const char *take_text(struct reading *reading, const char *key, size_t max)
{
	const char *text = json_string_value(take(reading, key));

	if ((!text || strlen(text) > max) && !reading->fault)
		reading->fault = key;
	if (!text || reading->fault)
		return "";
	text = arena_dup(reading->arena, text);
	if (!text)
		reading->fault = key;
	return text ? text : "";
}

static const char *take_id(struct reading *reading, const char *key)
{
	const char *id = take_text(reading, key, WORKSPACE_ID_MAX);

	if (!workspace_is_id(id) && !reading->fault)
		reading->fault = key;
	return id;
}

static const char *take_base(struct reading *reading)
{
	if (json_is_null(take(reading, "base")))
		return NULL;
	char *word = arena_dup(reading->arena, take_text(reading, "base", (size_t)3 * PATH_BYTES_MAX)), *line = word;
	char *path = word ? keep_take_path(&line) : NULL;

	if ((!path || !path_is_normal(path)) && !reading->fault)
		reading->fault = "base";
	return path;
}

/* A layer lies on the base or on one that was there before it. */
static void read_layer(struct reading *reading, struct workspace_record *record, const json_t *from)
{
	struct workspace_layer *layer = &record->layers[record->layers_n];
	struct reading inner = { .from = from, .arena = reading->arena };

	layer->number = take_count(&inner, "number");
	layer->parent = take_count(&inner, "parent");
	layer->home = take_id(&inner, "home");
	layer->label = take_text(&inner, "label", WORKSPACE_LABEL_MAX);
	layer->created_ns = take_number(&inner, "createdNs");
	if (layer->number == 0 || record_layer(record, layer->number) || (layer->parent && !record_layer(record, layer->parent)))
		inner.fault = "number";
	if (inner.fault && !reading->fault)
		reading->fault = "layers";
	record->layers_n++;
}

static void read_layers(struct reading *reading, struct workspace_record *record)
{
	const json_t *list = take(reading, "layers");
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > WORKSPACE_LAYERS_MAX) {
		reading->fault = "layers";
		return;
	}
	record->layers = arena_array(reading->arena, n + 1, sizeof(*record->layers));
	if (!record->layers)
		reading->fault = "layers";
	for (size_t i = 0; i < n && !reading->fault; i++)
		read_layer(reading, record, json_array_get(list, i));
}

static void read_all(struct reading *reading, struct workspace_record *record)
{
	const char *mode, *boot;

	if (take_number(reading, "version") != 1)
		reading->fault = "version";
	record->id = take_id(reading, "id");
	mode = take_text(reading, "mode", 16);
	record->mode = strcmp(mode, "stage") == 0 ? WORKSPACE_STAGE : WORKSPACE_OVERLAY;
	if (record->mode == WORKSPACE_OVERLAY && strcmp(mode, "overlay") != 0 && !reading->fault)
		reading->fault = "mode";
	record->base = take_base(reading);
	record->base_ino = take_count(reading, "baseIno");
	record->created_ns = take_number(reading, "createdNs");
	record->seen_ns = take_number(reading, "seenNs");
	boot = take_text(reading, "boot", sizeof(record->clock.boot) - 1);
	snprintf(record->clock.boot, sizeof(record->clock.boot), "%s", boot);
	record->clock.offset_ns = take_number(reading, "offsetNs");
	record->below = take_count(reading, "below");
	record->last = take_count(reading, "last");
	record->kept = take_truth(reading, "kept");
	read_layers(reading, record);
	if (record->below && !record_layer(record, record->below) && !reading->fault)
		reading->fault = "below";
}

int record_load(int dirfd, const char *id, struct arena *arena, struct workspace_record *ret_record, struct err *err)
{
	struct workspace_record record = { 0 };
	autojson json_t *doc = NULL;
	struct err inner = { 0 };
	struct keep_text text;
	int r = keep_read(dirfd, "record", KEEP_TEXT_MAX, arena, &text);

	if (r < 0)
		return err_set(err, ERR_POLICY, -r, "workspace %s is broken: its record cannot be read: %s; `coffer discard %s` removes it",
		               id, r == -EBADMSG ? "it is not this user's own file" : strerror(-r), id);
	if (json_read(text.at, text.left, "record", &doc, &inner) < 0)
		return err_set(err, ERR_POLICY, EBADMSG, "workspace %s is broken: its record: %s; `coffer discard %s` removes it", id,
		               inner.text, id);
	struct reading reading = { .from = doc, .arena = arena };

	read_all(&reading, &record);
	if (!reading.fault && strcmp(record.id, id) != 0)
		reading.fault = "id";
	if (reading.fault)
		return err_set(err, ERR_POLICY, EBADMSG,
		               "workspace %s is broken: \"%s\" in its record is not what coffer wrote; `coffer discard %s` removes it", id,
		               reading.fault, id);
	*ret_record = record;
	return 0;
}
