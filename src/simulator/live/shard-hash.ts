/**
 * Which shard a key lives on: XXH64 with Dragonfly's seed, modulo the number of shards, so that the simulator spreads keys exactly as the real
 * master does and its journals can be compared flow by flow. Facts: the xxHash specification (XXH64); the seed is in Dragonfly's sharding.cc.
 *
 * 64-bit numbers are pairs of 32-bit halves in module variables (`hi`, `lo`): BigInt would be the slowest part of a command.
 */
const SEED_HI = 28;
const SEED_LO = 318_156_355;

const P1_HI = 0x9e3779b1 | 0;
const P1_LO = 0x85ebca87 | 0;
const P2_HI = 0xc2b2ae3d | 0;
const P2_LO = 0x27d4eb4f;
const P3_HI = 0x165667b1;
const P3_LO = 0x9e3779f9 | 0;
const P4_HI = 0x85ebca77 | 0;
const P4_LO = 0xc2b2ae63 | 0;
const P5_HI = 0x27d4eb2f;
const P5_LO = 0x165667c5;

const STRIPE_BYTES = 32;
const TWO_32 = 4_294_967_296;

let hi = 0;
let lo = 0;

/** The shard of `key` among `shards`. */
export function shardOfKey(key: Buffer, shards: number): number {
  if (shards === 1) return 0;
  hash(key);
  return (((hi >>> 0) % shards) * (TWO_32 % shards) + ((lo >>> 0) % shards)) % shards;
}

/** XXH64 of `key` with Dragonfly's seed; for tests. */
export function keyHash(key: Buffer): bigint {
  hash(key);
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

function hash(key: Buffer): void {
  const end = key.length;
  let at = 0;
  if (end >= STRIPE_BYTES) at = hashStripes(key);
  else setSum(SEED_HI, SEED_LO, P5_HI, P5_LO);
  setSum(hi, lo, 0, end);
  for (; at + 8 <= end; at += 8) mixWord(key.readInt32LE(at + 4), key.readInt32LE(at));
  if (at + 4 <= end) {
    mixHalf(key.readInt32LE(at));
    at += 4;
  }
  for (; at < end; at++) mixByte(key[at] ?? 0);
  avalanche();
}

function mixWord(wordHi: number, wordLo: number): void {
  const hashHi = hi;
  const hashLo = lo;
  round(0, 0, wordHi, wordLo);
  hi ^= hashHi;
  lo ^= hashLo;
  rotate(27);
  setProduct(hi, lo, P1_HI, P1_LO);
  setSum(hi, lo, P4_HI, P4_LO);
}

function mixHalf(word: number): void {
  const hashHi = hi;
  const hashLo = lo;
  setProduct(0, word, P1_HI, P1_LO);
  hi ^= hashHi;
  lo ^= hashLo;
  rotate(23);
  setProduct(hi, lo, P2_HI, P2_LO);
  setSum(hi, lo, P3_HI, P3_LO);
}

function mixByte(byte: number): void {
  const hashHi = hi;
  const hashLo = lo;
  setProduct(0, byte, P5_HI, P5_LO);
  hi ^= hashHi;
  lo ^= hashLo;
  rotate(11);
  setProduct(hi, lo, P1_HI, P1_LO);
}

function avalanche(): void {
  lo ^= hi >>> 1;
  setProduct(hi, lo, P2_HI, P2_LO);
  // x ^= x >>> 29
  const shiftedLo = (lo >>> 29) | (hi << 3);
  const shiftedHi = hi >>> 29;
  setProduct(hi ^ shiftedHi, lo ^ shiftedLo, P3_HI, P3_LO);
  lo ^= hi;
}

/** hi:lo = rotl(accumulator + input * P2, 31) * P1 */
function round(accumulatorHi: number, accumulatorLo: number, inputHi: number, inputLo: number): void {
  setProduct(inputHi, inputLo, P2_HI, P2_LO);
  setSum(hi, lo, accumulatorHi, accumulatorLo);
  rotate(31);
  setProduct(hi, lo, P1_HI, P1_LO);
}

const accumulators = new Int32Array(8);

/** Keys of 32 bytes and more: four accumulators, merged. Returns where the rest starts. */
function hashStripes(key: Buffer): number {
  startAccumulators();
  let at = 0;
  for (; at + STRIPE_BYTES <= key.length; at += STRIPE_BYTES) {
    for (let lane = 0; lane < 4; lane++) {
      const word = at + lane * 8;
      round(
        accumulators[lane * 2] ?? 0,
        accumulators[lane * 2 + 1] ?? 0,
        key.readInt32LE(word + 4),
        key.readInt32LE(word),
      );
      accumulators[lane * 2] = hi;
      accumulators[lane * 2 + 1] = lo;
    }
  }
  mergeAccumulators();
  return at;
}

function startAccumulators(): void {
  setSum(SEED_HI, SEED_LO, P1_HI, P1_LO);
  setSum(hi, lo, P2_HI, P2_LO);
  keepAccumulator(0);
  setSum(SEED_HI, SEED_LO, P2_HI, P2_LO);
  keepAccumulator(1);
  setSum(SEED_HI, SEED_LO, 0, 0);
  keepAccumulator(2);
  // seed - P1
  setSum(SEED_HI, SEED_LO, ~P1_HI, ~P1_LO);
  setSum(hi, lo, 0, 1);
  keepAccumulator(3);
}

function keepAccumulator(lane: number): void {
  accumulators[lane * 2] = hi;
  accumulators[lane * 2 + 1] = lo;
}

const ROTATIONS = [1, 7, 12, 18];

function mergeAccumulators(): void {
  let sumHi = 0;
  let sumLo = 0;
  for (let lane = 0; lane < 4; lane++) {
    hi = accumulators[lane * 2] ?? 0;
    lo = accumulators[lane * 2 + 1] ?? 0;
    rotate(ROTATIONS[lane] ?? 0);
    setSum(hi, lo, sumHi, sumLo);
    sumHi = hi;
    sumLo = lo;
  }
  for (let lane = 0; lane < 4; lane++) {
    round(0, 0, accumulators[lane * 2] ?? 0, accumulators[lane * 2 + 1] ?? 0);
    setProduct(sumHi ^ hi, sumLo ^ lo, P1_HI, P1_LO);
    setSum(hi, lo, P4_HI, P4_LO);
    sumHi = hi;
    sumLo = lo;
  }
}

function setSum(aHi: number, aLo: number, bHi: number, bLo: number): void {
  const low = (aLo >>> 0) + (bLo >>> 0);
  hi = (aHi + bHi + (low >= TWO_32 ? 1 : 0)) | 0;
  lo = low | 0;
}

/** The low 64 bits of the product. */
function setProduct(aHi: number, aLo: number, bHi: number, bLo: number): void {
  const b = bLo >>> 0;
  const product0 = (aLo & 0xffff) * b;
  const product1 = (aLo >>> 16) * b;
  const low = product0 + (product1 % 65536) * 65536;
  hi = (Math.imul(aHi, bLo) + Math.imul(aLo, bHi) + Math.floor(product1 / 65536) + Math.floor(low / TWO_32)) | 0;
  lo = low | 0;
}

/** Left, by 1 to 31. */
function rotate(bits: number): void {
  const high = (hi << bits) | (lo >>> (32 - bits));
  lo = (lo << bits) | (hi >>> (32 - bits));
  hi = high;
}
