#!/bin/sh
# options: --write .
echo owned >> "$A_HOME/.bashrc"
exit 1
