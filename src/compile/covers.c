/*
 * Files that tell about the host, covered by files that tell about the sandbox: who its users are, its name, its size. A cover lies over
 * what exists and is shown; what is hidden or missing needs none.
 */
#include "compile/stage.h"

enum { COVER_MODE = 0444, COVER_BYTES_MAX = 2 << 20, CPUS_MOST = 4096 };

#define NOBODY "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"

static const char *const covered[] = {
	"/etc/passwd",
	"/etc/group",
	"/etc/hostname",
	"/etc/hosts",
	"/etc/resolv.conf",
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/sys/devices/system/cpu/online",
	"/sys/devices/system/cpu/possible",
	"/sys/devices/system/cpu/present",
};

const char *covers_question(size_t i)
{
	return i < sizeof(covered) / sizeof(covered[0]) ? covered[i] : NULL;
}

/* ---- contents ---- */

/* Login names and homes end up between colons. */
static bool is_login(const char *name)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.-";
	enum { LETTERS = 2 * 26 + 1 };

	return name && *name && memchr(bytes, *name, LETTERS) && !name[strspn(name, bytes)];
}

static const char *user_name(const struct compile *c)
{
	return !c->facts->sandbox_uid && is_login(c->inputs->user) ? c->inputs->user : "sandbox";
}

static const char *user_home(const struct compile *c)
{
	const char *home = c->inputs->home;

	return home && !strpbrk(home, ":\n") ? home : "/";
}

static void write_passwd(struct compile *c, struct str *s)
{
	unsigned uid = identity_uid_inside(c), gid = identity_gid_inside(c);

	if (uid != 0)
		str_add(s, "root:x:0:0:root:/root:/bin/sh\n");
	str_printf(s, "%s:x:%u:%u:%s:%s:/bin/sh\n", uid ? user_name(c) : "root", uid, gid, uid ? user_name(c) : "root", user_home(c));
	if (uid != 65534)
		str_add(s, NOBODY);
}

static void write_group(struct compile *c, struct str *s)
{
	unsigned gid = identity_gid_inside(c);

	str_add(s, "root:x:0:\n");
	if (gid != 0 && gid != 65534)
		str_printf(s, "%s:x:%u:\n", user_name(c), gid);
	str_add(s, "nogroup:x:65534:\n");
}

static const char *hostname(const struct compile *c)
{
	return c->policy->process.hostname ? c->policy->process.hostname : "sandbox";
}

static void write_hostname(struct compile *c, struct str *s)
{
	str_printf(s, "%s\n", hostname(c));
}

static void write_hosts(struct compile *c, struct str *s)
{
	str_printf(s, "127.0.0.1\tlocalhost %s\n::1\tlocalhost\n", hostname(c));
}

/* The filter's, where lookups are led to it. Otherwise no server: names are not looked up where there is nobody to ask. */
static void write_resolver(struct compile *c, struct str *s)
{
	if (network_is_filtered(c) && c->facts->nftables)
		str_add(s, "nameserver 127.0.0.1\n");
}

/* Processors' worth of time, rounded up. */
static uint64_t cpus(const struct compile *c)
{
	uint64_t share = c->policy->limit[POLICY_LIMIT_CPUS].value, all = c->facts->cpus ? c->facts->cpus : 1;
	uint64_t n = share == NUM_UNLIMITED ? all : share / 100 + (share % 100 != 0);

	n = n && n < all ? n : all;
	return n < CPUS_MOST ? n : CPUS_MOST;
}

static void write_cpu_range(struct compile *c, struct str *s)
{
	if (cpus(c) == 1)
		str_add(s, "0\n");
	else
		str_printf(s, "0-%llu\n", (unsigned long long)cpus(c) - 1);
}

static void write_cpuinfo(struct compile *c, struct str *s)
{
	unsigned n = (unsigned)cpus(c);

	for (unsigned i = 0; i < n; i++)
		str_printf(
		    s,
		    "processor\t: %u\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 0\nmodel name\t: processor\nstepping\t: 0\n"
		    "cpu MHz\t\t: 1000.000\ncache size\t: 1024 KB\nphysical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n"
		    "apicid\t\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\nwp\t\t: yes\n"
		    "flags\t\t: fpu tsc msr cx8 sep cmov mmx fxsr sse sse2 syscall nx lm\nbogomips\t: 2000.00\n"
		    "clflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 40 bits physical, 48 bits virtual\n\n",
		    i, n, i, n, i);
}

static void write_meminfo(struct compile *c, struct str *s)
{
	unsigned long long kib = c->policy->limit[POLICY_LIMIT_MEMORY].value / 1024;
	uint64_t swap = c->policy->limit[POLICY_LIMIT_SWAP].value;
	unsigned long long swap_kib = swap == NUM_UNLIMITED ? 0 : swap / 1024;

	str_printf(s,
	           "MemTotal:       %8llu kB\nMemFree:        %8llu kB\nMemAvailable:   %8llu kB\n"
	           "Buffers:               0 kB\nCached:                0 kB\nSwapCached:            0 kB\n"
	           "Active:                0 kB\nInactive:              0 kB\n"
	           "SwapTotal:      %8llu kB\nSwapFree:       %8llu kB\n"
	           "Dirty:                 0 kB\nWriteback:             0 kB\nAnonPages:             0 kB\n"
	           "Mapped:                0 kB\nShmem:                 0 kB\nSlab:                  0 kB\n"
	           "SReclaimable:          0 kB\nSUnreclaim:            0 kB\n"
	           "HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n",
	           kib, kib, kib, swap_kib, swap_kib);
}

/* For programs that look nowhere else (GnuTLS). */
static void write_bundle(struct compile *c, struct str *s)
{
	const char *bundle = secrets_bundle(c);

	s->failed = s->failed || !bundle;
	str_add(s, bundle ? bundle : "");
}

/* ---- laying them over ---- */

static int put_content(struct compile *c, enum plan_opcode code, const char *path, void (*write)(struct compile *c, struct str *s),
                       const char *why)
{
	struct str content autostr;
	const char *bytes;

	str_init(&content, COVER_BYTES_MAX);
	write(c, &content);
	bytes = content.failed ? NULL : arena_dup_n(c->arena, content.text, content.len);
	if (!bytes)
		return compile_no_memory(c);
	plan_add(&c->plan, code, why, path, (uint64_t)COVER_MODE, bytes, content.len);
	return 0;
}

/* A cover for a file of the host's, where it is shown. */
static int cover(struct compile *c, const char *path, void (*write)(struct compile *c, struct str *s))
{
	const struct survey_entry *entry = survey_find(c->inputs->survey, path);

	if (!entry || entry->kind != SURVEY_FILE || !region_is_host_visible(&c->regions.at[region_find(&c->regions, entry->real)]))
		return 0;
	return put_content(c, OP_COVER, entry->real, write, WHY_DEFAULT);
}

static int put_bundles(struct compile *c)
{
	int r = 0;

	if (secrets_open_tls(c))
		r = cover(c, "/etc/ssl/certs/ca-certificates.crt", write_bundle);
	return r == 0 && secrets_open_tls(c) ? cover(c, "/etc/pki/tls/certs/ca-bundle.crt", write_bundle) : r;
}

static int put_size_covers(struct compile *c)
{
	const struct policy_limit *memory = &c->policy->limit[POLICY_LIMIT_MEMORY], *cpu = &c->policy->limit[POLICY_LIMIT_CPUS];
	int r = 0;

	if (!c->regions.at[region_find(&c->regions, "/proc")].fresh)
		return 0;
	if (memory->value < c->facts->memory_bytes)
		r = put_content(c, OP_COVER, "/proc/meminfo", write_meminfo, memory->why ? memory->why : WHY_DEFAULT);
	if (r == 0 && cpu->value != NUM_UNLIMITED && strcmp(c->facts->arch, "x86_64") == 0)
		r = put_content(c, OP_COVER, "/proc/cpuinfo", write_cpuinfo, cpu->why ? cpu->why : WHY_DEFAULT);
	return r;
}

/* How many processors there are is asked in three places; a skeleton has none of the rest of /sys. */
static int put_cpu_files(struct compile *c)
{
	static const char *const files[] = { "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/possible",
		                             "/sys/devices/system/cpu/present" };
	bool bare = mounts_is_bare(c, region_find(&c->regions, files[0])),
	     limited = c->policy->limit[POLICY_LIMIT_CPUS].value != NUM_UNLIMITED;
	int r = 0;

	if (bare)
		mounts_make_dir(c, "/sys/devices/system/cpu", WHY_DEFAULT);
	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
		if (bare)
			r = put_content(c, OP_FILE, files[i], write_cpu_range, WHY_DEFAULT);
		else if (limited)
			r = cover(c, files[i], write_cpu_range);
	}
	return r;
}

int covers_put(struct compile *c)
{
	bool own_network = network_is_own(c);
	int r = cover(c, "/etc/passwd", write_passwd);

	if (r == 0)
		r = cover(c, "/etc/group", write_group);
	if (r == 0)
		r = cover(c, "/etc/hostname", write_hostname);
	if (r == 0 && own_network)
		r = cover(c, "/etc/hosts", write_hosts);
	if (r == 0 && own_network)
		r = cover(c, "/etc/resolv.conf", write_resolver);
	if (r == 0)
		r = put_bundles(c);
	if (r == 0)
		r = put_size_covers(c);
	return r == 0 ? put_cpu_files(c) : r;
}
