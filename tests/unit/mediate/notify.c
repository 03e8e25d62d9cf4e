#include "unit/unit.h"

#include "unit/launch/box.h"

#include <sys/time.h>

static void begin(struct box *box, uint64_t flags)
{
	static const char *const regions[] = { "r/", "w/dev", "h/root", "w/tmp", "r/tmp/kept" };

	box_begin(box, 0);
	plan_add(&box->plan, OP_DIR, "test", "/tmp/kept", (uint64_t)0777);
	plan_add(&box->plan, OP_REBIND, "test", "/tmp/kept", (uint64_t)BOX_RO, (uint64_t)0, (uint64_t)0);
	for (size_t i = 0; i < 5; i++)
		*text_vec_add(&box->regions, &box->arena) = regions[i];
	box->init_flags = flags;
}

static const char *target(const struct box *box, unsigned i)
{
	return box->denied_text[i] + strlen(box->denied_text[i]) + 1;
}

/* What C libraries try at every look at a user's name, when there is a cache of them. */
static bool is_name_cache(const struct wire *w)
{
	return w->c == SYS_socket && w->e == AF_UNIX;
}

/* "comm errno d e target" of each report. */
static void assert_denied(const struct box *box, const char *const *expected)
{
	char line[WIRE_TEXT_MAX + 128];

	for (unsigned i = 0; i < box->denied_n; i++) {
		const struct wire *w = &box->denied[i];

		if (is_name_cache(w))
			continue;
		snprintf(line, sizeof(line), "%s %d %u %u %s", box->denied_text[i], w->b, w->d, w->e, target(box, i));
		assert_string_equal(line, *expected ? *expected++ : "nothing");
	}
	if (*expected)
		fail_msg("not reported: %s", *expected);
}

static void run(struct box *box, const char *script)
{
	box_end(box, script);
	box_run(box);
	assert_int_equal(box->failed_op, -1);
}

static void refused_calls_are_told(void **state)
{
	static const char *const expected[] = { "unshare 1 0 1073741824 ", "python3 1 0 17 ", "python3 1 0 21522 ", NULL };
	static struct box box;

	(void)state;
	begin(&box, PLAN_INIT_TELL);
	run(&box, "unshare -n true 2>&1; exec python3 -c 'import socket, fcntl\n"
	          "try: socket.socket(socket.AF_PACKET)\n"
	          "except OSError as e: print(e.errno)\n"
	          "try: fcntl.ioctl(0, 0x5412, b\"x\")\n"
	          "except OSError as e: print(e.errno)'");
	assert_string_equal(box.output, "unshare: unshare failed: Operation not permitted\n1\n1\n");
	assert_denied(&box, expected);
	box_done(&box);
}

static void refused_writes_are_told(void **state)
{
	static const char *const expected[] = {
		"sh 30 1 64 /etc/x",        "sh 30 5 64 /tmp/kept/x",  "mkdir 30 1 0 /usr/x",
		"rm 30 1 0 /etc/passwd",    "ln 30 1 0 /usr/l",        "ln 30 1 0 /usr/h",
		"chmod 30 1 0 /etc/passwd", "sh 2 3 64 /root/.bashrc", NULL,
	};
	static struct box box;

	(void)state;
	begin(&box, PLAN_INIT_TELL);
	run(&box,
	    "cd /tmp; exec 2>/dev/null; echo >/etc/x; echo >kept/x; mkdir /usr/x; rm -f /etc/passwd; ln -s x /usr/l; echo >f; ln f /usr/h;"
	    "chmod 0 /etc/passwd; echo >/root/.bashrc; "
	    "mkdir -p /usr/bin; echo >/dev/null; echo >/proc/self/comm; echo ok > fine; cat fine");
	assert_string_equal(box.output, "ok\n");
	assert_denied(&box, expected);
	box_done(&box);
}

static void addresses_and_signals_are_told(void **state)
{
	static const char *const expected[] = { "python3 101 0 2 192.0.2.7:443", "python3 101 0 10 [2001:db8:0:0:0:0:0:7]:53",
		                                "python3 3 0 15 12345", NULL };
	static struct box box;

	(void)state;
	begin(&box, PLAN_INIT_TELL);
	run(&box, "exec python3 -c 'import socket, os\n"
	          "def attempt(f):\n"
	          "  try: f()\n"
	          "  except OSError as e: print(e.errno)\n"
	          "s = socket.socket()\n"
	          "attempt(lambda: s.connect((\"192.0.2.7\", 443)))\n"
	          "attempt(lambda: socket.socket().connect((\"127.0.0.1\", 1)))\n"
	          "attempt(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b\"x\", (\"2001:db8::7\", 53)))\n"
	          "attempt(lambda: socket.socket().bind((\"127.0.0.1\", 0)))\n"
	          "attempt(lambda: os.kill(12345, 15))\n"
	          "attempt(lambda: os.kill(12345, 0))\n"
	          "os.kill(os.getpid(), 18)'");
	assert_string_equal(box.output, "101\n111\n101\n3\n3\n");
	assert_denied(&box, expected);
	box_done(&box);
}

/* More than the engine could want to hear: bounded, counted, and nothing is held up. */
static void floods_are_bounded(void **state)
{
	static struct box box;

	(void)state;
	begin(&box, PLAN_INIT_TELL);
	run(&box, "exec python3 -c 'import socket\n"
	          "for i in range(20000):\n"
	          "  try: socket.socket(socket.AF_PACKET)\n"
	          "  except OSError: pass\n"
	          "print(\"over\")'");
	assert_string_equal(box.output, "over\n");
	assert_true(box.exited.d > 10000);
	assert_int_equal(box.status, 0);
	box_done(&box);
}

/* A socket that nobody reads is no reason for init to wait. */
static void an_engine_that_does_not_listen_holds_nobody_up(void **state)
{
	static struct box box;
	char text[8] = "";

	(void)state;
	begin(&box, PLAN_INIT_TELL);
	box_end(&box, "exec python3 -c 'import socket\n"
	              "for i in range(3000):\n"
	              "  try: socket.socket(socket.AF_PACKET)\n"
	              "  except OSError: pass\n"
	              "print(\"over\")'");
	assert_true(box_build(&box));
	box_start(&box);
	assert_int_equal(read(box.out, text, sizeof(text)), 5);
	box_finish(&box);
	assert_int_equal(box.status, 0);
	box_done(&box);
}

static void threads_are_answered_at_once(void **state)
{
	static struct box box;

	(void)state;
	begin(&box, PLAN_INIT_TELL | PLAN_INIT_ACT);
	*text_vec_add(&box.patterns, &box.arena) = "w/tmp/no";
	run(&box, "cd /tmp; exec python3 -c 'import threading, os\n"
	          "def work(n):\n"
	          "  for i in range(100):\n"
	          "    f = \"t%d.%d\" % (n, i)\n"
	          "    open(f, \"w\").close(); os.rename(f, f + \"x\"); os.unlink(f + \"x\")\n"
	          "threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]\n"
	          "[t.start() for t in threads]; [t.join() for t in threads]; print(os.listdir(\".\"))'");
	assert_string_equal(box.output, "['kept']\n");
	assert_denied(&box, &(const char *){ NULL });
	box_done(&box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_calls_are_told),
		cmocka_unit_test(refused_writes_are_told),
		cmocka_unit_test(addresses_and_signals_are_told),
		cmocka_unit_test(floods_are_bounded),
		cmocka_unit_test(an_engine_that_does_not_listen_holds_nobody_up),
		cmocka_unit_test(threads_are_answered_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
