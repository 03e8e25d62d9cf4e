export { LinuxSandboxProfileError, SandboxInitializeConflictError, SandboxManager, getDefaultWritePaths } from './wrap.js';
export { SandboxViolationStore } from './violations.js';
export {
  ConfigError,
  CredentialsConfigSchema,
  FilesystemConfigSchema,
  GitConfigSchema,
  IgnoreViolationsConfigSchema,
  NetworkConfigSchema,
  RipgrepConfigSchema,
  SandboxRuntimeConfigSchema,
  SrtWinConfigSchema,
  WindowsConfigSchema,
} from './schemas.js';
export { certThumbprint, generateCa, validateCaPair } from './ca.js';
export { getWslVersion, realPathOf, writeRootsOf } from './paths.js';
export * from './windows.js';
