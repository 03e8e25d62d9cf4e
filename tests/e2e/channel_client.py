"""A client of `coffer channel`: the protocol in its plainest form, for tests and for who wants to see how little it takes."""
import base64
import json
import os
import select
import socket
import subprocess
import time

COFFER = os.environ.get("COFFER", "coffer")


class Refused(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['text']}")
        self.code, self.errno, self.where, self.error = error["code"], error["errno"], error["where"], error


def coded(data):
    return base64.b64encode(data).decode()


class Channel:
    def __init__(self, path=None, **popen):
        self.process = self.socket = None
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(path)
            self.read_fd = self.write_fd = self.socket.fileno()
        else:
            self.process = subprocess.Popen([COFFER, "channel"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **popen)
            self.read_fd, self.write_fd = self.process.stdout.fileno(), self.process.stdin.fileno()
        self.buffer, self.last, self.lines = b"", 0, {}
        self.hello = self.line()

    def line(self, timeout=20):
        """The next line, whatever it is about."""
        end = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            if not select.select([self.read_fd], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the channel says nothing")
            more = os.read(self.read_fd, 1 << 20)
            if not more:
                raise EOFError
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def raw(self, data):
        while data:
            data = data[os.write(self.write_fd, data):]

    def start(self, method, **params):
        self.last += 1
        self.raw(json.dumps({"id": self.last, "method": method, "params": params}).encode() + b"\n")
        return self.last

    def next(self, id, timeout=20):
        """The next line about a request; those about others are kept for them."""
        while not self.lines.get(id):
            line = self.line(timeout)
            self.lines.setdefault(line.get("id"), []).append(line)
        return self.lines[id].pop(0)

    def event(self, id, name, timeout=20):
        while True:
            line = self.next(id, timeout)
            if line.get("event") == name:
                return line
            assert "event" in line, line

    def finish(self, id, timeout=20):
        """The events and the result."""
        events = []
        while True:
            line = self.next(id, timeout)
            if "event" in line:
                events.append(line)
            elif "error" in line:
                raise Refused(line["error"])
            else:
                return events, line["result"]

    def call(self, method, **params):
        return self.finish(self.start(method, **params))[1]

    def data(self, method, **params):
        events, result = self.finish(self.start(method, **params))
        return b"".join(base64.b64decode(e["data"]) for e in events if e["event"] == "data"), result

    def output(self, id, timeout=20):
        events, result = self.finish(id, timeout)
        streams = [b"".join(base64.b64decode(e["data"]) for e in events if e["event"] == name) for name in ("stdout", "stderr")]
        return (*streams, result)

    def run(self, session, *argv, **params):
        return self.output(self.start("exec", session=session, argv=list(argv), **params))

    def close(self):
        if self.socket:
            self.socket.close()
            return None
        self.process.stdin.close()
        return self.process.wait(20)
