#!/bin/sh
# options: 
ls /proc | grep -qx "$A_PID" && [ "$(tr "\0" " " < /proc/$A_PID/cmdline)" != "" ] && exit 42
exit 1
