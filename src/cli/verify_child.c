/*
 * Theory of operation. Nothing of a program that is verified is parsed in this process. coffer-verify reads it, in a sandbox like any other command's: no
 * network, nothing of home or of the working directory, nothing to write. The same holds for python3, which words mistakes of syntax. Programs go in and answers come
 * out as frames; what comes out is a stranger's word and is read as such.
 */
#include "cli/verify.h"

#include "base/num.h"
#include "base/own.h"
#include "base/path.h"
#include "sys/beside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_BYTES = 48 << 20, ANSWERS_MAX = 256 << 20, LINE_ROOM = 64, EXIT_NO_SUCH = 127, EXIT_NOT_EXECUTABLE = 126 };

/* What the two of them need: the distribution's files, memory, and time. */
static const char settings[] =
    "{\"filesystem\":{\"denyRead\":[\"~\"]},\"denials\":\"off\",\"limits\":{\"memory\":\"4G\",\"processes\":64,\"timeout\":\"10m\",\"tmp\":\"1M\"}}";

/* Says of each program `LINE COLUMN BYTES` and the words: of none that parses. */
static const char python[] = "import ast, sys\n"
			     "data = sys.stdin.buffer\n"
			     "for head in iter(data.readline, b''):\n"
			     "    text = data.read(int(head))\n"
			     "    line, column, said = 0, 0, ''\n"
			     "    try:\n"
			     "        try:\n"
			     "            text = text.decode()\n"
			     "        except ValueError:\n"
			     "            pass\n"
			     "        ast.parse(text)\n"
			     "    except SyntaxError as error:\n"
			     "        line, column, said = error.lineno or 1, error.offset or 1, str(error)\n"
			     "    except (ValueError, RecursionError, MemoryError) as error:\n"
			     "        line, column, said = 1, 1, str(error) or type(error).__name__\n"
			     "    said = said.encode('utf-8', 'replace')\n"
			     "    sys.stdout.buffer.write(b'%d %d %d\\n%s' % (max(line, 0), max(column, 0), len(said), said))\n";

struct child {
	struct verify_work *work;
	const char *const *argv;
	const char *program; /* to be readable; NULL: it is the distribution's */
	struct str input, output;
	int status;
};

static void on_event(void *context, const struct coffer_event *event)
{
	struct child *child = context;

	if (event->type == COFFER_EVENT_OUTPUT && event->stream == 1)
		str_add_n(&child->output, event->bytes, event->len);
}

static int make_policy(const struct child *child, struct coffer_policy **ret_policy, struct coffer_error *error)
{
	int r = coffer_policy_new(ret_policy, error);

	if (r == 0)
		r = coffer_policy_read(*ret_policy, settings, sizeof(settings) - 1, "coffer verify", error);
	if (r == 0 && child->program)
		r = coffer_policy_allow_read(*ret_policy, child->program, error);
	return r;
}

static int run_request(struct child *child, struct coffer_request *request, struct coffer_error *error)
{
	struct coffer_outcome *outcome = NULL;
	int r = coffer_request_directory(request, "/", error);

	if (r == 0)
		r = coffer_request_input(request, child->input.text, child->input.len, error);
	coffer_request_events(request, on_event, child);
	if (r == 0)
		r = coffer_run(request, &outcome, error);
	if (r == 0)
		child->status = coffer_outcome_exit_code(outcome);
	coffer_outcome_free(outcome);
	return r;
}

static int run_child(struct child *child, struct coffer_error *error)
{
	struct coffer_policy *policy = NULL;
	struct coffer_request *request = NULL;
	int r = make_policy(child, &policy, error);

	str_clear(&child->output);
	if (r == 0)
		r = coffer_request_new(child->work->coffer, policy, child->argv, &request, error);
	if (r == 0)
		r = run_request(child, request, error);
	coffer_request_free(request);
	coffer_policy_free(policy);
	return r;
}

static int fail(struct coffer_error *error, const char *text)
{
	memset(error, 0, sizeof(*error));
	error->code = COFFER_ERROR_SETUP;
	error->errnum = EPROTO;
	(void)snprintf(error->text, sizeof(error->text), "%s", text);
	return -EPROTO;
}

/* The number before the next space or newline; moves *at behind that. */
static int take_number(const struct str *from, size_t *at, size_t *ret_number)
{
	char digits[LINE_ROOM];
	size_t n = 0;
	uint64_t number;

	while (*at + n < from->len && n < sizeof(digits) - 1 && from->text[*at + n] != '\n' && from->text[*at + n] != ' ') {
		digits[n] = from->text[*at + n];
		n++;
	}
	digits[n] = '\0';
	if (*at + n >= from->len || num_count(digits, &number) < 0)
		return -EPROTO;
	*at += n + 1;
	*ret_number = number;
	return 0;
}

/* ---- coffer-verify ---- */

static int take_answers(struct child *child, size_t first, size_t last, struct coffer_error *error)
{
	size_t at = 0, n = 0;

	for (size_t i = first; i < last; i++) {
		struct verify_file *file = &child->work->files.at[i];
		if (take_number(&child->output, &at, &n) < 0 || n > child->output.len - at ||
		    json_read(child->output.text + at, n, "coffer-verify", &file->answer, NULL) < 0)
			return fail(error,
			            "verify: coffer-verify ended without having answered; is there a rule that --allow names wrongly?");
		at += n;
	}
	return 0;
}

static int read_batch(struct child *child, size_t first, size_t *ret_last, struct coffer_error *error)
{
	struct verify_file_vec *files = &child->work->files;
	size_t last = first;
	int r;

	str_clear(&child->input);
	while (last < files->n && child->input.len < BATCH_BYTES) {
		const struct verify_file *file = &files->at[last++];
		str_printf(&child->input, "%s %zu\n", file->language, file->n);
		str_add_n(&child->input, file->text, file->n);
	}
	*ret_last = last;
	r = run_child(child, error);
	return r < 0 ? r : take_answers(child, first, last, error);
}

int verify_read(struct verify_work *work, struct coffer_error *error)
{
	char path[PATH_BYTES_MAX + 1];
	struct child child = { .work = work, .argv = work->words, .program = path };
	size_t next = 0;
	int r = 0;

	if (beside_find("coffer-verify", path, sizeof(path)) < 0)
		return fail(error, "verify: coffer-verify is neither beside this program nor in " COFFER_LIBEXEC
		                   ": it was built without the grammars; run tools/deps build, then make");
	((const char **)(uintptr_t)work->words)[0] = path;
	str_init(&child.input, BATCH_BYTES * 2);
	str_init(&child.output, ANSWERS_MAX);
	while (r == 0 && next < work->files.n)
		r = read_batch(&child, next, &next, error);
	str_done(&child.input);
	str_done(&child.output);
	return r;
}

/* ---- python3 ---- */

/* Anvil tells no other mistake than CPython's; otherwise it is asked about those that the grammar stumbled over. */
static bool wants_python(const struct verify_work *work, const struct verify_file *file)
{
	if (strcmp(file->language, "python") != 0)
		return false;
	return work->anvil || json_is_true(json_object_get(file->answer, "broken")) || json_object_get(file->answer, "error");
}

static int take_syntax(struct child *child, struct coffer_error *error)
{
	size_t at = 0, n = 0;

	for (size_t i = 0; i < child->work->files.n; i++) {
		struct verify_file *file = &child->work->files.at[i];
		if (!wants_python(child->work, file))
			continue;
		if (take_number(&child->output, &at, &file->syntax_line) < 0 ||
		    take_number(&child->output, &at, &file->syntax_column) < 0 || take_number(&child->output, &at, &n) < 0 ||
		    n > child->output.len - at)
			return fail(error, "verify: python3 ended without having answered");
		file->syntax = arena_dup_n(child->work->arena, child->output.text + at, n);
		at += n;
	}
	return 0;
}

int verify_ask_python(struct verify_work *work, struct coffer_error *error)
{
	static const char *const argv[] = { "python3", "-I", "-S", "-B", "-W", "ignore", "-c", python, NULL };
	struct child child = { .work = work, .argv = argv };
	int r = 0;

	str_init(&child.input, ANSWERS_MAX);
	str_init(&child.output, ANSWERS_MAX);
	for (size_t i = 0; i < work->files.n; i++) {
		const struct verify_file *file = &work->files.at[i];
		if (!wants_python(work, file))
			continue;
		str_printf(&child.input, "%zu\n", file->n);
		str_add_n(&child.input, file->text, file->n);
	}
	if (child.input.len > 0)
		r = run_child(&child, error);
	if (r == 0 && child.input.len > 0 && child.status != EXIT_NO_SUCH && child.status != EXIT_NOT_EXECUTABLE)
		r = take_syntax(&child, error);
	str_done(&child.input);
	str_done(&child.output);
	return r;
}
