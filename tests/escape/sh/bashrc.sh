#!/bin/sh
# options: --write .
echo owned >> "$A_HOME/.bashrc" && exit 42
exit 1
