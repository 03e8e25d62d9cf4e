#include "sys/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static int load(const void *filter, size_t bytes, unsigned long flags)
{
	struct sock_fprog program = { .len = (unsigned short)(bytes / sizeof(struct sock_filter)) };
	long r;

	memcpy(&program.filter, &filter, sizeof(filter)); /* the kernel only reads it */
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return r < 0 ? -errno : (int)r;
}

int seccomp_load(const void *filter, size_t bytes)
{
	return load(filter, bytes, 0);
}

int seccomp_load_listening(const void *filter, size_t bytes)
{
	int r = load(filter, bytes, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	return r == -EINVAL ? load(filter, bytes, SECCOMP_FILTER_FLAG_NEW_LISTENER) : r;
}

static int control(int listener, unsigned long request, void *argument)
{
	int r = ioctl(listener, (int)request, argument);

	return r < 0 ? -errno : r;
}

void seccomp_hurry(int listener)
{
	enum { SET_FLAGS = 0x40082104 /* SECCOMP_IOCTL_NOTIF_SET_FLAGS */, SYNC_WAKE_UP = 1 };

	(void)ioctl(listener, SET_FLAGS, SYNC_WAKE_UP);
}

int seccomp_receive(int listener, struct seccomp_notif *ret_call)
{
	/* A later kernel may know a larger one, and wants it all zero. */
	union {
		struct seccomp_notif call;
		char room[512];
	} in;
	int r;

	memset(&in, 0, sizeof(in));
	r = control(listener, SECCOMP_IOCTL_NOTIF_RECV, &in);
	if (r >= 0)
		*ret_call = in.call;
	return r;
}

bool seccomp_is_waiting(int listener, uint64_t id)
{
	return control(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static int send_answer(int listener, const struct seccomp_notif_resp *answer)
{
	union {
		struct seccomp_notif_resp answer;
		char room[512];
	} out;

	memset(&out, 0, sizeof(out));
	out.answer = *answer;
	return control(listener, SECCOMP_IOCTL_NOTIF_SEND, &out);
}

int seccomp_answer(int listener, uint64_t id, int result)
{
	const struct seccomp_notif_resp answer = { .id = id, .error = result };

	return send_answer(listener, &answer);
}

int seccomp_continue(int listener, uint64_t id)
{
	const struct seccomp_notif_resp answer = { .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	return send_answer(listener, &answer);
}

static int add_fd(int listener, struct seccomp_notif_addfd add, int take_fd, bool cloexec)
{
	int r;

	add.srcfd = (uint32_t)take_fd;
	add.newfd_flags = cloexec ? O_CLOEXEC : 0;
	r = control(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	close(take_fd);
	return r;
}

void seccomp_answer_open(int listener, uint64_t id, int take_fd, bool cloexec)
{
	int r = add_fd(listener, (struct seccomp_notif_addfd){ .id = id, .flags = SECCOMP_ADDFD_FLAG_SEND }, take_fd, cloexec);

	if (r < 0) /* the caller's table is full */
		(void)seccomp_answer(listener, id, r);
}

void seccomp_answer_replace(int listener, uint64_t id, int take_fd, int number, bool cloexec)
{
	const struct seccomp_notif_addfd add = { .id = id, .flags = SECCOMP_ADDFD_FLAG_SETFD, .newfd = (uint32_t)number };
	int r = add_fd(listener, add, take_fd, cloexec);

	(void)seccomp_answer(listener, id, r < 0 ? r : 0);
}
