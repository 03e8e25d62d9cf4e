#!/usr/bin/python3
"""tests/bench/egress.py BUILD [--quick]: what passing through the filter costs, beside no filter, squid and tinyproxy; JSON on standard output.

Runs in a network and a mount namespace of its own (`unshare -nm`), whose loopback has one more address: there nginx answers, by that address the policy allows it, and no other
traffic is about. Every client is the same program on every way; on ours it runs inside, as it would. A round goes every way once, and of
the rounds the medians are kept.
"""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SERVER, PORT, SQUID, TINYPROXY, OURS = "45.0.0.2", 8080, 3901, 3902, 3128
CONFIGURATIONS = {
    "nginx": """daemon off; master_process off; pid @/nginx.pid; error_log /dev/null;
        events { worker_connections 4096; }
        http { access_log off; sendfile on; keepalive_requests 1000000000; client_body_temp_path @/a; proxy_temp_path @/b; fastcgi_temp_path @/c;
            uwsgi_temp_path @/d; scgi_temp_path @/e; server { listen %s:%d; root @; } }"""
    % (SERVER, PORT),
    "squid": "http_port 127.0.0.1:%d\nhttp_access allow all\ncache deny all\naccess_log none\ncache_log /dev/null\npinger_enable off\n"
    "pid_filename @/squid.pid\ncoredump_dir @\nshutdown_lifetime 0 seconds\nvisible_hostname bench\n" % SQUID,
    "tinyproxy": 'Port %d\nListen 127.0.0.1\nTimeout 60\nMaxClients 200\nLogFile "/dev/null"\nLogLevel Critical\nAllow 127.0.0.1\n' % TINYPROXY,
}
WRK = 'request = function() return "GET http://%s:%d/1k HTTP/1.1\\r\\nHost: %s:%d\\r\\n\\r\\n" end\n' % (SERVER, PORT, SERVER, PORT)


class Missing(Exception):
    pass


class Ways:
    def __init__(self, build, quick):
        self.build, self.quick = pathlib.Path(build).resolve(), quick
        self.missing, self.started = [], []
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="coffer-bench-"))
        self.work.chmod(0o755)

    def prepare(self):
        subprocess.run(["mount", "-t", "tmpfs", "none", "/dev/shm"], check=True)  # squid leaves its segments there
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "address", "add", f"{SERVER}/32", "dev", "lo"], check=True)
        (self.work / "1k").write_bytes(b"x" * 1024)
        self.size = (256 if self.quick else 1024) << 20
        with open(self.work / "big", "wb") as file:
            file.truncate(self.size)
        (self.work / "proxied.lua").write_text(WRK)
        shutil.copy(self.build / "tests/bench/tunnels", self.work / "tunnels")
        self.serve("nginx", ["-p", str(self.work), "-c"], (SERVER, PORT))
        self.squid = self.try_to_serve("squid", ["-N", "-f"], SQUID)
        self.tinyproxy = self.try_to_serve("tinyproxy", ["-d", "-c"], TINYPROXY)

    def serve(self, name, flags, at):
        program = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
        if not program:
            raise Missing(f"no {name}")
        conf = self.work / f"{name}.conf"
        conf.write_text(CONFIGURATIONS[name].replace("@", str(self.work)))
        process = subprocess.Popen([program, *flags, str(conf)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started.append(process)
        for _ in range(400):
            with contextlib.suppress(OSError):
                socket.create_connection(at, 1).close()
                return
            if process.poll() is not None:
                break
            time.sleep(0.05)
        raise Missing(f"{name} does not run here")

    def try_to_serve(self, name, flags, port):
        try:
            self.serve(name, flags, ("127.0.0.1", port))
            return True
        except Missing as reason:
            self.missing.append(str(reason))
            return False

    def stop(self):
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    def client(self, argv, inside):
        box = [str(self.build / "coffer"), "run", "--allow-domain", f"{SERVER}:{PORT}", "--read", str(self.work), "--output", "unlimited", "--"] if inside else []
        done = subprocess.run([*box, *argv], cwd=self.work, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{argv}: {done.returncode} {done.stdout[-300:]} {done.stderr[-300:]}")
        return done.stdout

    def rounds(self, count, ways, measure):
        """ways: name to (argv, inside)."""
        figures = {name: [] for name in ways}
        for _ in range(3 if self.quick else count):
            for name in random.sample(list(ways), len(ways)):
                figures[name].append(measure(self.client(*ways[name])))
        return {name: statistics.median(values) for name, values in figures.items()}

    def bytes(self):
        curl = ["curl", "-sS", "-o", "/dev/null", "-w", "%{size_download} %{time_total}"]
        url, through = f"http://{SERVER}:{PORT}/big", "http://127.0.0.1:%d"
        ways = {
            "direct": ([*curl, "--noproxy", "*", url], False),
            "coffer, CONNECT": ([*curl, "--proxytunnel", "-x", through % OURS, url], True),
            "coffer, transparent": ([*curl, "--noproxy", "*", url], True),
            "coffer, GET": ([*curl, "-x", through % OURS, url], True),
        }
        if self.squid:
            ways["squid, CONNECT"] = ([*curl, "--proxytunnel", "-x", through % SQUID, url], False)
            ways["squid, GET"] = ([*curl, "-x", through % SQUID, url], False)
        if self.tinyproxy:
            ways["tinyproxy, CONNECT"] = ([*curl, "--proxytunnel", "-x", through % TINYPROXY, url], False)

        def measure(text):
            size, seconds = text.split()
            if int(size) != self.size:
                raise RuntimeError(f"{size} bytes of {self.size}")
            return int(size) / float(seconds) / 1e6

        return self.rounds(9, ways, measure)

    def requests(self):
        if not shutil.which("wrk"):
            self.missing.append("no wrk")
            return {}
        wrk, lua = ["wrk", "-t1", "-c16", "-d", "1s" if self.quick else "3s"], ["-s", str(self.work / "proxied.lua")]
        ways = {
            "direct": ([*wrk, f"http://{SERVER}:{PORT}/1k"], False),
            "coffer": ([*wrk, *lua, f"http://127.0.0.1:{OURS}/"], True),
            "coffer, transparent": ([*wrk, f"http://{SERVER}:{PORT}/1k"], True),
        }
        if self.squid:
            ways["squid"] = ([*wrk, *lua, f"http://127.0.0.1:{SQUID}/"], False)

        def measure(text):
            if "Non-2xx" in text or "Socket errors" in text:
                raise RuntimeError(text)
            return float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1])

        return self.rounds(5, ways, measure)

    def tunnels(self):
        tunnels = [str(self.work / "tunnels"), "500" if self.quick else "2000", "127.0.0.1"]
        goal = f"{SERVER}:{PORT}"
        ways = {"coffer": ([*tunnels, str(OURS), goal], True)}
        if self.squid:
            ways["squid"] = ([*tunnels, str(SQUID), goal], False)
        if self.tinyproxy:
            ways["tinyproxy"] = ([*tunnels, str(TINYPROXY), goal], False)
        return self.rounds(9, ways, float)


def main(build, *flags):
    ways = Ways(build, "--quick" in flags)
    try:
        ways.prepare()
        tables = {"bytes": ways.bytes(), "requests": ways.requests(), "tunnels": ways.tunnels()}
    except Missing as reason:
        tables, ways.missing = {}, [*ways.missing, str(reason)]
    finally:
        ways.stop()
    print(json.dumps({"tables": tables, "missing": ways.missing}))


if __name__ == "__main__":
    main(*sys.argv[1:])
