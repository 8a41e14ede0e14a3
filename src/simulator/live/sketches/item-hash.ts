/**
 * Hashes of the elements of filters and sketches. Dragonfly takes XXH3, the simulator the XXH64 that it has: which bits are set differs from a real
 * master's, how many elements there are and how large everything is does not. Pure.
 */
import { keyHash } from "../shard-hash.ts";

/** 64 bits; another `salt` gives another hash. */
export function itemHash(item: Buffer, salt: number): bigint {
  return keyHash(Buffer.concat([item, Buffer.of(salt)]));
}
