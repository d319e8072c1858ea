/** The payloads of the jobs about one pass. */

// Named imports and not `z`: a bundler can then leave out the dozens of languages that the package speaks.
import { int, literal, object, optional, positive } from 'zod/mini';

import { type Channel, CHANNELS } from '../parent/question.ts';

/** Which pass the job is about. */
export interface OutpassPayload {
  outpass_id: number;
}

const wanted = 'must be the id of an outpass: a whole number above 0';

/** Which mail about the pass; `accepted` where it is not said. */
export interface OutpassMailPayload extends OutpassPayload {
  kind?: 'accepted' | 'rejected' | 'document' | undefined;
}

/** How the parent is asked; where it is not said, by SMS if that works, else by mail. */
export interface ParentPayload extends OutpassPayload {
  channel?: Channel | undefined;
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

/** The same, with the way to the parent. */
export const parentPayload = object(
  {
    outpass_id: int(wanted).check(positive(wanted)),
    channel: optional(literal([...CHANNELS], 'must be sms or mail')),
  },
  'must be an object such as {"outpass_id": 123, "channel": "sms"}',
);
