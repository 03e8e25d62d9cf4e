#include "session/attach.h"

#include "base/json.h"
#include "base/own.h"
#include "engine/keep.h"
#include "engine/terminal.h"
#include "sys/fd.h"
#include "sys/signal.h"
#include "sys/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { RECORD_MAX = 4 << 20, LATER_MS = 100, ENDING_MS = 5000 };
enum { POLL_KEEPER, POLL_INPUT, POLL_SIGNALS, POLLS };
enum state { GOES_ON, DETACHED, ENDED };

struct front {
	const struct attachment *attachment;
	struct terminal terminal;
	struct attach_keys keys;
	char typed[KEEP_KEYS_MAX];
	size_t keys_n;
	uint64_t lost;
	int keeper, signals, input;
	bool background; /* the caller's terminal is not ours to read now */
};

/* ---- keys ---- */

bool attach_keys_take(struct attach_keys *keys, const char *bytes, size_t n, struct str *passed)
{
	for (size_t i = 0; i < n; i++) {
		if (keys->matched && bytes[i] != keys->sequence[keys->matched]) {
			str_add_n(passed, keys->sequence, keys->matched);
			keys->matched = 0;
		}
		if (!keys->n || bytes[i] != keys->sequence[keys->matched])
			str_add_char(passed, bytes[i]);
		else if (++keys->matched == keys->n)
			return true;
	}
	return false;
}

/* ---- to the keeper ---- */

/* One packet; -EAGAIN when the keeper does not take it now. */
static int say(const struct front *front, const struct keep_packet *packet, const char *bytes, size_t n)
{
	char whole[sizeof(*packet) + KEEP_KEYS_MAX];

	memcpy(whole, packet, sizeof(*packet));
	memcpy(whole + sizeof(*packet), bytes, n);
	return sock_send(front->keeper, whole, sizeof(*packet) + n);
}

static void say_size(const struct front *front)
{
	struct winsize size;
	struct keep_packet packet = { .type = KEEP_SIZE };

	if (front->terminal.caller < 0 || ioctl(front->terminal.caller, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		return;
	packet.a = size.ws_row;
	packet.b = size.ws_col;
	(void)say(front, &packet, "", 0);
}

/* What a command does not read yet waits here, and nothing more is read. Its end is told by what it has written. */
static void say_keys(struct front *front)
{
	static const struct keep_packet head = { .type = KEEP_KEYS };

	if (front->keys_n && say(front, &head, front->typed, front->keys_n) != -EAGAIN)
		front->keys_n = 0;
}

static enum state pass_input(struct front *front, short revents)
{
	char bytes[KEEP_KEYS_MAX - ATTACH_KEYS_MAX];
	autostr struct str passed = { 0 };
	ssize_t n = read(front->input, bytes, sizeof(bytes));
	bool detaches;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return GOES_ON;
	if (n < 0 && errno == EIO && !(revents & POLLHUP)) {
		front->background = true;
		return GOES_ON;
	}
	if (n <= 0) {
		front->input = -1;
		return front->terminal.reads_keys ? DETACHED : GOES_ON;
	}
	str_init(&passed, KEEP_KEYS_MAX);
	detaches = attach_keys_take(&front->keys, bytes, (size_t)n, &passed);
	if (passed.failed)
		return DETACHED;
	if (passed.len)
		memcpy(front->typed, passed.text, passed.len);
	front->keys_n = passed.len;
	say_keys(front);
	return detaches ? DETACHED : GOES_ON;
}

/* ---- from the keeper ---- */

static void put(int fd, const char *bytes, size_t n)
{
	if (fd >= 0)
		(void)fd_write_all(fd, bytes, n);
}

static enum state hear(struct front *front)
{
	static struct {
		struct keep_packet head;
		char bytes[KEEP_BYTES_MAX];
	} packet;
	int none;
	ssize_t n = sock_receive(front->keeper, &packet, sizeof(packet), &none);

	if (n == -EAGAIN)
		return GOES_ON;
	if (n < (ssize_t)sizeof(packet.head) || packet.head.type == KEEP_ENDED)
		return ENDED;
	if (packet.head.type == KEEP_OUTPUT_BYTES)
		put(packet.head.a == 2 ? front->attachment->errors : front->attachment->output, packet.bytes,
		    (size_t)n - sizeof(packet.head));
	if (packet.head.type == KEEP_LOST)
		front->lost += packet.head.n;
	return GOES_ON;
}

static int greet(struct front *front, bool *ret_terminal, struct err *err)
{
	const struct keep_packet hello = { .type = KEEP_HELLO, .a = KEEP_VERSION, .n = front->attachment->replay_bytes };
	struct pollfd wanted = { .fd = front->keeper, .events = POLLIN };
	struct keep_packet answer;
	int none, r = 0;
	ssize_t n;

	(void)say(front, &hello, "", 0); /* who refuses may have gone, and his answer is there all the same */
	if (poll(&wanted, 1, ENDING_MS) != 1)
		r = -ETIMEDOUT;
	n = r < 0 ? r : sock_receive(front->keeper, &answer, sizeof(answer), &none);
	if (n == (ssize_t)sizeof(answer) && answer.type == KEEP_REFUSED)
		return err_set(err, ERR_BUSY, EBUSY, "%d are attached to this process already; one of them has to leave",
		               KEEP_ATTACHED_MAX);
	if (n == (ssize_t)sizeof(answer) && answer.a != KEEP_VERSION)
		return err_set(err, ERR_UNSUPPORTED, EPROTO, "the process was started by another version of coffer");
	if (n != (ssize_t)sizeof(answer) || answer.type != KEEP_HELLO)
		return err_set(err, ERR_BUSY, EBUSY, "the process's keeper does not answer");
	*ret_terminal = answer.b != 0;
	return 0;
}

/* ---- the loop ---- */

static enum state take_signals(const struct front *front)
{
	enum state state = GOES_ON;

	for (int number; (number = signal_next(front->signals)) > 0;) {
		if (number == SIGWINCH)
			say_size(front);
		else
			state = DETACHED;
	}
	return state;
}

static void wait_for_something(struct front *front, struct pollfd polls[POLLS])
{
	if (!terminal_make_raw(&front->terminal))
		front->background = true;
	polls[POLL_KEEPER] = (struct pollfd){ .fd = front->keeper, .events = front->keys_n ? POLLIN | POLLOUT : POLLIN };
	polls[POLL_INPUT] = (struct pollfd){ .fd = front->background || front->keys_n ? -1 : front->input, .events = POLLIN };
	polls[POLL_SIGNALS] = (struct pollfd){ .fd = front->signals, .events = POLLIN };
	if (poll(polls, POLLS, front->background ? LATER_MS : -1) < 0)
		memset(polls, 0, POLLS * sizeof(*polls));
	front->background = false;
}

static enum state go_on(struct front *front)
{
	struct pollfd polls[POLLS];
	enum state state = GOES_ON;

	while (state == GOES_ON) {
		wait_for_something(front, polls);
		if (polls[POLL_SIGNALS].revents)
			state = take_signals(front);
		if (state == GOES_ON && polls[POLL_INPUT].revents)
			state = pass_input(front, polls[POLL_INPUT].revents);
		if (polls[POLL_KEEPER].revents & POLLOUT)
			say_keys(front);
		if (state == GOES_ON && polls[POLL_KEEPER].revents)
			state = hear(front);
	}
	return state;
}

/* The caller's terminal: the one that is typed at, else the one that is looked at. */
static void find_terminal(struct front *front)
{
	const struct attachment *attachment = front->attachment;
	bool types = attachment->input >= 0 && isatty(attachment->input);

	front->terminal.caller = types                                                   ? attachment->input
	                         : attachment->output >= 0 && isatty(attachment->output) ? attachment->output
	                                                                                 : -1;
	front->terminal.reads_keys = types;
	front->terminal.serves = TERMINAL_INPUT | TERMINAL_OUTPUT | TERMINAL_ERROR;
}

/* Keys are for a process with a terminal; to another one nothing can be said, and ^C is this side's own. */
static int attach_live(struct front *front, enum state *ret_state, struct err *err)
{
	const struct attachment *attachment = front->attachment;
	struct signal_guard guard;
	bool terminal = false;
	int r = greet(front, &terminal, err);

	if (r < 0)
		return r;
	if (terminal) {
		find_terminal(front);
		front->input = attachment->input;
	}
	front->signals = attachment->signals ? signal_open(attachment->signals) : -1;
	r = attachment->signals && front->signals < 0 ? front->signals : signal_guard_init(&guard);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "signals cannot be taken: %s", strerror(-r));
	say_size(front);
	if (attachment->on_attached)
		attachment->on_attached(attachment->context);
	*ret_state = go_on(front);
	terminal_restore(&front->terminal);
	signal_guard_done(&guard);
	own_close(&front->signals);
	return 0;
}

/* ---- one that is over ---- */

static int show_last(const struct session *session, const char *id, const char *name, const struct attachment *attachment, struct err *err)
{
	struct process_log logs[2] = { 0 };
	int r;

	for (int i = 0; i < 2; i++)
		str_init(&logs[i].bytes,
		         attachment->replay_bytes < PROCESSES_LOG_MAX ? (size_t)attachment->replay_bytes : PROCESSES_LOG_MAX);
	if (attachment->on_attached)
		attachment->on_attached(attachment->context);
	r = attachment->replay_bytes ? processes_logs(session, id, name, logs, err) : 0;
	if (r == 0 && logs[0].bytes.len)
		put(attachment->output, logs[0].bytes.text, logs[0].bytes.len);
	if (r == 0 && logs[1].bytes.len)
		put(attachment->errors, logs[1].bytes.text, logs[1].bytes.len);
	str_done(&logs[0].bytes);
	str_done(&logs[1].bytes);
	return r;
}

static int read_status(const struct session *session, const char *id, const char *name, int *ret_status, struct err *err)
{
	autostr struct str text = { 0 };
	autojson json_t *record = NULL;
	const json_t *code;
	int r;

	str_init(&text, RECORD_MAX);
	r = processes_wait(session, id, name, ENDING_MS, err);
	if (r == 0)
		r = processes_print(session, id, name, &text, err);
	if (r == 0)
		r = json_read(text.text, text.len, "record", &record, err);
	if (r < 0)
		return r;
	code = json_object_get(record, "exit_code");
	*ret_status = json_is_integer(code) ? (int)json_integer_value(code) : ATTACH_UNKNOWN;
	return 0;
}

/* ---- which one ---- */

static int choose(const struct session *session, const char *id, char ret_name[PROCESS_ID_MAX], struct err *err)
{
	autostr struct str text = { 0 };
	autojson json_t *all = NULL;
	const json_t *record, *chosen = NULL;
	size_t i;
	int r;

	str_init(&text, PROCESSES_TEXT_MAX);
	r = processes_print(session, id, NULL, &text, err);
	if (r == 0)
		r = json_read(text.text, text.len, "processes", &all, err);
	if (r < 0)
		return r;
	json_array_foreach (all, i, record) {
		bool runs = strcmp(json_string_value(json_object_get(record, "status")), "running") == 0;
		bool better =
		    !chosen || json_is_true(json_object_get(record, "terminal")) || !json_is_true(json_object_get(chosen, "terminal"));

		if (runs && better)
			chosen = record;
	}
	if (!chosen)
		return err_set(err, ERR_NOTFOUND, ESRCH,
		               "session %s: nothing runs there to attach to; `coffer session start --tty` starts it", id);
	(void)snprintf(ret_name, PROCESS_ID_MAX, "%s", json_string_value(json_object_get(chosen, "id")));
	return 0;
}

int attach_to(const struct session *session, const char *id, const char *name, const struct attachment *attachment,
              struct attach_result *ret_result, struct err *err)
{
	struct front front = { .attachment = attachment,
		               .terminal = { .caller = -1, .master = -1 },
		               .keys = { .sequence = attachment->detach_keys, .n = attachment->detach_n },
		               .keeper = -1,
		               .signals = -1,
		               .input = -1 };
	struct attach_result result = { .status = ATTACH_DETACHED };
	char newest[PROCESS_ID_MAX];
	enum state state = ENDED;
	int r = name ? 0 : choose(session, id, newest, err);

	if (r == 0)
		r = processes_connect(session, id, name ? name : newest, &front.keeper, err);
	if (r < 0)
		return r;
	name = name ? name : newest;
	r = front.keeper >= 0 ? attach_live(&front, &state, err) : show_last(session, id, name, attachment, err);
	own_close(&front.keeper);
	if (r == 0 && state == ENDED)
		r = read_status(session, id, name, &result.status, err);
	result.lost = front.lost;
	(void)snprintf(result.name, sizeof(result.name), "%s", name);
	if (r == 0)
		*ret_result = result;
	return r;
}
