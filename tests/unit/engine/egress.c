#include "engine/egress.h"

#include "engine/report.h"
#include "plan/wire.h"
#include "sys/sock.h"
#include "unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* The filter is this test: what it says may be anything. */
static int filter;
static struct egress egress;

static int start(void **state)
{
	int pair[2];

	(void)state;
	egress_init(&egress);
	assert_int_equal(sock_pair(pair), 0);
	egress.socket = pair[0];
	filter = pair[1];
	return 0;
}

static int stop(void **state)
{
	(void)state;
	egress_done(&egress);
	close(filter);
	return 0;
}

static void say(const char *text)
{
	assert_int_equal(send(filter, text, strlen(text), MSG_DONTWAIT), strlen(text));
}

static struct denial hear(const char *text)
{
	struct denial denial;

	say(text);
	assert_int_equal(egress_read(&egress, &denial), 1);
	return denial;
}

static void test_refusals(void **state)
{
	struct denial denial = hear("{\"event\":\"deny\",\"host\":\"a.test\",\"port\":443,\"rule\":null,\"reason\":\"not listed\"}\n");

	(void)state;
	assert_string_equal(denial.target, "a.test:443");
	assert_string_equal(denial.rule, "not listed");
	assert_string_equal(denial.operation, "connect");
	denial = hear("{\"event\":\"deny\",\"host\":\"::1\",\"port\":80,\"rule\":\"/x\",\"reason\":\"not listed\"}");
	assert_string_equal(denial.target, "[::1]:80");
	assert_string_equal(denial.rule, "/x");
	denial = hear("{\"event\":\"deny\",\"host\":\"\",\"port\":0,\"rule\":null,\"reason\":\"malformed request\"}");
	assert_string_equal(denial.target, "unreadable request");
	assert_int_equal(egress_read(&egress, &denial), 0);
}

/* A filter that was taken over says what it likes. */
static void test_hostile(void **state)
{
	static const char *const texts[] = {
		"{",
		"[]",
		"\"deny\"",
		"{\"event\":\"open\",\"host\":\"a\",\"port\":1}",
		"{\"event\":1}",
		"{\"event\":\"deny\"}",
		"{\"event\":\"deny\",\"host\":7}",
		"{\"event\":\"deny\",\"host\":null,\"port\":\"x\"}",
		"\xff\xfe",
	};
	static char large[2 * EGRESS_EVENT_MAX];
	struct denial denial;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_null(hear(texts[i]).target);
	memset(large, ' ', sizeof(large) - 1);
	assert_null(hear(large).target);
	memcpy(large, "{\"event\":\"deny\",\"port\":1,\"host\":\"", 33);
	memset(large + 33, 'a', 5000);
	memcpy(large + 5033, "\"}", 3);
	denial = hear(large);
	assert_true(strlen(denial.target) < sizeof(egress.target));
	assert_int_equal(sock_send_fd(filter, "x", 1, 0), 0); /* a descriptor that nobody asked for */
	assert_int_equal(egress_read(&egress, &denial), 1);
	close(filter);
	assert_true(egress_read(&egress, &denial) < 0);
	filter = -1;
}

static void test_start(void **state)
{
	struct err err = { 0 };

	(void)state;
	say("{\"event\":\"ready\",\"reason\":\"\"}");
	assert_int_equal(egress_wait(&egress, &err), 0);
	say("{\"event\":\"failed\",\"reason\":\"no Landlock\"}");
	assert_int_equal(egress_wait(&egress, &err), -EIO);
	assert_string_equal(err.text, "the egress filter does not start: no Landlock");
	say("[");
	assert_int_equal(egress_wait(&egress, &err), -EIO);
	close(filter);
	filter = -1;
	assert_int_equal(egress_wait(&egress, &err), -EIO);
}

/* Each packet of at most EGRESS_EVENT_MAX bytes, as long as what the filter itself writes. */
static void test_long_rule(void **state)
{
	static char text[EGRESS_EVENT_MAX];
	static char rule[7001];

	(void)state;
	memset(rule, 'r', sizeof(rule) - 1);
	snprintf(text, sizeof(text), "{\"event\":\"deny\",\"host\":\"a.test\",\"port\":1,\"rule\":\"%s\"}", rule);
	assert_string_equal(hear(text).rule, rule);
}

/* Whoever is refused a million times has one denial and no more of our memory; and whoever never stops talking holds nobody up. */
static void test_flood(void **state)
{
	static struct arena arena;
	struct report report;
	size_t used;

	(void)state;
	arena_init(&arena, 1 << 20);
	report_init(&report, NULL, &(struct engine_run_options){ 0 }, &arena);
	report.egress = &egress;
	say("{\"event\":\"deny\",\"host\":\"a.test\",\"port\":443,\"reason\":\"no\"}");
	report_read_egress(&report, -1);
	used = arena.used_bytes;
	for (int i = 0; i < 20000; i++) {
		say("{\"event\":\"deny\",\"host\":\"a.test\",\"port\":443,\"reason\":\"no\"}");
		report_read_egress(&report, -1);
	}
	assert_int_equal(arena.used_bytes, used);
	assert_int_equal(report.denials.denials.n, 1);
	assert_int_equal(report.denials.denials.at[0].count, 20001);
	assert_non_null(report.egress);
	arena_done(&arena);
}

/* Init may send the sockets that the plan has it make, and no rules. */
static void test_what_init_hands_over(void **state)
{
	static const struct wire good = { .type = WIRE_LISTENER, .a = WIRE_LISTENER_TRANSPARENT },
				 bad = { .type = WIRE_LISTENER, .a = 'R' };
	static struct arena arena;
	struct report report;
	int launcher[2], fd = -1;
	char what = 0;

	(void)state;
	assert_int_equal(sock_pair(launcher), 0);
	arena_init(&arena, 1 << 20);
	report_init(&report, NULL, &(struct engine_run_options){ 0 }, &arena);
	report.egress = &egress;
	assert_int_equal(sock_send_fd(launcher[1], &bad, sizeof(bad), 0), 0);
	assert_int_equal(sock_send_fd(launcher[1], &good, sizeof(good), 0), 0);
	report_read(&report, launcher[0]);
	assert_int_equal(sock_receive(filter, &what, 1, &fd), 1);
	assert_int_equal(what, 'T');
	close(fd);
	assert_int_equal(sock_receive(filter, &what, 1, &fd), -EAGAIN);
	close(launcher[0]);
	close(launcher[1]);
	arena_done(&arena);
}

static void test_endless(void **state)
{
	static struct arena arena;
	struct report report;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		while (send(filter, "{}", 2, 0) > 0)
			;
		_exit(0);
	}
	arena_init(&arena, 1 << 20);
	report_init(&report, NULL, &(struct engine_run_options){ 0 }, &arena);
	report.egress = &egress;
	alarm(20);
	report_read_egress(&report, -1); /* comes back */
	alarm(0);
	kill(pid, SIGKILL);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, start, stop),
		cmocka_unit_test_setup_teardown(test_hostile, start, stop),
		cmocka_unit_test_setup_teardown(test_long_rule, start, stop),
		cmocka_unit_test_setup_teardown(test_flood, start, stop),
		cmocka_unit_test_setup_teardown(test_endless, start, stop),
		cmocka_unit_test_setup_teardown(test_what_init_hands_over, start, stop),
		cmocka_unit_test_setup_teardown(test_start, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
