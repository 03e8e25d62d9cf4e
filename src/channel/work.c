#include "channel/work.h"

#include "base/own.h"
#include "channel/params.h"
#include "files/files.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { LINE_ROOM = 512 };

/* ---- lines ---- */

static int send(const struct work *work, const struct str *line, struct err *err)
{
	int r = line->failed ? -ENOMEM : fd_write_all(work->lines, line->text, line->len);

	return r < 0 ? err_set(err, ERR_LIMIT, -r, "the answer is too long") : 0;
}

int work_tell(struct work *work, char letter, const char *event, const char *members, struct err *err)
{
	autostr struct str line = { 0 };

	str_init(&line, WORK_RESULT_MAX);
	str_printf(&line, "%c{\"id\":%llu,\"event\":\"%s\"%s%s}\n", letter, (unsigned long long)work->request->id, event,
	           *members ? "," : "", members);
	return send(work, &line, err);
}

int work_tell_data(struct work *work, const void *bytes, size_t n, struct err *err)
{
	autostr struct str members = { 0 };

	str_init(&members, WORK_DATA_MAX * 2);
	str_add(&members, "\"data\":\"");
	str_add_base64(&members, bytes, n);
	str_add_char(&members, '"');
	return work_tell(work, WORK_EVENT, "data", members.text, err);
}

/* The protocol's names have no hyphens. */
void work_add_error(struct str *out, const struct err *err)
{
	str_add(out, "{\"code\":\"");
	for (const char *c = err_code_name(err->code); *c; c++)
		if (*c != '-')
			str_add_char(out, *c);
	str_printf(out, "\",\"errno\":%d,\"where\":", err->errnum);
	str_add_json_text(out, err->where);
	str_add(out, ",\"text\":");
	str_add_json_text(out, err->text);
	str_add_char(out, '}');
}

static void tell_error(const struct work *work, const struct err *err)
{
	autostr struct str line = { 0 };

	str_init(&line, LINE_ROOM + 8 * (ERR_WHERE_MAX + ERR_TEXT_MAX));
	str_printf(&line, "r{\"id\":%llu,\"error\":", (unsigned long long)work->request->id);
	work_add_error(&line, err);
	str_add(&line, "}\n");
	(void)send(work, &line, NULL);
}

_Noreturn void work_run(struct work *work)
{
	autostr struct str result = { 0 };
	struct err err = { 0 };
	int r;

	str_init(&result, WORK_RESULT_MAX);
	str_printf(&result, "%c{\"id\":%llu,\"result\":", work->request->method->end == ASKED ? WORK_EXEC_RESULT : WORK_RESULT,
	           (unsigned long long)work->request->id);
	r = work->request->method->work(work, &result, &err);
	str_add(&result, "}\n");
	if (r >= 0 && result.failed)
		r = err_set(&err, ERR_LIMIT, EMSGSIZE, "the answer is longer than %d bytes: ask for less", WORK_RESULT_MAX);
	if (r < 0 && err.code == ERR_NONE)
		(void)err_set(&err, ERR_INTERNAL, -r, "%s: %s", work->request->method->name, strerror(-r));
	if (r < 0)
		tell_error(work, &err);
	else
		(void)send(work, &result, NULL);
	_exit(0);
}

/* ---- errors ---- */

int work_failed(struct err *err, const struct coffer_error *error)
{
	int r = err_set(err, (enum err_code)error->code, error->errnum, "%s", error->text);

	if (error->where[0])
		err_at(err, error->where);
	return r;
}

int work_no_memory(struct err *err)
{
	return err_set(err, ERR_LIMIT, ENOMEM, "out of memory");
}

/* ---- sessions ---- */

int work_session(const struct work *work, struct coffer_session **ret_session, struct err *err)
{
	struct coffer_error error;
	int r = coffer_session_open(work->coffer, params_text(work->params, "session"), ret_session, &error);

	return r < 0 ? work_failed(err, &error) : 0;
}

int work_path(const struct work *work, const char *name, char ret_path[PATH_BYTES_MAX + 1], struct err *err)
{
	char normal[PATH_BYTES_MAX + 1];
	int r = params_path(params_get(work->params, name), ret_path, err);

	return r < 0 ? r : files_normalize(ret_path, normal, err);
}

/* For good: what follows looks at names that the sandbox has made. */
static int become(const struct coffer_session_view *view, struct err *err)
{
	if (geteuid() == view->uid && getegid() == view->gid)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(view->gid, view->gid, view->gid) < 0 || setresuid(view->uid, view->uid, view->uid) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(err, ERR_SETUP, errno, "this process cannot become the sandbox's user: %s", strerror(errno));
	return 0;
}

/* What it may add is found out while this is whoever may see all of it. */
static bool adds_to_files(const char *method)
{
	static const char *const adding[] = { "file.write", "file.append", "file.mkdir", "file.copy" };

	for (size_t i = 0; i < ARRAY_LEN(adding); i++)
		if (strcmp(method, adding[i]) == 0)
			return true;
	return false;
}

int work_enter(const struct work *work, struct files *ret_files, struct err *err)
{
	struct coffer_session *session = NULL;
	struct coffer_session_view view = { .directory = -1 }; /* stays open as long as the process */
	struct coffer_error error;
	int r = work_session(work, &session, err);

	if (r < 0)
		return r;
	r = coffer_session_view_open(session, &view, &error);
	files_init(ret_files, view.directory);
	if (r == 0 && adds_to_files(work->request->method->name))
		r = coffer_session_room(session, &ret_files->room_bytes, &ret_files->room_files, &error);
	if (r < 0)
		return work_failed(err, &error);
	coffer_session_free(session);
	return become(&view, err);
}

/* ---- input ---- */

static int too_large(uint64_t max, struct err *err)
{
	return err_set(err, ERR_LIMIT, EFBIG, "more than %llu bytes: max_bytes allows more", (unsigned long long)max);
}

static int take_stream(struct work *work, int to, uint64_t *n, uint64_t max, struct err *err)
{
	static char bytes[64 << 10];
	ssize_t got;

	while ((got = read(work->input, bytes, sizeof(bytes))) != 0) {
		if (got < 0 && errno != EINTR)
			return err_set(err, ERR_INTERNAL, errno, "input: %s", strerror(errno));
		*n += got > 0 ? (uint64_t)got : 0;
		if (*n > max)
			return too_large(max, err);
		if (got > 0 && fd_write_all(to, bytes, (size_t)got) < 0)
			return work_no_memory(err);
	}
	if (*work->whole)
		return 0;
	for (;;) /* the channel is gone, and so are we in a moment: half of a file is none */
		(void)pause();
}

int work_take_input(struct work *work, const char *name, uint64_t max, int *ret_fd, uint64_t *ret_n, struct err *err)
{
	autofd int fd = memfd_create("coffer-input", MFD_CLOEXEC);
	autostr struct str data = { 0 };
	uint64_t n;
	int r;

	str_init(&data, REQUEST_LINE_MAX);
	if (fd < 0 || params_data(work->params, name, &data) < 0)
		return work_no_memory(err);
	n = data.len;
	r = n > max ? too_large(max, err) : fd_write_all(fd, data.text, data.len) < 0 ? work_no_memory(err) : 0;
	if (r == 0 && work->input >= 0)
		r = take_stream(work, fd, &n, max, err);
	if (r < 0)
		return r;
	(void)lseek(fd, 0, SEEK_SET);
	*ret_n = n;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* ---- texts ---- */

const char **work_environment(const json_t *params, const char *name)
{
	json_t *object = (json_t *)(uintptr_t)params_get(params, name);
	const char **texts = calloc(json_object_size(object) + 1, sizeof(*texts));
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach (object, key, value) {
		struct str one = { 0 }; /* as long as the process */

		str_init(&one, REQUEST_LINE_MAX);
		str_add(&one, key);
		if (json_is_string(value))
			str_printf(&one, "=%s", json_string_value(value));
		if (!texts || one.failed || !*key || strchr(key, '='))
			return NULL;
		texts[n++] = one.text;
	}
	return texts;
}
