/*
 * Theory of operation. A way's words are expanded one by one: %1 is where the first program is, %s where the source is. What is interpreted is
 * executed directly. What has to be built is a line for sh, in which both stand quoted; the snippet's arguments are that shell's.
 */
#include "code/command.h"

#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>

#define BUILT "\"$out/main\""

enum { PROGRAMS_MAX = 4, LINE_MAX_BYTES = 32 << 10 };

struct making {
	const struct code_language *language;
	const struct code_way *way;
	const char *source, *support;
	const char *program[PROGRAMS_MAX];
	const char *shell;
	struct arena *arena;
	struct text_vec argv;
	struct err *err;
};

bool code_name_is_plain(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t n = strlen(name);
	return n > 0 && n < PATH_NAME_MAX && name[0] != '.' && name[0] != '-' && strspn(name, plain) == n;
}

const char *code_file_name(const struct code_language *language, const char *name, struct arena *arena)
{
	char suffix[CODE_NAME_MAX];
	if (name && code_name_is_plain(name) && strchr(name, '.'))
		return arena_dup(arena, name);
	code_word(language->suffixes, 0, suffix);
	return arena_printf(arena, "main.%s", suffix);
}

static int no_memory(struct making *m)
{
	return err_set(m->err, ERR_LIMIT, ENOMEM, "the command does not fit into the memory of the request");
}

static int add(struct making *m, const char *word)
{
	const char **slot = word ? text_vec_add(&m->argv, m->arena) : NULL;
	if (!slot)
		return no_memory(m);
	*slot = word;
	return 0;
}

static bool has_programs(struct making *m, const struct code_programs *programs)
{
	char name[CODE_NAME_MAX];
	for (size_t i = 0; i < PROGRAMS_MAX; i++) {
		m->program[i] = code_word(m->way->needs, i, name) ? programs->find(programs->context, name) : "";
		if (!m->program[i])
			return false;
	}
	m->shell = m->way->build ? programs->find(programs->context, "sh") : "";
	return m->shell;
}

static int is_missing(struct making *m)
{
	struct str tried autostr;
	char name[CODE_NAME_MAX];
	const struct code_way *way;
	str_init(&tried, ERR_TEXT_MAX);
	for (size_t i = 0; (way = code_way_at(m->language, i)); i++)
		str_printf(&tried, "%s%s", i ? ", " : "", way->needs);
	code_word(m->language->names, 0, name);
	return err_set(m->err, ERR_NOTFOUND, ENOENT,
	               "no program for %s in the sandbox's PATH (tried: %s): `apt-get install %s`; the image %s has it", name, tried.text,
	               m->language->packages, m->language->image);
}

/* What %x stands for. */
static const char *meaning(const struct making *m, char letter)
{
	if (letter == 's')
		return m->source;
	if (letter == '+')
		return m->support;
	return letter > '0' && letter <= '0' + PROGRAMS_MAX ? m->program[letter - '1'] : "";
}

static int add_words(struct making *m, const char *words)
{
	int r = 0;
	while (r == 0 && *words) {
		size_t n = strcspn(words, " ");
		r = add(m, n == 2 && words[0] == '%' ? meaning(m, words[1]) : arena_dup_n(m->arena, words, n));
		words += n + (words[n] == ' ');
	}
	return r;
}

static void put_line(const struct making *m, const char *words, struct str *line)
{
	for (; *words; words++) {
		if (words[0] != '%')
			str_add_char(line, *words);
		else if (*++words == 'o')
			str_add(line, BUILT);
		else
			str_add_shell(line, meaning(m, *words));
	}
}

/* Fresh each time: what a run makes in /tmp is gone with it, and where the policy shows the host's /tmp nobody else's is in the way. */
static int add_build(struct making *m)
{
	struct str line autostr;
	str_init(&line, LINE_MAX_BYTES);
	str_add(&line, "out=$(mktemp -d) && ");
	put_line(m, m->way->build, &line);
	str_add(&line, " && exec " BUILT " \"$@\"");
	int r = line.failed ? no_memory(m) : add(m, m->shell);
	if (r == 0)
		r = add(m, "-c");
	if (r == 0)
		r = add(m, arena_dup_n(m->arena, line.text, line.len));
	return r == 0 ? add(m, m->source) : r;
}

int code_command(const struct code_snippet *snippet, const struct code_programs *programs, struct arena *arena,
                 struct code_command *ret_command, struct err *err)
{
	const char *results = snippet->results ? snippet->language->results : NULL;
	struct making m = { .language = snippet->language, .source = snippet->source, .arena = arena, .err = err };
	size_t i = 0;
	if (snippet->results && !results)
		return err_set(err, ERR_USAGE, EINVAL, "only python and javascript have results");
	do
		m.way = code_way_at(m.language, i++);
	while (m.way && !has_programs(&m, programs));
	if (!m.way)
		return is_missing(&m);
	const char *support = results ? results : m.way->support;
	m.support = support ? arena_printf(arena, CODE_DIRECTORY "/.%s", support) : "";
	if (!m.support)
		return no_memory(&m);
	int r = m.way->build ? add_build(&m) : add_words(&m, results ? "%1 %+ " CODE_RESULTS " %s" : m.way->command);
	for (const char *const *word = snippet->arguments; r == 0 && word && *word; word++)
		r = add(&m, *word);
	const char **end = r == 0 ? text_vec_add(&m.argv, arena) : NULL;
	if (r == 0 && !end)
		return no_memory(&m);
	if (r == 0)
		*ret_command = (struct code_command){ m.argv.at, support };
	return r;
}
