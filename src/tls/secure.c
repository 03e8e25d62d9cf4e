/*
 * Theory of operation. OpenSSL reads and writes through a BIO that is the end itself, so that the flags which the loop lives by are kept in one
 * place, and so that the client's greeting, which was read to be judged, is read once more. Nothing is buffered below OpenSSL: when it wants more,
 * the kernel had no more. TLS to a server behind a proxy that is itself spoken to with TLS has the proxy's for its socket.
 */
#include "egress/secure.h"

#include "base/own.h"
#include "egress/flow.h"
#include "tls/mint.h"
#include "tls/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct secure {
	SSL *ssl;
	struct end *end;
	struct secure *below; /* NULL: the socket */
	char *ahead;          /* ahead[at..n): read before TLS was thought of */
	size_t ahead_at, ahead_n;
	const char *trouble;
};

/* Whom those may be verified against is not read before somebody is: there are many, and a run may never need them. */
struct verifying {
	SSL_CTX *context;
	const char *roots, *more_roots;
};

static struct {
	BIO_METHOD *bio;
	SSL_CTX *to_clients;
	struct verifying servers, parents;
	struct mint mint;
} tls;

static ssize_t read_some(struct secure *secure, void *bytes, size_t n);
static ssize_t write_some(struct secure *secure, const void *bytes, size_t n);

/* ---- the BIO ---- */

static ssize_t take_ahead(struct secure *secure, void *bytes, size_t n)
{
	size_t left = secure->ahead_n - secure->ahead_at;

	n = n < left ? n : left;
	memcpy(bytes, secure->ahead + secure->ahead_at, n);
	secure->ahead_at += n;
	if (secure->ahead_at == secure->ahead_n) {
		own_free(&secure->ahead);
		secure->ahead = NULL;
	}
	return (ssize_t)n;
}

static ssize_t receive(struct secure *secure, void *bytes, size_t n)
{
	ssize_t got = secure->below ? read_some(secure->below, bytes, n) : end_receive(secure->end, bytes, n);

	if (got == 0)
		secure->end->ended = true;
	return got;
}

static int bio_read(BIO *bio, char *bytes, size_t n, size_t *ret_n)
{
	struct secure *secure = BIO_get_data(bio);
	ssize_t got = secure->ahead ? take_ahead(secure, bytes, n) : receive(secure, bytes, n);

	BIO_clear_retry_flags(bio);
	if (got == -EAGAIN)
		BIO_set_retry_read(bio);
	*ret_n = got > 0 ? (size_t)got : 0;
	return got > 0;
}

static int bio_write(BIO *bio, const char *bytes, size_t n, size_t *ret_n)
{
	struct secure *secure = BIO_get_data(bio);
	ssize_t put = secure->below ? write_some(secure->below, bytes, n) : end_send(secure->end, bytes, n);

	BIO_clear_retry_flags(bio);
	if (put == -EAGAIN)
		BIO_set_retry_write(bio);
	*ret_n = put > 0 ? (size_t)put : 0;
	return put > 0;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	struct secure *secure = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return !secure->ahead && secure->end->ended;
	return command == BIO_CTRL_FLUSH;
}

static int make_bio_method(void)
{
	tls.bio = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "end");
	if (!tls.bio)
		return -ENOMEM;
	return BIO_meth_set_read_ex(tls.bio, bio_read) && BIO_meth_set_write_ex(tls.bio, bio_write) &&
	               BIO_meth_set_ctrl(tls.bio, bio_control)
	           ? 0
	           : -ENOMEM;
}

/* ---- once ---- */

static const unsigned char http[] = "\x08http/1.1";

static SSL_CTX *make_context(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION))
		return NULL;
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	return context;
}

static void add_roots(X509_STORE *store, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert;

	while (bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		(void)X509_STORE_add_cert(store, cert);
		X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error(); /* the end of the text is an error to it */
}

/* No protocol is agreed on: who offers HTTP/1.1, or nothing at all, speaks that. Who offers others alone is told. (RFC 7301, 3.1: a list in a list.) */
static int look_at_offer(SSL *ssl, int *ret_alert, void *context)
{
	const unsigned char *offer;
	size_t n, at = 2;

	(void)context;
	if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &offer, &n))
		return SSL_CLIENT_HELLO_SUCCESS;
	for (; at < n; at += offer[at] + 1u)
		if (n - at >= sizeof(http) - 1 && memcmp(offer + at, http, sizeof(http) - 1) == 0)
			return SSL_CLIENT_HELLO_SUCCESS;
	*ret_alert = SSL_AD_NO_APPLICATION_PROTOCOL;
	return SSL_CLIENT_HELLO_ERROR;
}

static int prepare_clients(const struct secure_trust *trust, struct err *err)
{
	X509 *ca;
	EVP_PKEY *key;
	int r = mint_read_ca(trust->ca_cert, trust->ca_key, &ca, &key, err);

	if (r < 0)
		return r;
	tls.to_clients = make_context(TLS_server_method());
	if (mint_init(&tls.mint, ca, key) < 0 || !tls.to_clients || !SSL_CTX_set_num_tickets(tls.to_clients, 0))
		return err_set(err, ERR_SETUP, ENOMEM, "no TLS towards clients");
	SSL_CTX_set_client_hello_cb(tls.to_clients, look_at_offer, NULL);
	return 0;
}

static int prepare_verifying(struct verifying *verifying, const char *roots, const char *more_roots)
{
	*verifying = (struct verifying){ make_context(TLS_client_method()), roots, more_roots };
	if (!verifying->context || SSL_CTX_set_alpn_protos(verifying->context, http, sizeof(http) - 1) != 0)
		return -ENOMEM;
	SSL_CTX_set_verify(verifying->context, SSL_VERIFY_PEER, NULL);
	return 0;
}

static bool has_certificate(const char *pem)
{
	return pem && strstr(pem, "-----BEGIN CERTIFICATE-----");
}

static int prepare_servers(const struct secure_trust *trust, struct err *err)
{
	if (prepare_verifying(&tls.servers, trust->roots, NULL) < 0 ||
	    prepare_verifying(&tls.parents, trust->roots, trust->parent_roots) < 0)
		return err_set(err, ERR_SETUP, ENOMEM, "no TLS towards servers");
	if (has_certificate(trust->roots) || (!trust->ca_cert && has_certificate(trust->parent_roots)))
		return 0;
	return err_set(err, ERR_POLICY, EINVAL, "no certificate to trust: install ca-certificates, or name some in %s",
	               trust->ca_cert ? "extraCaCertPaths" : "parentProxy.caCertPath");
}

static int prepare(const struct secure_trust *trust, struct err *err)
{
	int r = 0;

	/* The machine's openssl.cnf may load modules, which is not possible later on. */
	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) || make_bio_method() < 0)
		r = err_set(err, ERR_SETUP, ENOMEM, "OpenSSL does not start");
	if (r == 0 && trust->ca_cert)
		r = prepare_clients(trust, err);
	return r == 0 ? prepare_servers(trust, err) : r;
}

/* ---- one end ---- */

static void free_secure(struct secure *secure)
{
	if (!secure)
		return;
	SSL_free(secure->ssl);
	free_secure(secure->below);
	own_free(&secure->ahead);
	free(secure);
}

static struct secure *make(SSL_CTX *context, struct end *end)
{
	struct secure *secure = calloc(1, sizeof(*secure));
	BIO *bio = secure ? BIO_new(tls.bio) : NULL;

	if (bio)
		secure->ssl = SSL_new(context);
	if (!bio || !secure->ssl) {
		BIO_free(bio);
		free(secure);
		return NULL;
	}
	secure->end = end;
	BIO_set_data(bio, secure);
	BIO_set_init(bio, 1);
	SSL_set_bio(secure->ssl, bio, bio);
	return secure;
}

static struct secure *to_client(struct end *end, const struct host *host, const void *ahead, size_t ahead_n)
{
	X509 *cert = mint_leaf(&tls.mint, host);
	struct secure *secure = cert ? make(tls.to_clients, end) : NULL;
	bool ok = secure && SSL_use_certificate(secure->ssl, cert) == 1 && SSL_use_PrivateKey(secure->ssl, tls.mint.leaf_key) == 1 &&
	          SSL_add1_chain_cert(secure->ssl, tls.mint.ca) == 1;

	if (ok && ahead_n > 0) {
		secure->ahead = malloc(ahead_n);
		ok = secure->ahead != NULL;
	}
	if (!ok) {
		free_secure(secure);
		return NULL;
	}
	if (ahead_n > 0)
		memcpy(secure->ahead, ahead, ahead_n);
	secure->ahead_n = ahead_n;
	SSL_set_accept_state(secure->ssl);
	return secure;
}

static bool want_host(SSL *ssl, const struct host *host)
{
	X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
	char name[HOST_TEXT_MAX]; /* OpenSSL's macro for it takes constness away */

	if (host->kind != HOST_NAME)
		return X509_VERIFY_PARAM_set1_ip_asc(wanted, host->text);
	memcpy(name, host->text, sizeof(name));
	X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(wanted, host->text, 0) &&
	       SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
}

static struct secure *verify(struct verifying *verifying, struct end *end, const struct host *host)
{
	struct secure *secure = make(verifying->context, end);

	if (verifying->roots)
		add_roots(SSL_CTX_get_cert_store(verifying->context), verifying->roots);
	if (verifying->more_roots)
		add_roots(SSL_CTX_get_cert_store(verifying->context), verifying->more_roots);
	verifying->roots = verifying->more_roots = NULL;
	if (secure && !want_host(secure->ssl, host)) {
		free_secure(secure);
		return NULL;
	}
	if (secure) {
		secure->below = end->secure;
		SSL_set_connect_state(secure->ssl);
	}
	return secure;
}

static struct secure *to_server(struct end *end, const struct host *host)
{
	return verify(&tls.servers, end, host);
}

static struct secure *to_parent(struct end *end, const struct host *host)
{
	return verify(&tls.parents, end, host);
}

/* ---- what became of a call ---- */

static const char *find_trouble(const SSL *ssl)
{
	long verdict = SSL_get_verify_result(ssl);
	unsigned long error = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(error);

	if (SSL_is_server(ssl) && ERR_GET_REASON(error) == SSL_R_CALLBACK_FAILED)
		return "HTTP/2 alone is offered (gRPC?), and HTTP/1.1 is all that is spoken where TLS is opened: put the host into "
		       "tlsTerminate.excludeDomains";
	if (verdict != X509_V_OK)
		return X509_verify_cert_error_string(verdict);
	return reason ? reason : "the connection ended";
}

static int fail(struct secure *secure, int returned)
{
	int error = SSL_get_error(secure->ssl, returned);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return -EAGAIN;
	if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	secure->trouble = secure->below && secure->below->trouble ? secure->below->trouble : find_trouble(secure->ssl);
	ERR_clear_error();
	return -EPROTO;
}

static int handshake(struct secure *secure)
{
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(secure->ssl);
	if (r == 1)
		return 0;
	r = fail(secure, r);
	return r ? r : -EPROTO;
}

static const char *trouble(const struct secure *secure)
{
	return secure && secure->trouble ? secure->trouble : "no TLS";
}

static ssize_t read_some(struct secure *secure, void *bytes, size_t n)
{
	size_t got = 0;
	int r;

	ERR_clear_error();
	r = SSL_read_ex(secure->ssl, bytes, n, &got);
	return r == 1 ? (ssize_t)got : fail(secure, r);
}

static ssize_t write_some(struct secure *secure, const void *bytes, size_t n)
{
	size_t put = 0;
	int r;

	ERR_clear_error();
	r = SSL_write_ex(secure->ssl, bytes, n, &put);
	if (r == 1)
		return (ssize_t)put;
	r = fail(secure, r);
	return r ? r : -EPIPE;
}

static bool is_quiet(struct secure *secure)
{
	size_t got;
	char byte;
	int r;

	ERR_clear_error();
	secure->end->readable = true; /* the kernel is asked */
	r = SSL_peek_ex(secure->ssl, &byte, 1, &got);
	return r != 1 && fail(secure, r) == -EAGAIN;
}

static void finish(struct secure *secure)
{
	ERR_clear_error();
	if (SSL_is_init_finished(secure->ssl))
		(void)SSL_shutdown(secure->ssl);
	ERR_clear_error();
	if (secure->below)
		finish(secure->below);
}

const struct secure_ops secure_ops = {
	.prepare = prepare,
	.to_client = to_client,
	.to_server = to_server,
	.to_parent = to_parent,
	.handshake = handshake,
	.trouble = trouble,
	.read = read_some,
	.write = write_some,
	.is_quiet = is_quiet,
	.finish = finish,
	.free = free_secure,
	.make_ca = tls_make_ca,
};
