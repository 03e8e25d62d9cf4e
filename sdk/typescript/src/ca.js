// Certificate authorities for TLS termination, for embedders that keep their own. Certificates are node:crypto's objects, not forge's.
import { execFileSync } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** SHA-1 of the certificate, in capitals without colons, as Windows names it. */
export function certThumbprint(certPem) {
  return new X509Certificate(certPem).fingerprint.replaceAll(':', '');
}

/** Whether the pair belongs together, is an authority's, and has begun to hold; when that ends is the caller's to judge. */
export function validateCaPair(certPem, keyPem) {
  try {
    const cert = new X509Certificate(certPem);
    const key = createPrivateKey(keyPem);
    if (!cert.checkPrivateKey(key)) return { ok: false, reason: "the key is not the certificate's" };
    if (!cert.ca) return { ok: false, reason: "the certificate is not an authority's" };
    if (new Date(cert.validFrom) > new Date()) return { ok: false, reason: 'the certificate does not hold yet' };
    return { ok: true, thumbprint: certThumbprint(certPem), notAfter: new Date(cert.validTo), cert, key };
  } catch (error) {
    return { ok: false, reason: error.message };
  }
}

/** A new authority, made by openssl. */
export function generateCa({ cn = 'Sandbox Runtime CA', validityDays = 365 } = {}) {
  if (/[/\0]/.test(cn)) throw new Error('the name of an authority has no slash');
  const folder = mkdtempSync(join(tmpdir(), 'coffer-ca-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile, '-out', certFile];
  try {
    execFileSync('openssl', [...words, '-days', String(validityDays), '-subj', `/CN=${cn}`, ...usage], { stdio: 'pipe' });
    const [certPem, keyPem] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')];
    return { certPem, keyPem, cert: new X509Certificate(certPem), key: createPrivateKey(keyPem) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
