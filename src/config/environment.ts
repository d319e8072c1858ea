/**
 * What the env file has put into the environment. systemd reads the file once, when it starts the service; at a reload
 * those values must not be taken for what the environment itself says, which goes before the file.
 */

type Values = NodeJS.Dict<string>;

export class CopiedEnvironment {
  readonly #env: NodeJS.ProcessEnv;
  /** What stands in the environment because the file said so. */
  #copied: Values;

  /** `values` are the file's, as the environment's were made. */
  constructor(env: NodeJS.ProcessEnv, values: Values) {
    this.#env = env;
    this.#copied = Object.fromEntries(Object.entries(values).filter(([name, value]) => env[name] === value));
  }

  /** Makes the environment as it would be if it were made now. Gives what takes that back. */
  follow(values: Values): () => void {
    const former = this.#copied;
    if (Object.keys(former).length === 0) return () => undefined;
    this.#replace(former, values);
    return () => this.#replace(this.#copied, former);
  }

  #replace(old: Values, values: Values): void {
    for (const name of Object.keys(old)) delete this.#env[name];
    this.#copied = Object.fromEntries(
      Object.entries(values).filter(([name]) => this.#env[name] === undefined),
    );
    Object.assign(this.#env, this.#copied);
  }
}
