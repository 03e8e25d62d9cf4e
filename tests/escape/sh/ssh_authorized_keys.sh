#!/bin/sh
# options: --write .
echo owned >> "$A_HOME/.ssh/authorized_keys"
exit 1
