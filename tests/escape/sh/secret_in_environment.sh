#!/bin/sh
# options: 
env | grep -q CANARY && exit 42
exit 1
