#!/usr/bin/env bats
# bats file_tags=once
# TLS that ends in the egress filter: tls.py drives the filter alone; the rest is coffer on the Internet of tests/e2e/internet.

setup() {
	load lib
	workspace
	export COFFER_BUILD=${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build} PYTHONDONTWRITEBYTECODE=1
	COFFER_BUILD=$(realpath "$COFFER_BUILD")
}

filter() {
	TMPDIR=$TOP python3 "$BATS_TEST_DIRNAME/tls.py" "$1"
}

@test "tls: a certificate for each host, requests that are read, a server that is verified" {
	filter opens
}

@test "tls: megabytes there and back, in bounded memory" {
	filter large
}

@test "tls: a server with another name, a foreign, an old or no authority never sees a request" {
	filter untrusted
}

@test "tls: CONNECT, SNI and Host name one host, or nothing goes out" {
	filter names
}

@test "tls: clients that do not trust it, or do not speak" {
	filter client
}

@test "tls: who speaks HTTP/2 as well falls back, who offers it alone is refused" {
	filter alpn
}

@test "tls: other rules while it runs, and what they cannot change" {
	filter renew
}

@test "tls: requests to AWS are signed anew, or refused" {
	filter aws
}

@test "tls: hosts whose TLS stays closed" {
	filter excluded
}

@test "tls: a proxy behind ours that is spoken to with TLS, and has to be who it is named" {
	filter parent
	filter parent_answers
	filter parent_of_runs
}

@test "tls: no more tunnels than maxTunnels" {
	filter crowd
}

@test "tls: rules for requests: methods, paths in every reading, headers, reasons" {
	filter requests
}

@test "tls: the rules hold for plain HTTP, whichever way it comes" {
	filter plain
}

@test "tls: placeholders become secrets for their hosts alone, over TLS alone" {
	filter secrets
}

@test "tls: a WebSocket is a tunnel behind its 101" {
	filter upgrade
}

@test "tls: confined like the filter without TLS; rules that cannot be are refused" {
	filter confined
}

@test "tls: all else is as in the filter without TLS" {
	[ "$(id -u)" = 0 ] || skip "a resolver on port 53 needs root"
	printf 'nameserver 127.0.0.53\nsearch corp.test\noptions ndots:5\n' > resolv
	unshare -m true 2> /dev/null || skip "no mount namespace for a resolv.conf"
	export COFFER_EGRESS=coffer-egress-tls
	unshare -m sh -c 'mount --bind resolv /etc/resolv.conf && exec python3 "$1" dns' sh "$BATS_TEST_DIRNAME/egress.py"
	for case in allowed denied localhost upstream socks first_words answers; do
		python3 "$BATS_TEST_DIRNAME/egress.py" "$case"
	done
}

# ---- coffer, on a small Internet ----

internet() {
	[ "$(id -u)" = 0 ] || skip "a network of its own takes root"
	export PATH="$COFFER_BUILD:$PATH" XDG_RUNTIME_DIR="$TOP/run"
	mkdir -p -m 700 "$TOP/run"
	"$BATS_TEST_DIRNAME/internet" sh -c "cp \"\$INTERNET_CA\" $TOP/root.pem; $1"
}

# settings JSON: network and credentials; servers are verified under the Internet's own authority.
settings() {
	printf '{"network": {"allowedDomains": ["allowed.test", "www.allowed.test", "other.test"], "tlsTerminate": {"extraCaCertPaths": ["%s/root.pem"]}%s}%s}' "$TOP" "$1" "$2" > "$TOP/s.json"
}

@test "tls: programs inside trust it: curl, wget, Python, git, Node's variable, and those that look at the system's bundle" {
	settings '' ''
	run internet "coffer run --settings $TOP/s.json -- sh -c 'curl -sS https://allowed.test/curl | head -1; wget -qO- https://allowed.test/wget | head -1
		/usr/bin/python3 -c \"import urllib.request as r; print(r.urlopen(\\\"https://allowed.test/py\\\").read().decode().split(chr(10))[0])\"
		curl -sS --noproxy \"*\" https://allowed.test/direct | head -1; git ls-remote https://allowed.test/r 2>&1 | tail -1
		curl -sS https://other.test/; echo \$NODE_EXTRA_CA_CERTS \$SSL_CERT_FILE; ls -l /dev/coffer-ca.pem; echo x > /dev/coffer-ca.pem'"
	[[ "$output" == *"GET /curl"*"GET /wget"*"GET /py"* ]]
	[[ "$output" == *"GET /direct"* ]] || [[ "$output" == *"nf_tables"* ]]
	[[ "$output" != *"certificate problem"* ]]
	[[ "$output" == *"Cannot reach other.test port 443: TLS: hostname mismatch"* ]]
	[[ "$output" == *"/dev/coffer-ca.pem /dev/coffer-ca.pem"* ]]
	[[ "$output" == *"-r--r--r--"* ]]
	[[ "$output" == *"Read-only file system"* || "$output" == *"Permission denied"* || "$output" == *"cannot create"* ]]
}

@test "tls: a masked variable and a masked file are of use, and nowhere to be found" {
	settings '' ', "credentials": {"envVars": [{"name": "GH_TOKEN", "mode": "mask", "injectHosts": ["allowed.test"]}, {"name": "HIDDEN", "mode": "deny"}],
		"files": [{"path": "~/.netrc", "mode": "mask", "extract": "password (\\S+)", "injectHosts": ["allowed.test"]}, {"path": "~/key", "mode": "deny"}]}'
	echo 'machine allowed.test login me password s3cret-netrc' > "$HOME/.netrc"
	echo s3cret-key > "$HOME/key"
	chmod 755 "$TOP" "$HOME"
	export GH_TOKEN=s3cret-token HIDDEN=s3cret-hidden
	run internet "coffer run --settings $TOP/s.json --allow-read ~ --inherit-env HIDDEN --json 3 -- sh -c 'cat ~/.netrc; echo \$GH_TOKEN; echo hidden:\$HIDDEN; cat ~/key
		grep -a -r -h -o \"s3cre[t]-[a-z]*\" /proc/[0-9]*/environ /proc/[0-9]*/cmdline /dev/shm /tmp 2> /dev/null
		p=\$(cut -d\" \" -f6 ~/.netrc); echo ==; curl -sS https://allowed.test/a -H \"X-Token: \$GH_TOKEN\" -H \"X-Netrc: \$p\"; echo ==
		curl -sS https://www.allowed.test/a -H \"X-Token: \$GH_TOKEN\"' 3> $TOP/outcome.json; coffer explain --json --settings $TOP/s.json -- true > $TOP/plan.json; coffer why > $TOP/why.txt"
	echo "$output"
	inside=${output%%==*} sent=${output#*==}
	[[ "$inside" != *s3cret* ]]
	[[ "$inside" == *"password fake_value_"* ]]
	[[ "$inside" == *"hidden:"$'\n'* ]]
	[[ "${sent%%==*}" == *"X-Token: s3cret-token"* ]]
	[[ "${sent%%==*}" == *"X-Netrc: s3cret-netrc"* ]]
	[[ "${sent#*==}" == *"X-Token: fake_value_"* ]]
	[[ "${sent#*==}" != *s3cret* ]]
	! grep -r s3cret "$TOP/outcome.json" "$TOP/plan.json" "$TOP/why.txt" "$TOP/run"
	! grep -r "$(printf s3cret | od -An -tx1 | tr -d ' \n')" "$TOP/plan.json"
	! grep -r "PRIVATE KEY" "$TOP/plan.json" "$TOP/outcome.json"
}

@test "tls: an AWS key is of use without being there, and pairs that are none are refused" {
	vars='{"name": "AWS_ACCESS_KEY_ID", "mode": "mask"}, {"name": "AWS_SECRET_ACCESS_KEY", "mode": "mask", "injectHosts": ["allowed.test"]}'
	pair='"awsPairs": [{"accessKeyIdVar": "AWS_ACCESS_KEY_ID", "secretAccessKeyVar": "AWS_SECRET_ACCESS_KEY"}]'
	settings '' ", \"credentials\": {\"envVars\": [$vars], $pair}"
	export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=s3cret-wJalrXUtnFEMI
	run internet "coffer run --settings $TOP/s.json -- sh -c 'env | grep AWS; for key in \"\$AWS_SECRET_ACCESS_KEY\" guessed; do
		curl -sS --aws-sigv4 aws:amz:us-east-1:s3 -u \"\$AWS_ACCESS_KEY_ID:\$key\" -H \"X-Mine: \$AWS_SECRET_ACCESS_KEY\" https://allowed.test/bucket/key; echo; done'
		coffer explain --json --settings $TOP/s.json -- true > $TOP/plan.json"
	echo "$output"
	[[ "$output" == *"AWS_SECRET_ACCESS_KEY=fake_value_"* ]]
	[[ "$output" == *"GET /bucket/key"*"Credential=AKIDEXAMPLE/"* ]]
	[[ "$output" == *"does not fit its request"* || "$output" == *"Forbidden"* || "$output" == *"blocked"* ]]
	[[ "$output" != *s3cret* ]]
	! grep -q s3cret "$TOP/plan.json"
	settings '' ", \"credentials\": {\"envVars\": [${vars%%\}*}}], $pair}"
	run internet "coffer run --settings $TOP/s.json -- true"
	[ "$status" = 125 ]
	[[ "$output" == *"/credentials/awsPairs"*"\"AWS_SECRET_ACCESS_KEY\" is not masked as a whole"* ]]
}

@test "tls: an authority of one's own, whose key is not shown inside" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$HOME/ca.key" -out "$HOME/ca.pem" -days 2 -subj /CN=ours 2> /dev/null
	chmod 755 "$TOP" "$HOME"
	chmod 644 "$HOME/ca.key"
	printf '{"network": {"allowedDomains": ["allowed.test"], "tlsTerminate": {"caCertPath": "~/ca.pem", "caKeyPath": "~/ca.key", "extraCaCertPaths": ["%s/root.pem"]}}}' "$TOP" > "$TOP/s.json"
	run internet "coffer run --settings $TOP/s.json --allow-read ~ -- sh -c 'cat ~/ca.key; curl -sSv https://allowed.test/own 2>&1'"
	[[ "$output" == *"issuer: CN=ours"* ]]
	[[ "$output" == *"GET /own"* ]]
	[[ "$output" != *"PRIVATE KEY"* ]]
	cp "$HOME/ca.pem" "$HOME/ca.key"
	run internet "coffer run --settings $TOP/s.json -- echo ran"
	[ "$status" = 125 ]
	[[ "$output" == *"/network/tlsTerminate"*"no private key"* ]]
}

@test "tls: a denied request is told with its reason, and is a denial" {
	settings ', "requests": [{"action": "deny", "hosts": ["allowed.test"], "paths": ["/private/**"], "reason": "ask the team first"}]' ''
	run internet "coffer run --settings $TOP/s.json -- sh -c 'curl -s https://allowed.test/private/x; curl -s https://allowed.test/public | head -1'; coffer why"
	[[ "$output" == *"ask the team first"* ]]
	[[ "$output" == *"GET /public"* ]]
	[[ "$output" == *"connect allowed.test:443"* ]]
}

@test "tls: a masked file that is a link, and a tightening document about a credential of the base's" {
	workspace
	echo SECRET > "$TOP/secret"
	ln -s "$TOP/secret" linked
	echo '{"network": {"allowedDomains": ["a.test"], "tlsTerminate": {}}, "credentials": {"files": [{"path": "'"$PWD/linked"'", "mode": "mask"}]}}' > link.json
	run "$COFFER_BUILD/coffer" run -s link.json -- cat linked
	[ "$status" = 125 ]
	[[ "$output" == *"is a link: name the file that it leads to"* ]]
	echo '{"network": {"allowedDomains": ["a.test", "b.test"], "tlsTerminate": {}}, "credentials": {"envVars": [{"name": "TOKEN", "mode": "mask", "injectHosts": ["a.test"]}]}}' > base.json
	echo '{"credentials": {"envVars": [{"name": "TOKEN", "mode": "mask", "injectHosts": ["b.test"]}]}}' > request.json
	TOKEN=verysecretvalue run "$COFFER_BUILD/coffer" run -s base.json -s request.json -- sh -c 'echo $TOKEN'
	[ "$status" = 125 ]
	[[ "$output" == *"TOKEN"*"what can be had without it"* ]]
	[[ "$output" != *verysecretvalue* ]]
}
