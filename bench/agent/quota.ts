import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';

const PERIOD_US = 20_000;
let quotas = 0;

/** A limit on the CPU of processes: so many cores on average. */
export interface Quota {
  add(pid: number): void;
  /** Removes the limit; its processes must have ended. */
  remove(): void;
}

/** A CPU quota by cgroup, version 1 or 2; undefined where this process may not make one. */
export function createQuota(cores: number): Quota | undefined {
  const quotaUs = Math.round(cores * PERIOD_US);
  const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const directory = `/sys/fs/cgroup${isV2 ? '' : '/cpu'}/lambda-profile-bench-${process.pid}-${quotas++}`;
  try {
    mkdirSync(directory);
    if (isV2) writeFileSync(`${directory}/cpu.max`, `${quotaUs} ${PERIOD_US}`);
    else {
      writeFileSync(`${directory}/cpu.cfs_period_us`, String(PERIOD_US));
      writeFileSync(`${directory}/cpu.cfs_quota_us`, String(quotaUs));
    }
  } catch {
    return undefined;
  }
  return {
    add: (pid) => writeFileSync(`${directory}/cgroup.procs`, String(pid)),
    remove() {
      try {
        rmdirSync(directory);
      } catch {
        // A process is still ending in it: an empty directory is all that stays.
      }
    },
  };
}
