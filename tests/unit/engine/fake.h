/*
 * fake.h: a launcher that has no sandbox but speaks its language (plan/wire.h), for tests of the engine without namespaces. The test
 * program is the launcher itself when it is started under that name: main begins with fake_main(argc, argv).
 *
 * What it does is in EXEC's arguments: "run SCRIPT", "tty SCRIPT", "fail OP ERRNO", "deny N", "flood SCRIPT", "mute", "deaf", "crash".
 */
#ifndef COFFER_TESTS_UNIT_ENGINE_FAKE_H
#define COFFER_TESTS_UNIT_ENGINE_FAKE_H

#include "base/arena.h"
#include "plan/build.h"
#include "plan/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the plan ---- */

struct fake_plan {
	uint64_t wall_ms, output_bytes, cpu_ms, file_bytes; /* 0: none */
	unsigned terminal;
	void (*prepare)(struct plan_build *b); /* more HOST operations, or NULL */
};

static inline uint64_t fake_or_none(uint64_t n)
{
	return n ? n : UINT64_MAX;
}

static struct plan fake_plan(struct arena *arena, const struct fake_plan *options, const char *const *words)
{
	static const struct sock_filter filter[1] = { BPF_STMT(BPF_RET | BPF_K, 0x7fff0000) };
	const void *bytes = filter;
	struct text_vec none = { 0 }, args = { 0 }, why = { 0 };
	struct plan_build b;
	struct plan plan;
	struct err err = { 0 };

	for (; *words; words++)
		*text_vec_add(&args, arena) = *words;
	*text_vec_add(&why, arena) = "/filesystem/denyWrite/0";
	*text_vec_add(&why, arena) = "--deny-read";
	*text_vec_add(&none, arena) = "w/one";

	struct text_vec two = { 0 }, empty = { 0 }, paths = { 0 };

	*text_vec_add(&two, arena) = "w/two";
	*text_vec_add(&paths, arena) = "/bin/sh";
	plan_build_init(&b, arena);
	plan_add(&b, OP_WATCH, "default", fake_or_none(options->wall_ms), fake_or_none(options->output_bytes),
	         fake_or_none(options->cpu_ms), (uint64_t)0);
	if (options->prepare)
		options->prepare(&b);
	plan_add(&b, OP_SPAWN, "default", (uint64_t)0);
	if (options->terminal)
		plan_add(&b, OP_TERMINAL, "default", (uint64_t)options->terminal);
	if (options->file_bytes)
		plan_add(&b, OP_RLIMIT, "default", (uint64_t)RLIMIT_FSIZE, options->file_bytes, options->file_bytes);
	plan_add(&b, OP_CAPS_DROP, "default");
	plan_add(&b, OP_NO_NEW_PRIVS, "default");
	plan_add(&b, OP_INIT, "default", bytes, sizeof(filter), (uint64_t)PLAN_INIT_RUNG2, &none, &two, &why);
	plan_add(&b, OP_CLOSE_FDS, "default");
	plan_add(&b, OP_SECCOMP, "default", bytes, sizeof(filter), (uint64_t)0);
	plan_add(&b, OP_EXEC, "--", &paths, &args, &empty);
	if (plan_build_done(&b, &plan, &err) < 0) {
		fprintf(stderr, "fake plan: %s\n", err.text);
		abort();
	}
	return plan;
}

/* ---- the launcher ---- */

struct fake {
	struct plan plan;
	const struct plan_op *exec;
	unsigned terminal;
	pid_t child;
};

static inline const char *fake_word(const struct fake *f, int n)
{
	const char *word = NULL;

	for (int i = 0; i <= n; i++)
		word = plan_list_next(&f->plan, f->exec, 1, word);
	return word;
}

static inline void fake_say(const struct wire *wire, const char *text, size_t n)
{
	struct {
		struct wire wire;
		char text[WIRE_TEXT_MAX];
	} packet = { .wire = *wire };

	packet.wire.text_len = (uint16_t)n;
	memcpy(packet.text, text, n);
	if (send(WIRE_SOCKET_FD, &packet, sizeof(packet.wire) + n, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static inline void fake_send_master(int master)
{
	struct wire wire = { .type = WIRE_TERMINAL };
	struct iovec part = { &wire, sizeof(wire) };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &master, sizeof(int));
	if (sendmsg(WIRE_SOCKET_FD, &packet, MSG_NOSIGNAL) < 0)
		_exit(1);
	close(master);
}

static inline void fake_open_terminal(struct fake *f)
{
	int master, slave;

	if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
		_exit(1);
	for (int fd = 0; fd < 3; fd++)
		if (f->terminal & 1U << fd)
			dup2(slave, fd);
	close(slave);
	fake_send_master(master);
}

static inline void fake_start(struct fake *f)
{
	bool tty = f->terminal != 0;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (tty)
		fake_open_terminal(f);
	f->child = fork();
	if (f->child == 0) {
		setsid();
		if (tty)
			ioctl(0, TIOCSCTTY, 0);
		close(WIRE_SOCKET_FD);
		close(WIRE_PLAN_FD);
		execl("/bin/sh", "sh", "-c", fake_word(f, 1), (char *)NULL);
		_exit(127);
	}
	close(0), close(1), close(2);
}

/* Kills what is left of the child's group, as the end of a pid namespace would. Who has left it is outside. */
static inline void fake_clean(const struct fake *f)
{
	kill(-f->child, SIGKILL);
	while (waitpid(-f->child, NULL, 0) > 0)
		;
}

static inline void fake_wait(struct fake *f)
{
	struct pollfd engine = { .fd = WIRE_SOCKET_FD, .events = POLLIN };
	struct wire wire;
	int status;

	for (;;) {
		if (waitpid(f->child, &status, WNOHANG) == f->child)
			break;
		if (poll(&engine, 1, 1) <= 0)
			continue;

		ssize_t n = recv(WIRE_SOCKET_FD, &wire, sizeof(wire), MSG_DONTWAIT);

		if (n == 0) {
			fake_clean(f);
			_exit(1);
		}
		if (n == sizeof(wire) && wire.type == WIRE_SIGNAL)
			kill(f->child, wire.a);
	}
	fake_clean(f);

	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	wire = (struct wire){ .type = WIRE_EXITED, .a = status };
	wire.utime_us = (uint64_t)usage.ru_utime.tv_sec * 1000000 + (uint64_t)usage.ru_utime.tv_usec;
	wire.stime_us = (uint64_t)usage.ru_stime.tv_sec * 1000000 + (uint64_t)usage.ru_stime.tv_usec;
	wire.maxrss_kib = (uint64_t)usage.ru_maxrss;
	fake_say(&wire, "", 0);
	_exit(0);
}

static inline void fake_deny(const struct fake *f)
{
	int n = (int)strtol(fake_word(f, 1), NULL, 10);
	char text[128];

	for (int i = 0; i < n; i++) {
		struct wire wire = {
			.type = WIRE_DENIED, .a = 7, .b = EACCES, .c = SYS_openat, .e = i % 2 ? O_CREAT : 0, .d = (uint32_t)(i % 3)
		};
		int len = snprintf(text, sizeof(text), "sh%c/path/%d", 0, i / 2);

		fake_say(&wire, text, (size_t)len + 1);
		fake_say(&wire, text, (size_t)len + 1);
	}
	fake_say(&(struct wire){ .type = WIRE_DENIED, .b = EPERM, .c = SYS_socket, .e = AF_PACKET }, "sh\0", 4);
	fake_say(&(struct wire){ .type = WIRE_DENIED, .b = EPERM, .c = 9999 }, "no end", 6);
	fake_say(&(struct wire){ .type = 77 }, "", 0);
	fake_say(&(struct wire){ .type = WIRE_EXITED }, "", 0);
	_exit(0);
}

static inline void fake_do(struct fake *f)
{
	const char *what = fake_word(f, 0);

	if (strcmp(what, "run") == 0 || strcmp(what, "tty") == 0) {
		fake_say(&(struct wire){ .type = WIRE_STARTED }, "", 0);
		fake_start(f);
		fake_wait(f);
	}
	if (strcmp(what, "fail") == 0)
		fake_say(&(struct wire){ .type = WIRE_FAILED, .a = atoi(fake_word(f, 1)), .b = atoi(fake_word(f, 2)) }, "", 0);
	if (strcmp(what, "deny") == 0)
		fake_deny(f);
	if (strcmp(what, "deaf") == 0)
		for (;;)
			pause();
	if (strcmp(what, "crash") == 0)
		kill(getpid(), SIGKILL);
	_exit(what[0] == 'm' ? 0 : 1); /* mute */
}

/* Does not return in the launcher. */
static void fake_main(char **argv)
{
	struct fake f = { .exec = NULL };
	struct stat st;

	if (strcmp(argv[0], "coffer-launch") != 0)
		return;
	for (int fd = 5; fd < 100; fd++)
		close(fd);
	fcntl(WIRE_SOCKET_FD, F_SETFD, FD_CLOEXEC);
	fstat(WIRE_PLAN_FD, &st);

	void *block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, WIRE_PLAN_FD, 0);

	if (plan_open(block, (size_t)st.st_size, &f.plan) < 0)
		_exit(99);
	f.exec = &f.plan.op[f.plan.head->op_count - 1];
	for (uint32_t i = 0; i < f.plan.head->op_count; i++)
		if (f.plan.op[i].code == OP_TERMINAL)
			f.terminal = (unsigned)plan_number(&f.plan.op[i], 0);
	fake_do(&f);
}

#endif
