// The one error of 1.0, with a code for what it is about.
import { ChannelError } from './channel.js';
import { SandboxDockerUnavailableError, SandboxPathError } from './errors.js';

const ETIMEDOUT = 110;
const EFBIG = 27;

export class DockerSandboxError extends Error {
  constructor(message, code, details, options) {
    super(message, options);
    this.name = 'DockerSandboxError';
    this.code = code;
    this.details = details;
  }
}

const codeOf = ({ code, errno }) => {
  if (errno === EFBIG) return 'file_too_large';
  if (code === 'limit' && errno === ETIMEDOUT) return 'timeout';
  return code === 'denied' || code === 'policy' ? 'invalid_path' : 'docker_command_failed';
};

/** The engine's errors and those of 0.x in the form of 1.0; others as they are. `codes` says what some mean where they arose. */
export function asClientError(error, what, codes = {}) {
  if (error instanceof SandboxPathError) return new DockerSandboxError(error.message, 'invalid_path', undefined, { cause: error });
  if (error instanceof SandboxDockerUnavailableError) return new DockerSandboxError(error.message, 'docker_unavailable', undefined, { cause: error });
  if (!(error instanceof ChannelError)) return error;
  const { code, errno, where } = error;
  return new DockerSandboxError(`${what}: ${error.message}`, codes[code] ?? codeOf(error), { code, errno, where }, { cause: error });
}
