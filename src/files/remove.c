#include "files/resolve.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int files_remove(const struct files *files, const char *path, bool recursive, struct err *err)
{
	autoplace struct place_below place;
	int r = resolve_parent(files, path, RESOLVE_PARENTS_EXIST, &place, err);

	if (r < 0)
		return r;
	if (unlinkat(place.dir, place.name, 0) == 0)
		return 0;
	r = -errno;
	if (r == -EISDIR)
		r = unlinkat(place.dir, place.name, AT_REMOVEDIR) == 0 ? 0 : errno == EEXIST ? -ENOTEMPTY : -errno;
	if (recursive && r == -ENOTEMPTY)
		r = file_remove_tree_until(place.dir, place.name, files->deadline_ms);
	if (r == -ENOTEMPTY && !recursive)
		return err_set(err, ERR_USAGE, ENOTEMPTY, "%s: remove it recursively", path);
	return r < 0 ? resolve_failed(err, -r, path) : 0;
}
