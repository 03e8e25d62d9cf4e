#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int new_user_namespace(void)
{
	return breach_if(unshare(CLONE_NEWUSER) == 0);
}

static int new_mount_namespace(void)
{
	return breach_if(unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWNET) == 0);
}

static int clone_user_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	return breach_if(pid > 0);
}

static int clone3_user_namespace(void)
{
	uint64_t args[11] = { CLONE_NEWUSER, 0, 0, 0, SIGCHLD };
	long pid = syscall(SYS_clone3, args, sizeof(args));
	if (pid == 0)
		_exit(0);
	return breach_if(pid > 0);
}

static int enter_namespace_of_victim(void)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%ld/ns/uts", target_number("A_PID"));
	int fd = open(path, O_RDONLY);
	return breach_if(fd >= 0 && (setns(fd, 0) == 0 || errno == EPERM));
}

static int pivot(void)
{
	mkdir("/tmp/put", 0755);
	return breach_if(syscall(SYS_pivot_root, "/tmp", "/tmp/put") == 0 || errno == EINVAL || errno == EBUSY);
}

static int become_root(void)
{
	return breach_if((setuid(0) == 0 || setresuid(0, 0, 0) == 0) && open("/etc/shadow", O_RDONLY) >= 0);
}

/* A set-user-id program of root, planted where the sandbox can run it. */
static int run_setuid_program(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl(target("A_SETUID"), "attack", "hold_root", (char *)NULL);
		_exit(1);
	}
	int status = 1;
	waitpid(pid, &status, 0);
	return breach_if(WIFEXITED(status) && WEXITSTATUS(status) == BREACH);
}

/* What the planted set-user-id copy of this program tries. */
static int hold_root(void)
{
	return breach_if(geteuid() == 0 && open("/etc/shadow", O_RDONLY) >= 0);
}

static int keep_capabilities(void)
{
	for (int cap = 0; cap < 41; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) >= 0)
			return BREACH;
	return REFUSED;
}

static int loosen_securebits(void)
{
	return breach_if(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
}

static int no_filter(void)
{
	return breach_if(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0);
}

static int load_bpf(void)
{
	char attr[128] = { 0 };
	long r = syscall(SYS_bpf, 0 /* MAP_CREATE */, attr, sizeof(attr));
	return breach_if(r >= 0 || errno == EINVAL);
}

static int open_perf(void)
{
	char attr[128] = { 0 };
	uint32_t size = sizeof(attr);
	memcpy(attr + 4, &size, 4);
	long r = syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);
	return breach_if(r >= 0 || errno == EINVAL || errno == ENOENT || errno == EACCES);
}

static int userfault(void)
{
	return breach_if(syscall(SYS_userfaultfd, 1 /* user mode only */) >= 0);
}

static int uring(void)
{
	char params[120] = { 0 };
	return breach_if(syscall(SYS_io_uring_setup, 4, params) >= 0);
}

static int load_module(void)
{
	syscall(SYS_init_module, "", 0L, "");
	return breach_if(errno == ENOEXEC || errno == EFAULT);
}

static int reboot_machine(void)
{
	syscall(SYS_reboot, 1, 2, 3, 0); /* wrong magic: EINVAL where the call is allowed at all */
	return breach_if(errno == EINVAL);
}

static int load_kernel(void)
{
	syscall(SYS_kexec_load, 0L, 17L, NULL, 0L); /* 17 segments: EINVAL where the call is allowed */
	return breach_if(errno == EINVAL);
}

static int change_clock(void)
{
	struct timex now = { .modes = 0 };
	if (adjtimex(&now) < 0)
		return REFUSED;
	now.modes = ADJ_FREQUENCY; /* to what it is already */
	return breach_if(adjtimex(&now) >= 0);
}

static int swap_on(void)
{
	syscall(SYS_swapon, "/nonexistent", 0);
	return breach_if(errno == ENOENT);
}

static int set_ldt(void)
{
	char table[64];
	return breach_if(syscall(SYS_modify_ldt, 0, table, sizeof(table)) >= 0);
}

static int executable_reads(void)
{
	return breach_if(personality(READ_IMPLIES_EXEC) >= 0);
}

static int kernel_log(void)
{
	char text[64];
	return breach_if(syscall(SYS_syslog, 3, text, sizeof(text)) >= 0);
}

static int use_keys(void)
{
	long key = syscall(SYS_add_key, "user", "owned", "x", 1L, -3 /* session keyring */);
	return breach_if(key > 0 || syscall(SYS_keyctl, 0, -3, 0) > 0);
}

static int compare_kernel_objects(void)
{
	return breach_if(syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 1) >= 0);
}

static int watch_everything(void)
{
	return breach_if(syscall(SYS_fanotify_init, 0x200 /* report FID: unprivileged */, 0) >= 0);
}

#ifdef __x86_64__
static int died_of(int (*call)(void))
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(call());
	int status = 0;
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -1 : WEXITSTATUS(status);
}

static int int80(void)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory"); /* getpid of i386 */
	return r > 0 ? BREACH : REFUSED;
}

static int x32(void)
{
	return breach_if(syscall(0x40000000L | SYS_getpid) > 0 || errno == ENOSYS);
}

static int i386_calls(void)
{
	return died_of(int80) == BREACH ? BREACH : REFUSED;
}

static int x32_calls(void)
{
	int r = died_of(x32);
	return r == -1 ? REFUSED : BREACH;
}
#endif

static int inject_terminal_input(void)
{
	int tty = open("/dev/tty", O_RDWR);
	return breach_if(ioctl(tty < 0 ? 0 : tty, TIOCSTI, "x") == 0 || (errno != EPERM && errno != EACCES && errno != ENOSYS));
}

static int inject_with_high_bits(void)
{
	int tty = open("/dev/tty", O_RDWR);
	syscall(SYS_ioctl, tty < 0 ? 0 : tty, 0x100000000UL | TIOCSTI, "x");
	return breach_if(errno != EPERM && errno != EACCES);
}

static int paste_on_console(void)
{
	char paste = 3;
	ioctl(0, TIOCLINUX, &paste);
	return breach_if(errno != EPERM);
}

const struct attack kernel_attacks[] = {
	{ "new_user_namespace", new_user_namespace },
	{ "new_mount_namespace", new_mount_namespace },
	{ "clone_user_namespace", clone_user_namespace },
	{ "clone3_user_namespace", clone3_user_namespace },
	{ "enter_namespace_of_victim", enter_namespace_of_victim },
	{ "pivot", pivot },
	{ "become_root", become_root },
	{ "run_setuid_program", run_setuid_program },
	{ "hold_root", hold_root },
	{ "keep_capabilities", keep_capabilities },
	{ "loosen_securebits", loosen_securebits },
	{ "no_filter", no_filter },
	{ "load_bpf", load_bpf },
	{ "open_perf", open_perf },
	{ "userfault", userfault },
	{ "uring", uring },
	{ "load_module", load_module },
	{ "reboot_machine", reboot_machine },
	{ "load_kernel", load_kernel },
	{ "change_clock", change_clock },
	{ "swap_on", swap_on },
	{ "set_ldt", set_ldt },
	{ "executable_reads", executable_reads },
	{ "kernel_log", kernel_log },
	{ "use_keys", use_keys },
	{ "compare_kernel_objects", compare_kernel_objects },
	{ "watch_everything", watch_everything },
#ifdef __x86_64__
	{ "i386_calls", i386_calls },
	{ "x32_calls", x32_calls },
#endif
	{ "inject_terminal_input", inject_terminal_input },
	{ "inject_with_high_bits", inject_with_high_bits },
	{ "paste_on_console", paste_on_console },
	{ NULL, NULL },
};
