/*
 * TLS ClientHellos. What is decided stays decided: more bytes change nothing once there is an answer, fewer give the same answer or none yet.
 * A name is what the answer says, and lies within the input.
 */
#include "fuzz.h"

#include "egress/sni.h"

#include <stdlib.h>
#include <string.h>

static void require(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sni whole;

	if (size > 24 << 10)
		return 0;
	whole = sni_look(data, size);
	require(whole.name_n <= SNI_NAME_MAX && (whole.kind == SNI_NAME) == (whole.name_n > 0 && whole.kind != SNI_BAD));
	if (size > 600)
		return 0;
	for (size_t n = 0; n < size; n++) {
		struct sni part = sni_look(data, n);

		if (part.kind == SNI_MORE)
			continue;
		require(part.kind == whole.kind);
		require(part.kind != SNI_NAME || (part.name_n == whole.name_n && memcmp(part.name, whole.name, part.name_n) == 0));
		break;
	}
	return 0;
}
