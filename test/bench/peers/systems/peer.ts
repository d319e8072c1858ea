/** What the comparison asks of each job system. Each adapter in this folder fulfils it with the system's own API. */

/** `noop` does nothing, `stamp` tells when it started, `cpu` spins for 20 ms, `slow` waits for a second, `wait` for 20 ms, `other` is never run. */
export type Kind = 'noop' | 'stamp' | 'cpu' | 'slow' | 'wait' | 'other';

/** What all systems carry for each job. */
export interface Payload {
  i: number;
  /** Makes it larger. */
  pad?: string;
}

export const CPU_MS = 20;

/** How a system is set up for what is measured; `slow` is a system that polls, at its default interval. */
export type Mode = 'throughput' | 'latency' | 'slow' | 'cpu';

export interface Peer {
  /** Makes the tables, and leaves the queue empty. */
  reset(): Promise<void>;
  /** Adds jobs by the system's own call for many; resolves once they are durable. */
  add(kind: Kind, payloads: readonly Payload[]): Promise<void>;
  /** Adds one job by the system's own call for one; resolves once it is durable. */
  addOne(kind: Kind, payload: Payload): Promise<void>;
  /** Runs jobs in this process; `started` is called as each begins. Gives the function that stops it. */
  work(kind: Kind, mode: Mode, started: (payload: Payload) => void): Promise<() => Promise<void>>;
  /** Whether a job waits or runs, by what is in the store. */
  left(): Promise<boolean>;
  close(): Promise<void>;
}

/** `where`: a folder for a file, or for the server's socket. */
export type Open = (where: string) => Promise<Peer>;

/** What a `cpu` job does. */
export function spin(): void {
  const end = performance.now() + CPU_MS;
  while (performance.now() < end);
}
