#!/bin/sh
# options: 
cat "$A_WS/.env" "$A_WS/sub/.env.local" 2>/dev/null | grep -q CANARY && exit 42
exit 1
