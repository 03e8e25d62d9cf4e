/*
 * request.h: from the words of `coffer run` and `coffer explain` to a policy and a request. What is wrong is said here.
 */
#ifndef COFFER_CLI_REQUEST_H
#define COFFER_CLI_REQUEST_H

#include "cli/options.h"

/* Made together, freed together. All NULL is fine to free. */
struct cli_request {
	struct coffer *coffer;
	struct coffer_policy *policy;
	struct coffer_request *request;
	struct coffer_session *session; /* of request_make_exec */
};

/* 0, or a negative errno: then each mistake has been said, and error has the first. */
int request_make(const struct options *options, struct cli_request *ret_request, struct coffer_error *error);
/* The same without a command: what a session is made from. */
int request_make_policy(const struct options *options, struct cli_request *ret_request, struct coffer_error *error);
/* For a snippet of code, from --eval, a file or standard input. */
int request_make_code(const struct options *options, struct cli_request *ret_request, struct coffer_error *error);
/* For a command of an existing session: words are its name and the command. */
int request_make_exec(const struct options *options, struct cli_request *ret_request, struct coffer_error *error);
/* The command in the words NAME [--] CMD…; empty: there is none. */
const char *const *request_command_of(const struct options *options);
/* An option that is a time; 0: not given. Negative errno after having spoken. */
int request_option_ms(const struct options *options, enum option_id id, uint64_t *ret_ms);
/* Makes it, and runs it as options say. Returns the exit status. */
int request_run(const struct options *options, int (*make)(const struct options *, struct cli_request *, struct coffer_error *));
/* Makes it, and shows its plan. */
int request_explain(const struct options *options, int (*make)(const struct options *, struct cli_request *, struct coffer_error *));
void request_done(struct cli_request *request);

#endif
