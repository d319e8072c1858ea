/** The payloads of the jobs about one pass. */

// Named imports and not `z`: a bundler can then leave out the dozens of languages that the package speaks.
import { int, literal, object, optional, positive } from 'zod/mini';

/** Which pass the job is about. */
export interface OutpassPayload {
  outpass_id: number;
}

const wanted = 'must be the id of an outpass: a whole number above 0';

/** Which mail about the pass; `accepted` where it is not said. */
export interface OutpassMailPayload extends OutpassPayload {
  kind?: 'accepted' | 'rejected' | 'document' | undefined;
}

/** Checked at dispatch and before the handler. Other fields are allowed and ignored. */
export const outpassPayload = object(
  { outpass_id: int(wanted).check(positive(wanted)) },
  'must be an object such as {"outpass_id": 123}',
);

/** The same, with the kind of the mail. */
export const outpassMailPayload = object(
  {
    outpass_id: int(wanted).check(positive(wanted)),
    kind: optional(
      literal(['accepted', 'rejected', 'document'], 'must be one of accepted, rejected and document'),
    ),
  },
  'must be an object such as {"outpass_id": 123, "kind": "accepted"}',
);
