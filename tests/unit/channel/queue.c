#include "channel/queue.h"
#include "unit/unit.h"

#include <stdint.h>

static void bytes_come_out_as_they_went_in(void **state)
{
	struct queue queue = { 0 };
	uint32_t in = 0, out = 0, n = 1;

	(void)state;
	for (int turn = 0; turn < 3000; turn++) {
		unsigned char bytes[4000];

		n = n * 1103515245 + 12345;
		for (size_t i = 0; i < n % sizeof(bytes); i++)
			bytes[i] = (unsigned char)(in++ * 31);
		assert_int_equal(queue_add(&queue, bytes, n % sizeof(bytes)), 0);

		size_t take = (n >> 8) % (queue_n(&queue) + 1);

		for (size_t i = 0; i < take; i++)
			assert_int_equal((unsigned char)queue_front(&queue)[i], (unsigned char)(out++ * 31));
		queue_drop(&queue, take);
		assert_int_equal(queue_n(&queue), in - out);
	}
	queue_done(&queue);
	assert_int_equal(queue_n(&queue), 0);
}

static void an_empty_one_gives_memory_back(void **state)
{
	struct queue queue = { 0 };

	(void)state;
	assert_non_null(queue_room(&queue, 1 << 20));
	queue_grow(&queue, 1 << 20);
	queue_drop(&queue, 1 << 20);
	assert_int_equal(queue.room, 0);
	assert_int_equal(queue_add(&queue, "x", 1), 0);
	queue_drop(&queue, 1);
	assert_true(queue.room > 0);
	queue_done(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bytes_come_out_as_they_went_in),
		                            cmocka_unit_test(an_empty_one_gives_memory_back) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
