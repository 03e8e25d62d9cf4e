#!/bin/sh
# options: 
A=$A_WS; setsid sh -c "sleep 61.7" >/dev/null 2>&1 & exit 42
exit 1
