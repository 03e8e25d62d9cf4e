#!/bin/sh
# options: --write .
echo owned > "$A_WS/.git/hooks/pre-commit" && exit 42
exit 1
