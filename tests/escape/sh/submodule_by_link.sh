#!/bin/sh
# options: --write .
cd "$A_WS" && mkdir -p evil/hooks .git/modules && echo owned > evil/hooks/post-checkout && ln -s ../../evil .git/modules/sub && exit 42
exit 1
