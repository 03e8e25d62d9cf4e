#include "session/proxy.h"

#include "base/own.h"
#include "compile/compile.h"
#include "engine/egress.h"
#include "session/secrets.h"
#include "sys/sock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RULES_MAX = 4 << 20, ARENA_MAX = 16 << 20, GRACE_MS = 1000, LOST_MAX = 512 };

/* A name never leads there, as in srt; nor to what the filter itself keeps from everybody. */
static const char never[] = "\"10.0.0.0/8\", \"172.16.0.0/12\", \"192.168.0.0/16\", \"100.64.0.0/10\", \"fc00::/7\"";

struct service {
	const struct session *session;
	const struct session_proxy *proxy;
	struct arena arena;
	struct egress egress;
	bool serves;
};

/* ---- the rules ---- */

static void add_field(struct str *out, const char *before, const char *text)
{
	str_add(out, before);
	str_add_json_text(out, text);
}

static void write_secrets(const struct session_proxy *proxy, const struct input_tls *tls, struct str *out)
{
	str_printf(out, "{\"asks\": true, \"refuse_opaque_tunnels\": true, \"require_host_match\": true, \"plaintext_header_set\": %s",
	           proxy->plaintext_header_set ? "true" : "false");
	if (proxy->authority) {
		add_field(out, ", \"tls\": {\"ca_cert\": ", tls->ca_cert);
		add_field(out, ", \"ca_key\": ", tls->ca_key);
		str_add_char(out, '}');
		add_field(out, ", \"roots\": ", tls->roots);
	}
	str_add(out, ", \"stripped_headers\": [");
	for (size_t i = 0; i < proxy->stripped_headers->n; i++)
		add_field(out, i ? ", " : "", proxy->stripped_headers->at[i]);
	str_add(out, "]}");
}

static int launch(struct service *service, struct err *err)
{
	const struct session_proxy *proxy = service->proxy;
	char run_id[STATE_RUN_ID_MAX];
	struct input_tls tls = { 0 };
	uint32_t uid = service->session->facts.sandbox_uid;
	autostr struct str shown, secret;
	int r = state_run_id(run_id, err);

	str_init(&shown, RULES_MAX);
	str_init(&secret, RULES_MAX);
	if (r == 0 && proxy->authority)
		r = secrets_authority(proxy->authority, proxy->extra_roots, &service->arena, &tls, err);
	if (r < 0)
		return r;
	str_printf(&shown, "{\"denied_addresses\": [%s], \"allow_private\": true, \"dialect\": \"srt\", \"uid\": %u}", never,
	           compile_filter_uid(uid ? uid + state_run_bits(run_id) : 0));
	write_secrets(proxy, &tls, &secret);
	if (shown.failed || secret.failed)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for the rules");

	const struct egress_rules rules = { shown.text, secret.text, shown.len, secret.len, proxy->authority };

	r = egress_start(&service->egress, &rules);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "the egress filter does not start: %s", strerror(-r))
	             : egress_wait(&service->egress, err);
}

/* ---- serving ---- */

static void tell(const struct service *service, const struct session_event *event)
{
	if (service->proxy->on_event)
		service->proxy->on_event(service->proxy->context, event);
}

static int serve(struct service *service, struct err *err)
{
	int r = service->serves ? 0 : egress_hand_over(&service->egress, 'P', service->proxy->listener);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "the listening socket cannot be handed over: %s", strerror(-r));
	service->serves = true;
	tell(service, &(struct session_event){ .type = SESSION_STARTED });
	return 0;
}

/* 0; 1 when the decider is lost, with err; a negative errno when the filter is. */
static int hear(struct service *service, struct err *err)
{
	struct egress *egress = &service->egress;
	struct denial denial;
	int r;

	while ((r = egress_read(egress, &denial)) > 0) {
		if (egress->connection.verdict)
			tell(service, &(struct session_event){ .type = SESSION_CONNECTION, .connection = &egress->connection });
		if (egress->decider == EGRESS_DECIDER_LOST) {
			(void)err_set(err, ERR_SETUP, EPIPE, "%s", egress->decider_reason);
			return 1;
		}
		if (egress->decider == EGRESS_DECIDER_READY && !service->serves) {
			r = serve(service, err);
			if (r < 0)
				return r;
		}
	}
	return r < 0 ? err_set(err, ERR_SETUP, -r, "the egress filter is gone") : 0;
}

/* What comes on a lifeline says nothing but that it holds. */
static bool is_cut(int lifeline)
{
	char lost[LOST_MAX];
	ssize_t n = read(lifeline, lost, sizeof(lost));

	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static int serve_on(struct service *service, enum session_proxy_end *ret_end, struct err *err)
{
	struct pollfd fds[] = { { .fd = service->egress.socket, .events = POLLIN },
		                { .fd = service->proxy->lifeline, .events = POLLIN },
		                { .fd = service->proxy->stop, .events = POLLIN } };
	int r = 0;

	while (r == 0) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return err_set(err, ERR_INTERNAL, errno, "poll");
		*ret_end = SESSION_PROXY_STOPPED;
		if (fds[2].revents)
			return 0;
		*ret_end = SESSION_PROXY_LIFELINE;
		if (fds[1].revents && is_cut(service->proxy->lifeline))
			return 0;
		*ret_end = SESSION_PROXY_DECIDER;
		r = fds[0].revents ? hear(service, err) : 0;
	}
	if (r > 0 && !service->serves)
		return -EPIPE;
	return r > 0 ? 0 : r;
}

static uint64_t clock_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Who waits for a verdict is answered, and who has one may go on for a moment. */
static void finish(struct service *service)
{
	struct pollfd gone = { .fd = service->egress.socket, .events = POLLIN };
	struct denial denial;
	uint64_t now = clock_ms(), end = now + GRACE_MS;
	int r = service->egress.socket < 0 ? -EPIPE : sock_send(service->egress.socket, "E", 1);

	for (; r >= 0 && now < end && poll(&gone, 1, (int)(end - now)) == 1; now = clock_ms())
		r = egress_read(&service->egress, &denial);
	egress_done(&service->egress);
	arena_done(&service->arena);
}

int session_proxy(const struct session *session, const struct session_proxy *proxy, enum session_proxy_end *ret_end, struct err *err)
{
	struct service service = { .session = session, .proxy = proxy };
	int r;

	arena_init(&service.arena, ARENA_MAX);
	egress_init(&service.egress);
	r = launch(&service, err);
	if (r == 0)
		r = egress_hand_over(&service.egress, 'O', proxy->decider_out);
	if (r == 0)
		r = egress_hand_over(&service.egress, 'I', proxy->decider_in);
	if (r < 0 && err->code == ERR_NONE)
		(void)err_set(err, ERR_SETUP, -r, "the decider's stream cannot be handed over: %s", strerror(-r));
	if (r == 0)
		r = serve_on(&service, ret_end, err);
	finish(&service);
	return r;
}
