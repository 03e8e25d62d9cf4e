/*
 * Theory of operation. OpenSSL is not linked here, for the start of this program is part of every run. coffer-egress-tls makes an authority, or
 * looks at one of the caller's, before the same program becomes the filter that has its key.
 */
#include "session/secrets.h"

#include "base/own.h"
#include "engine/spawn.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CERT_BEGIN "-----BEGIN CERTIFICATE-----"
#define KEY_BEGIN "-----BEGIN PRIVATE KEY-----"

enum { SEED_BYTES = 32, BUNDLE_MAX = 1 << 20, PEM_MAX = 64 << 10 };

/* ---- files ---- */

static int read_open(int fd, size_t most, struct arena *arena, const char **ret_text, size_t *ret_n)
{
	struct stat st;
	char *text;
	size_t n = 0;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (st.st_size > (off_t)most)
		return -EFBIG;
	text = arena_alloc(arena, (size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (n < (size_t)st.st_size && (got = read(fd, text + n, (size_t)st.st_size - n)) != 0) {
		if (got < 0 && errno != EINTR)
			return -errno;
		n += got > 0 ? (size_t)got : 0;
	}
	*ret_text = text;
	*ret_n = n;
	return 0;
}

static int read_whole(const char *path, size_t most, struct arena *arena, const char **ret_text, size_t *ret_n)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : read_open(fd, most, arena, ret_text, ret_n);
}

static int fail_at(struct err *err, const char *why, const char *path, int errnum)
{
	int r = err_set(err, errnum == ENOENT ? ERR_NOTFOUND : ERR_POLICY, errnum, "%s: %s", path, strerror(errnum));

	err_at(err, why);
	return r;
}

/* ---- whom to trust ---- */

/* The certificates of a file, and nothing else of it: it may hold a key, and what is made of it is shown inside. */
static int add_certificates(struct str *out, const char *text)
{
	static const char end[] = "-----END CERTIFICATE-----";
	int n = 0;

	for (const char *at = text, *stop; (at = strstr(at, CERT_BEGIN)) && (stop = strstr(at, end)); at = stop, n++) {
		stop += sizeof(end) - 1;
		str_add_n(out, at, (size_t)(stop - at));
		str_add_char(out, '\n');
	}
	return n;
}

static void add_system(struct str *out, struct arena *arena)
{
	static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
		                               "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem" };
	const char *text;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(bundles); i++)
		if (read_whole(bundles[i], BUNDLE_MAX, arena, &text, &n) == 0 && add_certificates(out, text) > 0)
			return;
}

static int add_file(const char *path, struct str *out, struct arena *arena)
{
	const char *text = NULL;
	size_t n;
	int r = read_whole(path, BUNDLE_MAX, arena, &text, &n);

	return r == 0 && add_certificates(out, text) == 0 ? -ENODATA : r;
}

/* srt leaves out what is not there; here somebody counts on it. */
static int add_extra(const struct policy *policy, struct str *out, struct arena *arena, struct err *err)
{
	const struct policy_tls *tls = &policy->network.tls;

	for (size_t i = 0; i < tls->extra_cas.n; i++) {
		int r = add_file(tls->extra_cas.at[i], out, arena);

		if (r < 0 && policy->dialect == POLICY_COFFER)
			return fail_at(err, tls->why, tls->extra_cas.at[i], -r);
	}
	return 0;
}

static int gather_roots(const struct policy *policy, struct arena *arena, struct input_tls *tls, struct err *err)
{
	autostr struct str out;
	int r;

	str_init(&out, 2 * BUNDLE_MAX);
	add_system(&out, arena);
	r = add_extra(policy, &out, arena, err);
	if (r < 0)
		return r;
	tls->roots = out.failed ? NULL : arena_dup_n(arena, out.text, out.len);
	return tls->roots ? 0 : err_set(err, ERR_LIMIT, ENOMEM, "no memory for the certificates to trust");
}

static int gather_parent_roots(const struct policy *policy, const char *path, struct arena *arena, struct input_tls *tls, struct err *err)
{
	const struct variable_vec *parent = &policy->network.ways.parent;
	autostr struct str out;
	int r;

	if (!path)
		return 0;
	str_init(&out, BUNDLE_MAX);
	r = add_file(path, &out, arena);
	if (r < 0 && policy->dialect == POLICY_COFFER)
		return fail_at(err, parent->n ? parent->at[0].why : NULL, path, -r);
	tls->parent_roots = out.failed ? NULL : arena_dup_n(arena, out.text, out.len);
	return tls->parent_roots ? 0 : err_set(err, ERR_LIMIT, ENOMEM, "no memory for the certificates to trust");
}

/* ---- the authority ---- */

static size_t read_all(int fd, char *text, size_t room)
{
	size_t n = 0;
	ssize_t got;

	while (n + 1 < room && ((got = read(fd, text + n, room - 1 - n)) > 0 || (got < 0 && errno == EINTR)))
		n += got > 0 ? (size_t)got : 0;
	text[n] = '\0';
	return n;
}

/* Runs the program with the authority to look at, or nothing; what it says lands in the two texts. */
static int run_helper(const char *given, char *said, char *complained, struct err *err)
{
	char path[PATH_BYTES_MAX + 1], program[] = "coffer-egress-tls", option[] = "--ca";
	char *const argv[] = { program, option, NULL };
	struct process process = { .pid = -1, .pidfd = -1 };
	int out[2], errors[2], r = spawn_find(program, path, err);
	autofd int in = r < 0 ? -1 : given ? fd_sealed("coffer-ca", given, strlen(given)) : fd_open_null();

	if (r < 0)
		return r;
	if (in < 0 || fd_pipe(out) < 0)
		return err_set(err, ERR_SETUP, EMFILE, "no pipe to coffer-egress-tls");

	autofd int from = out[0];
	autofd int to = out[1];

	if (given && lseek(in, 0, SEEK_SET) < 0)
		return err_set(err, ERR_SETUP, errno, "no file in memory");
	if (fd_pipe(errors) < 0)
		return err_set(err, ERR_SETUP, EMFILE, "no pipe to coffer-egress-tls");

	autofd int errors_from = errors[0];
	autofd int errors_to = errors[1];
	const int fds[] = { in, to, errors_to };

	r = process_spawn(path, argv, fds, ARRAY_LEN(fds), &process);
	own_close(&to);
	own_close(&errors_to);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: %s", path, strerror(-r));
	(void)read_all(from, said, PEM_MAX);
	(void)read_all(errors_from, complained, ERR_TEXT_MAX);
	(void)process_reap(&process);
	return 0;
}

static int take_authority(const char *given, const char *why, struct arena *arena, struct input_tls *tls, struct err *err)
{
	char said[PEM_MAX], complained[ERR_TEXT_MAX];
	int r = run_helper(given, said, complained, err);
	const char *key = r < 0 ? NULL : strstr(said, KEY_BEGIN);

	if (r < 0)
		return r;
	if (!key || strncmp(said, CERT_BEGIN, sizeof(CERT_BEGIN) - 1) != 0) {
		r = err_set(err, ERR_POLICY, EINVAL, "%s%s", why ? "caCertPath, caKeyPath: " : "",
		            complained[0] ? complained : "coffer-egress-tls says nothing");
		if (why)
			err_at(err, why);
	} else {
		tls->ca_cert = arena_dup_n(arena, said, (size_t)(key - said));
		tls->ca_key = arena_dup(arena, key);
		r = tls->ca_cert && tls->ca_key ? 0 : err_set(err, ERR_LIMIT, ENOMEM, "no memory for an authority");
	}
	explicit_bzero(said, sizeof(said));
	return r;
}

static int gather_authority(const struct policy_tls *policy, bool explained, struct arena *arena, struct input_tls *tls, struct err *err)
{
	const char *cert, *key, *given = NULL;
	size_t n;
	int r = 0;

	if (policy->ca_cert) {
		r = read_whole(policy->ca_cert, PEM_MAX / 2, arena, &cert, &n);
		if (r < 0)
			return fail_at(err, policy->why, policy->ca_cert, -r);
		r = read_whole(policy->ca_key, PEM_MAX / 4, arena, &key, &n);
		if (r < 0)
			return fail_at(err, policy->why, policy->ca_key, -r);
		given = arena_printf(arena, "%s\n%s", cert, key);
		if (!given)
			return err_set(err, ERR_LIMIT, ENOMEM, "no memory for an authority");
	} else if (explained) {
		tls->ca_cert = tls->ca_key = ""; /* made when the run starts */
		return 0;
	}
	return take_authority(given, policy->why, arena, tls, err);
}

int secrets_authority(const char *given, const char *extra, struct arena *arena, struct input_tls *ret_tls, struct err *err)
{
	struct policy policy = { .dialect = POLICY_SRT };
	const char **slot = extra ? text_vec_add(&policy.network.tls.extra_cas, arena) : NULL;
	int r;

	if (extra && !slot)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for the certificates to trust");
	if (slot)
		*slot = extra;
	r = gather_roots(&policy, arena, ret_tls, err);
	return r == 0 ? take_authority(given, NULL, arena, ret_tls, err) : r;
}

/* ---- credentials ---- */

/* An earlier run may have put it there, to have the file that it leads to shown, or sent to a host. */
static int refuse_link(const struct credential *credential, struct err *err)
{
	struct stat st;
	int r;

	if (lstat(credential->path, &st) < 0 || !S_ISLNK(st.st_mode))
		return 0;
	r = err_set(err, ERR_POLICY, ELOOP, "%s: is a link: name the file that it leads to", credential->path);
	err_at(err, credential->why);
	return r;
}

static int gather_file(const struct credential *credential, struct arena *arena, struct input_file_vec *list, struct err *err)
{
	struct input_file file = { .path = credential->path }, *slot;
	int r = refuse_link(credential, err);

	if (r < 0)
		return r;
	r = read_whole(credential->path, SECRETS_FILE_MAX, arena, &file.text, &file.n);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return fail_at(err, credential->why, credential->path, -r);
	slot = input_file_vec_add(list, arena);
	if (!slot)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for masked files");
	*slot = file;
	return 0;
}

static int gather_seed(bool explained, struct arena *arena, struct inputs *inputs, struct err *err)
{
	unsigned char random[SEED_BYTES] = { 0 };
	char *seed = arena_alloc(arena, 2 * SEED_BYTES + 1);

	if (!seed)
		return err_set(err, ERR_LIMIT, ENOMEM, "no memory for a seed");
	if (!explained && getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_set(err, ERR_INTERNAL, errno, "no random numbers for placeholders");
	for (size_t i = 0; i < sizeof(random); i++) {
		seed[2 * i] = "0123456789abcdef"[random[i] >> 4];
		seed[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
	}
	inputs->seed = seed;
	return 0;
}

int secrets_gather(const struct policy *policy, bool explained, struct arena *arena, struct inputs *inputs, struct err *err)
{
	const struct policy_credentials *credentials = &policy->credentials;
	const struct policy_tls *tls = &policy->network.tls;
	const char *parent_cas = NULL;
	int r = 0;

	if (credentials->files.n + credentials->variables.n > 0)
		r = gather_seed(explained, arena, inputs, err);
	for (size_t i = 0; i < credentials->files.n && r == 0; i++)
		r = gather_file(&credentials->files.at[i], arena, &inputs->secret_files, err);
	if (r < 0 || policy->network.mode != POLICY_NETWORK_FILTERED)
		return r;
	if (compile_parent_has_tls(policy, inputs, arena, &parent_cas))
		r = gather_parent_roots(policy, parent_cas, arena, &inputs->tls, err);
	else if (!tls->terminate)
		return 0;
	if (r == 0)
		r = gather_roots(policy, arena, &inputs->tls, err);
	return r == 0 && tls->terminate ? gather_authority(tls, explained, arena, &inputs->tls, err) : r;
}
