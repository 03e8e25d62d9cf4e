#include "plan/print.h"

#include "base/json.h"
#include "unit/plan/sample.h"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

/* What follows the first line, which holds the digest. */
static const char wanted[] =
    "note   Landlock ABI 3: TCP rules not enforced\n"
    "note   second\n"
    "host    0  WATCH          wall 30s, output 1 MiB, cpu unlimited  # --timeout\n"
    "host    1  CGROUP_MAKE    v2 /sys/fs/cgroup/u/coffer-r7f3a      # default\n"
    "host    2  CGROUP_SET     memory.max 268435456                  # --memory\n"
    "warden  3  CGROUP_JOIN    /sys/fs/cgroup/u/coffer-r7f3a/cgroup.procs  # default\n"
    "warden  4  HOST_TREE      t0 /srv/work rw,nosuid,nodev          # /workspace\n"
    "warden  5  TREE_IDMAP     t0 uid 0 as 2080374784, gid 0 as 2080374784  # /workspace\n"
    "warden  6  WARDEN_USER    uid 2080374784 gid 2080374784         # default\n"
    "warden  7  SPAWN          user,mount,pid,net,ipc,uts,cgroup     # default\n"
    "jail    8  IDMAP          uid 1000 as 2080374784, gid 1000 as 2080374784  # default\n"
    "jail    9  BECOME         uid 1000 gid 1000\n"
    "jail   10  PRIVATE\n"
    "jail   11  TREE           t1 /usr ro,nosuid,nodev,recursive     # default\n"
    "jail   12  ROOT_NEW       64 KiB, 1024 inodes                   # default\n"
    "jail   13  DIR            /usr 0755                             # default\n"
    "jail   14  PLACE          t1 /usr                               # default\n"
    "jail   15  DIR            /srv/work 0755                        # /workspace\n"
    "jail   16  PLACE          t0 /srv/work                          # /workspace\n"
    "jail   17  LINK           /bin -> usr/bin                       # default\n"
    "jail   18  FILE           \"/etc/two words\" 0644, 3 bytes        # default\n"
    "jail   19  TMPFS          /tmp rw,nosuid,nodev 64 MiB, 1000 inodes, mode 1777  # --tmp\n"
    "jail   20  PROC           /proc hidepid                         # default\n"
    "jail   21  DEVPTS         /dev/pts                              # default\n"
    "jail   22  MQUEUE         /dev/mqueue                           # default\n"
    "jail   23  REBIND         /srv/work/.git ro,nosuid,nodev        # /filesystem/denyWrite/0\n"
    "jail   24  MASK           /home/u/.ssh                          # /filesystem/denyRead/0\n"
    "jail   25  COVER          /etc/passwd 0644, 11 bytes            # default\n"
    "jail   26  REMOUNT        / ro,nosuid,nodev                     # default\n"
    "jail   27  SYSCTL         user/max_user_namespaces 0            # default\n"
    "jail   28  LOOPBACK                                             # default\n"
    "jail   29  PIVOT\n"
    "jail   30  HOSTNAME       sandbox                               # default\n"
    "jail   31  SESSION\n"
    "jail   32  TERMINAL       input,output,error                    # default\n"
    "jail   33  RLIMIT         NOFILE 1024 4096                      # --open-files\n"
    "jail   34  RLIMIT         FSIZE 1 MiB unlimited                 # --file-size\n"
    "jail   35  RLIMIT         CPU 10s 11s                           # --cpu-time\n"
    "jail   36  CHDIR          /srv/work                             # /workspace\n"
    "jail   37  UMASK          0022                                  # default\n"
    "jail   38  CAPS_DROP\n"
    "jail   39  NO_NEW_PRIVS\n"
    "jail   40  LANDLOCK_OPEN  abi 7, files execute,read,write_file,remove,make,refer,truncate,ioctl_dev, network "
    "bind_tcp,connect_tcp, scopes abstract_unix_socket,signal  # default\n"
    "jail   41  LANDLOCK_PATH  /usr execute,read                     # default\n"
    "jail   42  LANDLOCK_ENTER                                       # default\n"
    "jail   43  INIT           2 instructions, tell,act, regions 2, patterns 1  # default\n"
    "jail   44  CLOSE_FDS\n"
    "jail   45  SECCOMP        2 instructions, init listens          # default\n"
    "jail   46  EXEC           /usr/local/bin/python3|/usr/bin/python3 main.py \"a b\" with HOME=/home/u API_key=••• EMPTY=\n";

static void test_text(void **state)
{
	struct plan plan = sample_plan(&arena);
	char digest[SHA256_BYTES * 2 + 1];
	struct str out autostr;

	(void)state;
	str_init(&out, 1 << 20);
	plan_print(&plan, &out);
	plan_digest(&plan, digest);
	assert_int_equal(strncmp(out.text, "plan 1  sha256:", 15), 0);
	assert_memory_equal(out.text + 15, digest, 64);
	assert_memory_equal(out.text + 15 + 64, "  notes 2\n", 10);
	assert_string_equal(out.text + 15 + 64 + 10, wanted);
}

static const json_t *op_at(const json_t *doc, size_t i)
{
	return json_array_get(json_object_get(doc, "operations"), i);
}

static const char *member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void test_json(void **state)
{
	struct plan plan = sample_plan(&arena);
	json_t *doc autojson = NULL;
	struct str out autostr;

	(void)state;
	str_init(&out, 1 << 20);
	plan_print_json(&plan, &out);
	/* The largest number is more than Jansson's integers hold; machines that read plans know 64 bits without sign. */
	for (char *s = out.text; (s = strstr(s, "18446744073709551615"));)
		memset(s, '1', 3);
	for (char *s = out.text; (s = strstr(s, "11146744073709551615"));)
		memcpy(s, "                   0", 20);

	struct err err;

	if (json_read(out.text, out.len, "x", &doc, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(json_array_size(json_object_get(doc, "notes")), 2);
	assert_int_equal(json_array_size(json_object_get(doc, "operations")), plan.head->op_count);
	for (size_t i = 0; i < plan.head->op_count; i++) {
		const struct plan_op_info *info = plan_op_info(plan.op[i].code);

		assert_int_equal(json_integer_value(json_object_get(op_at(doc, i), "index")), i);
		assert_string_equal(member(op_at(doc, i), "name"), info->name);
		assert_int_equal(json_array_size(json_object_get(op_at(doc, i), "operands")), strlen(info->operands));
		assert_string_equal(member(op_at(doc, i), "why"), plan_why(&plan, &plan.op[i]));
	}

	const json_t *exec = op_at(doc, plan.head->op_count - 1);
	const json_t *env = json_array_get(json_object_get(exec, "operands"), 2);

	assert_string_equal(member(exec, "actor"), "jail");
	assert_string_equal(member(exec, "stage"), "exec");
	assert_string_equal(json_string_value(json_array_get(env, 0)), "HOME=/home/u");
	assert_string_equal(json_string_value(json_array_get(env, 1)), "API_key=•••");
	assert_null(strstr(out.text, "hunter2"));
}

/* An EXEC with this argument and variable, as text. */
static void check_exec(const char *argument, const char *variable, const char *shown)
{
	struct plan_build b;
	struct plan plan;
	struct str out autostr;

	plan_build_init(&b, &arena);
	small_plan_ops(&b);
	b.ops.n--;
	plan_add(&b, OP_EXEC, "", LIST("/x"), LIST("x", argument), LIST(variable));
	assert_int_equal(plan_build_done(&b, &plan, NULL), 0);
	str_init(&out, 10000);
	plan_print_op(&plan, &plan.op[plan.head->op_count - 1], &out);
	assert_string_equal(out.text, shown);
}

static void test_hostile_text(void **state)
{
	(void)state;
	check_exec("\033[2J", "A=b", "EXEC /x \"\\u001b[2J\" with A=b");
	check_exec("a\nb", "A=\n", "EXEC /x \"a\\nb\" with A=\"\\n\"");
	check_exec("", "A\n=1", "EXEC /x \"\" with A\\n=1");
	check_exec("\xff", "A=1", "EXEC /x \"\xef\xbf\xbd\" with A=1");
	check_exec("# not a reason", "A=1", "EXEC /x \"# not a reason\" with A=1");
	check_exec("$(x)", "A=1", "EXEC /x \"$(x)\" with A=1");
	check_exec("\xe2\x80\xae", "A=1", "EXEC /x \"\\u202e\" with A=1");
	check_exec("é", "A=1", "EXEC /x é with A=1");
}

static void test_secrets(void **state)
{
	static const char *const secret[] = { "AWS_SECRET_ACCESS_KEY", "github_token", "PGPASSWORD", "X_CRED_Y", "SSH_AUTH_SOCK", "key" };
	static const char *const plain[] = { "PATH", "HOME", "KE", "TOKE", "LANG", "K_E_Y" };

	(void)state;
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		check_exec("a", arena_printf(&arena, "%s=KEY=x", secret[i]), arena_printf(&arena, "EXEC /x a with %s=•••", secret[i]));
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) /* only the name counts */
		check_exec("a", arena_printf(&arena, "%s=KEY=x", plain[i]), arena_printf(&arena, "EXEC /x a with %s=KEY=x", plain[i]));
}

/* Every operation has a form, also with operands that say nothing. */
static void test_every_operation_has_a_form(void **state)
{
	(void)state;
	for (unsigned code = 0; code < OP_CODES_END; code++) {
		struct {
			struct plan_head head;
			struct plan_op op;
			char bytes[8];
		} block = {
			.head = { PLAN_MAGIC, PLAN_VERSION, 1, 0, 8, 1 },
			.op = { .code = (uint16_t)code },
		};
		struct plan plan;
		struct str out autostr;

		str_init(&out, 10000);
		assert_int_equal(plan_open(&block, sizeof(block), &plan), 0);
		plan_print_op(&plan, plan.op, &out);
		assert_false(out.failed);
		assert_int_equal(strncmp(out.text, plan_op_info(code)->name, strlen(plan_op_info(code)->name)), 0);
		assert_null(strchr(out.text, '%'));
	}
}

static void test_ceiling_fails_and_nothing_else(void **state)
{
	struct plan plan = sample_plan(&arena);
	struct str whole autostr;

	(void)state;
	str_init(&whole, 1 << 20);
	plan_print(&plan, &whole);
	for (size_t ceiling = 0; ceiling < whole.len; ceiling += 7) {
		struct str out autostr;

		str_init(&out, ceiling);
		plan_print(&plan, &out);
		assert_true(out.failed);
		assert_true(out.len <= ceiling);
		str_clear(&out);
		plan_print_json(&plan, &out);
		assert_true(out.failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_every_operation_has_a_form),
		cmocka_unit_test(test_ceiling_fails_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
