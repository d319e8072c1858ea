/** By which threshold the last alert was seen, in milliseconds. */

export const threshold = `
ALTER TABLE alert_state ADD COLUMN mailed_threshold INTEGER;
`;
