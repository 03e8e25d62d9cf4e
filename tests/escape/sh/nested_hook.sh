#!/bin/sh
# options: --write .
mkdir -p "$A_WS/new/.git/hooks" && echo owned > "$A_WS/new/.git/hooks/pre-commit" && exit 42
exit 1
