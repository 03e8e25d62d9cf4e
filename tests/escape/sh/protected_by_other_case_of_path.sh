#!/bin/sh
# options: --write .
cd "$A_WS/sub" && echo owned > .././/.envrc && exit 42
exit 1
