#include "channel/workspace.h"

#include "base/own.h"
#include "channel/work.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID_MAX = 63 };

static bool is_id(const char *id)
{
	size_t n = strlen(id);

	return n > 0 && n <= ID_MAX && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == n && !strchr("_.-", id[0]);
}

/* Of this user's alone, as the rest of coffer's data. */
static int open_top(struct coffer *coffer, struct err *err)
{
	autofd int data = open(coffer_data_dir(coffer), O_PATH | O_DIRECTORY | O_CLOEXEC);
	int top;

	if (data < 0 && errno == ENOENT && mkdir(coffer_data_dir(coffer), 0700) == 0)
		data = open(coffer_data_dir(coffer), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (data >= 0)
		(void)mkdirat(data, "directories", 0700);
	top = data < 0 ? -1 : openat(data, "directories", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return top < 0 ? err_set(err, ERR_SETUP, errno, "%s/directories: %s", coffer_data_dir(coffer), strerror(errno)) : top;
}

static int make_persistent(struct coffer *coffer, const char *id, char **ret_path, struct err *err)
{
	autofd int top = is_id(id) ? open_top(coffer, err) : -EINVAL;
	autostr struct str path = { 0 };
	int r;

	if (top == -EINVAL) {
		r = err_set(err, ERR_USAGE, EINVAL, "\"%s\" is no name for a workspace: lower-case letters, digits, \"_.-\", at most %d",
		            id, ID_MAX);
		err_at(err, "workspace");
		return r;
	}
	if (top < 0)
		return top;
	if (mkdirat(top, id, 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_SETUP, errno, "workspace %s: %s", id, strerror(errno));
	str_init(&path, PATH_BYTES_MAX);
	str_printf(&path, "%s/directories/%s", coffer_data_dir(coffer), id);
	if (path.failed)
		return work_no_memory(err);
	*ret_path = path.text; /* as long as the process */
	path = (struct str){ 0 };
	return 0;
}

int workspace_give(struct coffer *coffer, const struct workspace_wish *wish, struct coffer_policy *policy,
                   struct coffer_session_options *options, struct err *err)
{
	struct coffer_error error;
	char *path = NULL;
	int r;

	if (wish->id) {
		r = make_persistent(coffer, wish->id, &path, err);
	} else {
		options->workspace = 1;
		r = coffer_session_workspace(coffer, options->name, &path, &error);
		r = r < 0 ? work_failed(err, &error) : 0;
	}
	if (r < 0)
		return r;
	options->directory = path;
	return coffer_policy_allow_write(policy, path, &error) < 0 ? work_failed(err, &error) : 0;
}

int workspace_remove(struct coffer *coffer, const char *id, struct err *err)
{
	autofd int top = open_top(coffer, err);
	int r = top < 0 ? top : is_id(id) ? file_remove_tree(top, id) : -ENOENT;

	if (top < 0)
		return r;
	return r < 0 && r != -ENOENT ? err_set(err, ERR_SETUP, -r, "workspace %s: %s", id, strerror(-r)) : 0;
}
