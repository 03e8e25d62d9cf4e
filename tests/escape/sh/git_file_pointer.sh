#!/bin/sh
# options: --write .
mkdir -p "$A_WS/fresh/real" && cd "$A_WS" && echo "gitdir: fresh/real" > "$A_WS/sub/.git" && exit 42
exit 1
