#!/bin/sh
# options: 
cat "$A_HOME/.netrc" "$A_HOME/.git-credentials" 2>/dev/null | grep -q CANARY && exit 42
exit 1
