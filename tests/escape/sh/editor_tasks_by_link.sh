#!/bin/sh
# options: --write .
mkdir -p "$A_WS/vl" && echo owned > "$A_WS/vl/tasks.json" && ln -s vl "$A_WS/.vscode" && exit 42
exit 1
