# coffer channel: the protocol of docs/PROTOCOL.md, by a client in Python (channel_client.py).
bats_require_minimum_version 1.5.0
load lib

setup() {
	export COFFER XDG_DATA_HOME="$BATS_TEST_TMPDIR/data"
	COFFER=$(realpath "$COFFER")
	mkdir -m 700 "$XDG_DATA_HOME"
	mkdir "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work"
}

teardown() {
	for directory in "$XDG_DATA_HOME"/coffer/sessions/*/; do
		[ -d "$directory" ] && "$COFFER" session rm "$(basename "$directory")" || :
	done
}

channel() {
	timeout 120 /usr/bin/python3 "$BATS_TEST_DIRNAME/channel.py" "$1" >&3
}

@test "it says what it can do, and the document knows all of it" {
	channel greeting
}

@test "each parameter is documented" {
	channel documented
}

@test "lines that are no requests: told, and the next one counts" {
	channel lines
}

@test "an id that is in use" {
	channel ids
}

@test "sessions: made, found again, filtered, paused, removed" {
	channel sessions
}

@test "workspaces: ephemeral, persistent, a directory of the host" {
	channel workspaces
}

@test "what was changed: shown, applied, in the way, forgotten" {
	channel changes
}

@test "history: layers, back to one, forks" {
	channel history
}

@test "commands: streams, status, input, variables, ceilings, denials" {
	channel commands
}

@test "commands: timeout, cancel, signal; nothing of them is left" {
	channel ends
}

@test "input that comes in pieces, and a command that does not read it" {
	channel streams
}

@test "64 at once, each stream in order; more requests than may run" {
	channel many
}

@test "a client that does not read: bounded memory, limits hold" {
	channel never_reads
}

@test "terminals: size, resize, keys, end" {
	channel terminals
}

@test "terminals that are left and found again; channels, and cancel, that a process does not notice" {
	channel attachments
}

@test "more output than was asked for: head, tail, and the whole in a file" {
	channel spills
}

@test "managed processes: logs, wait, stop; they outlive the channel" {
	channel processes
}

@test "managed processes end with their keeper and their session" {
	channel process_ends
}

@test "files: all that is done to them, and no way out" {
	channel files
}

@test "files in pieces: whole, or not at all" {
	channel streamed_files
}

@test "watching" {
	channel watches
}

@test "archives up and down; hostile ones" {
	channel transfers
}

@test "ports: published, waited for, reached" {
	channel ports
}

@test "the end of input, and of the channel: commands end, sessions stay" {
	channel input_ends
}

@test "a socket for several clients" {
	channel listening
}

@test "quotas: a write that would be too much is refused before it is made" {
	channel quotas
}
