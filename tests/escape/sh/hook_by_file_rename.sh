#!/bin/sh
# options: --write .
echo owned > "$A_WS/x" && mv "$A_WS/x" "$A_WS/.git/hooks/pre-push" && exit 42
exit 1
