#!/bin/sh
# options: --write .
cd "$A_WS" && ln -s . here 2>/dev/null; echo owned > here/here/.envrc && exit 42
exit 1
