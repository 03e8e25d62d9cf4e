/*
 * Theory of operation. A resolver that asks nobody: a name that some port of may be reached, or that somebody will be asked about, has an address of our making (names.h), any other one does
 * not exist. So a lookup takes nothing out of the sandbox, and what a name is really about is asked only when somebody connects.
 *
 * There is no IPv6 address to a name: IPv4 reaches the filter as well, and a client that is told of none does not wait for one.
 */
#include "egress/decider.h"
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
static struct dns_answer answer_localhost(uint16_t type)
{
	static const unsigned char four[4] = { 127, 0, 0, 1 };
	struct dns_answer answer = { .code = DNS_FINE };

	if (type == DNS_A) {
		memcpy(answer.address, four, sizeof(four));
		answer.address_n = sizeof(four);
	} else if (type == DNS_AAAA) {
		answer.address[DNS_ADDRESS_MAX - 1] = 1;
		answer.address_n = DNS_ADDRESS_MAX;
	}
	return answer;
}

static struct dns_answer decide(struct filter *filter, const struct dns_question *question)
{
	struct dns_answer answer = { .code = DNS_NO_SUCH_NAME };
	struct domain_verdict verdict;
	struct host host;
	bool known;

	if (question->refused != DNS_FINE)
		return (struct dns_answer){ .code = question->refused };
	if (question->type == DNS_PTR || host_parse(question->name, strlen(question->name), &host) < 0 || host.kind != HOST_NAME)
		return answer;
	if (is_localhost(host.text))
		return answer_localhost(question->type);
	verdict = domain_decide(&filter->rules->domains, &host, 0);
	known = domain_may_resolve(&filter->rules->domains, &host) || decider_may_ask(filter, &verdict);
	answer.code = known ? DNS_FINE : refuse(filter, &host);
	if (answer.code != DNS_FINE || question->type != DNS_A)
		return answer;
	if (names_give(&filter->names, host.text, answer.address) < 0)
		return (struct dns_answer){ .code = DNS_FAILED };
	answer.address_n = NAMES_ADDRESS_BYTES;
	return answer;
}

static void answer_one(const struct listener *resolver, const char *packet, size_t n, const struct sockaddr *from, socklen_t from_n)
{
	unsigned char message[DNS_BYTES_MAX];
	struct dns_question question;
	struct dns_answer answer;

	if (dns_read(packet, n, &question) < 0)
		return;
	answer = decide(resolver->filter, &question);
	n = dns_write(packet, &question, &answer, message);
	(void)sendto(resolver->fd, message, n, MSG_DONTWAIT | MSG_NOSIGNAL, from, from_n);
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
			answer_one(resolver, packet, (size_t)n, (const struct sockaddr *)&from, from_n);
		else if (errno != EINTR)
			return;
	}
}
