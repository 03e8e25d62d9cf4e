/* `coffer session cp`, `cat`, `write` and `ls NAME`: a session's files, from outside. */
#include "cli/say.h"
#include "cli/session.h"

#include "base/path.h"
#include "sys/fd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 256 << 10, OCTAL = 8, PERMISSIONS = 0777 };

/* ---- contents ---- */

static int fail(struct coffer_error *error, const char *what)
{
	*error = (struct coffer_error){ .code = COFFER_ERROR_SETUP, .errnum = errno };
	(void)snprintf(error->text, sizeof(error->text), "%s: %s", what, strerror(errno));
	return -error->errnum;
}

static int show_file(struct coffer_session *session, const char *path, struct coffer_error *error)
{
	static char piece[PIECE];
	int fd = -1, r = coffer_session_open_file(session, path, &fd, error);
	ssize_t n = 0;
	while (r == 0 && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno != EINTR)
			r = fail(error, path);
		else if (n > 0 && fd_write_all(STDOUT_FILENO, piece, (size_t)n) < 0)
			r = fail(error, "standard output");
	}
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int cat(const struct session_deed *what, struct coffer_error *error)
{
	const struct text_vec *words = &what->options->words;
	int r = 0;
	for (size_t i = 1; r == 0 && i < words->n; i++)
		r = show_file(what->session, words->at[i], error);
	return r;
}

int command_session_cat(const struct options *options)
{
	return with_session(options, 2, cat);
}

static int take_mode(const struct options *options, struct coffer_file_write *write, struct coffer_error *error)
{
	const char *text = options->value[OPTION_MODE];
	char *end = NULL;
	if (!text)
		return 0;
	unsigned long mode = strtoul(text, &end, OCTAL);
	if (*end || end == text || *text == '-' || mode > PERMISSIONS)
		return refuse_words(error, "--mode takes permissions in octal: 0 to 777");
	write->sets_mode = 1;
	write->mode = (unsigned)mode;
	return 0;
}

static int write_file(const struct session_deed *what, struct coffer_error *error)
{
	struct coffer_file_write write = { .size = sizeof(write), .input = STDIN_FILENO, .append = what->options->given[OPTION_APPEND] };
	int r = take_mode(what->options, &write, error);
	if (what->options->words.n > 2)
		return refuse_words(error, "session write: one path at a time");
	if (r == 0 && write.append && write.sets_mode)
		return refuse_words(error, "session write: --append keeps the file's mode; leave --mode out");
	return r < 0 ? r : coffer_session_write_file(what->session, what->options->words.at[1], &write, error);
}

int command_session_write(const struct options *options)
{
	return with_session(options, 2, write_file);
}

/* ---- names ---- */

static int list_one(const struct session_deed *what, const char *path, struct coffer_error *error)
{
	char *text = NULL;
	int r = coffer_session_files_text(what->session, path, what->options->given[OPTION_JSON] ? COFFER_JSON : COFFER_TEXT, &text, error);
	if (r < 0)
		return r;
	r = fd_write_all(STDOUT_FILENO, text, strlen(text));
	coffer_text_free(text);
	return r < 0 ? fail(error, "standard output") : 0;
}

int session_list_files(const struct session_deed *what, struct coffer_error *error)
{
	const struct text_vec *words = &what->options->words;
	int r = words->n == 1 ? list_one(what, ".", error) : 0;
	for (size_t i = 1; r == 0 && i < words->n; i++)
		r = list_one(what, words->at[i], error);
	return r;
}

/* ---- copies ---- */

/* One side of a copy. */
struct side {
	char session[COFFER_TEXT_MAX]; /* "": the host */
	const char *path;
};

/* "NAME:PATH", where NAME has no slash: what has one before its first colon is a path of the host. */
static struct side side_of(const char *word)
{
	struct side side = { .path = word };
	size_t n = strcspn(word, ":/");
	if (word[n] != ':' || n == 0 || n >= sizeof(side.session))
		return side;
	memcpy(side.session, word, n);
	side.path = word + n + 1;
	return side;
}

/* What did not come with it is said, and makes the status that of something unwell. */
static int tell(const struct coffer_archive_report *report)
{
	autostr struct str line = { 0 };
	str_init(&line, PIECE);
	if (report->skipped)
		say("session cp: %llu left out: links that would lead out of the directory, fifos, sockets or devices",
		    (unsigned long long)report->skipped);
	if (report->incomplete) {
		str_add_escaped(&line, report->entry, strlen(report->entry));
		say("session cp: not all could be read: %s", line.text);
	}
	return report->skipped || report->incomplete ? EXIT_UNWELL : EXIT_FINE;
}

static int copy_in(struct coffer_session *session, const char *outer, const char *path, struct coffer_error *error)
{
	const struct coffer_file_write write = { .size = sizeof(write), .input = STDIN_FILENO };
	struct coffer_archive_report report;
	int r = strcmp(outer, "-") == 0 ? coffer_session_write_file(session, path, &write, error)
	                                : coffer_session_copy_in(session, outer, path, &report, error);
	return r < 0 || strcmp(outer, "-") == 0 ? r : tell(&report);
}

static int copy_out(struct coffer_session *session, const char *path, const char *outer, struct coffer_error *error)
{
	struct coffer_archive_report report;
	if (strcmp(outer, "-") == 0)
		return show_file(session, path, error);
	int r = coffer_session_copy_out(session, path, outer, &report, error);
	return r < 0 ? r : tell(&report);
}

static int copy(struct coffer *coffer, const struct side *from, const struct side *to, struct coffer_error *error)
{
	struct coffer_session *session = NULL;
	if (!*from->session == !*to->session)
		return refuse_words(error, *from->session ? "session cp: from one session to another goes by way of the host, in two steps"
		                                          : "session cp: one of the two is SESSION:PATH");
	int r = coffer_session_open(coffer, *from->session ? from->session : to->session, &session, error);
	if (r == 0)
		r = *to->session ? copy_in(session, from->path, to->path, error) : copy_out(session, from->path, to->path, error);
	coffer_session_free(session);
	return r;
}

int command_session_cp(const struct options *options)
{
	struct coffer *coffer = NULL;
	struct coffer_error error;
	if (options->words.n != 2) {
		say("usage: coffer session cp %s", options->command->arguments);
		return EXIT_FAILED;
	}
	const struct side from = side_of(options->words.at[0]), to = side_of(options->words.at[1]);
	int r = coffer_new(&coffer, &error);
	if (r == 0)
		r = copy(coffer, &from, &to, &error);
	if (r < 0)
		say_error(&error);
	coffer_free(coffer);
	return r < 0 ? EXIT_FAILED : r;
}
