// The types of src/index.js, by the names of the original.

// ---- DockerSandbox (0.x)

export type SandboxFileType = 'file' | 'directory' | 'symlink' | 'other';
export type SandboxNetworkMode = boolean | 'none' | 'host' | (string & {});

export type SandboxWorkspaceOptions =
  | { mode?: 'ephemeral' }
  | { mode: 'persistent'; id: string; destroyOnSessionDestroy?: boolean };

export interface SandboxLifecycleOptions {
  /** It ends so long after it was made. */
  ttlMs?: number;
  /** It ends when nothing has been done with it for so long; processes that stay do not count. */
  idleTimeoutMs?: number;
  /** Initially true; false: neither clock runs. */
  autoDestroy?: boolean;
}

export interface DockerSandboxNetworkOptions {
  mode: SandboxNetworkMode;
  /** Not in the original: the hosts that a sandbox with a network of its own may reach, such as "packages.example.com" or "*.example.com". */
  allowedDomains?: string[];
}

export interface SandboxLimits {
  /** Of each command that says no other; initially 30000. */
  timeoutMs?: number;
  /** Kept of each stream; initially 1 MiB. */
  maxOutputBytes?: number;
  maxFileBytes?: number;
  memoryMb?: number;
  cpus?: number;
  pidsLimit?: number;
  /** Processes that stay; initially 4. */
  maxProcesses?: number;
}

export interface DockerSandboxSecurityOptions {
  readonlyRootfs?: boolean;
  noNewPrivileges?: boolean;
  dropCapabilities?: string[];
}

export interface SandboxSessionEvent {
  sessionId: string;
  provider: string;
  workdir: string;
}

export interface SandboxExecEvent extends SandboxSessionEvent {
  command: string;
  args: string[];
  cwd?: string;
}

export interface SandboxExecEndEvent extends SandboxExecEvent {
  result: SandboxExecResult;
}

export interface SandboxFileWriteEvent extends SandboxSessionEvent {
  path: string;
  size: number;
}

/** Each is waited for; what one throws, the call that it belongs to throws. */
export interface SandboxHooks {
  onSessionCreate?: (event: SandboxSessionEvent) => void | Promise<void>;
  onExecStart?: (event: SandboxExecEvent) => void | Promise<void>;
  onExecEnd?: (event: SandboxExecEndEvent) => void | Promise<void>;
  onFileWrite?: (event: SandboxFileWriteEvent) => void | Promise<void>;
  onDestroy?: (event: SandboxSessionEvent) => void | Promise<void>;
}

export interface DockerSandboxOptions {
  image?: string;
  pull?: 'missing' | 'always' | 'never';
  workdir?: string;
  workspace?: SandboxWorkspaceOptions;
  lifecycle?: SandboxLifecycleOptions;
  network?: SandboxNetworkMode | DockerSandboxNetworkOptions;
  user?: string;
  dockerPath?: string;
  labels?: Record<string, string>;
  limits?: SandboxLimits;
  security?: DockerSandboxSecurityOptions;
  hooks?: SandboxHooks;
}

export interface SandboxManifest {
  files?: Record<string, string | Uint8Array>;
  directories?: string[];
  env?: Record<string, string>;
}

export interface SandboxCreateSessionOptions {
  id?: string;
  workspace?: SandboxWorkspaceOptions;
  manifest?: SandboxManifest;
  metadata?: Record<string, string>;
}

export interface DockerSandboxCreateSessionOptions extends SandboxCreateSessionOptions {
  ports?: readonly number[];
}

export interface SandboxExecOptions {
  /** A program; no shell reads it. */
  command: string;
  args?: string[];
  cwd?: string;
  env?: Record<string, string>;
  timeoutMs?: number;
  input?: string | Uint8Array;
  signal?: AbortSignal;
  onStdout?: (chunk: Uint8Array) => void;
  onStderr?: (chunk: Uint8Array) => void;
}

export interface SandboxExecResult {
  stdout: string;
  stderr: string;
  exitCode: number;
  durationMs: number;
  timedOut: boolean;
  aborted: boolean;
  stdoutTruncated: boolean;
  stderrTruncated: boolean;
}

export type SandboxExecStreamEvent =
  | { type: 'stdout'; chunk: Uint8Array; text: string }
  | { type: 'stderr'; chunk: Uint8Array; text: string }
  | { type: 'exit'; result: SandboxExecResult };

export interface SandboxFileEntry {
  path: string;
  type: SandboxFileType;
  size?: number;
}

export interface SandboxTextFileReadOptions {
  startLine?: number;
  lineCount?: number;
  maxBytes?: number;
}

export interface SandboxTextFileReadResult {
  content: string;
  startLine: number;
  endLine: number | null;
  nextStartLine: number | null;
  truncated: boolean;
  truncatedBy: 'lines' | 'bytes' | null;
}

export interface SandboxPublishedPort {
  containerPort: number;
  host: '127.0.0.1';
  hostPort: number;
  protocol: 'tcp';
}

export interface SandboxWaitForPortOptions {
  timeoutMs?: number;
  intervalMs?: number;
  signal?: AbortSignal;
}

export interface SandboxProcessStartOptions {
  command: string;
  args?: string[];
  cwd?: string;
  env?: Record<string, string>;
}

export type SandboxProcessStatus = 'running' | 'exited' | 'stopped';

export interface SandboxProcessInfo {
  id: string;
  command: string;
  args: string[];
  cwd?: string;
  status: SandboxProcessStatus;
  exitCode?: number;
  startedAt: string;
  endedAt?: string;
}

export interface SandboxProcessLogsOptions {
  tailBytes?: number;
}

export interface SandboxProcessLogs {
  stdout: string;
  stderr: string;
  stdoutTruncated: boolean;
  stderrTruncated: boolean;
}

export interface SandboxProcessStopOptions {
  gracePeriodMs?: number;
}

export interface SandboxSession {
  readonly id: string;
  readonly provider: string;
  readonly workdir: string;
  exec(options: SandboxExecOptions): Promise<SandboxExecResult>;
  execStream(options: SandboxExecOptions): AsyncIterable<SandboxExecStreamEvent>;
  readFile(path: string): Promise<Uint8Array>;
  readTextFile(path: string): Promise<string>;
  readTextFilePage?(path: string, options?: SandboxTextFileReadOptions): Promise<SandboxTextFileReadResult>;
  writeFile(path: string, data: string | Uint8Array): Promise<void>;
  writeTextFile(path: string, content: string): Promise<void>;
  listFiles(path?: string): Promise<SandboxFileEntry[]>;
  destroy(): Promise<void>;
}

export interface SandboxPortSession extends SandboxSession {
  readonly publishedPorts: readonly SandboxPublishedPort[];
  waitForPort(containerPort: number, options?: SandboxWaitForPortOptions): Promise<SandboxPublishedPort>;
}

export interface SandboxProcessSession extends SandboxSession {
  startProcess(options: SandboxProcessStartOptions): Promise<SandboxProcessInfo>;
  listProcesses(): Promise<SandboxProcessInfo[]>;
  readProcessLogs(processId: string, options?: SandboxProcessLogsOptions): Promise<SandboxProcessLogs>;
  stopProcess(processId: string, options?: SandboxProcessStopOptions): Promise<SandboxProcessInfo>;
}

export interface DockerSandboxSession extends SandboxPortSession, SandboxProcessSession {
  readTextFilePage(path: string, options?: SandboxTextFileReadOptions): Promise<SandboxTextFileReadResult>;
}

export declare class DockerSandbox {
  constructor(options?: DockerSandboxOptions);
  static node(options?: DockerSandboxOptions): DockerSandbox;
  static python(options?: DockerSandboxOptions): DockerSandbox;
  static deno(options?: DockerSandboxOptions): DockerSandbox;
  readonly provider: 'docker';
  createSession(options?: DockerSandboxCreateSessionOptions): Promise<DockerSandboxSession>;
}

export declare class Sandbox extends DockerSandbox {}

// ---- errors

export declare class SandboxError extends Error {
  constructor(message: string, cause?: unknown);
  readonly cause?: unknown;
}
export declare class SandboxDockerUnavailableError extends SandboxError {}
export declare class SandboxDockerCommandError extends SandboxError {
  constructor(message: string, result?: { stdout?: string; stderr?: string; exitCode?: number });
  readonly result: { stdout: string; stderr: string; exitCode: number };
}
export declare class SandboxSessionDestroyedError extends SandboxError {}
export declare class SandboxPathError extends SandboxError {}
export declare class SandboxTimeoutError extends SandboxError {}
export declare class SandboxFileSizeError extends SandboxError {}
export declare class SandboxToolPolicyError extends SandboxError {}
export declare class SandboxPortError extends SandboxError {}
export declare class SandboxProcessError extends SandboxError {}
export declare class SandboxToolInputError extends SandboxError {
  constructor(tool: string, issues: { code: string; path: (string | number)[]; message: string }[]);
  readonly issues: { code: string; path: (string | number)[]; message: string }[];
}

// ---- tools

export type SandboxToolName =
  | 'exec_command'
  | 'read_file'
  | 'write_file'
  | 'list_files'
  | 'list_ports'
  | 'start_process'
  | 'list_processes'
  | 'read_process_logs'
  | 'stop_process'
  | 'wait_for_port';

export interface SandboxExecToolPolicy {
  allowedCommands?: string[];
  blockedCommands?: string[];
  defaultTimeoutMs?: number;
  maxTimeoutMs?: number;
}

export interface SandboxFileToolPolicy {
  maxBytes?: number;
}

export interface SandboxReadFileToolPolicy extends SandboxFileToolPolicy {
  defaultLineCount?: number;
  maxLineCount?: number;
}

export interface SandboxProcessToolPolicy {
  maxLogBytes?: number;
  defaultWaitTimeoutMs?: number;
  maxWaitTimeoutMs?: number;
  stopGracePeriodMs?: number;
}

export interface SandboxToolsOptions {
  allow?: SandboxToolName[];
  include?: SandboxToolName[];
  execTimeoutMs?: number;
  exec?: SandboxExecToolPolicy;
  readFile?: SandboxReadFileToolPolicy;
  writeFile?: SandboxFileToolPolicy;
  process?: SandboxProcessToolPolicy;
}

/** A tool in the form of @anvia/core's. */
export interface SandboxTool {
  readonly name: SandboxToolName;
  definition(prompt?: string): { name: string; description: string; parameters: Record<string, any> };
  call(args?: unknown, context?: { abortSignal?: AbortSignal }): Promise<any>;
  parseApprovalArgs(args: unknown): any;
  parseInput(args: unknown): any;
}

export type SandboxToolsFactory = (session: SandboxSession, options?: SandboxToolsOptions) => SandboxTool[];

export declare function createSandboxTools(session: SandboxSession, options?: SandboxToolsOptions): SandboxTool[];
export declare function isSandboxPortSession(session: SandboxSession): session is SandboxPortSession;
export declare function isSandboxProcessSession(session: SandboxSession): session is SandboxProcessSession;

// ---- the client of 1.0

export type DockerSandboxErrorCode =
  | 'docker_unavailable'
  | 'docker_command_failed'
  | 'image_not_found'
  | 'volume_not_found'
  | 'sandbox_not_found'
  | 'invalid_state'
  | 'invalid_path'
  | 'timeout'
  | 'file_too_large'
  | 'tool_policy'
  | 'port'
  | 'process'
  | 'runtime_not_found';

export declare class DockerSandboxError extends Error {
  constructor(message: string, code: DockerSandboxErrorCode, details?: unknown, options?: { cause?: unknown });
  readonly code: DockerSandboxErrorCode;
  readonly details?: unknown;
}

interface Abortable {
  abortSignal?: AbortSignal;
}

export type DockerSandboxState = 'running' | 'stopping' | 'stopped' | 'destroying' | 'destroyed' | 'error';
export type DockerSandboxWorkspace = { type: 'ephemeral' } | { type: 'docker-volume'; name: string };
export type DockerSandboxNetwork = { mode: 'none' } | { mode: 'bridge'; ports?: readonly number[]; allowedDomains?: readonly string[] };

export interface CreateDockerSandboxOptions extends Abortable {
  id?: string;
  image: string;
  workdir?: string;
  workspace: DockerSandboxWorkspace;
  network: DockerSandboxNetwork;
  files?: Readonly<Record<string, string | Uint8Array>>;
  directories?: readonly string[];
  env?: Readonly<Record<string, string>>;
  user?: string;
  labels?: Readonly<Record<string, string>>;
  resources?: { memoryMb?: number; cpus?: number; pidsLimit?: number; sharedMemoryMb?: number };
  runtime?: { commandTimeoutMs?: number; maxOutputBytes?: number; maxFileBytes?: number; maxProcesses?: number };
  security?: DockerSandboxSecurityOptions & { addCapabilities?: readonly string[]; seccompProfile?: { type: 'path'; path: string } };
  containerRuntime?: string;
}

export interface DockerSandboxExecOptions extends Abortable {
  command: string;
  args?: readonly string[];
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  timeoutMs?: number;
  input?: string | Uint8Array;
}

interface ExecOutput {
  stdout: Uint8Array;
  stderr: Uint8Array;
  durationMs: number;
  stdoutTruncated: boolean;
  stderrTruncated: boolean;
}

export type DockerSandboxExecResult = (ExecOutput & { status: 'exited'; exitCode: number }) | (ExecOutput & { status: 'timed_out' });

export type DockerSandboxExecStreamEvent =
  | { type: 'stdout'; data: Uint8Array }
  | { type: 'stderr'; data: Uint8Array }
  | { type: 'result'; result: DockerSandboxExecResult };

export interface DockerSandboxRuntime {
  readonly id: string;
  readonly provider: 'docker';
  readonly workdir: string;
  readonly publishedPorts: readonly SandboxPublishedPort[];
  exec(options: DockerSandboxExecOptions): Promise<DockerSandboxExecResult>;
  execStream(options: DockerSandboxExecOptions): AsyncIterable<DockerSandboxExecStreamEvent>;
  readFile(options: Abortable & { path: string }): Promise<Uint8Array>;
  readTextFile(options: Abortable & { path: string }): Promise<string>;
  readTextFilePage(options: Abortable & { path: string } & SandboxTextFileReadOptions): Promise<SandboxTextFileReadResult>;
  writeFile(options: Abortable & { path: string; data: Uint8Array }): Promise<void>;
  writeTextFile(options: Abortable & { path: string; text: string }): Promise<void>;
  listFiles(options?: Abortable & { path?: string }): Promise<readonly SandboxFileEntry[]>;
  startProcess(options: Abortable & SandboxProcessStartOptions): Promise<SandboxProcessInfo>;
  listProcesses(options?: Abortable): Promise<readonly SandboxProcessInfo[]>;
  readProcessLogs(options: Abortable & { processId: string; tailBytes?: number }): Promise<
    Pick<ExecOutput, 'stdout' | 'stderr' | 'stdoutTruncated' | 'stderrTruncated'>
  >;
  stopProcess(options: Abortable & { processId: string; gracePeriodMs?: number }): Promise<SandboxProcessInfo>;
  waitForPort(options: Abortable & { containerPort: number; timeoutMs?: number; intervalMs?: number }): Promise<SandboxPublishedPort>;
}

export type DockerSandboxInspector = Pick<DockerSandboxRuntime, 'id' | 'provider' | 'workdir'> &
  Partial<Pick<DockerSandboxRuntime, 'listFiles' | 'readFile' | 'publishedPorts' | 'listProcesses' | 'readProcessLogs'>>;

/** What the original calls DockerSandbox as well. It has Symbol.asyncDispose where JavaScript has. */
export interface DockerSandboxHandle {
  readonly id: string;
  readonly state: DockerSandboxState;
  readonly runtime: DockerSandboxRuntime;
  inspector(options: { files?: boolean; ports?: boolean; processes?: boolean }): DockerSandboxInspector;
  stop(options?: Abortable): Promise<void>;
  destroy(): Promise<void>;
}

export declare class DockerSandboxClient {
  constructor(options?: { dockerPath?: string });
  pullImage(options: Abortable & { image: string }): Promise<void>;
  createSandbox(options: CreateDockerSandboxOptions): Promise<DockerSandboxHandle>;
  resumeSandbox(options: Abortable & { id: string }): Promise<DockerSandboxHandle>;
}

export interface CreateDockerSandboxToolsOptions {
  sandbox: DockerSandboxRuntime;
  tools: readonly SandboxToolName[];
  exec?: { commands?: { mode: 'allow' | 'block'; values: readonly string[] }; defaultTimeoutMs?: number; maxTimeoutMs?: number };
  readFile?: SandboxReadFileToolPolicy;
  writeFile?: SandboxFileToolPolicy;
  process?: SandboxProcessToolPolicy;
}

export declare function createDockerSandboxTools(options: CreateDockerSandboxToolsOptions): readonly SandboxTool[];
