/** The guide's way of putting a payload together. */

/** Collects fields, and the jobs that must complete before. */
export class JobPayloadBuilder {
  readonly #fields: Record<string, unknown> = {};
  readonly #parents: number[] = [];

  /** Sets one field. */
  set(key: string, value: unknown): this {
    Object.defineProperty(this.#fields, key, { value, enumerable: true, configurable: true, writable: true });
    return this;
  }

  /** The job runs once these have completed; may be called again, with one id or several. */
  dependsOn(...ids: (number | readonly number[])[]): this {
    this.#parents.push(...ids.flat());
    return this;
  }

  /** The payload as it is stored. */
  get payload(): Record<string, unknown> {
    return this.#fields;
  }

  /** The jobs it depends on. */
  get parents(): readonly number[] {
    return this.#parents;
  }
}
