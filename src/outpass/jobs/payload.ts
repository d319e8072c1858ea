/** The payload that every job about one pass takes. */

// Named imports and not `z`: a bundler can then leave out the dozens of languages that the package speaks.
import { int, object, positive } from 'zod/mini';

/** Which pass the job is about. */
export interface OutpassPayload {
  outpass_id: number;
}

const wanted = 'must be the id of an outpass: a whole number above 0';

/** Checked at dispatch and before the handler. Other fields are allowed and ignored. */
export const outpassPayload = object(
  { outpass_id: int(wanted).check(positive(wanted)) },
  'must be an object such as {"outpass_id": 123}',
);
