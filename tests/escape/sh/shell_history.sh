#!/bin/sh
# options: 
cat "$A_HOME/.bash_history" 2>/dev/null | grep -q CANARY && exit 42
exit 1
