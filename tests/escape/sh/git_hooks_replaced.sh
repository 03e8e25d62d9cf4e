#!/bin/sh
# options: --write .
rm -rf "$A_WS/.git/hooks" && mkdir "$A_WS/.git/hooks" && echo x > "$A_WS/.git/hooks/post-checkout" && exit 42
exit 1
