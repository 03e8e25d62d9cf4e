// What goes wrong, by the names of the original. The two that name Docker mean the engine that stands in its place.

export class SandboxError extends Error {
  constructor(message, cause) {
    super(message);
    this.name = new.target.name;
    this.cause = cause;
  }
}

/** The coffer program is not there, cannot be started, or speaks another version of the protocol. */
export class SandboxDockerUnavailableError extends SandboxError {}

/** coffer refused or failed; `result` has what it said in the form of a command's end. */
export class SandboxDockerCommandError extends SandboxError {
  constructor(message, result = {}) {
    super(message);
    this.result = { stdout: '', stderr: '', exitCode: 1, ...result };
  }
}

export class SandboxSessionDestroyedError extends SandboxError {}
export class SandboxPathError extends SandboxError {}
export class SandboxTimeoutError extends SandboxError {}
export class SandboxFileSizeError extends SandboxError {}
export class SandboxToolPolicyError extends SandboxError {}
export class SandboxPortError extends SandboxError {}
export class SandboxProcessError extends SandboxError {}

/** A tool was called with what its schema does not allow: each mistake with its path. */
export class SandboxToolInputError extends SandboxError {
  constructor(tool, issues) {
    super(`${tool}: ${issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`).join('; ')}`);
    this.issues = issues;
  }
}
