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
};

/* 0, or a negative errno: then each mistake has been said, and error has the first. */
int request_make(const struct options *options, struct cli_request *ret_request, struct coffer_error *error);
void request_done(struct cli_request *request);

#endif
