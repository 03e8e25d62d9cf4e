/* workspace.h: what has been tried, in words. */
#ifndef COFFER_CLI_WORKSPACE_H
#define COFFER_CLI_WORKSPACE_H

#include <coffer.h>

/* After a try: what changed and what can be done now. name NULL: nothing. */
void workspace_say_changes(struct coffer *coffer, const char *name);

#endif
