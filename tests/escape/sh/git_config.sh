#!/bin/sh
# options: --write .
printf "[core]\n\tfsmonitor = owned\n" >> "$A_WS/.git/config" && exit 42
exit 1
