/* unit.h: what a unit test includes after the header that it tests: cmocka, and the headers that cmocka wants before itself. */
#ifndef COFFER_TESTS_UNIT_H
#define COFFER_TESTS_UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Skips the running test. tests/run takes the reason from the line in front of the result. */
#define SKIP_BECAUSE(...)                        \
	do {                                     \
		print_message("# " __VA_ARGS__); \
		print_message("\n");             \
		skip();                          \
	} while (0)

#endif
