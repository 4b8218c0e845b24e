/** Why an input must not be trusted. The first block is the list of docs/formats.md; the second is the page's own. */
export type Fault =
  | "malformed" | "bad_signature" | "not_fully_covered" | "untrusted_issuer" | "expired_certificate"
  | "unknown_key" | "wrong_key" | "key_withdrawn" | "too_large" | "modified_after_sealing" | "unsigned"
  | "two_codes" | "no_code" | "stale_trust" | "empty_trust" | "rolled_back" | "encrypted" | "wrong_audience"
  | "not_yet_valid"
  | "no_trust" | "no_status_list" | "no_such_entry" | "status_unknown" | "differs_from_record" | "not_found" | "offline" | "busy" | "server"
  | "bad_input" | "bad_clock";

/** The only error that leaves the reading and checking code. `detail` is for developers, never for people. */
export class VerificationError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, detail: string) {
    super(`${fault}: ${detail}`);
    this.name = "VerificationError";
    this.fault = fault;
  }
}

/** Refuse as malformed. */
export function malformed(detail: string): never {
  throw new VerificationError("malformed", detail);
}
