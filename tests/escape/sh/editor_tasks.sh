#!/bin/sh
# options: --write .
mkdir -p "$A_WS/.vscode" && echo owned > "$A_WS/.vscode/tasks.json" && exit 42
exit 1
