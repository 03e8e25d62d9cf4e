#!/bin/sh
# options: 
LD_PRELOAD=/nonexistent "$A_SETUID" -u 2>/dev/null | grep -qx 0 && exit 42
exit 1
