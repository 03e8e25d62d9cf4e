/*
 * Theory of operation. A resolver that asks nobody: a name that some port of may be reached has an address of our making (names.h), any other one does
 * not exist. So a lookup takes nothing out of the sandbox, and what a name is really about is asked only when somebody connects.
 *
 * There is no IPv6 address to a name: IPv4 reaches the filter as well, and a client that is told of none does not wait for one.
 */
#include "egress/dns.h"
#include "egress/filter.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static bool is_localhost(const char *name)
{
	static const char localhost[] = "localhost";
	size_t n = strlen(name), last = sizeof(localhost) - 1;

	return n >= last && strcmp(name + n - last, localhost) == 0 && (n == last || name[n - last - 1] == '.');
}

/* Programs ask twice at once, for both families, and again: one refusal is told once, until others have been. */
static bool is_told(struct filter *filter, const char *name)
{
	for (size_t i = 0; i < REFUSED_MAX; i++)
		if (strcmp(filter->told[i], name) == 0)
			return true;
	memcpy(filter->told[filter->told_next++ % REFUSED_MAX], name, strlen(name) + 1);
	return false;
}

static enum dns_code refuse(struct filter *filter, const struct host *host)
{
	struct domain_verdict verdict = domain_decide(&filter->rules->domains, host, 0);

	if (!is_told(filter, host->text))
		report_name(filter, host, &verdict);
	return DNS_NO_SUCH_NAME;
}

/* RFC 6761, 6.3: localhost is inside. */
static size_t answer_localhost(uint16_t type, unsigned char ret_address[DNS_ADDRESS_MAX])
{
	static const unsigned char four[4] = { 127, 0, 0, 1 }, six[DNS_ADDRESS_MAX] = { [DNS_ADDRESS_MAX - 1] = 1 };

	memcpy(ret_address, type == DNS_A ? four : six, type == DNS_A ? sizeof(four) : sizeof(six));
	if (type == DNS_A)
		return sizeof(four);
	return type == DNS_AAAA ? sizeof(six) : 0;
}

static enum dns_code decide(struct filter *filter, const struct dns_question *question, unsigned char ret_address[DNS_ADDRESS_MAX],
                            size_t *ret_n)
{
	struct host host;

	*ret_n = 0;
	if (question->refused != DNS_FINE)
		return question->refused;
	if (question->type == DNS_PTR || host_parse(question->name, strlen(question->name), &host) < 0 || host.kind != HOST_NAME)
		return DNS_NO_SUCH_NAME;
	if (is_localhost(host.text)) {
		*ret_n = answer_localhost(question->type, ret_address);
		return DNS_FINE;
	}
	if (!domain_may_resolve(&filter->rules->domains, &host))
		return refuse(filter, &host);
	if (question->type != DNS_A)
		return DNS_FINE;
	if (names_give(&filter->names, host.text, ret_address) < 0)
		return DNS_FAILED;
	*ret_n = NAMES_ADDRESS_BYTES;
	return DNS_FINE;
}

static void answer(const struct listener *resolver, const char *packet, size_t n, const struct sockaddr_storage *from, socklen_t from_n)
{
	unsigned char out[DNS_BYTES_MAX], address[DNS_ADDRESS_MAX];
	struct dns_question question;
	size_t address_n;
	enum dns_code code;

	if (dns_read(packet, n, &question) < 0)
		return;
	code = decide(resolver->filter, &question, address, &address_n);
	n = dns_write(packet, &question, code, address, address_n, out);
	(void)sendto(resolver->fd, out, n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)from, from_n);
}

void resolver_answer_all(struct source *source, uint32_t events)
{
	const struct listener *resolver = (const struct listener *)source;

	(void)events;
	for (;;) {
		struct sockaddr_storage from;
		socklen_t from_n = sizeof(from);
		char packet[DNS_BYTES_MAX];
		ssize_t n = recvfrom(resolver->fd, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&from, &from_n);

		if (n >= 0)
			answer(resolver, packet, (size_t)n, &from, from_n);
		else if (errno != EINTR)
			return;
	}
}
