#!/bin/sh
# options: 
echo owned > "$A_WS/file" && exit 42
exit 1
