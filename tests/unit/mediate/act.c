/*
 * Calls that init makes for the command. The test program is its own command: inside, as /probe CASE, it makes the calls and prints
 * what came of them.
 */
#include "unit/unit.h"

#include "unit/launch/probe.h"

#include <pthread.h>
#include <sys/time.h>

/* ---- inside ---- */

static void inside_names(void)
{
	umask(027);
	say("mkdir", mkdir("d", 0777));
	say("mkdir again", mkdir("d", 0777));
	say("creat", creat("f", 0666));
	say("excl", open("f", O_CREAT | O_EXCL | O_RDWR, 0666));
	say("symlink", symlink("f", "l"));
	say("through link", open("l", O_CREAT | O_RDWR | O_TRUNC, 0666));
	say("excl link", open("l", O_CREAT | O_EXCL | O_RDWR, 0666));
	say("nofollow link", open("l", O_CREAT | O_NOFOLLOW | O_RDWR, 0666));
	say("link", link("f", "h"));
	say("rename", rename("h", "d/h"));
	say("noreplace", syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d/h", 1));
	say("exchange", syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d/h", 2));
	say("fifo", mkfifo("p", 0666));
	say("device", mknod("dev", S_IFCHR | 0666, 0));
	say("socket node", mknod("s", S_IFSOCK | 0666, 0));
	say("is a directory", open("d", O_CREAT | O_RDWR, 0666));
	say("trailing slash", open("f/", O_CREAT | O_RDWR, 0666));
	say("mkdir slash", mkdir("e///", 0777));
	say("dangling", symlink("nowhere", "dangling") | symlink("e", "to-e"));
	say("mkdir dangling slash", mkdir("dangling/", 0777));
	say("mkdir link slash", mkdir("to-e/", 0777));
	say("rename link slash", rename("to-e/", "moved-e"));
	say("rename to link slash", rename("e", "dangling/"));
	say("open link slash", open("to-e/", O_CREAT | O_RDONLY, 0777));
	say("link link slash", link("dangling/", "h2"));
	say("not a directory", open("f/x", O_CREAT | O_RDWR, 0666));
	say("absent directory", open("no/x", O_CREAT | O_RDWR, 0666));
	say("empty", open("", O_CREAT | O_RDWR, 0666));
	say("dot", open(".", O_CREAT | O_RDWR, 0666));
	say("dots", mkdir("..", 0777));
	say("root", mkdir("/", 0777));
	say("bad address", open((const char *)1, O_CREAT | O_RDWR, 0666));
	say("bad descriptor", openat(77, "x", O_CREAT | O_RDWR, 0666));
	say("file descriptor", openat(open("f", O_RDONLY), "x", O_CREAT | O_RDWR, 0666));
	say("at", openat(open("d", O_RDONLY | O_DIRECTORY), "at", O_CREAT | O_RDWR, 0666));
	say("read-only place", open("/usr/x", O_CREAT | O_RDWR, 0666));
	say("existing there", open("/usr/bin/env", O_CREAT | O_RDONLY, 0666));
	fflush(stdout);
}

static void inside_modes(void)
{
	struct stat st;
	int fd;

	umask(027);
	fd = open("mode", O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
	fstat(fd, &st);
	printf("%o %x %x\n", st.st_mode, (unsigned)fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE), (unsigned)fcntl(fd, F_GETFD));
	fd = open("mode", O_CREAT | O_WRONLY, 0666);
	printf("%x %x\n", (unsigned)fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE), (unsigned)fcntl(fd, F_GETFD));
	umask(0);
	mkdir("sticky", 01777);
	stat("sticky", &st);
	printf("%o\n", st.st_mode);
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	say("tmpfile", fd);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	say("linked in", linkat(AT_FDCWD, path, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
	say("linked in as", linkat(AT_FDCWD, path, AT_FDCWD, ".bashrc", AT_SYMLINK_FOLLOW));
	say("the link itself", linkat(AT_FDCWD, path, AT_FDCWD, "link2", 0));
	fd = open("/dev/null", O_CREAT | O_WRONLY, 0666);
	say("null", write(fd, "x", 1));
}

static void inside_protected(void)
{
	int fd, dir;

	say("file", open(".bashrc", O_CREAT | O_WRONLY, 0666));
	say("by another way", open("/tmp/../tmp/./.bashrc", O_CREAT | O_WRONLY, 0666));
	say("mknod", mknod(".bashrc", S_IFREG | 0666, 0));
	say("mkdir", mkdir(".bashrc", 0777));
	say("dangling link", symlink(".bashrc", "dangling"));
	say("through it", open("dangling", O_CREAT | O_WRONLY, 0666));
	say("link to the folder", symlink("/tmp", "here"));
	say("through that", open("here/here/.bashrc", O_CREAT | O_WRONLY, 0666));
	close(creat("plain", 0666));
	say("rename", rename("plain", ".bashrc"));
	say("link", link("plain", ".bashrc"));
	say("symlink", symlink("plain", ".bashrc"));
	dir = open("/tmp", O_RDONLY | O_DIRECTORY);
	say("at", openat(dir, ".bashrc", O_CREAT | O_WRONLY, 0666));
	say("through proc", open("/proc/self/cwd/.bashrc", O_CREAT | O_WRONLY, 0666));
	say("through root", open("/proc/self/root/tmp/.bashrc", O_CREAT | O_WRONLY, 0666));
	fd = open("/proc/thread-self/cwd", O_PATH);
	say("through a link's descriptor", openat(fd, ".bashrc", O_CREAT | O_WRONLY, 0666));
	say("openat2", syscall(SYS_openat2, AT_FDCWD, ".bashrc", &(uint64_t[3]){ O_CREAT | O_WRONLY, 0666, 0 }, 24));
	say("git", mkdir("repo", 0777) | mkdir("repo/.git", 0777));
	say("hooks", mkdir("repo/.git/hooks", 0777));
	say("config", open("repo/.git/config", O_CREAT | O_WRONLY, 0666));
	say("prepared", mkdir("evil", 0777) | mkdir("evil/hooks", 0777));
	say("moved into place", rename("evil", "repo2/.git"));
	mkdir("repo2", 0777);
	say("moved into place again", rename("evil", "repo2/.git"));
	say("linked into place", symlink("../evil", "repo2/.git"));
	say("exchanged", syscall(SYS_renameat2, AT_FDCWD, "evil", AT_FDCWD, "repo/.git", 2));
	say("harmless move", rename("evil", "good"));
	say("harmless link", symlink("good", "repo2/good"));
	say("exception", open("ok/.git/hooks", O_CREAT | O_WRONLY, 0666));
	mkdir("ok", 0777), mkdir("ok/.git", 0777);
	say("exception again", open("ok/.git/hooks", O_CREAT | O_WRONLY, 0666));
	say("only a directory", symlink("x", "dironly"));
	say("as a file", creat("dironly", 0666));
	say("as a directory", mkdir("dironly", 0777));
	say("unmade", access(".bashrc", F_OK));
}

static void inside_deputy(void)
{
	static const char *const paths[] = {
		"/proc/1/mem",
		"/proc/1/environ",
		"/proc/1/fd/4",
		"/proc/1/root/tmp/x",
		"/proc/1/cwd/x",
		"/proc/1/task/1/mem",
		"/proc/self/task/../../1/mem",
		"/proc/1",
		"/proc/self/mem",
		"/proc/self/fd/0",
		"/proc/mounts",
		"/proc/net/dev",
		"/proc/self/fdinfo/0",
		"/proc/thread-self/comm",
	};
	char path[64];
	pid_t child;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		say(paths[i], open(paths[i], O_CREAT | O_RDONLY, 0666));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", open("/proc/1/mem", O_PATH));
	say("reopened", open(path, O_RDWR | O_CREAT, 0666));
	say("at its folder", openat(open("/proc/1", O_RDONLY | O_DIRECTORY), "mem", O_RDWR | O_CREAT, 0666));
	say("a link to it", symlink("/proc/1/mem", "m") | open("m", O_RDWR | O_CREAT, 0666));
	say("a link to self", symlink("/proc/self/status", "st"));
	FILE *status = fdopen(open("st", O_CREAT | O_RDONLY, 0666), "r");
	int pid = 0;
	for (char line[256]; status && fgets(line, sizeof(line), status);)
		sscanf(line, "Pid: %d", &pid);
	printf("self is %s\n", pid == getpid() ? "the caller" : "somebody else");
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	say("another's memory", open(path, O_RDWR | O_CREAT, 0666));
	snprintf(path, sizeof(path), "/proc/%d/fd/1", child);
	say("another's descriptor", open(path, O_RDWR | O_CREAT, 0666));
	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	say("another's stat", open(path, O_RDONLY | O_CREAT, 0666));
	kill(child, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	say("not dumpable", open("nodump", O_RDWR | O_CREAT, 0666));
}

static void inside_reads(void)
{
	char path[64];
	int fd = open("open", O_RDWR | O_CREAT, 0666);

	say("open", fd);
	say("read", open("secret.pem", O_RDONLY));
	say("path only", open("secret.pem", O_PATH));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", open("secret.pem", O_PATH));
	say("read by that", open(path, O_RDONLY));
	say("deep", open("keys/deep/a", O_RDONLY));
	say("listing", open("keys", O_RDONLY | O_DIRECTORY));
	say("link", link("secret.pem", "copy"));
	say("rename", rename("secret.pem", "copy"));
	say("symlink", symlink("secret.pem", "alias") | open("alias", O_RDONLY));
	say("rename above", rename("mixed", "moved"));
	say("harmless rename", rename("other", "moved"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	say("again", open(path, O_RDONLY));
	say("directory", open("/", O_RDONLY | O_DIRECTORY));
	say("terminal", open("/dev/tty", O_RDWR));
	say("process", open("/proc/self/status", O_RDONLY));
}

static char *volatile flipping;
static volatile int stop;

static void *flip(void *unused)
{
	(void)unused;
	while (!stop) {
		memcpy(flipping, ".bashrc", 8);
		memcpy(flipping, "harmles", 8);
	}
	return NULL;
}

/* The text changes under init's eyes: what was looked at is what is made. */
static void inside_race(void)
{
	char text[16] = "harmles";
	pthread_t thread;
	int made = 0, refused = 0;

	flipping = text;
	if (pthread_create(&thread, NULL, flip, NULL))
		abort();
	for (int i = 0; i < 3000; i++) {
		int fd = open(text, O_CREAT | O_WRONLY, 0666);

		made += fd >= 0;
		refused += fd < 0 && errno == EACCES;
		if (fd >= 0)
			close(fd);
	}
	stop = 1;
	pthread_join(thread, NULL);
	say("protected name", access(".bashrc", F_OK));
	printf("%s\n", made + refused == 3000 || made > 0 ? "some were made" : "none");
}

static void *open_writer(void *unused)
{
	(void)unused;
	usleep(50 * 1000);
	int fd = open("fifo", O_WRONLY | O_CREAT, 0666);
	(void)!write(fd, "through", 7);
	close(fd);
	return NULL;
}

static void inside_fifo(void)
{
	char text[8] = "";
	pthread_t thread;
	int fd;

	mkfifo("fifo", 0666);
	say("writer without reader", open("fifo", O_WRONLY | O_NONBLOCK | O_CREAT, 0666));
	if (pthread_create(&thread, NULL, open_writer, NULL))
		abort();
	fd = open("fifo", O_RDONLY | O_CREAT, 0666);
	say("reader", fd);
	(void)!read(fd, text, 7);
	printf("%s\n", text);
	pthread_join(thread, NULL);
	/* Callers that die while they wait leave nobody behind, and do not use the places up. */
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		if (child == 0) {
			open("fifo", O_RDONLY | O_CREAT, 0666);
			_exit(0);
		}
		usleep(20 * 1000);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		usleep(120 * 1000);
	}
	say("still answered", creat("after", 0666));
	fflush(stdout);
	(void)!system("ls /proc | grep -c '^[0-9]'");
}

static void take_signal(int number)
{
	(void)number;
}

/* Signals in the middle do not make a call twice. */
static void inside_signals(void)
{
	const struct sigaction action = { .sa_handler = take_signal, .sa_flags = SA_RESTART };
	const struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { 0 };
	int twice = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 300; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%d", i);
		twice += mkdir(name, 0777) < 0;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	printf("%d\n", twice);
}

static const struct probe_case cases[] = {
	{ "names", inside_names }, { "modes", inside_modes }, { "protected", inside_protected }, { "deputy", inside_deputy },
	{ "reads", inside_reads }, { "race", inside_race },   { "fifo", inside_fifo },           { "signals", inside_signals },
};

/* ---- outside ---- */

static const char *const writes[] = { "w/tmp/.bashrc", "w/tmp/**/.git/hooks", "w/tmp/**/.git/config", "+/tmp/ok", "d/tmp/dironly", NULL };
static const char *const reads[] = { "r/tmp/*.pem", "r/tmp/keys", "r/tmp/mixed/*.key", NULL };

static void names_are_made_as_the_kernel_would(void **state)
{
	static struct box free_box, box;
	const char *const none[] = { NULL };

	(void)state;
	run_case(&free_box, "names", 0, none);
	run_case(&box, "names", PLAN_INIT_ACT | PLAN_INIT_TELL, writes);
	assert_string_equal(box.output, free_box.output);
	assert_non_null(strstr(box.output, "existing there ok\n"));
	run_case(&free_box, "modes", 0, none);
	assert_non_null(strstr(free_box.output, "linked in as ok\n"));
	run_case(&box, "modes", PLAN_INIT_ACT, writes);
	assert_string_equal(box.output,
	                    "100640 c02 1\n1 0\n41777\ntmpfile ok\nlinked in ok\nlinked in as EACCES\nthe link itself EXDEV\nnull ok\n");
	box_done(&box);
}

static void protected_names_are_not_made(void **state)
{
	static struct box box;

	(void)state;
	run_case(&box, "protected", PLAN_INIT_ACT | PLAN_INIT_TELL, writes);
	assert_string_equal(
	    box.output,
	    "file EACCES\nby another way EACCES\nmknod EACCES\nmkdir EACCES\ndangling link ok\nthrough it EACCES\nlink to the folder ok\n"
	    "through that EACCES\nrename EACCES\nlink EACCES\nsymlink EACCES\nat EACCES\nthrough proc EACCES\nthrough root EACCES\n"
	    "through a link's descriptor EACCES\nopenat2 ENOSYS\ngit ok\nhooks EACCES\nconfig EACCES\nprepared ok\n"
	    "moved into place ENOENT\nmoved into place again EACCES\nlinked into place EACCES\nexchanged EACCES\nharmless move ok\n"
	    "harmless link ok\nexception ENOENT\nexception again ok\nonly a directory EACCES\nas a file EACCES\nas a directory ok\n"
	    "unmade ENOENT\n");
	assert_int_equal(box.denied[0].d, 3 + 1); /* three regions, the first pattern */
	assert_int_equal(box.denied[0].b, EACCES);
	assert_string_equal(box.denied_text[0], "probe");
	assert_string_equal(box.denied_text[0] + 6, "/tmp/.bashrc");
	box_done(&box);
}

static void init_does_not_lend_itself(void **state)
{
	static struct box box;

	(void)state;
	run_case(&box, "deputy", PLAN_INIT_ACT, writes);
	assert_string_equal(
	    box.output,
	    "/proc/1/mem EACCES\n/proc/1/environ EACCES\n/proc/1/fd/4 EACCES\n/proc/1/root/tmp/x EACCES\n/proc/1/cwd/x EACCES\n"
	    "/proc/1/task/1/mem EACCES\n/proc/self/task/../../1/mem EACCES\n/proc/1 EACCES\n/proc/self/mem ok\n/proc/self/fd/0 ok\n"
	    "/proc/mounts ok\n/proc/net/dev ok\n/proc/self/fdinfo/0 ok\n/proc/thread-self/comm ok\n"
	    "reopened EACCES\nat its folder EACCES\na link to it EACCES\na link to self ok\nself is the caller\n"
	    "another's memory EACCES\nanother's descriptor EACCES\nanother's stat ok\nnot dumpable EACCES\n");
	box_done(&box);
}

static void hidden_files_stay_hidden(void **state)
{
	static struct box box;

	(void)state;
	run_case(&box, "reads", PLAN_INIT_ACT_OPENS, reads);
	assert_string_equal(
	    box.output,
	    "open ok\nread EACCES\npath only ok\nread by that EACCES\ndeep EACCES\nlisting EACCES\nlink EACCES\nrename EACCES\nsymlink EACCES\n"
	    "rename above EACCES\nharmless rename ok\nagain ok\ndirectory ok\nterminal ENXIO\nprocess ok\n");
	box_done(&box);
}

static void what_was_looked_at_is_what_is_made(void **state)
{
	static struct box box;

	(void)state;
	run_case(&box, "race", PLAN_INIT_ACT, writes);
	assert_string_equal(box.output, "protected name ENOENT\nsome were made\n");
	box_done(&box);
}

static void fifos_hold_nobody_up(void **state)
{
	static struct box box;

	(void)state;
	run_case(&box, "fifo", PLAN_INIT_ACT, writes);
	assert_string_equal(box.output,
	                    "writer without reader ENXIO\nreader ok\nthrough\nstill answered ok\n5\n"); /* init, probe, sh, ls, grep */
	box_done(&box);
}

static void calls_are_made_once(void **state)
{
	static struct box box;

	(void)state;
	run_case(&box, "signals", PLAN_INIT_ACT, writes);
	assert_string_equal(box.output, "0\n");
	box_done(&box);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_made_as_the_kernel_would),
		cmocka_unit_test(protected_names_are_not_made),
		cmocka_unit_test(init_does_not_lend_itself),
		cmocka_unit_test(hidden_files_stay_hidden),
		cmocka_unit_test(what_was_looked_at_is_what_is_made),
		cmocka_unit_test(fifos_hold_nobody_up),
		cmocka_unit_test(calls_are_made_once),
	};

	if (probe_runs(cases, sizeof(cases) / sizeof(cases[0]), argc, argv))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
