/*
 * DNS messages as they come from inside. What is answered repeats the question and fits; an answer is never taken for a question, so two resolvers
 * do not keep each other busy.
 */
#include "fuzz.h"

#include "egress/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_answer(const uint8_t *data, const struct dns_question *question, const struct dns_answer *answer)
{
	unsigned char message[DNS_BYTES_MAX];
	struct dns_question again;
	size_t n = dns_write(data, question, answer, message);

	require(n >= question->bytes && n <= sizeof(message));
	require(message[0] == data[0] && message[1] == data[1]);
	require(memcmp(message + 12, data + 12, question->bytes - 12) == 0);
	require(dns_read(message, n, &again) == -EPROTO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_question question;
	struct dns_answer answer = { .code = DNS_FINE };

	if (size > 4 << 10 || dns_read(data, size, &question) < 0)
		return 0;
	require(question.bytes >= 12 && question.bytes <= size && strlen(question.name) <= DNS_NAME_MAX);
	for (answer.address_n = 0; answer.address_n <= DNS_ADDRESS_MAX; answer.address_n += 4)
		if (answer.address_n == 0 || answer.address_n == 4 || answer.address_n == DNS_ADDRESS_MAX)
			check_answer(data, &question, &answer);
	return 0;
}
