// The interface of @anvia/sandbox over coffer: that of 0.x, and the client of the 1.0 release candidates beside it.
export { DockerSandbox, DockerSandbox as Sandbox } from './docker_sandbox.js';
export { createSandboxTools, isSandboxPortSession, isSandboxProcessSession } from './tools.js';
export {
  SandboxDockerCommandError,
  SandboxDockerUnavailableError,
  SandboxError,
  SandboxFileSizeError,
  SandboxPathError,
  SandboxPortError,
  SandboxProcessError,
  SandboxSessionDestroyedError,
  SandboxTimeoutError,
  SandboxToolInputError,
  SandboxToolPolicyError,
} from './errors.js';
export { DockerSandboxClient } from './client.js';
export { DockerSandboxError } from './client_error.js';
export { createDockerSandboxTools } from './client_tools.js';
