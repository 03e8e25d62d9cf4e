// The schemas: objects with parse and safeParse. What is right is for srt to say, so a part is judged within a document that is otherwise fine.
import { judge } from './binary.js';

export class ConfigError extends Error {
  constructor(issues) {
    super(issues.map(({ path, message }) => `${path.join('.') || '(root)'}: ${message}`).join('; '));
    this.name = 'ConfigError';
    this.issues = issues;
  }
}

const least = () => ({
  network: { allowedDomains: [], deniedDomains: [] },
  filesystem: { denyRead: [], allowWrite: [], denyWrite: [] },
});

/** filterRequest is for decider.js to call. Any other function srt is shown, so that it refuses what it cannot do. */
function plainly(document) {
  const shown = (key, value) => (typeof value !== 'function' ? value : key === 'filterRequest' ? undefined : '[function]');
  return JSON.parse(JSON.stringify(document, shown));
}

function schema(key) {
  const safeParse = value => {
    if (value === undefined) return { success: false, error: new ConfigError([{ code: 'custom', path: [], message: 'Required' }]) };
    const plain = plainly(value);
    const issues = judge(key ? { ...least(), [key]: plain } : plain).map(issue => ({ ...issue, path: key ? issue.path.slice(1) : issue.path }));
    return issues.length ? { success: false, error: new ConfigError(issues) } : { success: true, data: value };
  };
  return Object.freeze({
    safeParse,
    parse(value) {
      const result = safeParse(value);
      if (!result.success) throw result.error;
      return result.data;
    },
  });
}

export const SandboxRuntimeConfigSchema = schema();
export const NetworkConfigSchema = schema('network');
export const FilesystemConfigSchema = schema('filesystem');
export const CredentialsConfigSchema = schema('credentials');
export const IgnoreViolationsConfigSchema = schema('ignoreViolations');
export const RipgrepConfigSchema = schema('ripgrep');
export const GitConfigSchema = schema('git');
export const WindowsConfigSchema = schema('windows');
export const SrtWinConfigSchema = schema('windows');
