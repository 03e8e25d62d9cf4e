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

@test "there is no other way out: no route, no lookup, no datagram" {
	run inside 'curl -sS --noproxy "*" -m 5 http://45.0.0.2/; echo "direct $?"
		/usr/bin/python3 -c "
import socket
for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
    try:
        with socket.socket(socket.AF_INET, kind) as s:
            s.connect((\"45.0.0.2\", 7)); s.send(b\"x\"); print(\"sent\")
    except OSError as e: print(\"refused\", e.errno)
try: print(socket.gethostbyname(\"allowed.test\"), \"resolved\")
except OSError: print(\"unresolved\")"' --allow-domain allowed.test
	[[ "$output" == *"direct 7"* ]]
	[ "$(grep -c refused <<<"$output")" = 2 ]
	[[ "$output" == *"unresolved"* ]]
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
	run internet sh -c 'coffer run --allow-domain allowed.test -- true; pgrep -c coffer-egress
		coffer run --allow-domain allowed.test -- sleep 100 & sleep 1; kill -9 $!; for i in 1 2 3 4 5 6 7 8 9 10; do pgrep coffer-egress >/dev/null || break; sleep 0.5; done; pgrep -c coffer-egress'
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
