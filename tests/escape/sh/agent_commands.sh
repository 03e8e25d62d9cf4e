#!/bin/sh
# options: --write .
mkdir -p "$A_WS/.claude/commands" && echo owned > "$A_WS/.claude/commands/x.md" && exit 42
exit 1
