/** Status of a licence from the signed snapshot in the trust pack: 4 bits each, lowest nibble first. */
import { fromBase64Url } from "./bytes.ts";
import { VerificationError } from "./faults.ts";
import { inflateZlib } from "./inflate.ts";
import { type JsonObject, isObject } from "./strictjson.ts";

export type StoredStatus = "active" | "suspended" | "cancelled" | "withdrawn" | "revoked" | "superseded";

const BITS = 4;
const SHARD_BYTES = (1 << 20) / 2; // 2^20 licences in a shard, two to a byte
// Token Status List: 0 VALID, 2 SUSPENDED; 12 to 15 are its application range.
const STATUS_OF: ReadonlyMap<number, StoredStatus> = new Map([
  [0, "active"], [2, "suspended"], [12, "cancelled"], [13, "withdrawn"], [14, "revoked"], [15, "superseded"],
]);

export interface SnapshotStatus {
  status: StoredStatus;
  /** Seconds since 1970 when the snapshot was taken. */
  asOf: number;
}

/**
 * The status at `index` of the list `uri`.
 *
 * @throws VerificationError `no_status_list`: no such list, or it is damaged; `no_such_entry`: index beyond it, or a value without meaning.
 */
export function snapshotStatus(body: JsonObject, uri: string, index: number): SnapshotStatus {
  const lists = body["status_lists"];
  const list = isObject(lists) ? lists[uri] : undefined;
  if (!isObject(list)) throw noList("missing");
  const { bits, as_of: asOf, lst } = list;
  if (bits !== BITS || typeof asOf !== "number" || typeof lst !== "string") throw noList("members");
  let bytes: Uint8Array;
  try {
    bytes = inflateZlib(fromBase64Url(lst), SHARD_BYTES);
  } catch {
    throw noList("damaged");
  }
  if (bytes.length !== SHARD_BYTES) throw noList("size");
  const byte = bytes[Math.floor(index / 2)];
  const status = byte === undefined ? undefined : STATUS_OF.get((byte >> ((index % 2) * BITS)) & 15);
  if (status === undefined) throw new VerificationError("no_such_entry", `index ${index}`);
  return { status, asOf };
}

function noList(detail: string): VerificationError {
  return new VerificationError("no_status_list", `status list: ${detail}`);
}
