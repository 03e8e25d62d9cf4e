#!/bin/sh
# options: --write .
echo owned > "$A_WS/.mcp.json" && exit 42
exit 1
