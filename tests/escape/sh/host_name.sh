#!/bin/sh
# options: 
[ "$(uname -n)" = "$A_HOSTNAME" ] && exit 42
exit 1
