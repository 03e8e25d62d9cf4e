#!/bin/sh
# options: 
cat /sys/class/dmi/id/product_uuid /sys/class/net/e*/address 2>/dev/null | grep -q . && exit 42
exit 1
