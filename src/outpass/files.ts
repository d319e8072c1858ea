/** Where a pass's files lie in the files folder. By id, so that two passes never share one and a re-run replaces it. */

/** The QR code's picture. */
export function qrFile(passId: number): string {
  return `qr/outpass-${passId}.png`;
}

/** The gate pass to print. */
export function documentFile(passId: number): string {
  return `documents/outpass-${passId}.pdf`;
}

/** A name for a person's download folder: the reference, with what a file system might mind left out. */
export function downloadName(reference: string, extension: string): string {
  const safe = reference.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replaceAll(/^-+|-+$/g, '');
  return `${safe === '' ? 'outpass' : safe}.${extension}`;
}
