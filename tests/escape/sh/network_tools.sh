#!/bin/sh
# options: 
python3 - <<X && exit 42
import socket; socket.create_connection(("127.0.0.1", int("$A_PORT")), 2)
X
exit 1
