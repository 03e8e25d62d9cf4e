#!/bin/sh
# options: --write .
echo owned > "$A_WS/y" && ln "$A_WS/y" "$A_WS/.git/hooks/pre-push" && exit 42
exit 1
