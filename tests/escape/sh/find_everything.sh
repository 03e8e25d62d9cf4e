#!/bin/sh
# options: 
find / -xdev -name "secret" -path "*escape*" 2>/dev/null | grep -q . && exit 42
exit 1
