/** `passito config`: the settings in effect, and where each came from. */

import { type Key, type KeyName, KEYS } from '../../config/keys.ts';
import { formatDuration } from '../../engine/units.ts';
import { MASK } from '../../store/sqlite/job-json.ts';
import { type Command, JSON_OPTION } from './command.ts';
import { inColumns } from './render.ts';

interface Shown {
  key: KeyName;
  env: string;
  /** Null where it is secret, or nothing is set. */
  value: unknown;
  origin: string;
  secret: boolean;
  set: boolean;
}

export const config: Command = {
  name: 'config',
  about: 'Show the settings in effect, and where each came from',
  options: [JSON_OPTION],
  example: 'passito config',
  async run(input) {
    const { settings, origins } = await input.config();
    const all = (Object.entries(KEYS) as [KeyName, Key<unknown>][]).map(([key, { env, secret = false }]) => {
      const value: unknown = settings[key];
      const set = value !== '' && value !== null;
      return { key, env, value: secret || !set ? null : value, origin: origins[key], secret, set };
    });
    if (input.json) input.print(JSON.stringify(all));
    else {
      const lines = all.map((one) => [one.key, one.env, one.origin, told(one)]);
      input.print(inColumns(['key', 'in the environment', 'from', 'value'], lines, input));
    }
    return 0;
  },
};

function told({ key, value, secret, set }: Shown): string {
  if (!set) return '-';
  if (secret) return MASK;
  if (Array.isArray(value)) return value.join(',');
  if (typeof value === 'object') {
    const { host, port } = value as { host: string; port: number };
    return `${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  // A duration is kept in milliseconds, and typed in better units.
  if (KEYS[key].allowed.startsWith('a duration')) return formatDuration(Number(value));
  return typeof value === 'string' ? value : JSON.stringify(value);
}
