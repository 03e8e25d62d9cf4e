/* top.h: a directory for one test, with a base and a place for workspaces in it, and short ways to put things there. */
#ifndef COFFER_TESTS_WORKSPACE_TOP_H
#define COFFER_TESTS_WORKSPACE_TOP_H

#include "sys/file.h"
#include "workspace/workspace.h"

#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

extern char top_path[64], top_base[80], top_data[80];
extern int top_fd;

/* For cmocka: makes the directory, with base/ in it, whose files are older than any workspace; removes it. */
int top_make(void **state);
int top_drop(void **state);

/* Paths are below the directory; parents are made. */
void top_put(const char *path, const char *text);
void top_mkdir(const char *path, mode_t mode);
void top_link(const char *path, const char *target);
void top_whiteout(const char *path);
void top_opaque(const char *path);
void top_chmod(const char *path, mode_t mode);
void top_time(const char *path, time_t mtime);
void top_remove(const char *path);
bool top_has(const char *path);
void top_expect(const char *path, const char *text);
/* Lets the coarse clock tick, so that what comes later has a later ctime. */
void top_tick(void);
/* A digest of the whole tree: names, kinds, modes, modification times, contents, link texts. */
void top_digest(const char *path, char ret_hex[65]);

/* A workspace on base/, in overlay mode; its upper is at the path that top_upper gives, below the directory. */
struct workspace *top_workspace(enum workspace_mode mode);
const char *top_upper(const struct workspace *workspace, const char *path);

#define TOP_TEST(f) cmocka_unit_test_setup_teardown(f, top_make, top_drop)

#endif
