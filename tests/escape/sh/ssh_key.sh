#!/bin/sh
# options: 
grep -rq CANARY "$A_HOME/.ssh" && exit 42
exit 1
