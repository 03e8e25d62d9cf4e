#include "egress/spare.h"

static struct str spares[SPARE_MAX];
static size_t spares_n;

void spare_take(struct str *s, size_t ceiling)
{
	str_init(s, ceiling);
	if (spares_n == 0)
		return;
	*s = spares[--spares_n];
	s->ceiling = ceiling;
	str_clear(s);
}

void spare_give(struct str *s)
{
	if (s->room == 0 || s->room > SPARE_BYTES_MAX || spares_n == SPARE_MAX) {
		str_done(s);
		return;
	}
	spares[spares_n++] = *s;
	str_init(s, s->ceiling);
}
