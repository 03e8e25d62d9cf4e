#include "sys/sock.h"

#include "sys/fd.h"
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void packets(void **state)
{
	char text[8];
	int pair[2], came;

	(void)state;
	assert_int_equal(sock_pair(pair), 0);
	assert_int_equal(sock_receive(pair[0], text, sizeof(text), &came), -EAGAIN);
	assert_int_equal(sock_send(pair[1], "one", 3), 0);
	assert_int_equal(sock_send(pair[1], "too long a packet", 17), 0);
	assert_int_equal(sock_send(pair[1], "two", 3), 0);
	assert_int_equal(sock_receive(pair[0], text, sizeof(text), &came), 3);
	assert_memory_equal(text, "one", 3);
	assert_int_equal(came, -1);
	assert_int_equal(sock_receive(pair[0], text, sizeof(text), &came), -EMSGSIZE);
	assert_int_equal(sock_receive(pair[0], text, sizeof(text), &came), 3);
	close(pair[1]);
	assert_int_equal(sock_receive(pair[0], text, sizeof(text), &came), 0);
	assert_int_equal(sock_send(pair[0], "x", 1), -EPIPE);
	close(pair[0]);
}

static void send_fds(int socket, const int *fds, size_t n)
{
	struct iovec part = { (char[]){ 'x' }, 1 };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control = { 0 };
	struct msghdr packet = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(n * sizeof(int))
	};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
	assert_int_equal(sendmsg(socket, &packet, 0), 1);
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void listening(void **state)
{
	static const char *const addresses[] = { "127.0.0.1", "::1" };
	struct sockaddr_storage here;
	socklen_t len;

	(void)state;
	assert_int_equal(sock_listen("localhost", 80), -EINVAL);
	assert_int_equal(sock_listen("", 80), -EINVAL);
	assert_int_equal(sock_listen("192.0.2.77", 8080), -EADDRNOTAVAIL);
	for (int i = 0; i < 2; i++) {
		int fd = sock_listen(addresses[i], 0), client;

		if (fd == -EADDRNOTAVAIL)
			continue; /* a machine without IPv6 */
		assert_true(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC);
		len = sizeof(here);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &len), 0);
		assert_int_equal(sock_listen(addresses[i], ntohs(((struct sockaddr_in *)&here)->sin_port)), -EADDRINUSE);
		client = socket(here.ss_family, SOCK_STREAM, 0);
		assert_int_equal(connect(client, (struct sockaddr *)&here, len), 0);
		close(client), close(fd);
	}
}

static void a_new_socket_is_sent(void **state)
{
	int pair[2], came, domain = 0;
	socklen_t len = sizeof(domain);
	char text[8];

	(void)state;
	assert_int_equal(sock_pair(pair), 0);
	assert_int_equal(sock_send_new(pair[0], "new", 3), 0);
	assert_int_equal(sock_receive(pair[1], text, sizeof(text), &came), 3);
	assert_true(came >= 0 && fcntl(came, F_GETFL) & O_NONBLOCK);
	assert_int_equal(getsockopt(came, SOL_SOCKET, SO_DOMAIN, &domain, &len), 0);
	assert_int_equal(domain, AF_INET);
	close(came), close(pair[0]), close(pair[1]);
}

static void one_descriptor(void **state)
{
	char text[8];
	int pair[2], ends[2], came;

	(void)state;
	assert_int_equal(sock_pair(pair), 0);
	assert_int_equal(fd_pipe(ends), 0);

	int before = count_fds();

	send_fds(pair[1], (int[]){ ends[0], ends[1], ends[0] }, 3);
	assert_int_equal(sock_receive(pair[0], text, sizeof(text), &came), 1);
	assert_true(came >= FD_LOWEST);
	assert_true(fcntl(came, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fd_look(came).ino, fd_look(ends[0]).ino);
	assert_int_equal(count_fds(), before + 1);
	close(came);

	/* One that comes with a packet which is refused is not kept. */
	send_fds(pair[1], ends, 1);
	assert_int_equal(sock_receive(pair[0], text, 0, &came), -EMSGSIZE);
	assert_int_equal(count_fds(), before);
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(ends[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(listening), cmocka_unit_test(a_new_socket_is_sent), cmocka_unit_test(packets),
		                            cmocka_unit_test(one_descriptor) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
