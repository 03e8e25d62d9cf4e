/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coffer.h: run code that nobody has read, on Linux, without root and without a daemon.
 *
 * A policy says what is wanted. A request says what to run, and with which streams. coffer_explain shows the plan that the two give
 * on this machine; coffer_run carries it out in the calling thread and answers with an outcome: how the command ended, what it
 * used, what it was refused and what would have allowed it.
 *
 *	struct coffer *coffer = NULL;
 *	struct coffer_policy *policy = NULL;
 *	struct coffer_request *request = NULL;
 *	struct coffer_outcome *outcome = NULL;
 *	struct coffer_error error;
 *	const char *const argv[] = { "python3", "main.py", NULL };
 *
 *	if (coffer_new(&coffer, &error) == 0 && coffer_policy_new(&policy, &error) == 0 &&
 *	    coffer_policy_set(policy, "limits.memory", "512M", &error) == 0 &&
 *	    coffer_request_new(coffer, policy, argv, &request, &error) == 0 &&
 *	    coffer_run(request, &outcome, &error) == 0)
 *		printf("exit status %d\n", coffer_outcome_exit_code(outcome));
 *	else
 *		fprintf(stderr, "%s: %s\n", error.where, error.text);
 *	coffer_outcome_free(outcome);
 *	coffer_request_free(request);
 *	coffer_policy_free(policy);
 *	coffer_free(coffer);
 *
 * What holds everywhere:
 *
 * - Functions that can fail return 0, or a negative errno with *error filled. `error` is last, may be NULL, is the caller's, and is
 *   untouched on success. What a function gives is named ret_… and is written only on success.
 * - x_new gives, x_free takes back; x_free(NULL) is fine. A getter lends: what it returns lives as long as what it was asked of.
 *   Text in a `char **ret_text` is the caller's: coffer_text_free.
 * - The library is silent, never exits, keeps no state between calls but what these objects hold, and installs no signal handler.
 * - A `struct coffer` may be used by many threads at once. A policy may be shared while nobody changes it. A request belongs to one
 *   thread at a time; only coffer_cancel may be called on it from elsewhere.
 * - Paths and other strings are copied. Sizes are bytes, times are in the unit that the name says.
 * - What comes from inside the sandbox (output, names of files, targets of denials) is data from a stranger. Nothing here
 *   escapes it for a terminal, but text in COFFER_TEXT form is escaped.
 *
 * Compiles alone as C99 or C++11 and later.
 */
#ifndef COFFER_H
#define COFFER_H

#include <stddef.h>
#include <stdint.h>

#define COFFER_VERSION_MAJOR 0
#define COFFER_VERSION_MINOR 1
#define COFFER_VERSION_PATCH 0

#if defined(__GNUC__)
#define COFFER_API __attribute__((visibility("default")))
#else
#define COFFER_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct coffer;         /* what this machine can do; made once */
struct coffer_policy;  /* what is wanted */
struct coffer_request; /* what to run, with which streams */
struct coffer_outcome; /* what happened */

/* "0.1.0": the version of the library in use, which may be newer than that of this header. */
COFFER_API const char *coffer_version(void);

/* Frees a text that a function gave through ret_text. */
COFFER_API void coffer_text_free(char *text);

/* How a report is written: for people, or one JSON document. Both end in a newline. */
enum coffer_format { COFFER_TEXT, COFFER_JSON };

/*
 * Errors: how coffer itself can fail. What the command did, a limit that it hit included, is an outcome and never an error.
 */
enum coffer_error_code {
	COFFER_ERROR_NONE,
	COFFER_ERROR_USAGE,       /* the caller's words or arguments are off */
	COFFER_ERROR_POLICY,      /* the policy contradicts itself or names something that cannot be */
	COFFER_ERROR_UNSUPPORTED, /* this machine cannot enforce what the policy asks for */
	COFFER_ERROR_NOTFOUND,    /* a thing that was named does not exist */
	COFFER_ERROR_DENIED,      /* this user may not do that */
	COFFER_ERROR_BUSY,        /* somebody else holds it; try again */
	COFFER_ERROR_LIMIT,       /* a ceiling of coffer's own was reached */
	COFFER_ERROR_SETUP,       /* a step of making the sandbox failed */
	COFFER_ERROR_INTERNAL     /* a defect in coffer */
};

enum { COFFER_WHERE_MAX = 256, COFFER_TEXT_MAX = 1024 };

struct coffer_error {
	enum coffer_error_code code;
	int errnum;                   /* positive errno, 0 when none applies */
	char where[COFFER_WHERE_MAX]; /* the place in the policy: "settings.json /limits/memory", or "" */
	char text[COFFER_TEXT_MAX];   /* one line, safe for a terminal */
};

COFFER_API const char *coffer_error_name(enum coffer_error_code code); /* "policy" */
COFFER_API int coffer_error_exit_status(enum coffer_error_code code);  /* for programs that end with it: 125 */

/*
 * The context: facts about this machine, probed once (about 50 µs, no process is started). Everything else hangs from it, and must
 * be freed before it.
 */
COFFER_API int coffer_new(struct coffer **ret_coffer, struct coffer_error *error);
COFFER_API void coffer_free(struct coffer *coffer);

/*
 * Where the launcher program is (default: where the library was installed, or beside the executable), and where coffer keeps what
 * it must remember while a sandbox lives: a directory of this user's own, made with mode 0700 when it is missing (default:
 * $XDG_RUNTIME_DIR/coffer, /run/coffer for root, ~/.local/state/coffer). Both absolute; set them before the first request.
 */
COFFER_API int coffer_set_launcher(struct coffer *coffer, const char *path, struct coffer_error *error);
COFFER_API int coffer_set_state_dir(struct coffer *coffer, const char *path, struct coffer_error *error);

/*
 * The settings: each thing that a policy can say, as data. The same table makes the parser of settings files, the options of the
 * command line and the manual page coffer-settings(5).
 */
enum coffer_setting_kind {
	COFFER_SETTING_BOOL,     /* "true", "false" */
	COFFER_SETTING_CHOICE,   /* one of `choices` */
	COFFER_SETTING_TEXT,     /* a name, permission bits: the sentence says what */
	COFFER_SETTING_COUNT,    /* "100" */
	COFFER_SETTING_SIZE,     /* "512M", "1.5GiB" */
	COFFER_SETTING_DURATION, /* "30s", "1h30m" */
	COFFER_SETTING_SHARE,    /* "0.5": processors' worth of time */
	COFFER_SETTING_PATH,     /* a path */
	COFFER_SETTING_PATHS,    /* a list of paths and globs; setting it adds one */
	COFFER_SETTING_NAMES,    /* a list of names; setting it adds one */
	COFFER_SETTING_VARIABLES /* "NAME=value", or "NAME" as the caller has it; setting it adds or replaces one */
};

struct coffer_setting {
	const char *pointer;  /* "/limits/memory": its place in a document, a JSON pointer */
	const char *option;   /* "memory", for --memory; NULL when the command line has none */
	const char *alias;    /* a shorter option for the same, or NULL */
	const char *choices;  /* "off|host", or NULL */
	const char *sentence; /* what it is for */
	const char *example;  /* a value, as JSON */
	enum coffer_setting_kind kind;
};

/* Setting number `index`, those of a section together; NULL past the last. */
COFFER_API const struct coffer_setting *coffer_setting_at(size_t index);

/*
 * A policy starts as the default of `coffer run`: the toolchain of this machine readable, credential places hidden, the working
 * directory read-only, a private /tmp, no network, an environment reduced to a short list, limits on memory, processes and output.
 */
COFFER_API int coffer_policy_new(struct coffer_policy **ret_policy, struct coffer_error *error);
/*
 * The same from the default of `srt`, Anthropic's sandbox runtime, for settings documents of its kind: everything readable, nothing writable, no host
 * reachable, the caller's environment, no limits; unknown keys are ignored.
 */
COFFER_API int coffer_policy_new_srt(struct coffer_policy **ret_policy, struct coffer_error *error);
COFFER_API void coffer_policy_free(struct coffer_policy *policy);

/*
 * Settings, as one JSON document of n bytes, or in a file. `source` names it in messages. The first document that a policy reads, or
 * profile that it takes, adds to the default; each later one only tightens, and a run fails when it asks for what was not allowed
 * before. Nothing of a document counts when anything in it is wrong; then error has the first mistake, coffer_policy_problem each.
 */
COFFER_API int coffer_policy_read(struct coffer_policy *policy, const char *text, size_t n, const char *source, struct coffer_error *error);
COFFER_API int coffer_policy_read_file(struct coffer_policy *policy, const char *path, struct coffer_error *error);
/* One of the profiles that come with coffer: "strict", "agent", "build", "test". */
COFFER_API int coffer_policy_profile(struct coffer_policy *policy, const char *name, struct coffer_error *error);
/* Name of profile number `index`, and what it is for; NULL past the last. */
COFFER_API const char *coffer_profile_at(size_t index);
COFFER_API const char *coffer_profile_sentence(size_t index);
/* Mistake number `index` of the last call on this policy that failed; NULL past the last, and when there was only one. */
COFFER_API const struct coffer_error *coffer_policy_problem(const struct coffer_policy *policy, size_t index);

/*
 * One setting, by name ("limits.memory") or pointer, in the form that its kind says. It is the caller's own word: it replaces, or for a
 * list adds to, what the first document said; later documents tighten it. `why` is what plans and denials show as its provenance
 * ("--memory"); NULL: the name.
 */
COFFER_API int coffer_policy_set(struct coffer_policy *policy, const char *name, const char *value, struct coffer_error *error);
COFFER_API int coffer_policy_set_why(struct coffer_policy *policy, const char *name, const char *value, const char *why,
                                     struct coffer_error *error);

/* Paths that a program knows: never read as a pattern. A relative path starts at the request's working directory. */
COFFER_API int coffer_policy_allow_read(struct coffer_policy *policy, const char *path, struct coffer_error *error);
COFFER_API int coffer_policy_allow_write(struct coffer_policy *policy, const char *path, struct coffer_error *error);
COFFER_API int coffer_policy_deny_read(struct coffer_policy *policy, const char *path, struct coffer_error *error);
COFFER_API int coffer_policy_deny_write(struct coffer_policy *policy, const char *path, struct coffer_error *error);
/* A variable of the sandbox's environment; value NULL takes it out. */
COFFER_API int coffer_policy_variable(struct coffer_policy *policy, const char *name, const char *value, struct coffer_error *error);

/* Takes away from `policy` whatever `other`, which must live as long, does not allow. What `other` leaves at its default counts as said. */
COFFER_API int coffer_policy_tighten(struct coffer_policy *policy, const struct coffer_policy *other, struct coffer_error *error);

/*
 * The policy as a settings document: read back, it gives the same policy. Secrets among its variables are shown as three dots. One
 * setting, as a JSON value; empty when nobody said anything about it.
 */
COFFER_API int coffer_policy_text(const struct coffer_policy *policy, char **ret_text, struct coffer_error *error);
COFFER_API int coffer_policy_get(const struct coffer_policy *policy, const char *name, char **ret_text, struct coffer_error *error);

/* A JSON Schema (draft 2020-12) of settings documents, for editors. */
COFFER_API int coffer_setting_schema(char **ret_text, struct coffer_error *error);

/*
 * A request: argv (NULL-terminated, at least one) under a policy. Without further words the command gets the caller's working
 * directory, what the policy takes of the caller's environment, no input, and its output goes to the event callback.
 * The policy is read when the request is explained or run, and must live as long.
 */
COFFER_API int coffer_request_new(struct coffer *coffer, const struct coffer_policy *policy, const char *const *argv,
                                  struct coffer_request **ret_request, struct coffer_error *error);
COFFER_API void coffer_request_free(struct coffer_request *request);

/* The environment that the policy chooses from, "NAME=value", NULL-terminated; borrowed. Default: this process's. */
COFFER_API void coffer_request_environment(struct coffer_request *request, const char *const *environment);
/* The directory that relative paths of the policy start at, and where the command works unless the policy says otherwise. */
COFFER_API int coffer_request_directory(struct coffer_request *request, const char *path, struct coffer_error *error);

/*
 * The streams. A descriptor stays the caller's: bytes are relayed, the descriptor itself never enters the sandbox.
 * -1 for input is end of file; -1 for an output hands its bytes to the event callback, or to nobody when there is none.
 */
COFFER_API void coffer_request_streams(struct coffer_request *request, int input, int output, int errors);
/* Instead of a descriptor: these bytes are the input. Copied. */
COFFER_API int coffer_request_input(struct coffer_request *request, const void *bytes, size_t n, struct coffer_error *error);

/* Streams that shall be a terminal of the sandbox's own, joined to the caller's. Default: none. */
enum coffer_terminal { COFFER_TERMINAL_INPUT = 1, COFFER_TERMINAL_OUTPUT = 2, COFFER_TERMINAL_ERRORS = 4 };
COFFER_API void coffer_request_terminal(struct coffer_request *request, unsigned streams);

/*
 * Signals that the command gets in the caller's place while coffer_run runs: n numbers. The caller must have blocked them in all
 * of its threads. SIGWINCH resizes the sandbox's terminal; a second SIGINT, 0.1 s or more after the first, is coffer_cancel. Default: none.
 */
COFFER_API int coffer_request_forward(struct coffer_request *request, const int *signals, size_t n, struct coffer_error *error);

/* Why a run ended: the first of these that was true. */
enum coffer_cause {
	COFFER_CAUSE_EXIT,       /* the command ended by itself */
	COFFER_CAUSE_SIGNAL,     /* a signal ended it */
	COFFER_CAUSE_TIMEOUT,    /* limits.timeout */
	COFFER_CAUSE_MEMORY,     /* limits.memory */
	COFFER_CAUSE_PROCESSES,  /* limits.processes */
	COFFER_CAUSE_CPU,        /* limits.cpuTime */
	COFFER_CAUSE_OUTPUT,     /* limits.output */
	COFFER_CAUSE_FILE_SIZE,  /* limits.fileSize */
	COFFER_CAUSE_WORKSPACE,  /* limits.workspaceSize, limits.workspaceFiles */
	COFFER_CAUSE_POLICY,     /* the policy refused the run */
	COFFER_CAUSE_SETUP,      /* a step of making the sandbox failed */
	COFFER_CAUSE_CANCELLED,  /* coffer_cancel */
	COFFER_CAUSE_PARENT_GONE /* the caller went away: told only where somebody is left to tell it */
};
COFFER_API const char *coffer_cause_name(enum coffer_cause cause); /* "timeout" */

/* Something that was refused. Made only by the library; may grow at its end. */
struct coffer_denial {
	int pid;                     /* inside */
	const char *process;         /* the process's name */
	const char *operation;       /* "open", "create", "rename", "connect", "socket", "mount", … */
	const char *target;          /* a path, an address, a family */
	int errnum;                  /* what the process was answered */
	const char *rule;            /* where in the policy the rule stands, or "default" */
	const char *remedy;          /* the smallest change that would allow it: "--allow-write /srv/out"; NULL when none would */
	const char *remedy_settings; /* the same as settings: {"filesystem": {"allowWrite": ["/srv/out"]}}, or NULL */
	unsigned count;              /* how often */
};

/* What becomes of a connection: opened, refused, closed. Made only by the library; may grow at its end. */
struct coffer_connection {
	const char *verdict; /* "open", "deny", "close": each "open" has its "close" */
	const char *way;     /* how it was asked for: "http", "connect", "socks5", "transparent"; "dns" is a lookup */
	const char *host;    /* as asked for; "" where nothing could be read */
	unsigned port;       /* 0: none was told */
	const char *rule;    /* where in the policy the pattern stands that decided, or NULL */
	const char *reason;  /* why it was refused or what ended it, or NULL */
	uint64_t bytes_up, bytes_down, duration_ms;
	uint64_t dropped; /* so many before this one are missing: there were too many at once */
};

enum coffer_event_type {
	COFFER_EVENT_PLANNED, /* text: the plan in one line; again, when this machine refused it and there is another */
	COFFER_EVENT_NOTED,   /* text: something that this machine cannot enforce in full; one event each, and each once */
	COFFER_EVENT_STARTED,
	COFFER_EVENT_OUTPUT,  /* stream 1 or 2, bytes, len */
	COFFER_EVENT_DENIED,  /* denial */
	COFFER_EVENT_LIMITED, /* cause */
	COFFER_EVENT_EXITED,
	COFFER_EVENT_CONNECTION, /* connection */
	COFFER_EVENT_CONTROL,    /* bytes, len: of coffer_request_control's descriptor */
	COFFER_EVENT_EXECUTED    /* in a session: the command is there */
};

/* One thing that happens. Lives during the callback. May grow at its end. */
struct coffer_event {
	enum coffer_event_type type;
	int stream;
	const void *bytes;
	size_t len;
	const struct coffer_denial *denial;
	enum coffer_cause cause;
	const char *text;
	const struct coffer_connection *connection;
};

/* Called in the thread that runs the request, never from two at once for one request. While it works the command's output waits. */
typedef void coffer_event_function(void *context, const struct coffer_event *event);
COFFER_API void coffer_request_events(struct coffer_request *request, coffer_event_function *on_event, void *context);

/*
 * A run whose network is filtered may get other rules while it goes on: what this policy says of the network replaces what was in force, and
 * connections that it forbids end. Nothing else of it counts. From any thread, also from the event callback, and before the run.
 */
COFFER_API int coffer_request_network(struct coffer_request *request, const struct coffer_policy *policy, struct coffer_error *error);
/* A descriptor (-1: none, the default) that is read while the run goes on; what comes is COFFER_EVENT_CONTROL, for the callback to make sense of. */
COFFER_API void coffer_request_control(struct coffer_request *request, int fd);

/* The plan that the request gives on this machine, before anything happens. */
COFFER_API int coffer_explain(struct coffer_request *request, enum coffer_format format, char **ret_text, struct coffer_error *error);

/*
 * Runs the request to its end, in this thread. 0 with an outcome whenever the command was started, or could not be found or executed
 * (127, 126); a negative errno when coffer failed and nothing was run. Afterwards nothing of the sandbox is left on the host in
 * either case. A request can be run again.
 */
COFFER_API int coffer_run(struct coffer_request *request, struct coffer_outcome **ret_outcome, struct coffer_error *error);

/* Ends a run, or the next one when none is running; its outcome's cause is CANCELLED. Any thread, any signal handler. */
COFFER_API void coffer_cancel(struct coffer_request *request);

/* The outcome. */
COFFER_API void coffer_outcome_free(struct coffer_outcome *outcome);
COFFER_API const char *coffer_outcome_run(const struct coffer_outcome *outcome); /* the run's name, for coffer_record_read */
/* The command's own status; 128 + signal; 124 timeout; 125 coffer's own failure; 126 not executable; 127 not found. */
COFFER_API int coffer_outcome_exit_code(const struct coffer_outcome *outcome);
/* Why the command could not be executed, when that is why the status is 126 or 127; else NULL. */
COFFER_API const char *coffer_outcome_message(const struct coffer_outcome *outcome);
COFFER_API int coffer_outcome_signal(const struct coffer_outcome *outcome); /* that ended the command, or 0 */
COFFER_API enum coffer_cause coffer_outcome_cause(const struct coffer_outcome *outcome);

enum coffer_measure {
	COFFER_DURATION_US,
	COFFER_CPU_USER_US,
	COFFER_CPU_SYSTEM_US,
	COFFER_MEMORY_PEAK_BYTES, /* of all processes together where there is a cgroup, else of the largest */
	COFFER_PROCESSES_PEAK,    /* 0: not known */
	COFFER_OUTPUT_BYTES,      /* passed on, of standard output */
	COFFER_ERRORS_BYTES,
	COFFER_OUTPUT_TRUNCATED, /* 1 when limits.output cut it short */
	COFFER_ERRORS_TRUNCATED,
	COFFER_DENIALS_DROPPED, /* beyond the thousand different ones that are kept */
	COFFER_DENIALS_IGNORED  /* that settings leave out (ignoreViolations) */
};
COFFER_API uint64_t coffer_outcome_measure(const struct coffer_outcome *outcome, enum coffer_measure measure);

/* Of a stream (1, 2) that had more than coffer_request_spill passes on; else NULL. Made only by the library; may grow at its end. */
struct coffer_spill {
	const char *path;       /* of the file, on the host; NULL: there is none */
	uint64_t file_bytes;    /* in it: all, if as many as */
	uint64_t written_bytes; /* by the command */
	uint64_t head_bytes;    /* of what was passed on, so many are from the beginning */
	int errnum;             /* why the file has not all of it, or 0: its ceiling */
};
COFFER_API const struct coffer_spill *coffer_outcome_spill(const struct coffer_outcome *outcome, int stream);

/* Denial number `index`, in the order in which they were first seen; NULL past the last. */
COFFER_API const struct coffer_denial *coffer_outcome_denial(const struct coffer_outcome *outcome, size_t index);

/* All of it with the receipt, which says what was enforced and how, as JSON; or what `coffer why` prints, as text. */
COFFER_API int coffer_outcome_text(const struct coffer_outcome *outcome, enum coffer_format format, char **ret_text,
                                   struct coffer_error *error);

/*
 * Runs that had denials, or ended otherwise than by themselves, are remembered: the last 32 of this user. `run` is a run's name or
 * the beginning of one that is unambiguous; NULL: the last one.
 */
COFFER_API int coffer_record_read(struct coffer *coffer, const char *run, struct coffer_outcome **ret_outcome, struct coffer_error *error);

/* Keeps the outcome of a run that went wrong for coffer_record_read. coffer_run never does it by itself. Does nothing for one without
 * denials that ended by itself. */
COFFER_API int coffer_record_write(struct coffer *coffer, const struct coffer_outcome *outcome, struct coffer_error *error);

/*
 * The egress filter by itself, for work that runs elsewhere (in a virtual machine, say): it serves HTTP on a listening socket of the caller's, and asks
 * the caller's decider, on the other end of a stream, about each request (srt(1) has the protocol). Descriptors stay the caller's; -1: none.
 */
struct coffer_proxy {
	int listener;
	int decider_in, decider_out;         /* from the decider, to it; may be one socket */
	int lifeline;                        /* its end is the proxy's */
	int stop;                            /* readable: the proxy is to end */
	const char *authority;               /* certificate and key in PEM: TLS is opened with them. NULL: tunnels are refused */
	const char *extra_roots;             /* a file with certificates to trust, beyond this machine's; or NULL */
	const char *const *stripped_headers; /* of answers; NULL-terminated, or NULL */
	int plaintext_header_set;            /* verdicts may set headers where there is no TLS */
	coffer_event_function *on_event;     /* STARTED once it serves, CONNECTION; or NULL */
	void *context;
};

enum coffer_proxy_end { COFFER_PROXY_STOPPED, COFFER_PROXY_LIFELINE, COFFER_PROXY_DECIDER };

/*
 * Serves in this thread until its end, which *ret_end tells; of the decider's *error has the reason, though 0 is returned. A negative errno when
 * it never served.
 */
COFFER_API int coffer_proxy_run(struct coffer *coffer, const struct coffer_proxy *proxy, enum coffer_proxy_end *ret_end,
                                struct coffer_error *error);

/* The doctor: what this machine has and lacks for sandboxes, and how to get it. */
enum coffer_health {
	COFFER_FINE,
	COFFER_WEAK,   /* a sandbox works without it, and the receipt says what is lost */
	COFFER_MISSING /* namespaces, the first rung of the ladder, are out of reach, or nothing runs at all */
};

struct coffer_finding {
	const char *name; /* "user namespaces" */
	enum coffer_health health;
	const char *text; /* what was found */
	const char *fix;  /* the command that changes it, or NULL */
};

typedef void coffer_finding_function(void *context, const struct coffer_finding *finding);
/* Calls on_finding for each thing looked at, the rung of the ladder first. Runs one command in a sandbox to be sure. */
COFFER_API int coffer_doctor(struct coffer *coffer, coffer_finding_function *on_finding, void *context, struct coffer_error *error);

/*
 * Sessions: sandboxes that stay, and in which one command after another is executed. No daemon: a session has a small supervisor of its own, and any process of
 * this user finds it by its name. It ends by coffer_session_remove, when its time is up, or when nobody has used it for long. When its supervisor is
 * killed the processes in it are gone as well, and the next use makes the sandbox anew.
 */
struct coffer_session;
struct coffer_workspace;

/* What commands work in. */
enum coffer_session_tree {
	COFFER_SESSION_HOST, /* the host's own tree, as the policy has it */
	COFFER_SESSION_COPY, /* a copy-on-write view of the directory; coffer_workspace_open by the session's name reads and applies what changed */
	COFFER_SESSION_EMPTY /* a directory of the session's own */
};

struct coffer_session_options {
	size_t size;           /* sizeof(struct coffer_session_options) */
	const char *name;      /* lower-case letters, digits, "_.-", at most 63; NULL: a random one */
	const char *labels;    /* a JSON object, kept with it, or NULL */
	const char *directory; /* where commands start; NULL: the caller's */
	enum coffer_session_tree tree;
	const char *path; /* EMPTY: where the directory is inside; NULL: /workspace */
	const char *
	    workspace; /* EMPTY: the name under which the directory outlives the session, and is found by the next one; NULL: it goes with it */
	uint64_t ttl_ms;  /* it ends so long after it was made; 0: never */
	uint64_t idle_ms; /* it ends when nothing has been executed for so long; 0: never */
	int history; /* COPY, EMPTY: after each command that changed files a layer is made, as by coffer_session_checkpoint, while all is paused */
	const char *
	    snapshot; /* begins with its files; with HOST the tree is of the snapshot's kind, a COPY only in the directory that it was made on */
};

enum coffer_session_state { COFFER_SESSION_RUNNING, COFFER_SESSION_PAUSED, COFFER_SESSION_STOPPED, COFFER_SESSION_BROKEN };

/* The policy holds for all that is executed in it; its limits for all of that together, but for time and output. */
COFFER_API int coffer_session_create(struct coffer *coffer, const struct coffer_policy *policy,
                                     const struct coffer_session_options *options, struct coffer_session **ret_session,
                                     struct coffer_error *error);
COFFER_API int coffer_session_open(struct coffer *coffer, const char *name, struct coffer_session **ret_session,
                                   struct coffer_error *error);
/* Frees the handle. The session goes on. */
COFFER_API void coffer_session_free(struct coffer_session *session);
COFFER_API const char *coffer_session_name(const struct coffer_session *session);

/*
 * A request for coffer_run that executes a command there, with streams, events and cancellation as any other. Its environment (coffer_request_environment)
 * comes to the session's; its directory may be relative to the session's. Many may run at once.
 */
COFFER_API int coffer_session_request(struct coffer_session *session, const char *const *argv, struct coffer_request **ret_request,
                                      struct coffer_error *error);
/* Instead of the session's own; 0: that. */
COFFER_API void coffer_request_limits(struct coffer_request *request, uint64_t timeout_ms, uint64_t output_bytes);
/*
 * In a session: of each stream no more than `most` bytes (up to 64 MiB) are passed on, the first half as they come and the last half at the end. What is more than that is kept as a
 * whole in a file of at most file_bytes that goes with the session: coffer_outcome_spill tells of it. A file that cannot be written, for the disk is full, is told
 * there, too, and nothing else changes. marks: between the halves a line says how much is left out, and where it is.
 */
COFFER_API void coffer_request_spill(struct coffer_request *request, uint64_t most, uint64_t file_bytes, int marks);
/* In a session: it does not keep it from being idle; signals that are forwarded reach all of its group, and end all that came of it. */
COFFER_API void coffer_request_background(struct coffer_request *request);

/* Stops all its processes where they are, and gives memory back; the next command lets them go on, as resume does. */
COFFER_API int coffer_session_pause(struct coffer_session *session, struct coffer_error *error);
COFFER_API int coffer_session_resume(struct coffer_session *session, struct coffer_error *error);
/* Kills all of it and removes what it was. */
COFFER_API int coffer_session_remove(struct coffer_session *session, struct coffer_error *error);
/* The same, but its workspace stays under the session's name, as that of a request that tries does. POLICY where its tree is the host's. */
COFFER_API int coffer_session_leave(struct coffer_session *session, struct coffer_error *error);

/* Instead of a layer's number: what the files are now. */
#define COFFER_NOW UINT64_MAX
/*
 * Sessions whose tree is not the host's: another one that begins where this one is (settings and files, not processes); a layer to go back to, and going
 * back (0: the beginning), which kills the session's processes. A session that runs is paused meanwhile.
 */
COFFER_API int coffer_session_fork(struct coffer_session *session, const char *name, struct coffer_session **ret_child,
                                   struct coffer_error *error);
/* One that begins where this one was after a layer; 0: the beginning, COFFER_NOW: as coffer_session_fork. */
COFFER_API int coffer_session_fork_at(struct coffer_session *session, uint64_t layer, const char *name, struct coffer_session **ret_child,
                                      struct coffer_error *error);
COFFER_API int coffer_session_checkpoint(struct coffer_session *session, const char *label, uint64_t *ret_number,
                                         struct coffer_error *error);
COFFER_API int coffer_session_checkout(struct coffer_session *session, uint64_t number, struct coffer_error *error);
/* The layers of a workspace, oldest first: lines, or a JSON array. */
COFFER_API int coffer_workspace_log(struct coffer_workspace *workspace, enum coffer_format format, char **ret_text,
                                    struct coffer_error *error);

/*
 * Snapshots: the files of a session whose tree is not the host's, kept under a name (as a session's), for other sessions to begin with. Of a COPY it is what differs from the
 * directory. There are no settings in it. One that cannot be finished is not there.
 */
COFFER_API int coffer_snapshot_create(struct coffer_session *session, const char *name, struct coffer_error *error);
COFFER_API int coffer_snapshot_remove(struct coffer *coffer, const char *name, struct coffer_error *error);
/* As tar, compressed with zstd; whiteouts as devices 0:0. From any archive that coffer_session_unpack takes, within its limits, by whomever it was made. */
COFFER_API int coffer_snapshot_export(struct coffer *coffer, const char *name, int output, struct coffer_error *error);
COFFER_API int coffer_snapshot_import(struct coffer *coffer, int input, const char *name, struct coffer_error *error);
/* All of this user's: lines, or a JSON array. */
COFFER_API int coffer_snapshots_text(struct coffer *coffer, enum coffer_format format, char **ret_text, struct coffer_error *error);

/* One session as JSON, as coffer_sessions_text has it; and the memory that it uses. */
COFFER_API int coffer_session_text(struct coffer_session *session, char **ret_text, struct coffer_error *error);

/*
 * A look into a running session from outside (a stopped one's sandbox is made anew): its files as its commands see them. The processes inside own what is there, and
 * may replace any of it at any moment: open with openat2 and RESOLVE_IN_ROOT or RESOLVE_BENEATH, as this user. The session is in use until the view is closed.
 */
struct coffer_session_view {
	int root;          /* of its file system, O_PATH */
	int directory;     /* where commands start, O_PATH */
	unsigned uid, gid; /* that its processes have on the host; not the caller's, when that is root */
	int connection;
};
COFFER_API int coffer_session_view_open(struct coffer_session *session, struct coffer_session_view *ret_view, struct coffer_error *error);
COFFER_API void coffer_session_view_close(struct coffer_session_view *view);

/* How much more the working tree of a running session may hold by limits.workspaceSize and limits.workspaceFiles. UINT64_MAX: no limit says. */
COFFER_API int coffer_session_room(struct coffer_session *session, uint64_t *ret_bytes, uint64_t *ret_files, struct coffer_error *error);

/*
 * Files of a session, below the directory where its commands start: worked on from outside as the session's own user, whoever calls; no link leads out. A path
 * is relative to that directory, or absolute as the commands see it, and in it. Only the calling thread is that user meanwhile.
 */
/* A regular file, open for reading; the caller closes it. */
COFFER_API int coffer_session_open_file(struct coffer_session *session, const char *path, int *ret_fd, struct coffer_error *error);

struct coffer_file_write {
	size_t size;        /* sizeof(struct coffer_file_write) */
	int input;          /* a descriptor that is read to its end */
	int sets_mode;      /* to `mode`, the permissions; else those of the file that is replaced, 0644 for a new one */
	unsigned mode;      /* at most 0777 */
	int append;         /* in one piece, 64 MiB at most, behind what is there */
	int exclusive;      /* BUSY where something is there already */
	int sync;           /* it is on the disk when this returns */
	uint64_t bytes_max; /* LIMIT beyond; 0: no ceiling */
};
/* The file has the old content or the new one, never anything in between. Directories above are made, a link is replaced. */
COFFER_API int coffer_session_write_file(struct coffer_session *session, const char *path, const struct coffer_file_write *what,
                                         struct coffer_error *error);
/* What is in a directory, or the one file at the path: escaped lines, or a JSON array of objects with path, type, size, mode, mtime_ms, links. */
COFFER_API int coffer_session_files_text(struct coffer_session *session, const char *path, enum coffer_format format, char **ret_text,
                                         struct coffer_error *error);

/* What went over. `incomplete`: `entry`, and maybe others, could not be read. */
struct coffer_archive_report {
	uint64_t files, directories, links, bytes;
	uint64_t skipped; /* fifos, sockets and devices; onto the host also links that would lead out of the directory */
	int incomplete;
	char entry[COFFER_TEXT_MAX];
};
/*
 * A file, or a directory with all that is in it, from the host's path `outer` or to it. Into a directory that is there it goes under its own name; directories are joined, files
 * and links replaced. A new directory on the host is there as a whole or not at all. At most 4 GiB and 1,000,000 entries.
 */
COFFER_API int coffer_session_copy_in(struct coffer_session *session, const char *outer, const char *path,
                                      struct coffer_archive_report *ret_report, struct coffer_error *error);
COFFER_API int coffer_session_copy_out(struct coffer_session *session, const char *path, const char *outer,
                                       struct coffer_archive_report *ret_report, struct coffer_error *error);

/*
 * Trees as archives. Packed as tar; unpacked from tar, plain or in gzip, bzip2, xz or zstd, and zip, over what is there: entries that would lead out, devices, and
 * what is over a ceiling end it, with what was unpacked by then in place. The archive's bytes go through coffer_archive_descriptor, or straight to `descriptor`.
 */
struct coffer_archive;
struct coffer_archive_options {
	size_t size;              /* sizeof(struct coffer_archive_options) */
	int descriptor;           /* written to, or read from, which stays the caller's; -1: a pipe is made */
	const char *const *paths; /* pack: only these, relative to the path, NULL-terminated; NULL: all */
	int zstd;                 /* pack: compressed */
	uint64_t bytes_max;       /* unpack; 0: 4 GiB */
	uint64_t entries_max;     /* unpack; 0: 1,000,000 */
};
COFFER_API int coffer_session_pack(struct coffer_session *session, const char *path, const struct coffer_archive_options *options,
                                   struct coffer_archive **ret_archive, struct coffer_error *error);
COFFER_API int coffer_session_unpack(struct coffer_session *session, const char *path, const struct coffer_archive_options *options,
                                     struct coffer_archive **ret_archive, struct coffer_error *error);
/* The end of the pipe to read the archive from, or to write it to; it is the caller's from then on, once. */
COFFER_API int coffer_archive_descriptor(struct coffer_archive *archive);
/* Waits for the end, and frees it. POLICY: an entry that would lead out or is of no kind that is taken; USAGE: no archive, or a broken one. */
COFFER_API int coffer_archive_finish(struct coffer_archive *archive, struct coffer_archive_report *ret_report, struct coffer_error *error);

/*
 * Managed processes of a session: commands that nobody waits for. Each has a keeper, a process outside the sandbox that is nobody's child; it goes on until the command
 * ends, is stopped, or the session ends. Processes are named by numbers, and told as JSON objects: id, argv, status ("running", "exited", "stopped"), terminal (true or false),
 * exit_code, signal, cause, message, started_at_ms, ended_at_ms.
 */
struct coffer_process_options {
	size_t size; /* sizeof(struct coffer_process_options) */
	const char *const *argv;
	const char *const *environment; /* comes to the session's: "NAME=value", or "NAME" to take it away; NULL: nothing */
	const char *directory;          /* NULL: the session's */
	const void *input;              /* of input_bytes */
	size_t input_bytes;
	uint64_t log_bytes;           /* the last so many of each stream are kept; 0: 1 MiB */
	uint64_t timeout_ms;          /* 0: the session's */
	unsigned short rows, columns; /* of a terminal that it has for input and output, and that one can attach to; both 0: none */
};
/* When the command has been executed. */
COFFER_API int coffer_process_start(struct coffer_session *session, const struct coffer_process_options *options, char **ret_text,
                                    struct coffer_error *error);
/* One; or, with name NULL, an array of all, in the order of their start. */
COFFER_API int coffer_process_text(struct coffer_session *session, const char *name, char **ret_text, struct coffer_error *error);
/* The last bytes of a stream (1, 2), at most `most` of them. On success bytes, n of them, are the caller's: coffer_text_free; total: how many there ever were. */
struct coffer_process_log {
	int stream;
	size_t most;
	char *bytes;
	size_t n;
	uint64_t total;
};
COFFER_API int coffer_process_log_read(struct coffer_session *session, const char *name, struct coffer_process_log *log,
                                       struct coffer_error *error);
/*
 * Attaches to one: repeats the last of what it wrote, and goes on from there until it ends or the caller detaches; it does not notice either. Up to sixteen may be
 * attached at once: all see the same, all may type, and the terminal has the size of who changed his last. Who reads too slowly loses what is no longer kept.
 */
struct coffer_attach_options {
	size_t size;               /* sizeof(struct coffer_attach_options) */
	int input, output, errors; /* -1: none. A terminal at input is raw meanwhile; of a process without a terminal, input is not read */
	const char *detach_keys;   /* typed one after the other these detach; detach_bytes, at most 16; 0: none do */
	size_t detach_bytes;
	uint64_t replay_bytes; /* so many of the last bytes of each stream at first */
	const int *signals; /* that the caller has blocked in all threads and that are taken: SIGWINCH passes the size on, others detach */
	size_t signals_n;
	void (*on_attached)(void *context); /* once, before the first byte; or NULL */
	void *context;
};
#define COFFER_DETACHED (-1)
struct coffer_attached {
	int status;          /* COFFER_DETACHED, or the process's exit status; 125 when nobody knows it, for it ended with its session */
	uint64_t lost_bytes; /* that went too fast */
	char name[16];       /* of the process */
};
/*
 * Until the process ends or the caller detaches. Of one that is over: the last of what it wrote, at once. name
 * NULL: the newest that runs, one with a terminal before one without.
 */
COFFER_API int coffer_process_attach(struct coffer_session *session, const char *name, const struct coffer_attach_options *options,
                                     struct coffer_attached *ret_attached, struct coffer_error *error);
/* SIGTERM to the command's group, and SIGKILL to all that came of it after grace_ms, or when the command has ended. Returns when it is over. */
COFFER_API int coffer_process_stop(struct coffer_session *session, const char *name, uint64_t grace_ms, struct coffer_error *error);
/* Until it is over; COFFER_ERROR_LIMIT with ETIMEDOUT after timeout_ms; 0: for ever. */
COFFER_API int coffer_process_wait(struct coffer_session *session, const char *name, uint64_t timeout_ms, struct coffer_error *error);
/* Forgets one that is over. */
COFFER_API int coffer_process_remove(struct coffer_session *session, const char *name, struct coffer_error *error);

/* All of this user's: lines for people, or a JSON array. */
COFFER_API int coffer_sessions_text(struct coffer *coffer, enum coffer_format format, char **ret_text, struct coffer_error *error);

/*
 * Workspaces: working trees of which nothing reaches the host until somebody says so. A request that tries is run on a copy-on-write view of its
 * working directory; what it changed there can be read, applied as a whole or in part, or thrown away.
 */
COFFER_API void coffer_request_try(struct coffer_request *request);
/* After such a run: the name of the workspace that holds what was changed. NULL: nothing was. */
COFFER_API const char *coffer_outcome_workspace(const struct coffer_outcome *outcome);

/* name NULL: the latest on this working directory, or on one around it. */
COFFER_API int coffer_workspace_open(struct coffer *coffer, const char *name, struct coffer_workspace **ret_workspace,
                                     struct coffer_error *error);
/* A session's. POLICY where its tree is the host's. */
COFFER_API int coffer_workspace_of_session(struct coffer_session *session, struct coffer_workspace **ret_workspace,
                                           struct coffer_error *error);
COFFER_API void coffer_workspace_free(struct coffer_workspace *workspace);
COFFER_API const char *coffer_workspace_name(const struct coffer_workspace *workspace);
COFFER_API const char *coffer_workspace_base(const struct coffer_workspace *workspace); /* the host's directory, or NULL */

/* What git shows for --name-status, --stat and as a patch that `git apply` takes; and JSON. */
enum coffer_diff { COFFER_DIFF_NAMES, COFFER_DIFF_STAT, COFFER_DIFF_PATCH, COFFER_DIFF_JSON };
/* Gets the text in pieces; anything but 0 (a negative errno) ends it. */
typedef int coffer_write_function(void *context, const char *bytes, size_t n);
/* paths NULL: all; else a NULL-terminated list, relative to the base, of what is shown with all below it. */
/* Between two layers of it: 0 is the base; COFFER_NOW what it is now. */
struct coffer_range {
	uint64_t from, to;
};
COFFER_API int coffer_workspace_diff_layers(struct coffer_workspace *workspace, struct coffer_range range, enum coffer_diff form,
                                            coffer_write_function *put, void *context, struct coffer_error *error);
COFFER_API int coffer_workspace_diff(struct coffer_workspace *workspace, enum coffer_diff form, const char *const *paths,
                                     coffer_write_function *put, void *context, struct coffer_error *error);

struct coffer_apply_options {
	size_t size;              /* sizeof(struct coffer_apply_options) */
	const char *const *paths; /* only what is at or below these; NULL: all */
	const char *const *allow; /* at or below these also what would make the host execute something, and links that leave the tree */
	const char *const *hunks; /* "path:1,3": of this file only these hunks of its patch */
	int look_only;            /* say what would be done, and do nothing */
	/*
	 * Run before anything is done, on a view of the base as it would be, and where that is unless it has a directory. Unless it ends with 0 nothing
	 * is done (DENIED). What it writes is lost. A session that has the workspace is paused meanwhile. NULL: no test.
	 */
	struct coffer_request *test;
};
/*
 * Does to the base what was done in the workspace: each file in one step, all of it or nothing where a file of the host's was changed meanwhile (BUSY), or a path
 * would make the host execute something and is not allowed by name (DENIED). What was done, or is in the way, is in *ret_text in either case, which may
 * be NULL. One that was cut short is completed by the next one.
 */
COFFER_API int coffer_workspace_apply(struct coffer_workspace *workspace, const struct coffer_apply_options *options,
                                      enum coffer_format format, char **ret_text, struct coffer_error *error);
/* Forgets it. */
COFFER_API int coffer_workspace_remove(struct coffer *coffer, const char *name, struct coffer_error *error);
COFFER_API int coffer_workspaces_text(struct coffer *coffer, enum coffer_format format, char **ret_text, struct coffer_error *error);

/* Undoes what runs of this user left that were ended by force. Every run does it in passing. Returns how many, or a negative errno. */
COFFER_API int coffer_gc(struct coffer *coffer, struct coffer_error *error);

#ifdef __cplusplus
}
#endif

#endif
