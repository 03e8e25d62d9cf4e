// The types of src/index.js, by the names of the original.
import type { KeyObject, X509Certificate } from 'node:crypto';

// ---- settings

export type FilesystemPathEntry = string | { path: string; literal: true };

export interface NetworkConfig {
  allowedDomains: string[];
  deniedDomains: string[];
  deniedDomainReasons?: Record<string, string>;
  strictAllowlist?: boolean;
  deniedResolvedAddresses?: string[];
  allowUnixSockets?: string[];
  allowAllUnixSockets?: boolean;
  allowLocalBinding?: boolean;
  allowMachLookup?: string[];
  httpProxyPort?: number;
  socksProxyPort?: number;
  mitmProxy?: { socketPath: string; domains: string[] };
  filterRequest?: FilterRequestCallback;
  allowPlaintextHeaderSet?: boolean;
  stripResponseHeaders?: string[];
  refuseOpaqueTunnels?: boolean;
  requireHostMatch?: boolean;
  ambiguousRequestTarget?: 'refuse' | 'asSpelled' | 'normalize';
  tlsTerminate?: {
    caCertPath?: string;
    caKeyPath?: string;
    excludeDomains?: string[];
    extraCaCertPaths?: string[];
    maxTunnels?: number;
    handshakeTimeoutMs?: number;
  };
  parentProxy?: { http?: string; https?: string; noProxy?: string };
}

export interface FilesystemConfig {
  disabled?: boolean;
  denyRead: FilesystemPathEntry[];
  allowRead?: FilesystemPathEntry[];
  allowWrite: FilesystemPathEntry[];
  denyWrite: FilesystemPathEntry[];
  allowGitConfig?: boolean;
}

export type CredentialMode = 'deny' | 'mask';

export interface CredentialFileConfig {
  path: string;
  mode: CredentialMode;
  extract?: string;
  onExtractNoMatch?: 'warn' | 'deny' | 'error';
  decode?: 'jwt';
  maskClaims?: string[];
  maskDuplicates?: boolean;
  injectHosts?: string[];
}

export interface CredentialEnvVarConfig {
  name: string;
  mode: CredentialMode;
  extract?: string;
  onExtractNoMatch?: 'warn' | 'deny' | 'error';
  decode?: 'jwt';
  maskClaims?: string[];
  injectHosts?: string[];
}

export interface CredentialsConfig {
  files?: CredentialFileConfig[];
  envVars?: CredentialEnvVarConfig[];
  allowPlaintextInject?: boolean;
  awsPairs?: { accessKeyIdVar: string; secretAccessKeyVar: string; sessionTokenVar?: string }[];
  sigv4?: Partial<Record<'streaming' | 'presigned' | 'sigv4a', 'deny' | 'passthrough'>>;
}

export type IgnoreViolationsConfig = Record<string, string[]>;

export interface GitConfig {
  safeDirectories?: string[];
}

export interface SrtWinConfig {
  path: string;
}

export interface WindowsConfig {
  backend?: 'mxc' | 'srt-win';
  sandboxUser?: string;
  sublayerGuid?: string;
  wfpSublayerGuid?: string;
  proxyPortRange?: [number, number];
  srtWin?: SrtWinConfig;
}

export interface SandboxRuntimeConfig {
  network: NetworkConfig;
  filesystem: FilesystemConfig;
  credentials?: CredentialsConfig;
  ignoreViolations?: IgnoreViolationsConfig;
  enableWeakerNestedSandbox?: boolean;
  enableWeakerNetworkIsolation?: boolean;
  allowNestedUserNamespaces?: boolean;
  allowAppleEvents?: boolean;
  allowPty?: boolean;
  ripgrep?: { command: string; args?: string[]; argv0?: string };
  mandatoryDenySearchDepth?: number;
  seccomp?: { applyPath?: string; argv0?: string };
  bwrapPath?: string;
  socatPath?: string;
  javaAgentJarPath?: string;
  windows?: WindowsConfig;
  git?: GitConfig;
}

export interface ConfigIssue {
  code: string;
  path: (string | number)[];
  message: string;
}

export declare class ConfigError extends Error {
  readonly issues: ConfigIssue[];
  constructor(issues: ConfigIssue[]);
}

/** What srt itself says of the value. */
export interface Schema<T> {
  parse(value: unknown): T;
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: ConfigError };
}

export declare const SandboxRuntimeConfigSchema: Schema<SandboxRuntimeConfig>;
export declare const NetworkConfigSchema: Schema<NetworkConfig>;
export declare const FilesystemConfigSchema: Schema<FilesystemConfig>;
export declare const CredentialsConfigSchema: Schema<CredentialsConfig>;
export declare const IgnoreViolationsConfigSchema: Schema<IgnoreViolationsConfig>;
export declare const RipgrepConfigSchema: Schema<NonNullable<SandboxRuntimeConfig['ripgrep']>>;
export declare const GitConfigSchema: Schema<GitConfig>;
export declare const WindowsConfigSchema: Schema<WindowsConfig>;
export declare const SrtWinConfigSchema: Schema<SrtWinConfig>;

// ---- what is in force

export interface FsReadRestrictionConfig {
  denyOnly: string[];
  allowWithinDeny?: string[];
  literalDenyOnly?: string[];
  literalAllowWithinDeny?: string[];
}

export interface FsWriteRestrictionConfig {
  allowOnly: string[];
  literalAllowOnly?: string[];
  denyWithinAllow: string[];
  literalDenyWithinAllow?: string[];
}

export interface CredentialRestrictionConfig {
  denyReadPaths: string[];
  unsetEnvVars: string[];
  setEnvVars: Record<string, string>;
}

export interface NetworkRestrictionConfig {
  allowedHosts?: string[];
  deniedHosts?: string[];
}

export type NetworkHostPattern = { host: string; port: number | undefined };
/** About a host on neither list; called for each connection. What is not answered within a minute is refused. */
export type SandboxAskCallback = (params: NetworkHostPattern) => Promise<boolean | { allow: boolean; reason?: string }>;

export interface RequestInfo {
  host: string;
  port: number;
  [more: string]: unknown;
}
export type RequestDecision =
  | { action: 'allow'; setHeaders?: Record<string, string | string[]>; removeHeaders?: string[] }
  | { action: 'deny'; reason?: string; status?: number };
export type FilterRequestCallback = (request: Request, info: RequestInfo) => RequestDecision | Promise<RequestDecision>;
export type MutateForwardedHeaders = (headers: Headers) => void;

// ---- violations

export interface SandboxViolationEvent {
  line: string;
  command?: string;
  encodedCommand?: string;
  timestamp: Date;
}

export declare class SandboxViolationStore {
  addViolation(violation: SandboxViolationEvent): void;
  getViolations(limit?: number): SandboxViolationEvent[];
  getCount(): number;
  getTotalCount(): number;
  getViolationsForCommand(command: string): SandboxViolationEvent[];
  clear(): void;
  subscribe(listener: (violations: SandboxViolationEvent[]) => void): () => void;
}

// ---- the manager

export interface SandboxInitializeOptions {
  [option: string]: unknown;
}

export type WrapWithSandboxOptions = { commandId?: string; commandText?: string };

export interface SandboxDependencyCheck {
  warnings: string[];
  errors: string[];
}

export interface CheckDependenciesOptions {
  windowsBackend?: 'mxc' | 'srt-win';
}

export interface ISandboxManager {
  initialize(config: SandboxRuntimeConfig, ask?: SandboxAskCallback, enableLogMonitor?: boolean, options?: SandboxInitializeOptions): Promise<void>;
  isSupportedPlatform(): boolean;
  isSandboxingEnabled(): boolean;
  checkDependencies(ripgrep?: { command: string; args?: string[] }, options?: CheckDependenciesOptions): SandboxDependencyCheck;
  checkDependenciesAsync(ripgrep?: { command: string; args?: string[] }, options?: CheckDependenciesOptions): Promise<SandboxDependencyCheck>;
  getFsReadConfig(): FsReadRestrictionConfig;
  getFsWriteConfig(): FsWriteRestrictionConfig;
  getNetworkRestrictionConfig(): NetworkRestrictionConfig;
  getAllowUnixSockets(): string[] | undefined;
  getAllowLocalBinding(): boolean | undefined;
  getAllowMachLookup(): string[] | undefined;
  getIgnoreViolations(): Record<string, string[]> | undefined;
  getEnableWeakerNestedSandbox(): boolean | undefined;
  getProxyPort(): number | undefined;
  getProxyAuthToken(): string | undefined;
  getSocksProxyPort(): number | undefined;
  getLinuxHttpSocketPath(): string | undefined;
  getLinuxSocksSocketPath(): string | undefined;
  waitForNetworkInitialization(): Promise<boolean>;
  wrapWithSandbox(
    command: string,
    binShell?: string,
    customConfig?: Partial<SandboxRuntimeConfig>,
    abortSignal?: AbortSignal,
    options?: WrapWithSandboxOptions,
  ): Promise<string>;
  wrapWithSandboxArgv(
    command: string,
    binShell?: string,
    customConfig?: Partial<SandboxRuntimeConfig>,
    abortSignal?: AbortSignal,
    cwd?: string,
    options?: WrapWithSandboxOptions,
  ): Promise<{ argv: string[]; env: NodeJS.ProcessEnv }>;
  registerCommandNetworkLists(commandId: string, lists: { allowedDomains?: string[] }): void;
  unregisterCommandNetworkLists(commandId: string): void;
  readonly askCallbackDenyReason: true;
  getSandboxViolationStore(): SandboxViolationStore;
  annotateStderrWithSandboxFailures(command: string, stderr: string): string;
  getLinuxGlobPatternWarnings(): string[];
  getConfig(): SandboxRuntimeConfig | undefined;
  getMitmCA(): undefined;
  getWindowsBackend(): undefined;
  getWindowsProfileRead(): undefined;
  getWindowsProfileReadWarnings(): never[];
  getWindowsProfileReadRefresh(): undefined;
  updateConfig(config: SandboxRuntimeConfig): void;
  cleanupAfterCommand(): void;
  reset(): Promise<void>;
}

export declare const SandboxManager: ISandboxManager;

export declare class SandboxInitializeConflictError extends Error {
  readonly code: 'initialize_conflict';
  constructor();
}

export type LinuxSandboxProfileErrorCode = 'too_many_arguments' | 'nul_in_path' | 'args_file_unavailable' | 'command_too_long';

export declare class LinuxSandboxProfileError extends Error {
  readonly code: LinuxSandboxProfileErrorCode;
  constructor(code: LinuxSandboxProfileErrorCode, message: string, cause?: unknown);
}

// ---- beside it

export type Platform = 'macos' | 'linux' | 'windows' | 'unknown';
export declare function getDefaultWritePaths(): string[];
export declare function writeRootsOf(config: Pick<FsWriteRestrictionConfig, 'allowOnly' | 'literalAllowOnly'>): string[];
export declare function realPathOf(path: string): string;
export declare function getWslVersion(version?: string): string | undefined;

export type GeneratedCa = { certPem: string; keyPem: string; cert: X509Certificate; key: KeyObject };
export type CaPairValidation =
  | { ok: true; thumbprint: string; notAfter: Date; cert: X509Certificate; key: KeyObject }
  | { ok: false; reason: string };
export declare function generateCa(options?: { cn?: string; validityDays?: number }): GeneratedCa;
export declare function validateCaPair(certPem: string, keyPem: string): CaPairValidation;
export declare function certThumbprint(certPem: string): string;

// ---- Windows: the names; calling one throws

export type WindowsSandboxErrorCode = string;
export declare class WindowsSandboxError extends Error {
  readonly code: WindowsSandboxErrorCode;
  constructor(code: WindowsSandboxErrorCode, message?: string);
}
type NotHere = (...args: unknown[]) => never;
export declare const getSrtWinPath: NotHere;
export declare const resolveSrtWin: NotHere;
export declare const checkWindowsSandboxStatus: NotHere;
export declare const checkWindowsSandboxStatusAsync: NotHere;
export declare const getWindowsWfpStatus: NotHere;
export declare const getWindowsWfpStatusAsync: NotHere;
export declare const verifyWindowsWfpEgress: NotHere;
export declare const getWindowsSandboxUserStatus: NotHere;
export declare const getWindowsSandboxUserStatusAsync: NotHere;
export declare const getWindowsSandboxCaCert: NotHere;
export declare const windowsTrustCa: NotHere;
export declare const windowsTrustCaAsync: NotHere;
export declare const ensurePersistentWindowsCa: NotHere;
export declare const windowsStateDir: NotHere;
export declare const installWindowsSandbox: NotHere;
export declare const installWindowsSandboxAsync: NotHere;
export declare const checkWindowsDependenciesAsync: NotHere;
export declare const uninstallWindowsSandbox: NotHere;
export declare const windowsInstallInstructions: NotHere;
export declare const stampWindowsAcl: NotHere;
export declare const restoreWindowsAcl: NotHere;
export declare const grantWindowsAcl: NotHere;
export declare const revokeWindowsAcl: NotHere;
export declare const revokeWindowsAclChecked: NotHere;
export declare const grantWindowsProfileRead: NotHere;
export declare const forgetWindowsProfileRead: NotHere;
export declare const forgetWindowsProfileReadAsync: NotHere;
export declare const getWindowsProfileReadStatus: NotHere;
export declare const getWindowsProfileReadStatusAsync: NotHere;
export declare const windowsProfileReadEnv: NotHere;
export declare const windowsProfileExclusionConflicts: NotHere;
export declare const windowsProfileGrantSkipReason: NotHere;
export declare const windowsProfileGrantNotice: NotHere;
export declare const expandWindowsFsPaths: NotHere;
export declare const buildGitConfigEnv: NotHere;
export declare const parseWindowsBinShell: NotHere;
export declare const parseWindowsSandboxError: NotHere;
export declare const isUncPath: NotHere;
export declare const VENDORED_SRT_WIN_EXE: undefined;
export declare const DEFAULT_WINDOWS_PROXY_PORT_RANGE: readonly [number, number];
export declare const SRT_WIN_DISPATCH_ARG1: '--srt-win';
export declare const WINDOWS_ALLOW_LOOPBACK_EFFECT: string;
export declare const WINDOWS_LOOPBACK_PROBE_PORT: undefined;
export declare const WINDOWS_PROFILE_READ_ENV_VARS: readonly string[];
