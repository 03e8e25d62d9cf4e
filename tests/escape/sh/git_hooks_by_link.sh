#!/bin/sh
# options: --write .
rm -rf "$A_WS/.git/hooks" 2>/dev/null; ln -s "$A_WS/evil" "$A_WS/.git/hooks" && exit 42
exit 1
