#!/bin/sh
# options: --write .
exec 7<"$A_WS"; echo owned > /proc/self/fd/7/.envrc && exit 42
exit 1
