"""terminal.py: a person at a terminal, for tests. The program that is started has a terminal of its own as its controlling one."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = 30  # seconds until a test gives up; nothing here waits for a clock otherwise


class Terminal:
    def __init__(self, argv, rows=24, columns=80, streams=(0, 1, 2)):
        """streams: those that are the terminal; another one is /dev/null."""
        self.screen = b""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            for fd in {0, 1, 2} - set(streams):
                os.dup2(os.open(os.devnull, os.O_RDWR), fd)
            os.execvp(argv[0], argv)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, keys):
        os.write(self.master, keys.encode())

    def _read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            more = os.read(self.master, 65536)
        except OSError:
            more = b""
        self.screen += more
        return bool(more)

    def expect(self, pattern):
        """Waits for the pattern in what has not been matched before; returns the match."""
        end = time.monotonic() + PATIENCE
        while True:
            match = re.search(pattern.encode(), self.screen)
            if match:
                self.screen = self.screen[match.end():]
                return match
            if time.monotonic() > end or not self._read(1):
                self.give_up(f"never seen: {pattern}")

    def give_up(self, why):
        os.kill(self.pid, signal.SIGKILL)
        sys.exit(f"{why}\n--- the screen:\n{self.screen.decode(errors='replace')}")

    def is_over(self):
        """The exit status, or None."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def end(self):
        """Waits for the end; returns the exit status, negative for a signal."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self._read(0.05)
            status = self.is_over()
            if status is not None:
                return status
        self.give_up("it does not end")
