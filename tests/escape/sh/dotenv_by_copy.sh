#!/bin/sh
# options: --write .
cp "$A_WS/.env" "$A_WS/copy" 2>/dev/null; grep -q CANARY "$A_WS/copy" 2>/dev/null && exit 42
exit 1
