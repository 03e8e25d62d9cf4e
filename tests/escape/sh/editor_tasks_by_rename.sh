#!/bin/sh
# options: --write .
mkdir -p "$A_WS/vs" && echo owned > "$A_WS/vs/tasks.json" && mv "$A_WS/vs" "$A_WS/.vscode" && exit 42
exit 1
