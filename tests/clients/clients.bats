#!/usr/bin/env bats
# Real clients inside, real servers outside: by name, under one policy, whether a client knows of proxies or not. No Internet is used: the servers are
# on the far side of tests/e2e/internet. What has to be installed: tools/deps clients.

load ../e2e/lib

setup() {
	[ "$(id -u)" = 0 ] || skip "a network of its own takes root"
	for program in nginx sshd psql java go node npm; do
		command -v $program >/dev/null || [ -x /usr/sbin/$program ] || skip "$program is not installed: tools/deps clients"
	done
	workspace
	export PATH="${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build}:$PATH:/usr/sbin" XDG_RUNTIME_DIR="$TOP/run"
	mkdir -m 700 "$TOP/run"
	export INTERNET_SERVERS="$BATS_TEST_DIRNAME/servers"
}

# SCRIPT [POLICY OPTION…]: a shell script inside, which may reach clients.test. ca.pem is the servers' authority, key the user's.
inside() {
	printf '%s\n' "$1" >script.sh
	shift
	run "$BATS_TEST_DIRNAME/../e2e/internet" sh -c 'cp "$INTERNET_CA" ca.pem; cp "${INTERNET_CA%/*}/user_key" key; chmod 644 key
		exec coffer run --write . --allow-git-config --allow-domain clients.test "$@" -- bash script.sh' sh "$@"
	echo "$output"
	[ "$status" = 0 ]
}

# The variables of proxies, away.
direct='unset $(env | sed -n "s/^\([A-Za-z_]*_[Pp][Rr][Oo][Xx][Yy]\)=.*/\1/p")'

@test "curl, wget, git over https, with and without proxies" {
	inside '
		for way in proxied direct; do
			[ $way = proxied ] || '"$direct"'
			echo "$way curl $(curl -sS --cacert ca.pem https://clients.test:4443/file)"
			echo "$way wget $(wget -qO- --ca-certificate=ca.pem https://clients.test:4443/file)"
			git -c http.sslCAInfo=ca.pem clone -q https://clients.test:4443/repo.git clone-$way && echo "$way git $(cat clone-$way/file)"
		done'
	[ "$(grep -c "served$" <<<"$output")" = 4 ]
	[ "$(grep -c "git content" <<<"$output")" = 2 ]
}

@test "ssh, git over ssh" {
	inside '
		umask 077; cp key /tmp/key
		export GIT_SSH_COMMAND="ssh -i /tmp/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
		$GIT_SSH_COMMAND root@clients.test "echo from the server"
		git clone -q "root@clients.test:$(dirname "$(readlink -f ca.pem)" >/dev/null; ssh_folder=$($GIT_SSH_COMMAND root@clients.test "ls -d /tmp/coffer-internet-*/www/repo.git | tail -1"); echo $ssh_folder)" over-ssh && cat over-ssh/file
		$GIT_SSH_COMMAND -o ConnectTimeout=20 root@other.test true; echo "other $?"'
	[[ "$output" == *"from the server"*"content"* ]]
	[[ "$output" == *"other 255"* ]]
}

@test "psql by port" {
	inside 'psql -h clients.test -U postgres -Atc "select 6*7"; psql "host=45.0.0.3 user=postgres connect_timeout=20" -Atc "select 1" || echo refused'
	[[ "$output" == *"42"*"refused"* ]]
}

@test "Python: urllib, requests, asyncio" {
	inside "cat >client.py <<'EOF'
import asyncio, os, ssl, urllib.request
import requests
url = 'https://clients.test:4443/file'
context = ssl.create_default_context(cafile='ca.pem')
print('urllib', urllib.request.urlopen(url, context=context).read().decode())
print('requests', requests.get(url, verify='ca.pem').text)
async def main():
    reader, writer = await asyncio.open_connection('clients.test', 4443, ssl=context)
    writer.write(b'GET /file HTTP/1.0\r\nHost: clients.test\r\n\r\n')
    print('asyncio', (await reader.read()).decode().split()[-1])
asyncio.run(main())
EOF
/usr/bin/python3 client.py; $direct; /usr/bin/python3 client.py"
	[ "$(grep -c "served" <<<"$output")" = 6 ]
}

@test "Node: fetch, https, and npm install from a registry" {
	inside "export NODE_EXTRA_CA_CERTS=\$PWD/ca.pem
cat >client.mjs <<'EOF'
import https from 'node:https'
console.log('fetch', (await (await fetch('https://clients.test:4443/file')).text()).trim())
https.get('https://clients.test:4443/file', r => r.on('data', d => console.log('https', String(d).trim())))
EOF
node client.mjs
($direct; node client.mjs)
echo '{}' >package.json
npm_config_cafile=ca.pem npm_config_cache=/tmp/npm npm_config_update_notifier=false npm install --loglevel error --no-audit --no-fund --registry https://clients.test:4443/npm/ tiny-package
node -p 'require(\"tiny-package\")'"
	[ "$(grep -c "served" <<<"$output")" = 4 ]
	[[ "$output" == *"from the registry"* ]]
}

@test "Java HttpClient, which goes by no variable" {
	cat >Client.java <<-'EOF'
		import java.io.FileInputStream;
		import java.net.URI;
		import java.net.http.*;
		import java.security.KeyStore;
		import java.security.cert.CertificateFactory;
		import javax.net.ssl.*;

		public class Client {
			public static void main(String[] args) throws Exception {
				KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
				store.load(null);
				store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream("ca.pem")));
				TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
				trust.init(store);
				SSLContext context = SSLContext.getInstance("TLS");
				context.init(null, trust.getTrustManagers(), null);
				HttpClient client = HttpClient.newBuilder().sslContext(context).build();
				HttpRequest request = HttpRequest.newBuilder(URI.create("https://clients.test:4443/file")).build();
				System.out.println("java " + client.send(request, HttpResponse.BodyHandlers.ofString()).body());
			}
		}
	EOF
	javac Client.java
	inside 'java -cp . Client'
	[[ "$output" == *"java served"* ]]
}

@test "where TLS is opened: Java trusts the sandbox's authority and keeps its options; HTTP/2 falls back, or is refused" {
	cat >Client.java <<-'EOF'
		import java.net.URI;
		import java.net.http.*;

		public class Client {
			public static void main(String[] args) throws Exception {
				HttpRequest request = HttpRequest.newBuilder(URI.create("https://clients.test:4443/file")).build();
				HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
				System.out.println("java " + answer.version() + " " + System.getProperty("kept") + " " + answer.body());
			}
		}
	EOF
	javac Client.java
	cat >http2.mjs <<-'EOF'
		import http2 from 'node:http2'
		http2.connect('https://clients.test:4443').on('error', e => { console.log('http2 ' + e.code); process.exit() })
	EOF
	echo '{"network": {"tlsTerminate": {"extraCaCertPaths": ["ca.pem"]}}}' >settings.json
	export JAVA_TOOL_OPTIONS=-Dkept=yes
	inside 'java -cp . Client; curl -sS --http2 -w "%{http_version}" https://clients.test:4443/file; node http2.mjs' --settings settings.json --inherit-env JAVA_TOOL_OPTIONS
	[[ "$output" == *"java HTTP_1_1 yes served"* ]]
	[[ "$output" == *"served"*"1.1"*"http2 ERR_"* ]]
	inside 'echo "$JAVA_TOOL_OPTIONS"; java -cp . Client' --settings settings.json
	[[ "$output" == *"-Djavax.net.ssl.trustStore=/dev/coffer-ca.jks"*"java HTTP_1_1 null served"* ]]
	[[ "$output" != *kept* ]]
	inside 'java -cp . Client 2>&1 || true' --settings settings.json --env JAVA_TOOL_OPTIONS=-Dkept=mine
	[[ "$output" == *"SSLHandshakeException"* ]] # whoever sets it says what Java trusts
}

@test "Go net/http, and a resolver of its own" {
	cat >client.go <<-'EOF'
		package main

		import (
			"crypto/tls"
			"crypto/x509"
			"fmt"
			"io"
			"net/http"
			"os"
		)

		func main() {
			pem, _ := os.ReadFile("ca.pem")
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM(pem)
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
			response, err := client.Get("https://clients.test:4443/file")
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			body, _ := io.ReadAll(response.Body)
			fmt.Print("go ", string(body))
		}
	EOF
	CGO_ENABLED=0 GOCACHE="$TOP/cache" GOFLAGS=-mod=mod GO111MODULE=off go build -o client client.go
	inside './client'
	[[ "$output" == *"go served"* ]]
}
