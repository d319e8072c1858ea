/** The environment that handlers see: what one of them changes, the next ones do not find. */

export class Environment {
  readonly #names: NodeJS.ProcessEnv = { ...process.env };
  readonly #env: NodeJS.ProcessEnv;
  #known: NodeJS.ProcessEnv = { ...this.#names };
  #isTouched = false;

  /** In the place of Node's own, to compare which takes 80 µs. */
  constructor() {
    const touched = () => {
      this.#isTouched = true;
    };
    this.#env = new Proxy(this.#names, {
      set(names, name, value) {
        touched();
        // As Node's own: a program's environment is text.
        return Reflect.set(names, name, String(value));
      },
      // As Node's own refuses: what could not be put back.
      defineProperty(names, name, descriptor) {
        const { configurable, writable, enumerable } = descriptor;
        if (configurable !== true || writable !== true || enumerable !== true) return false;
        touched();
        return Reflect.defineProperty(names, name, descriptor);
      },
      preventExtensions: () => false,
      deleteProperty(names, name) {
        touched();
        return Reflect.deleteProperty(names, name);
      },
    });
    process.env = this.#env;
  }

  /** All is right as it is now: a job file may set what its libraries read. */
  accept(): void {
    this.#known = { ...this.#names };
    this.#isTouched = false;
  }

  /** Puts back what was changed. */
  restore(): void {
    process.env = this.#env;
    if (!this.#isTouched) return;
    for (const name of Object.keys(this.#names)) Reflect.deleteProperty(this.#names, name);
    for (const name of Object.keys(this.#known)) Reflect.set(this.#names, name, this.#known[name]);
    this.#isTouched = false;
  }
}
