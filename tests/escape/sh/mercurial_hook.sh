#!/bin/sh
# options: --write .
cd "$A_WS" && mkdir -p sub/.hg && printf "[hooks]\nupdate = owned\n" > sub/.hg/hgrc && exit 42
exit 1
