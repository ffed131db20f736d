/** Injection tokens of what is not a class. */
export const API_CONFIG = Symbol('ApiConfig');
export const LOGGER = Symbol('Logger');
export const APPROVAL_KEYS = Symbol('ApprovalKeys');
