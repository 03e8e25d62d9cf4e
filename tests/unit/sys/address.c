#include "sys/address.h"

#include "unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

static const char *print(int family, const char *host, unsigned port)
{
	static struct text text;
	union {
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} address = { 0 };

	text = (struct text){ 0 };
	if (family == AF_INET) {
		address.four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
		assert_int_equal(inet_pton(family, host, &address.four.sin_addr), 1);
	} else {
		address.six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
		assert_int_equal(inet_pton(family, host, &address.six.sin6_addr), 1);
	}
	return address_add_remote(&text, &address, family == AF_INET ? sizeof(address.four) : sizeof(address.six)) ? text.bytes : "no";
}

static void other_machines_are_named(void **state)
{
	(void)state;
	assert_string_equal(print(AF_INET, "192.0.2.7", 443), "192.0.2.7:443");
	assert_string_equal(print(AF_INET, "255.255.255.255", 65535), "255.255.255.255:65535");
	assert_string_equal(print(AF_INET6, "2001:db8::7", 53), "[2001:db8:0:0:0:0:0:7]:53");
	assert_string_equal(print(AF_INET6, "::ffff:192.0.2.7", 1), "192.0.2.7:1");
}

static void names_in_no_directory_have_a_sign(void **state)
{
	struct sockaddr_storage address = { 0 };
	struct sockaddr_un *local = (struct sockaddr_un *)&address;
	char text[ADDRESS_ABSTRACT_MAX];

	(void)state;
	memcpy(local->sun_path + 1, "name", 4);
	address_spell_abstract(&address, text);
	assert_string_equal(text, "@name");
	memset(local->sun_path + 1, 'x', sizeof(local->sun_path) - 1);
	address_spell_abstract(&address, text);
	assert_int_equal(strlen(text), sizeof(local->sun_path));
}

static void this_one_is_not(void **state)
{
	(void)state;
	assert_string_equal(print(AF_INET, "127.0.0.1", 443), "no");
	assert_string_equal(print(AF_INET, "127.9.9.9", 443), "no");
	assert_string_equal(print(AF_INET, "0.0.0.0", 443), "no");
	assert_string_equal(print(AF_INET6, "::1", 443), "no");
	assert_string_equal(print(AF_INET6, "::", 443), "no");
	assert_string_equal(print(AF_INET6, "::ffff:127.0.0.1", 443), "no");
}

static void what_is_no_address_is_not(void **state)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/x" };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = 0x01020304 };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr.s6_addr[0] = 0x20 };
	struct text text = { 0 };

	(void)state;
	assert_false(address_add_remote(&text, &local, sizeof(local)));
	assert_false(address_add_remote(&text, &four, sizeof(four) - 1));
	assert_false(address_add_remote(&text, &six, sizeof(six) - 1));
	assert_false(address_add_remote(&text, &six, 0));
	assert_string_equal(text.bytes, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_machines_are_named),
		cmocka_unit_test(this_one_is_not),
		cmocka_unit_test(names_in_no_directory_have_a_sign),
		cmocka_unit_test(what_is_no_address_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
