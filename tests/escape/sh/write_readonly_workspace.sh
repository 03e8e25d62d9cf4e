#!/bin/sh
# options: --deny-write ro
echo owned > "$A_RO/file" && exit 42
exit 1
