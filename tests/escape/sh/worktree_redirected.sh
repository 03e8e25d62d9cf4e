#!/bin/sh
# options: --write .
cd "$A_WS" && mkdir -p .git/worktrees/other && echo "$A_WS/evil" > .git/worktrees/other/commondir && exit 42
exit 1
