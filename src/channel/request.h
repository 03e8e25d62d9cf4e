/*
 * request.h: one line of a client's, read. Bytes in, a value out; the only parser of the channel (fuzz/channel.c).
 */
#ifndef COFFER_CHANNEL_REQUEST_H
#define COFFER_CHANNEL_REQUEST_H

#include "base/err.h"
#include "base/str.h"

#include <jansson.h>
#include <stdint.h>

struct work;

enum method_end { NOW, KILLED, ASKED, FINISHED };
struct method {
	const char *name;
	int (*work)(struct work *work, struct str *result, struct err *err); /* NULL: the channel's own */
	enum method_end end;
	const char *params;
};
extern const struct method methods[];
extern const size_t methods_n;

struct request {
	uint64_t id; /* 0: none could be read */
	const struct method *method;
	json_t *params; /* an object */
};

enum { REQUEST_LINE_MAX = 4 << 20 };

/* The line without its end. On failure ret_request->id is set as far as it was read, and nothing else. */
int channel_request_read(const char *line, size_t n, struct request *ret_request, struct err *err);
void channel_request_done(struct request *request);

#endif
