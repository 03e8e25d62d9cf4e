// Images stand for what the host has: there is no registry and nothing is pulled. An image that names a language is there when the host has its
// programs; one that is only a distribution, when the host has a shell. COFFER_IMAGES, a JSON object, adds others: {"acme/tools": ["node", "git"]}.
import { SandboxDockerCommandError } from './errors.js';
import { which } from './find.js';

const PYTHON = { needs: ['python3'], names: { python: 'python3', pip: 'pip3' } };
const ALIASES = {
  node: { needs: ['node'] },
  python: PYTHON,
  'denoland/deno': { needs: ['deno'] },
  'oven/bun': { needs: ['bun'] },
  ruby: { needs: ['ruby'] },
  php: { needs: ['php'] },
  perl: { needs: ['perl'] },
  golang: { needs: ['go'] },
  rust: { needs: ['rustc', 'cargo'] },
  gcc: { needs: ['gcc'] },
  'r-base': { needs: ['Rscript'] },
  'astral-sh/uv': { needs: ['uv'] },
  'alpine/git': { needs: ['git'] },
  ...Object.fromEntries(['alpine', 'debian', 'ubuntu', 'fedora', 'busybox', 'bash'].map(name => [name, { needs: ['sh'] }])),
};

/** "ghcr.io/a/b:tag@sha256:…" and "library/b" without registry, tag and digest. */
export function imageName(image) {
  const parts = image.split('@')[0].split('/');
  if (parts.length > 1 && /[.:]|^localhost$/.test(parts[0])) parts.shift();
  if (parts[0] === 'library' && parts.length > 1) parts.shift();
  return parts.join('/').replace(/:[^/]*$/, '');
}

function aliases() {
  const text = process.env.COFFER_IMAGES;
  if (!text) return ALIASES;
  try {
    const more = Object.entries(JSON.parse(text)).map(([name, needs]) => [name, { needs: [...needs] }]);
    return { ...ALIASES, ...Object.fromEntries(more) };
  } catch (error) {
    throw new SandboxDockerCommandError(`COFFER_IMAGES must be an object of lists of programs, as {"acme/tools": ["node"]}: ${error.message}`);
  }
}

function absent(image, stderr) {
  return new SandboxDockerCommandError(`Docker command failed: docker pull ${image}: ${stderr}`, { stderr, exitCode: 1 });
}

/** What the image stands for: `names` says what programs are called here. Throws when the host lacks what it needs, whatever the pull policy. */
export function findImage(image) {
  const known = aliases();
  const alias = known[image] ?? known[imageName(image)];
  if (!alias) {
    throw absent(image, 'coffer pulls no images, and knows no programs of the host that this one stands for: name them in COFFER_IMAGES');
  }
  const missing = alias.needs.filter(name => !which(name));
  if (missing.length) throw absent(image, `it stands for the host's ${alias.needs.join(', ')}, and ${missing.join(', ')} is not in PATH: install it`);
  const names = Object.entries(alias.names ?? {}).filter(([name, here]) => !which(name) && which(here));
  return { needs: alias.needs, names: Object.fromEntries(names) };
}
