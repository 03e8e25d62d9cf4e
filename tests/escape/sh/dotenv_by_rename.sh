#!/bin/sh
# options: --write .
mv "$A_WS/.env" "$A_WS/moved" 2>/dev/null; grep -q CANARY "$A_WS/moved" 2>/dev/null && exit 42
exit 1
