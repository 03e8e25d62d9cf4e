"""What is asked of both programs: Anthropic's srt 0.0.83 and ours. One case a line; tests/compat/srt/run compares what comes out.

case(id, settings, words, …): a directory of its own is made with home/, ws/ (where the command runs) and out/, then `srt WORDS`. In all texts @ is that
directory. words that are a text are the argument of -c. settings: a dictionary, a text that is the file as it stands, or None for no file.

    files    what is there before: path → text, DIR, or Link(target)
    flag     settings are given by -s, in place of ~/.srt-settings.json
    env      variables of the caller
    stdin    what can be read there
    signal   sent to srt one second after its start
    stderr   "text": its lines have to be the same; "shape" (the default): srt's own lines, and of programs the last part; "any": not compared
    net      needs the small Internet of tests/e2e/internet
"""
DIR = object()


class Link(str):
    pass


CASES = []


def case(id, settings, words, **more):
    CASES.append({"id": id, "settings": settings, "words": words, **more})


def settings(allow=(), deny=(), read=(), reread=None, write=(".",), nowrite=(), net=None, fs=None, **top):
    document = {
        "network": {"allowedDomains": list(allow), "deniedDomains": list(deny), **(net or {})},
        "filesystem": {"denyRead": list(read), "allowWrite": list(write), "denyWrite": list(nowrite), **(fs or {})},
        **top,
    }
    if reread is not None:
        document["filesystem"]["allowRead"] = list(reread)
    return document


BASE = settings()
SHUT = settings(write=())

# ---- the command line ------------------------------------------------------------------------------------------------------

case("cli-words", BASE, ["echo", "hello", "world"])
case("cli-words-quoted", BASE, ["printf", "<%s>", "a  b", "it's", "$HOME", "*", "x;y", "", "=x", "a!b", "~", "\\", "\"q\"", "a\tb"])
case("cli-words-newline", BASE, ["printf", "<%s>", "two\nlines"])
case("cli-word-alone", BASE, ["true"])
case("cli-line-alone", BASE, ["echo one two"])
case("cli-line-alone-pipe", BASE, ["echo one | tr a-z A-Z"])
case("cli-file-with-blank", BASE, ["@/ws/my prog"], files={"ws/my prog": "#!/bin/sh\necho ran\n"})
case("cli-c", BASE, "echo $((1+2)) | tr 3 4; echo done")
case("cli-c-attached", BASE, ["-cecho attached"])
case("cli-c-before-words", BASE, ["-c", "echo c", "echo", "words"])
case("cli-c-behind-words", BASE, ["sh", "-c", "exit 7"])
case("cli-c-empty", BASE, ["-c", ""])
case("cli-c-empty-with-words", BASE, ["-c", "", "echo", "words"])
case("cli-c-twice", BASE, ["-c", "echo one", "-c", "echo two"])
case("cli-c-missing", BASE, ["-c"])
case("cli-c-multiline", BASE, "for i in 1 2 3; do\n  echo $i\ndone\ncat <<X\n!here \\!doc\nX")
case("cli-unknown-option", BASE, ["ls", "-a", "sub"], files={"ws/sub/file": "x"})
case("cli-unknown-first", BASE, ["-x", "echo"], stderr="any")
case("cli-unknown-long", BASE, ["ls", "--almost-all", "-1", "sub"], files={"ws/sub/.dot": "x"})
case("cli-unknown-with-value", BASE, ["printf", "%s\n", "--color=auto", "--", "-n"])
case("cli-known-behind-unknown", BASE, ["ls", "-la", "-c", "echo hi"])
case("cli-dashes", BASE, ["--", "echo", "-d", "x"])
case("cli-dashes-behind", BASE, ["echo", "--", "-c", "x"])
case("cli-dashes-behind-unknown", BASE, ["ls", "-a", "--", "-c"], files={"ws/-c": "x"})
case("cli-dash-alone", BASE, ["cat", "-"], stdin="in\n")
case("cli-debug-shorts", BASE, ["-dc", "echo combined"], stderr="any")
case("cli-debug-behind", BASE, ["echo", "-d", "x"], stderr="any")
case("cli-debug-lines", None, ["--debug", "echo", "x"])
case("cli-settings-long", BASE, ["--settings", "@/s.json", "echo", "x"], flag="given")
case("cli-settings-equals", BASE, ["--settings=@/s.json", "echo", "x"], flag="given")
case("cli-settings-attached", BASE, ["-s@/s.json", "echo", "x"], flag="given")
case("cli-settings-behind", BASE, ["echo", "x", "-s", "@/s.json"], flag="given")
case("cli-settings-missing-argument", BASE, ["-s"])
case("cli-settings-empty-argument", BASE, ["-s", "", "echo", "x"])
case("cli-settings-twice", BASE, ["-s", "@/nothing.json", "-s", "@/s.json", "echo", "x"], flag="given")
case("cli-none", BASE, [])
case("cli-none-but-debug", BASE, ["-d"])
case("cli-version", None, ["--version"])
case("cli-version-short", None, ["-V"])
case("cli-version-behind", None, ["echo", "-V"])
case("cli-help", None, ["--help"])
case("cli-help-short", None, ["-h"])
case("cli-help-word", None, ["help"], stderr="any")
case("cli-control-number", BASE, ["--control-fd", "2", "true"])
case("cli-control-hex", BASE, ["--control-fd", "0x10", "true"])
case("cli-control-word", BASE, ["--control-fd=x", "true"])
case("cli-control-missing", BASE, ["--control-fd"])

# ---- what comes back ---------------------------------------------------------------------------------------------------------

for status in (0, 1, 2, 7, 42, 125, 126, 127, 128, 255):
    case(f"exit-{status}", BASE, f"exit {status}")
for name, number in (("TERM", 143), ("KILL", 137), ("INT", 130), ("SEGV", 139), ("HUP", 129), ("PIPE", 141)):
    case(f"exit-signal-{name}", BASE, f"sh -c 'kill -{name} $$'; echo after $?", stderr="any")
    case(f"exit-shell-signal-{name}", BASE, f"kill -{name} $$", stderr="any")
case("exit-not-found", BASE, ["no-such-program-here", "x"])
case("exit-not-executable", BASE, ["./file"], files={"ws/file": "text"}, stderr="any")
case("exit-directory", BASE, ["./dir"], files={"ws/dir": DIR})
case("exit-syntax", BASE, "if then", stderr="any")
case("exit-false-and-words", BASE, ["false"])
case("exit-pipefail", BASE, "false | true")
case("exit-last", BASE, "false; true")
case("interrupt-INT", BASE, "echo started; sleep 20", signal="INT", stderr="any")
case("interrupt-TERM", BASE, "echo started; sleep 20", signal="TERM", stderr="any")
case("interrupt-trapped", BASE, "trap 'echo trapped' TERM; echo started; sleep 3; exit 5", signal="TERM", stderr="any")
case("stdin-is-read", BASE, ["cat"], stdin="line\nwithout end")
case("stdin-is-empty", BASE, "cat; echo $?", stdin="")
case("stdout-is-clean", BASE, "printf 'a\\0b\\377' | od -c | head -2")
case("stdout-large", BASE, "head -c 3000000 /dev/zero | tr '\\0' x | cksum; head -c 300000 /dev/zero | tr '\\0' y")
case("stderr-is-kept-apart", BASE, "echo out; echo err >&2", stderr="text")
case("background-does-not-hold", BASE, "sleep 20 & echo $?")

# ---- settings that cannot be read --------------------------------------------------------------------------------------------

case("settings-absent", None, "echo x > file; cat /etc/hostname >/dev/null && echo readable")
case("settings-flag-absent", None, ["-s", "@/nothing.json", "echo", "x"])
case("settings-empty", "", ["echo", "x"])
case("settings-blank", " \n\t\n", ["echo", "x"])
case("settings-flag-empty", "", ["echo", "x"], flag=True)
case("settings-not-json", "{not json", ["echo", "x"])
case("settings-comment", '{"network": {"allowedDomains": [], "deniedDomains": []}, // no\n"filesystem": {"denyRead": [], "allowWrite": [], "denyWrite": []}}', ["echo", "x"])
case("settings-trailing-comma", '{"network": {"allowedDomains": [], "deniedDomains": [],}, "filesystem": {"denyRead": [], "allowWrite": [], "denyWrite": []}}', ["echo", "x"])
case("settings-doubled-key", '{"network": {"allowedDomains": [], "allowedDomains": [], "deniedDomains": []}, "filesystem": {"denyRead": [], "allowWrite": [], "denyWrite": []}}', ["echo", "x"])
case("settings-array", "[]", ["echo", "x"])
case("settings-null", "null", ["echo", "x"])
case("settings-number", "1", ["echo", "x"])
case("settings-two-documents", "{} {}", ["echo", "x"])
case("settings-directory", None, ["-s", "@/ws", "echo", "x"])
case("settings-below-file", None, ["-s", "@/ws/file/s.json", "echo", "x"], files={"ws/file": "x"})
case("settings-by-link", BASE, ["-s", "@/ws/link.json", "echo", "x"], flag="given", files={"ws/link.json": Link("@/s.json")})
case("settings-mode-is-no-matter", BASE, ["echo", "x"])

# ---- settings that are judged (the command would say "ran") ---------------------------------------------------------------

def judge(id, document, **more):
    case("config-" + id, document, ["echo", "ran"], **more)


def without(*path):
    document = settings()
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return document


judge("least", BASE)
judge("object", {})
judge("no-network", without("network"))
judge("no-filesystem", without("filesystem"))
for section, keys in (("network", ("allowedDomains", "deniedDomains")), ("filesystem", ("denyRead", "allowWrite", "denyWrite"))):
    for key in keys:
        judge(f"no-{key}", without(section, key))
judge("network-null", settings() | {"network": None})
judge("domains-not-list", settings(net={"allowedDomains": "example.com"}))
judge("domain-number", settings(net={"allowedDomains": [1]}))
for id, domain in {
    "plain": "example.com", "sub": "a.b.example.com", "wild": "*.example.com", "localhost": "localhost", "port": "example.com:443", "wild-port": "*.example.com:8443",
    "ipv4": "192.0.2.1", "ipv4-port": "192.0.2.1:80", "ipv6": "[::1]", "ipv6-port": "[2001:db8::1]:443", "upper": "EXAMPLE.COM", "dash": "my-host.example.com", "underscore": "a_b.example.com",
    "ipv6-bare": "::1", "ipv6-bare-port": "2001:db8::1:443", "star": "*", "star-tld": "*.com", "star-dot": "*.", "star-inside": "a*.example.com", "star-end": "example.*", "star-middle": "a.*.com",
    "one-label": "example", "scheme": "https://example.com", "path": "example.com/x", "port-zero": "example.com:0", "port-large": "example.com:65536", "port-word": "example.com:https",
    "port-leading-zero": "example.com:080", "dot-first": ".example.com", "dot-last": "example.com.", "empty": "", "star-deep": "*.*.example.com", "star-dots": "*..example.com", "localhost-port": "localhost:3000",
    "blank": "exa mple.com", "double-dot": "a..example.com",
}.items():
    judge("domain-" + id, settings(allow=[domain]))
judge("denied-star", settings(deny=["*"]))
judge("denied-star-port", settings(deny=["*:22"]))
judge("denied-star-tld", settings(deny=["*.com"]))
judge("denied-scheme", settings(deny=["http://x.com"]))
judge("reasons", settings(deny=["x.com"], net={"deniedDomainReasons": {"x.com": "no"}}))
judge("reasons-empty", settings(deny=["x.com"], net={"deniedDomainReasons": {"x.com": ""}}))
judge("reasons-unmatched", settings(net={"deniedDomainReasons": {"x.com": "no"}}))
judge("strict-allowlist", settings(net={"strictAllowlist": True}))
judge("strict-allowlist-word", settings(net={"strictAllowlist": "yes"}))
judge("addresses", settings(net={"deniedResolvedAddresses": ["10.0.0.0/8", "fc00::/7", "192.0.2.1"]}))
judge("addresses-bad", settings(net={"deniedResolvedAddresses": ["10.0.0.0/33"]}))
judge("addresses-name", settings(net={"deniedResolvedAddresses": ["example.com"]}))
judge("unix-sockets", settings(net={"allowUnixSockets": ["/run/x.sock"], "allowAllUnixSockets": False}))
judge("unix-sockets-text", settings(net={"allowUnixSockets": "/run/x.sock"}))
judge("local-binding", settings(net={"allowLocalBinding": True}))
judge("mach", settings(net={"allowMachLookup": ["com.example.*"]}))
judge("mach-star-inside", settings(net={"allowMachLookup": ["com.*.x"]}))
judge("proxy-port-zero", settings(net={"httpProxyPort": 0}))
judge("proxy-port-large", settings(net={"socksProxyPort": 65536}))
judge("proxy-port-fraction", settings(net={"httpProxyPort": 80.5}))
judge("path-empty", settings(write=[""]))
judge("path-number", settings(write=[1]))
judge("path-literal", settings(write=[{"path": "a[b]", "literal": True}]))
judge("path-literal-false", settings(write=[{"path": "a", "literal": False}]))
judge("path-literal-absent", settings(write=[{"path": "a"}]))
judge("path-literal-more", settings(write=[{"path": "a", "literal": True, "x": 1}]))
judge("path-literal-empty", settings(read=[{"path": "", "literal": True}]))
judge("deny-glob-slash", settings(read=["/var/*/"]))
judge("deny-write-glob-slash", settings(nowrite=["~/x*/"]))
judge("deny-glob-slash-relative", settings(read=["x*/"]))
judge("allow-glob-slash", settings(write=["/var/*/"]))
judge("deny-glob-slash-disabled", settings(read=["/var/*/"], fs={"disabled": True}))
judge("git-config", settings(fs={"allowGitConfig": True}))
judge("git-config-text", settings(fs={"allowGitConfig": "true"}))
judge("ignore-violations", settings(ignoreViolations={"*": ["/usr/bin"], "git push": ["/x"]}))
judge("ignore-violations-text", settings(ignoreViolations={"*": "/usr/bin"}))
judge("weaker-nested", settings(enableWeakerNestedSandbox=False))
judge("weaker-nested-number", settings(enableWeakerNestedSandbox=1))
judge("ripgrep", settings(ripgrep={"command": "rg", "args": ["--x"]}))
judge("ripgrep-no-command", settings(ripgrep={"args": []}))
judge("depth", settings(mandatoryDenySearchDepth=1))
judge("depth-ten", settings(mandatoryDenySearchDepth=10))
judge("depth-zero", settings(mandatoryDenySearchDepth=0))
judge("depth-eleven", settings(mandatoryDenySearchDepth=11))
judge("depth-fraction", settings(mandatoryDenySearchDepth=2.5))
judge("pty", settings(allowPty=True))
judge("seccomp", settings(seccomp={}))
judge("bwrap-relative", settings(bwrapPath="bwrap"))
judge("socat-empty", settings(socatPath=""))
judge("unknown-top", settings(unheardOf=1))
judge("unknown-network", settings(net={"unheardOf": 1}))
judge("unknown-filesystem", settings(fs={"unheardOf": 1}))
judge("windows", settings(windows={"sandboxUser": "x"}))
judge("git", settings(git={"safeDirectories": ["/x"]}))
judge("git-text", settings(git={"safeDirectories": "/x"}))
judge("several-mistakes", settings(allow=["*.com"], write=[""], mandatoryDenySearchDepth=0))
judge("coffer-key", settings(limits={"memory": "1G"}))
judge("schema-key", settings(**{"$schema": "x"}))
# What the real one accepts and this version cannot do yet, or refuses as it does.
judge("tls-half-pair", settings(net={"tlsTerminate": {"caCertPath": "/x"}}))
judge("parent-not-url", settings(net={"parentProxy": {"http": "not a url"}}))
judge("mitm-no-domains", settings(net={"mitmProxy": {"socketPath": "/x", "domains": []}}))
judge("credentials-unknown", settings(credentials={"injectHosts": ["x.com"]}))
judge("credentials-mode", settings(credentials={"files": [{"path": "~/x", "mode": "hide"}]}))
judge("credentials-no-tls", settings(credentials={"envVars": [{"name": "X", "mode": "mask"}]}))
judge("strip-empty", settings(net={"stripResponseHeaders": [""]}))
judge("target-word", settings(net={"ambiguousRequestTarget": "guess"}))
judge("filter-request-text", settings(net={"filterRequest": "x"}))

# ---- environment ---------------------------------------------------------------------------------------------------------------

case("env-marker", BASE, "echo $SANDBOX_RUNTIME")
case("env-tmpdir", BASE, "echo $TMPDIR")
case("env-tmpdir-claude", BASE, "echo $TMPDIR", env={"CLAUDE_TMPDIR": "@/ws/tmp"}, files={"ws/tmp": DIR})
case("env-tmpdir-claude-code", BASE, "echo $TMPDIR", env={"CLAUDE_CODE_TMPDIR": "@/ws/tmp", "CLAUDE_TMPDIR": "@/out"}, files={"ws/tmp": DIR})
case("env-tmpdir-is-writable", BASE, "mkdir -p $TMPDIR && echo x > $TMPDIR/file && cat $TMPDIR/file", stderr="any")
case("env-caller", BASE, "echo $OF_THE_CALLER, $PATH", env={"OF_THE_CALLER": "kept as it is"})
case("env-home", BASE, "echo ~ $HOME $PWD")
case("env-no-proxy", BASE, "echo $NO_PROXY $no_proxy")
case("env-coffer-is-not-told", BASE, "echo ${COFFER-unset}")
for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "FTP_PROXY", "ftp_proxy", "RSYNC_PROXY", "GRPC_PROXY", "grpc_proxy", "DOCKER_HTTP_PROXY", "DOCKER_HTTPS_PROXY"):
    case("env-" + name, BASE, f"echo ${name} | sed 's,//[^/]*@,//,'")
case("env-cloudsdk", BASE, "echo $CLOUDSDK_PROXY_TYPE $CLOUDSDK_PROXY_ADDRESS $CLOUDSDK_PROXY_PORT")
case("env-git-ssh", BASE, "test -n \"$GIT_SSH_COMMAND\" && echo set")
case("env-host-ports", BASE, "test -n \"$CLAUDE_CODE_HOST_HTTP_PROXY_PORT$CLAUDE_CODE_HOST_SOCKS_PROXY_PORT\" && echo set")
case("env-proxy-of-the-caller", BASE, "echo $HTTP_PROXY | sed 's,//[^/]*@,//,'", env={"HTTP_PROXY": "http://corp.test:8080"})
case("env-multiline", BASE, "printf '%s' \"$V\" | cksum", env={"V": "two\nlines"})

# ---- what may be written -------------------------------------------------------------------------------------------------------

case("write-cwd", BASE, "echo x > new; mkdir -p d/e && echo y > d/e/f; cat new d/e/f")
case("write-nothing-allowed", SHUT, "echo x > new; echo $?")
case("write-outside", BASE, "echo x > ../out/new; echo $?")
case("write-home", BASE, "echo x > ~/new; echo $?")
case("write-etc", BASE, "echo x > /etc/coffer-compat; echo $?")
case("write-absolute", settings(write=["@/out"]), "echo x > @/out/new; echo y > new; ls @/out")
case("write-home-tilde", settings(write=["~/work"]), "echo x > ~/work/new; echo y > ~/other", files={"home/work": DIR})
case("write-file", settings(write=["one"]), "echo x > one; echo y > two; cat one", files={"ws/one": "old\n"})
case("write-file-rename-over", settings(write=["one"]), "echo x > one.new; mv one.new one; cat one", files={"ws/one": "old\n"})
case("write-not-there", settings(write=["later"]), "mkdir later; echo $?", stderr="any")
case("write-nested-list", settings(write=[".", "src/", "src/a"]), "echo x > src/a/f && cat src/a/f", files={"ws/src/a": DIR})
case("write-parent-dots", settings(write=["../out"]), "echo x > ../out/new; ls ../out")
case("write-denied-file", settings(nowrite=[".env"]), "echo x > .env; echo y > other; cat .env", files={"ws/.env": "old\n"})
case("write-denied-words", settings(nowrite=["kept"]), "echo x > kept", files={"ws/kept": "old\n"}, stderr="text")
case("write-denied-file-removed", settings(nowrite=["kept"]), "rm kept; echo $?", files={"ws/kept": "old\n"}, stderr="any")
case("write-denied-file-moved", settings(nowrite=["kept"]), "mv kept moved; echo $?", files={"ws/kept": "old\n"}, stderr="any")
case("write-denied-directory", settings(nowrite=["config"]), "echo x > config/f; echo y > config/new; rm -f config/f; ls config", files={"ws/config/f": "old\n"}, stderr="any")
case("write-denied-absent", settings(nowrite=["later"]), "echo x > later; echo $?", stderr="any")
case("write-denied-absent-deep", settings(nowrite=["a/b/later"]), "mkdir -p a/b && echo x > a/b/later; echo $?", stderr="any")
case("write-denied-beats-allowed-inside", settings(write=[".", "config/open"], nowrite=["config"]), "echo x > config/open/f; echo $?", files={"ws/config/open": DIR})
case("write-denied-all", settings(nowrite=["."]), "echo x > new; echo $?")
case("write-denied-parent-moved", settings(nowrite=["d/kept"]), "mv d e; echo $?", files={"ws/d/kept": "old\n"}, stderr="any")
case("write-allowed-root", settings(write=["/"]), "echo x > @/out/new; echo y > new; cat @/out/new")
case("write-tmp-allowed", settings(write=[".", "/tmp"]), "echo x > /tmp/coffer-compat-$$ && cat /tmp/coffer-compat-$$; rm /tmp/coffer-compat-$$")
case("write-tmp-unasked", BASE, "echo x > /tmp/coffer-compat-file; echo $?")
case("write-tmp-claude", BASE, "ls -d /tmp/claude; echo $?", stderr="any")
case("write-dev", BASE, "echo x > /dev/null && echo y > /dev/stderr && echo z > /dev/stdout", stderr="text")
case("write-dev-new", BASE, "echo x > /dev/new; echo $?")
case("write-proc", BASE, "echo x > /proc/sys/kernel/hostname; echo $?", stderr="any")
case("write-npm-logs", BASE, "echo x > ~/.npm/_logs/f; echo $?", files={"home/.npm/_logs": DIR})
case("write-claude-debug", BASE, "echo x > ~/.claude/debug/f; echo $?", files={"home/.claude/debug": DIR})
case("write-npm-logs-hidden", settings(read=["~/.npm"]), "echo x > ~/.npm/_logs/f; echo $?", files={"home/.npm/_logs": DIR}, stderr="any")
case("write-chmod", BASE, "chmod 600 f; chmod 600 ../out/f; echo $?; stat -c %a f", files={"ws/f": "x", "out/f": "x"})
case("write-hard-link-in", BASE, "ln ../out/f f; echo $?", files={"out/f": "x"}, stderr="any")
case("write-mknod", BASE, "mknod dev c 1 3 || mknod dev b 8 0; echo $?", stderr="any")
case("write-append-and-truncate", BASE, "echo b >> f; : > g; cat f g", files={"ws/f": "a\n", "ws/g": "a\n"})
case("write-disabled-rules", settings(write=(), fs={"disabled": True}), "echo x > new; echo y > ../out/new; cat new ../out/new")
case("write-disabled-mandatory", settings(write=(), fs={"disabled": True}), "echo x > .bashrc; cat .bashrc")

# ---- what is never written -------------------------------------------------------------------------------------------------------

for name in (".gitconfig", ".gitmodules", ".bashrc", ".bash_profile", ".zshrc", ".zprofile", ".profile", ".ripgreprc", ".mcp.json"):
    case("never-" + name[1:], BASE, f"echo x > {name}; echo $?", files={"ws/" + name: "old\n"})
    case("never-absent-" + name[1:], BASE, f"echo x > {name}; echo $?", stderr="any")
for name in (".vscode", ".idea", ".claude/commands", ".claude/agents"):
    case("never-" + name[1:].replace("/", "-"), BASE, f"echo x > {name}/new; echo y > {name}/f; echo $?", files={f"ws/{name}/f": "old\n"})
    case("never-absent-" + name[1:].replace("/", "-"), BASE, f"mkdir -p {name}; echo x > {name}/new; echo $?", stderr="any")
REPOSITORY = {"ws/.git/config": "[core]\n", "ws/.git/HEAD": "ref: refs/heads/main\n", "ws/.git/hooks": DIR, "ws/.git/objects": DIR, "ws/.git/refs": DIR}
case("never-git-hook", BASE, "echo x > .git/hooks/pre-commit; echo $?", files=REPOSITORY)
case("never-git-config", BASE, "echo x > .git/config; echo $?", files=REPOSITORY)
case("never-git-config-but-allowed", settings(fs={"allowGitConfig": True}), "echo x > .git/config; echo $?", files=REPOSITORY)
case("never-git-hook-though-config", settings(fs={"allowGitConfig": True}), "echo x > .git/hooks/h; echo $?", files=REPOSITORY)
case("never-git-rest-is-free", BASE, "echo x > .git/HEAD; mkdir .git/objects/aa; echo $?", files=REPOSITORY)
case("never-git-commit", BASE, "git init -q r && echo $?; ls r 2>/dev/null", stderr="any")
case("never-nested-bashrc", BASE, "echo x > a/.bashrc; echo $?", files={"ws/a/.bashrc": "old\n"})
case("never-nested-deep", BASE, "echo x > a/b/.bashrc; echo $?", files={"ws/a/b/.bashrc": "old\n"})
case("never-nested-too-deep", BASE, "echo x > a/b/c/d/e/.bashrc; echo $?", files={"ws/a/b/c/d/e/.bashrc": "old\n"})
case("never-nested-depth-one", settings(mandatoryDenySearchDepth=1), "echo x > a/b/.bashrc; echo $?", files={"ws/a/b/.bashrc": "old\n"})
case("never-nested-hook", BASE, "echo x > sub/.git/hooks/h; echo $?", files={"ws/sub/.git/hooks": DIR, "ws/sub/.git/HEAD": "ref: x\n", "ws/sub/.git/config": "[core]\n"})
case("never-git-file", BASE, "echo x > .git; echo $?", files={"ws/.git": "gitdir: @/out/repo\n", "out/repo/HEAD": "ref: x\n"})
case("never-by-rename", BASE, "echo x > new; mv new .bashrc; echo $?", files={"ws/.bashrc": "old\n"}, stderr="any")
case("never-by-link", BASE, "ln -s .bashrc l; echo x > l; echo $?", files={"ws/.bashrc": "old\n"})
case("never-though-listed", settings(write=[".", ".bashrc"]), "echo x > .bashrc; echo $?", files={"ws/.bashrc": "old\n"})
case("never-where-nothing-is-writable", SHUT, "echo x > .bashrc; echo $?", files={"ws/.bashrc": "old\n"})
case("never-other-case", BASE, "echo x > .BASHRC; cat .BASHRC")
case("never-in-another-tree", settings(write=["@/out"]), "echo x > @/out/.bashrc; echo $?", files={"out/.bashrc": "old\n"})
case("never-reads-are-free", BASE, "cat .bashrc .vscode/f", files={"ws/.bashrc": "a\n", "ws/.vscode/f": "b\n"})
case("never-no-placeholder-stays", BASE, "true; ls -A")

# ---- what may be read --------------------------------------------------------------------------------------------------------------

SECRETS = {"home/.ssh/id": "key\n", "home/.ssh/pub": "public\n", "home/.ssh/sub/deep": "deep\n", "home/other": "other\n"}
case("read-everything", BASE, "cat ~/.ssh/id ~/other; head -c 4 /etc/passwd", files=SECRETS)
case("read-denied-file", settings(read=["~/.ssh/id"]), "cat ~/.ssh/id; echo $?; cat ~/.ssh/pub", files=SECRETS, stderr="any")
case("read-denied-file-size", settings(read=["~/.ssh/id"]), "wc -c < ~/.ssh/id", files=SECRETS, stderr="any")
case("read-denied-directory", settings(read=["~/.ssh"]), "cat ~/.ssh/id; echo $?; cat ~/other", files=SECRETS)
case("read-denied-directory-list", settings(read=["~/.ssh"]), "ls -A ~/.ssh; echo $?", files=SECRETS, stderr="any")
case("read-denied-write-inside", settings(read=["~/.ssh"]), "echo x > ~/.ssh/new; echo $?", files=SECRETS, stderr="any")
case("read-denied-write-allowed", settings(read=["~/.ssh"], write=["~/.ssh"]), "echo x > ~/.ssh/new; cat ~/.ssh/id; echo $?", files=SECRETS, stderr="any")
case("read-denied-relative", settings(read=["private"]), "cat private/f; echo $?; cat public/f", files={"ws/private/f": "p\n", "ws/public/f": "q\n"})
case("read-denied-absolute", settings(read=["@/out"]), "cat @/out/f; echo $?", files={"out/f": "x\n"})
case("read-denied-absent", settings(read=["~/not-there"]), "ls ~; echo $?", files={"home/other": "x"})
case("read-denied-trailing-slash", settings(read=["~/.ssh/"]), "cat ~/.ssh/id; echo $?", files=SECRETS)
case("read-denied-twice", settings(read=["~/.ssh", "~/.ssh/id"]), "cat ~/.ssh/id; echo $?", files=SECRETS)
case("read-denied-all-but", settings(read=["@/out"], reread=["@/out/open"]), "cat @/out/open/f; cat @/out/shut; echo $?", files={"out/open/f": "open\n", "out/shut": "shut\n"})
case("read-denied-all-but-list", settings(read=["@/out"], reread=["@/out/open"]), "ls -A @/out", files={"out/open/f": "open\n", "out/shut": "shut\n"})
case("read-denied-again-inside", settings(read=["@/out", "@/out/open/no"], reread=["@/out/open"]), "cat @/out/open/f; cat @/out/open/no/f; echo $?", files={"out/open/f": "open\n", "out/open/no/f": "no\n"})
case("read-allowed-same-place", settings(read=["@/out"], reread=["@/out"]), "cat @/out/f; echo $?", files={"out/f": "x\n"})
case("read-allowed-file", settings(read=["~/.ssh"], reread=["~/.ssh/pub"]), "cat ~/.ssh/pub; cat ~/.ssh/id; echo $?", files=SECRETS)
case("read-allowed-outside-denied", settings(read=["~/.ssh"], reread=["~/other"]), "cat ~/other; cat ~/.ssh/id; echo $?", files=SECRETS)
case("read-allowed-is-not-writable", settings(read=["@/out"], reread=["@/out/open"]), "echo x > @/out/open/f; echo $?", files={"out/open/f": "open\n"})
case("read-denied-holds-cwd", settings(read=["@"], reread=["."]), "cat f; pwd; cat @/out/f; echo $?", files={"ws/f": "mine\n", "out/f": "x\n"})
case("read-denied-holds-writable", settings(read=["@/out"], write=[".", "@/out/w"]), "echo x > @/out/w/f; echo $?; cat @/out/f; echo $?", files={"out/w": DIR, "out/f": "x\n"})
case("read-denied-fifo", settings(read=["f"]), "test -r f && cat f; echo $?", files={"ws/f": "x\n"}, stderr="any")
case("read-denied-by-link", settings(read=["~/.ssh"]), "cat l; echo $?", files={**SECRETS, "ws/l": Link("@/home/.ssh/id")})
case("read-denied-is-link", settings(read=["l"]), "cat l; echo $?; cat target; echo $?", files={"ws/l": Link("target"), "ws/target": "x\n"}, stderr="any")
case("read-denied-through-directory-link", settings(read=["d/id"]), "cat d/id; echo $?; cat ~/.ssh/id; echo $?", files={**SECRETS, "ws/d": Link("@/home/.ssh")}, stderr="any")
case("read-denied-proc-root", settings(read=["~/.ssh"]), "cat /proc/self/root@/home/.ssh/id; echo $?; cat /proc/1/root@/home/.ssh/id; echo $?", files=SECRETS, stderr="any")
case("read-disabled-rules", settings(read=["~/.ssh"], fs={"disabled": True}), "cat ~/.ssh/id", files=SECRETS)

# ---- links ---------------------------------------------------------------------------------------------------------------------------

case("link-write-out", BASE, "echo x > l; echo $?", files={"ws/l": Link("@/out/f"), "out/f": "old\n"})
case("link-write-out-directory", BASE, "echo x > d/new; echo $?", files={"ws/d": Link("@/out")})
case("link-made-inside", BASE, "ln -s @/out d; echo x > d/new; echo $?")
case("link-allowed-is-link", settings(write=["d"]), "echo x > d/new; echo y > @/out/new2; echo $?", files={"ws/d": Link("@/out")})
case("link-allowed-to-root", settings(write=["d"]), "echo x > /etc/coffer-compat; echo $?", files={"ws/d": Link("/")})
case("link-denied-is-link", settings(nowrite=["l"]), "echo x > l; echo y > target; echo $?", files={"ws/l": Link("target"), "ws/target": "old\n"}, stderr="any")
case("link-denied-replaced", settings(nowrite=["l"]), "rm -f l; ln -s other l; echo $?", files={"ws/l": Link("target"), "ws/target": "old\n"}, stderr="any")
case("link-denied-target", settings(nowrite=["target"]), "echo x > l; echo $?", files={"ws/l": Link("target"), "ws/target": "old\n"})
case("link-parent-replaced", settings(nowrite=["d/f"]), "mv d e; ln -s e d; echo x > d/f; echo $?", files={"ws/d/f": "old\n"}, stderr="any")
case("link-dangling", BASE, "echo x > l; echo $?", files={"ws/l": Link("@/out/not-there")})
case("link-loop", settings(write=[".", "a"]), "echo x > f; cat f", files={"ws/a": Link("b"), "ws/b": Link("a")}, stderr="any")
case("link-cwd", settings(write=["@/ws/d"]), "cd d && echo x > f && cat f", files={"ws/d": DIR})
case("link-settings-hooks", BASE, "echo x > .git/hooks/h; echo $?", files={"ws/.git": Link("real"), "ws/real/hooks": DIR, "ws/real/HEAD": "ref: x\n", "ws/real/config": "[core]\n"})

# ---- patterns ------------------------------------------------------------------------------------------------------------------------

PEM = {"ws/a.pem": "a\n", "ws/sub/b.pem": "b\n", "ws/c.txt": "c\n"}
case("glob-read", settings(read=["*.pem"]), "cat a.pem; echo $?; cat c.txt", files=PEM, stderr="any")
case("glob-read-deep", settings(read=["**/*.pem"]), "cat a.pem sub/b.pem; echo $?; cat c.txt", files=PEM, stderr="any")
case("glob-read-not-deep", settings(read=["*.pem"]), "cat sub/b.pem", files=PEM)
case("glob-read-absolute", settings(read=["@/ws/*.pem"]), "cat a.pem; echo $?", files=PEM, stderr="any")
case("glob-read-home", settings(read=["~/.ssh/i*"]), "cat ~/.ssh/id; echo $?; cat ~/.ssh/pub", files=SECRETS, stderr="any")
case("glob-read-question", settings(read=["?.pem"]), "cat a.pem; echo $?", files=PEM, stderr="any")
case("glob-read-set", settings(read=["[ab].pem"]), "cat a.pem; echo $?", files=PEM, stderr="any")
case("glob-read-directory", settings(read=["s*"]), "cat sub/b.pem; echo $?", files=PEM)
case("glob-read-below", settings(read=["sub/**"]), "cat sub/b.pem; echo $?", files=PEM, stderr="any")
case("glob-read-later-file", settings(read=["*.pem"]), "echo new > late.pem; cat late.pem; echo $?", files=PEM, stderr="any")
case("glob-read-no-set", settings(read=["list[].ts"]), "cat 'list[].ts'; echo $?", files={"ws/list[].ts": "x\n"}, stderr="any")
case("glob-read-literal", settings(read=[{"path": "[ab].pem", "literal": True}]), "cat a.pem; cat '[ab].pem'; echo $?", files={**PEM, "ws/[ab].pem": "set\n"}, stderr="any")
case("glob-read-also-literal", settings(read=["[ab].pem"]), "cat a.pem; cat '[ab].pem'; echo $?", files={**PEM, "ws/[ab].pem": "set\n"}, stderr="any")
case("glob-reread", settings(read=["@/out"], reread=["@/out/*.txt"]), "cat @/out/a.txt; cat @/out/b; echo $?", files={"out/a.txt": "a\n", "out/b": "b\n"})
case("glob-write", settings(write=["*.log"]), "echo x > a.log; echo y > b.txt; cat a.log", files={"ws/a.log": "old\n", "ws/b.txt": "old\n"}, stderr="any")
case("glob-write-below", settings(write=["src/**"]), "echo x > src/f; cat src/f", files={"ws/src": DIR})
case("glob-no-write", settings(nowrite=["*.key"]), "echo x > a.key; cat a.key", files={"ws/a.key": "old\n"}, stderr="any")
case("glob-no-write-below", settings(nowrite=["src/**"]), "echo x > src/f; cat src/f", files={"ws/src/f": "old\n"}, stderr="any")
case("glob-literal-name", settings(write=[{"path": "app/[id]", "literal": True}]), "echo x > 'app/[id]/f'; echo y > app/i/f; cat 'app/[id]/f'", files={"ws/app/[id]": DIR, "ws/app/i": DIR})
case("glob-name-exists", settings(write=["app/[id]"]), "echo x > 'app/[id]/f'; cat 'app/[id]/f'", files={"ws/app/[id]": DIR})

# ---- processes, kernel -----------------------------------------------------------------------------------------------------------------

case("process-host-unseen", BASE, "test ! -e /proc/$CALLER_PID && echo unseen")
case("process-kill-all", BASE, "kill -9 -1; echo survived", stderr="any")
case("process-parent", BASE, "test $PPID -le 2 && echo near")
case("process-init-is-not-the-hosts", BASE, "tr '\\0' ' ' < /proc/1/cmdline | grep -c '^/sbin/init'; echo $?")
case("process-user", BASE, "test $(id -u) = $CALLER_UID && echo same")
case("process-capabilities", BASE, "grep CapEff /proc/self/status | cut -f2")
case("process-no-new-privileges", BASE, "grep NoNewPrivs /proc/self/status | cut -f2")
case("process-seccomp", BASE, "grep '^Seccomp:' /proc/self/status | cut -f2")
case("process-session", BASE, "ps -o sid= -p $$ | tr -d ' ' | grep -c '^[0-9]'", stderr="any")
case("process-orphans-end", BASE, "(sleep 1; echo x > late) & echo started")
case("process-unshare", BASE, "unshare -U true; echo $?", stderr="any")
case("process-mount", BASE, "mount -t tmpfs x /mnt; echo $?", stderr="any")
case("process-proc-is-fresh", BASE, "test -d /proc/self && test ! -e /proc/999999 && echo yes")
case("process-dev", BASE, "ls /dev | grep -c '^sd\\|^nvme\\|^vd\\|^mem$\\|^kmsg$'; test -c /dev/null && test -c /dev/urandom && test -c /dev/zero && echo there")
case("process-shm", BASE, "echo x > /dev/shm/f && cat /dev/shm/f")
case("process-python", BASE, "/usr/bin/python3 -c 'import os,multiprocessing; print(os.getcwd())'")
case("process-unix-socket", BASE, "/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX); print(\"made\")' 2>&1 | tail -1")
case("process-unix-socket-allowed", settings(net={"allowAllUnixSockets": True}), "/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX); print(\"made\")' 2>&1 | tail -1")
case("process-socketpair", BASE, "/usr/bin/python3 -c 'import socket; a, b = socket.socketpair(); a.send(b\"x\"); print(b.recv(1))' 2>&1 | tail -1")
case("process-vsock", BASE, "/usr/bin/python3 -c 'import socket; socket.socket(40, socket.SOCK_STREAM); print(\"made\")' 2>&1 | tail -1")
case("process-io-uring", BASE, "/usr/bin/python3 -c 'import ctypes; l = ctypes.CDLL(None, use_errno=True); print(l.syscall(425, 1, 0), ctypes.get_errno())'")
case("process-umask", BASE, "umask")
case("process-limits", BASE, "ulimit -c >/dev/null && echo ok")
case("process-shell", BASE, "echo $0 ${BASH_VERSION:+bash}")

# ---- the network -----------------------------------------------------------------------------------------------------------------------

ONE = settings(allow=["allowed.test"])


def web(id, document, command, **more):
    case("net-" + id, document, command, net=True, **more)


HEAD = "curl -s -o /dev/null -D - -m 8"
web("http-allowed", ONE, "curl -s http://allowed.test/path | head -1")
web("http-denied", ONE, "curl -s http://other.test/; echo $?")
web("http-denied-status", ONE, f"{HEAD} http://other.test/ | tr -d '\\r' | head -1")
web("http-denied-headers", ONE, f"{HEAD} http://other.test/ | tr -d '\\r' | grep -i '^x-proxy\\|^content-type' | sort")
web("http-denied-body", ONE, "curl -s http://other.test/ | od -c | tail -3")
web("http-nothing-allowed", BASE, "curl -s http://allowed.test/; echo $?")
web("http-settings-absent", None, "curl -s http://allowed.test/; echo $?")
web("https-allowed", ONE, "curl -sk https://allowed.test/tls | head -1")
web("https-denied", ONE, "curl -sk https://other.test/; echo $?")
web("connect-denied", ONE, "curl -sk -o /dev/null -D - https://other.test/ | tr -d '\\r' | grep -i '^HTTP\\|^x-proxy\\|^content-type' | sort")
web("connect-plain", ONE, "curl -s -p http://allowed.test/tunnel | head -1")
web("connect-plain-denied", ONE, "curl -s -p http://other.test/tunnel; echo $?")
web("post", ONE, "curl -s -d body http://allowed.test/post | sed -n '1p;$p'")
web("put", ONE, "echo data | curl -s -T - http://allowed.test/put | sed -n '1p;$p'")
web("other-port", ONE, "curl -s http://allowed.test:8080/p | head -1")
web("port-pattern", settings(allow=["allowed.test:8080"]), "curl -s http://allowed.test:8080/p | head -1; curl -s http://allowed.test/p; echo $?")
web("port-pattern-tls", settings(allow=["allowed.test:443"]), "curl -sk https://allowed.test/p | head -1; curl -s http://allowed.test/p; echo $?")
web("wildcard", settings(allow=["*.allowed.test"]), "curl -s http://www.allowed.test/w | head -1; curl -s http://allowed.test/w; echo $?")
web("denied-beats", settings(allow=["allowed.test", "*.allowed.test"], deny=["www.allowed.test"]), "curl -s http://allowed.test/a | head -1; curl -s http://www.allowed.test/a; echo $?")
web("denied-star", settings(allow=["allowed.test"], deny=["*"]), "curl -s http://allowed.test/a; echo $?")
web("denied-star-port", settings(allow=["allowed.test"], deny=["*:80"]), "curl -s http://allowed.test/a; echo $?; curl -s http://allowed.test:8080/a | head -1")
web("denied-reason", settings(allow=["allowed.test"], deny=["other.test"], net={"deniedDomainReasons": {"other.test": "ask the team first"}}), "curl -sk -o /dev/null -D - https://other.test/ | tr -d '\\r' | head -1")
web("denied-reason-http", settings(allow=["allowed.test"], deny=["other.test"], net={"deniedDomainReasons": {"other.test": "ask the team first"}}), f"{HEAD} http://other.test/ | tr -d '\\r' | head -1")
web("strict", settings(allow=["allowed.test"], net={"strictAllowlist": True}), "curl -s http://allowed.test/a | head -1; curl -s http://other.test/; echo $?")
web("upper-case", ONE, "curl -s http://ALLOWED.test/a | head -1")
web("pattern-upper-case", settings(allow=["ALLOWED.TEST"]), "curl -s http://allowed.test/a | head -1")
web("trailing-dot", ONE, "curl -s http://allowed.test./a | head -1")
web("address-denied", ONE, "curl -s http://45.0.0.2/a; echo $?")
web("address-allowed", settings(allow=["45.0.0.2"]), "curl -s http://45.0.0.2/a | head -1")
web("address-decimal", settings(allow=["45.0.0.2"]), "curl -s --proxy-header X: --request-target http://754974722/a http://45.0.0.2/ | head -1", stderr="any")
web("address-by-name-only", settings(allow=["45.0.0.2"]), "curl -s http://allowed.test/a; echo $?")
web("resolved-loopback", settings(allow=["local.test"]), f"{HEAD} http://local.test/ | tr -d '\\r' | grep -i '^HTTP\\|^x-proxy' | sort")
web("resolved-metadata", settings(allow=["meta.test"]), f"{HEAD} http://meta.test/ | tr -d '\\r' | grep -i '^HTTP\\|^x-proxy' | sort")
web("resolved-own", settings(allow=["self.test"]), f"{HEAD} http://self.test/ | tr -d '\\r' | grep -i '^HTTP\\|^x-proxy' | sort")
web("resolved-private", settings(allow=["private.test"]), "curl -s http://private.test/p | head -1")
web("resolved-mixed", settings(allow=["mixed.test"]), "curl -s http://mixed.test/m | head -1")
web("resolved-denied", settings(allow=["allowed.test"], net={"deniedResolvedAddresses": ["45.0.0.0/24"]}), f"{HEAD} http://allowed.test/ | tr -d '\\r' | grep -i '^HTTP\\|^x-proxy' | sort")
web("resolved-denied-other", settings(allow=["allowed.test"], net={"deniedResolvedAddresses": ["45.0.1.0/24"]}), "curl -s http://allowed.test/a | head -1")
web("unresolvable", settings(allow=["nowhere.test"]), f"{HEAD} http://nowhere.test/ | tr -d '\\r' | head -1 | cut -c1-12")
web("refused-port", settings(allow=["allowed.test"]), f"{HEAD} http://allowed.test:81/ | tr -d '\\r' | head -1 | cut -c1-12")
web("socks-name", ONE, "curl -s --noproxy '' -x socks5h://${ALL_PROXY#*//} http://allowed.test/ >/dev/null; U=${FTP_PROXY#*//}; curl -s -x socks5h://$U http://allowed.test/s | head -1")
web("socks-name-denied", ONE, "U=${FTP_PROXY#*//}; curl -s -x socks5h://$U http://other.test/s; echo $?")
web("socks-address-denied", ONE, "U=${FTP_PROXY#*//}; curl -s -x socks5h://$U http://45.0.0.2/s; echo $?")
web("socks-tls", ONE, "U=${FTP_PROXY#*//}; curl -sk -x socks5h://$U https://allowed.test/s | head -1")
web("socks-on-http-port", ONE, "U=${HTTP_PROXY#*//}; curl -s -x socks5h://$U http://allowed.test/s | head -1")
web("http-on-socks-port", ONE, "U=${FTP_PROXY#*//}; curl -s -x http://$U http://allowed.test/s | head -1")
web("trace", ONE, f"{HEAD} -X TRACE http://allowed.test/ | tr -d '\\r' | head -1 | cut -c1-12")
web("host-header", ONE, "curl -s -H 'Host: other.test' http://allowed.test/h | grep -i ^host | tr H h")
web("direct", ONE, "curl -s --noproxy '*' -m 4 http://45.0.0.2/; echo $?")
web("direct-name", ONE, "curl -s --noproxy '*' -m 4 http://allowed.test/; echo $?")
web("udp", ONE, "/usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((\"45.0.0.2\", 7)); s.send(b\"x\")' 2>&1 | tail -1")
web("loopback-inside", ONE, "/usr/bin/python3 -m http.server 8765 --bind 127.0.0.1 >/dev/null 2>&1 & sleep 1; curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:8765/")
web("loopback-of-host", ONE, "curl -s -m 4 http://127.0.0.1:22/; echo $?")
web("wget", ONE, "wget -qO- http://allowed.test/w | head -1; wget -qO- http://other.test/w; echo $?")
web("python", ONE, "/usr/bin/python3 -c 'import urllib.request as r; print(r.urlopen(\"http://allowed.test/py\").read().decode().split(chr(10))[0])'")
web("git", ONE, "git ls-remote http://other.test/r 2>&1 | tail -1 | grep -o 403")
web("keep-alive", ONE, "curl -s http://allowed.test/1 http://allowed.test/2 http://other.test/3 | grep 'GET\\|blocked'")
web("large", ONE, "curl -s http://allowed.test/bytes/4194304 | cksum")
web("header-large", ONE, "curl -s -H \"X: $(head -c 60000 /dev/zero | tr '\\0' x)\" -o /dev/null -w '%{http_code}\\n' http://allowed.test/h", stderr="any")
