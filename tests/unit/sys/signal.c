#include "sys/signal.h"

#include "unit/unit.h"

#include <poll.h>
#include <unistd.h>

static void guard_takes_back_its_own_sigpipe(void **state)
{
	struct signal_guard guard;
	sigset_t now;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_int_equal(signal_guard_init(&guard), 0);
	assert_int_equal(write(ends[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	signal_guard_done(&guard); /* SIGPIPE would end us here */
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 0);
	assert_int_equal(sigismember(&now, SIGTTIN), 0);
	close(ends[1]);
}

static void guard_leaves_the_hosts(void **state)
{
	struct signal_guard guard;
	sigset_t pipe_only, pending;

	(void)state;
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
	raise(SIGPIPE);
	assert_int_equal(signal_guard_init(&guard), 0);
	signal_guard_done(&guard);
	sigpending(&pending);
	assert_int_equal(sigismember(&pending, SIGPIPE), 1);
	assert_int_equal(sigtimedwait(&pipe_only, NULL, &(struct timespec){ 0 }), SIGPIPE);
	pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
}

static void signals_as_data(void **state)
{
	sigset_t some;

	(void)state;
	sigemptyset(&some);
	sigaddset(&some, SIGUSR1);
	sigaddset(&some, SIGWINCH);
	pthread_sigmask(SIG_BLOCK, &some, NULL);

	int fd = signal_open(&some);

	assert_true(fd >= 0);
	assert_int_equal(signal_next(fd), 0);
	raise(SIGUSR1);
	raise(SIGWINCH);
	assert_int_equal(signal_next(fd), SIGUSR1);
	assert_int_equal(signal_next(fd), SIGWINCH);
	assert_int_equal(signal_next(fd), 0);
	close(fd);
	pthread_sigmask(SIG_UNBLOCK, &some, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guard_takes_back_its_own_sigpipe),
		cmocka_unit_test(guard_leaves_the_hosts),
		cmocka_unit_test(signals_as_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
