/** What an `up` or a preview counts that finds nothing to do. */
export const unchanged = { create: 0, update: 0, replace: 0, delete: 0 };
