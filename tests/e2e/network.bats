#!/usr/bin/env bats
# What leaves a sandbox: the domains that the policy names, by every way that programs know, and nothing else.
# The other side is tests/e2e/internet, a small Internet of ours in namespaces of its own.

load lib

setup() {
	[ "$(id -u)" = 0 ] || skip "a network of its own takes root"
	workspace
	export PATH="${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build}:$PATH" XDG_RUNTIME_DIR="$TOP/run"
	mkdir -m 700 "$TOP/run"
}

internet() {
	"$BATS_TEST_DIRNAME/internet" "$@"
}

# SCRIPT [POLICY OPTION…]: a shell script inside, on the Internet.
inside() {
	local script=$1
	shift
	internet coffer run "$@" -- sh -c "$script"
}

@test "an allowed name is reached over HTTP, another one is not, and the client hears why" {
	run inside 'curl -sS http://allowed.test/path; echo; curl -si http://other.test/' --allow-domain allowed.test
	[ "$status" = 0 ]
	[[ "$output" == *"GET /path"*"Host: allowed.test"* ]]
	[[ "$output" == *"HTTP/1.1 403 "* ]]
	[[ "$output" == *"X-Proxy-Error: blocked-by-allowlist"* ]]
	[[ "$output" == *"Connection blocked by network allowlist"* ]]
	[[ "$output" != *"Host: other.test"* ]]
}

@test "TLS is tunnelled untouched, with the server's own certificate" {
	cp "$BATS_TEST_DIRNAME/internet" . # something to look at
	run internet sh -c 'cp "$INTERNET_CA" ca.pem && coffer run --allow-domain "*.allowed.test:443" -- curl -sS --cacert ca.pem https://www.allowed.test/tls'
	[ "$status" = 0 ]
	[[ "$output" == *"GET /tls"* ]]
	run inside 'curl -sS https://allowed.test/' --allow-domain "*.allowed.test" # the apex is not below itself
	[ "$status" = 56 ]
	[[ "$output" == *"403"* ]]
}

@test "a port in the pattern is the only one" {
	run inside 'curl -s http://allowed.test:8080/a | head -1; curl -si http://allowed.test/ | head -1' --allow-domain allowed.test:8080
	[[ "$output" == *"GET /a"* ]]
	[[ "$output" == *"HTTP/1.1 403 "* ]]
}

@test "a denied name beats an allowed one, and may have a reason" {
	echo '{"network": {"allowedDomains": ["allowed.test", "*.allowed.test"], "deniedDomains": ["www.allowed.test"], "deniedDomainReasons": {"www.allowed.test": "ask the team first"}}}' >"$TOP/s.json"
	run inside 'curl -si http://www.allowed.test/ | head -1; curl -s http://allowed.test/ok | head -1' --settings "$TOP/s.json"
	[[ "$output" == *"403 ask the team first"* ]]
	[[ "$output" == *"GET /ok"* ]]
}

@test "a name is refused for where it leads: this machine, private networks, link-local, cloud metadata" {
	local names="local.test meta.test self.test private.test"
	run inside "for name in $names; do curl -si http://\$name/ | head -1; done" --allow-domain local.test --allow-domain meta.test --allow-domain self.test --allow-domain private.test
	[[ "$output" == *"resolved to a loopback address"* ]]
	[[ "$output" == *"resolved to a cloud metadata address"* ]]
	[[ "$output" == *"resolved to one of this host's own address"* ]]
	[[ "$output" == *"resolved to a private address"* ]]
	[[ "$output" != *"200 OK"* ]]
	run inside 'curl -s http://private.test/p | head -1' --allow-domain private.test --allow-private-addresses
	[ "$output" = "GET /p" ]
	run inside 'curl -s http://mixed.test/m | head -1' --allow-domain mixed.test # the address that is fine is the one that is dialled
	[ "$output" = "GET /m" ]
}

@test "an address that a route makes this machine's own, at whatever interface, is refused as well" {
	run internet sh -c 'python3 -m http.server 8000 --bind 0.0.0.0 >/dev/null 2>&1 &
		curl -sI --retry 20 --retry-connrefused --retry-delay 1 http://45.0.1.1:8000/ | head -1
		coffer run --allow-domain routed.test -- curl -si http://routed.test:8000/ | head -1; kill $!'
	[[ "${lines[0]}" == *"200 OK"* ]] # without the filter it does lead here
	[[ "${lines[1]}" == *"resolved to one of this host's own address"* ]]
}

@test "IPv6: names and addresses are dialled, judged and, when nobody is there, followed by the next address" {
	run inside 'curl -sS http://six.test/s | head -1; curl -sS "http://[2a00:4500::2]:8080/a" | head -1; curl -sS http://lame.test/l | head -1
		curl -sS --socks5-hostname 127.0.0.1:1080 http://six.test/k | head -1
		curl -sS --socks5 127.0.0.1:1080 "http://[2a00:4500::2]/n" | head -1
		for name in six-self six-local six-mapped; do curl -si http://$name.test/ | head -1; done
		curl -si "http://[2a00:4500::3]/" | head -1; curl -si "http://[::ffff:45.0.0.2]/" | head -1' \
		--allow-domain six.test --allow-domain "[2a00:4500::2]" --allow-domain lame.test --allow-domain six-self.test --allow-domain six-local.test --allow-domain six-mapped.test
	for path in s a l k n; do [[ "$output" == *"GET /$path"* ]]; done
	[[ "$output" == *"resolved to one of this host's own address"*"resolved to a loopback address"*"resolved to a loopback address"* ]]
	[ "$(grep -c "403 host is not on the allow list" <<<"$output")" = 2 ]
}

@test "SOCKS5, with names and with addresses" {
	run inside 'unset http_proxy HTTP_PROXY; curl -sS --socks5-hostname 127.0.0.1:1080 http://allowed.test/s | head -1
		curl -sS --socks5-hostname 127.0.0.1:1080 http://other.test/; echo "status $?"
		curl -sS --socks5 127.0.0.1:1080 http://45.0.0.2/a | head -1
		curl -sS --socks5 127.0.0.1:1080 http://45.0.0.3/; echo "status $?"' --allow-domain allowed.test --allow-domain 45.0.0.2
	[[ "$output" == *"GET /s"* ]]
	[[ "$output" == *"GET /a"* ]]
	[ "$(grep -c "status 97" <<<"$output")" = 2 ]
}

@test "programs that know of no proxy: names, HTTP, TLS and whatever else, by the same policy" {
	cat >direct.sh <<-'EOF'
		getent ahostsv4 allowed.test | head -1
		curl -sS http://allowed.test/plain | head -2
		curl -sS http://allowed.test:8080/port | head -2
		curl -sS --cacert ca.pem https://allowed.test/tls | head -1
		exec 3<>/dev/tcp/allowed.test/7 && echo echoed >&3 && head -1 <&3
	EOF
	run internet sh -c 'cp "$INTERNET_CA" ca.pem && coffer run --allow-domain allowed.test -- env -i PATH=/usr/bin bash direct.sh'
	[ "$status" = 0 ]
	[[ "$output" == *"198.18."*"STREAM allowed.test"* ]]
	[[ "$output" == *"GET /plain"*"Host: allowed.test"* ]]
	[[ "$output" == *"GET /port"*"Host: allowed.test:8080"* ]]
	[[ "$output" == *"GET /tls"* ]]
	[[ "$output" == *"echoed"* ]]
}

# SCRIPT: a Python script inside, without proxies, that may reach allowed.test.
direct() {
	printf '%s\n' "$1" >direct.py
	run internet coffer run --allow-domain allowed.test "${@:2}" -- env -i PATH=/usr/bin /usr/bin/python3 direct.py
}

@test "what a client without a proxy hears of a refusal, and at once" {
	direct '
import http.client, socket, ssl, time
def ask(host, port, first=b"", server=None):
    start = time.monotonic()
    try:
        with socket.create_connection((host, port), 20) as s:
            if server:
                ssl.create_default_context().wrap_socket(s, server_hostname=server)
            s.sendall(first)
            return s.recv(4096).split(b"\r\n")[0]
    except OSError as e:
        return getattr(e, "reason", None) or e.errno, time.monotonic() - start < 15
print(ask("45.0.0.3", 80, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
print(ask("45.0.0.3", 443, server="allowed.test"))
print("reset", ask("45.0.0.3", 5432, b"\0\0\0\x08\x04\xd2\x16\x2f"))
print("silent", ask("45.0.0.3", 25))
print(ask("allowed.test", 80, b"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n"))
print("sni", ask("allowed.test", 443, server="other.test"))
print("nobody", ask("allowed.test", 81, b"GET / HTTP/1.1\r\nHost: allowed.test:81\r\n\r\n"))
for wanted, connection in ("echo", "Upgrade"), ("other", "Upgrade"), ("echo", "keep-alive"):
    with socket.create_connection(("allowed.test", 80), 20) as s:
        s.sendall(f"GET / HTTP/1.1\r\nHost: allowed.test\r\nUpgrade: {wanted}\r\nConnection: {connection}\r\n\r\n".encode())
        print(wanted, connection, s.recv(12).decode())
        if (wanted, connection) == ("echo", "Upgrade"):
            while not s.recv(4096).endswith(b"\r\n\r\n"): pass
            s.sendall(b"\0\1GET / HTTP/1.1"); print("switched", s.recv(99))
c = http.client.HTTPConnection("allowed.test", timeout=20)
for host in "allowed.test", "other.test":
    c.request("GET", "/", headers={"Host": host}); r = c.getresponse(); r.read(); print("kept", r.status)
'
	[ "$status" = 0 ]
	[[ "$output" == *"403 host is not on the allow list"* ]]
	[[ "$output" == *"TLSV1_ALERT_ACCESS_DENIED"* ]]
	[[ "$output" == *"reset (104, True)"* ]]
	[[ "$output" == *"silent (104, True)"* ]]
	[[ "$output" == *"421 Misdirected Request"* ]]
	[[ "$output" == *"sni ('TLSV1_ALERT_ACCESS_DENIED', True)"* ]]
	[[ "$output" == *"nobody b'HTTP/1.1 502 Bad Gateway'"* ]]
	[[ "$output" == *"kept 200"*"kept 421"* ]]
	[[ "$output" == *"echo Upgrade HTTP/1.1 101"*"switched b'\x00\x01GET / HTTP/1.1'"* ]]
	[[ "$output" == *"other Upgrade HTTP/1.1 200"*"echo keep-alive HTTP/1.1 200"* ]]
}

@test "there is no other way out: no lookup of other names, no datagram, no other protocol" {
	direct '
import socket
for name in "other.test", "x.allowed.test", "secret.evil.example", "45.0.0.2.", "localhost.evil":
    try: print(name, socket.getaddrinfo(name, 80))
    except OSError: print("unresolved")
print(socket.gethostbyname("localhost"))
def ask(server, packet):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5); s.connect((server, 53)); s.send(packet); return s.recv(512)
query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\7allowed\4test\0\0%c\0\1"
print("any server", ask("8.8.8.8", query % 1)[-4:-2], "no other type", ask("127.0.0.53", query % 28)[6:8], ask("1.1.1.1", query % 65)[6:8])
for kind in socket.SOCK_DGRAM,:
    for port in 7, 443, 123:
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.settimeout(5); s.connect(("45.0.0.2", port)); s.send(b"x"); s.recv(1); print("sent")
            except OSError as e: print("refused", e.errno)
for kind, protocol in (socket.SOCK_STREAM, 262), (socket.SOCK_SEQPACKET, 132), (socket.SOCK_DGRAM, 136), (socket.SOCK_DGRAM, 1), (socket.SOCK_RAW, 1):
    try:
        with socket.socket(socket.AF_INET, kind, protocol) as s:
            s.settimeout(5); s.connect(("45.0.0.3", 80)); s.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"); print("got", s.recv(99).split(b"\r\n")[0])
    except OSError as e: print("no", protocol, e.errno)
'
	[ "$status" = 0 ]
	[ "$(grep -c unresolved <<<"$output")" = 5 ]
	[[ "$output" == *"127.0.0.1"* ]]
	[[ "$output" == *"any server b'\xc6\x12' no other type b'\x00\x00' b'\x00\x00'"* ]]
	[ "$(grep -c "^refused 1$" <<<"$output")" = 3 ]
	[[ "$output" != *sent* ]]
	[[ "$output" != *"200 OK"* ]]
	run internet sh -c 'coffer run --allow-domain allowed.test -- sh -c "getent hosts other.test; getent hosts other.test; true"; coffer why'
	[ "$(grep -c "connect other.test" <<<"$output")" = 1 ]
	[[ "$output" == *"--allowed-domains other.test"* ]]
}

@test "servers inside are reached inside, at every address of the loopback" {
	direct '
import socket
for family, address in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.9.9.9"), (socket.AF_INET6, "::1"):
    with socket.create_server((address, 5432), family=family) as server, socket.create_connection((address, 5432), 5) as client:
        server.accept()[0].sendall(b"inside"); print(client.recv(6).decode())
for port in 80, 443, 53:
    try: socket.create_server(("", port)).close(); print("own port", port)
    except PermissionError: print("own port is not for a user")
'
	[ "$(grep -c inside <<<"$output")" = 3 ]
	[ "$(grep -c "own port" <<<"$output")" = 3 ]
}

@test "a kernel without nf_tables: proxies only, and a note says so" {
	run internet "${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build}/tests/e2e-without" nftables -- coffer run --verbose --allow-domain allowed.test -- sh -c 'curl -s http://allowed.test/p | head -1; curl -sS --noproxy "*" -m 5 http://45.0.0.2/; getent hosts allowed.test; true'
	[[ "$output" == *"note: only programs that go by proxy variables reach the network"* ]]
	[[ "$output" == *"GET /p"* ]]
	[[ "$output" == *"(7)"* ]]
	[[ "$output" != *"198.18."* ]]
}

@test "a plan that is made again tells what it notes once" {
	run internet "${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build}/tests/e2e-without" nftables landlock -- coffer run --verbose --allow-domain allowed.test -- true
	grep "^coffer: note: " <<<"$output" > notes
	grep "proxy variables" notes
	grep -i landlock notes
	[ -z "$(sort notes | uniq -d)" ]
}

@test "other settings while it runs: what they allow is reached, what they forbid ends, and what is no settings changes nothing" {
	cat >inside.py <<-'EOF'
		import socket, urllib.request
		def get(host):
		    try:
		        return urllib.request.urlopen(f"http://{host}/", timeout=20).status
		    except urllib.error.HTTPError as e:
		        return e.code
		kept = socket.create_connection(("allowed.test", 7), 20); kept.sendall(b"x"); print("kept", kept.recv(1))
		idle = socket.create_connection(("www.allowed.test", 7), 20); idle.sendall(b"x"); idle.recv(1)
		print("before", get("allowed.test"), get("other.test"), flush=True)
		open("ready", "w").close()
		try:
		    print("kept", kept.recv(1))
		except OSError as e:
		    print("ended", e.errno)
		print("after", get("allowed.test"), get("other.test"))
		idle.sendall(b"y"); print("idle", idle.recv(1))
	EOF
	cat >outside.sh <<-'EOF'
		mkfifo "$TOP/control"
		exec 3<>"$TOP/control"
		coffer run --write . --control-fd 3 --access-log "$TOP/log" --allow-domain "allowed.test" --allow-domain www.allowed.test -- /usr/bin/python3 inside.py &
		for i in $(seq 300); do [ -e ready ] && break; sleep 0.1; done
		echo 'nonsense' >&3
		echo '{"network": {"mode": "host"}}' >&3
		printf '{"network": {"allowedDomains": ' >&3; sleep 0.3; echo '["other.test", "www.allowed.test"]}}' >&3
		wait $!
	EOF
	export TOP
	run internet sh outside.sh
	[ "$status" = 0 ]
	[[ "$output" == *"kept b'x'"*"before 200 403"*"ended 104"*"after 403 200"*"idle b'y'"* ]]
	[ "$(grep -c "Invalid config on control fd 3: ignored, previous config still in force" <<<"$output")" = 2 ]
	[[ "$output" == *"out of reach of a run whose network is filtered"* ]]
	python3 - "$TOP/log" <<-'EOF'
		import json, sys
		lines = [json.loads(line) for line in open(sys.argv[1])]
		verdicts = [(l["verdict"], l["way"], l["host"], l["port"]) for l in lines]
		assert ("open", "transparent", "allowed.test", 7) in verdicts and ("deny", "transparent", "allowed.test", 7) in verdicts, verdicts
		assert ("deny", "http", "other.test", 80) in verdicts and ("open", "http", "other.test", 80) in verdicts
		assert len([v for v in verdicts if v[0] == "open"]) == len([v for v in verdicts if v[0] == "close"]), verdicts
		closed = [l for l in lines if l["verdict"] == "close" and l["host"] == "www.allowed.test"][0]
		assert closed["bytes_up"] == 2 and closed["bytes_down"] == 2 and closed["rule"] and closed["time"].endswith("Z"), closed
	EOF
	run coffer run --control-fd 77 -- true
	[ "$status" = 125 ]
	[[ "$output" == *"descriptor 77 is not open"* ]]
	run coffer run --access-log /nowhere/log -- true
	[ "$status" = 125 ]
	[[ "$output" == *"--access-log /nowhere/log: No such file or directory"* ]]
}

@test "each refusal is a denial with the smallest change that would allow it" {
	run internet sh -c 'coffer run --allow-domain allowed.test -- curl -s http://other.test/ >/dev/null; coffer why'
	[[ "$output" == *"connect other.test:80"* ]]
	[[ "$output" == *"--allowed-domains other.test:80"* ]]
	[[ "$output" == *'{"network": {"allowedDomains": ["other.test:80"]}}'* ]]
}

@test "wget, Python and git go through it unasked" {
	run inside 'wget -qO- http://allowed.test/w | head -1
		/usr/bin/python3 -c "import urllib.request as r; print(r.urlopen(\"http://allowed.test/py\").read().decode().split(chr(10))[0])"
		git ls-remote http://allowed.test/r 2>&1 | tail -1' --allow-domain allowed.test
	[[ "$output" == *"GET /w"* ]]
	[[ "$output" == *"GET /py"* ]]
	[[ "$output" == *"allowed.test"* ]]
}

@test "64 MiB up and down, byte for byte" {
	run inside 'curl -s http://allowed.test/bytes/67108864 | sha256sum
		head -c 67108864 /dev/zero >/tmp/zeros; curl -s -T /tmp/zeros http://allowed.test/up | tail -c 67108864 | sha256sum' --allow-domain allowed.test
	[[ "$output" == *"$(python3 -c 'import hashlib;print(hashlib.sha256(bytes(range(256))*262144).hexdigest())')"* ]]
	[[ "$output" == *"$(head -c 67108864 /dev/zero | sha256sum | cut -d' ' -f1)"* ]]
}

@test "the filter ends with the run, however that ends" {
	run internet sh -c 'coffer run --allow-domain allowed.test -- true; pgrep -c --ns $$ --nslist net coffer-egress
		coffer run --allow-domain allowed.test -- sleep 100 & sleep 1; kill -9 $!; for i in 1 2 3 4 5 6 7 8 9 10; do pgrep --ns $$ --nslist net coffer-egress >/dev/null || break; sleep 0.5; done; pgrep -c --ns $$ --nslist net coffer-egress'
	[ "$(grep -c '^0$' <<<"$output")" = 2 ]
	coffer gc # what the kill left
	[ -z "$(ls "$XDG_RUNTIME_DIR/coffer/journal")" ]
}

@test "an ordinary user has the same" {
	chmod 755 "$TOP" "$TOP/ws" "$TOP/home"
	chown -R 65534:65534 "$TOP/run"
	run internet setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$TOP/home" coffer run --allow-domain allowed.test -- sh -c 'curl -s http://allowed.test/u | head -1; curl -si http://other.test/ | head -1'
	[[ "$output" == *"GET /u"* ]]
	[[ "$output" == *"403"* ]]
}

@test "a filter that cannot start is said, and nothing runs" {
	run sh -c 'ulimit -n 600; coffer run --allow-domain allowed.test -- echo ran'
	[ "$status" = 125 ]
	[[ "$output" == *"the egress filter does not start: "*"open files are needed"* ]]
	[[ "$output" != *"ran"* ]]
}

# SCRIPT: on the Internet, with a proxy at 127.0.0.1:3999 and at $TOP/mitm.sock that answers every request with "hello".
behind_a_proxy() {
	export TOP
	cat >"$TOP/proxy.py" <<-'PY'
		import os, socket, sys, time
		sys.path.insert(0, sys.argv[1])
		import egress
		here = socket.socket(socket.AF_UNIX)
		here.bind(sys.argv[2])
		os.chmod(sys.argv[2], 0o777)
		here.listen(8)
		proxies = [egress.Proxy(7, listener=here), egress.Proxy(7, listener=socket.create_server(("127.0.0.1", 3999)))]
		open(sys.argv[2] + ".up", "w").close()
		time.sleep(60)
	PY
	internet sh -c "COFFER_BUILD=x PYTHONDONTWRITEBYTECODE=1 python3 '$TOP/proxy.py' '$BATS_TEST_DIRNAME' '$TOP/mitm.sock' & pid=\$!
		while [ ! -e '$TOP/mitm.sock.up' ]; do sleep 0.1; done; $1
		kill \$pid"
}

@test "a parent proxy looks names up, and is asked for what is allowed alone" {
	echo '{"network": {"allowedDomains": ["nowhere.test", "allowed.test"], "parentProxy": {"http": "http://u:secret@127.0.0.1:3999", "noProxy": "allowed.test"}}}' >"$TOP/s.json"
	run behind_a_proxy 'coffer run --settings "$TOP/s.json" -- sh -c "curl -s http://nowhere.test/; echo; curl -s http://other.test/; echo; curl -s http://allowed.test/near | head -1; env"
		coffer explain --settings "$TOP/s.json" -- true'
	[ "${lines[0]}" = hello ]
	[ "${lines[1]}" = "Connection blocked by network allowlist" ]
	[ "${lines[2]}" = "GET /near" ]
	[[ "$output" != *secret* ]]
}

@test "srt takes the caller's proxy for a parent, but for what NO_PROXY names" {
	echo '{"network": {"allowedDomains": ["allowed.test", "nowhere.test"], "deniedDomains": []}, "filesystem": {"denyRead": [], "allowWrite": ["."], "denyWrite": []}}' >"$HOME/.srt-settings.json"
	run behind_a_proxy 'export HTTP_PROXY=127.0.0.1:3999; srt -c "curl -s http://nowhere.test/"; echo; NO_PROXY=.allowed.test srt -c "curl -s http://allowed.test/near" | head -1
		HTTP_PROXY=ftp://x.y srt -c "curl -s http://allowed.test/direct" | head -1'
	[ "${lines[0]}" = hello ]
	[ "${lines[1]}" = "GET /near" ]
	[ "${lines[2]}" = "GET /direct" ]
}

@test "a proxy of somebody else's on this machine, and one with a Unix socket for some hosts" {
	echo '{"network": {"httpProxyPort": 3999}}' >"$TOP/s.json"
	echo "{\"network\": {\"allowedDomains\": [\"allowed.test\", \"*.mitm.test\"], \"mitmProxy\": {\"socketPath\": \"$TOP/mitm.sock\", \"domains\": [\"*.mitm.test\"]}}}" >"$TOP/m.json"
	run behind_a_proxy 'coffer run --settings "$TOP/s.json" -- curl -s http://any.test/; echo
		coffer run --settings "$TOP/m.json" -- sh -c "curl -s http://a.mitm.test/; echo; curl -s http://allowed.test/direct | head -1"'
	[ "${lines[0]}" = hello ]
	[ "${lines[1]}" = hello ]
	[ "${lines[2]}" = "GET /direct" ]
}

@test "what contradicts itself is refused before anything runs" {
	run coffer run --network host --allow-domain example.com -- echo ran
	[ "$status" = 125 ]
	[[ "$output" == *"domains are not filtered on the host's network"* ]]
	run coffer run --allow-domain '*.com' --allow-domain 'http://x.com' --allow-domain 0x7f.1 -- echo ran
	[ "$status" = 125 ]
	[ "$(grep -c -- --allow-domain <<<"$output")" = 3 ]
}

@test "srt: settings, words and the client's answers as srt has them" {
	echo '{"network": {"allowedDomains": ["allowed.test"], "deniedDomains": []}, "filesystem": {"denyRead": [], "allowWrite": ["."], "denyWrite": []}}' >"$HOME/.srt-settings.json"
	run internet srt "curl -s http://allowed.test/a | head -1; curl -s http://other.test/"
	[ "$status" = 0 ]
	[ "${lines[0]}" = "GET /a" ]
	[ "${lines[1]}" = "Connection blocked by network allowlist" ]
	run srt sh -c 'exit 7'
	[ "$status" = 7 ] || [ "$status" = 2 ] # -c is srt's own, wherever it stands
	run srt
	[ "$status" = 1 ]
	[ "$output" = "Error: No command specified. Use -c <command> or provide command arguments." ]
	run srt -c 'kill -TERM $$'
	[ "$status" = 143 ]
	mkdir -p "$HOME/.npm/_logs" && chmod 700 "$HOME" # srt opens the directory below, which root's sandbox may not enter
	run srt echo 'a  b' "it's" '$HOME'
	[ "$output" = "a  b it's \$HOME" ]
	run srt -c 'echo $SANDBOX_RUNTIME $HTTP_PROXY; echo x > written && cat written'
	[ "${lines[0]}" = "1 http://localhost:3128" ]
	[ "${lines[1]}" = x ]
	run srt --settings "$TOP/nothing.json" true
	[ "$status" = 1 ]
	[[ "$output" == *"Refusing to run with the built-in defaults"* ]]
}

@test "srt: other settings by --control-fd" {
	local rest='"deniedDomains": []}, "filesystem": {"denyRead": [], "allowWrite": ["."], "denyWrite": []}}'
	echo "{\"network\": {\"allowedDomains\": [\"allowed.test\"], $rest" >"$TOP/s.json"
	echo "{\"network\": {\"allowedDomains\": [\"other.test\"], $rest" >"$TOP/next.json"
	cat >outside.sh <<-'EOF'
		mkfifo "$TOP/control"
		exec 3<>"$TOP/control"
		srt -s "$TOP/s.json" --control-fd 3 -c 'curl -s http://allowed.test/a | head -1; touch ready; read line < go; curl -s http://allowed.test/b; echo; curl -s http://other.test/c | head -1' &
		for i in $(seq 300); do [ -e ready ] && break; sleep 0.1; done
		echo nonsense >&3
		cat "$TOP/next.json" >&3
		sleep 1
		echo >go
		wait $!
	EOF
	mkfifo go
	export TOP
	run internet sh outside.sh
	[ "$status" = 0 ]
	[[ "$output" == *"GET /a"*"Connection blocked by network allowlist"*"GET /c"* ]]
	[ "$(grep -c "^Invalid config on control fd 3: ignored, previous config still in force$" <<<"$output")" = 1 ]
	run srt --control-fd 77 true
	[ "$status" = 1 ]
	[ "$output" = "Error: --control-fd 77 is not usable: EBADF: bad file descriptor, read. Refusing to run the command without the control channel it asks for." ]
}
