/* `coffer session snapshot …`: the files of a session, kept under a name. */
#include "cli/say.h"
#include "cli/session.h"

#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 4200 };

static int fail(struct coffer_error *error, const char *what)
{
	*error = (struct coffer_error){ .code = errno == ENOENT ? COFFER_ERROR_NOTFOUND : COFFER_ERROR_SETUP, .errnum = errno };
	(void)snprintf(error->text, sizeof(error->text), "%s: %s", what, strerror(errno));
	return -error->errnum;
}

static int create(struct coffer *coffer, const char *const *words, struct coffer_error *error)
{
	struct coffer_session *session = NULL;
	int r = coffer_session_open(coffer, words[0], &session, error);
	if (r == 0)
		r = coffer_snapshot_create(session, words[1], error);
	coffer_session_free(session);
	return r;
}

static int rm(struct coffer *coffer, const char *const *words, struct coffer_error *error)
{
	int r = 0;
	for (; r == 0 && *words; words++)
		r = coffer_snapshot_remove(coffer, *words, error);
	return r;
}

/* Beside, synced, renamed: a file of this name is whole. */
static int export_to(struct coffer *coffer, const char *name, const char *path, struct coffer_error *error)
{
	char beside[PATH_ROOM];
	if ((size_t)snprintf(beside, sizeof(beside), "%s.part", path) >= sizeof(beside))
		return refuse_words(error, "session snapshot export: too long a name for a file");
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return fail(error, beside);
	int r = coffer_snapshot_export(coffer, name, fd, error);
	if (r == 0 && (fsync(fd) < 0 || rename(beside, path) < 0))
		r = fail(error, path);
	(void)close(fd);
	if (r < 0)
		(void)unlink(beside);
	return r;
}

static int export(struct coffer *coffer, const char *const *words, struct coffer_error *error)
{
	if (strcmp(words[1], "-") == 0)
		return coffer_snapshot_export(coffer, words[0], STDOUT_FILENO, error);
	return export_to(coffer, words[0], words[1], error);
}

static int import(struct coffer *coffer, const char *const *words, struct coffer_error *error)
{
	int fd = strcmp(words[0], "-") == 0 ? STDIN_FILENO : open(words[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(error, words[0]);
	int r = coffer_snapshot_import(coffer, fd, words[1], error);
	if (fd != STDIN_FILENO)
		(void)close(fd);
	return r;
}

static int list(struct coffer *coffer, enum coffer_format format, struct coffer_error *error)
{
	char *text = NULL;
	int r = coffer_snapshots_text(coffer, format, &text, error);
	if (r < 0)
		return r;
	(void)fd_write_all(STDOUT_FILENO, text, strlen(text));
	coffer_text_free(text);
	return 0;
}

/* What the first word says; so many words follow it. */
static const struct {
	const char *name;
	size_t least, most;
	int (*deed)(struct coffer *coffer, const char *const *words, struct coffer_error *error); /* NULL: it lists */
} verbs[] = {
	{ "create", 2, 2, create }, { "ls", 0, 0, NULL }, { "rm", 1, SIZE_MAX, rm }, { "export", 2, 2, export }, { "import", 2, 2, import },
};

static int find_verb(const struct options *options)
{
	const char *word = options->words.n ? options->words.at[0] : "";
	size_t rest = options->words.n ? options->words.n - 1 : 0;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verbs[i].name, word) == 0 && rest >= verbs[i].least && rest <= verbs[i].most)
			return (int)i;
	say("usage: coffer session snapshot %s", options->command->arguments);
	return -1;
}

int command_session_snapshot(const struct options *options)
{
	int verb = find_verb(options);
	struct coffer *coffer = NULL;
	struct coffer_error error;
	if (verb < 0)
		return EXIT_FAILED;
	int r = coffer_new(&coffer, &error);
	if (r == 0)
		r = verbs[verb].deed ? verbs[verb].deed(coffer, options->argv + 1, &error)
		                     : list(coffer, options->given[OPTION_JSON] ? COFFER_JSON : COFFER_TEXT, &error);
	if (r < 0)
		say_error(&error);
	coffer_free(coffer);
	return r < 0 ? EXIT_FAILED : EXIT_FINE;
}
