#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static int read_secret(void)
{
	return breach_if(file_has_canary(target_path("A_OUT", "secret")));
}

static int read_by_dotdot(void)
{
	char path[4096] = "";
	for (int i = 0; i < 32; i++)
		strncat(path, "../", sizeof(path) - strlen(path) - 1);
	strncat(path, target("A_OUT") + 1, sizeof(path) - strlen(path) - 1);
	strncat(path, "/secret", sizeof(path) - strlen(path) - 1);
	return breach_if(file_has_canary(path));
}

static int read_by_symlink(void)
{
	const char *link = target_path("A_WS", "link-out");
	unlink(link);
	if (symlink(target_path("A_OUT", "secret"), link))
		return file_has_canary(target_path("A_WS", "planted-link")) ? BREACH : REFUSED;
	int r = breach_if(file_has_canary(link));
	unlink(link);
	return r;
}

static int read_by_hardlink(void)
{
	const char *name = target_path("A_WS", "hard-out");
	if (link(target_path("A_OUT", "secret"), name))
		return REFUSED;
	int r = breach_if(file_has_canary(name));
	unlink(name);
	return r;
}

/* Some /proc/PID/root leads to the host's tree. */
static int read_by_proc_root(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	char path[4096 + 300];
	while (proc && (e = readdir(proc)))
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9') {
			snprintf(path, sizeof(path), "/proc/%s/root%s", e->d_name, target_path("A_OUT", "secret"));
			if (file_has_canary(path))
				return BREACH;
		}
	return REFUSED;
}

static int read_by_proc_cwd(void)
{
	char path[300];
	snprintf(path, sizeof(path), "/proc/%ld/cwd/secret", target_number("A_PID"));
	return breach_if(file_has_canary(path));
}

/* A descriptor that the caller of the sandbox had open (the runner passes one). */
static int read_inherited_descriptor(void)
{
	char text[4096];
	for (int fd = 3; fd < 256; fd++) {
		ssize_t n = pread(fd, text, sizeof(text), 0);
		if (n > 0 && memmem(text, (size_t)n, CANARY, strlen(CANARY)))
			return BREACH;
	}
	return REFUSED;
}

static int read_by_handle(void)
{
	struct {
		struct file_handle head;
		unsigned char bytes[128];
	} h = { .head.handle_bytes = 128 };
	int mount_id;
	if (name_to_handle_at(AT_FDCWD, target_path("A_OUT", "secret"), &h.head, &mount_id, 0) == 0) {
		int top = open(target("A_OUT"), O_RDONLY | O_DIRECTORY);
		int fd = open_by_handle_at(top, &h.head, O_RDONLY);
		return breach_if(fd >= 0);
	}
	/* The handle of the root directory of ext4 and xfs can be guessed: inode 2, generation 0. */
	uint32_t root[2] = { 2, 0 };
	h.head.handle_bytes = 8;
	h.head.handle_type = 1;
	memcpy(h.head.f_handle, root, 8);
	int any = open("/etc", O_RDONLY | O_DIRECTORY);
	return breach_if(open_by_handle_at(any, &h.head, O_RDONLY | O_DIRECTORY) >= 0);
}

static int chroot_and_climb(void)
{
	mkdir(target_path("A_WS", "jail"), 0755);
	if (chroot(target_path("A_WS", "jail")) || chroot("."))
		return REFUSED;
	for (int i = 0; i < 64; i++)
		if (chdir(".."))
			return REFUSED;
	return breach_if(chroot(".") == 0);
}

/* Can the command see where on the host things are? */
static int mounts_tell_host_paths(void)
{
	char *text = malloc(1 << 20);
	int fd = open("/proc/self/mountinfo", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, (1 << 20) - 1);
	if (n <= 0)
		return REFUSED;
	return breach_if(memmem(text, (size_t)n, "/sys/fs/cgroup/", 15) || memmem(text, (size_t)n, "model_tools", 11));
}

static int list_home(void)
{
	DIR *home = opendir(target("A_HOME"));
	struct dirent *e;
	while (home && (e = readdir(home)))
		if (!strcmp(e->d_name, "private-diary"))
			return BREACH;
	return REFUSED;
}

static int open_disk(void)
{
	DIR *dev = opendir("/dev");
	struct dirent *e;
	char path[300];
	while (dev && (e = readdir(dev))) {
		struct stat st;
		snprintf(path, sizeof(path), "/dev/%s", e->d_name);
		if (lstat(path, &st) == 0 && S_ISBLK(st.st_mode))
			return BREACH;
	}
	return REFUSED;
}

static int open_kernel_log(void)
{
	return breach_if(open("/dev/kmsg", O_RDONLY | O_NONBLOCK) >= 0 || open("/proc/kmsg", O_RDONLY | O_NONBLOCK) >= 0);
}

static int make_device_node(void)
{
	const char *path = target_path("A_WS", "node");
	unlink(path);
	int r = mknod(path, S_IFCHR | 0666, makedev(1, 1));
	unlink(path);
	return breach_if(r == 0);
}

static int write_outside(void)
{
	int fd = open(target_path("A_OUT", "victim"), O_WRONLY);
	return breach_if(fd >= 0 && write(fd, "owned", 5) == 5);
}

static int create_outside(void)
{
	return breach_if(open(target_path("A_OUT", "new"), O_WRONLY | O_CREAT, 0644) >= 0);
}

static int truncate_outside(void)
{
	return breach_if(truncate(target_path("A_OUT", "victim"), 0) == 0);
}

static int chmod_outside(void)
{
	return breach_if(chmod(target_path("A_OUT", "victim"), 0666) == 0);
}

static int utimes_outside(void)
{
	return breach_if(utimensat(AT_FDCWD, target_path("A_OUT", "victim"), NULL, 0) == 0);
}

static int xattr_outside(void)
{
	return breach_if(setxattr(target_path("A_OUT", "victim"), "user.owned", "1", 1, 0) == 0);
}

static int unlink_outside(void)
{
	return breach_if(unlink(target_path("A_OUT", "victim")) == 0);
}

static int rename_outside(void)
{
	return breach_if(rename(target_path("A_OUT", "victim"), target_path("A_OUT", "moved")) == 0);
}

static int tmpfile_outside(void)
{
	int fd = open(target("A_OUT"), O_TMPFILE | O_WRONLY, 0644);
	return breach_if(fd >= 0);
}

/* The read-only view of the workspace: write through a descriptor opened for reading. */
static int reopen_for_writing(void)
{
	char path[64];
	int fd = open(target_path("A_RO", "file"), O_RDONLY);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int again = open(path, O_WRONLY);
	return breach_if(again >= 0 && write(again, "x", 1) == 1);
}

static int chmod_readonly(void)
{
	return breach_if(chmod(target_path("A_RO", "file"), 0600) == 0);
}

static int map_readonly_shared(void)
{
	int fd = open(target_path("A_RO", "file"), O_RDWR);
	if (fd < 0)
		return REFUSED;
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return breach_if(map != MAP_FAILED);
}

static int clone_range_into_readonly(void)
{
	int from = open("/etc/hostname", O_RDONLY);
	int to = open(target_path("A_RO", "file"), O_WRONLY);
	return breach_if(to >= 0 && (copy_file_range(from, NULL, to, NULL, 1, 0) == 1 || ioctl(to, FICLONE, from) == 0));
}

static int remount_writable(void)
{
	return breach_if(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0 ||
	                 mount(NULL, target("A_RO"), NULL, MS_REMOUNT | MS_BIND, NULL) == 0);
}

static int unmount_masks(void)
{
	return breach_if(umount2("/proc", MNT_DETACH) == 0 || umount2("/tmp", MNT_DETACH) == 0 || umount2("/dev", MNT_DETACH) == 0);
}

static int mount_tmpfs(void)
{
	return breach_if(mount("none", "/tmp", "tmpfs", 0, NULL) == 0);
}

static int mount_by_new_calls(void)
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 0);
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/", 1 | 02000000);
	return breach_if(fs >= 0 || tree >= 0);
}

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	return breach_if(fd >= 0 && write(fd, text, strlen(text)) > 0);
}

static int set_core_pattern(void)
{
	char old[256] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, old, sizeof(old) - 1);
	return n > 0 ? write_to("/proc/sys/kernel/core_pattern", old) : REFUSED;
}

static int set_sysctl(void)
{
	return write_to("/proc/sys/vm/overcommit_ratio", "50");
}

static int write_sysfs(void)
{
	return write_to("/sys/kernel/mm/ksm/pages_to_scan", "100");
}

static int write_cgroup(void)
{
	const char *const places[] = { "/sys/fs/cgroup/pids/owned", "/sys/fs/cgroup/owned" };
	for (int i = 0; i < 2; i++)
		if (mkdir(places[i], 0755) == 0) {
			rmdir(places[i]);
			return BREACH;
		}
	return REFUSED;
}

static int write_system_program(void)
{
	return breach_if(open("/usr/bin/env", O_WRONLY) >= 0 || open("/usr/bin/owned", O_WRONLY | O_CREAT, 0755) >= 0 ||
	                 open("/etc/cron.d/owned", O_WRONLY | O_CREAT, 0644) >= 0);
}

/* What a copy on the host would say about the launcher that started us. */
static int overwrite_launcher(void)
{
	int fd = open("/proc/1/exe", O_RDONLY);
	int parent = open("/proc/self/exe", O_RDONLY);
	return breach_if(fd >= 0 && parent >= 0);
}

/* A second thread swaps the name under the call, between the check and the use. */
static char *racing;
static volatile bool race_over;
static void *flip(void *arg)
{
	(void)arg;
	const char good[] = "harmless", bad[] = "pre-commit";
	char *name = strrchr(racing, '/') + 1;
	while (!race_over) {
		memcpy(name, good, sizeof(good));
		memcpy(name, bad, sizeof(bad));
	}
	return NULL;
}

static int race_the_name(void)
{
	char buffer[4096];
	struct stat st;
	pthread_t thread;
	snprintf(buffer, sizeof(buffer), "%s", target_path("A_WS", ".git/hooks/pre-commit"));
	racing = buffer;
	if (pthread_create(&thread, NULL, flip, NULL))
		return NO_TARGET;
	for (int i = 0; i < 4000; i++) {
		int fd = open(buffer, O_WRONLY | O_CREAT, 0755);
		if (fd >= 0)
			close(fd);
	}
	race_over = true;
	pthread_join(thread, NULL);
	return breach_if(stat(target_path("A_WS", ".git/hooks/pre-commit"), &st) == 0);
}

const struct attack file_attacks[] = {
	{ "read_secret", read_secret },
	{ "read_by_dotdot", read_by_dotdot },
	{ "read_by_symlink", read_by_symlink },
	{ "read_by_hardlink", read_by_hardlink },
	{ "read_by_proc_root", read_by_proc_root },
	{ "read_by_proc_cwd", read_by_proc_cwd },
	{ "read_inherited_descriptor", read_inherited_descriptor },
	{ "read_by_handle", read_by_handle },
	{ "chroot_and_climb", chroot_and_climb },
	{ "mounts_tell_host_paths", mounts_tell_host_paths },
	{ "list_home", list_home },
	{ "open_disk", open_disk },
	{ "open_kernel_log", open_kernel_log },
	{ "make_device_node", make_device_node },
	{ "write_outside", write_outside },
	{ "create_outside", create_outside },
	{ "truncate_outside", truncate_outside },
	{ "chmod_outside", chmod_outside },
	{ "utimes_outside", utimes_outside },
	{ "xattr_outside", xattr_outside },
	{ "unlink_outside", unlink_outside },
	{ "rename_outside", rename_outside },
	{ "tmpfile_outside", tmpfile_outside },
	{ "reopen_for_writing", reopen_for_writing },
	{ "chmod_readonly", chmod_readonly },
	{ "map_readonly_shared", map_readonly_shared },
	{ "clone_range_into_readonly", clone_range_into_readonly },
	{ "remount_writable", remount_writable },
	{ "unmount_masks", unmount_masks },
	{ "mount_tmpfs", mount_tmpfs },
	{ "mount_by_new_calls", mount_by_new_calls },
	{ "set_core_pattern", set_core_pattern },
	{ "set_sysctl", set_sysctl },
	{ "write_sysfs", write_sysfs },
	{ "write_cgroup", write_cgroup },
	{ "write_system_program", write_system_program },
	{ "overwrite_launcher", overwrite_launcher },
	{ "race_the_name", race_the_name },
	{ NULL, NULL },
};
