/** What BullMQ's child processes run. */

import { spin } from './peer.ts';

export default async function cpu(): Promise<void> {
  spin();
}
