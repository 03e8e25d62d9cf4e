#include "inspect/inspect.h"

#include "sys/confine.h"
#include "sys/filter.h"

#include <sys/mman.h>

enum { MEMORY_BYTES = 1 << 30, DESCRIPTORS = 16, CPU_S = 10 };

/* clang-format off: one call a line, or a few that belong together */
/* Memory that nothing in it can be run from, bytes to the one who waits, time, the end. */
static const struct sock_filter filter[] = {
	BEGIN,
	CALL(write),
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	ONLY(mmap, 4),
	LOAD_LOW(2),
	IF_ANY(PROT_EXEC, 0, 1),
	DENY,
	ALLOW,
	ONLY(mprotect, 4),
	LOAD_LOW(2),
	IF_ANY(PROT_EXEC, 0, 1),
	DENY,
	ALLOW,
	CALL(clock_gettime),
	CALL(futex),
	CALL(getrandom),
	CALL(rt_sigreturn),
	CALL(restart_syscall),
	CALL(exit),
	CALL(exit_group),
	DENY,
};
/* clang-format on */

int inspect_confine(void)
{
	return confine(&(struct confine){
	    .filter = filter,
	    .filter_bytes = sizeof(filter),
	    .root = -1,
	    .memory_bytes = MEMORY_BYTES,
	    .file_bytes = 0,
	    .descriptors = DESCRIPTORS,
	    .cpu_s = CPU_S,
	});
}
