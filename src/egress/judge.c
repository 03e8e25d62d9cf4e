/* One request: does it say the same to everybody, and may it be asked? And what it looks like when it goes on. */
#include "egress/decider.h"
#include "egress/filter.h"
#include "egress/request.h"
#include "egress/resign.h"
#include "egress/swap.h"
#include "egress/target.h"

#include <string.h>

/* srt's words. */
#define AMBIGUOUS                                                                                                                               \
	"ambiguous request-target: as spelled and normalized it names different paths (a dot segment, leading slashes or \"\\\"); nothing was " \
	"forwarded (network.ambiguousRequestTarget in the sandbox's configuration is \"refuse\")"

enum { BAD = 400, FORBIDDEN = 403, MISDIRECTED = 421 };

/* The request that is being judged, and what it is judged by. */
static struct target target;
static struct host asked_host;
static struct access_request asked;

static const struct access_rule_vec *rules_of(const struct conn *conn)
{
	return &conn->filter->rules->requests;
}

static const char *method_of(const struct request *request)
{
	return http_method_str((enum http_method)request->head.parser.method);
}

/* ---- the decision ---- */

/* Headers may be set where nobody on the way reads them, or where somebody has said that this does not matter. */
static bool may_set_headers(const struct conn *conn)
{
	if (conn->client.secure || conn->filter->rules->plaintext_header_set)
		return true;
	for (const struct access_rule *rule = NULL; (rule = access_next(rules_of(conn), &asked, rule));)
		for (size_t i = 0; i < rule->headers.n; i++)
			if (rule->headers.at[i].value)
				return false;
	return true;
}

static bool refuse_reading(struct conn *conn, const char *path)
{
	struct access_verdict verdict;

	asked.path = path;
	verdict = access_decide(rules_of(conn), &asked);
	if (!verdict.allowed)
		refuse_request(conn, FORBIDDEN, "blocked-by-sandbox-runtime", verdict.reason);
	return !verdict.allowed;
}

/* Where the paths differ that others may read, what goes on is the policy's to say. */
static bool read_target(struct conn *conn, struct request *request)
{
	enum filter_target mode = conn->filter->rules->ambiguous_target;

	if (target_read(request->path, &target) < 0) {
		refuse_request(conn, BAD, "blocked-by-sandbox-runtime", "malformed request-target");
		return false;
	}
	if (target.ambiguous && mode == FILTER_TARGET_REFUSE) {
		refuse_request(conn, BAD, "ambiguous-request-target", AMBIGUOUS);
		return false;
	}
	if (target.ambiguous && mode == FILTER_TARGET_NORMALIZE) {
		request->path = (struct head_text){ target.normalized, strlen(target.normalized) };
		snprintf(target.spelled, sizeof(target.spelled), "%.*s", (int)strcspn(target.normalized, "?"), target.normalized);
	}
	return true;
}

static bool judge_rules(struct conn *conn, struct request *request)
{
	bool asterisk = request->path.n == 1 && request->path.at[0] == '*';

	if (!asterisk && !read_target(conn, request))
		return false;
	if (!asterisk && refuse_reading(conn, target.plain))
		return false;
	if (refuse_reading(conn, asterisk ? "*" : target.spelled))
		return false;
	if (may_set_headers(conn))
		return true;
	refuse_request(conn, FORBIDDEN, "blocked-by-sandbox-runtime", JUDGE_NO_HEADERS);
	return false;
}

bool judge_request(struct conn *conn, struct request *request)
{
	const struct filter_rules *rules = conn->filter->rules;

	if (terminate_must_see(conn) && !head_text_is(request->upgrade, "websocket"))
		request->upgrade.n = 0; /* behind others there may be requests that nobody judges */
	if (conn->direct)
		asked_host = conn->goal.host;
	else if (host_parse(request->host.at, request->host.n, &asked_host) < 0)
		return true; /* nobody is asked: ask() refuses it */
	asked = (struct access_request){ .host = &asked_host, .port = request->port, .method = method_of(request) };
	if (rules->require_host_match && !conn->direct && !request_names_host(request, &asked_host)) {
		refuse_request(conn, MISDIRECTED, "blocked-by-sandbox-runtime", "Host header does not match the request target");
		return false;
	}
	return rules->requests.n == 0 || judge_rules(conn, request);
}

/* ---- what goes on ---- */

struct edits {
	struct head_filter filter; /* first */
	const struct access_rule_vec *rules;
	const struct swap *swap;
	const struct conn *conn;
};

static bool drops(const struct head_filter *filter, struct head_text name)
{
	const struct edits *edits = (const struct edits *)filter;

	for (const struct access_rule *rule = NULL; (rule = access_next(edits->rules, &asked, rule));)
		for (size_t i = 0; i < rule->headers.n; i++)
			if (access_is_same_header(name.at, name.n, rule->headers.at[i].name))
				return true;
	return decider_drops(edits->conn, name);
}

static void write_value(const struct head_filter *filter, struct head_text value, struct str *out)
{
	swap_write(((const struct edits *)filter)->swap, value.at, value.n, out);
}

static void add_headers(const struct head_filter *filter, struct str *out)
{
	const struct edits *edits = (const struct edits *)filter;

	for (const struct access_rule *rule = NULL; (rule = access_next(edits->rules, &asked, rule));)
		for (size_t i = 0; i < rule->headers.n; i++) {
			const struct access_header *header = &rule->headers.at[i];

			if (!header->value)
				continue;
			str_printf(out, "%s: ", header->name);
			swap_write(edits->swap, header->value, strlen(header->value), out);
			str_add(out, "\r\n");
		}
	decider_add_headers(edits->conn, &asked_host, out);
}

/* A body in a coding of its own hides its bytes, and one that is signed is not changed; the placeholders in it reach the server as they are. */
static bool can_swap_body(const struct conn *conn, const struct request *request, const struct swap *swap)
{
	size_t from = 0;

	return swap->n > 0 && request->head.framing != FRAMED_EMPTY && !resign_is_due(conn, request, &asked_host) &&
	       !head_next(&request->head, "content-encoding", &from);
}

bool judge_swaps(const struct conn *conn, struct request *request, struct swap *ret_swap)
{
	static const struct credential_secret_vec none;
	const struct filter_rules *rules = conn->filter->rules;
	bool trusted = conn->client.secure || rules->plaintext_inject;

	swap_init(ret_swap, trusted ? &rules->secrets : &none, &asked_host, request->port);
	if (!can_swap_body(conn, request, ret_swap))
		return false;
	if (!ret_swap->keeps_length)
		request->head.framing = FRAMED_CHUNKS;
	return true;
}

void judge_write(const struct conn *conn, const struct request *request, const struct swap *swap, struct str *out)
{
	const struct edits edits = { { drops, write_value, add_headers }, rules_of(conn), swap, conn };
	const struct hop *hop = conn_is_tunnel(conn) ? NULL : ways_choose(&conn->filter->rules->ways, &asked_host, request->port, false);

	if (hop)
		request_write_proxied(request, &asked_host, &edits.filter, hop->to.authorization, out);
	else
		request_write(request, conn->client.secure ? &conn->name : &asked_host, &edits.filter, out);
}

static bool is_stripped(const struct head_filter *filter, struct head_text name)
{
	const struct text_vec *names = ((const struct strip *)filter)->names;

	for (size_t i = 0; i < names->n; i++)
		if (access_is_same_header(name.at, name.n, names->at[i]))
			return true;
	return false;
}

struct strip judge_strip(const struct conn *conn)
{
	return (struct strip){ { is_stripped, NULL, NULL }, &conn->filter->rules->stripped_headers };
}
