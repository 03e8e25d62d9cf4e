/*
 * box.h: plans by hand, and the real launcher to run them, for tests of src/launch. A box is a plan under construction and what came
 * of running it.
 *
 *   struct box box;
 *   box_begin(&box, 0);               the usual sandbox, up to its root
 *   plan_add(&box.plan, …);           what the test is about
 *   box_end(&box, "echo hello");      the rest, with /bin/sh -c
 *   box_run(&box);
 *   … box.status, box.output, box.failed_op, box.denied …
 *   box_done(&box);
 *
 * With BOX_PROBE the test program itself is inside, as /probe.
 */
#ifndef COFFER_TESTS_UNIT_LAUNCH_BOX_H
#define COFFER_TESTS_UNIT_LAUNCH_BOX_H

#include "base/arena.h"
#include "compile/bpf.h"
#include "plan/build.h"
#include "plan/wire.h"
#include "sys/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BOX_RUNG2 = 1, BOX_HOST_NET = 2, BOX_ROOT_TREE = 4, BOX_TERMINAL = 8, BOX_BARE = 16, BOX_PROBE = 32 };
enum { BOX_USER = 65534, BOX_MISSING_MAX = 24 };
enum { BOX_UID = 0x7c0f1234, BOX_INSIDE = 1000, BOX_DENIED_MAX = 64 };
enum { BOX_RO = PLAN_TREE_RO | PLAN_TREE_NOSUID | PLAN_TREE_NODEV, BOX_RW = PLAN_TREE_NOSUID | PLAN_TREE_NODEV };

struct box {
	struct arena arena;
	struct plan_build plan;
	struct plan done;
	unsigned flags, slots;
	bool root;           /* run by root: the sandbox is a user of its own */
	uint64_t init_flags; /* PLAN_INIT_ */
	struct text_vec regions, patterns, why;
	struct bpf_request filter;
	bool no_landlock;
	int missing[BOX_MISSING_MAX], missing_errno; /* system calls that fail with this for the launcher: an old kernel */
	size_t missing_n;
	bool as_user; /* run by an ordinary user, where the test is run by root */
	char torture[16];
	uint64_t probe; /* slot */

	/* what came of it */
	int status; /* as waitpid gives it, of the command; -1: no EXITED came */
	int failed_op, failed_errno;
	struct wire exited, denied[BOX_DENIED_MAX];
	char denied_text[BOX_DENIED_MAX][WIRE_TEXT_MAX + 1];
	unsigned denied_n;
	char output[1 << 16];
	size_t output_len;
	int master; /* of the terminal */
	int launcher_status;

	/* while it runs */
	pid_t pid;
	int socket, out;
};

static inline const char *box_self(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

	if (n < 0)
		abort();
	path[n] = '\0';
	return path;
}

/* Beside the folder of the test programs; by descriptor, for the folder may not be open to an ordinary user. */
static inline const char *box_launcher(void)
{
	static char name[64];
	char path[4096];
	int fd;

	if (name[0])
		return name;
	snprintf(path, sizeof(path), "%s", box_self());
	snprintf(strrchr(path, '/'), 32, "/../coffer-launch");
	fd = open(getenv("COFFER_LAUNCH") ? getenv("COFFER_LAUNCH") : path, O_PATH | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "no launcher at %s\n", path);
		abort();
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fcntl(fd, F_DUPFD_CLOEXEC, 40));
	close(fd);
	return name;
}

static inline uint64_t box_slot(struct box *box)
{
	return plan_build_slot(&box->plan);
}

/* A host directory or file, placed at the same path inside. */
static inline void box_show(struct box *box, const char *path, uint64_t flags, bool is_dir)
{
	uint64_t slot = box_slot(box);

	plan_add(&box->plan, OP_TREE, "test", slot, path, flags, (uint64_t)0, (uint64_t)0);
	if (is_dir)
		plan_add(&box->plan, OP_DIR, "test", path, (uint64_t)0755);
	else
		plan_add(&box->plan, OP_FILE, "test", path, (uint64_t)0444, "", (size_t)0);
	plan_add(&box->plan, OP_PLACE, "test", slot, path);
}

static inline uint64_t box_namespaces(const struct box *box)
{
	uint64_t all = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET;

	if (box->flags & BOX_RUNG2)
		return 0;
	return box->flags & BOX_HOST_NET ? all & ~(uint64_t)CLONE_NEWNET : all;
}

static inline void box_spawn(struct box *box)
{
	struct plan_build *p = &box->plan;
	uint64_t user = box->as_user ? BOX_USER : getuid(), group = box->as_user ? BOX_USER : getgid();
	uint64_t inside = box->root ? BOX_INSIDE : user, outside = box->root ? BOX_UID : user;
	uint64_t gid_inside = box->root ? BOX_INSIDE : group, gid_outside = box->root ? BOX_UID : group;

	if (box->root && !(box->flags & BOX_RUNG2))
		plan_add(p, OP_WARDEN_USER, "test", outside, gid_outside);
	plan_add(p, OP_SPAWN, "test", box_namespaces(box));
	if (box->flags & BOX_RUNG2)
		return;
	plan_add(p, OP_IDMAP, "test", inside, outside, gid_inside, gid_outside);
	plan_add(p, OP_BECOME, "test", inside, gid_inside);
	plan_add(p, OP_PRIVATE, "test");
}

static inline void box_new_root(struct box *box)
{
	static const char *const trees[] = { "/usr", "/etc" };
	static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty" };
	static const char *const links[][2] = {
		{ "/bin", "usr/bin" }, { "/lib", "usr/lib" }, { "/lib64", "usr/lib64" }, { "/sbin", "usr/sbin" }
	};
	struct plan_build *p = &box->plan;

	plan_add(p, OP_ROOT_NEW, "test", (uint64_t)(256 << 10), (uint64_t)4096);
	for (size_t i = 0; i < 2; i++)
		box_show(box, trees[i], BOX_RO | PLAN_TREE_RECURSIVE, true);
	for (size_t i = 0; i < 4; i++)
		plan_add(p, OP_LINK, "test", links[i][0], links[i][1]);
	plan_add(p, OP_DIR, "test", "/tmp", (uint64_t)0755);
	plan_add(p, OP_TMPFS, "test", "/tmp", (uint64_t)BOX_RW, (uint64_t)(64 << 20), (uint64_t)4096, (uint64_t)01777);
	plan_add(p, OP_DIR, "test", "/proc", (uint64_t)0755);
	plan_add(p, OP_PROC, "test", "/proc", (uint64_t)0);
	plan_add(p, OP_DIR, "test", "/dev", (uint64_t)0755);
	for (size_t i = 0; i < 6; i++)
		box_show(box, devices[i], PLAN_TREE_RO | PLAN_TREE_NOSUID | PLAN_TREE_NOEXEC, false);
	plan_add(p, OP_LINK, "test", "/dev/fd", "/proc/self/fd");
	plan_add(p, OP_LINK, "test", "/dev/stdin", "/proc/self/fd/0");
	plan_add(p, OP_LINK, "test", "/dev/stdout", "/proc/self/fd/1");
	plan_add(p, OP_LINK, "test", "/dev/stderr", "/proc/self/fd/2");
	plan_add(p, OP_DIR, "test", "/dev/pts", (uint64_t)0755);
	plan_add(p, OP_DEVPTS, "test", "/dev/pts");
	plan_add(p, OP_DIR, "test", "/dev/mqueue", (uint64_t)0755);
	plan_add(p, OP_MQUEUE, "test", "/dev/mqueue");
}

/* The test program, opened by root where there is root, for the build folder may be root's alone. */
static inline void box_open_probe(struct box *box)
{
	box->probe = box_slot(box);
	plan_add(&box->plan, box->root ? OP_HOST_TREE : OP_TREE, "test", box->probe, box_self(), (uint64_t)BOX_RO, (uint64_t)0,
	         (uint64_t)0);
}

static inline void box_place_probe(struct box *box)
{
	if (!box->root)
		box_open_probe(box);
	plan_add(&box->plan, OP_FILE, "test", "/probe", (uint64_t)0755, "", (size_t)0);
	plan_add(&box->plan, OP_PLACE, "test", box->probe, "/probe");
}

static inline void box_begin(struct box *box, unsigned flags)
{
	*box = (struct box){ .flags = flags, .status = -1, .failed_op = -1, .master = -1, .root = getuid() == 0 };
	arena_init(&box->arena, 64 << 20);
	plan_build_init(&box->plan, &box->arena);
	box->filter.inet = true;
	if (flags & BOX_BARE)
		return;
	if (flags & BOX_PROBE && box->root)
		box_open_probe(box);
	box_spawn(box);
	if (!(flags & (BOX_ROOT_TREE | BOX_RUNG2)))
		box_new_root(box);
	if (flags & BOX_PROBE)
		box_place_probe(box);
}

/* The same for an ordinary user, whoever runs the test. */
static inline void box_begin_as_user(struct box *box, unsigned flags)
{
	box_begin(box, BOX_BARE);
	box->flags = flags;
	box->as_user = box->root;
	box->root = false;
	box_spawn(box);
	if (!(flags & (BOX_ROOT_TREE | BOX_RUNG2)))
		box_new_root(box);
}

static inline void box_lock(struct box *box)
{
	struct plan_build *p = &box->plan;
	const void *filter, *init;
	size_t bytes, init_bytes;
	const uint64_t abi = landlock_abi() < 2 ? 1 : 2, rights = abi == 1 ? (1 << 13) - 1 : (1 << 14) - 1; /* the second knows moves */

	box->filter.notify = box->init_flags & (7 | PLAN_INIT_SOCKETS);
	box->filter.tell_writes = box->init_flags & PLAN_INIT_TELL;
	box->filter.act_names = box->init_flags & PLAN_INIT_ACT;
	box->filter.act_sockets = box->init_flags & PLAN_INIT_SOCKETS;
	box->filter.act_opens = box->init_flags & PLAN_INIT_ACT_OPENS;
	while (box->why.n < box->regions.n + box->patterns.n)
		*text_vec_add(&box->why, &box->arena) = "test";
	if (bpf_build(&box->arena, &box->filter, &filter, &bytes, NULL) || bpf_build_init(&box->arena, &init, &init_bytes, NULL))
		abort();
	plan_add(p, OP_NO_NEW_PRIVS, "test");
	if (!box->no_landlock && landlock_abi()) {
		plan_add(p, OP_LANDLOCK_OPEN, "test", abi, rights, (uint64_t)0, (uint64_t)0);
		plan_add(p, OP_LANDLOCK_PATH, "test", "/", rights);
		plan_add(p, OP_LANDLOCK_PATH, "test", "/dev/null", rights);
		plan_add(p, OP_LANDLOCK_PATH, "test", "/does/not/exist", rights);
		plan_add(p, OP_LANDLOCK_ENTER, "test");
	}
	plan_add(p, OP_INIT, "test", init, init_bytes, box->init_flags | (box->flags & BOX_RUNG2 ? PLAN_INIT_RUNG2 : 0), &box->regions,
	         &box->patterns, &box->why);
	plan_add(p, OP_CLOSE_FDS, "test");
	plan_add(p, OP_SECCOMP, "test", filter, bytes, (uint64_t)(box->filter.notify ? 1 : 0));
}

/* From PIVOT on. argv is NULL-terminated. */
static inline void box_end_argv(struct box *box, const char *const *argv)
{
	struct plan_build *p = &box->plan;
	struct text_vec paths = { 0 }, args = { 0 }, env = { 0 };

	if (!(box->flags & BOX_RUNG2)) {
		if (!(box->flags & BOX_ROOT_TREE))
			plan_add(p, OP_REMOUNT, "test", "/", (uint64_t)BOX_RO);
		plan_add(p, OP_SYSCTL, "test", "user/max_user_namespaces", "0");
		if (!(box->flags & BOX_HOST_NET))
			plan_add(p, OP_LOOPBACK, "test");
		plan_add(p, OP_PIVOT, "test");
		plan_add(p, OP_HOSTNAME, "test", "sandbox");
	}
	plan_add(p, OP_SESSION, "test");
	if (box->flags & BOX_TERMINAL)
		plan_add(p, OP_TERMINAL, "test", (uint64_t)7);
	plan_add(p, OP_RLIMIT, "test", (uint64_t)RLIMIT_CORE, (uint64_t)0, (uint64_t)0);
	plan_add(p, OP_RLIMIT, "test", (uint64_t)RLIMIT_NOFILE, (uint64_t)1024, (uint64_t)4096);
	plan_add(p, OP_CHDIR, "test", "/tmp");
	plan_add(p, OP_UMASK, "test", (uint64_t)022);
	if (box->root && box->flags & BOX_RUNG2)
		plan_add(p, OP_IDS, "test", (uint64_t)BOX_UID, (uint64_t)BOX_UID);
	plan_add(p, OP_CAPS_DROP, "test");
	box_lock(box);
	*text_vec_add(&paths, &box->arena) = "/does/not/exist";
	*text_vec_add(&paths, &box->arena) = argv[0];
	for (; *argv; argv++)
		*text_vec_add(&args, &box->arena) = *argv;
	*text_vec_add(&env, &box->arena) = "PATH=/usr/bin:/bin";
	plan_add(p, OP_EXEC, "test", &paths, &args, &env);
}

static inline void box_end(struct box *box, const char *script)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };

	box_end_argv(box, argv);
}

static inline int box_memfd(const struct plan *plan)
{
	int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, plan->head, plan->size) != (ssize_t)plan->size)
		abort();
	fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return fd;
}

/* Out of the way of 0 to 4, where the launcher's descriptors go. */
static inline void box_raise(int *fd)
{
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, 20);

	close(*fd);
	*fd = high;
}

/* Starts the launcher. The sandbox's input is /dev/null, its outputs are one pipe. */
static inline void box_start(struct box *box)
{
	posix_spawn_file_actions_t actions;
	char name[] = "coffer-launch", *const argv[] = { name, box->torture[0] ? box->torture : NULL, NULL }, *const env[] = { NULL };
	int memfd = box_memfd(&box->done), pair[2], out[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) || pipe2(out, O_CLOEXEC) || null < 0)
		abort();
	posix_spawn_file_actions_init(&actions);
	box_raise(&memfd);
	box_raise(&pair[1]);
	box_raise(&out[1]);
	box_raise(&null);
	posix_spawn_file_actions_adddup2(&actions, null, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_adddup2(&actions, out[1], 2);
	posix_spawn_file_actions_adddup2(&actions, memfd, 3);
	posix_spawn_file_actions_adddup2(&actions, pair[1], 4);
	if (posix_spawn(&box->pid, box_launcher(), &actions, NULL, argv, env))
		abort();
	posix_spawn_file_actions_destroy(&actions);
	close(memfd), close(pair[1]), close(out[1]), close(null);
	box->socket = pair[0];
	box->out = out[0];
}

static inline void box_take_fd(struct box *box, struct msghdr *packet)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(packet);

	if (control && control->cmsg_type == SCM_RIGHTS)
		memcpy(&box->master, CMSG_DATA(control), sizeof(int));
}

/* One message. False when the peer is gone. */
static inline bool box_hear(struct box *box)
{
	struct {
		struct wire wire;
		char text[WIRE_TEXT_MAX];
	} in;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { &in, sizeof(in) };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(box->socket, &packet, MSG_CMSG_CLOEXEC);

	if (n < (ssize_t)sizeof(in.wire))
		return false;
	switch (in.wire.type) {
	case WIRE_FAILED:
		box->failed_op = in.wire.a;
		box->failed_errno = in.wire.b;
		break;
	case WIRE_TERMINAL:
		box_take_fd(box, &packet);
		break;
	case WIRE_EXITED:
		box->exited = in.wire;
		box->status = in.wire.a;
		break;
	case WIRE_DENIED:
		if (box->denied_n < BOX_DENIED_MAX) {
			memcpy(box->denied_text[box->denied_n], in.text, in.wire.text_len);
			box->denied[box->denied_n++] = in.wire;
		}
		break;
	}
	return true;
}

static inline void box_drain(struct box *box, int *fd)
{
	ssize_t n = read(*fd, box->output + box->output_len, sizeof(box->output) - 1 - box->output_len);

	if (n <= 0)
		*fd = -1;
	else
		box->output_len += (size_t)n;
	box->output[box->output_len] = '\0';
}

/* Waits for the end, at most ten seconds. */
static inline void box_finish(struct box *box)
{
	struct pollfd from[3] = { { box->socket, POLLIN, 0 }, { box->out, POLLIN, 0 }, { -1, POLLIN, 0 } };

	while (from[0].fd >= 0 || from[1].fd >= 0) {
		from[2].fd = box->master;
		if (poll(from, 3, 10000) <= 0)
			break;
		if (from[0].revents && !box_hear(box))
			from[0].fd = -1;
		if (from[1].revents)
			box_drain(box, &from[1].fd);
		if (from[2].revents)
			box_drain(box, &from[2].fd), box->master = from[2].fd;
	}
	close(box->socket);
	close(box->out);
	waitpid(box->pid, &box->launcher_status, 0);
}

static inline bool box_build(struct box *box)
{
	struct err err = { 0 };

	if (plan_build_done(&box->plan, &box->done, &err) == 0)
		return true;
	fprintf(stderr, "plan: %s\n", err.text);
	return false;
}

/* For this process and what it starts. */
static inline void box_make_missing(const struct box *box)
{
	struct sock_filter code[2 * BOX_MISSING_MAX + 2];
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < box->missing_n; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)box->missing[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)box->missing_errno);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &(struct sock_fprog){ n, code }))
		abort();
}

/* In a process of its own, which hands back what came of it. */
static inline void box_run_apart(struct box *box)
{
	struct box *shared = mmap(NULL, sizeof(*box), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	(void)box_launcher();
	pid = fork();
	if (shared == MAP_FAILED || pid < 0)
		abort();
	if (pid == 0) {
		if (box->missing_n)
			box_make_missing(box);
		if (box->as_user &&
		    (setgroups(0, NULL) || setresgid(BOX_USER, BOX_USER, BOX_USER) || setresuid(BOX_USER, BOX_USER, BOX_USER)))
			_exit(1);
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		box_start(box);
		box_finish(box);
		memcpy(shared, box, sizeof(*box));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	memcpy(box, shared, sizeof(*box));
	munmap(shared, sizeof(*box));
}

static inline void box_run(struct box *box)
{
	if (!box_build(box))
		abort();
	if (box->as_user || box->missing_n) {
		box_run_apart(box);
	} else {
		box_start(box);
		box_finish(box);
	}
	if (box->failed_op >= 0 && !box->torture[0])
		fprintf(stderr, "# op %d %s: %s\n", box->failed_op,
		        (uint32_t)box->failed_op < box->done.head->op_count ? plan_op_info(box->done.op[box->failed_op].code)->name : "?",
		        strerror(box->failed_errno));
}

static inline void box_done(struct box *box)
{
	arena_done(&box->arena);
}

#endif
