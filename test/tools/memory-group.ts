/** A group of processes that may use only so much memory: who uses more is killed by the kernel. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where groups are made, and the files that hold their limits: cgroup version 2, or 1. */
const TREES = [
  { root: '/sys/fs/cgroup', limits: ['memory.max'], without: { 'memory.swap.max': '0' } },
  { root: '/sys/fs/cgroup/memory', limits: ['memory.limit_in_bytes'], without: { 'memory.swappiness': '0' } },
] as const;

export interface MemoryGroup {
  /** A process joins by writing its pid here. */
  procs: string;
  remove(): void;
}

/** Makes one; undefined where this user, or this machine, has none to give. */
export function memoryGroup(bytes: number): MemoryGroup | undefined {
  for (const { root, limits, without } of TREES) {
    const folder = join(root, `passito-test-${process.pid}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    try {
      for (const limit of limits) {
        // Where the controller is not given to this folder, its files are not there.
        if (!existsSync(join(folder, limit))) throw new Error('no such controller');
        writeFileSync(join(folder, limit), String(bytes));
      }
      for (const [file, value] of Object.entries(without)) {
        if (existsSync(join(folder, file))) writeFileSync(join(folder, file), value);
      }
      const procs = join(folder, 'cgroup.procs');
      readFileSync(procs);
      return { procs, remove: () => rmdirSync(folder) };
    } catch {
      rmdirSync(folder);
    }
  }
  return undefined;
}
