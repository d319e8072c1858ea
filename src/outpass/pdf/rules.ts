/** The rules printed on every gate pass. */

/** Short enough to be read at the gate. */
export const gateRules: readonly string[] = [
  'Carry this pass and your student identity card. Show both at the gate when you leave and when you return.',
  'The pass is for the student named above only and may not be lent or altered. The QR code shows any change.',
  'Leave and return within the times above. If you will be late, tell the hostel office before the return time.',
  'A pass that is cancelled, or past its return time, is not valid, even in print.',
];
