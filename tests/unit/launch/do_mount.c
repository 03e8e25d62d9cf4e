#include "unit/unit.h"

#include "unit/launch/box.h"

#include <linux/mount.h>

static void assert_output(const struct box *box, const char *expected)
{
	assert_int_equal(box->failed_op, -1);
	assert_string_equal(box->output, expected);
	assert_int_equal(box->status, 0);
}

/* ---- a root of one's own ---- */

static void new_root_shows_what_was_placed(void **state)
{
	struct box box;

	(void)state;
	box_begin(&box, 0);
	plan_add(&box.plan, OP_FILE, "test", "/tmp/made", (uint64_t)0640, "text\n", (size_t)5);
	plan_add(&box.plan, OP_DIR, "test", "/srv/a/b", (uint64_t)0700);
	plan_add(&box.plan, OP_LINK, "test", "/srv/link", "a/b");
	box_end(
	    &box,
	    "ls /; cat /tmp/made; stat -c '%a %n' /tmp/made /srv /srv/a /srv/a/b; readlink /srv/link; touch /x /usr/x /srv/a/b/x 2>&1 | wc -l");
	box_run(&box);
	assert_output(
	    &box,
	    "bin\ndev\netc\nlib\nlib64\nproc\nsbin\nsrv\ntmp\nusr\ntext\n640 /tmp/made\n755 /srv\n755 /srv/a\n700 /srv/a/b\na/b\n3\n");
	box_done(&box);
}

static void begin_root_tree(struct box *box)
{
	uint64_t slot = box_slot(box);

	plan_add(&box->plan, OP_TREE, "test", slot, "/", (uint64_t)(BOX_RO | PLAN_TREE_RECURSIVE), (uint64_t)0, (uint64_t)0);
	plan_add(&box->plan, OP_ROOT_TREE, "test", slot);
	plan_add(&box->plan, OP_TMPFS, "test", "/tmp", (uint64_t)BOX_RW, (uint64_t)(1 << 20), (uint64_t)64, (uint64_t)01777);
	plan_add(&box->plan, OP_PROC, "test", "/proc", (uint64_t)0);
}

static const char root_tree_script[] =
    "cat /etc/hostname; ls /usr 2>&1 | grep -c denied; cat /etc/passwd 2>&1 | grep -c denied;"
    "touch /etc/x /usr/bin/x /dev/shm/x 2>&1 | wc -l; touch /tmp/y && echo tmp;"
    "chmod 700 /opt 2>&1 | grep -c Read-only; ls -A /tmp; cat /proc/self/mountinfo | grep -c ' / /proc '";

static void cover_root_tree(struct box *box)
{
	begin_root_tree(box);
	plan_add(&box->plan, OP_MASK, "test", "/opt", (uint64_t)PLAN_MASK_DIR, (uint64_t)0, (uint64_t)0);
	plan_add(&box->plan, OP_MASK, "test", "/etc/passwd", (uint64_t)PLAN_MASK_FILE, (uint64_t)0, (uint64_t)0);
	plan_add(&box->plan, OP_COVER, "test", "/etc/hostname", (uint64_t)0444, "covered\n", (size_t)8);
	plan_add(&box->plan, OP_COVER, "test", "/etc/no/such/file", (uint64_t)0444, "x", (size_t)1);
}

static void root_tree_is_read_only_masked_and_covered(void **state)
{
	for (int as_user = 0; as_user <= 1; as_user++) {
		struct box box;

		(void)state;
		if (as_user)
			box_begin_as_user(&box, BOX_ROOT_TREE);
		else
			box_begin(&box, BOX_ROOT_TREE);
		cover_root_tree(&box);
		box_end(&box, root_tree_script);
		box_run(&box);
		assert_output(&box, "covered\n0\n1\n3\ntmp\n1\ny\n2\n");
		box_done(&box);
	}
}

/* ---- old kernels ---- */

static void run_without(struct box *box, const int *calls, size_t n)
{
	memcpy(box->missing, calls, n * sizeof(*calls));
	box->missing_n = n;
	box->missing_errno = ENOSYS;
	box_run(box);
}

static void old_kernels_give_the_same(void **state)
{
	static const int mounts[] = { SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr };
	static const int setattr[] = { SYS_mount_setattr };
	static const int openat2[] = { SYS_openat2 };
	static const int all[] = { SYS_open_tree, SYS_move_mount, SYS_mount_setattr, SYS_openat2, SYS_clone3, SYS_close_range, SYS_statx };
	static const struct {
		const int *calls;
		size_t n;
	} kernels[] = { { mounts, 7 }, { setattr, 1 }, { openat2, 1 }, { all, 6 } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct box box;

		box_begin(&box, BOX_ROOT_TREE);
		cover_root_tree(&box);
		box_end(&box, root_tree_script);
		run_without(&box, kernels[i].calls, kernels[i].n);
		assert_output(&box, "covered\n0\n1\n3\ntmp\n1\ny\n2\n");
		box_done(&box);

		box_begin(&box, 0);
		plan_add(&box.plan, OP_DIR, "test", "/srv/a", (uint64_t)0755);
		box_end(&box, "ls -d /srv/a; touch /usr/x 2>&1 | wc -l; echo x >/dev/null && echo null; ls /proc/self/fd | wc -l");
		run_without(&box, kernels[i].calls, kernels[i].n);
		assert_output(&box, "/srv/a\n1\nnull\n4\n");
		box_done(&box);
	}
}

/* ---- sources ---- */

static char *make_folder(char *template)
{
	char *folder = mkdtemp(template);

	assert_non_null(folder);
	assert_int_equal(chmod(folder, 0755), 0);
	return folder;
}

static void write_file(const char *folder, const char *name, const char *text, mode_t mode)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void remove_folder(const char *folder)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

static void another_thing_at_the_path_is_refused(void **state)
{
	char template[] = "/tmp/coffer-launch.XXXXXX", *folder = make_folder(template);
	struct stat st;

	(void)state;
	assert_int_equal(stat(folder, &st), 0);
	for (int wrong = 0; wrong <= 1; wrong++) {
		struct box box;
		uint64_t slot;

		box_begin(&box, 0);
		slot = box_slot(&box);
		plan_add(&box.plan, OP_TREE, "test", slot, folder, (uint64_t)BOX_RO, (uint64_t)st.st_dev,
		         (uint64_t)st.st_ino + (uint64_t)wrong);
		plan_add(&box.plan, OP_DIR, "test", "/srv", (uint64_t)0755);
		plan_add(&box.plan, OP_PLACE, "test", slot, "/srv");
		box_end(&box, "echo in");
		box_run(&box);
		assert_int_equal(box.failed_errno, wrong ? ESTALE : 0);
		assert_string_equal(box.output, wrong ? "" : "in\n");
		box_done(&box);
	}
	remove_folder(folder);
}

static void a_link_on_the_way_is_refused(void **state)
{
	char template[] = "/tmp/coffer-launch.XXXXXX", *folder = make_folder(template), link[300];

	(void)state;
	snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink("/etc", link), 0);
	for (int old = 0; old <= 1; old++) {
		struct box box;

		box_begin(&box, 0);
		box_show(&box, link, BOX_RO, true);
		box_end(&box, "echo in");
		run_without(&box, &(int){ SYS_openat2 }, (size_t)old);
		assert_int_equal(box.failed_errno, ELOOP);
		box_done(&box);
	}
	remove_folder(folder);
}

static void an_absent_source_may_be_optional(void **state)
{
	for (int optional = 0; optional <= 1; optional++) {
		struct box box;

		(void)state;
		box_begin(&box, 0);
		box_show(&box, "/no/such/thing", BOX_RO | (optional ? PLAN_TREE_OPTIONAL : 0), true);
		box_end(&box, "echo in");
		box_run(&box);
		assert_int_equal(box.failed_errno, optional ? 0 : ENOENT);
		box_done(&box);
	}
}

/* Writable, with a part of it that is not, and the way to that part pinned. */
static void rebinds_protect_and_pin(void **state)
{
	char template[] = "/tmp/coffer-launch.XXXXXX", *folder = make_folder(template), path[300];
	struct box box;

	(void)state;
	snprintf(path, sizeof(path), "%s/git", folder);
	assert_int_equal(mkdir(path, 0777), 0);
	write_file(folder, "git/config", "config\n", 0666);
	assert_int_equal(chmod(folder, 0777) | chmod(path, 0777), 0);
	box_begin(&box, 0);
	plan_add(&box.plan, OP_TREE, "test", box_slot(&box), folder, (uint64_t)(BOX_RW | PLAN_TREE_RECURSIVE), (uint64_t)0, (uint64_t)0);
	plan_add(&box.plan, OP_DIR, "test", "/ws", (uint64_t)0755);
	plan_add(&box.plan, OP_PLACE, "test", (uint64_t)box.plan.slots - 1, "/ws");
	plan_add(&box.plan, OP_REBIND, "test", "/ws/git", (uint64_t)BOX_RW, (uint64_t)0, (uint64_t)0);
	plan_add(&box.plan, OP_REBIND, "test", "/ws/git/config", (uint64_t)BOX_RO, (uint64_t)0, (uint64_t)0);
	box_end(&box, "cd /ws; echo x > git/config; rm -f git/config; mv git away; touch new git/new; ls . git; cat git/config");
	box_run(&box);
	assert_non_null(strstr(box.output, "git/config: Read-only file system"));
	assert_non_null(strstr(box.output, "cannot remove 'git/config': Device or resource busy"));
	assert_non_null(strstr(box.output, "cannot move 'git' to 'away': Device or resource busy"));
	assert_non_null(strstr(box.output, ".:\ngit\nnew\n\ngit:\nconfig\nnew\nconfig\n"));
	box_done(&box);
	remove_folder(folder);
}

/* On the host nothing may appear: not in a tree that the plan shows, and not through a tmpfs's neighbour. */
static void names_are_made_on_own_file_systems_only(void **state)
{
	static const struct {
		enum plan_opcode code;
		const char *path;
	} ops[] = { { OP_DIR, "/ws/made" }, { OP_FILE, "/ws/made" }, { OP_LINK, "/ws/made" }, { OP_DIR, "/ws/made/deep/er" } };
	char template[] = "/tmp/coffer-launch.XXXXXX", *folder = make_folder(template);

	(void)state;
	assert_int_equal(chmod(folder, 0777), 0);
	for (size_t i = 0; i < 4; i++) {
		struct box box;

		box_begin(&box, 0);
		plan_add(&box.plan, OP_TREE, "test", box_slot(&box), folder, (uint64_t)BOX_RW, (uint64_t)0, (uint64_t)0);
		plan_add(&box.plan, OP_DIR, "test", "/ws", (uint64_t)0755);
		plan_add(&box.plan, OP_PLACE, "test", (uint64_t)box.plan.slots - 1, "/ws");
		if (ops[i].code == OP_DIR)
			plan_add(&box.plan, OP_DIR, "test", ops[i].path, (uint64_t)0755);
		else if (ops[i].code == OP_FILE)
			plan_add(&box.plan, OP_FILE, "test", ops[i].path, (uint64_t)0644, "x", (size_t)1);
		else
			plan_add(&box.plan, OP_LINK, "test", ops[i].path, "x");
		box_end(&box, "echo in");
		box_run(&box);
		assert_int_equal(box.failed_errno, EXDEV);
		box_done(&box);
	}
	assert_int_equal(rmdir(folder), 0); /* it is empty */
}

static void inside_paths_do_not_follow_links(void **state)
{
	struct box box;

	(void)state;
	box_begin(&box, 0);
	plan_add(&box.plan, OP_LINK, "test", "/tmp/link", "/etc");
	plan_add(&box.plan, OP_MASK, "test", "/tmp/link/passwd", (uint64_t)PLAN_MASK_FILE, (uint64_t)0, (uint64_t)0);
	box_end(&box, "echo in");
	box_run(&box);
	assert_int_equal(box.failed_errno, ELOOP);
	box_done(&box);
}

/* ---- root ---- */

static void root_shows_its_own_files_as_the_sandbox_s(void **state)
{
	char template[] = "/tmp/coffer-launch.XXXXXX", *folder;
	struct box box;
	struct stat st;
	char path[300];

	(void)state;
	if (getuid() != 0)
		SKIP_BECAUSE("needs root");
	folder = make_folder(template);
	write_file(folder, "secret", "of root\n", 0600);
	assert_int_equal(chmod(folder, 0700), 0);
	box_begin(&box, BOX_BARE);
	box.flags = 0;
	plan_add(&box.plan, OP_HOST_TREE, "test", box_slot(&box), folder, (uint64_t)BOX_RW, (uint64_t)0, (uint64_t)0);
	plan_add(&box.plan, OP_TREE_IDMAP, "test", (uint64_t)0, (uint64_t)0, (uint64_t)BOX_UID, (uint64_t)0, (uint64_t)BOX_UID);
	box_spawn(&box);
	box_new_root(&box);
	plan_add(&box.plan, OP_DIR, "test", "/ws", (uint64_t)0755);
	plan_add(&box.plan, OP_PLACE, "test", (uint64_t)0, "/ws");
	plan_add(&box.plan, OP_REBIND, "test", "/ws/secret", (uint64_t)BOX_RO, (uint64_t)0, (uint64_t)0);
	box_end(&box, "id -u; cd /ws; stat -c '%u %g %a' . secret; cat secret; echo new > made; echo x > secret; stat -c %u made");
	box_run(&box);
	assert_non_null(strstr(box.output, "1000\n1000 1000 700\n1000 1000 600\nof root\n"));
	assert_non_null(strstr(box.output, "cannot create secret: Read-only file system\n1000\n"));
	snprintf(path, sizeof(path), "%s/made", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0); /* on the host it is root's */
	box_done(&box);
	remove_folder(folder);
}

static unsigned count_mounts(const char *below)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096];
	unsigned n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		n += strstr(line, below) != NULL;
	fclose(file);
	return n;
}

/* What root opens in a shared mount must not carry the sandbox's mounts back to the host. */
static void nothing_travels_back_to_a_shared_mount(void **state)
{
	char template[] = "/tmp/coffer-launch.XXXXXX", *folder;
	struct box box;

	(void)state;
	if (getuid() != 0)
		SKIP_BECAUSE("needs root");
	folder = make_folder(template);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(syscall(SYS_mount, "tmpfs", folder, "tmpfs", 0, "mode=755"), 0);
	assert_int_equal(syscall(SYS_mount, NULL, folder, NULL, MS_SHARED, NULL), 0);
	write_file(folder, "file", "visible\n", 0644);
	box_begin(&box, BOX_BARE);
	box.flags = 0;
	plan_add(&box.plan, OP_HOST_TREE, "test", box_slot(&box), folder, (uint64_t)BOX_RO, (uint64_t)0, (uint64_t)0);
	box_spawn(&box);
	box_new_root(&box);
	plan_add(&box.plan, OP_DIR, "test", "/ws", (uint64_t)0755);
	plan_add(&box.plan, OP_PLACE, "test", (uint64_t)0, "/ws");
	plan_add(&box.plan, OP_MASK, "test", "/ws/file", (uint64_t)PLAN_MASK_FILE, (uint64_t)0, (uint64_t)0);
	box_end(&box, "cat /ws/file; sleep 0.2");
	assert_true(box_build(&box));
	box_start(&box);
	usleep(100 * 1000);
	assert_int_equal(count_mounts(folder), 1);
	box_finish(&box);
	assert_string_equal(box.output, "cat: /ws/file: Permission denied\n");
	box_done(&box);
	assert_int_equal(syscall(SYS_umount2, folder, 2 /* MNT_DETACH */), 0);
	remove_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_root_shows_what_was_placed),
		cmocka_unit_test(root_tree_is_read_only_masked_and_covered),
		cmocka_unit_test(old_kernels_give_the_same),
		cmocka_unit_test(another_thing_at_the_path_is_refused),
		cmocka_unit_test(a_link_on_the_way_is_refused),
		cmocka_unit_test(an_absent_source_may_be_optional),
		cmocka_unit_test(rebinds_protect_and_pin),
		cmocka_unit_test(names_are_made_on_own_file_systems_only),
		cmocka_unit_test(inside_paths_do_not_follow_links),
		cmocka_unit_test(root_shows_its_own_files_as_the_sandbox_s),
		cmocka_unit_test(nothing_travels_back_to_a_shared_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
