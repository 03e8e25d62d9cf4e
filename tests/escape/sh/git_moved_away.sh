#!/bin/sh
# options: --write .
mv "$A_WS/.git" "$A_WS/.git2" && mkdir -p "$A_WS/.git/hooks" && echo owned > "$A_WS/.git/hooks/pre-commit" && exit 42
exit 1
