#include "api/api.h"

#include "session/doctor.h"

_Static_assert((int)COFFER_MISSING == (int)DOCTOR_MISSING && (int)COFFER_WEAK == (int)DOCTOR_WEAK, "doctor.h and coffer.h agree");

static void tell_all(const struct doctor_vec *findings, coffer_finding_function *on_finding, void *context)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct doctor_finding *finding = &findings->at[i];
		on_finding(context, &(struct coffer_finding){ .name = finding->name,
		                                              .health = (enum coffer_health)finding->health,
		                                              .text = finding->text,
		                                              .fix = finding->fix });
	}
}

int coffer_doctor(struct coffer *coffer, coffer_finding_function *on_finding, void *context, struct coffer_error *error)
{
	struct err err = { 0 };
	struct arena arena;
	struct doctor_vec findings = { 0 };
	arena_init(&arena, API_ARENA_MAX);
	int r = doctor_visit(&coffer->session, &arena, &findings, &err);
	if (r == 0)
		tell_all(&findings, on_finding, context);
	arena_done(&arena);
	return api_fail(r, &err, error);
}
