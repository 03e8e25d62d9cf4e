#!/bin/sh
# options: --write .
cd "$A_WS" && echo owned > /proc/self/cwd/.envrc && exit 42
exit 1
