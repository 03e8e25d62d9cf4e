#!/bin/sh
# options: --write .
cd "$A_WS" && mkdir -p made/.git/objects made/.git/refs && echo "ref: refs/heads/main" > made/.git/HEAD && mv made/.git src &&
	printf "[core]\n\tfsmonitor = owned\n" > src/config && exit 42
exit 1
