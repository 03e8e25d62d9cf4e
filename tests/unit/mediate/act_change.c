/* Calls that init makes for the command on what exists: opens for writing, truncate, unlink, rmdir, second names; and bind. */
#include "unit/unit.h"

#include "unit/launch/probe.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/un.h>

/* ---- inside ---- */

static void inside_changes(void)
{
	close(creat("f", 0666));
	say("made",
	    mkdir("d", 0777) | mkdir("d/x", 0777) | mkdir("e", 0777) | mkfifo("p", 0666) | symlink("f", "l") | symlink("e", "to-e"));
	say("truncate", truncate("l", 7));
	say("truncate negative", truncate("f", -1));
	say("truncate directory", truncate("d", 0));
	say("truncate fifo", truncate("p", 0));
	say("truncate slash", truncate("f/", 0));
	say("truncate absent", truncate("no", 0));
	say("truncate read-only", truncate("/usr/bin/env", 0));
	say("write", open("f", O_WRONLY));
	say("write directory", open("d", O_WRONLY));
	say("write absent", open("no", O_WRONLY | O_TRUNC));
	say("write read-only", open("/usr/bin/env", O_RDWR));
	say("unlink directory", unlink("d"));
	say("unlink absent", unlink("no"));
	say("unlink link slash", unlink("to-e/"));
	say("unlink file slash", unlink("f/"));
	say("unlink read-only", unlink("/usr/bin/env"));
	say("unlink link", unlink("to-e"));
	say("unlinkat flags", syscall(SYS_unlinkat, AT_FDCWD, "f", 1));
	say("rmdir file", rmdir("f"));
	say("rmdir full", rmdir("d"));
	say("rmdir", rmdir("e"));
	say("rmdir dot", rmdir("."));
	say("unlink dots", unlink(".."));
}

/* What is there is neither written, nor emptied, nor removed, by whichever name. */
static void inside_existing(void)
{
	char path[64];
	int fd;

	if (chdir("/tmp/deep/.git/hooks"))
		abort();
	say("write", open("pre-commit", O_WRONLY));
	say("both", open("/tmp/deep/.git/hooks/pre-commit", O_RDWR));
	say("empty", open("pre-commit", O_RDONLY | O_TRUNC));
	say("truncate", truncate("pre-commit", 0));
	say("link", symlink("/tmp/deep/.git/hooks/pre-commit", "/tmp/alias"));
	say("through it", open("/tmp/alias", O_WRONLY));
	say("truncate through it", truncate("/tmp/alias", 0));
	fd = open("pre-commit", O_RDONLY);
	say("read", fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	say("again", open(path, O_RDWR));
	say("truncate again", truncate(path, 0));
	say("second name", link("pre-commit", "/tmp/second"));
	say("second name by descriptor", linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/second", AT_SYMLINK_FOLLOW));
	say("second name by empty path", linkat(fd, "", AT_FDCWD, "/tmp/second", AT_EMPTY_PATH));
	say("unlink", unlink("pre-commit"));
	say("moved away", rename("pre-commit", "/tmp/away"));
	say("folder moved away", rename("/tmp/deep/.git/hooks", "/tmp/away"));
	say("rmdir", rmdir("/tmp/deep/.git/hooks"));
	say("temporary file", open(".", O_TMPFILE | O_RDWR, 0600));
	say("absent write", open("no", O_WRONLY));
	say("absent unlink", unlink("no"));
	say("absent truncate", truncate("no", 0));
	say("absent rename", rename("no", "/tmp/no"));
	say("harmless", open("/tmp/deep/plain", O_RDWR) | truncate("/tmp/deep/plain", 3) | unlink("/tmp/deep/plain"));
	say("exception",
	    mkdir("/tmp/ok", 0777) | mkdir("/tmp/ok/.git", 0777) | mkdir("/tmp/ok/.git/hooks", 0777) | rmdir("/tmp/ok/.git/hooks"));
	say("there", access("pre-commit", F_OK));
}

static int bind_to(int family, const char *path, size_t len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX }, found;
	socklen_t found_len = sizeof(found);
	int pair[2], fd = family;

	memcpy(address.sun_path, path, len);
	if (fd < 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)
		fd = pair[0];
	if (bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return -1;
	if (getsockname(fd, (struct sockaddr *)&found, &found_len) < 0 || memcmp(address.sun_path, found.sun_path, len) != 0)
		printf("another name: %s\n", found.sun_path);
	return 0;
}

static int bind_new(const char *path)
{
	return bind_to(socket(AF_UNIX, SOCK_STREAM, 0), path, strlen(path) + 1);
}

static void inside_sockets(void)
{
	struct sockaddr_in loopback = { .sin_family = AF_INET };
	struct stat st;
	int fd;

	say("protected", bind_new(".bashrc"));
	say("protected whole", bind_new("/tmp/deep/.git/hooks/pre-push"));
	say("half of a pair", bind_to(-1, ".bashrc", 8));
	say("no end", bind_to(socket(AF_UNIX, SOCK_DGRAM, 0), ".bashrc", 7));
	umask(077);
	say("named", bind_new("named"));
	say("mode", stat("named", &st));
	printf("%o\n", st.st_mode);
	say("twice", bind_new("named"));
	say("whole", bind_new("/tmp/whole"));
	say("half of a pair", bind_to(-1, "/tmp/half", 10));
	say("abstract", bind_to(socket(AF_UNIX, SOCK_STREAM, 0), "\0name", 5));
	say("none", bind_to(socket(AF_UNIX, SOCK_STREAM, 0), "", 0));
	say("absent folder", bind_new("no/x"));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	say("inet", bind(fd, (struct sockaddr *)&loopback, sizeof(loopback)));
	say("inet listens", listen(fd, 1));
	say("inet twice", bind(fd, (struct sockaddr *)&loopback, sizeof(loopback)));
	say("no socket", bind(open("/dev/null", O_RDONLY), (struct sockaddr *)&loopback, sizeof(loopback)));
	say("no descriptor", bind(77, (struct sockaddr *)&loopback, sizeof(loopback)));
	say("no address", bind(fd, (struct sockaddr *)1, sizeof(loopback)));
	say("long address", bind(fd, (struct sockaddr *)&loopback, 4096));
	say("unmade", access(".bashrc", F_OK));
}

static const struct probe_case cases[] = { { "changes", inside_changes }, { "existing", inside_existing }, { "sockets", inside_sockets } };

/* ---- outside ---- */

static const char *const writes[] = { "w/tmp/.bashrc", "w/tmp/**/.git/hooks", "w/tmp/**/.git/config", "+/tmp/ok", "d/tmp/dironly", NULL };

static void changes_are_made_as_the_kernel_would(void **state)
{
	static struct box free_box, box;
	const char *const none[] = { NULL };

	(void)state;
	run_case(&free_box, "changes", 0, none);
	run_case(&box, "changes", PLAN_INIT_ACT | PLAN_INIT_TELL, writes);
	assert_string_equal(box.output, free_box.output);
	assert_non_null(strstr(box.output, "truncate ok\n"));
	box_done(&box);
}

static void protected_files_are_not_changed(void **state)
{
	static struct box box, free_box;
	const char *const none[] = { NULL };

	(void)state;
	run_case(&box, "existing", PLAN_INIT_ACT, writes);
	assert_string_equal(
	    box.output,
	    "write EACCES\nboth EACCES\nempty EACCES\ntruncate EACCES\nlink ok\nthrough it EACCES\ntruncate through it EACCES\nread ok\n"
	    "again EACCES\ntruncate again EACCES\nsecond name EACCES\nsecond name by descriptor EACCES\nsecond name by empty path EACCES\n"
	    "unlink EACCES\nmoved away EACCES\nfolder moved away EACCES\nrmdir EACCES\ntemporary file EACCES\nabsent write ENOENT\n"
	    "absent unlink ENOENT\nabsent truncate ENOENT\nabsent rename ENOENT\nharmless ok\nexception ok\nthere ok\n");
	run_case(&free_box, "existing", 0, none);
	assert_non_null(strstr(free_box.output, "truncate ok\n"));
	assert_non_null(strstr(free_box.output, "unlink ok\n"));
	box_done(&box);
}

static void sockets_get_no_protected_name(void **state)
{
	static struct box box, free_box;
	const char *const none[] = { NULL };

	(void)state;
	run_case(&box, "sockets", PLAN_INIT_ACT, writes);
	assert_string_equal(box.output,
	                    "protected EACCES\nprotected whole EACCES\nhalf of a pair EACCES\nno end EACCES\nnamed ok\nmode ok\n140700\n"
	                    "twice EADDRINUSE\nwhole ok\nhalf of a pair ok\nabstract ok\nnone ok\nabsent folder ENOENT\ninet ok\n"
	                    "inet listens ok\ninet twice EINVAL\nno socket ENOTSOCK\nno descriptor EBADF\nno address EFAULT\n"
	                    "long address EINVAL\nunmade ENOENT\n");
	run_case(&free_box, "sockets", 0, none);
	assert_non_null(strstr(free_box.output, "protected ok\n"));
	box_done(&box);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_made_as_the_kernel_would),
		cmocka_unit_test(protected_files_are_not_changed),
		cmocka_unit_test(sockets_get_no_protected_name),
	};

	if (probe_runs(cases, sizeof(cases) / sizeof(cases[0]), argc, argv))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
