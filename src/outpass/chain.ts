/** The three jobs that an approved pass needs, each waiting for the one before. */

/** A job to dispatch; `ref` names it, so that a later one can wait for it. */
export interface ChainedJob {
  readonly ref: string;
  readonly type: string;
  readonly payload: { readonly outpass_id: number };
  /** References of earlier jobs of the same chain. */
  readonly dependsOn: readonly string[];
}

/** QR code → document that holds it → mail that carries both. Dispatch them in the transaction that approves. */
export function passChain(passId: number): ChainedJob[] {
  const payload = { outpass_id: passId };
  return [
    { ref: 'qr', type: 'GenerateQrCode', payload, dependsOn: [] },
    { ref: 'pdf', type: 'GenerateOutpassPdf', payload, dependsOn: ['qr'] },
    { ref: 'mail', type: 'SendOutpassEmail', payload, dependsOn: ['pdf'] },
  ];
}
