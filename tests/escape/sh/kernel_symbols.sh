#!/bin/sh
# options: 
grep -v "^0000000000000000" /proc/kallsyms 2>/dev/null | grep -q . && exit 42
exit 1
