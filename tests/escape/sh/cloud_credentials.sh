#!/bin/sh
# options: 
cat "$A_HOME/.aws/credentials" "$A_HOME/.config/gcloud/x" "$A_HOME/.kube/config" "$A_HOME/.docker/config.json" 2>/dev/null | grep -q CANARY && exit 42
exit 1
