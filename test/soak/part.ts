/** What every part of the long run is given, and what it gives. */

/** Something that is done to passito over and over, or for long. It throws where a promise was broken. */
export interface Part {
  /** What is typed to run it alone. */
  name: string;
  /** One line for the table. */
  what: string;
  /** Its share of the whole run's time: a part with 2 gets twice the minutes of a part with 1. */
  share: number;
  run(soak: Soak): Promise<void>;
}

export interface Soak {
  /** How long this part shall take, in minutes. */
  minutes: number;
  /** The seed of all that is random in it: the same one does the same things again. */
  seed: number;
  /** Tells a figure for the table: `rounds` `512`. A later one of the same name replaces it. */
  tell(name: string, figure: string | number): void;
  /** Gives a picture for docs/, as SVG. */
  picture(file: string, svg: string): void;
}
