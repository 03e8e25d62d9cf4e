#!/bin/sh
# options: --write .
mkdir -p "$A_WS/n1/innocent/hooks" && echo owned > "$A_WS/n1/innocent/hooks/pre-commit" && mv "$A_WS/n1/innocent" "$A_WS/n1/.git" && exit 42
exit 1
