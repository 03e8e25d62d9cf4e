/*
 * srt.h: the personality of Anthropic's sandbox runtime, for a binary that is called by its name: as npm's 0.0.83 behaves, or as the Python port
 * does, which prints the line that it runs, joins words unquoted and goes on with its defaults when settings are wrong.
 */
#ifndef COFFER_CLI_SRT_H
#define COFFER_CLI_SRT_H

#include "base/arena.h"
#include "base/vec.h"

#include <coffer.h>
#include <stdbool.h>

enum { SRT_FAILED = 1, SRT_USAGE = 2 /* of the port */, SRT_GOES_ON = -1 };

struct srt_line {
	struct arena arena;
	struct text_vec operands, unknown; /* words before the first unknown option; it and all behind it */
	const char *settings, *command, *control;
	bool debug, help, version;
	bool py; /* the port's manners */
};

/* argv without the program's name; py: called by the port's. Returns the exit status. */
int srt_main(const char *const *argv, bool py);
/* srt_proxy.c: `srt proxy`, without the word; what comes of the line goes into its arena. Returns the exit status. */
int srt_proxy_main(struct srt_line *line, const char *const *argv);
/* The same for a binary that is called srt-proxy. */
int srt_proxy_called(const char *const *argv);

void srt_add_word(struct srt_line *line, struct text_vec *list, const char *word);
void srt_debug(const struct srt_line *line, const char *text, const char *more);

/* srt_py.c: the line as the port reads it. SRT_GOES_ON, or the exit status when it has said why not. */
int srt_py_parse(struct srt_line *line, const char *const *argv);

/* srt_settings.c: reads the settings that the line names, or the default ones. SRT_GOES_ON, or the exit status, with everything said. */
int srt_read_settings(struct srt_line *line, struct coffer_policy *policy);

/* srt_decider.c: COFFER_SRT_DECIDER, for the SDKs: who is asked, and about what. 0, or -1 with error. */
int srt_decider_open(struct coffer_policy *policy, struct coffer_error *error);
int srt_decider_join(struct coffer_request *request, struct coffer_error *error);

/* srt_control.c: the descriptor of --control-fd, checked before anything is made. SRT_GOES_ON, or the exit status with everything said. */
int srt_control_open(const struct srt_line *line);
/* The request listens to it, if there is one. */
void srt_control_join(struct coffer_request *request);

#endif
