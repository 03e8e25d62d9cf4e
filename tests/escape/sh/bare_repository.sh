#!/bin/sh
# options: --write .
# Whoever has these three is a repository to git, and its config says what git runs.
cd "$A_WS" && mkdir -p src/objects src/refs && echo "ref: refs/heads/main" > src/HEAD && printf "[core]\n\tfsmonitor = owned\n" > src/config && exit 42
exit 1
