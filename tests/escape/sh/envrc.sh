#!/bin/sh
# options: --write .
echo owned > "$A_WS/.envrc" && exit 42
exit 1
