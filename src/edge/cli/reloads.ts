/** What SIGHUP asks for: the configuration and the jobs as they are now, or all as before where they are wrong. */

import { type Config, envFileValues } from '../../config.ts';
import type { CopiedEnvironment } from '../../config/environment.ts';
import { messageOf, PassitoError } from '../../errors.ts';
import type { Generations } from '../../generations.ts';
import { createLog, type Log } from '../log.ts';
import type { SystemdService } from '../systemd/service.ts';
import type { Input } from './command.ts';

interface ReloadParts {
  input: Input;
  generations: Generations;
  /** The configuration that was started with. */
  config: Config;
  environment: CopiedEnvironment;
  systemd: SystemdService | undefined;
}

export class Reloads {
  readonly #parts: ReloadParts;
  #config: Config;
  /** The reload under way, and whether it was asked for once more meanwhile. */
  #running: Promise<void> | undefined;
  #again = false;
  #ended = false;

  constructor(parts: ReloadParts) {
    this.#parts = parts;
    this.#config = parts.config;
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#config;
  }

  /** Reloads; once more after the one under way, however often it is asked meanwhile. */
  async ask(log: Log): Promise<void> {
    if (this.#ended) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#reload(log);
    await this.#running;
    this.#running = undefined;
    if (!this.#again) return;
    this.#again = false;
    await this.ask(log);
  }

  /** Lets no other begin. One that is under way comes too late, and is told nowhere. */
  end(): void {
    this.#ended = true;
  }

  /** Never rejects. */
  async #reload(log: Log): Promise<void> {
    const { input, generations, environment, systemd } = this.#parts;
    const vitals = () => generations.newest.vitals();
    systemd?.reloading();
    log.info('reloading the configuration and the jobs');
    let takeBack = () => {};
    try {
      takeBack = environment.follow(envFileValues(this.#config.envFile));
      const config = await input.reread();
      const { logFormat, logLevel } = config.settings;
      if (this.#ended) return;
      await generations.reload(config, createLog(logFormat, logLevel));
      if (this.#ended) return;
      this.#config = config;
      log.info('reloaded; what ran before ends as it began');
      systemd?.reloaded(vitals);
    } catch (error) {
      takeBack();
      if (this.#ended) return;
      const hint = error instanceof PassitoError ? error.hint : undefined;
      log.error({ error: messageOf(error), hint }, 'the reload was refused; all goes on as before');
      systemd?.reloaded(vitals, messageOf(error));
    }
  }
}
