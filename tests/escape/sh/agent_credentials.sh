#!/bin/sh
# options: 
cat "$A_HOME/.claude/.credentials.json" "$A_HOME/.codex/auth.json" 2>/dev/null | grep -q CANARY && exit 42
exit 1
