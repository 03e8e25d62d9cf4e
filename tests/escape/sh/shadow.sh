#!/bin/sh
# options: 
grep -q : /etc/shadow 2>/dev/null && exit 42
exit 1
