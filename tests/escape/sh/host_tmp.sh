#!/bin/sh
# options: 
grep -rq CANARY "$A_TMPFILE" 2>/dev/null && exit 42
exit 1
