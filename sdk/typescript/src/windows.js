// What the original has for Windows: the names are here, so that programs which import them load; calling one says why not.
export class WindowsSandboxError extends Error {
  constructor(code, message = code) {
    super(message);
    this.name = 'WindowsSandboxError';
    this.code = code;
  }
}

const notHere = name => () => {
  throw new WindowsSandboxError('unsupported_platform', `${name}: for Windows, and coffer runs on Linux`);
};

export const VENDORED_SRT_WIN_EXE = undefined;
export const DEFAULT_WINDOWS_PROXY_PORT_RANGE = Object.freeze([60080, 60089]);
export const SRT_WIN_DISPATCH_ARG1 = '--srt-win';
export const WINDOWS_ALLOW_LOOPBACK_EFFECT = '';
export const WINDOWS_LOOPBACK_PROBE_PORT = undefined;
export const WINDOWS_PROFILE_READ_ENV_VARS = Object.freeze([]);
export const getSrtWinPath = notHere('getSrtWinPath');
export const resolveSrtWin = notHere('resolveSrtWin');
export const checkWindowsSandboxStatus = notHere('checkWindowsSandboxStatus');
export const checkWindowsSandboxStatusAsync = notHere('checkWindowsSandboxStatusAsync');
export const getWindowsWfpStatus = notHere('getWindowsWfpStatus');
export const getWindowsWfpStatusAsync = notHere('getWindowsWfpStatusAsync');
export const verifyWindowsWfpEgress = notHere('verifyWindowsWfpEgress');
export const getWindowsSandboxUserStatus = notHere('getWindowsSandboxUserStatus');
export const getWindowsSandboxUserStatusAsync = notHere('getWindowsSandboxUserStatusAsync');
export const getWindowsSandboxCaCert = notHere('getWindowsSandboxCaCert');
export const windowsTrustCa = notHere('windowsTrustCa');
export const windowsTrustCaAsync = notHere('windowsTrustCaAsync');
export const ensurePersistentWindowsCa = notHere('ensurePersistentWindowsCa');
export const windowsStateDir = notHere('windowsStateDir');
export const installWindowsSandbox = notHere('installWindowsSandbox');
export const installWindowsSandboxAsync = notHere('installWindowsSandboxAsync');
export const checkWindowsDependenciesAsync = notHere('checkWindowsDependenciesAsync');
export const uninstallWindowsSandbox = notHere('uninstallWindowsSandbox');
export const windowsInstallInstructions = notHere('windowsInstallInstructions');
export const stampWindowsAcl = notHere('stampWindowsAcl');
export const restoreWindowsAcl = notHere('restoreWindowsAcl');
export const grantWindowsAcl = notHere('grantWindowsAcl');
export const revokeWindowsAcl = notHere('revokeWindowsAcl');
export const revokeWindowsAclChecked = notHere('revokeWindowsAclChecked');
export const grantWindowsProfileRead = notHere('grantWindowsProfileRead');
export const forgetWindowsProfileRead = notHere('forgetWindowsProfileRead');
export const forgetWindowsProfileReadAsync = notHere('forgetWindowsProfileReadAsync');
export const getWindowsProfileReadStatus = notHere('getWindowsProfileReadStatus');
export const getWindowsProfileReadStatusAsync = notHere('getWindowsProfileReadStatusAsync');
export const windowsProfileReadEnv = notHere('windowsProfileReadEnv');
export const windowsProfileExclusionConflicts = notHere('windowsProfileExclusionConflicts');
export const windowsProfileGrantSkipReason = notHere('windowsProfileGrantSkipReason');
export const windowsProfileGrantNotice = notHere('windowsProfileGrantNotice');
export const expandWindowsFsPaths = notHere('expandWindowsFsPaths');
export const buildGitConfigEnv = notHere('buildGitConfigEnv');
export const parseWindowsBinShell = notHere('parseWindowsBinShell');
export const parseWindowsSandboxError = notHere('parseWindowsSandboxError');
export const isUncPath = notHere('isUncPath');
